//! Reductions and elementwise loops: the bytes of plain loops, in every instruction set.

use glassnet_kernels::lanes::{self, Binary, Isa, Kernel, Ternary, Unary, vectorized_with};
use glassnet_kernels::{Real, reduce};

fn numbers<T: Real>(n: usize, seed: u64) -> Vec<T> {
    let mut state = seed;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            T::from_f64((state >> 11) as f64 / 2f64.powi(50) - 4.0)
        })
        .collect()
}

fn tree<T: Real>(x: &[T], start: T, add: impl Fn(T, T) -> T, join: impl Fn(T, T) -> T) -> T {
    let mut lanes = [start; 16];
    for (j, &x) in x.iter().enumerate() {
        lanes[j % 16] = add(lanes[j % 16], x);
    }
    for width in [8, 4, 2, 1] {
        for j in 0..width {
            lanes[j] = join(lanes[j], lanes[j + width]);
        }
    }
    lanes[0]
}

fn reductions_follow_the_tree<T: Real>() {
    for n in (0..70).chain([127, 128, 1000, 1001]) {
        let x = numbers::<T>(n, n as u64);
        let y = numbers::<T>(n, 99 + n as u64);
        let plus = |a: T, b: T| a + b;
        let bits = |x: T| x.to_f64().to_bits();
        assert_eq!(bits(reduce::sum(&x)), bits(tree(&x, T::ZERO, plus, plus)), "sum of {n}");
        let squares = tree(&x, T::ZERO, |a, b| b.mul_add(b, a), plus);
        assert_eq!(bits(reduce::sum_of_squares(&x)), bits(squares), "squares of {n}");
        let mut lanes = [T::ZERO; 16];
        for j in 0..n {
            lanes[j % 16] = x[j].mul_add(y[j], lanes[j % 16]);
        }
        let dot = tree(&lanes, T::ZERO, plus, plus);
        assert_eq!(bits(reduce::dot(&x, &y)), bits(dot), "dot of {n}");
        let largest = x.iter().fold(f64::NEG_INFINITY, |a, b| a.max(b.to_f64()));
        assert_eq!(reduce::max(&x).to_f64(), largest, "max of {n}");
        for place in 0..n.min(40) {
            let mut with_nan = x.clone();
            with_nan[place] = T::from_f64(f64::NAN);
            assert!(reduce::max(&with_nan).is_nan(), "a NaN at {place} of {n}");
        }
    }
}

#[test]
fn reductions_follow_the_tree_f32() {
    reductions_follow_the_tree::<f32>();
}

#[test]
fn reductions_follow_the_tree_f64() {
    reductions_follow_the_tree::<f64>();
}

#[derive(Clone, Copy)]
struct All;

impl<T: Real> Unary<T> for All {
    #[inline(always)]
    fn f(&self, x: T) -> T {
        x.exp() + x.exp_m1() * x.abs().ln() - x.abs().ln_1p() + x.tanh() - x.erf() / (T::ONE + x * x).sqrt()
    }
}

struct Loop<'a, T>(&'a [T], &'a mut [T]);

impl<T: Real> Kernel for Loop<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (o, &x) in self.1.iter_mut().zip(self.0) {
            *o = All.f(x);
        }
    }
}

fn same_bytes_in_every_instruction_set<T: Real>() {
    let x: Vec<T> = numbers::<T>(4001, 5).into_iter().map(|x| x * T::from_f64(3.0)).collect();
    let alone: Vec<u64> = x.iter().map(|&x| All.f(x).to_f64().to_bits()).collect();
    let bits = |out: &[T]| -> Vec<u64> { out.iter().map(|x| x.to_f64().to_bits()).collect() };
    for isa in Isa::ALL {
        let mut out = vec![T::ZERO; x.len()];
        vectorized_with(isa, Loop(&x, &mut out));
        assert!(bits(&out) == alone, "{isa:?}");
    }
    let mut out = vec![T::ZERO; x.len()];
    lanes::map(All, &x, &mut out);
    assert!(bits(&out) == alone);
    out.copy_from_slice(&x);
    lanes::map_in_place(All, &mut out);
    assert!(bits(&out) == alone);
}

#[test]
fn same_bytes_in_every_instruction_set_f32() {
    same_bytes_in_every_instruction_set::<f32>();
}

#[test]
fn same_bytes_in_every_instruction_set_f64() {
    same_bytes_in_every_instruction_set::<f64>();
}

#[derive(Clone, Copy)]
struct Scaled(f32);

impl Binary<f32> for Scaled {
    #[inline(always)]
    fn f(&self, a: f32, b: f32) -> f32 {
        b.mul_add(self.0, a)
    }
}

impl Ternary<f32> for Scaled {
    #[inline(always)]
    fn f(&self, a: f32, b: f32, c: f32) -> f32 {
        (b * c).mul_add(self.0, a)
    }
}

#[test]
fn loops_of_several_rows_are_elementwise() {
    let (a, b, start) = (numbers::<f32>(37, 1), numbers::<f32>(37, 2), numbers::<f32>(37, 3));
    let f = Scaled(0.3);
    let (mut two, mut up, mut up2) = (vec![0.0; 37], start.clone(), start.clone());
    lanes::map2(f, &a, &b, &mut two);
    lanes::update(f, &a, &mut up);
    lanes::update2(f, &a, &b, &mut up2);
    for i in 0..37 {
        assert_eq!(two[i], b[i].mul_add(0.3, a[i]));
        assert_eq!(up[i], a[i].mul_add(0.3, start[i]));
        assert_eq!(up2[i], (a[i] * b[i]).mul_add(0.3, start[i]));
    }
}
