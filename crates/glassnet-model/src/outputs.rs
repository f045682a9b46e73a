//! From the network's numbers to what a model gives out: members averaged, calibrated, in the target's unit.
//!
//! ```text
//! classes   p_c = mean over members of softmax(z)_c;   with a calibration softmax(offset + slope ln p), then its map and its mix
//! a number  y = restore(mean over members of z), not outside the numbers of training where the model keeps them
//! ```
//!
//! One member's logits go into the calibration as they are. Members are added in their order, in f32; nothing allocates.

use glassnet_core::ops::{sigmoid, softmax};
use glassnet_core::{Kernel, Real, vectorized};

use crate::calibration::Calibration;
use crate::file::Head;
use crate::target::TargetSchema;

/// What the last steps of a prediction need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outputs<'a> {
    pub head: Head,
    pub members: usize,
    pub calibration: Option<&'a Calibration>,
    pub target: Option<&'a TargetSchema>,
}

/// Adds softmax(logits) to `sums`.
struct AddSoftmax<'a> {
    logits: &'a [f32],
    sums: &'a mut [f32],
}

impl Kernel for AddSoftmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let top = self.logits.iter().fold(f32::NEG_INFINITY, |top, &z| if z > top || z.is_nan() { z } else { top });
        let mut total = 0.0;
        for &z in self.logits {
            total += Real::exp(z - top);
        }
        for (sum, &z) in self.sums.iter_mut().zip(self.logits) {
            *sum += Real::exp(z - top) / total;
        }
    }
}

impl Outputs<'_> {
    /// One row of a model with one member.
    pub fn one(&self, logits: &[f32], out: &mut [f32]) {
        match (self.head, self.calibration) {
            (Head::Softmax, None) => softmax::scores(logits, out),
            (Head::Softmax, Some(calibration)) => {
                // `out` holds them for a moment: a row may have any number of classes.
                for (class, (out, &z)) in out.iter_mut().zip(logits).enumerate() {
                    *out = calibration.apply(class, z);
                }
                softmax::scores_in_place(out);
                calibration.after(out);
            }
            (Head::Sigmoid, calibration) => {
                let z = logits.first().copied().unwrap_or(f32::NAN);
                let scores = sigmoid::scores(calibration.map_or(z, |calibration| calibration.apply(1, z)));
                out.iter_mut().zip(scores).for_each(|(out, score)| *out = score);
                if let Some(calibration) = calibration {
                    calibration.after(out);
                }
            }
            (Head::Value, _) => {
                out.iter_mut().zip(logits).for_each(|(out, &z)| *out = z);
                self.restore(out);
            }
        }
    }

    /// Adds one member's logits to a row of sums that began as zeros.
    pub fn add(&self, logits: &[f32], sums: &mut [f32]) {
        match self.head {
            Head::Softmax => vectorized(AddSoftmax { logits, sums }),
            Head::Sigmoid => {
                let scores = sigmoid::scores(logits.first().copied().unwrap_or(f32::NAN));
                sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += score);
            }
            Head::Value => sums.iter_mut().zip(logits).for_each(|(sum, &z)| *sum += z),
        }
    }

    /// From the sums of all members to what is given out, in place.
    pub fn close(&self, sums: &mut [f32]) {
        let members = self.members.max(1) as f32;
        sums.iter_mut().for_each(|sum| *sum /= members);
        match (self.head, self.calibration) {
            (Head::Value, _) => self.restore(sums),
            (_, None) => {}
            (_, Some(calibration)) => calibration.of_scores(sums),
        }
    }

    fn restore(&self, values: &mut [f32]) {
        let Some(target) = self.target else { return };
        for value in values {
            let restored = target.restore(f64::from(*value));
            *value = match target.range {
                Some([low, _]) if restored < low => low,
                Some([_, high]) if restored > high => high,
                _ => restored,
            } as f32;
        }
    }
}
