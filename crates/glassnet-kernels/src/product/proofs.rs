//! Every product against its reference: random shapes, places in memory and values, every instruction set, teams of one to four.

use super::driver::{self, Chain, Operand, Product, Right};
use super::packed::{Packed, packed_len};
use super::reference;
use crate::lanes::Isa;
use crate::row::RowWeights;
use crate::{Real, Team};
use proptest::prelude::*;

/// Values of all kinds: ordinary, tiny, denormal, huge, infinite, not a number; how many of the odd ones is `odd` in 64.
fn numbers<T: Real>(len: usize, seed: u64, odd: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    (0..len)
        .map(|_| {
            let plain = next() as f64 / 2f64.powi(30) - 1.0;
            if next() % 64 >= odd {
                return T::from_f64(plain);
            }
            let (denormal, huge) = if T::BYTES == 4 { (1e-41, 1e38) } else { (1e-310, 1e308) };
            T::from_f64(match next() % 8 {
                0 => plain * denormal,
                1 => plain * huge,
                2 => plain * denormal.sqrt(),
                3 => plain * huge.sqrt(),
                4 => 0.0,
                5 => -0.0,
                6 => f64::INFINITY.copysign(plain),
                _ => f64::NAN,
            })
        })
        .collect()
}

/// The same bytes, or both not a number.
fn same<T: Real>(x: &[T], y: &[T]) -> bool {
    x.len() == y.len()
        && x.iter().zip(y).all(|(x, y)| (x.is_nan() && y.is_nan()) || x.to_f64().to_bits() == y.to_f64().to_bits())
}

#[derive(Debug)]
struct Case {
    m: usize,
    n: usize,
    k: usize,
    /// Elements before each operand, so that nothing is aligned by luck.
    place: usize,
    odd: u64,
    seed: u64,
}

fn check<T: Real>(case: &Case, teams: &[Team]) -> Result<(), TestCaseError> {
    let &Case { m, n, k, place, odd, seed } = case;
    let (a, b) = (numbers::<T>(place + m * k, seed, odd), numbers::<T>(place / 2 + n * k, seed + 1, odd));
    let (a, b) = (&a[place..], &b[place / 2..]);
    let before = numbers::<T>(m * n + place, seed + 2, odd);
    for (left, right, chain) in [
        (Operand::Rows, Operand::Columns, Chain::Store),
        (Operand::Rows, Operand::Rows, Chain::Store),
        (Operand::Rows, Operand::Rows, Chain::Add),
        (Operand::Columns, Operand::Rows, Chain::AddBlocks),
    ] {
        let mut expected = before.clone();
        let c = &mut expected[place..];
        match (right, chain) {
            (Operand::Columns, _) => reference::product_nt(m, n, k, a, b, c),
            (_, Chain::AddBlocks) => reference::product_tn(m, n, k, a, b, c),
            _ => reference::product_nn(m, n, k, a, b, c, chain == Chain::Add),
        }
        for isa in Isa::ALL.into_iter().filter(|isa| isa.available()) {
            for team in teams {
                let mut c = before.clone();
                let product = Product { m, n, k, a, left, right: Right::There(b, right), chain };
                driver::run(isa, team, &product, &mut c[place..]);
                let threads = team.threads();
                prop_assert!(
                    same(&c, &expected),
                    "{} {left:?} {right:?} {chain:?} {m} x {n} x {k}, {isa:?}, {threads} threads",
                    T::NAME
                );
            }
        }
        if right == Operand::Columns {
            let mut room = vec![T::ZERO; packed_len::<T>(n, k)];
            let mut c = before.clone();
            Packed::transposed(n, k, b, &mut room).multiply(m, a, k, &mut c[place..], n, false);
            prop_assert!(same(&c, &expected), "{} packed {m} x {n} x {k}", T::NAME);
        }
    }
    Ok(())
}

fn case(most: [usize; 3]) -> impl Strategy<Value = Case> {
    let [m, n, k] = most;
    (0..=m, 0..=n, 0..=k, 0usize..9, 0u64..6, any::<u32>()).prop_map(|(m, n, k, place, odd, seed)| Case {
        m,
        n,
        k,
        place,
        odd,
        seed: u64::from(seed),
    })
}

/// One to four threads; in WebAssembly every team has one.
fn teams() -> Vec<Team> {
    (1..=if cfg!(target_arch = "wasm32") { 1 } else { 4 }).map(Team::new).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn small_shapes_of_any_values_have_the_references_bytes(case in case([20, 40, 40])) {
        check::<f32>(&case, &[Team::single()])?;
        check::<f64>(&case, &[Team::single()])?;
    }

    #[test]
    fn single_rows_have_the_references_bytes(case in case([3, 300, 70])) {
        check::<f32>(&case, &[Team::single()])?;
        check::<f64>(&case, &[Team::single()])?;
    }

    #[test]
    fn narrow_results_have_the_references_bytes(case in case([150, 60, 40])) {
        check::<f32>(&case, &[Team::single()])?;
        check::<f64>(&case, &[Team::single()])?;
    }
}

/// Cases of large shapes; an emulated processor takes minutes for a few, and so does f64 in WebAssembly.
const LARGE: u32 = if cfg!(any(target_arch = "aarch64", target_arch = "wasm32")) { 1 } else { 6 };

