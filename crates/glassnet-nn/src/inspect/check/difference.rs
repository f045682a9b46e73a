//! The finite difference of one parameter.

use glassnet_core::{Runner, StepInfo};

use super::kinks::Kinks;
use super::{CheckOptions, relative_error};
use crate::network::Network;

/// Steps that are tried, as factors of the first: smaller ones for kinks and curvature, a larger one for rounding.
const FACTORS: [f64; 5] = [1.0, 0.1, 0.01, 10.0, 1e-3];

/// One parameter compared.
pub(super) enum Compared {
    /// The point lies on a kink: there is no derivative.
    OnKink,
    /// Both gradients.
    Difference {
        /// By finite differences.
        numeric: f64,
        /// The relative error.
        error: f64,
        /// Whether a unit changes sides beside the point.
        near_kink: bool,
    },
}

/// The loss as a function of one parameter at a time.
pub(super) struct Differences<'a> {
    runner: Runner<f64>,
    info: StepInfo,
    parameters: Vec<f64>,
    mean: Option<glassnet_core::NodeId>,
    kinks: Kinks,
    loss: f64,
    options: &'a CheckOptions,
}

impl<'a> Differences<'a> {
    pub fn new(
        network: &Network,
        runner: Runner<f64>,
        info: StepInfo,
        parameters: &[f64],
        options: &'a CheckOptions,
    ) -> Self {
        let mean = network.objective.as_ref().map(|objective| objective.lowered().1);
        let kinks = Kinks::of(network, parameters);
        let mut differences =
            Differences { runner, info, parameters: parameters.to_vec(), mean, kinks, loss: 0.0, options };
        differences.loss = differences.forward();
        differences.kinks.remember(&differences.runner);
        differences
    }

    /// The loss at the point itself.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    fn forward(&mut self) -> f64 {
        self.runner.forward(&self.parameters, &self.info);
        let value = self.mean.and_then(|mean| self.runner.value(mean)).and_then(|mean| mean.first());
        value.copied().unwrap_or(f64::NAN)
    }

    /// The loss with parameter `place` at `value`, and whether every unit stays on its side of its kinks.
    fn at(&mut self, place: usize, value: f64) -> (f64, bool) {
        let kept = std::mem::replace(&mut self.parameters[place], value);
        let loss = self.forward();
        self.parameters[place] = kept;
        (loss, self.kinks.same_sides(&self.runner))
    }

    pub fn compare(&mut self, place: usize, analytic: f64) -> Compared {
        let w = self.parameters[place];
        let mut best: Option<(f64, f64)> = None;
        let (mut crossed, mut clean) = (false, false);
        for factor in FACTORS {
            let h = self.options.step * factor * w.abs().max(1.0);
            let (above, below) = (w + h, w - h);
            let ((up, up_same), (down, down_same)) = (self.at(place, above), self.at(place, below));
            // Divided by what w really moves by, after rounding.
            let numeric = (up - down) / (above - below);
            if !(up_same && down_same) {
                // Never taken, even where it agrees: it is a mean of two slopes, which half a gradient may equal.
                crossed = true;
                continue;
            }
            let error = self.error(analytic, numeric, h, clean);
            clean = true;
            if best.is_none_or(|(_, least)| error < least) {
                best = Some((numeric, error));
            }
            if error <= self.options.tolerance {
                break;
            }
        }
        if !clean {
            return self.one_sided(place, analytic);
        }
        let (numeric, error) = best.unwrap_or((f64::NAN, f64::INFINITY));
        Compared::Difference { numeric, error, near_kink: crossed }
    }

    /// The relative error. Where kinks leave only a small step, differences below what rounding makes of the loss at that
    /// step cannot be told from 0; where a larger step was `measured` already there is no such excuse.
    fn error(&self, analytic: f64, numeric: f64, h: f64, measured: bool) -> f64 {
        let loss = self.loss.abs().max(1.0);
        let rounding = 8.0 * f64::EPSILON * loss / h.abs();
        let floor = if measured { 0.0 } else { rounding / self.options.tolerance };
        relative_error(analytic, numeric, floor.max(1e-4 * loss))
    }

    /// `(-3 L(w) + 4 L(w + h) - L(w + 2h)) / 2h` on a side where no unit changes sides: exact to h^2, as the central one.
    fn one_sided(&mut self, place: usize, analytic: f64) -> Compared {
        let w = self.parameters[place];
        let mut best: Option<(f64, f64)> = None;
        for factor in FACTORS {
            for sign in [1.0, -1.0] {
                let h = sign * self.options.step * factor * w.abs().max(1.0);
                let (near, far) = (w + h, w + 2.0 * h);
                let ((first, first_same), (second, second_same)) = (self.at(place, near), self.at(place, far));
                if !(first_same && second_same) {
                    continue;
                }
                let numeric = (4.0 * first - 3.0 * self.loss - second) / (far - w);
                let error = self.error(analytic, numeric, h, best.is_some());
                if best.is_none_or(|(_, least)| error < least) {
                    best = Some((numeric, error));
                }
            }
        }
        match best {
            Some((numeric, error)) => Compared::Difference { numeric, error, near_kink: true },
            None => Compared::OnKink,
        }
    }
}
