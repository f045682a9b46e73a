//! Backward: each pair of a query tile and a key tile is computed again.
//!
//! With rows enough for the threads a unit is a row, and a pair gives its part of dq, dk and dv at once (five products). With
//! fewer rows than threads a unit is a tile of queries (dq), then a tile of keys (dk and dv), which computes each pair's
//! weights twice (seven products) but keeps all threads at work. The order of every sum is the same, so the bytes are.

use glassnet_kernels::product::{product_nn, product_nt, product_tn};
use glassnet_kernels::{reduce, vectorized};

use super::tile::{Harden, Known, Sight, TILE, columns, given, head, limits, put, scale};
use super::units::{Units, cut, spread};
use super::{Attention, Sizes};
use crate::ops::Backward;
use crate::{Real, Team};

/// Elements of a thread's tiles: queries, output's gradient, keys, values, weights, slopes, and the sums dq, dk, dv.
pub(super) fn scratch(sizes: &Sizes) -> [usize; 9] {
    let queries = sizes.queries.min(TILE);
    let &Sizes { d, dv, .. } = sizes;
    let pairs = queries * TILE;
    // dq's tile holds the output's values too, which may be wider.
    [queries * d, queries * dv, TILE * d, TILE * dv, pairs, pairs, queries * d.max(dv), TILE * d, TILE * dv]
}

/// What all pairs read.
struct Pairs<'a, T> {
    op: &'a Attention,
    sizes: &'a Sizes,
    inputs: &'a [&'a [T]],
    labels: &'a [i32],
    output: &'a [T],
    saved: &'a [T],
    upstream: &'a [T],
}

/// A thread's tiles.
struct Tiles<'a, T> {
    q: &'a mut [T],
    g: &'a mut [T],
    k: &'a mut [T],
    v: &'a mut [T],
    weights: &'a mut [T],
    slopes: &'a mut [T],
    dq: &'a mut [T],
    dk: &'a mut [T],
    dv: &'a mut [T],
    known: Known<T>,
}

impl<'a, T: Real> Tiles<'a, T> {
    fn new(sizes: &Sizes, room: &'a mut [T]) -> Self {
        let [q, g, k, v, weights, slopes, dq, dk, dv] = cut(room, scratch(sizes));
        let known = Known { top: [T::ZERO; TILE], inverse: [T::ZERO; TILE], dot: [T::ZERO; TILE] };
        Tiles { q, g, k, v, weights, slopes, dq, dk, dv, known }
    }
}

