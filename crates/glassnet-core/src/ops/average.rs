//! The members' mean, of their values or of their probabilities.
//!
//! Shapes: `z [B, K, C]`, `y [B, C]`. Values: `y = (1/K) sum_k z_k`, `dz_k = g / K`. Probabilities:
//! `y_c = ln((1/K) sum_k p_kc)` with `p_k = softmax(z_k)`, so that the softmax of y is the mean of the members' probabilities. It is
//! computed from the logarithms, `l_k = ln p_k` and `y_c = ln sum_k exp l_kc - ln K`, and stays finite where a probability underflows.
//! With `a_kc = g_c p_kc / sum_k' p_k'c`: `dz_k = a_k - p_k sum_c a_kc`. Sums go in the members' order.
//! Source: the mean of an ensemble; TabM (Gorishniy et al. 2024).

use glassnet_kernels::{Kernel, vectorized};

use super::member_affine::check_members;
use super::members::MOST_MEMBERS;
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// Elements that are worth a thread: each takes an exponential or two.
const PART: usize = 1 << 12;

/// The mean over members.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Average {
    /// Whether probabilities are averaged, and the logarithms of the means are given; else values are.
    pub probabilities: bool,
}

/// `ln sum_c exp z_c`.
#[inline(always)]
fn log_sum<T: Real>(z: &[T]) -> T {
    let top = z.iter().fold(z[0], |top, &z| if z > top || z.is_nan() { z } else { top });
    z.iter().fold(T::ZERO, |sum, &z| sum + (z - top).exp()).ln() + top
}

/// Whole rows of the output.
struct Value<'a, T> {
    probabilities: bool,
    members: usize,
    classes: usize,
    z: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Kernel for Value<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Value { probabilities, members, classes, z, y } = self;
        let count = T::from_f64(members as f64);
        let (mut norms, mut own) = ([T::ZERO; MOST_MEMBERS], [T::ZERO; MOST_MEMBERS]);
        for (z, y) in z.chunks_exact(members * classes).zip(y.chunks_exact_mut(classes)) {
            if !probabilities {
                for (c, y) in y.iter_mut().enumerate() {
                    *y = z.chunks_exact(classes).fold(T::ZERO, |sum, z| sum + z[c]) / count;
                }
                continue;
            }
            for (norm, z) in norms.iter_mut().zip(z.chunks_exact(classes)) {
                *norm = log_sum(z);
            }
            for (c, y) in y.iter_mut().enumerate() {
                for ((own, z), &norm) in own.iter_mut().zip(z.chunks_exact(classes)).zip(&norms) {
                    *own = z[c] - norm;
                }
                *y = log_sum(&own[..members]) - count.ln();
            }
        }
    }
}

/// Whole rows of the input's gradient, of the mean of probabilities.
struct Gradient<'a, T> {
    members: usize,
    classes: usize,
    z: &'a [T],
    y: &'a [T],
    upstream: &'a [T],
    dz: &'a mut [T],
}

impl<T: Real> Kernel for Gradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Gradient { members, classes, z, y, upstream, dz } = self;
        let log_count = T::from_f64(members as f64).ln();
        let whole = members * classes;
        let rows = z.chunks_exact(whole).zip(y.chunks_exact(classes)).zip(upstream.chunks_exact(classes));
        for (((z, y), g), dz) in rows.zip(dz.chunks_exact_mut(whole)) {
            for (z, dz) in z.chunks_exact(classes).zip(dz.chunks_exact_mut(classes)) {
                let norm = log_sum(z);
                let mut sum = T::ZERO;
                for (((dz, &z), &y), &g) in dz.iter_mut().zip(z).zip(y).zip(g) {
                    *dz = g * (z - norm - y - log_count).exp();
                    sum += *dz;
                }
                for (dz, &z) in dz.iter_mut().zip(z) {
                    *dz -= (z - norm).exp() * sum;
                }
            }
        }
    }
}

impl Operation for Average {
    fn card(&self) -> Card {
        Card {
            name: "average",
            family: Family::Row,
            formula: "y = (1/K) sum_k z_k; of probabilities: y = ln((1/K) sum_k softmax(z_k))",
            derivative: "dz_k = g / K; a_k - p_k sum_c a_kc with a_k = g p_k / sum_k p_k",
            range: "(-inf, inf); of probabilities (-inf, 0]",
            used: "many networks in one: what they say together",
            source: "Gorishniy et al. 2024 (TabM)",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let (_, classes) = check_members("average", inputs[0])?;
        if self.probabilities && classes < 2 {
            return Err(format!(
                "the probabilities of at least 2 classes are averaged, but the input {} has one number for each member; take average without probabilities",
                inputs[0]
            ));
        }
        Ok(Shape::row(classes))
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: self.probabilities, output: self.probabilities, ..Needs::default() }
    }

    fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
        let elements = inputs[0].len() as u64;
        if self.probabilities {
            Cost { forward: 50 * elements, backward: 75 * elements }
        } else {
            Cost { forward: elements, backward: elements }
        }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (members, classes) = (io.shapes[0].0[0], io.shapes[0].last());
        let (z, whole, probabilities) = (io.inputs[0], members * classes, self.probabilities);
        io.context.team.split_rows(io.output, classes, PART.div_ceil(whole), &|first, y| {
            let rows = y.len() / classes;
            vectorized(Value { probabilities, members, classes, z: &z[first * whole..][..rows * whole], y });
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Some(dz) = &mut io.input_gradients[0] else { return };
        let (members, classes) = (io.shapes[0].0[0], io.shapes[0].last());
        let (z, y, upstream, whole) = (io.inputs[0], io.output, io.upstream, members * classes);
        if !self.probabilities {
            let count = T::from_f64(members as f64);
            for (dz, g) in dz.chunks_exact_mut(whole).zip(upstream.chunks_exact(classes)) {
                for dz in dz.chunks_exact_mut(classes) {
                    for (dz, &g) in dz.iter_mut().zip(g) {
                        *dz = g / count;
                    }
                }
            }
            return;
        }
        io.context.team.split_rows(dz, whole, PART.div_ceil(whole), &|first, dz| {
            let rows = dz.len() / whole;
            let (narrow, wide) = (first * classes..(first + rows) * classes, first * whole..(first + rows) * whole);
            let (z, y, upstream) = (&z[wide], &y[narrow.clone()], &upstream[narrow]);
            vectorized(Gradient { members, classes, z, y, upstream, dz });
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (members, classes) = (operands.shapes[0].0[0], operands.shapes[0].last());
        let mut result = Vec::new();
        for z in operands.inputs[0].chunks(members * classes) {
            for c in 0..classes {
                let own = |z: &[f64]| match self.probabilities {
                    true => Real::exp(z[c]) / z.iter().map(|&z| Real::exp(z)).sum::<f64>(),
                    false => z[c],
                };
                let mean = z.chunks(classes).map(own).sum::<f64>() / members as f64;
                result.push(if self.probabilities { Real::ln(mean) } else { mean });
            }
        }
        result
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes = [
            (1, [1, 2], true),
            (3, [4, 2], true),
            (19, [3, 5], true),
            (2, [2, 33], true),
            (3, [4, 1], false),
            (5, [3, 7], false),
        ];
        shapes.map(|(rows, row, probabilities)| Sample::new(Average { probabilities }, rows, [Shape::from(row)])).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_that_underflows_keeps_its_logarithm() {
        let mut y = [0.0_f32; 2];
        Value { probabilities: true, members: 2, classes: 2, z: &[0.0, -500.0, 0.0, -500.0], y: &mut y }.run();
        assert_eq!(y, [0.0, -500.0]);
    }
}
