//! Linear (fully connected) layer: `y = x W^T + b`.
//!
//! Shapes: `x [B, in]`, `W [out, in]`, `b [out]`, `y [B, out]`. Leading axes of a row are carried along:
//! `[B, T, in]` -> `[B, T, out]`.
//! Gradients, with g = dL/dy: `dx = g W`, `dW = g^T x`, `db = sum over rows of g`. The last two are sums over examples:
//! blocks of 1,024 rows, one chain a block, blocks added in order. An element of y is one chain of fused multiply-adds in
//! increasing input number; the bias comes after the chain.
//! With [`Linear::ntk`] the product is divided by the root of the number of inputs, `y = (1/sqrt(in)) x W^T + b`, so that
//! weights of variance 1 keep the size of what they read, and one learning rate goes with every width (Jacot, Gabriel &
//! Hongler 2018). The factor comes after the chain, `c (x W^T)`, then the bias; `dx = c (g W)`, `dW = g^T (c x)`, for which
//! forward keeps `c x`.
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
//! let y = graph.push("0", Op::Linear(Linear { units: 1, bias: true, ntk: false }), &[x])?;
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

use glassnet_kernels::lanes::{Unary, map, map_in_place};
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
    /// Whether the product is divided by the root of the number of inputs.
    pub ntk: bool,
}

/// Elements that are worth a thread where they are only multiplied.
const PART: usize = 1 << 16;

#[derive(Clone, Copy)]
struct Times<T>(T);

impl<T: Real> Unary<T> for Times<T> {
    #[inline(always)]
    fn f(&self, x: T) -> T {
        x * self.0
    }
}

impl Linear {
    /// What the product is multiplied by; `None` where it stands as it is.
    fn factor<T: Real>(&self, fan_in: usize) -> Option<T> {
        self.ntk.then(|| T::from_f64(1.0 / (fan_in.max(1) as f64).sqrt()))
    }

    /// Makes whole rows of `x W^T` into rows of y: the factor, then the bias.
    pub(crate) fn finish<T: Real>(&self, fan_in: usize, bias: Option<&[T]>, rows: &mut [T]) {
        match (self.factor(fan_in), bias) {
            (Some(factor), Some(bias)) => vectorized(ScaleAndBias { factor, bias, rows }),
            (Some(factor), None) => map_in_place(Times(factor), rows),
            (None, Some(bias)) => vectorized(AddBias { bias, rows }),
            (None, None) => {}
        }
    }
}

struct ScaleAndBias<'a, T> {
    factor: T,
    bias: &'a [T],
    rows: &'a mut [T],
}

impl<T: Real> Kernel for ScaleAndBias<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for row in self.rows.chunks_exact_mut(self.bias.len()) {
            for (y, &b) in row.iter_mut().zip(self.bias) {
                *y = y.mul_add(self.factor, b);
            }
        }
    }
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
            formula: "y = x W^T + b; in NTK form y = (1/sqrt(d)) x W^T + b, d inputs",
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

    fn needs(&self, inputs: &[&Shape]) -> Needs {
        match self.ntk {
            true => Needs { saved: inputs[0].len(), ..Needs::default() },
            false => Needs { inputs: true, ..Needs::default() },
        }
    }

    fn fuses_curve(&self) -> bool {
        true
    }

    fn cost(&self, inputs: &[&Shape], output: &Shape) -> Cost {
        let product = 2 * inputs[0].last() as u64 * output.len() as u64;
        let bias = if self.bias { output.len() as u64 } else { 0 };
        let (scaled, back) = if self.ntk { (output.len() as u64, inputs[0].len() as u64) } else { (0, 0) };
        Cost { forward: product + bias + scaled, backward: 2 * product + bias + back }
    }

    fn input_cost(&self, inputs: &[&Shape], output: &Shape) -> u64 {
        2 * inputs[0].last() as u64 * output.len() as u64 + if self.ntk { inputs[0].len() as u64 } else { 0 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (x, weight) = (io.inputs[0], io.parameters[0]);
        let fan_in = weight.len() / self.units;
        let m = x.len().checked_div(fan_in).unwrap_or(0);
        let bias = if self.bias { Some(io.parameters[1]) } else { None };
        if let (Some(factor), false) = (self.factor(fan_in), io.saved.is_empty()) {
            io.context.team.split_rows(io.saved, 1, PART, &|first, scaled| {
                map(Times(factor), &x[first..first + scaled.len()], scaled);
            });
        }
        if io.context.precision == Precision::F32 && fan_in > 0 && narrow::fits(m, self.units, fan_in) {
            let within = bias.filter(|_| !self.ntk);
            narrow::product(m, self.units, fan_in, x, Right::Turned, weight, within, io.output);
            if self.ntk {
                self.finish(fan_in, bias, io.output);
            }
            if let Some(curve) = io.curve {
                curve.apply_in_place(io.output);
            }
            return;
        }
        // Bias and curve while the rows are in the cache.
        let finish = |_first: usize, rows: &mut [T]| {
            self.finish(fan_in, bias, rows);
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
            if let Some(factor) = self.factor(fan_in) {
                context.team.split_rows(dx, 1, PART, &|_, dx| map_in_place(Times(factor), dx));
            }
        }
        let x = if self.ntk { io.saved } else { io.inputs[0] };
        let (weights, others) = io.parameter_gradients.split_at_mut(1);
        let biases = if self.bias { Some(&mut *others[0]) } else { None };
        if now && exact && narrow::fits_sum(self.units, fan_in, m) {
            return narrow::sum_of_products(self.units, fan_in, m, g, x, weights[0], biases);
        }
        // Where not now, an update line of the plan makes it.
        if now {
            context.product_tn(self.units, fan_in, m, g, x, weights[0]);
        }
        if let Some(biases) = biases {
            sum_rows_by(context.team, self.units, g, biases);
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (x, weight) = (operands.inputs[0], operands.parameters[0]);
        let fan_in = weight.len() / self.units;
        let divisor = if self.ntk { (fan_in as f64).sqrt() } else { 1.0 };
        let mut y = Vec::new();
        for row in x.chunks(fan_in) {
            for unit in 0..self.units {
                let mut sum = 0.0;
                for (i, value) in row.iter().enumerate() {
                    sum += value * weight[unit * fan_in + i];
                }
                y.push(sum / divisor + if self.bias { operands.parameters[1][unit] } else { 0.0 });
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes: [(usize, Shape, usize, bool, bool); 10] = [
            (1, Shape::row(1), 1, true, false),
            (1030, Shape::row(3), 5, true, false),
            (3, Shape::row(7), 5, true, false),
            (4, Shape::row(17), 33, false, false),
            (1030, Shape::row(3), 2, true, false),
            (2, Shape::from([3, 4]), 5, true, false),
            (3, Shape::row(7), 5, true, true),
            (5, Shape::row(17), 33, false, true),
            (1030, Shape::row(3), 2, true, true),
            (2, Shape::from([3, 4]), 19, true, true),
        ];
        shapes
            .into_iter()
            .map(|(rows, shape, units, bias, ntk)| Sample::new(Linear { units, bias, ntk }, rows, [shape]))
            .collect()
    }
}
