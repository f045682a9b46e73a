//! Forward: a unit is a tile of queries of one row, all heads; its keys come tile by tile.

use glassnet_kernels::product::{product_nn, product_nt};
use glassnet_kernels::vectorized;

use super::tile::{Head, Sight, Soften, TILE, columns, given, head, limits, scale};
use super::units::{Unit, Units, cut, spread};
use super::{Attention, Sizes};
use crate::ops::Forward;
use crate::{Real, Team};

/// Elements of a thread's tiles: queries, keys, values, scores, output.
pub(super) fn scratch(sizes: &Sizes) -> [usize; 5] {
    let queries = sizes.queries.min(TILE);
    [queries * sizes.d, TILE * sizes.d, TILE * sizes.dv, queries * TILE, queries * sizes.dv]
}

/// Puts the new keys and values of a row after those that its state holds; what does not fit is left out.
fn append<T: Real>(op: &Attention, sizes: &Sizes, time: usize, (k, v): (&[T], &[T]), state: &mut [T]) {
    let [_, k_width, v_width, _] = sizes.widths();
    let (keys, values) = state.split_at_mut(op.cache * k_width);
    let fit = sizes.keys.min(op.cache.saturating_sub(time));
    if fit > 0 {
        keys[time * k_width..][..fit * k_width].copy_from_slice(&k[..fit * k_width]);
        values[time * v_width..][..fit * v_width].copy_from_slice(&v[..fit * v_width]);
    }
}

/// Where a row's keys and values are, and how many.
struct Row<'a, T> {
    q: &'a [T],
    k: &'a [T],
    v: &'a [T],
    keys: usize,
    given: Option<&'a [T]>,
    length: Option<i32>,
    /// Position of the first query.
    time: usize,
}

pub(super) fn forward<T: Real>(op: &Attention, sizes: &Sizes, io: Forward<'_, T>) {
    let [q_width, k_width, v_width, o_width] = sizes.widths();
    let (q_size, k_size, v_size) = (sizes.queries * q_width, sizes.keys * k_width, sizes.keys * v_width);
    let state_size = op.cache * (k_width + v_width);
    let time = if op.cache > 0 { io.context.time } else { 0 };
    if op.cache > 0 {
        for (row, state) in io.state.chunks_exact_mut(state_size).enumerate() {
            let new = (&io.inputs[1][row * k_size..][..k_size], &io.inputs[2][row * v_size..][..v_size]);
            append(op, sizes, time, new, state);
        }
    }
    let state = &*io.state;
    let row = |row: usize| {
        let q = &io.inputs[0][row * q_size..][..q_size];
        let given = op.given(io.inputs, sizes, row);
        let length = op.length(io.labels, row);
        if op.cache > 0 {
            let (k, v) = state[row * state_size..][..state_size].split_at(op.cache * k_width);
            Row { q, k, v, keys: op.cache.min(time + sizes.queries), given, length, time }
        } else {
            let k = &io.inputs[1][row * k_size..][..k_size];
            let v = &io.inputs[2][row * v_size..][..v_size];
            Row { q, k, v, keys: sizes.keys, given, length, time }
        }
    };
    let work = [io.rows, sizes.queries, time + sizes.keys, sizes.heads, sizes.d + sizes.dv]
        .map(|size| size as u64)
        .iter()
        .product();
    let units = Units {
        rows: io.rows,
        positions: sizes.queries,
        run: TILE,
        widths: [o_width, 2 * sizes.heads],
        pieces: [io.output, io.saved],
        row: 0,
        first: 0,
    };
    spread(io.context.team, work, units, io.scratch, &|unit, room| tile(op, sizes, &row(unit.row), unit, room));
}

/// One tile of queries.
fn tile<T: Real>(op: &Attention, sizes: &Sizes, row: &Row<'_, T>, unit: Unit<'_, T, 2>, room: &mut [T]) {
    let (alone, m) = (Team::single(), unit.count);
    let [q_width, k_width, v_width, o_width] = sizes.widths();
    let &Sizes { d, dv, .. } = sizes;
    let [q, k, v, scores, o] = cut(room, scratch(sizes));
    let (q, o) = (&mut q[..m * d], &mut o[..m * dv]);
    let [output, saved] = unit.pieces;
    for number in 0..sizes.heads {
        let shared = number / sizes.group();
        head(row.q, 0, sizes.queries, q_width, number * d).load(unit.first, m, d, q);
        scale(sizes.scale::<T>(), q);
        o.fill(T::ZERO);
        let mut top = [T::from_f64(f64::NEG_INFINITY); TILE];
        let mut sum = [T::ZERO; TILE];
        for start in (0..row.keys).step_by(TILE) {
            let live = TILE.min(row.keys - start);
            let Some(limits) = limits(op, (unit.first, m, row.time), (start, live), row.length) else { break };
            let n = columns(live);
            let (k, v, scores) = (&mut k[..n * d], &mut v[..n * dv], &mut scores[..m * n]);
            Head { matrix: row.k, width: k_width, at: shared * d }.load(start, live, d, k);
            Head { matrix: row.v, width: v_width, at: shared * dv }.load(start, live, dv, v);
            product_nt(&alone, m, n, d, q, k, scores, None);
            let sight = Sight { limits: &limits, given: given(row.given, sizes, unit.first, start), keys: sizes.keys };
            vectorized(Soften { columns: n, scores, sight, top: &mut top, sum: &mut sum, output: o, dv });
            product_nn(&alone, m, dv, n, scores, v, o, true);
        }
        for (r, o) in o.chunks_exact(dv).enumerate() {
            let seen = sum[r] != T::ZERO;
            let inverse = if seen { T::ONE / sum[r] } else { T::ZERO };
            // Past the cache there is no place for the query's own key.
            let inverse =
                if op.cache > 0 && row.time + unit.first + r >= op.cache { T::from_f64(f64::NAN) } else { inverse };
            for (out, &o) in output[r * o_width + number * dv..][..dv].iter_mut().zip(o) {
                *out = o * inverse;
            }
            if let Some(saved) = saved.get_mut((r * sizes.heads + number) * 2..(r * sizes.heads + number) * 2 + 2) {
                saved[0] = if seen { top[r] } else { T::ZERO };
                saved[1] = inverse;
            }
        }
    }
}
