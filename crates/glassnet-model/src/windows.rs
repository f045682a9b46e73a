//! Windows of a text as a batch source: a row is `context` tokens, its labels are the tokens that follow each of them.

use std::sync::Arc;

use glassnet_core::Real;
use glassnet_core::ops::cross_entropy::IGNORED;
use glassnet_nn::source::Source;

/// Windows of a text. Row r begins at token `r * stride`.
#[derive(Debug, Clone)]
pub struct Windows {
    tokens: Arc<[i32]>,
    context: usize,
    stride: usize,
    rows: usize,
}

impl Windows {
    /// Every window, one beginning at each token: what training draws from.
    pub fn every(tokens: Arc<[i32]>, context: usize) -> Self {
        let rows = tokens.len().saturating_sub(context);
        Windows { tokens, context, stride: 1, rows }
    }

    /// Windows side by side: each token but the first is a label once. The last window may be shorter; what lies behind
    /// the text's end does not count. Used for validation, and for streams.
    pub fn side_by_side(tokens: Arc<[i32]>, context: usize) -> Self {
        let rows = tokens.len().saturating_sub(1).div_ceil(context.max(1));
        Windows { tokens, context, stride: context, rows }
    }

    /// Whole windows side by side, without a shorter one at the end: what streams go through.
    pub fn whole_side_by_side(tokens: Arc<[i32]>, context: usize) -> Self {
        let rows = tokens.len().saturating_sub(1) / context.max(1);
        Windows { tokens, context, stride: context, rows }
    }

    /// Bytes that the text takes.
    pub fn bytes(&self) -> usize {
        self.tokens.len() * size_of::<i32>()
    }

    /// Number of labels of a row that count.
    pub fn labelled(&self, row: u32) -> usize {
        let start = row as usize * self.stride;
        self.tokens.len().saturating_sub(start + 1).min(self.context)
    }

    /// The row's tokens and what follows them, as far as the text goes.
    fn piece(&self, row: u32, shift: usize) -> &[i32] {
        let start = (row as usize * self.stride + shift).min(self.tokens.len());
        &self.tokens[start..(start + self.context).min(self.tokens.len())]
    }
}

impl<T: Real> Source<T> for Windows {
    fn rows(&self) -> usize {
        self.rows
    }

    fn width(&self) -> usize {
        self.context
    }

    fn features(&self, _rows: &[u32], out: &mut [T]) {
        // Tokens are no features.
        out.fill(T::from_f64(f64::NAN));
    }

    fn tokens(&self, rows: &[u32], out: &mut [i32]) {
        for (out, &row) in out.chunks_exact_mut(self.context.max(1)).zip(rows) {
            let piece = self.piece(row, 0);
            out[..piece.len()].copy_from_slice(piece);
            out[piece.len()..].fill(-1);
        }
    }

    fn labels_width(&self) -> usize {
        self.context
    }

    fn labels(&self, row: u32, out: &mut [i32]) {
        let piece = self.piece(row, 1);
        for (label, token) in out.iter_mut().zip(piece.iter().copied().chain(std::iter::repeat(IGNORED))) {
            *label = token;
        }
    }

    fn labels_below(&self, classes: usize) -> Option<bool> {
        Some(self.tokens.iter().all(|&token| usize::try_from(token).is_ok_and(|token| token < classes)))
    }

    fn label(&self, _row: u32) -> i32 {
        0
    }

    fn target_width(&self) -> usize {
        1
    }

    fn values(&self, _row: u32, out: &mut [T]) {
        out.fill(T::from_f64(f64::NAN));
    }

    /// A row's loss is the mean over its labels: a window cut short weighs by its share.
    fn weight(&self, row: u32) -> f64 {
        self.labelled(row) as f64 / self.context.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(n: i32) -> Arc<[i32]> {
        (0..n).collect()
    }

    fn row(source: &Windows, row: u32) -> (Vec<i32>, Vec<i32>, f64) {
        let (mut x, mut y) = (vec![0; source.context], vec![0; source.context]);
        Source::<f32>::tokens(source, &[row], &mut x);
        Source::<f32>::labels(source, row, &mut y);
        (x, y, Source::<f32>::weight(source, row))
    }

    #[test]
    fn each_window_is_followed_by_its_next_tokens() {
        let every = Windows::every(tokens(6), 3);
        assert_eq!(Source::<f32>::rows(&every), 3);
        assert_eq!(row(&every, 2), (vec![2, 3, 4], vec![3, 4, 5], 1.0));
    }

    #[test]
    fn side_by_side_every_label_counts_once() {
        let side = Windows::side_by_side(tokens(6), 4);
        assert_eq!(Source::<f32>::rows(&side), 2);
        assert_eq!(row(&side, 0), (vec![0, 1, 2, 3], vec![1, 2, 3, 4], 1.0));
        assert_eq!(row(&side, 1), (vec![4, 5, -1, -1], vec![5, IGNORED, IGNORED, IGNORED], 0.25));
        assert_eq!(Source::<f32>::rows(&Windows::side_by_side(tokens(9), 4)), 2);
    }
}
