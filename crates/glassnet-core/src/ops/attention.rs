//! Scaled dot-product attention with several heads, by tiles: memory grows with the length of a sequence, not with its square.
//!
//! Inputs: queries `q [B, T, heads * d]`, keys `k [B, S, kv_heads * d]`, values `v [B, S, kv_heads * dv]`; output
//! `[B, T, heads * dv]`. Query head h uses key head `h / (heads / kv_heads)` (grouped heads). For each head
//! `s_tj = q_t . k_j / sqrt(d)`, `p_t = softmax(s_t)` over the keys that t may see, `o_t = sum_j p_tj v_j`.
//!
//! What t may see: with `causal` the keys j <= t; with [`Mask::Lengths`] (a fourth input, whole numbers `[B]`) keys j < length;
//! with [`Mask::Given`] (a fourth input `[B, T, S]`, the same for all heads, no gradient) keys whose number is not 0.
//! A query that may see no key gives 0, and no gradient.
//!
//! # Order of arithmetic
//! Keys come in tiles of 64 at absolute positions, ascending, with a running maximum and rescaling (Milakov & Gimelshein 2018),
//! whatever the length. A score is one chain of fused multiply-adds over the head's width, the query being scaled before; a
//! row's sum of a tile is the 16-lane tree; a tile's part of the output is one chain over its 64 keys, added to what is
//! there. So a query's bytes depend on the keys that it may see and on nothing else, and decoding with a cache gives the bytes
//! of the whole sequence.
//!
//! # Backward
//! Forward saves the maximum and the reciprocal sum of each (query, head); backward computes each tile's p again
//! (FlashAttention, Dao et al. 2022). With g the gradient of o: `D_t = g_t . o_t`, `dp_tj = g_t . v_j`, `ds_tj = p_tj (dp_tj - D_t)`,
//! `dv_j = sum_t p_tj g_t`, `dq_t = sum_j ds_tj k_j / sqrt(d)`, `dk_j = sum_t ds_tj q_t / sqrt(d)`. `dq` sums over key tiles
//! ascending, one chain a tile; `dk` and `dv` over the group's heads, then tiles of 64 queries ascending, one chain a tile.
//!
//! # Cache
//! With `cache: n > 0` the keys and values of up to n positions are kept as state: forward appends the T new ones at
//! [`Context::time`](super::Context) and t stands at position `time + t`. A query past position n gives NaN: who generates
//! moves the window before. Such a plan is for generation; backward is that of a sequence that starts at time 0, and NaN at
//! any other time.
//!
//! Cost of one row: 2 T S heads (d + dv) forward, 2 T S heads (3 d + 2 dv) backward, about half of it where causal.
//! Source: Vaswani et al. 2017; Ainslie et al. 2023 (grouped heads).
//!
//! ```
//! use std::sync::Arc;
//! use glassnet_core::{Graph, Op, Plan, Purpose, Request, Runner, StepInfo, Team, ops::attention::Attention};
//!
//! // Three steps, one head of width 1; queries of 0 like all keys equally, so that each step sees a mean.
//! let mut graph = Graph::new();
//! let inputs = ["q", "k", "v"].map(|name| graph.input(name, [3, 1]));
//! let y = graph.push("0", Op::Attention(Attention::new(1, true)), &inputs)?;
//! let (purpose, outputs) = (Purpose::Predict, vec![y]);
//! let request = Request { purpose, rows: 1, backward_from: None, outputs, training: false, checkpoint: false };
//! let mut runner = Runner::<f64>::new(Arc::new(Plan::new(&graph, request)), Team::single());
//! runner.set_rows(1);
//! runner.input_mut(inputs[1]).copy_from_slice(&[1.0, 2.0, 3.0]);
//! runner.input_mut(inputs[2]).copy_from_slice(&[6.0, 8.0, 1.0]);
//! runner.forward(&[], &StepInfo::default());
//! assert_eq!(runner.value(y), Some(&[6.0, 7.0, 5.0][..]));
//! # Ok::<(), glassnet_core::GraphError>(())
//! ```

mod backward;
mod forward;
mod tile;
mod units;

