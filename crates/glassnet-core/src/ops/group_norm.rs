//! Group norm: the channels of an example are normalised in groups, then each channel is scaled and shifted.
//!
//! `y = (x - mean) / sqrt(var + eps) * weight_c + bias_c`, mean and (biased) variance over the channels of a group and all
//! their positions. Shapes: `x [B, C, ...]`, `weight [C]`, `bias [C]`, `y` as x. One group: layer norm over the whole example
//! with factors by channel; C groups: instance norm. With h the normalised x and g = dL/dy: `dx = (g w - mean(g w) - h mean(g w
//! h)) / sqrt(var + eps)`, means over the group, `dw_c = sum g h`, `db_c = sum g` over examples and positions in blocks of 1,024.
//! A row's value does not depend on the other rows of the batch. Source: Wu & He 2018.

use glassnet_kernels::{Kernel, vectorized};

use super::channel_sums::{AlongGroups, Layout, Plain, channel_sums};
use super::row_norm::{PART, all_moments, check_eps, moments, tree};
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, SlotSpec};
use crate::Real;
use crate::shape::Shape;
use crate::slots::Role;

/// `y = (x - mean) / sqrt(var + eps) * weight_c + bias_c` over groups of channels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupNorm {
    /// Number of groups; divides the number of channels.
    pub groups: usize,
    /// Added to the variance, > 0; 1e-5 is usual.
    pub eps: f64,
}

/// Where groups lie.
#[derive(Clone, Copy)]
struct Groups {
    layout: Layout,
    /// Groups of an example.
    count: usize,
}

impl Groups {
    fn channels(self) -> usize {
        self.layout.channels / self.count
    }

    /// Numbers of a group.
    fn width(self) -> usize {
        self.channels() * self.layout.positions
    }
}

struct Normalise<'a, T> {
    groups: Groups,
    eps: T,
    /// Number of the first group, over all examples.
    first: usize,
    x: &'a [T],
    weight: &'a [T],
    bias: &'a [T],
    /// Two numbers a group of the whole input; empty: to be computed here.
    moments: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Kernel for Normalise<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (width, channels) = (self.groups.width(), self.groups.channels());
        let positions = self.groups.layout.positions;
        let runs = self.x[self.first * width..].chunks_exact(width).zip(self.y.chunks_exact_mut(width));
        for (group, (x, y)) in (self.first..).zip(runs) {
            let (mean, inverse) = match self.moments.get(2 * group..2 * group + 2) {
                Some(pair) => (pair[0], pair[1]),
                None => moments(x, true, self.eps),
            };
            let channel = group % self.groups.count * channels;
            let factors = self.weight[channel..].iter().zip(&self.bias[channel..]);
            for ((x, y), (&w, &b)) in x.chunks_exact(positions).zip(y.chunks_exact_mut(positions)).zip(factors) {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = ((x - mean) * inverse).mul_add(w, b);
                }
            }
        }
    }
}

struct InputGradient<'a, T> {
    groups: Groups,
    first: usize,
    x: &'a [T],
    weight: &'a [T],
    moments: &'a [T],
    upstream: &'a [T],
    dx: &'a mut [T],
}

impl<T: Real> Kernel for InputGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (width, channels) = (self.groups.width(), self.groups.channels());
        let positions = self.groups.layout.positions;
        let n = T::from_f64(width as f64);
        let at = self.first * width;
        let runs = self.x[at..].chunks_exact(width).zip(self.upstream[at..].chunks_exact(width));
        for (group, ((x, g), dx)) in (self.first..).zip(runs.zip(self.dx.chunks_exact_mut(width))) {
            let (mean, inverse) = (self.moments[2 * group], self.moments[2 * group + 1]);
            let weight = &self.weight[group % self.groups.count * channels..][..channels];
            let (mut whole, mut along) = (T::ZERO, T::ZERO);
            if positions == 1 {
                whole = tree(g, weight, x, |sum, g, w, _| g.mul_add(w, sum));
                along = tree(g, weight, x, |sum, g, w, x| (g * w).mul_add((x - mean) * inverse, sum));
            } else {
                // A tree along each channel, then a chain over the channels.
                for ((x, g), &w) in x.chunks_exact(positions).zip(g.chunks_exact(positions)).zip(weight) {
                    whole = w.mul_add(tree(g, g, g, |sum, g, _, _| sum + g), whole);
                    along = w.mul_add(tree(g, x, x, |sum, g, x, _| g.mul_add((x - mean) * inverse, sum)), along);
                }
            }
            let (whole, along) = (whole / n, along / n);
            let runs = x.chunks_exact(positions).zip(g.chunks_exact(positions)).zip(dx.chunks_exact_mut(positions));
            for (((x, g), dx), &w) in runs.zip(weight) {
                for ((dx, &x), &g) in dx.iter_mut().zip(x).zip(g) {
                    *dx = (g * w - whole - (x - mean) * inverse * along) * inverse;
                }
            }
        }
    }
}

