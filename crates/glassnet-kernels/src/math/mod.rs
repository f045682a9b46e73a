//! glassnet's own elementary functions, written from IEEE-exact primitives only (add, multiply, fused multiply-add,
//! divide, compare-select, bits), so that every processor gives the same bytes.
//!
//! The functions that loops use (exp, ln, tanh, erf and their kin) have no branch and no table, so that a loop over
//! them vectorises. Coefficients come from `tests/vectors/coefficients.py`; the stated bounds are checked in ulp by
//! `tests/math.rs` against exact values.

/// The polynomial c0 + x (c1 + x (c2 + ...)), one fused multiply-add a term.
macro_rules! poly {
    ($x:expr; $c:expr) => { $c };
    ($x:expr; $c:expr, $($rest:expr),+) => { crate::Real::mul_add(poly!($x; $($rest),+), $x, $c) };
}

pub(crate) mod erf;
pub(crate) mod exp;
pub(crate) mod ln;
pub(crate) mod pow;
pub(crate) mod tanh;
pub(crate) mod trig;