use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Pass, Sample};
use crate::Real;
use crate::shape::{DType, Shape};

/// Which keys a query may see, besides causality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// All.
    None,
    /// Those before the row's length, the fourth input (whole numbers `[B]`).
    Lengths,
    /// Those whose number in the fourth input, `[B, T, S]`, is not 0.
    Given,
}

/// Scaled dot-product attention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attention {
    /// Heads of the queries.
    pub heads: usize,
    /// Heads of the keys and values; divides `heads`.
    pub kv_heads: usize,
    /// Whether a query may see only positions up to its own.
    pub causal: bool,
    /// What else a query may not see.
    pub mask: Mask,
    /// Positions of keys and values to keep from step to step; 0: none.
    pub cache: usize,
}

/// What the shapes say.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// Queries, T.
    queries: usize,
    /// Keys of the input, S.
    keys: usize,
    heads: usize,
    kv_heads: usize,
    /// Width of a head's queries and keys.
    d: usize,
    /// Width of a head's values.
    dv: usize,
}

impl Sizes {
    /// Query heads that share a key head.
    fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    /// Elements of one position: of q, of k, of v, of the output.
    fn widths(&self) -> [usize; 4] {
        [self.heads * self.d, self.kv_heads * self.d, self.kv_heads * self.dv, self.heads * self.dv]
    }

    fn scale<T: Real>(&self) -> T {
        T::from_f64(1.0 / (self.d as f64).sqrt())
    }
}

impl Attention {
    /// Attention with as many heads of keys as of queries, no mask but causality, no cache.
    pub fn new(heads: usize, causal: bool) -> Self {
        Attention { heads, kv_heads: heads, causal, mask: Mask::None, cache: 0 }
    }

    /// Sizes of inputs whose shapes have been checked.
    fn sizes<S: std::borrow::Borrow<Shape>>(&self, shapes: &[S]) -> Sizes {
        let axis = |input: usize, axis: usize| shapes[input].borrow().0.get(axis).copied().unwrap_or(1);
        Sizes {
            queries: axis(0, 0),
            keys: axis(1, 0),
            heads: self.heads.max(1),
            kv_heads: self.kv_heads.max(1),
            d: axis(0, 1) / self.heads.max(1),
            dv: axis(2, 1) / self.kv_heads.max(1),
        }
    }

    /// One past the last key that a query at `position` may see of `count` keys; a given mask comes on top.
    fn limit(&self, position: usize, count: usize, length: Option<i32>) -> usize {
        let causal = if self.causal { position + 1 } else { count };
        let length = length.map_or(count, |length| usize::try_from(length).unwrap_or(0));
        count.min(causal).min(length)
    }

    /// The row's length where there are lengths.
    fn length(&self, labels: &[i32], row: usize) -> Option<i32> {
        if self.mask == Mask::Lengths { labels.get(row).copied() } else { None }
    }

    /// The given mask of one row, `[T, S]`.
    fn given<'a, T>(&self, inputs: &[&'a [T]], sizes: &Sizes, row: usize) -> Option<&'a [T]> {
        let size = sizes.queries * sizes.keys;
        if self.mask == Mask::Given {
            inputs.get(3).and_then(|mask| mask.get(row * size..(row + 1) * size))
        } else {
            None
        }
    }

    fn check_mask(&self, sizes: &Sizes, mask: &Shape) -> Result<(), String> {
        if self.mask == Mask::Lengths && mask.len() != 1 {
            return Err(format!("lengths are one whole number a row, [B], but they are {mask}"));
        }
        if self.mask == Mask::Given && mask.0 != [sizes.queries, sizes.keys] {
            return Err(format!(
                "a mask says for each of {} queries which of {} keys it may see, [B, {}, {}], but it is {mask}",
                sizes.queries, sizes.keys, sizes.queries, sizes.keys
            ));
        }
        Ok(())
    }
}

impl Operation for Attention {
    fn card(&self) -> Card {
        Card {
            name: "attention",
            family: Family::Sequence,
            formula: "o_t = sum_j p_tj v_j, p_t = softmax(q_t . k_j / sqrt(d))",
            derivative: "ds = p (g . v - g . o), dq = ds k / sqrt(d), dk = ds^T q / sqrt(d), dv = p^T g",
            range: "within the values",
            used: "transformers",
            source: "Vaswani et al. 2017; Dao et al. 2022 (tiles)",
        }
    }