impl GroupNorm {
    fn groups(&self, shape: &Shape) -> Groups {
        Groups { layout: Layout::of(shape), count: self.groups.max(1) }
    }
}

impl Operation for GroupNorm {
    fn card(&self) -> Card {
        Card {
            name: "group_norm",
            family: Family::Normalisation,
            formula: "y = (x - mean) / sqrt(var + eps) * w_c + b_c over groups of channels",
            derivative: "dx = (g w - mean(g w) - h mean(g w h)) / sqrt(var + eps), h = the normalised x",
            range: "(-inf, inf)",
            used: "images in small batches; as many groups as channels is instance norm",
            source: "Wu & He 2018; Ulyanov, Vedaldi & Lempitsky 2016 (instance norm)",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        check_eps("group_norm", self.eps)?;
        let input = inputs[0];
        if input.0.is_empty() || input.is_empty() {
            return Err(format!(
                "group_norm normalises channels, the first axis of a row, [B, C, ...], but its input is {input}"
            ));
        }
        let channels = Layout::of(input).channels;
        if self.groups == 0 || !channels.is_multiple_of(self.groups) {
            let fitting: Vec<String> = (1..=channels)
                .filter(|groups| channels.is_multiple_of(*groups))
                .take(8)
                .map(|n| n.to_string())
                .collect();
            return Err(format!(
                "group_norm cannot cut the {channels} channels of its input {input} into {} equal groups; use {}",
                self.groups,
                fitting.join(", ")
            ));
        }
        Ok(input.clone())
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        let shape = vec![Layout::of(inputs[0]).channels];
        vec![
            SlotSpec { name: "weight", shape: shape.clone(), role: Role::Scale },
            SlotSpec { name: "bias", shape, role: Role::Bias },
        ]
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, saved: 2 * self.groups, ..Needs::default() }
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: 8 * output.len() as u64, backward: 18 * output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (team, x) = (io.context.team, io.inputs[0]);
        let groups = self.groups(&io.shapes[0]);
        let width = groups.width();
        if !io.saved.is_empty() {
            all_moments(team, x, width, true, self.eps, io.saved);
        }
        let (moments, eps) = (&*io.saved, T::from_f64(self.eps));
        let (weight, bias) = (io.parameters[0], io.parameters[1]);
        team.split_rows(io.output, width, PART.div_ceil(width), &|first, y| {
            vectorized(Normalise { groups, eps, first, x, weight, bias, moments, y });
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let (team, x, moments, upstream) = (io.context.team, io.inputs[0], io.saved, io.upstream);
        let groups = self.groups(&io.shapes[0]);
        if let Some(dx) = &mut io.input_gradients[0] {
            let (width, weight) = (groups.width(), io.parameters[0]);
            team.split_rows(dx, width, PART.div_ceil(width), &|first, dx| {
                vectorized(InputGradient { groups, first, x, weight, moments, upstream, dx });
            });
        }
        let term = AlongGroups { moments, groups: groups.count, channels: groups.channels() };
        channel_sums(team, groups.layout, x, upstream, term, io.parameter_gradients[0]);
        channel_sums(team, groups.layout, upstream, upstream, Plain, io.parameter_gradients[1]);
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let shape = &operands.shapes[0];
        let (channels, width) = (shape.0[0], shape.len() / self.groups);
        let mut y = Vec::new();
        for (group, x) in operands.inputs[0].chunks(width).enumerate() {
            let mean = x.iter().sum::<f64>() / width as f64;
            let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / width as f64;
            for (j, x) in x.iter().enumerate() {
                let channel = group % self.groups * (channels / self.groups) + j / (shape.len() / channels);
                let h = (x - mean) / (variance + self.eps).sqrt();
                y.push(h * operands.parameters[0][channel] + operands.parameters[1][channel]);
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes = [
            (1, Shape::row(1), 1, 1e-5),
            (3, Shape::row(7), 1, 1e-5),
            (4, Shape::row(6), 2, 0.1),
            (2, Shape::from([4, 5]), 2, 1e-5),
            (2, Shape::from([3, 3, 5]), 3, 1e-3),
            (3, Shape::from([6, 2, 3]), 1, 1e-5),
            (2, Shape::from([2, 19]), 2, 1e-5),
            (350, Shape::from([2, 3]), 1, 0.5),
        ];
        shapes
            .into_iter()
            .map(|(rows, shape, groups, eps)| Sample::new(GroupNorm { groups, eps }, rows, [shape]))
            .collect()
    }
}