impl<T: Real> Pairs<'_, T> {
    /// Loads a tile of queries: scaled queries, the output's gradient, and what forward saved.
    fn load_queries(&self, row: usize, number: usize, (first, m): (usize, usize), tiles: &mut Tiles<'_, T>) {
        let sizes = self.sizes;
        let [q_width, _, _, o_width] = sizes.widths();
        let &Sizes { queries, heads, d, dv, .. } = sizes;
        let q = &mut tiles.q[..m * d];
        head(self.inputs[0], row, queries, q_width, number * d).load(first, m, d, q);
        scale(sizes.scale::<T>(), q);
        let (g, o) = (&mut tiles.g[..m * dv], &mut tiles.dq[..m * dv]);
        head(self.upstream, row, queries, o_width, number * dv).load(first, m, dv, g);
        head(self.output, row, queries, o_width, number * dv).load(first, m, dv, o);
        for (r, (g, o)) in g.chunks_exact(dv).zip(o.chunks_exact(dv)).enumerate() {
            tiles.known.dot[r] = reduce::dot(g, o);
            let saved = ((row * queries + first + r) * heads + number) * 2;
            tiles.known.top[r] = self.saved[saved];
            tiles.known.inverse[r] = self.saved[saved + 1];
        }
    }

    /// Loads a tile of keys and values.
    fn load_keys(&self, row: usize, shared: usize, start: usize, tiles: &mut Tiles<'_, T>) {
        let sizes = self.sizes;
        let [_, k_width, v_width, _] = sizes.widths();
        let &Sizes { keys, d, dv, .. } = sizes;
        let live = TILE.min(keys - start);
        let n = columns(live);
        head(self.inputs[1], row, keys, k_width, shared * d).load(start, live, d, &mut tiles.k[..n * d]);
        head(self.inputs[2], row, keys, v_width, shared * dv).load(start, live, dv, &mut tiles.v[..n * dv]);
    }

    /// Weights and slopes of the loaded tiles; the number of columns, or `None` where no query may see a key of the tile.
    fn weigh(&self, row: usize, (first, m): (usize, usize), start: usize, tiles: &mut Tiles<'_, T>) -> Option<usize> {
        let (op, sizes, alone) = (self.op, self.sizes, Team::single());
        let live = TILE.min(sizes.keys - start);
        let limits = limits(op, (first, m, 0), (start, live), op.length(self.labels, row))?;
        let (n, d, dv) = (columns(live), sizes.d, sizes.dv);
        let (scores, slopes) = (&mut tiles.weights[..m * n], &mut tiles.slopes[..m * n]);
        product_nt(&alone, m, n, d, tiles.q, tiles.k, scores, None);
        product_nt(&alone, m, n, dv, tiles.g, tiles.v, slopes, None);
        let mask = op.given(self.inputs, sizes, row);
        let sight = Sight { limits: &limits, given: given(mask, sizes, first, start), keys: sizes.keys };
        vectorized(Harden { columns: n, scores, slopes, sight, known: &tiles.known });
        Some(n)
    }

    /// Adds the pair's part of dq to the tile's queries in `dq`, whose first row is the tile's first query.
    fn to_queries(&self, m: usize, n: usize, number: usize, tiles: &mut Tiles<'_, T>, dq: &mut [T]) {
        let (width, d) = (self.sizes.widths()[0], self.sizes.d);
        let part = &mut tiles.dq[..m * d];
        product_nn(&Team::single(), m, d, n, tiles.slopes, tiles.k, part, false);
        put(part, d, dq, width, number * d, true);
    }

    /// Adds the pair's part of dk and dv to the sums.
    fn to_keys(&self, m: usize, n: usize, tiles: &mut Tiles<'_, T>) {
        let (alone, d, dv) = (Team::single(), self.sizes.d, self.sizes.dv);
        product_tn(&alone, n, dv, m, tiles.weights, tiles.g, tiles.dv);
        product_tn(&alone, n, d, m, tiles.slopes, tiles.q, tiles.dk);
    }

    /// All pairs of one tile of keys: dk and dv of all heads, and where there is a `dq` (of the whole row) its part of that.
    fn keys(&self, row: usize, start: usize, room: &mut [T], dk: &mut [T], dv: &mut [T], dq: Option<&mut [T]>) {
        let sizes = self.sizes;
        let [q_width, k_width, v_width, _] = sizes.widths();
        let mut tiles = Tiles::new(sizes, room);
        let mut dq = dq;
        for shared in 0..sizes.kv_heads {
            self.load_keys(row, shared, start, &mut tiles);
            tiles.dk.fill(T::ZERO);
            tiles.dv.fill(T::ZERO);
            for number in shared * sizes.group()..(shared + 1) * sizes.group() {
                for first in (0..sizes.queries).step_by(TILE) {
                    let m = TILE.min(sizes.queries - first);
                    // Before the diagonal there is nothing to load.
                    if self.op.causal && first + m <= start {
                        continue;
                    }
                    self.load_queries(row, number, (first, m), &mut tiles);
                    let Some(n) = self.weigh(row, (first, m), start, &mut tiles) else { continue };
                    self.to_keys(m, n, &mut tiles);
                    if let Some(dq) = &mut dq {
                        self.to_queries(m, n, number, &mut tiles, &mut dq[first * q_width..(first + m) * q_width]);
                    }
                }
            }
            put(tiles.dk, sizes.d, dk, k_width, shared * sizes.d, false);
            put(tiles.dv, sizes.dv, dv, v_width, shared * sizes.dv, false);
        }
    }

    /// All pairs of one tile of queries: dq.
    fn queries(&self, row: usize, (first, m): (usize, usize), room: &mut [T], dq: &mut [T]) {
        let sizes = self.sizes;
        let mut tiles = Tiles::new(sizes, room);
        dq.fill(T::ZERO);
        for number in 0..sizes.heads {
            self.load_queries(row, number, (first, m), &mut tiles);
            for start in (0..sizes.keys).step_by(TILE) {
                if self.op.causal && first + m <= start {
                    break;
                }
                self.load_keys(row, number / sizes.group(), start, &mut tiles);
                let Some(n) = self.weigh(row, (first, m), start, &mut tiles) else { continue };
                self.to_queries(m, n, number, &mut tiles, dq);
            }
        }
        scale(sizes.scale::<T>(), dq);
    }
}