proptest! {
    #![proptest_config(ProptestConfig { cases: LARGE, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn large_shapes_on_any_team_have_the_references_bytes(case in case([140, 300, 600])) {
        let teams = teams();
        check::<f32>(&case, &teams)?;
        check::<f64>(&case, &teams)?;
    }
}

#[test]
fn shapes_at_the_edges_of_blocks_have_the_references_bytes() {
    let teams = teams();
    let shapes = [
        (530, 130, 40),
        (3, 257, 1100),
        (1, 1030, 64),
        (26, 64, 1025),
        (256, 24, 512),
        (96, 100, 1300),
        (70, 600, 1024),
        (64, 540, 801),
        (510, 290, 1024),
    ];
    for (number, (m, n, k)) in shapes.into_iter().enumerate() {
        let case = Case { m, n, k, place: number, odd: 0, seed: number as u64 };
        // A fused multiply-add of f64 is a call in WebAssembly: the largest take a minute.
        let double = cfg!(not(target_arch = "wasm32")) || m * n * k < 4_000_000;
        assert!(check::<f32>(&case, &teams).is_ok(), "{m} x {n} x {k}");
        assert!(!double || check::<f64>(&case, &teams).is_ok(), "f64 {m} x {n} x {k}");
    }
}

/// Operands `[m, k]` and `[n, k]` whose sums are what two roundings, to f64 and then to f32, may get wrong.
fn hard(kind: usize, m: usize, n: usize, k: usize) -> [Vec<f32>; 2] {
    let (plain, choice) = (numbers::<f32>((m + n) * k, 7, 0), numbers::<f64>((m + n) * k, 8, 0));
    let element = |i: usize| -> f32 {
        let (left, x, c) = (i < m * k, plain[i], ((choice[i] + 1.0) * 32.0) as i32);
        let p = i % k;
        match kind {
            // Two terms of full length: a sum is exact in f64, and often in the middle between two f32.
            0 if left => [0.0, 1.0, -1.0, 2.0][c as usize % 4],
            // Tiny, then a product that is in the middle, with what was there before on one side of it.
            1 if p == 0 => x * if left { 2f32.powi(-30 - c % 8) } else { 2f32.powi(-30) },
            1 if p == 1 => 1.0 + (2 * (c % 32) + 1) as f32 / 4096.0,
            1 => 0.0,
            // Sums on both sides of 2^-126.
            2 => x * if left { 2f32.powi(-60 - c % 8) } else { 2f32.powi(-64) },
            // Sums on both sides of 2^128.
            3 => x * if left { 2f32.powi(60 + c % 4) } else { 2f32.powi(64) },
            // Ordinary, with one product in all that is in the middle.
            4 if p == k - 1 => {
                if i == m * k - 1 || !left && i == (m + n) * k - 1 {
                    1.0 + 1.0 / 4096.0
                } else {
                    0.0
                }
            }
            4 if i >= (m - 1) * k && left => 0.0,
            _ => x,
        }
    };
    let mut all: Vec<f32> = (0..(m + n) * k).map(element).collect();
    let right = all.split_off(m * k);
    [all, right]
}

#[test]
fn sums_that_two_roundings_may_get_wrong_have_the_references_bytes() {
    let mut met = [0; 5];
    for (kind, met) in met.iter_mut().enumerate() {
        for (m, n, k) in [(1, 8, 2), (5, 21, 3), (9, 24, 70), (6, 17, 300)] {
            let [a, b] = hard(kind, m, n, k);
            let mut expected = vec![0.0; m * n];
            reference::product_nt(m, n, k, &a, &b, &mut expected);
            for i in 0..m * n {
                let mut chain = 0.0f32;
                for (&a, &b) in a[i / n * k..][..k].iter().zip(&b[i % n * k..][..k]) {
                    let sum = f64::from(a) * f64::from(b) + f64::from(chain);
                    *met += usize::from(match kind {
                        2 => sum != 0.0 && sum.abs() < 2f64.powi(-126),
                        3 => sum.is_finite() && sum.abs() >= 2f64.powi(128),
                        _ => sum.to_bits() & 0x1fff_ffff == 0x1000_0000,
                    });
                    chain = a.mul_add(b, chain);
                }
                assert!(chain.to_bits() == expected[i].to_bits() || (chain.is_nan() && expected[i].is_nan()));
            }
            let product = Product {
                m,
                n,
                k,
                a: &a,
                left: Operand::Rows,
                right: Right::There(&b, Operand::Columns),
                chain: Chain::Store,
            };
            for isa in Isa::ALL.into_iter().filter(|isa| isa.available()) {
                let mut c = vec![0.0; m * n];
                driver::run(isa, &Team::single(), &product, &mut c);
                assert!(same(&c, &expected), "{isa:?}, kind {kind}, {m} x {n} x {k}");
            }
            let mut c = vec![0.0; m * n];
            for (row, c) in a.chunks_exact(k).zip(c.chunks_exact_mut(n)) {
                RowWeights::new(n, k, &b, None).multiply(&Team::single(), row, c);
            }
            assert!(same(&c, &expected), "row by row, kind {kind}, {m} x {n} x {k}");
        }
    }
    assert!(met[..4].iter().all(|&met| met > 100) && met[4] >= 4, "{met:?} such sums");
}
