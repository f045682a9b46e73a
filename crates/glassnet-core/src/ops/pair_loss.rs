//! Elementwise losses: one function of output and target, averaged over the outputs of a row. A loss's file holds the
//! function and its derivative; shapes, loops, backward and reference are the same for all and stand here.
//!
//! Shapes: `y [B, K]`, `t [B, K]`, `l [B]`. `l_i = (1/K) sum_k term(y_k, t_k)`, `dy_k = g_i slope(y_k, t_k) / K`. Outputs of several
//! members, `y [B, M, K]` with `t [B, K]`, are each compared with the row's targets; the loss is the mean over members and outputs.

use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// A loss of one output and its derivative with respect to the output.
pub trait PairLoss: Copy + PartialEq + std::fmt::Debug + Send + Sync {
    /// What the guide says.
    fn card(self) -> Card;
    /// Loss of one output.
    fn term<T: Real>(self, y: T, t: T) -> T;
    /// Its derivative with respect to `y`.
    fn slope<T: Real>(self, y: T, t: T) -> T;
    /// The loss by the textbook formula.
    fn textbook(self, y: f64, t: f64) -> f64;
    /// Floating-point operations of one output, forward and backward.
    fn flops(self) -> Cost;
    /// Whether its numbers can be used.
    ///
    /// # Errors
    /// What is out of range.
    fn check(self) -> Result<(), String> {
        Ok(())
    }
    /// Instances to test.
    fn instances() -> Vec<Self>;
    /// Where the derivative jumps, as a difference y - t.
    fn kinks(self) -> Vec<f64> {
        Vec::new()
    }
    /// Where the tests draw targets from.
    fn targets() -> (f64, f64) {
        (-3.0, 3.0)
    }
}

/// Everything of [`Operation`] but the card follows from [`PairLoss`]. (A second blanket implementation beside that of
/// the curves is not allowed by the language, so each loss names itself.)
macro_rules! pair_loss {
    ($($loss:ty),* $(,)?) => {$(
        impl Operation for $loss {
            fn card(&self) -> Card {
                PairLoss::card(*self)
            }

            fn arity(&self) -> usize {
                2
            }

            fn differentiable(&self, index: usize) -> bool {
                index == 0
            }

            fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
                PairLoss::check(*self)?;
                super::regression_shape(PairLoss::card(*self).name, inputs)
            }

            fn needs(&self, _inputs: &[&Shape]) -> Needs {
                Needs { inputs: true, ..Needs::default() }
            }

            fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
                let (one, outputs) = (self.flops(), inputs[0].len() as u64);
                Cost { forward: one.forward * outputs, backward: one.backward * outputs }
            }

            fn forward<T: Real>(&self, io: Forward<'_, T>) {
                forward(*self, io);
            }

            fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
                backward(*self, io);
            }

            fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
                reference(*self, operands)
            }

            fn samples() -> Vec<Sample<Self>> {
                samples()
            }
        }
    )*};
}

pair_loss!(
    super::mean_squared::MeanSquared,
    super::mean_absolute::MeanAbsolute,
    super::huber::Huber,
    super::binary_cross_entropy::BinaryCrossEntropy,
);

/// What a loss's card has in common with the others'.
pub(super) fn card(
    name: &'static str,
    formula: &'static str,
    derivative: &'static str,
    used: &'static str,
    source: &'static str,
) -> Card {
    Card { name, family: Family::Loss, formula, derivative, range: "[0, inf)", used, source }
}

fn forward<T: Real>(loss: impl PairLoss, io: Forward<'_, T>) {
    let outputs = (io.inputs[0].len() / io.rows.max(1)).max(1);
    let targets = (io.inputs[1].len() / io.rows.max(1)).max(1);
    let rows = io.inputs[0].chunks(outputs).zip(io.inputs[1].chunks(targets));
    for (value, (y, t)) in io.output.iter_mut().zip(rows) {
        let mut sum = T::ZERO;
        for y in y.chunks(targets) {
            for (&y, &t) in y.iter().zip(t) {
                sum += loss.term(y, t);
            }
        }
        *value = sum / T::from_f64(outputs as f64);
    }
}

fn backward<T: Real>(loss: impl PairLoss, io: Backward<'_, '_, T>) {
    let Some(gradient) = &mut io.input_gradients[0] else { return };
    let outputs = (io.inputs[0].len() / io.rows.max(1)).max(1);
    let targets = (io.inputs[1].len() / io.rows.max(1)).max(1);
    let rows = io.inputs[0].chunks(outputs).zip(io.inputs[1].chunks(targets));
    for ((gradient, (y, t)), &upstream) in gradient.chunks_mut(outputs).zip(rows).zip(io.upstream) {
        let upstream = upstream / T::from_f64(outputs as f64);
        for (gradient, y) in gradient.chunks_mut(targets).zip(y.chunks(targets)) {
            for ((gradient, &y), &t) in gradient.iter_mut().zip(y).zip(t) {
                *gradient = upstream * loss.slope(y, t);
            }
        }
    }
}

fn reference(loss: impl PairLoss, operands: &Operands<'_>) -> Vec<f64> {
    let outputs = operands.inputs[0].len() / operands.rows;
    let rows =
        operands.inputs[0].chunks(outputs).zip(operands.inputs[1].chunks(operands.inputs[1].len() / operands.rows));
    let row =
        |(y, t): (&[f64], &[f64])| y.iter().zip(t.iter().cycle()).map(|(&y, &t)| loss.textbook(y, t)).sum::<f64>();
    rows.map(|pair| row(pair) / outputs as f64).collect()
}

fn samples<L: PairLoss>() -> Vec<Sample<L>> {
    let (low, high) = L::targets();
    let sample = |loss: L, (rows, width): (usize, usize)| {
        Sample::new(loss, rows, [Shape::row(width), Shape::row(width)]).domain(1, low, high).kinks(&loss.kinks())
    };
    let shapes = [(1, 1), (3, 7), (5, 2)];
    // Of members: a kink is kept away from where there is one output for each target only.
    let members = |loss: L| {
        let shapes = [(1, [4, 1]), (3, [2, 3])];
        let sample = |(rows, [members, width]): (usize, [usize; 2])| {
            Sample::new(loss, rows, [Shape::from([members, width]), Shape::row(width)]).domain(1, low, high)
        };
        if loss.kinks().is_empty() { shapes.map(sample).to_vec() } else { Vec::new() }
    };
    let all = |loss: L| shapes.map(|shape| sample(loss, shape)).into_iter().chain(members(loss)).collect::<Vec<_>>();
    L::instances().into_iter().flat_map(all).collect()
}
