//! The elementary functions against exact values: f64 against `vectors/f64.txt` (made by `vectors/make_vectors.py`) and
//! the libm crate, f32 against f64 functions over all of f32 in strides.

use glassnet_kernels::Real;

type F64 = fn(f64) -> f64;
type F32 = fn(f32) -> f32;

const F64S: [(&str, F64, f64); 8] = [
    ("exp", Real::exp, 1.1),
    ("exp_m1", Real::exp_m1, 2.0),
    ("ln", Real::ln, 1.0),
    ("ln_1p", Real::ln_1p, 1.5),
    ("tanh", Real::tanh, 1.5),
    ("erf", Real::erf, 1.5),
    ("sin", Real::sin, 1.0),
    ("cos", Real::cos, 1.0),
];

/// The distance from `exact` to its neighbour away from zero.
fn ulp64(exact: f64) -> f64 {
    let size = exact.abs();
    (f64::from_bits(size.to_bits() + 1) - size).max(f64::from_bits(1))
}

fn ulp32(exact: f64) -> f64 {
    let size = (exact.abs() as f32).min(f32::MAX);
    let size = if size as f64 > exact.abs() { f32::from_bits(size.to_bits() - 1) } else { size };
    if size == f32::MAX { 2f64.powi(104) } else { f32::from_bits(size.to_bits() + 1) as f64 - size as f64 }
}

#[test]
fn f64_functions_keep_their_bounds_against_exact_values() {
    let mut worst = std::collections::BTreeMap::<String, (f64, usize)>::new();
    for line in include_str!("vectors/f64.txt").lines() {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap();
        let numbers: Vec<f64> = words.map(|w| f64::from_bits(u64::from_str_radix(w, 16).unwrap())).collect();
        let (y, bound) = match F64S.iter().find(|f| f.0 == name) {
            Some(&(_, f, bound)) => (f(numbers[0]), bound),
            None => (Real::pow(numbers[0], numbers[1]), 1.5),
        };
        let (high, low) = (numbers[numbers.len() - 2], numbers[numbers.len() - 1]);
        let error = ((y - high) - low).abs() / ulp64(high);
        assert!(error <= bound, "{line}: {y} is {error} ulp off");
        let entry = worst.entry(name.to_string()).or_default();
        *entry = (entry.0.max(error), entry.1 + 1);
    }
    for (name, (error, count)) in &worst {
        println!("{name}: worst of {count} is {error:.3} ulp");
    }
    assert_eq!(worst.len(), 9);
}

#[test]
fn f64_functions_agree_with_libm_on_many_points() {
    let oracles: [F64; 8] =
        [libm::exp, libm::expm1, libm::log, libm::log1p, libm::tanh, libm::erf, libm::sin, libm::cos];
    let mut state = 1u64;
    for (&(name, f, bound), oracle) in F64S.iter().zip(oracles) {
        for i in 0..200_000 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let unit = (state >> 11) as f64 / 9007199254740992.0;
            let x = match i % 4 {
                0 => 4.0 * unit - 2.0,
                1 => 60.0 * unit - 30.0,
                2 => 1400.0 * unit - 700.0,
                _ => f64::from_bits(state),
            };
            let (y, expected) = (f(x), oracle(x));
            if expected.is_nan() {
                assert!(y.is_nan(), "{name}({x:e}) = {y}");
            } else if expected.is_infinite() {
                assert_eq!(y, expected, "{name}({x:e})");
            } else {
                // libm's own functions are within 1 ulp (1.5 for tanh).
                let error = (y - expected).abs() / ulp64(expected);
                assert!(error <= bound + 1.5, "{name}({x:e}) = {y:e}, libm {expected:e}: {error} ulp");
            }
        }
    }
}

