//! Weighted mean of the losses of the rows: `L = sum_i r_i l_i / D`, one number for the batch.
//!
//! Inputs: losses `[B]`, row weights `[B]`. D is the sum of weights (row weight times class weight) over the whole
//! accumulated batch, given with the step in f64: so the mean over two micro-batches is that of both together. Gradient:
//! `dl_i = g r_i / D`. The sum is one over examples: blocks of 1,024 rows, one chain a block.

use glassnet_kernels::product::BLOCK;
use glassnet_kernels::{Kernel, vectorized};

use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// `L = sum_i r_i l_i / D`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean;

struct Total<'a, T> {
    losses: &'a [T],
    weights: &'a [T],
}

impl<T: Real> Kernel for Total<'_, T> {
    type Output = T;

    #[inline(always)]
    fn run(self) -> T {
        let mut total = T::ZERO;
        for (losses, weights) in self.losses.chunks(BLOCK).zip(self.weights.chunks(BLOCK)) {
            let mut chain = T::ZERO;
            for (&loss, &weight) in losses.iter().zip(weights) {
                chain = loss.mul_add(weight, chain);
            }
            total += chain;
        }
        total
    }
}

struct Shares<'a, T> {
    upstream: f64,
    weights: &'a [T],
    gradient: &'a mut [T],
}

impl<T: Real> Kernel for Shares<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (gradient, &weight) in self.gradient.iter_mut().zip(self.weights) {
            *gradient = T::from_f64(self.upstream * weight.to_f64());
        }
    }
}

impl Operation for Mean {
    fn card(&self) -> Card {
        Card {
            name: "mean",
            family: Family::Loss,
            formula: "L = sum_i r_i l_i / D, D the sum of weights",
            derivative: "dl_i = r_i / D",
            range: "that of the losses",
            used: "the number that training lowers",
            source: "-",
        }
    }

    fn arity(&self) -> usize {
        2
    }

    fn per_batch(&self) -> bool {
        true
    }

    fn differentiable(&self, index: usize) -> bool {
        index == 0
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if inputs.iter().any(|shape| shape.len() != 1) {
            return Err(format!(
                "mean needs one loss and one weight a row, but its inputs are {} and {}",
                inputs[0], inputs[1]
            ));
        }
        Ok(Shape::default())
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn cost(&self, _inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost { forward: 2, backward: 1 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let total = vectorized(Total { losses: io.inputs[0], weights: io.inputs[1] });
        io.output[0] = T::from_f64(total.to_f64() / io.context.denominator);
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        if let Some(gradient) = &mut io.input_gradients[0] {
            let upstream = io.upstream[0].to_f64() / io.context.denominator;
            vectorized(Shares { upstream, weights: io.inputs[1], gradient });
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let sum: f64 = operands.inputs[0].iter().zip(operands.inputs[1]).map(|(loss, weight)| loss * weight).sum();
        vec![sum / operands.denominator]
    }

    fn samples() -> Vec<Sample<Self>> {
        [1, 5, 1030]
            .map(|rows| Sample::new(Mean, rows, [Shape::default(), Shape::default()]).domain(1, 0.0, 2.0))
            .into()
    }
}
