//! Batch norm: every channel is brought to mean 0 and variance 1 over the batch, then scaled and shifted.
//!
//! `y = (x - mean_c) / sqrt(var_c + eps) * weight_c + bias_c`. Shapes: `x [B, C]`, `[B, C, L]` or `[B, C, H, W]`, `y` as x;
//! `weight`, `bias`, `running_mean`, `running_var [C]`.
//!
//! While training, mean and (biased) variance are those of the batch, over its n rows and positions: sums in (example,
//! position) order in blocks of 1,024, the variance in a second pass. A row then depends on the rows beside it
//! ([`Operation::mixes_rows`]). Otherwise they are the running ones, and a row alone has the same bytes. With `h = (x - mean)
//! / sqrt(var + eps)`, g = dL/dy: `dx = w (g - mean(g) - h mean(g h)) / sqrt(var + eps)` in training, `w g /
//! sqrt(running_var + eps)` otherwise; `dw = sum g h`, `db = sum g`.
//!
//! The running statistics are moved by the optimizer, not by forward: backward leaves `momentum (batch - running)` in their
//! place among the gradients, with the unbiased variance (n / (n - 1)). Further micro-batches of a step move on from where
//! the ones before would have brought them, as n batches after each other do.
//!
//! A batch with one number a channel (one row, one position) has variance 0: y is the bias, nothing flows back, and the
//! running variance goes towards 0 (PyTorch refuses such a batch; the shape alone does not tell it). Leave out a last
//! batch of one row, or do not train on one.
//! Source: Ioffe & Szegedy 2015.

use glassnet_kernels::{Kernel, vectorized};

use super::channel_sums::{Along, Layout, Plain, Squares, channel_sums};
use super::row_norm::{PART, check_eps};
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Pass, Sample, SlotSpec};
use crate::Real;
use crate::shape::Shape;
use crate::slots::Role;

/// `y = (x - mean_c) / sqrt(var_c + eps) * weight_c + bias_c` over the batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNorm {
    /// Added to the variance, > 0; 1e-5 is usual.
    pub eps: f64,
    /// Share of the way that a batch moves the running statistics, 0 to 1; 0.1 is usual.
    pub momentum: f64,
}

/// `y = (x - mean_c) * factor_c + bias_c`.
struct Affine<'a, T> {
    layout: Layout,
    x: &'a [T],
    means: &'a [T],
    factors: &'a [T],
    bias: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Kernel for Affine<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Layout { channels, positions } = self.layout;
        let width = self.layout.width();
        let (means, factors, bias) = (&self.means[..channels], &self.factors[..channels], &self.bias[..channels]);
        for (x, y) in self.x.chunks_exact(width).zip(self.y.chunks_exact_mut(width)) {
            if positions == 1 {
                for ((((y, &x), &mean), &factor), &b) in y.iter_mut().zip(x).zip(means).zip(factors).zip(bias) {
                    *y = (x - mean).mul_add(factor, b);
                }
                continue;
            }
            let runs = x.chunks_exact(positions).zip(y.chunks_exact_mut(positions));
            for ((((x, y), &mean), &factor), &b) in runs.zip(means).zip(factors).zip(bias) {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = (x - mean).mul_add(factor, b);
                }
            }
        }
    }
}

/// `dx = (g - whole_c - (x - mean_c) along_c) factor_c`.
struct InputGradient<'a, T> {
    layout: Layout,
    x: &'a [T],
    upstream: &'a [T],
    means: &'a [T],
    whole: &'a [T],
    along: &'a [T],
    factors: &'a [T],
    dx: &'a mut [T],
}

