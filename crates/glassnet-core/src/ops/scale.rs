//! Scaling layer: `y_j = s_j x_j` with one learned factor a column.
//!
//! Shapes: `x [B, d]`, `s [d]`, `y [B, d]`. Gradients: `dx_j = g_j s_j`, `ds_j = sum over rows of g_j x_j` (a sum over
//! examples: blocks of 1,024 rows). Source: the scaling layer of RealMLP (Holzmueller et al. 2024).

use glassnet_kernels::product::BLOCK;
use glassnet_kernels::{Kernel, vectorized};

use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, SlotSpec, same_shape};
use crate::Real;
use crate::shape::Shape;
use crate::slots::Role;

/// `y_j = s_j x_j`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale;

struct Rows<'a, T> {
    x: &'a [T],
    scale: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Kernel for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let width = self.scale.len();
        for (y, x) in self.y.chunks_exact_mut(width).zip(self.x.chunks_exact(width)) {
            for ((y, &x), &s) in y.iter_mut().zip(x).zip(self.scale) {
                *y = x * s;
            }
        }
    }
}

/// Columns whose chains stay in registers.
const COLUMNS: usize = 64;

struct FactorGradient<'a, T> {
    width: usize,
    x: &'a [T],
    upstream: &'a [T],
    sums: &'a mut [T],
}

impl<T: Real> Kernel for FactorGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let size = BLOCK * self.width;
        for (g, x) in self.upstream.chunks(size).zip(self.x.chunks(size)) {
            for (tile, sums) in self.sums.chunks_mut(COLUMNS).enumerate() {
                let columns = tile * COLUMNS..tile * COLUMNS + sums.len();
                let mut chains = [T::ZERO; COLUMNS];
                for (g, x) in g.chunks_exact(self.width).zip(x.chunks_exact(self.width)) {
                    for ((chain, &g), &x) in chains.iter_mut().zip(&g[columns.clone()]).zip(&x[columns.clone()]) {
                        *chain = g.mul_add(x, *chain);
                    }
                }
                for (sum, &chain) in sums.iter_mut().zip(&chains) {
                    *sum += chain;
                }
            }
        }
    }
}

impl Operation for Scale {
    fn card(&self) -> Card {
        Card {
            name: "scale",
            family: Family::Arithmetic,
            formula: "y_j = s_j x_j",
            derivative: "dx_j = g_j s_j, ds_j = sum g_j x_j",
            range: "(-inf, inf)",
            used: "lets training choose columns",
            source: "Holzmueller et al. 2024 (RealMLP)",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if inputs[0].is_empty() {
            return Err(format!("scale needs at least one number a row, but its input is {}", inputs[0]));
        }
        same_shape("scale", inputs)
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        vec![SlotSpec { name: "scale", shape: vec![inputs[0].last()], role: Role::Scale }]
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: output.len() as u64, backward: 3 * output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        vectorized(Rows { x: io.inputs[0], scale: io.parameters[0], y: io.output });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let scale = io.parameters[0];
        if let Some(dx) = &mut io.input_gradients[0] {
            vectorized(Rows { x: io.upstream, scale, y: dx });
        }
        vectorized(FactorGradient {
            width: scale.len(),
            x: io.inputs[0],
            upstream: io.upstream,
            sums: io.parameter_gradients[0],
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let scale = operands.parameters[0];
        operands.inputs[0].iter().enumerate().map(|(i, x)| x * scale[i % scale.len()]).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        [(1, 1), (3, 7), (1030, 3)].map(|(rows, width)| Sample::new(Scale, rows, [Shape::row(width)])).into()
    }
}
