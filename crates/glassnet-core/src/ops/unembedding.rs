//! Unembedding: the score of each entry of a table of vectors, `y = x E^T`.
//!
//! Shapes: `x [B, .., width]`, `E [entries, width]`, `y [B, .., entries]`. It is a linear layer without bias whose weight is a
//! table, so that [`Graph::push_tied`](crate::Graph::push_tied) can give it the slot of an
//! [`Embedding`](super::embedding::Embedding): weight tying (Press & Wolf 2017). Both nodes' gradients are then added in
//! the one slot. Gradients, with g = dL/dy: `dx = g E`, `dE = g^T x`, in a linear layer's order of sums.
//!
//! Cost of one position: 2 entries width for each of the three products.
//!
//! ```
//! use glassnet_core::slots::SlotId;
//! use glassnet_core::{Graph, Op, ops::embedding::Embedding, ops::unembedding::Unembedding};
//!
//! let mut graph = Graph::new();
//! let tokens = graph.integers("tokens", [8]);
//! let x = graph.push("embed", Op::Embedding(Embedding { entries: 65, width: 4 }), &[tokens])?;
//! let table: Vec<SlotId> = graph.node(x).slots.clone();
//! let y = graph.push_tied("head", Op::Unembedding(Unembedding { entries: 65 }), &[x], &table)?;
//! assert_eq!(graph.node(y).shape.to_string(), "[B, 8, 65]");
//! assert_eq!(graph.slots().len(), 65 * 4);
//! # Ok::<(), glassnet_core::GraphError>(())
//! ```

use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, SlotSpec};
use crate::Real;
use crate::shape::Shape;
use crate::slots::Role;

/// `y = x E^T`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unembedding {
    /// Rows of the table: as many scores.
    pub entries: usize,
}

impl Operation for Unembedding {
    fn card(&self) -> Card {
        Card {
            name: "unembedding",
            family: Family::Sequence,
            formula: "y = x E^T",
            derivative: "dx = g E, dE = g^T x",
            range: "(-inf, inf)",
            used: "scores of the next token, with the embedding's table",
            source: "Press & Wolf 2017",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if inputs[0].0.is_empty() || inputs[0].is_empty() || self.entries == 0 {
            return Err(format!(
                "an unembedding needs vectors [B, .., width] and at least one entry, but its input is {} and it has {} entries",
                inputs[0], self.entries
            ));
        }
        let mut axes = inputs[0].0.clone();
        if let Some(last) = axes.last_mut() {
            *last = self.entries;
        }
        Ok(Shape(axes))
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        vec![SlotSpec { name: "weight", shape: vec![self.entries, inputs[0].last()], role: Role::Table }]
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn cost(&self, inputs: &[&Shape], output: &Shape) -> Cost {
        let product = 2 * inputs[0].last() as u64 * output.len() as u64;
        Cost { forward: product, backward: 2 * product }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (x, table) = (io.inputs[0], io.parameters[0]);
        let width = table.len() / self.entries;
        io.context.product_nt(x.len() / width, self.entries, width, x, table, io.output, None);
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let (context, g, table) = (io.context, io.upstream, io.parameters[0]);
        let width = table.len() / self.entries;
        let m = g.len() / self.entries;
        if let Some(dx) = &mut io.input_gradients[0] {
            context.product_nn(m, width, self.entries, g, table, dx);
        }
        context.product_tn(self.entries, width, m, g, io.inputs[0], io.parameter_gradients[0]);
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (x, table) = (operands.inputs[0], operands.parameters[0]);
        let width = table.len() / self.entries;
        let score = |x: &[f64], entry: usize| -> f64 { (0..width).map(|j| x[j] * table[entry * width + j]).sum() };
        x.chunks(width).flat_map(|x| (0..self.entries).map(|entry| score(x, entry)).collect::<Vec<_>>()).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes: [(usize, Shape, usize); 6] = [
            (1, Shape::row(1), 1),
            (3, Shape::row(7), 5),
            (4, Shape::row(17), 33),
            (2, Shape::from([3, 4]), 7),
            (5, Shape::from([1, 3]), 2),
            (1, Shape::from([2, 2, 3]), 4),
        ];
        shapes.into_iter().map(|(rows, shape, entries)| Sample::new(Unembedding { entries }, rows, [shape])).collect()
    }
}
