//! One way to run a loop with the processor's widest instructions: a [`Kernel`] is written once in plain Rust, its
//! `run` inlined into a copy for each instruction set, and the copy is chosen at run time. IEEE-exact primitives and
//! explicit fused multiply-adds give the same bytes in every copy.

use crate::Real;

/// A loop to be compiled for every instruction set. `run` must be `#[inline(always)]`.
pub trait Kernel {
    /// What it returns.
    type Output;
    /// The loop.
    fn run(self) -> Self::Output;
}

/// Runs a kernel with the widest instructions that the processor has.
pub fn vectorized<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

/// A function of one number; `f` must be `#[inline(always)]`.
pub trait Unary<T>: Copy + Sync {
    /// Its value.
    fn f(&self, x: T) -> T;
}

/// A function of two numbers; `f` must be `#[inline(always)]`.
pub trait Binary<T>: Copy + Sync {
    /// Its value.
    fn f(&self, a: T, b: T) -> T;
}

/// A function of three numbers; `f` must be `#[inline(always)]`.
pub trait Ternary<T>: Copy + Sync {
    /// Its value.
    fn f(&self, a: T, b: T, c: T) -> T;
}

/// `out[i] = f(x[i])`. Lengths must agree.
pub fn map<T: Real, F: Unary<T>>(f: F, x: &[T], out: &mut [T]) {
    for (o, &x) in out.iter_mut().zip(x) {
        *o = f.f(x);
    }
}

/// `x[i] = f(x[i])`.
pub fn map_in_place<T: Real, F: Unary<T>>(f: F, x: &mut [T]) {
    for x in x {
        *x = f.f(*x);
    }
}

/// `out[i] = f(a[i], b[i])`.
pub fn map2<T: Real, F: Binary<T>>(f: F, a: &[T], b: &[T], out: &mut [T]) {
    for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *o = f.f(a, b);
    }
}

/// `out[i] = f(out[i], a[i])`: accumulation, in-place scaling, ...
pub fn update<T: Real, F: Binary<T>>(f: F, a: &[T], out: &mut [T]) {
    for (o, &a) in out.iter_mut().zip(a) {
        *o = f.f(*o, a);
    }
}

/// `out[i] = f(out[i], a[i], b[i])`: an activation's backward, added to what is there.
pub fn update2<T: Real, F: Ternary<T>>(f: F, a: &[T], b: &[T], out: &mut [T]) {
    for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *o = f.f(*o, a, b);
    }
}
