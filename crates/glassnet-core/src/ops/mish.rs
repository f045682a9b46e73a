//! Mish: `y = z tanh(softplus(z))`.
//!
//! With `e = exp(z)` and `n = e (e + 2)`, `tanh(ln(1 + e)) = n / (n + 2)`: one exponential. Above 20 it is the identity in
//! f32 and differs from it by less than 4e-17 relative in f64. Derivative: `t + z (1 - t^2) s(z)`, `t = n / (n + 2)`; as
//! `1 - t^2 = 4 (n + 1) / (n + 2)^2`, `n + 1 = (1 + e)^2` and `s(z) = e / (1 + e)`, it needs the same exponential and division
//! alone: `n q + z 4 e (1 + e) q^2`, `q = 1 / (n + 2)`. Above 20 it is 1.
//! Source: Misra 2019.

use super::curve::{Curve, From};
use super::{Card, Family};
use crate::Real;

/// Above this the curve is the identity.
const IDENTITY: f64 = 20.0;

/// e and n, as the formula has them; those of 20 above 20.
#[inline(always)]
fn parts<T: Real>(z: T) -> (T, T) {
    let ceiling = T::from_f64(IDENTITY);
    let e = (if z > ceiling { ceiling } else { z }).exp();
    (e, e * (e + T::from_f64(2.0)))
}

/// y = z tanh(softplus(z))
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mish;

impl Curve for Mish {
    fn card(self) -> Card {
        Card {
            name: "mish",
            family: Family::Activation,
            formula: "y = z tanh(softplus(z))",
            derivative: "t + z (1 - t^2) s(z), t = tanh(softplus(z))",
            range: "[-0.30884, inf)",
            used: "regression on tables; vision",
            source: "Misra 2019",
        }
    }

    fn from(self) -> From {
        From::Input
    }

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        let (_, n) = parts(z);
        z * (n / (n + T::from_f64(2.0)))
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        self.both(z).1
    }

    #[inline(always)]
    fn both<T: Real>(self, z: T) -> (T, T) {
        let (e, n) = parts(z);
        let below = n + T::from_f64(2.0);
        let inverse = T::ONE / below;
        let slope = T::from_f64(4.0) * e * (T::ONE + e) * inverse * inverse;
        let derivative = z.mul_add(slope, n * inverse);
        (z * (n / below), if z > T::from_f64(IDENTITY) { T::ONE } else { derivative })
    }

    fn textbook(self, z: f64) -> f64 {
        z * Real::tanh(Real::ln(1.0 + Real::exp(z)))
    }

    fn flops(self) -> u64 {
        17
    }

    fn instances() -> Vec<Self> {
        vec![Mish]
    }
}
