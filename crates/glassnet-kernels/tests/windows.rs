//! Products with windows give the bytes of products with a matrix of patches that is written down.

use glassnet_kernels::Team;
use glassnet_kernels::product::{Filled, product_nn, product_nt_filled, turn};
use glassnet_kernels::windows::{self, LANES, Windows, packed_len};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::Cell;
use std::ops::Range;

/// Numbers of all kinds: usual ones, zeros of both signs, denormals, huge ones, inf and NaN where `wild`.
fn numbers(len: usize, seed: u64, wild: bool) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let usual = (state >> 40) as f32 / (1 << 23) as f32 - 1.0;
            match state % 61 {
                0 => 0.0,
                1 => -0.0,
                2 if wild => usual * 1e-40,
                3 if wild => usual * 3e38,
                4 if wild && state.is_multiple_of(7) => f32::INFINITY,
                5 if wild && state.is_multiple_of(7) => f32::NAN,
                _ => usual,
            }
        })
        .collect()
}

/// The same bytes; a NaN is a NaN whatever its payload.
fn same(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
}

/// The matrix of patches `[taps, positions]`.
struct Patches {
    patches: Vec<f32>,
    positions: usize,
}

impl Filled<f32> for Patches {
    fn fill(&self, _: usize, rows: Range<usize>, columns: Range<usize>, out: &mut [f32], step: usize) {
        for (i, row) in rows.enumerate() {
            out[i * step..][..columns.len()].copy_from_slice(&self.patches[row * self.positions..][columns.clone()]);
        }
    }
}

/// False where there is no such path, and nothing was compared.
#[must_use]
fn check(
    m: usize,
    channels: usize,
    kernel: [usize; 2],
    positions: [usize; 2],
    row_len: usize,
    stride: usize,
    seed: u64,
) -> bool {
    let [down, across] = positions;
    let row_step = stride * row_len;
    if !windows::ready::<f32>(positions, row_step) {
        return false;
    }
    let wild = seed % 2 == 1;
    let plane = ((down - 1) * stride + kernel[0]) * row_len;
    let image = numbers(channels * plane, seed, wild);
    let mut taps = Vec::new();
    for c in 0..channels {
        for i in 0..kernel[0] {
            taps.extend((0..kernel[1]).map(|j| (c * plane + i * row_len + j) as u32));
        }
    }
    let (k, n) = (taps.len(), down * across);
    let mut patches = Vec::new();
    for &tap in &taps {
        patches.extend((0..n).map(|p| image[tap as usize + p / across * row_step + p % across]));
    }
    let (weight, bias) = (numbers(m * k, seed + 1, wild), numbers(m, seed + 2, wild));
    let windows = Windows::new(&image, &taps, positions, row_step);

    let mut expected = vec![f32::NAN; m * n];
    product_nn(&Team::single(), m, n, k, &weight, &patches, &mut expected, false);
    let mut packed = vec![f32::NAN; packed_len(m, k)];
    windows::pack(m, k, &weight, &mut packed);
    let mut y = vec![7.0; m * n + 1];
    windows::product(m, &packed, &windows, None, &mut y);
    assert!(same(&y[..m * n], &expected), "product {m} {channels} {kernel:?} {positions:?} {row_len} {stride}");
    assert_eq!(y[m * n], 7.0, "what is behind the result is left alone");
    windows::product(m, &packed, &windows, Some(&bias), &mut y);
    for (row, bias) in expected.chunks_exact_mut(n).zip(&bias) {
        row.iter_mut().for_each(|y| *y += bias);
    }
    assert!(same(&y[..m * n], &expected), "product with bias");

    let upstream = numbers(m * n, seed + 3, wild);
    let mut expected = numbers(m * k, seed + 4, false);
    let padded = m.div_ceil(LANES) * LANES;
    let mut sums = vec![0.0; k * padded];
    turn(&expected, k, m, padded, &mut sums);
    let patches = Patches { patches, positions: n };
    product_nt_filled(&Team::single(), 1, 1, m, k, n, &upstream, &patches, &mut expected);
    let mut turned = vec![0.0; n * padded];
    turn(&upstream, n, m, padded, &mut turned);
    windows::add_upstream(padded, &turned, &windows, &mut sums);
    let mut got = vec![0.0; m * k];
    turn(&sums, padded, k, k, &mut got);
    assert!(same(&got, &expected), "sum {m} {channels} {kernel:?} {positions:?} {row_len} {stride}");
    true
}

/// Shapes that were compared must be there where the processor has the path; elsewhere the test says that it did nothing.
fn some(compared: usize, cases: usize) {
    if windows::ready::<f32>([1, LANES], LANES) {
        assert!(compared > 0, "none of {cases} shapes was compared");
        println!("{compared} of {cases} shapes compared");
    } else {
        println!("skipped: the path is for f32 with AVX-512");
    }
}

#[test]
fn windows_give_the_bytes_of_patches() {
    const CASES: u32 = 300;
    let compared = Cell::new(0);
    let shapes = (1usize..40, 1usize..6, (1usize..6, 1usize..8), (1usize..14, 1usize..40), 0usize..9, 1usize..4);
    let cases = (shapes, any::<u32>());
    let config = ProptestConfig { source_file: Some(file!()), ..ProptestConfig::with_cases(CASES) };
    TestRunner::new(config)
        .run(&cases, |((m, channels, kernel, positions, gap, stride), seed)| {
            let row_len = (positions.1 + kernel.1 - 1).max(positions.1 + gap);
            let shape = [[kernel.0, kernel.1], [positions.0, positions.1]];
            let ran = check(m, channels, shape[0], shape[1], row_len, stride, u64::from(seed));
            compared.set(compared.get() + usize::from(ran));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    some(compared.get(), CASES as usize);
}

#[test]
fn long_rows_and_many_blocks() {
    // 1 x 1 kernels, rows without a gap; more than one block of 1,024 positions; several groups of vectors.
    let compared = [
        check(16, 3, [1, 1], [40, 30], 30, 1, 1),
        check(9, 1, [5, 5], [45, 50], 54, 1, 2),
        check(33, 2, [3, 3], [1, 1500], 1502, 1, 3),
    ];
    some(compared.iter().filter(|&&ran| ran).count(), compared.len());
}

#[test]
#[should_panic(expected = "a window reaches beyond the image")]
fn a_window_beyond_the_image_is_refused() {
    Windows::new(&[0.0f32; 20], &[0, 5], [2, 8], 8);
}
