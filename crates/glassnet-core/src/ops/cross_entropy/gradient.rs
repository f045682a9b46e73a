//! The gradient of softmax cross-entropy, `dz = upstream (S p - t)`, from the softmax that forward kept.

use glassnet_kernels::Kernel;

use super::{CrossEntropy, IGNORED, counted};
use crate::Real;

/// `dz_j = upstream (total p_j - t_j)` for targets without the label's own.
struct Gradient<'a, T> {
    p: &'a [T],
    total: T,
    upstream: T,
    /// The smoothing's share of each class, before its weight.
    share: f64,
    weights: &'a [f64],
    dz: &'a mut [T],
}

impl<T: Real> Kernel for Gradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Gradient { total, upstream, share, .. } = self;
        let constant = T::from_f64(share);
        if share > 0.0 && !self.weights.is_empty() {
            for ((dz, &p), &weight) in self.dz.iter_mut().zip(self.p).zip(self.weights) {
                *dz = upstream * (total * p - T::from_f64(share * weight));
            }
        } else {
            for (dz, &p) in self.dz.iter_mut().zip(self.p) {
                *dz = upstream * (total * p - constant);
            }
        }
    }
}

/// The gradients of some positions, of which `first` is the number of the first.
pub(super) struct Gradients<'a, T> {
    pub op: &'a CrossEntropy,
    pub classes: usize,
    /// Labels of a row, and the positions that each holds for.
    pub positions: usize,
    pub each: usize,
    pub first: usize,
    pub saved: &'a [T],
    pub labels: &'a [i32],
    pub upstream: &'a [T],
    pub dz: &'a mut [T],
}

impl<T: Real> Gradients<'_, T> {
    /// One label a row, all of them classes, nothing smoothed or weighed: `dz = upstream (p - y)`.
    #[inline(always)]
    fn plain<const C: usize>(self) {
        let classes = if C > 0 { C } else { self.classes };
        let rows = self.saved[self.first * (classes + 1)..].chunks_exact(classes + 1).zip(&self.labels[self.first..]);
        let rows = rows.zip(&self.upstream[self.first..]);
        for (dz, ((p, &label), &upstream)) in self.dz.chunks_exact_mut(classes).zip(rows) {
            for j in 0..classes {
                dz[j] = upstream * p[j];
            }
            // Only numbers below `classes` come here.
            if let (Some(dz), Some(&p)) = (dz.get_mut(label as usize), p.get(label as usize)) {
                *dz = upstream * (p - T::ONE);
            }
        }
    }
}

impl<T: Real> Kernel for Gradients<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Gradients { op, classes, positions, each, first, saved, labels, upstream, dz } = self;
        let rows = dz.len() / classes;
        // The largest, not the first that is too large: that takes a branch a row.
        let most = || labels[first..][..rows].iter().fold(0, |most, &label| most.max(label as u32));
        let all_there = || (most() as usize) < classes;
        if positions == 1 && each == 1 && op.is_plain() && all_there() {
            let rows = Gradients { op, classes, positions, each, first, saved, labels, upstream, dz };
            return match classes {
                2 => rows.plain::<2>(),
                3 => rows.plain::<3>(),
                10 => rows.plain::<10>(),
                _ => rows.plain::<0>(),
            };
        }
        let smooth_sum: f64 = (0..classes).map(|class| op.weight(class)).sum::<f64>() * op.smoothing / classes as f64;
        let share = if op.smoothing > 0.0 { op.smoothing / classes as f64 } else { 0.0 };
        // Row, and what its gradient is divided by.
        let (mut row, mut count) = (usize::MAX, 0);
        for (place, dz) in (first..).zip(dz.chunks_exact_mut(classes)) {
            if place / (positions * each) != row {
                row = place / (positions * each);
                count = counted(&labels[row * positions..][..positions]) * each;
            }
            let label = labels[place / each];
            if label == IGNORED {
                dz.fill(T::ZERO);
                continue;
            }
            let Some(label) = usize::try_from(label).ok().filter(|&label| label < classes) else {
                dz.fill(T::from_f64(f64::NAN));
                continue;
            };
            let p = &saved[place * (classes + 1)..][..classes];
            let total = T::from_f64((1.0 - op.smoothing) * op.weight(label) + smooth_sum);
            let upstream = upstream[row] / T::from_f64(count as f64);
            Gradient { p, total, upstream, share, weights: &op.class_weights, dz: &mut *dz }.run();
            dz[label] = upstream * (total * p[label] - T::from_f64(op.target(label, label, classes)));
        }
    }
}