    fn arity(&self) -> usize {
        if self.mask == Mask::None { 3 } else { 4 }
    }

    fn input_dtype(&self, index: usize) -> DType {
        if index == 3 && self.mask == Mask::Lengths { DType::I32 } else { DType::Real }
    }

    fn differentiable(&self, index: usize) -> bool {
        index < 3
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let (q, k, v) = (inputs[0], inputs[1], inputs[2]);
        let (&[_, q_width], &[keys, k_width], &[values, v_width]) = (&q.0[..], &k.0[..], &v.0[..]) else {
            return Err(format!(
                "attention needs sequences of vectors, [B, T, C], but queries, keys and values are {q}, {k} and {v}"
            ));
        };
        if q.is_empty() || k.is_empty() || v.is_empty() {
            return Err(format!(
                "attention needs at least one query, one key and one number each, but its inputs are {q}, {k} and {v}"
            ));
        }
        if self.heads == 0 || self.kv_heads == 0 || !self.heads.is_multiple_of(self.kv_heads) {
            return Err(format!(
                "{} heads of queries are not a multiple of {} heads of keys; choose key heads that divide the heads",
                self.heads, self.kv_heads
            ));
        }
        if !q_width.is_multiple_of(self.heads) {
            return Err(format!(
                "{} heads do not divide the width {q_width} of the queries {q}; choose heads that divide it",
                self.heads
            ));
        }
        for (what, shape, width) in [("keys", k, k_width), ("values", v, v_width)] {
            if !width.is_multiple_of(self.kv_heads) {
                return Err(format!(
                    "{} heads do not divide the width {width} of the {what} {shape}; choose heads that divide it",
                    self.kv_heads
                ));
            }
        }
        if q_width / self.heads != k_width / self.kv_heads {
            return Err(format!(
                "a head of the queries {q} is {} wide and one of the keys {k} is {}; give both the same width a head",
                q_width / self.heads,
                k_width / self.kv_heads
            ));
        }
        if keys != values {
            return Err(format!("there must be as many values as keys, but keys are {k} and values {v}"));
        }
        let sizes = self.sizes(inputs);
        if self.mask != Mask::None {
            self.check_mask(&sizes, inputs[3])?;
        }
        if self.cache > 0 {
            if self.mask == Mask::Given {
                return Err("a given mask does not go with a cache; use lengths, or no cache".into());
            }
            if keys != sizes.queries {
                return Err(format!(
                    "with a cache each step brings as many keys as queries, but queries are {q} and keys {k}"
                ));
            }
            if keys > self.cache {
                return Err(format!(
                    "a sequence of {keys} is longer than the context of {}: the input is {q}; cut the sequence or make the cache longer",
                    self.cache
                ));
            }
        }
        Ok(Shape(vec![sizes.queries, sizes.heads * sizes.dv]))
    }

    fn needs(&self, inputs: &[&Shape]) -> Needs {
        let sizes = self.sizes(inputs);
        Needs { inputs: true, output: true, saved: 2 * sizes.queries * sizes.heads }
    }

    fn state(&self, inputs: &[&Shape]) -> usize {
        let [_, k, v, _] = self.sizes(inputs).widths();
        self.cache * (k + v)
    }

    fn scratch(&self, inputs: &[&Shape], pass: Pass) -> usize {
        let sizes = self.sizes(inputs);
        match pass {
            Pass::Forward | Pass::Predict => forward::scratch(&sizes).iter().sum(),
            Pass::Backward => backward::scratch(&sizes).iter().sum(),
        }
    }

    fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
        let sizes = self.sizes(inputs);
        let pairs = if self.causal {
            let first = sizes.queries.min(sizes.keys);
            first * (first + 1) / 2 + (sizes.queries - first) * sizes.keys
        } else {
            sizes.queries * sizes.keys
        };
        let (pairs, d, dv) = ((pairs * sizes.heads) as u64, sizes.d as u64, sizes.dv as u64);
        // 12 for each exponential.
        Cost { forward: pairs * (2 * (d + dv) + 14), backward: pairs * (2 * (3 * d + 2 * dv) + 16) }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        forward::forward(self, &self.sizes(io.shapes), io);
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        backward::backward(self, &self.sizes(io.shapes), io);
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let sizes = self.sizes(operands.shapes);
        let (q, k, v) = (operands.inputs[0], operands.inputs[1], operands.inputs[2]);
        let [q_width, k_width, v_width, _] = sizes.widths();
        let mut out = Vec::new();
        for row in 0..operands.rows {
            let given = self.given(operands.inputs, &sizes, row);
            for t in 0..sizes.queries {
                let limit = self.limit(t, sizes.keys, self.length(operands.labels, row));
                for head in 0..sizes.heads {
                    let kv_head = head / sizes.group();
                    let query = &q[(row * sizes.queries + t) * q_width + head * sizes.d..][..sizes.d];
                    let weight = |j: usize| {
                        if j >= limit || given.is_some_and(|given| given[t * sizes.keys + j] == 0.0) {
                            return 0.0;
                        }
                        let key = &k[(row * sizes.keys + j) * k_width + kv_head * sizes.d..][..sizes.d];
                        let score: f64 = query.iter().zip(key).map(|(q, k)| q * k).sum();
                        Real::exp(score / (sizes.d as f64).sqrt())
                    };
                    let weights: Vec<f64> = (0..sizes.keys).map(weight).collect();
                    let total: f64 = weights.iter().sum();
                    for i in 0..sizes.dv {
                        let value = |j: usize| v[(row * sizes.keys + j) * v_width + kv_head * sizes.dv + i];
                        let sum: f64 = weights.iter().enumerate().map(|(j, weight)| weight * value(j)).sum();
                        out.push(if total > 0.0 { sum / total } else { 0.0 });
                    }
                }
            }
        }
        out
    }

    fn samples() -> Vec<Sample<Self>> {
        // rows, queries, keys, heads, key heads, width of a head, width of a value.
        let sample = |causal, mask, cache, size: [usize; 7]| {
            let [rows, queries, keys, heads, kv_heads, d, dv] = size;
            let op = Attention { heads, kv_heads, causal, mask, cache };
            let of = |steps: usize, width: usize| Shape::from([steps, width]);
            let (q, k, v) = (of(queries, heads * d), of(keys, kv_heads * d), of(keys, kv_heads * dv));
            let narrow = |sample: Sample<Self>| sample.domain(0, -1.5, 1.5).domain(1, -1.5, 1.5);
            match mask {
                Mask::None => narrow(Sample::new(op, rows, [q, k, v])),
                Mask::Lengths => narrow(Sample::new(op, rows, [q, k, v, Shape::default()])).integers(0, keys + 2),
                Mask::Given => narrow(Sample::new(op, rows, [q, k, v, of(queries, keys)])),
            }
        };
        vec![
            sample(false, Mask::None, 0, [1, 1, 1, 1, 1, 1, 1]),
            sample(false, Mask::None, 0, [3, 5, 7, 2, 2, 3, 2]),
            sample(true, Mask::None, 0, [2, 7, 7, 3, 1, 2, 5]),
            sample(true, Mask::None, 0, [2, 5, 3, 4, 2, 1, 3]),
            sample(true, Mask::None, 0, [1, 70, 70, 1, 1, 2, 1]),
            sample(false, Mask::None, 0, [2, 3, 131, 2, 1, 1, 1]),
            sample(false, Mask::Lengths, 0, [6, 3, 4, 2, 2, 3, 1]),
            sample(true, Mask::Lengths, 0, [3, 6, 6, 2, 1, 2, 2]),
            sample(false, Mask::Given, 0, [2, 3, 5, 1, 1, 4, 3]),
            sample(false, Mask::Given, 0, [2, 3, 2, 1, 1, 2, 1]).domain(3, 0.0, 0.0),
            sample(true, Mask::None, 9, [2, 5, 5, 2, 2, 2, 2]),
        ]
    }
}