impl<T: Real> Kernel for InputGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Layout { channels, positions } = self.layout;
        let width = self.layout.width();
        let (means, whole) = (&self.means[..channels], &self.whole[..channels]);
        let (along, factors) = (&self.along[..channels], &self.factors[..channels]);
        let rows = self.x.chunks_exact(width).zip(self.upstream.chunks_exact(width));
        for ((x, g), dx) in rows.zip(self.dx.chunks_exact_mut(width)) {
            if positions == 1 {
                let (x, g, dx) = (&x[..channels], &g[..channels], &mut dx[..channels]);
                for c in 0..channels {
                    dx[c] = (g[c] - whole[c] - (x[c] - means[c]) * along[c]) * factors[c];
                }
                continue;
            }
            let runs = x.chunks_exact(positions).zip(g.chunks_exact(positions)).zip(dx.chunks_exact_mut(positions));
            for (c, ((x, g), dx)) in runs.enumerate() {
                let (mean, whole, along, factor) = (means[c], whole[c], along[c], factors[c]);
                for ((dx, &x), &g) in dx.iter_mut().zip(x).zip(g) {
                    *dx = (g - whole - (x - mean) * along) * factor;
                }
            }
        }
    }
}

impl BatchNorm {
    fn inverse<T: Real>(&self, variance: T) -> T {
        T::ONE / (variance + T::from_f64(self.eps)).sqrt()
    }
}

