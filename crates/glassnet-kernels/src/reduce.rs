//! Reductions along a row: element j goes to lane j mod 16, lanes are joined by the tree 8-4-2-1.

use crate::Real;

/// Number of lanes.
pub const LANES: usize = 16;

fn lanes<T: Real>(x: &[T], start: T, f: impl Fn(T, T) -> T, join: impl Fn(T, T) -> T) -> T {
    let mut lanes = [start; LANES];
    for chunk in x.chunks(LANES) {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = f(*lane, x);
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for j in 0..width {
            lanes[j] = join(lanes[j], lanes[j + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// Sum of a row.
pub fn sum<T: Real>(x: &[T]) -> T {
    lanes(x, T::ZERO, |a, b| a + b, |a, b| a + b)
}

/// Sum of squares of a row.
pub fn sum_of_squares<T: Real>(x: &[T]) -> T {
    lanes(x, T::ZERO, |a, b| b.mul_add(b, a), |a, b| a + b)
}

/// Dot product of two rows of equal length.
pub fn dot<T: Real>(x: &[T], y: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    for (a, b) in x.chunks(LANES).zip(y.chunks(LANES)) {
        for ((lane, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
            *lane = a.mul_add(b, *lane);
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for j in 0..width {
            lanes[j] += lanes[j + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// Largest element of a row; NaN if the row holds one; -inf for an empty row.
pub fn max<T: Real>(x: &[T]) -> T {
    let larger = |a: T, b: T| if b > a || b.is_nan() { b } else { a };
    lanes(x, T::from_f64(f64::NEG_INFINITY), larger, larger)
}