pub(super) fn backward<T: Real>(op: &Attention, sizes: &Sizes, io: Backward<'_, '_, T>) {
    let [q_width, k_width, v_width, _] = sizes.widths();
    let [dq, dk, dv, ..] = io.input_gradients else { return };
    if op.cache > 0 && io.context.time > 0 {
        for gradient in [dq, dk, dv].into_iter().flatten() {
            gradient.fill(T::from_f64(f64::NAN));
        }
        return;
    }
    let pairs = Pairs {
        op,
        sizes,
        inputs: io.inputs,
        labels: io.labels,
        output: io.output,
        saved: io.saved,
        upstream: io.upstream,
    };
    let (team, rows) = (io.context.team, io.rows);
    let dq: &mut [T] = dq.as_deref_mut().unwrap_or_default();
    let dk: &mut [T] = dk.as_deref_mut().unwrap_or_default();
    let dv: &mut [T] = dv.as_deref_mut().unwrap_or_default();
    let work = [rows, sizes.queries, sizes.keys, sizes.heads, 3 * sizes.d + 2 * sizes.dv]
        .map(|size| size as u64)
        .iter()
        .product();
    if rows >= team.threads() {
        let widths = [sizes.queries * q_width, sizes.keys * k_width, sizes.keys * v_width];
        let units = Units { rows, positions: 1, run: 1, widths, pieces: [dq, dk, dv], row: 0, first: 0 };
        spread(team, work, units, io.scratch, &|unit, room| {
            let [dq, dk, dv] = unit.pieces;
            dq.fill(T::ZERO);
            for start in (0..sizes.keys).step_by(TILE) {
                let of = |piece: usize, width: usize| (start * width).min(piece)..((start + TILE) * width).min(piece);
                let (dk_tile, dv_tile) = (of(dk.len(), k_width), of(dv.len(), v_width));
                let dq = if dq.is_empty() { None } else { Some(&mut *dq) };
                pairs.keys(unit.row, start, room, &mut dk[dk_tile], &mut dv[dv_tile], dq);
            }
            scale(sizes.scale::<T>(), dq);
        });
        return;
    }
    if !dq.is_empty() {
        let positions = sizes.queries;
        let units = Units { rows, positions, run: TILE, widths: [q_width], pieces: [dq], row: 0, first: 0 };
        spread(team, work, units, io.scratch, &|unit, room| {
            let [dq] = unit.pieces;
            pairs.queries(unit.row, (unit.first, unit.count), room, dq);
        });
    }
    if !dk.is_empty() || !dv.is_empty() {
        let positions = sizes.keys;
        let units =
            Units { rows, positions, run: TILE, widths: [k_width, v_width], pieces: [dk, dv], row: 0, first: 0 };
        spread(team, work, units, io.scratch, &|unit, room| {
            let [dk, dv] = unit.pieces;
            pairs.keys(unit.row, unit.first, room, dk, dv, None);
        });
    }
}
