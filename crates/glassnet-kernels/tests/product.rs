//! The products against their slow references, byte for byte, over shapes and teams.

use glassnet_kernels::product::{self, Finish, reference};
use glassnet_kernels::{Real, Team};
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

fn numbers<T: Real>(n: usize, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9e3779b97f4a7c15) | 1;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            T::from_f64((state >> 11) as f64 / 2f64.powi(52) - 1.0)
        })
        .collect()
}

fn bits<T: Real>(x: &[T]) -> Vec<u64> {
    x.iter().map(|x| x.to_f64().to_bits()).collect()
}

fn teams() -> Vec<Team> {
    (1..=4).map(Team::new).collect()
}

/// All products of one shape, by every team, against the references; the finish once on every row.
fn check<T: Real>(teams: &[Team], m: usize, n: usize, k: usize) {
    let (a, b, start) = (numbers::<T>(m * k, 1), numbers::<T>(n * k, 2), numbers::<T>(m * n, 3));
    let what = |name: &str, team: &Team| format!("{name} {} {m} x {n} x {k}, {} threads", T::NAME, team.threads());
    let mut nt = start.clone();
    reference::product_nt(m, n, k, &a, &b, &mut nt);
    let finished: Vec<T> = nt.iter().enumerate().map(|(i, &x)| x + T::from_f64((i / n) as f64)).collect();
    let mut nn = start.clone();
    reference::product_nn(m, n, k, &a, &b, &mut nn, false);
    let mut nn_added = start.clone();
    reference::product_nn(m, n, k, &a, &b, &mut nn_added, true);
    let mut tn = start.clone();
    reference::product_tn(m, n, k, &a, &b, &mut tn);
    for team in teams {
        let mut c = start.clone();
        product::product_nt(team, m, n, k, &a, &b, &mut c, None);
        assert!(bits(&c) == bits(&nt), "{}", what("nt", team));
        let mut c = start.clone();
        let rows = AtomicUsize::new(0);
        let finish: &Finish<T> = &|first, part| {
            assert_eq!(part.len() % n, 0);
            for (i, row) in part.chunks_exact_mut(n).enumerate() {
                rows.fetch_add(1, Ordering::Relaxed);
                row.iter_mut().for_each(|x| *x += T::from_f64((first + i) as f64));
            }
        };
        product::product_nt(team, m, n, k, &a, &b, &mut c, Some(finish));
        assert!(bits(&c) == bits(&finished), "{}", what("nt with finish", team));
        assert_eq!(rows.into_inner(), if n == 0 { 0 } else { m });
        for (accumulate, expected) in [(false, &nn), (true, &nn_added)] {
            let mut c = start.clone();
            product::product_nn(team, m, n, k, &a, &b, &mut c, accumulate);
            assert!(bits(&c) == bits(expected), "{} {accumulate}", what("nn", team));
        }
        let mut c = start.clone();
        product::product_tn(team, m, n, k, &a, &b, &mut c);
        assert!(bits(&c) == bits(&tn), "{}", what("tn", team));
    }
    // A row alone is the row in the batch.
    for i in [0, m / 2, m.saturating_sub(1)] {
        if i < m {
            let mut c = vec![T::ONE; n];
            product::product_nt(&teams[0], 1, n, k, &a[i * k..][..k], &b, &mut c, None);
            assert!(bits(&c) == bits(&nt[i * n..][..n]), "nt, row {i} alone of {m} x {n} x {k}");
            product::product_nn(&teams[0], 1, n, k, &a[i * k..][..k], &b, &mut c, false);
            assert!(bits(&c) == bits(&nn[i * n..][..n]), "nn, row {i} alone of {m} x {n} x {k}");
        }
    }
}

fn chosen_shapes<T: Real>() {
    let teams = teams();
    for (m, n, k) in [
        (0, 3, 4),
        (3, 0, 4),
        (3, 4, 0),
        (1, 1, 1),
        (1, 33, 7),
        (33, 1, 7),
        (32, 16, 4),
        (7, 31, 257),
        (9, 65, 1024),
        (2, 3, 1025),
        (5, 17, 2500),
        (64, 130, 300),
        (300, 10, 700),
        (13, 200, 1030),
    ] {
        check::<T>(&teams, m, n, k);
    }
}

#[test]
fn chosen_shapes_have_the_references_bytes_f32() {
    chosen_shapes::<f32>();
}

#[test]
fn chosen_shapes_have_the_references_bytes_f64() {
    chosen_shapes::<f64>();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_shape_has_the_references_bytes(m in 0usize..40, n in 0usize..80, k in 0usize..90) {
        let teams = [Team::single()];
        check::<f32>(&teams, m, n, k);
        check::<f64>(&teams, m, n, k);
    }

    #[test]
    fn sums_of_rows_have_the_references_bytes(n in 0usize..150, rows in 0usize..30, long in 0usize..2) {
        let rows = rows + long * 1020;
        let a = numbers::<f32>(rows * n, 4);
        let (mut fast, mut slow) = (numbers::<f32>(n, 5), numbers::<f32>(n, 5));
        product::sum_rows(n, &a, &mut fast);
        reference::sum_rows(n, &a, &mut slow);
        prop_assert_eq!(bits(&fast), bits(&slow));
    }
}

#[test]
fn sums_of_rows_run_in_blocks_f64() {
    let (n, rows) = (67, 2 * product::BLOCK + 5);
    let a = numbers::<f64>(rows * n, 6);
    let (mut fast, mut slow) = (vec![0.5; n], vec![0.5; n]);
    product::sum_rows(n, &a, &mut fast);
    reference::sum_rows(n, &a, &mut slow);
    assert_eq!(bits(&fast), bits(&slow));
}

#[test]
fn infinities_and_nans_stay_in_their_elements() {
    let (m, n, k) = (9, 35, 20);
    let (mut a, mut b) = (numbers::<f32>(m * k, 1), numbers::<f32>(n * k, 2));
    a[3 * k + 4] = f32::INFINITY;
    b[34 * k + 19] = f32::NAN;
    let (mut fast, mut slow) = (vec![0.0; m * n], vec![0.0; m * n]);
    product::product_nt(&Team::single(), m, n, k, &a, &b, &mut fast, None);
    reference::product_nt(m, n, k, &a, &b, &mut slow);
    for (x, y) in fast.iter().zip(&slow) {
        assert!(x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan()));
    }
    assert_eq!(fast.iter().filter(|x| x.is_finite()).count(), m * n - m - n + 1);
}

#[test]
#[should_panic(expected = "the right operand has fewer elements than 3 x 2")]
fn a_slice_that_is_too_short_is_refused() {
    product::product_nt(&Team::single(), 1, 2, 3, &[0.0f32; 3], &[0.0; 5], &mut [0.0; 2], None);
}
