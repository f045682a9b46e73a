//! Every product against its reference: random shapes, places in memory and values, every instruction set, teams of one to four.

use super::driver::{self, Chain, Operand, Product, Right};
use super::packed::{Packed, packed_len};
use super::reference;
use crate::lanes::Isa;
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

fn teams() -> Vec<Team> {
    (1..=4).map(Team::new).collect()
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

/// Cases of large shapes; an emulated processor takes minutes for a few.
const LARGE: u32 = if cfg!(target_arch = "aarch64") { 1 } else { 6 };

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
        assert!(check::<f32>(&case, &teams).is_ok() && check::<f64>(&case, &teams).is_ok(), "{m} x {n} x {k}");
    }
}
