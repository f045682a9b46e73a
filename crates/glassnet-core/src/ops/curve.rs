//! Curves: operations that apply one function to each element. A curve's file holds the function and its derivative;
//! everything else (shapes, loops, backward) is the same for all and stands here.

use glassnet_kernels::lanes::{self, Binary, Unary};

use super::{Backward, Card, Cost, Forward, Needs, Operands, Operation, Sample, same_shape};
use crate::Real;
use crate::shape::Shape;

/// What a curve's derivative is computed from. From the output is cheaper: the input need not be kept, so the plan can
/// fuse the curve into the linear layer before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The input z.
    Input,
    /// The output y = f(z).
    Output,
    /// Nothing: the derivative is 0 everywhere.
    Nothing,
}

/// A function of one number and its derivative.
pub trait Curve: Copy + PartialEq + std::fmt::Debug + Send + Sync {
    /// What the guide says.
    fn card(self) -> Card;
    /// What [`Curve::derivative`] takes.
    fn from(self) -> From;
    /// f(z).
    fn value<T: Real>(self, z: T) -> T;
    /// f'(z), given z or f(z) as [`Curve::from`] says.
    fn derivative<T: Real>(self, known: T) -> T;
    /// f(z) and f'(z), given z.
    #[inline(always)]
    fn both<T: Real>(self, z: T) -> (T, T) {
        let value = self.value(z);
        let derivative = match self.from() {
            From::Input => self.derivative(z),
            From::Output => self.derivative(value),
            From::Nothing => T::ZERO,
        };
        (value, derivative)
    }
    /// f(z) by the textbook formula.
    fn textbook(self, z: f64) -> f64;
    /// Floating-point operations of one element.
    fn flops(self) -> u64;
    /// Where the derivative jumps.
    fn kinks(self) -> &'static [f64] {
        &[]
    }
    /// Whether its attributes are in range.
    ///
    /// # Errors
    /// A sentence that says what the attribute is and what it may be.
    fn check(self) -> Result<(), String> {
        Ok(())
    }
    /// Instances to test.
    fn instances() -> Vec<Self>;
}

/// Elements that are worth a thread: the cheapest curve takes a microsecond or two for them.
const PART: usize = 1 << 15;

#[derive(Clone, Copy)]
struct Value<C>(C);

impl<T: Real, C: Curve> Unary<T> for Value<C> {
    #[inline(always)]
    fn f(&self, z: T) -> T {
        self.0.value(z)
    }
}

#[derive(Clone, Copy)]
struct Chain<C>(C);

impl<T: Real, C: Curve> Binary<T> for Chain<C> {
    /// upstream * f'
    #[inline(always)]
    fn f(&self, upstream: T, known: T) -> T {
        upstream * self.0.derivative(known)
    }
}

/// Applies a curve to each element in place: the fused form, after a linear layer's bias.
pub fn apply_in_place<T: Real, C: Curve>(curve: C, z: &mut [T]) {
    lanes::map_in_place(Value(curve), z);
}

impl<C: Curve> Operation for C {
    fn card(&self) -> Card {
        Curve::card(*self)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        self.check()?;
        same_shape(Curve::card(*self).name, inputs)
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        let from = Curve::from(*self);
        Needs { inputs: from == From::Input, output: from == From::Output, saved: 0 }
    }

    fn differentiable(&self, _index: usize) -> bool {
        Curve::from(*self) != From::Nothing
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        let elements = output.len() as u64;
        Cost { forward: elements * self.flops(), backward: elements * (self.flops() + 1) }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let z = io.inputs[0];
        io.context.team.split_rows(io.output, 1, PART, &|first, y| {
            lanes::map(Value(*self), &z[first..first + y.len()], y);
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Some(gradient) = &mut io.input_gradients[0] else { return };
        let known = match Curve::from(*self) {
            From::Input => io.inputs[0],
            From::Output => io.output,
            From::Nothing => return gradient.fill(T::ZERO),
        };
        let upstream = io.upstream;
        io.context.team.split_rows(gradient, 1, PART, &|first, gradient| {
            let part = first..first + gradient.len();
            lanes::map2(Chain(*self), &upstream[part.clone()], &known[part], gradient);
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        operands.inputs[0].iter().map(|&z| self.textbook(z)).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        C::instances()
            .into_iter()
            .flat_map(|curve| {
                [(1, 1), (3, 7), (5, 33)].map(|(rows, width)| {
                    Sample::new(curve, rows, [Shape::row(width)]).domain(0, -5.0, 5.0).kinks(curve.kinks())
                })
            })
            .collect()
    }
}
