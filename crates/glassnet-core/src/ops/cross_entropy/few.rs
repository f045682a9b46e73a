//! Softmax and loss where classes are few: sixteen positions side by side, one in each lane, with the bytes that each has alone.

use glassnet_kernels::reduce::LANES;

use super::IGNORED;
use crate::Real;

/// The tree 8-4-2-1 of the first `classes` columns, each lane by itself. What the tree adds for a class that is not there
/// (+0 to a sum of numbers that are not below +0, -inf to a maximum) changes nothing, so it is left out.
#[inline(always)]
fn across<T: Real, const C: usize>(
    classes: usize,
    mut columns: [[T; LANES]; C],
    join: impl Fn(T, T) -> T,
) -> [T; LANES] {
    let mut width = LANES / 2;
    while width > 0 {
        for j in 0..width {
            if j + width < classes {
                let right = columns[j + width];
                for (left, right) in columns[j].iter_mut().zip(right) {
                    *left = join(*left, right);
                }
            }
        }
        width /= 2;
    }
    columns[0]
}

/// Sixteen rows of `C` numbers, where there are so many.
#[inline(always)]
fn whole<T, const C: usize>(x: &[T]) -> Option<&[[T; C]; LANES]> {
    x.as_chunks::<C>().0.first_chunk()
}

/// The same, to write.
#[inline(always)]
fn whole_mut<T, const C: usize>(x: &mut [T]) -> Option<&mut [[T; C]; LANES]> {
    x.as_chunks_mut::<C>().0.first_chunk_mut()
}

/// Up to sixteen positions of few classes side by side, one in each lane: the bytes of `CrossEntropy::position`. `C` is the
/// number of classes, or 16 where it is only known at run time.
#[inline(always)]
pub(super) fn block<T: Real, const C: usize>(classes: usize, z: &[T], labels: &[i32], kept: &mut [T]) {
    let classes = if C < LANES { C } else { classes };
    let nan = T::from_f64(f64::NAN);
    let mut columns = [[T::ZERO; LANES]; C];
    let mut chosen = [nan; LANES];
    if let (true, Some(z), Some(labels)) = (C == classes, whole::<T, C>(z), labels.first_chunk::<LANES>()) {
        // A whole block is turned with shuffles, without a branch.
        for j in 0..C {
            for lane in 0..LANES {
                columns[j][lane] = z[lane][j];
                chosen[lane] = if labels[lane] == j as i32 { z[lane][j] } else { chosen[lane] };
            }
        }
    } else {
        for (lane, (z, &label)) in z.chunks_exact(classes).zip(labels).enumerate().take(LANES) {
            for j in 0..classes {
                columns[j][lane] = z[j];
            }
            if let Some(&own) = usize::try_from(label).ok().and_then(|label| z.get(label)) {
                chosen[lane] = own;
            }
        }
    }
    let top = across(classes, columns, |a, b| if b > a || b.is_nan() { b } else { a });
    for column in &mut columns[..classes] {
        for lane in 0..LANES {
            column[lane] = (column[lane] - top[lane]).exp();
        }
    }
    let sum = across(classes, columns, |a, b| a + b);
    for column in &mut columns[..classes] {
        for lane in 0..LANES {
            column[lane] /= sum[lane];
        }
    }
    for lane in 0..LANES {
        chosen[lane] = top[lane] - chosen[lane] + sum[lane].ln();
    }
    if let (3, Some(kept), Some(labels)) = (C, whole_mut::<T, 4>(kept), labels.first_chunk::<LANES>()) {
        for lane in 0..LANES {
            let loss = if labels[lane] == IGNORED { T::ZERO } else { chosen[lane] };
            kept[lane] = [columns[0][lane], columns[1 % C][lane], columns[2 % C][lane], loss];
        }
        return;
    }
    for (lane, (kept, &label)) in kept.chunks_exact_mut(classes + 1).zip(labels).enumerate().take(LANES) {
        for j in 0..classes {
            kept[j] = columns[j][lane];
        }
        kept[classes] = if label == IGNORED { T::ZERO } else { chosen[lane] };
    }
}
