//! The numbers that matrix products multiply.

use std::fmt;
use std::str::FromStr;

use glassnet_kernels::product::Finish;
use glassnet_kernels::{half, product};

use crate::Real;
use crate::ops::Context;

/// What the large matrix products of a plan multiply. Values, weights, gradients and sums are f32 either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// The type of computation, f32 or f64.
    #[default]
    F32,
    /// Operands rounded to bfloat16 (8 significant bits) as they are read, sums in f32: [`glassnet_kernels::half`]. Up to
    /// twice as fast where the processor multiplies bfloat16 itself; the same bytes, slowly, where it does not. It holds for
    /// linear layers, unembeddings, and the inputs and weight gradients of recurrent layers, forward and backward;
    /// convolutions, attention's scores and what a recurrent layer multiplies at each time step stay f32. A computation
    /// in f64 stays in f64.
    Bf16,
}

impl Precision {
    /// All of them.
    pub const ALL: [Precision; 2] = [Precision::F32, Precision::Bf16];

    /// Its name: `f32` or `bf16`.
    pub fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = String;

    /// The precision of a name, capital letters or not.
    fn from_str(name: &str) -> Result<Self, String> {
        let found = Precision::ALL.into_iter().find(|precision| precision.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| format!("there is no precision \"{name}\"; use f32 or bf16"))
    }
}

/// The products of linear maps, in the precision of the plan.
impl Context<'_> {
    /// `c[m,n] = a[m,k] b[n,k]^T`, then `finish` once on every row: [`product::product_nt`].
    #[allow(clippy::too_many_arguments)]
    pub fn product_nt<T: Real>(
        &self,
        m: usize,
        n: usize,
        k: usize,
        a: &[T],
        b: &[T],
        c: &mut [T],
        finish: Option<&Finish<'_, T>>,
    ) {
        if self.precision == Precision::Bf16
            && let (Some(a), Some(b)) = (T::as_f32(a), T::as_f32(b))
            && let Some(c) = T::as_f32_mut(c)
        {
            let own = |first: usize, rows: &mut [f32]| {
                if let (Some(finish), Some(rows)) = (finish, T::of_f32_mut(rows)) {
                    finish(first, rows);
                }
            };
            let finish: Option<&Finish<'_, f32>> = if finish.is_some() { Some(&own) } else { None };
            return half::product_nt(self.team, m, n, k, a, b, c, finish);
        }
        product::product_nt(self.team, m, n, k, a, b, c, finish);
    }

    /// `c[m,n] = a[m,k] b[k,n]`: [`product::product_nn`].
    pub fn product_nn<T: Real>(&self, m: usize, n: usize, k: usize, a: &[T], b: &[T], c: &mut [T]) {
        if self.precision == Precision::Bf16
            && let (Some(a), Some(b)) = (T::as_f32(a), T::as_f32(b))
            && let Some(c) = T::as_f32_mut(c)
        {
            return half::product_nn(self.team, m, n, k, a, b, c);
        }
        product::product_nn(self.team, m, n, k, a, b, c, false);
    }

    /// `c[m,n] += a[k,m]^T b[k,n]`, a sum over examples: [`product::product_tn`].
    pub fn product_tn<T: Real>(&self, m: usize, n: usize, k: usize, a: &[T], b: &[T], c: &mut [T]) {
        if self.precision == Precision::Bf16
            && let (Some(a), Some(b)) = (T::as_f32(a), T::as_f32(b))
            && let Some(c) = T::as_f32_mut(c)
        {
            return half::product_tn(self.team, m, n, k, a, b, c);
        }
        product::product_tn(self.team, m, n, k, a, b, c);
    }
}
