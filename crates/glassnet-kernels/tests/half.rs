//! The bfloat16 products against their definition, byte for byte, over shapes, values and teams; and the definition
//! against sums in f64.

use glassnet_kernels::Team;
use glassnet_kernels::half::{self, reference};
use glassnet_kernels::product::Finish;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 16
    }

    /// In [-1, 1).
    fn unit(&mut self) -> f32 {
        (self.next() % (1 << 24)) as f32 / (1 << 23) as f32 - 1.0
    }

    fn numbers(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.unit()).collect()
    }

    /// Zeros, denormals, products at the edge of them, huge numbers, infinities, NaNs, and numbers that one would expect.
    fn wild(&mut self, n: usize) -> Vec<f32> {
        let mut draw = || match self.next() % 64 {
            0 => f32::INFINITY,
            1 => f32::NAN,
            2..8 => f32::from_bits(self.next() as u32),
            8..16 => self.unit() * 1e-38,
            16..24 => self.unit() * 1.1e-19,
            24..28 => 0.0f32.copysign(self.unit()),
            28..30 => self.unit() * 3e38,
            _ => self.unit(),
        };
        (0..n).map(|_| draw()).collect()
    }
}

/// The bits; one NaN is as good as another.
fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }).collect()
}

/// All products of one shape, by every team, against the references; the finish once on every row.
fn check(teams: &[Team], (m, n, k): (usize, usize, usize), a: &[f32], b: &[f32], before: &[f32]) {
    let what = |name: &str, team: &Team| format!("{name} {m} x {n} x {k}, {} threads", team.threads());
    let (mut nt, mut nn, mut tn) = (before.to_vec(), before.to_vec(), before.to_vec());
    reference::product_nt(m, n, k, a, b, &mut nt);
    reference::product_nn(m, n, k, a, b, &mut nn);
    reference::product_tn(m, n, k, a, b, &mut tn);
    let finished: Vec<f32> = nt.iter().enumerate().map(|(i, &x)| x + (i / n) as f32).collect();
    for team in teams {
        let mut c = before.to_vec();
        half::product_nt(team, m, n, k, a, b, &mut c, None);
        assert!(bits(&c) == bits(&nt), "{}", what("nt", team));
        let (mut c, rows) = (before.to_vec(), AtomicUsize::new(0));
        let finish: &Finish<f32> = &|first, part| {
            for (i, row) in part.chunks_exact_mut(n).enumerate() {
                rows.fetch_add(1, Ordering::Relaxed);
                row.iter_mut().for_each(|x| *x += (first + i) as f32);
            }
        };
        half::product_nt(team, m, n, k, a, b, &mut c, Some(finish));
        assert!(bits(&c) == bits(&finished), "{}", what("nt with finish", team));
        assert_eq!(rows.into_inner(), if n == 0 { 0 } else { m });
        let mut c = before.to_vec();
        half::product_nn(team, m, n, k, a, b, &mut c);
        assert!(bits(&c) == bits(&nn), "{}", what("nn", team));
        let mut c = before.to_vec();
        half::product_tn(team, m, n, k, a, b, &mut c);
        assert!(bits(&c) == bits(&tn), "{}", what("tn", team));
    }
    // A row alone is the row in the batch.
    for i in [0, m / 2, m.saturating_sub(1)] {
        if i < m {
            let mut c = vec![1.0; n];
            half::product_nt(&teams[0], 1, n, k, &a[i * k..][..k], b, &mut c, None);
            assert!(bits(&c) == bits(&nt[i * n..][..n]), "nt, row {i} alone of {m} x {n} x {k}");
            half::product_nn(&teams[0], 1, n, k, &a[i * k..][..k], b, &mut c);
            assert!(bits(&c) == bits(&nn[i * n..][..n]), "nn, row {i} alone of {m} x {n} x {k}");
        }
    }
}