#[test]
fn f32_functions_keep_their_bounds_over_all_of_f32() {
    let all: [(&str, F32, F64, f64); 8] = [
        ("exp", Real::exp, libm::exp, 1.1),
        ("exp_m1", Real::exp_m1, libm::expm1, 2.0),
        ("ln", Real::ln, libm::log, 1.0),
        ("ln_1p", Real::ln_1p, libm::log1p, 1.5),
        ("tanh", Real::tanh, libm::tanh, 1.5),
        ("erf", Real::erf, libm::erf, 1.5),
        ("sin", Real::sin, libm::sin, 1.0),
        ("cos", Real::cos, libm::cos, 1.0),
    ];
    for (name, f, oracle, bound) in all {
        let (mut worst, mut worst_at) = (0.0, 0.0);
        let mut bits = 0u32;
        loop {
            let x = f32::from_bits(bits);
            let (y, exact) = (f(x), oracle(x as f64));
            if exact.is_nan() {
                assert!(y.is_nan(), "{name}({x:e}) = {y}");
            } else if exact.is_infinite() || exact.abs() >= 3.4028235677973366e38 {
                assert_eq!(y as f64, exact.signum() * f64::INFINITY, "{name}({x:e})");
            } else {
                let y = if y.is_infinite() { y.signum() as f64 * 2f64.powi(128) } else { y as f64 };
                let error = (y - exact).abs() / ulp32(exact);
                if error > worst {
                    (worst, worst_at) = (error, x);
                }
            }
            match bits.checked_add(2003) {
                Some(next) => bits = next,
                None => break,
            }
        }
        println!("{name}: worst {worst:.3} ulp at {worst_at:e}");
        let bound = if name == "exp" { bound + 0.5 } else { bound };
        assert!(worst <= bound, "{name}({worst_at:e}) is {worst} ulp off");
    }
}

fn exact_cases<T: Real>(max: f64, tiny: f64) {
    let t = T::from_f64;
    let same = |a: T, b: f64, what: &str| {
        assert!(a.to_f64() == b && a.to_f64().is_sign_negative() == b.is_sign_negative(), "{what}: {a} is not {b}")
    };
    let inf = f64::INFINITY;
    for f in [T::exp, T::exp_m1, T::ln, T::ln_1p, T::tanh, T::erf, T::sin, T::cos] {
        assert!(f(t(f64::NAN)).is_nan());
    }
    for f in [T::exp_m1, T::ln_1p, T::tanh, T::erf, T::sin] {
        same(f(t(0.0)), 0.0, "f(0)");
        same(f(t(-0.0)), -0.0, "f(-0)");
        same(f(t(tiny)), t(tiny).to_f64(), "f(tiny)");
        same(f(t(-tiny)), t(-tiny).to_f64(), "f(-tiny)");
    }
    for x in [0.0, -0.0, tiny, -tiny] {
        same(t(x).exp(), 1.0, "exp(0)");
        same(t(x).cos(), 1.0, "cos(0)");
    }
    same(t(-inf).exp(), 0.0, "exp(-inf)");
    same(t(inf).exp(), inf, "exp(inf)");
    same(t(-max).exp(), 0.0, "exp(-max)");
    same(t(max).exp(), inf, "exp(max)");
    same(t(-inf).exp_m1(), -1.0, "exp_m1(-inf)");
    same(t(inf).exp_m1(), inf, "exp_m1(inf)");
    for x in [inf, max, 30.0] {
        for (f, name) in [(T::tanh as fn(T) -> T, "tanh"), (T::erf, "erf")] {
            same(f(t(x)), 1.0, name);
            same(f(t(-x)), -1.0, name);
        }
    }
    same(t(1.0).ln(), 0.0, "ln(1)");
    same(t(0.0).ln(), -inf, "ln(0)");
    same(t(-0.0).ln(), -inf, "ln(-0)");
    same(t(inf).ln(), inf, "ln(inf)");
    same(t(inf).ln_1p(), inf, "ln_1p(inf)");
    same(t(-1.0).ln_1p(), -inf, "ln_1p(-1)");
    for x in [-tiny, -1.0, -max, -inf] {
        assert!(t(x).ln().is_nan(), "ln({x})");
    }
    assert!(t(-1.5).ln_1p().is_nan() && t(-inf).ln_1p().is_nan());
    for x in [inf, -inf] {
        assert!(t(x).sin().is_nan() && t(x).cos().is_nan());
    }
    let pow = |x: f64, y: f64| t(x).pow(t(y));
    let nan = f64::NAN;
    for (x, y, expected) in [
        (2.0, 10.0, 1024.0),
        (-2.0, 3.0, -8.0),
        (-2.0, 4.0, 16.0),
        (0.25, -0.5, 2.0),
        (nan, 0.0, 1.0),
        (1.0, nan, 1.0),
        (0.0, 2.0, 0.0),
        (-0.0, 3.0, -0.0),
        (0.0, -1.0, inf),
        (-0.0, -1.0, -inf),
        (-0.0, -2.0, inf),
        (inf, -2.0, 0.0),
        (inf, 0.5, inf),
        (-inf, 3.0, -inf),
        (-inf, 0.5, inf),
        (-1.0, inf, 1.0),
        (0.5, inf, 0.0),
        (0.5, -inf, inf),
        (max, 2.0, inf),
        (max, -2.0, 0.0),
        (10.0, max, inf),
        (10.0, -max, 0.0),
    ] {
        same(pow(x, y), expected, &format!("pow({x}, {y})"));
    }
    assert!(pow(-2.0, 0.5).is_nan() && pow(nan, 1.0).is_nan() && pow(2.0, nan).is_nan());
}

