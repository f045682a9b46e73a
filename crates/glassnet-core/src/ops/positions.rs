//! Positions: what tells the steps of a sequence apart, added: `y_t = x_t + P[time + t]`.
//!
//! Shapes: `x [B, T, C]` -> `[B, T, C]`. Learned (Gehring et al. 2017): `P [capacity, C]` is a table of parameters,
//! `dP[time + t] = sum over rows of g_t` in the rows' order. Sinusoidal (Vaswani et al. 2017): `P[p, 2i] = sin(a)`,
//! `P[p, 2i + 1] = cos(a)` with the angle `a = p / 10000^(2i / C)` in radians, computed in f64; C may be odd. `dx = g`.
//!
//! `time` is that of the step ([`Context::time`](super::Context)): 0 normally, the number of steps before when a sequence is
//! generated one step at a time. A position past the capacity gives NaN and no gradient: who generates moves the window before.
//!
//! Cost of one row: T C additions.
//!
//! ```
//! use glassnet_core::ops::positions::{Kind, Positions};
//! use glassnet_core::{Graph, Op};
//!
//! let mut graph = Graph::new();
//! let x = graph.input("x", [9, 4]);
//! let error = graph.push("0", Op::Positions(Positions { kind: Kind::Learned, capacity: 8 }), &[x]).unwrap_err();
//! assert!(error.to_string().contains("a sequence of 9 is longer than the context of 8"));
//! ```

use glassnet_kernels::lanes::{map2, update};

use super::add::Add;
use super::{Backward, Card, Cost, Family, Forward, Operands, Operation, Pass, Sample, SlotSpec};
use crate::Real;
use crate::shape::Shape;
use crate::slots::Role;

/// Elements that are worth a thread.
const PART: usize = 1 << 15;

/// Where the vectors of the positions come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A table of parameters.
    Learned,
    /// Sines and cosines, no parameters.
    Sinusoidal,
}

/// `y_t = x_t + P[time + t]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Positions {
    /// Where the vectors come from.
    pub kind: Kind,
    /// Most positions of a sequence: the context.
    pub capacity: usize,
}

/// The sinusoidal vectors of the positions `time..`, `table` being `[T, width]`.
fn sinusoids<T: Real>(time: usize, width: usize, table: &mut [T]) {
    for pair in 0..width.div_ceil(2) {
        let period = Real::pow(10_000.0_f64, (2 * pair) as f64 / width as f64);
        for (t, row) in table.chunks_exact_mut(width).enumerate() {
            let angle = (time + t) as f64 / period;
            row[2 * pair] = T::from_f64(Real::sin(angle));
            if let Some(cosine) = row.get_mut(2 * pair + 1) {
                *cosine = T::from_f64(Real::cos(angle));
            }
        }
    }
}

impl Operation for Positions {
    fn card(&self) -> Card {
        Card {
            name: "positions",
            family: Family::Sequence,
            formula: "y_t = x_t + P[t]; P learned, or sin and cos of t / 10000^(2i/C)",
            derivative: "dx = g, dP[t] = sum g_t",
            range: "(-inf, inf)",
            used: "the order of tokens before attention",
            source: "Vaswani et al. 2017; Gehring et al. 2017 (learned)",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [steps, width] = inputs[0].0[..] else {
            return Err(format!("positions need a sequence of vectors, [B, T, C], but the input is {}", inputs[0]));
        };
        if steps == 0 || width == 0 {
            return Err(format!(
                "positions need at least one step of at least one number, but the input is {}",
                inputs[0]
            ));
        }
        if steps > self.capacity {
            return Err(format!(
                "a sequence of {steps} is longer than the context of {}: the input is {}; cut the sequence or make the context longer",
                self.capacity, inputs[0]
            ));
        }
        Ok(inputs[0].clone())
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        match self.kind {
            Kind::Learned => {
                vec![SlotSpec { name: "weight", shape: vec![self.capacity, inputs[0].last()], role: Role::Table }]
            }
            Kind::Sinusoidal => Vec::new(),
        }
    }

    fn scratch(&self, inputs: &[&Shape], pass: Pass) -> usize {
        if self.kind == Kind::Sinusoidal && pass != Pass::Backward { inputs[0].len() } else { 0 }
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        let table = if self.kind == Kind::Learned { output.len() as u64 } else { 0 };
        Cost { forward: output.len() as u64, backward: table }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (row_len, width, time) = (io.shapes[0].len(), io.shapes[0].last(), io.context.time);
        if io.rows == 0 {
            return;
        }
        let there = self.capacity.saturating_sub(time) * width;
        let table = match self.kind {
            Kind::Learned => io.parameters[0].get(time * width..).unwrap_or_default(),
            Kind::Sinusoidal => {
                let table = &mut io.scratch[..row_len.min(there)];
                sinusoids(time, width, table);
                table
            }
        };
        let (x, table) = (io.inputs[0], &table[..row_len.min(table.len())]);
        io.context.team.split_rows(io.output, row_len, PART.div_ceil(row_len), &|first, rows| {
            for (x, y) in x[first * row_len..].chunks_exact(row_len).zip(rows.chunks_exact_mut(row_len)) {
                map2(Add, &x[..table.len()], table, &mut y[..table.len()]);
                y[there.min(row_len)..].fill(T::from_f64(f64::NAN));
            }
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let upstream = io.upstream;
        if let Some(dx) = &mut io.input_gradients[0] {
            io.context.team.split_rows(dx, 1, PART, &|first, dx| dx.copy_from_slice(&upstream[first..][..dx.len()]));
        }
        if self.kind == Kind::Learned {
            let (row_len, width) = (io.shapes[0].len(), io.shapes[0].last());
            let Some(table) = io.parameter_gradients[0].get_mut(io.context.time * width..) else { return };
            // A thread owns a part of the table and goes through all rows, so that each sum keeps its order.
            let seen = row_len.min(table.len());
            let min = PART.div_ceil(io.rows.max(1));
            io.context.team.split_rows(&mut table[..seen], 1, min, &|first, sums| {
                for g in upstream.chunks_exact(row_len) {
                    update(Add, &g[first..][..sums.len()], sums);
                }
            });
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (row_len, width) = (operands.shapes[0].len(), operands.shapes[0].last());
        let vector = |t: usize, j: usize| -> f64 {
            let angle = t as f64 / Real::pow(10_000.0_f64, (j - j % 2) as f64 / width as f64);
            match self.kind {
                Kind::Learned => operands.parameters[0][t * width + j],
                Kind::Sinusoidal if j.is_multiple_of(2) => Real::sin(angle),
                Kind::Sinusoidal => Real::cos(angle),
            }
        };
        let place = |i: usize| (i % row_len / width + operands.context.time, i % width);
        operands.inputs[0].iter().enumerate().map(|(i, x)| x + vector(place(i).0, place(i).1)).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes = [(1, 1, 1, 1), (3, 5, 4, 5), (2, 7, 3, 11), (4, 3, 17, 4), (1, 33, 6, 40), (5, 2, 9, 2)];
        [Kind::Learned, Kind::Sinusoidal]
            .into_iter()
            .flat_map(|kind| {
                shapes.map(|(rows, steps, width, capacity)| {
                    Sample::new(Positions { kind, capacity }, rows, [Shape::from([steps, width])])
                })
            })
            .collect()
    }
}
