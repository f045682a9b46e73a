//! Embedding: a row of a table for each token, `y_t = E[token_t]`.
//!
//! Shapes: tokens `[B, T]` (whole numbers) -> `[B, T, width]`; one token a row, `[B]` -> `[B, width]`; `E [entries, width]`.
//! Gradient: `dE[token_t] += g_t`, in (example, position) order; only the rows that were used are touched.
//!
//! The token -1 is padding: it gives zeros and no gradient. Any other token outside 0..entries gives a row of NaN and no
//! gradient: readers refuse such tokens before.
//!
//! Cost of one row: T width to copy, as many additions backward.
//!
//! ```
//! use std::sync::Arc;
//! use glassnet_core::{Graph, Op, Plan, Purpose, Request, Runner, StepInfo, Team, ops::embedding::Embedding};
//!
//! let mut graph = Graph::new();
//! let tokens = graph.integers("tokens", [3]);
//! let y = graph.push("0", Op::Embedding(Embedding { entries: 2, width: 2 }), &[tokens])?;
//! let (purpose, outputs) = (Purpose::Predict, vec![y]);
//! let request = Request { purpose, rows: 1, backward_from: None, outputs, training: false, checkpoint: false };
//! let mut runner = Runner::<f32>::new(Arc::new(Plan::new(&graph, request)), Team::single());
//! runner.set_rows(1);
//! runner.labels_mut(tokens).copy_from_slice(&[1, -1, 0]);
//! runner.forward(&[0.1, 0.2, 0.3, 0.4], &StepInfo::default());
//! assert_eq!(runner.value(y), Some(&[0.3, 0.4, 0.0, 0.0, 0.1, 0.2][..]));
//! # Ok::<(), glassnet_core::GraphError>(())
//! ```

use super::{Backward, Card, Cost, Family, Forward, Operands, Operation, Sample, SlotSpec};
use crate::Real;
use crate::shape::{DType, Shape};
use crate::slots::Role;

/// The token that stands for nothing: zeros, and no gradient.
pub const PADDING: i32 = -1;

/// Numbers that are worth a thread.
const PART: usize = 1 << 15;

/// `y_t = E[token_t]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Embedding {
    /// Rows of the table: tokens are 0..entries.
    pub entries: usize,
    /// Numbers of a row of the table.
    pub width: usize,
}

impl Embedding {
    /// Whether the token has a row in the table.
    fn known(&self, token: i32) -> Option<usize> {
        usize::try_from(token).ok().filter(|&token| token < self.entries)
    }
}

impl Operation for Embedding {
    fn card(&self) -> Card {
        Card {
            name: "embedding",
            family: Family::Sequence,
            formula: "y_t = E[token_t]",
            derivative: "dE[token_t] += g_t",
            range: "(-inf, inf)",
            used: "words, characters, categories",
            source: "Bengio et al. 2003",
        }
    }

    fn input_dtype(&self, _index: usize) -> DType {
        DType::I32
    }

    fn differentiable(&self, _index: usize) -> bool {
        false
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if self.entries == 0 || self.width == 0 {
            return Err(format!(
                "an embedding needs at least one entry of at least one number, but its table is [{}, {}]",
                self.entries, self.width
            ));
        }
        if inputs[0].0.len() > 1 || inputs[0].is_empty() {
            return Err(format!(
                "an embedding needs a token a row, [B], or a sequence of them, [B, T], but its input is {}",
                inputs[0]
            ));
        }
        let mut axes = inputs[0].0.clone();
        axes.push(self.width);
        Ok(Shape(axes))
    }

    fn slots(&self, _inputs: &[&Shape]) -> Vec<SlotSpec> {
        vec![SlotSpec { name: "weight", shape: vec![self.entries, self.width], role: Role::Table }]
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: 0, backward: output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (table, tokens, width) = (io.parameters[0], io.labels, self.width);
        io.context.team.split_rows(io.output, width, PART.div_ceil(width), &|first, rows| {
            for (row, &token) in rows.chunks_exact_mut(width).zip(&tokens[first..]) {
                match self.known(token) {
                    Some(entry) => row.copy_from_slice(&table[entry * width..][..width]),
                    None if token == PADDING => row.fill(T::ZERO),
                    None => row.fill(T::from_f64(f64::NAN)),
                }
            }
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let (tokens, g, width) = (io.labels, io.upstream, self.width);
        // A thread owns entries and looks at all tokens, so that each entry's sum keeps its order.
        let parts = (g.len() / PART).max(1);
        let least = self.entries.div_ceil(parts);
        io.context.team.split_rows(io.parameter_gradients[0], width, least, &|first, entries| {
            let owned = first..first + entries.len() / width;
            for (g, &token) in g.chunks_exact(width).zip(tokens) {
                let Some(entry) = self.known(token).filter(|entry| owned.contains(entry)) else { continue };
                for (sum, &g) in entries[(entry - first) * width..][..width].iter_mut().zip(g) {
                    *sum += g;
                }
            }
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let mut y = Vec::new();
        for &token in operands.labels {
            for j in 0..self.width {
                let value = if token == PADDING {
                    0.0
                } else if token >= 0 && (token as usize) < self.entries {
                    operands.parameters[0][token as usize * self.width + j]
                } else {
                    f64::NAN
                };
                y.push(value);
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes: [(usize, Shape, usize, usize); 6] = [
            (1, Shape::default(), 1, 1),
            (5, Shape::default(), 3, 7),
            (3, Shape::row(1), 4, 2),
            (4, Shape::row(7), 5, 3),
            (2, Shape::row(33), 11, 5),
            (7, Shape::row(3), 2, 17),
        ];
        shapes
            .into_iter()
            .map(|(rows, tokens, entries, width)| {
                Sample::new(Embedding { entries, width }, rows, [tokens]).integers(PADDING, entries + 1)
            })
            .collect()
    }
}
