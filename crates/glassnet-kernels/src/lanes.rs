//! One way to run a loop with the processor's widest instructions: a [`Kernel`] is written once in plain Rust, its
//! `run` inlined into a copy for each instruction set, and the copy is chosen at run time. IEEE-exact primitives and
//! explicit fused multiply-adds give the same bytes in every copy.

use crate::Real;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

/// The environment variable that chooses an instruction set: `scalar`, `avx2`, `avx512`, `neon` or `simd128`.
pub const ISA_VARIABLE: &str = "GLASSNET_ISA";

/// An instruction set that loops are compiled for. The results have the same bytes in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// What every processor of the family has; fused multiply-adds in software where it lacks them (slow).
    Scalar,
    /// x86-64 with AVX2 and FMA: 8 lanes of f32.
    Avx2,
    /// x86-64 with AVX-512 F, BW, DQ and VL: 16 lanes of f32.
    Avx512,
    /// aarch64: 4 lanes of f32.
    Neon,
    /// WebAssembly's SIMD128, in a module that was built with it: 2 lanes of f64, in which f32 is multiplied and added.
    Simd128,
}

impl Isa {
    /// Every instruction set.
    pub const ALL: [Isa; 5] = [Isa::Scalar, Isa::Avx2, Isa::Avx512, Isa::Neon, Isa::Simd128];

    /// The name, as in the environment variable.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
            Isa::Neon => "neon",
            Isa::Simd128 => "simd128",
        }
    }

    /// Whether this processor has it.
    pub fn available(self) -> bool {
        match self {
            Isa::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                Isa::Avx2.available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => true,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Isa::Simd128 => true,
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }

    pub(crate) fn widest() -> Self {
        [Isa::Avx512, Isa::Avx2, Isa::Neon, Isa::Simd128].into_iter().find(|isa| isa.available()).unwrap_or(Isa::Scalar)
    }

    fn named(name: &str) -> Result<Self, String> {
        let Some(isa) = Isa::ALL.into_iter().find(|isa| isa.name() == name) else {
            return Err(format!(
                "{ISA_VARIABLE}={name}: no such instruction set; use scalar, avx2, avx512, neon or simd128"
            ));
        };
        if !isa.available() {
            let widest = Isa::widest().name();
            return Err(format!("{ISA_VARIABLE}={name}: this processor has no {name}; its widest is {widest}"));
        }
        Ok(isa)
    }
}

fn chosen() -> &'static Result<Isa, String> {
    static CHOSEN: OnceLock<Result<Isa, String>> = OnceLock::new();
    CHOSEN.get_or_init(|| match std::env::var_os(ISA_VARIABLE) {
        None => Ok(Isa::widest()),
        Some(name) if name.is_empty() => Ok(Isa::widest()),
        Some(name) => Isa::named(&name.to_string_lossy()),
    })
}

/// The instruction set in use: what [`ISA_VARIABLE`] asks for, else the widest; looked up once. An error says what is
/// wrong with the variable (kernels then use the widest, so that a library never fails for it).
pub fn isa() -> Result<Isa, String> {
    chosen().clone()
}

/// The number in [`Isa::ALL`] of the instruction set in use; past its end until it is looked up.
static CURRENT: AtomicU8 = AtomicU8::new(u8::MAX);

/// The instruction set in use, without the question whether the variable was right: one load, as every loop asks for it.
#[inline]
pub(crate) fn current() -> Isa {
    // The value is the same whoever stores it, so no ordering is needed.
    match CURRENT.load(Ordering::Relaxed) {
        number if usize::from(number) < Isa::ALL.len() => Isa::ALL[usize::from(number)],
        _ => look_up(),
    }
}

#[cold]
fn look_up() -> Isa {
    let isa = chosen().clone().unwrap_or_else(|_| Isa::widest());
    let number = Isa::ALL.iter().position(|&known| known == isa).unwrap_or(0);
    CURRENT.store(number as u8, Ordering::Relaxed);
    isa
}

/// A loop to be compiled for every instruction set. `run` must be `#[inline(always)]`.
pub trait Kernel {
    /// What it returns.
    type Output;
    /// The loop.
    fn run(self) -> Self::Output;
}

/// Runs a kernel with the widest instructions that the processor has.
#[inline]
pub fn vectorized<K: Kernel>(kernel: K) -> K::Output {
    dispatch(current(), kernel)
}