#[test]
fn exact_cases_are_exact() {
    exact_cases::<f32>(f32::MAX as f64, f32::from_bits(3) as f64);
    exact_cases::<f64>(f64::MAX, f64::from_bits(3));
}

#[test]
fn denormal_results_are_sensible() {
    for i in 0..400 {
        let x = -708.0 - i as f64 * 0.1;
        assert!((Real::exp(x) - libm::exp(x)).abs() <= 2.0 * f64::from_bits(1), "exp({x})");
        let y = Real::pow(0.5f64, 1022.0 + i as f64 * 0.15);
        assert!((y - libm::pow(0.5, 1022.0 + i as f64 * 0.15)).abs() <= 2.0 * f64::from_bits(1), "pow {i}");
    }
    assert_eq!(Real::pow(2.0f64, -1074.0), f64::from_bits(1));
}

#[test]
fn f32_pow_is_nearly_rounded() {
    let mut state = 7u64;
    for _ in 0..100_000 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let (x, y) = ((state >> 40) as f32 / 65536.0 + 0.001, ((state >> 16) & 0xffff) as f32 / 4096.0 - 8.0);
        let exact = libm::pow(x as f64, y as f64);
        let z = Real::pow(x, y);
        if exact < f32::MAX as f64 {
            assert!((z as f64 - exact).abs() / ulp32(exact) <= 0.51, "pow({x}, {y}) = {z}");
        }
    }
}

/// Angles of every size, near and far mixed, so that runs of both kinds and mixed ones come up.
fn many_angles<T: Real>(bits_to: impl Fn(u64) -> T) {
    use glassnet_kernels::angles::{cos_into, sin_into};
    let mut state = 3u64;
    let mut x: Vec<T> = (0..100_000)
        .map(|i| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let unit = (state >> 11) as f64 / 9007199254740992.0;
            match (i / 500) % 4 {
                0 => T::from_f64(8.0 * unit - 4.0),
                1 => T::from_f64(2_000_000.0 * unit - 1_000_000.0),
                2 => T::from_f64(2_200_000.0 * unit - 1_100_000.0),
                _ => bits_to(state),
            }
        })
        .collect();
    let quarter = std::f64::consts::FRAC_PI_4;
    for special in [0.0, -0.0, quarter, -quarter, 1_048_576.0, -1_048_575.9, f64::INFINITY, f64::NAN] {
        x.push(T::from_f64(special));
    }
    let bits = |y: T| if y.is_nan() { u64::MAX } else { y.to_f64().to_bits() };
    let mut out = vec![T::ZERO; x.len()];
    for (into, one) in [(sin_into as fn(&[T], &mut [T]), Real::sin as fn(T) -> T), (cos_into, Real::cos)] {
        into(&x, &mut out);
        for (&x, &y) in x.iter().zip(&out) {
            assert_eq!(bits(y), bits(one(x)), "{x:e}: {y:e} in a run, {:e} alone", one(x));
        }
        // Alone: no other angle of the run decides.
        for (&x, &y) in x.iter().zip(&out).step_by(97) {
            let mut alone = [T::ZERO];
            into(&[x], &mut alone);
            assert_eq!(bits(alone[0]), bits(y), "{x:e}");
        }
    }
}

#[test]
fn an_angle_in_a_run_has_the_bytes_of_the_angle_alone() {
    many_angles::<f32>(|bits| f32::from_bits(bits as u32));
    many_angles::<f64>(f64::from_bits);
}