#[test]
fn chosen_shapes_have_the_definitions_bytes() {
    let teams: Vec<Team> = [1, 2, 3, 4, 8].into_iter().map(Team::new).collect();
    let mut draws = Draws(1);
    for (m, n, k) in [
        (0, 3, 4),
        (3, 0, 4),
        (3, 4, 0),
        (1, 1, 1),
        (1, 33, 7),
        (33, 1, 7),
        (32, 16, 4),
        (12, 32, 2),
        (13, 31, 513),
        (9, 65, 1024),
        (2, 3, 1025),
        (5, 17, 2500),
        (64, 130, 300),
        (300, 10, 700),
        (10, 300, 90),
        (290, 280, 600),
    ] {
        let (a, b, before) = (draws.numbers(m * k), draws.numbers(n * k), draws.numbers(m * n));
        check(&teams, (m, n, k), &a, &b, &before);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_shape_and_any_numbers_have_the_definitions_bytes(
        m in 0usize..40, n in 0usize..80, k in 0usize..90, seed in any::<u64>(), wild in any::<bool>()
    ) {
        let mut draws = Draws(seed);
        let mut of = |len: usize| if wild { draws.wild(len) } else { draws.numbers(len) };
        let (a, b, before) = (of(m * k), of(n * k), of(m * n));
        check(&[Team::single()], (m, n, k), &a, &b, &before);
    }
}

#[test]
fn rounding_keeps_eight_bits_ties_to_even_and_no_denormals() {
    let ulp = 1.0 / 128.0;
    for (x, expected) in [
        (1.0 + 0.49 * ulp, 1.0),
        (1.0 + 0.5 * ulp, 1.0),
        (1.0 + 0.51 * ulp, 1.0 + ulp),
        (1.0 + 1.5 * ulp, 1.0 + 2.0 * ulp),
        (-1.0 - 1.5 * ulp, -1.0 - 2.0 * ulp),
        (f32::MAX, f32::INFINITY),
        (f32::MIN_POSITIVE, f32::MIN_POSITIVE),
        (f32::from_bits(0x007f_ffff), 0.0),
        (f32::NEG_INFINITY, f32::NEG_INFINITY),
    ] {
        assert_eq!(half::round(x), expected, "{x}");
    }
    assert!(half::round(-1e-40).is_sign_negative());
    // A NaN whose payload lies in the lower half only.
    assert!(half::round(f32::from_bits(0x7f80_0001)).is_nan());
}

#[test]
fn a_sum_is_within_its_bound_of_the_sum_in_f64() {
    let (m, n, k) = (20, 50, 777);
    let mut draws = Draws(3);
    let (a, b) = (draws.numbers(m * k), draws.numbers(n * k));
    let mut c = vec![0.0; m * n];
    half::product_nt(&Team::single(), m, n, k, &a, &b, &mut c, None);
    for i in 0..m {
        for j in 0..n {
            let terms = (0..k).map(|p| half::round(a[i * k + p]) as f64 * half::round(b[j * k + p]) as f64);
            let (sum, size) = terms.fold((0.0, 0.0), |(sum, size): (f64, f64), x| (sum + x, size + x.abs()));
            // k + 1 roundings of at most half an ulp of a partial sum.
            let bound = (k + 1) as f64 * f64::from(f32::EPSILON) / 2.0 * size;
            let error = (c[i * n + j] as f64 - sum).abs();
            assert!(error <= bound, "({i}, {j}): {error:e} beyond {bound:e}");
            // Two operands, each rounded by at most 1/256 of itself.
            let given: f64 = (0..k).map(|p| a[i * k + p] as f64 * b[j * k + p] as f64).sum();
            assert!((given - sum).abs() < 2.02 / 256.0 * size);
        }
    }
}

#[test]
fn infinities_and_nans_stay_in_their_elements() {
    let (m, n, k) = (20, 40, 30);
    let (mut a, b) = (vec![1.0f32; m * k], vec![1.0f32; n * k]);
    a[3 * k + 5] = f32::INFINITY;
    a[17 * k + 29] = f32::NAN;
    let mut c = vec![0.0; m * n];
    half::product_nt(&Team::single(), m, n, k, &a, &b, &mut c, None);
    for (i, row) in c.chunks_exact(n).enumerate() {
        let expected = |x: &f32| match i {
            3 => *x == f32::INFINITY,
            17 => x.is_nan(),
            _ => *x == k as f32,
        };
        assert!(row.iter().all(expected), "row {i}: {row:?}");
    }
}

#[test]
#[should_panic(expected = "the right operand has fewer elements than 4 x 5")]
fn an_operand_that_is_too_short_is_refused() {
    half::product_nn(&Team::single(), 3, 5, 4, &[0.0; 12], &[0.0; 19], &mut [0.0; 15]);
}

#[test]
fn the_peak_counts_its_operations() {
    assert_eq!(half::Peak::run(3) % 3, 0);
    assert!(half::Peak::run(3) > 0);
}
