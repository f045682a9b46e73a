//! Where the line of integrated gradients has corners that are known: at the edges of the bins of numbers that are read by parts
//! ([`Piecewise`](glassnet_core::ops::piecewise::Piecewise)). No rule of nodes sees a corner between two of them, so the line is
//! cut there, and each piece has a rule of its own.

use std::collections::BTreeMap;

use glassnet_core::{NodeId, Op};

use super::quadrature::gauss_legendre;
use crate::model::Model;

/// Most pieces of a line; of more corners so many are taken evenly.
const MOST_PIECES: usize = 256;

/// The edges of each input, of all members.
#[derive(Debug, Clone, Default)]
pub(super) struct Corners {
    edges: BTreeMap<usize, Vec<f32>>,
}

impl Corners {
    /// Of the layers that read the network's inputs, or a stretch of them.
    pub fn of(model: &Model) -> Self {
        let network = model.network();
        let graph = &network.graph;
        // The first input that a node reads, if it reads inputs.
        let first = |node: NodeId| match (&graph.node(node).op, &graph.node(node).inputs[..]) {
            _ if node == network.x => Some(0),
            (Op::Slice(slice), &[x]) if x == network.x => Some(slice.start),
            _ => None,
        };
        let mut edges: BTreeMap<usize, Vec<f32>> = BTreeMap::new();
        for node in graph.nodes() {
            let (Op::Piecewise(parts), &[read], Some(&slot)) = (&node.op, &node.inputs[..], node.slots.first()) else {
                continue;
            };
            let Some(first) = first(read) else { continue };
            for parameters in model.members() {
                for (input, own) in graph.slots().view(slot, parameters).chunks(parts.bins + 1).enumerate() {
                    edges.entry(first + input).or_default().extend_from_slice(own);
                }
            }
        }
        for edges in edges.values_mut() {
            edges.sort_by(f32::total_cmp);
            edges.dedup();
        }
        Corners { edges }
    }

    /// Shares of the way from one row to another, with their weights: Gauss-Legendre with `nodes` nodes in all, or one for each piece.
    pub fn rule(&self, from: &[f32], to: &[f32], nodes: usize) -> Vec<(f64, f64)> {
        let mut corners = Vec::new();
        for (&input, edges) in &self.edges {
            let (Some(&from), Some(&to)) = (from.get(input), to.get(input)) else { continue };
            let (from, to) = (f64::from(from), f64::from(to));
            let shares = edges.iter().map(|&edge| (f64::from(edge) - from) / (to - from));
            corners.extend(shares.filter(|share| (0.0..1.0).contains(share) && *share > 0.0));
        }
        corners.sort_by(f64::total_cmp);
        corners.dedup();
        let kept = corners.len().min(MOST_PIECES - 1);
        let ends = (0..kept).map(|place| corners[place * corners.len() / kept.max(1)]).chain([1.0]);
        let own = gauss_legendre(nodes.div_ceil(kept + 1));
        let mut rule = Vec::with_capacity((kept + 1) * own.len());
        let mut begin = 0.0;
        for end in ends {
            let length = end - begin;
            rule.extend(own.iter().map(|(share, weight)| (begin + share * length, weight * length)));
            begin = end;
        }
        rule
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_its_corners() {
        let corners = Corners { edges: [(0, vec![-1.0, 0.5, 2.0]), (2, vec![0.25, 0.75])].into() };
        // The first input goes from 0 to 1 and meets 0.5; the third stays.
        let integral =
            |rule: &[(f64, f64)], f: &dyn Fn(f64) -> f64| rule.iter().map(|(a, weight)| weight * f(*a)).sum::<f64>();
        let rule = corners.rule(&[0.0, 7.0, 0.3], &[1.0, 9.0, 0.3], 4);
        assert_eq!(rule.len(), 4);
        assert!((integral(&rule, &|_| 1.0) - 1.0).abs() < 1e-15);
        // A jump at the corner, which four nodes of one rule miss.
        assert!((integral(&rule, &|a| if a < 0.5 { a } else { 3.0 }) - 1.625).abs() < 1e-15);
        assert!((integral(&gauss_legendre(4), &|a| if a < 0.5 { a } else { 3.0 }) - 1.625).abs() > 1e-3);
        // Without corners, and backwards.
        assert_eq!(
            corners.rule(&[0.6, 0.0, 0.3], &[0.9, 0.0, 0.3], 3),
            gauss_legendre(3).iter().map(|(a, w)| (0.0 + a * 1.0, w * 1.0)).collect::<Vec<_>>()
        );
        assert_eq!(corners.rule(&[0.0, 0.0, 1.0], &[0.0, 0.0, 0.0], 3).len(), 3);
        // More corners than pieces.
        let many = Corners { edges: [(0, (0..1000).map(|edge| edge as f32 / 1000.0).collect())].into() };
        let rule = many.rule(&[0.0], &[1.0], 32);
        assert_eq!(rule.len(), MOST_PIECES);
        assert!((integral(&rule, &|a| a) - 0.5).abs() < 1e-12);
    }
}
