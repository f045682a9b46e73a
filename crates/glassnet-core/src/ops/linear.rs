//! Linear (fully connected) layer: `y = x W^T + b`.
//!
//! Shapes: `x [B, in]`, `W [out, in]`, `b [out]`, `y [B, out]`. Leading axes of a row are carried along:
//! `[B, T, in]` -> `[B, T, out]`.
//! Gradients, with g = dL/dy: `dx = g W`, `dW = g^T x`, `db = sum over rows of g`. The last two are sums over examples:
//! blocks of 1,024 rows, one chain a block, blocks added in order. An element of y is one chain of fused multiply-adds in
//! increasing input number; the bias comes after the chain.
//! (In a plan of [`Precision::Bf16`](crate::Precision) the operands of the three products are rounded to bfloat16 and the order
//! is that of [`glassnet_kernels::half`].)
//!
//! Cost of one row: 2 in out for each of the three products; without `dx` (nobody asks for it in the first layer) of two.
//!
//! ```
//! use std::sync::Arc;
//! use glassnet_core::{Graph, Op, Plan, Purpose, Request, Runner, StepInfo, Team, ops::linear::Linear};
//!
//! // One neuron: 0.7 * 6 + 0.3 * 8 - 4.
//! let mut graph = Graph::new();
//! let x = graph.input("x", [2]);
//! let y = graph.push("0", Op::Linear(Linear { units: 1, bias: true }), &[x])?;
//! let names: Vec<&str> = graph.slots().iter().map(|slot| slot.name.as_str()).collect();
//! assert_eq!(names, ["0.weight", "0.bias"]);
//!
//! let request =
//!     Request { purpose: Purpose::Predict, rows: 1, backward_from: None, outputs: vec![y], training: false, checkpoint: false };
//! let mut runner = Runner::<f64>::new(Arc::new(Plan::new(&graph, request)), Team::single());
//! runner.set_rows(1);
//! runner.input_mut(x).copy_from_slice(&[6.0, 8.0]);
//! runner.forward(&[0.7, 0.3, -4.0], &StepInfo::default());
//! assert!(runner.value(y).is_some_and(|y| (y[0] - 2.6).abs() < 1e-12));
//! # Ok::<(), glassnet_core::GraphError>(())
//! ```

use glassnet_kernels::narrow::{self, Right};
use glassnet_kernels::product::sum_rows_by;
use glassnet_kernels::{Kernel, vectorized};

use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, SlotSpec};
use crate::Real;
use crate::precision::Precision;
use crate::shape::Shape;
use crate::slots::Role;

/// `y = x W^T + b`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linear {
    /// Number of outputs.
    pub units: usize,
    /// Whether there is a bias.
    pub bias: bool,
}

struct AddBias<'a, T> {
    bias: &'a [T],
    rows: &'a mut [T],
}

impl<T: Real> Kernel for AddBias<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for row in self.rows.chunks_exact_mut(self.bias.len()) {
            for (y, &b) in row.iter_mut().zip(self.bias) {
                *y += b;
            }
        }
    }
}

impl Operation for Linear {
    fn card(&self) -> Card {
        Card {
            name: "linear",
            family: Family::Arithmetic,
            formula: "y = x W^T + b",
            derivative: "dx = g W, dW = g^T x, db = sum g",
            range: "(-inf, inf)",
            used: "every layer with weights",
            source: "Rumelhart, Hinton & Williams 1986",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if self.units == 0 || inputs[0].is_empty() {
            return Err(format!(
                "dense dimensions must be positive, but this layer maps {} to {} numbers",
                inputs[0].last(),
                self.units
            ));
        }
        if inputs[0].0.is_empty() {
            return Err("a linear layer needs a row of numbers, but its input is a single number".into());
        }
        let mut axes = inputs[0].0.clone();
        if let Some(last) = axes.last_mut() {
            *last = self.units;
        }
        Ok(Shape(axes))
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        let mut slots =
            vec![SlotSpec { name: "weight", shape: vec![self.units, inputs[0].last()], role: Role::Weight }];
        if self.bias {
            slots.push(SlotSpec { name: "bias", shape: vec![self.units], role: Role::Bias });
        }
        slots
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn fuses_curve(&self) -> bool {
        true
    }

    fn cost(&self, inputs: &[&Shape], output: &Shape) -> Cost {
        let product = 2 * inputs[0].last() as u64 * output.len() as u64;
        let bias = if self.bias { output.len() as u64 } else { 0 };
        Cost { forward: product + bias, backward: 2 * product + bias }
    }

    fn input_cost(&self, inputs: &[&Shape], output: &Shape) -> u64 {
        2 * inputs[0].last() as u64 * output.len() as u64
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (x, weight) = (io.inputs[0], io.parameters[0]);
        let fan_in = weight.len() / self.units;
        let m = x.len().checked_div(fan_in).unwrap_or(0);
        let bias = if self.bias { Some(io.parameters[1]) } else { None };
        if io.context.precision == Precision::F32 && fan_in > 0 && narrow::fits(m, self.units, fan_in) {
            narrow::product(m, self.units, fan_in, x, Right::Turned, weight, bias, io.output);
            if let Some(curve) = io.curve {
                curve.apply_in_place(io.output);
            }
            return;
        }
        // Bias and curve while the rows are in the cache.
        let finish = |_first: usize, rows: &mut [T]| {
            if let Some(bias) = bias {
                vectorized(AddBias { bias, rows });
            }
            if let Some(curve) = io.curve {
                curve.apply_in_place(rows);
            }
        };
        io.context.product_nt(m, self.units, fan_in, x, weight, io.output, Some(&finish));
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let (context, g, weight) = (io.context, io.upstream, io.parameters[0]);
        let now = !io.parameter_gradients[0].is_empty();
        let fan_in = weight.len() / self.units;
        let m = g.len() / self.units;
        let exact = context.precision == Precision::F32 && fan_in > 0;
        if let Some(dx) = &mut io.input_gradients[0] {
            if exact && narrow::fits(m, fan_in, self.units) {
                narrow::product(m, fan_in, self.units, g, Right::Straight, weight, None, dx);
            } else {
                context.product_nn(m, fan_in, self.units, g, weight, dx);
            }
        }
        if !now {
            // An update line of the plan makes it.
        } else if exact && narrow::fits_sum(self.units, fan_in, m) {
            narrow::sum_of_products(self.units, fan_in, m, g, io.inputs[0], io.parameter_gradients[0]);
        } else {
            context.product_tn(self.units, fan_in, m, g, io.inputs[0], io.parameter_gradients[0]);
        }
        if self.bias {
            sum_rows_by(context.team, self.units, g, io.parameter_gradients[1]);
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (x, weight) = (operands.inputs[0], operands.parameters[0]);
        let fan_in = weight.len() / self.units;
        let mut y = Vec::new();
        for row in x.chunks(fan_in) {
            for unit in 0..self.units {
                let mut sum = if self.bias { operands.parameters[1][unit] } else { 0.0 };
                for (i, value) in row.iter().enumerate() {
                    sum += value * weight[unit * fan_in + i];
                }
                y.push(sum);
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes: [(usize, Shape, usize, bool); 5] = [
            (1, Shape::row(1), 1, true),
            (3, Shape::row(7), 5, true),
            (4, Shape::row(17), 33, false),
            (1030, Shape::row(3), 2, true),
            (2, Shape::from([3, 4]), 5, true),
        ];
        shapes
            .into_iter()
            .map(|(rows, shape, units, bias)| Sample::new(Linear { units, bias }, rows, [shape]))
            .collect()
    }
}
