//! Reductions along a row: element j goes to lane j mod 16, lanes are joined by the tree 8-4-2-1.

use crate::Real;
use crate::lanes::{Kernel, vectorized};

/// Number of lanes.
pub const LANES: usize = 16;

/// What a lane gathers from up to two elements, and how two lanes are joined.
trait Gather<T>: Copy {
    fn start(self) -> T;
    fn add(self, lane: T, x: T, y: T) -> T;
    fn join(self, a: T, b: T) -> T;
}

struct Row<'a, T, G> {
    gather: G,
    x: &'a [T],
    /// The second row of a dot product; `x` again where there is none.
    y: &'a [T],
}

impl<T: Real, G: Gather<T>> Kernel for Row<'_, T, G> {
    type Output = T;
    #[inline(always)]
    fn run(self) -> T {
        let gather = self.gather;
        let mut lanes = [gather.start(); LANES];
        let (xs, x_rest) = self.x.as_chunks::<LANES>();
        let (ys, y_rest) = self.y.as_chunks::<LANES>();
        for (x, y) in xs.iter().zip(ys) {
            for j in 0..LANES {
                lanes[j] = gather.add(lanes[j], x[j], y[j]);
            }
        }
        for ((lane, &x), &y) in lanes.iter_mut().zip(x_rest).zip(y_rest) {
            *lane = gather.add(*lane, x, y);
        }
        let mut width = LANES / 2;
        while width > 0 {
            for j in 0..width {
                lanes[j] = gather.join(lanes[j], lanes[j + width]);
            }
            width /= 2;
        }
        lanes[0]
    }
}

#[derive(Clone, Copy)]
struct Sum;

impl<T: Real> Gather<T> for Sum {
    #[inline(always)]
    fn start(self) -> T {
        T::ZERO
    }
    #[inline(always)]
    fn add(self, lane: T, x: T, _y: T) -> T {
        lane + x
    }
    #[inline(always)]
    fn join(self, a: T, b: T) -> T {
        a + b
    }
}

#[derive(Clone, Copy)]
struct Products;

impl<T: Real> Gather<T> for Products {
    #[inline(always)]
    fn start(self) -> T {
        T::ZERO
    }
    #[inline(always)]
    fn add(self, lane: T, x: T, y: T) -> T {
        x.mul_add(y, lane)
    }
    #[inline(always)]
    fn join(self, a: T, b: T) -> T {
        a + b
    }
}

#[derive(Clone, Copy)]
struct Max;

impl<T: Real> Gather<T> for Max {
    #[inline(always)]
    fn start(self) -> T {
        T::from_f64(f64::NEG_INFINITY)
    }
    #[inline(always)]
    fn add(self, lane: T, x: T, _y: T) -> T {
        self.join(lane, x)
    }
    #[inline(always)]
    fn join(self, a: T, b: T) -> T {
        // Once a lane is NaN, nothing is larger, so it stays.
        if b > a || b.is_nan() { b } else { a }
    }
}

/// Sum of a row.
pub fn sum<T: Real>(x: &[T]) -> T {
    vectorized(Row { gather: Sum, x, y: x })
}

/// Sum of squares of a row.
pub fn sum_of_squares<T: Real>(x: &[T]) -> T {
    vectorized(Row { gather: Products, x, y: x })
}

/// Dot product of two rows of equal length.
pub fn dot<T: Real>(x: &[T], y: &[T]) -> T {
    debug_assert_eq!(x.len(), y.len());
    let len = x.len().min(y.len());
    vectorized(Row { gather: Products, x: &x[..len], y: &y[..len] })
}

/// Largest element of a row; NaN if the row holds one; -inf for an empty row.
pub fn max<T: Real>(x: &[T]) -> T {
    vectorized(Row { gather: Max, x, y: x })
}

/// As [`max`], to be inlined in a [`Kernel`] that goes over many rows: the same bytes.
#[inline(always)]
pub fn max_inlined<T: Real>(x: &[T]) -> T {
    Row { gather: Max, x, y: x }.run()
}
