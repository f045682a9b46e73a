//! Dropout, inverted: while training an element is zero with probability p and divided by 1 - p otherwise, so that its
//! expectation stays; outside training it is the identity and the plan takes it out.
//!
//! Nothing is saved: the mask is a function of (seed, epoch, layer, row's place in the epoch, element), drawn again by
//! backward, and the same under accumulation and recomputation. A schedule may lower the probability as training goes on
//! ([`StepInfo::dropout`](crate::StepInfo::dropout) is its factor): a mask of a lower probability is part of that of a higher one. Source:
//! Srivastava et al. 2014.
//!
//! ```
//! use std::sync::Arc;
//! use glassnet_core::{Graph, Op, Plan, Purpose, Request, Runner, StepInfo, Team, ops::dropout::Dropout};
//!
//! let mut graph = Graph::new();
//! let x = graph.input("x", [1000]);
//! let y = graph.push("0", Op::Dropout(Dropout { p: 0.2 }), &[x])?;
//! let request =
//!     Request { purpose: Purpose::Inspect, rows: 1, backward_from: None, outputs: vec![y], training: true, checkpoint: false };
//! let mut runner = Runner::<f32>::new(Arc::new(Plan::new(&graph, request)), Team::single());
//! runner.set_rows(1);
//! runner.input_mut(x).fill(1.0);
//! runner.forward(&[], &StepInfo::default());
//! let y = runner.value(y).unwrap_or_default();
//! assert!(y.iter().all(|&y| y == 0.0 || y == 1.25));
//! let dropped = y.iter().filter(|&&y| y == 0.0).count();
//! assert!((150..250).contains(&dropped), "{dropped} of 1000, 200 expected");
//! # Ok::<(), glassnet_core::GraphError>(())
//! ```

use super::{Backward, Card, Cost, Family, Forward, Operands, Operation, Sample, same_shape};
use glassnet_kernels::{Kernel, vectorized};

use crate::Real;
use crate::random::{DRAWN, Draws, Purpose};
use crate::shape::Shape;

/// Zero with probability `p`, else `x / (1 - p)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Probability of a zero, in [0, 1).
    pub p: f64,
}

/// Elements that are worth a thread: each takes a draw.
const PART: usize = 1 << 13;

/// One row, sixty-four draws at a time.
struct Row<'a, T> {
    draws: Draws,
    /// The row's first block of draws.
    first: u64,
    /// The least word that keeps an element.
    least: u64,
    factor: T,
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> Kernel for Row<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Row { draws, mut first, least, factor, x, out } = self;
        for (x, out) in x.chunks(4 * DRAWN).zip(out.chunks_mut(4 * DRAWN)) {
            let lanes = draws.lanes(first);
            first += DRAWN as u64;
            let mut factors = [T::ZERO; 4 * DRAWN];
            for (lane, factors) in factors.chunks_exact_mut(4).enumerate() {
                for (word, one) in factors.iter_mut().enumerate() {
                    *one = if lanes[word][lane] & 0xffff_ffff >= least { factor } else { T::ZERO };
                }
            }
            for ((out, &x), &one) in out.iter_mut().zip(x).zip(&factors) {
                // A dropped element is 0 whatever it was, also where it was not finite.
                *out = if one == T::ZERO { T::ZERO } else { x * one };
            }
        }
    }
}

impl Dropout {
    fn apply<T: Real>(&self, x: &[T], out: &mut [T], rows: usize, context: &super::Context<'_>) {
        let p = self.p * context.dropout;
        if !context.training || p == 0.0 || rows == 0 || x.is_empty() {
            out.copy_from_slice(x);
            return;
        }
        let width = (x.len() / rows).max(1);
        let draws = context.draws(Purpose::Dropout);
        let factor = T::from_f64(1.0 / (1.0 - p));
        // A draw `word / 2^32` is at least p where the word is at least p 2^32, a product that is exact.
        let least = (p * 4_294_967_296.0).ceil() as u64;
        // A row's draws start at a whole block of four.
        let blocks = width.div_ceil(4) as u64;
        context.team.split_rows(out, width, PART.div_ceil(width), &|from, rows| {
            for (row, (x, out)) in x[from * width..].chunks(width).zip(rows.chunks_mut(width)).enumerate() {
                let first = (context.position + (from + row) as u64) * blocks;
                vectorized(Row { draws, first, least, factor, x, out });
            }
        });
    }
}

impl Operation for Dropout {
    fn card(&self) -> Card {
        Card {
            name: "dropout",
            family: Family::Regularisation,
            formula: "y = x / (1 - p) with probability 1 - p, else 0",
            derivative: "dx = g / (1 - p) where kept, else 0",
            range: "(-inf, inf)",
            used: "against overfitting; only while training",
            source: "Srivastava et al. 2014",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if !(0.0..1.0).contains(&self.p) {
            return Err(format!("dropout's probability must be at least 0 and below 1, but it is {}", self.p));
        }
        same_shape("dropout", inputs)
    }

    fn training_only(&self) -> bool {
        true
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: 12 * output.len() as u64, backward: 12 * output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        self.apply(io.inputs[0], io.output, io.rows, io.context);
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        if let Some(dx) = &mut io.input_gradients[0] {
            self.apply(io.upstream, dx, io.rows, io.context);
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (x, context) = (operands.inputs[0], operands.context);
        let width = x.len() / operands.rows;
        let p = self.p * context.dropout;
        let draws = context.draws(Purpose::Dropout);
        let stride = (width as u64).div_ceil(4) * 4;
        let keep = |row: usize, j: usize| draws.uniform((context.position + row as u64) * stride + j as u64) >= p;
        let kept = |(i, &x): (usize, &f64)| if keep(i / width, i % width) { x / (1.0 - p) } else { 0.0 };
        x.iter().enumerate().map(kept).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        [(1, 1, 0.5), (3, 7, 0.1), (4, 33, 0.75)]
            .map(|(rows, width, p)| Sample::new(Dropout { p }, rows, [Shape::row(width)]))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Graph, Op, Plan, Purpose as For, Request, Runner, StepInfo, Team};

    /// 1,000 ones behind dropout 0.4 times a factor.
    fn at(dropout: f64) -> Vec<f64> {
        let mut graph = Graph::new();
        let x = graph.input("x", [1000]);
        let y = graph.push("0", Op::Dropout(Dropout { p: 0.4 }), &[x]).unwrap();
        let request = Request {
            purpose: For::Inspect,
            rows: 1,
            backward_from: None,
            outputs: vec![y],
            training: true,
            checkpoint: false,
        };
        let mut runner = Runner::<f64>::new(Arc::new(Plan::new(&graph, request)), Team::single());
        runner.set_rows(1);
        runner.input_mut(x).fill(1.0);
        runner.forward(&[], &StepInfo { seed: 3, dropout, ..StepInfo::default() });
        runner.value(y).unwrap().to_vec()
    }

    #[test]
    fn the_factor_lowers_the_probability_and_drops_a_part_of_the_same_elements() {
        let (whole, half) = (at(1.0), at(0.5));
        let dropped = |y: &[f64]| y.iter().filter(|&&y| y == 0.0).count();
        assert!((330..470).contains(&dropped(&whole)) && (150..250).contains(&dropped(&half)));
        assert!(whole.iter().zip(&half).all(|(&whole, &half)| half != 0.0 || whole == 0.0));
        assert!(whole.iter().all(|&y| y == 0.0 || y == 1.0 / 0.6) && half.iter().all(|&y| y == 0.0 || y == 1.25));
        assert_eq!(at(0.0), [1.0; 1000]);
    }
}