impl Operation for BatchNorm {
    fn card(&self) -> Card {
        Card {
            name: "batch_norm",
            family: Family::Normalisation,
            formula: "y = (x - mean_c) / sqrt(var_c + eps) * w_c + b_c over the batch; running statistics to predict",
            derivative: "dx = w (g - mean(g) - h mean(g h)) / sqrt(var + eps), h = the normalised x",
            range: "(-inf, inf)",
            used: "deep convolutional networks, in batches of some size",
            source: "Ioffe & Szegedy 2015",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        check_eps("batch_norm", self.eps)?;
        if !(0.0..=1.0).contains(&self.momentum) {
            return Err(format!(
                "batch_norm moves its running statistics by a share from 0 to 1 of the way, but its momentum is {}; 0.1 is usual",
                self.momentum
            ));
        }
        if inputs[0].0.is_empty() || inputs[0].is_empty() {
            return Err(format!(
                "batch_norm normalises channels, the first axis of a row, [B, C] or [B, C, H, W], but its input is {}",
                inputs[0]
            ));
        }
        Ok(inputs[0].clone())
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        let channels = Layout::of(inputs[0]).channels;
        let slot = |name, role| SlotSpec { name, shape: vec![channels], role };
        vec![
            slot("weight", Role::Scale),
            slot("bias", Role::Bias),
            slot("running_mean", Role::RunningMean),
            slot("running_var", Role::RunningVariance),
        ]
    }

    fn needs(&self, inputs: &[&Shape]) -> Needs {
        // The batch's mean and variance are kept in the first row's place.
        Needs { inputs: true, saved: 2 * Layout::of(inputs[0]).channels, ..Needs::default() }
    }

    fn mixes_rows(&self) -> bool {
        true
    }

    fn scratch(&self, inputs: &[&Shape], _pass: Pass) -> usize {
        3 * Layout::of(inputs[0]).channels
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: 7 * output.len() as u64, backward: 9 * output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (team, x, layout) = (io.context.team, io.inputs[0], Layout::of(&io.shapes[0]));
        let [weight, bias, running_mean, running_var] = [0, 1, 2, 3].map(|slot| io.parameters[slot]);
        let channels = layout.channels;
        let (means, rest) = io.scratch.split_at_mut(channels);
        let (variances, rest) = rest.split_at_mut(channels);
        let factors = &mut rest[..channels];
        if io.context.training {
            let n = T::from_f64((io.rows * layout.positions) as f64);
            means.fill(T::ZERO);
            channel_sums(team, layout, x, x, Plain, means);
            means.iter_mut().for_each(|mean| *mean /= n);
            variances.fill(T::ZERO);
            channel_sums(team, layout, x, x, Squares { means }, variances);
            variances.iter_mut().for_each(|variance| *variance /= n);
            if io.saved.len() >= 2 * channels {
                io.saved[..channels].copy_from_slice(means);
                io.saved[channels..2 * channels].copy_from_slice(variances);
            }
        } else {
            means.copy_from_slice(running_mean);
            variances.copy_from_slice(running_var);
        }
        for ((factor, &variance), &w) in factors.iter_mut().zip(&*variances).zip(weight) {
            *factor = self.inverse(variance) * w;
        }
        let (means, factors, width) = (&*means, &*factors, layout.width());
        team.split_rows(io.output, width, PART.div_ceil(width), &|first, y| {
            let x = &x[first * width..];
            vectorized(Affine { layout, x, means, factors, bias, y });
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        if io.rows == 0 {
            return;
        }
        let (team, x, g, layout) = (io.context.team, io.inputs[0], io.upstream, Layout::of(&io.shapes[0]));
        let [weight, _, running_mean, running_var] = [0, 1, 2, 3].map(|slot| io.parameters[slot]);
        let (channels, training) = (layout.channels, io.context.training);
        let (means, variances) =
            if training { io.saved[..2 * channels].split_at(channels) } else { (running_mean, running_var) };
        let count = (io.rows * layout.positions) as f64;
        let n = T::from_f64(count);
        let (whole, rest) = io.scratch.split_at_mut(channels);
        let (along, rest) = rest.split_at_mut(channels);
        let factors = &mut rest[..channels];
        whole.fill(T::ZERO);
        along.fill(T::ZERO);
        channel_sums(team, layout, g, g, Plain, whole);
        channel_sums(team, layout, x, g, Along { means }, along);
        for c in 0..channels {
            let inverse = self.inverse(variances[c]);
            io.parameter_gradients[0][c] += along[c] * inverse;
            io.parameter_gradients[1][c] += whole[c];
            factors[c] = inverse * weight[c];
            if training {
                whole[c] /= n;
                along[c] = along[c] * inverse * inverse / n;
            } else {
                // The statistics are constants: nothing flows through them.
                (whole[c], along[c]) = (T::ZERO, T::ZERO);
            }
        }
        if training {
            let unbiased = T::from_f64(if count > 1.0 { count / (count - 1.0) } else { 1.0 });
            let momentum = T::from_f64(self.momentum);
            for c in 0..channels {
                // What micro-batches before asked for counts as done: many of them never overshoot.
                let change = &mut io.parameter_gradients[2][c];
                *change += momentum * (means[c] - (running_mean[c] + *change));
                let change = &mut io.parameter_gradients[3][c];
                *change += momentum * (variances[c] * unbiased - (running_var[c] + *change));
            }
        }
        let Some(dx) = &mut io.input_gradients[0] else { return };
        let (whole, along, factors, width) = (&*whole, &*along, &*factors, layout.width());
        team.split_rows(dx, width, PART.div_ceil(width), &|first, dx| {
            let (x, upstream) = (&x[first * width..], &g[first * width..]);
            vectorized(InputGradient { layout, x, upstream, means, whole, along, factors, dx });
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let shape = &operands.shapes[0];
        let (width, positions) = (shape.len(), shape.len() / shape.0[0]);
        let x = operands.inputs[0];
        let mut y = vec![0.0; x.len()];
        for channel in 0..shape.0[0] {
            let mine: Vec<usize> = (0..x.len()).filter(|i| i % width / positions == channel).collect();
            let mut mean = mine.iter().map(|&i| x[i]).sum::<f64>() / mine.len() as f64;
            let mut variance = mine.iter().map(|&i| (x[i] - mean) * (x[i] - mean)).sum::<f64>() / mine.len() as f64;
            if !operands.context.training {
                (mean, variance) = (operands.parameters[2][channel], operands.parameters[3][channel]);
            }
            for i in mine {
                let h = (x[i] - mean) / (variance + self.eps).sqrt();
                y[i] = h * operands.parameters[0][channel] + operands.parameters[1][channel];
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes = [
            (1, Shape::row(3), 1e-5),
            (7, Shape::row(1), 1e-5),
            (5, Shape::row(19), 1e-3),
            (4, Shape::from([3, 5]), 1e-5),
            (1, Shape::from([2, 9]), 1e-5),
            (3, Shape::from([17, 3, 1]), 0.5),
            (2, Shape::from([3, 3, 5]), 1e-5),
            (1030, Shape::row(2), 0.5),
        ];
        shapes
            .into_iter()
            .map(|(rows, shape, eps)| Sample::new(BatchNorm { eps, momentum: 0.1 }, rows, [shape]))
            .collect()
    }
}