/// Runs a kernel with the instructions of `isa`, or with scalar ones where the processor lacks it. For tests and
/// measurements; the bytes are the same.
pub fn vectorized_with<K: Kernel>(isa: Isa, kernel: K) -> K::Output {
    dispatch(if isa.available() { isa } else { Isa::Scalar }, kernel)
}

/// `isa` must be available.
#[inline(always)]
fn dispatch<K: Kernel>(isa: Isa, kernel: K) -> K::Output {
    match isa {
        // SAFETY: the caller has found AVX-512 F, BW, DQ, VL, AVX2 and FMA on this processor.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { run_avx512(kernel) },
        // SAFETY: the caller has found AVX2 and FMA on this processor.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { run_avx2(kernel) },
        _ => kernel.run(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
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

struct Map<'a, T, F> {
    f: F,
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: Real, F: Unary<T>> Kernel for Map<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (o, &x) in self.out.iter_mut().zip(self.x) {
            *o = self.f.f(x);
        }
    }
}

/// `out[i] = f(x[i])`. Lengths must agree; where they do not, a debug build panics and a release build stops at the
/// shorter one. The same holds for the others here.
pub fn map<T: Real, F: Unary<T>>(f: F, x: &[T], out: &mut [T]) {
    debug_assert_eq!(x.len(), out.len());
    vectorized(Map { f, x, out });
}

struct MapInPlace<'a, T, F> {
    f: F,
    x: &'a mut [T],
}

impl<T: Real, F: Unary<T>> Kernel for MapInPlace<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for x in self.x {
            *x = self.f.f(*x);
        }
    }
}

/// `x[i] = f(x[i])`.
pub fn map_in_place<T: Real, F: Unary<T>>(f: F, x: &mut [T]) {
    vectorized(MapInPlace { f, x });
}

struct Map2<'a, T, F> {
    f: F,
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
}

impl<T: Real, F: Binary<T>> Kernel for Map2<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for ((o, &a), &b) in self.out.iter_mut().zip(self.a).zip(self.b) {
            *o = self.f.f(a, b);
        }
    }
}

/// `out[i] = f(a[i], b[i])`.
pub fn map2<T: Real, F: Binary<T>>(f: F, a: &[T], b: &[T], out: &mut [T]) {
    debug_assert_eq!(a.len(), out.len());
    debug_assert_eq!(b.len(), out.len());
    vectorized(Map2 { f, a, b, out });
}

struct Update<'a, T, F> {
    f: F,
    a: &'a [T],
    out: &'a mut [T],
}

impl<T: Real, F: Binary<T>> Kernel for Update<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (o, &a) in self.out.iter_mut().zip(self.a) {
            *o = self.f.f(*o, a);
        }
    }
}

/// `out[i] = f(out[i], a[i])`: accumulation, in-place scaling, ...
pub fn update<T: Real, F: Binary<T>>(f: F, a: &[T], out: &mut [T]) {
    debug_assert_eq!(a.len(), out.len());
    vectorized(Update { f, a, out });
}

struct Update2<'a, T, F> {
    f: F,
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
}

impl<T: Real, F: Ternary<T>> Kernel for Update2<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for ((o, &a), &b) in self.out.iter_mut().zip(self.a).zip(self.b) {
            *o = self.f.f(*o, a, b);
        }
    }
}

/// `out[i] = f(out[i], a[i], b[i])`: an activation's backward, added to what is there.
pub fn update2<T: Real, F: Ternary<T>>(f: F, a: &[T], b: &[T], out: &mut [T]) {
    debug_assert_eq!(a.len(), out.len());
    debug_assert_eq!(b.len(), out.len());
    vectorized(Update2 { f, a, b, out });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impossible_instruction_set_is_named_and_the_choices_given() {
        assert_eq!(
            Isa::named("sse9").unwrap_err(),
            "GLASSNET_ISA=sse9: no such instruction set; use scalar, avx2, avx512, neon or simd128"
        );
        let foreign = if cfg!(target_arch = "aarch64") { Isa::Avx2 } else { Isa::Neon };
        assert!(Isa::named(foreign.name()).unwrap_err().contains("this processor has no"));
        assert_eq!(Isa::named("scalar"), Ok(Isa::Scalar));
    }
}
