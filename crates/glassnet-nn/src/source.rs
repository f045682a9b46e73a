//! Where batches come from: a view of rows by number. The training loop gathers the rows of a batch once, into the arena.

use glassnet_core::Real;
use glassnet_kernels::prefetch;

/// Which pass over the training rows a batch belongs to, and where in that pass its first row stands. Row `i` of the batch
/// has the place `position + i`: whatever is drawn for a row is a function of (seed, epoch, place), so that it does not
/// depend on how the epoch is cut into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Draw {
    /// The seed of the run.
    pub seed: u64,
    /// The epoch, from 0.
    pub epoch: u32,
    /// The place of the batch's first row in the epoch, from 0.
    pub position: u64,
}

/// Rows with their targets. Implemented by matrices here and by encoded tables and images on the floors above.
pub trait Source<T: Real>: Sync {
    /// Number of rows.
    fn rows(&self) -> usize;

    /// Numbers of a row.
    fn width(&self) -> usize;

    /// Writes the features of `rows` one after the other to `out` (`rows.len() * width` numbers).
    fn features(&self, rows: &[u32], out: &mut [T]);

    /// The same for a training step: a source that changes its rows at random (images that are flipped and shifted) draws
    /// the change by `at`. By default the rows are as they are. Evaluation and prediction never call this.
    fn features_at(&self, rows: &[u32], _at: Draw, out: &mut [T]) {
        self.features(rows, out);
    }

    /// Writes the tokens of `rows` one after the other to `out` (`rows.len() * width` whole numbers), where rows are
    /// tokens.
    fn tokens(&self, _rows: &[u32], out: &mut [i32]) {
        out.fill(-1);
    }

    /// Number of live time steps of a row, where rows are sequences of different lengths.
    fn length(&self, _row: u32) -> usize {
        self.width()
    }

    /// Labels of a row: 1, or one for each time step.
    fn labels_width(&self) -> usize {
        1
    }

    /// Writes the labels of a row, [`Source::labels_width`] of them.
    fn labels(&self, row: u32, out: &mut [i32]) {
        out.fill(self.label(row));
    }

    /// Whether the labels of all rows are below `classes` (or ignored), where the source can tell without going through the
    /// rows: windows of one text overlap, and their rows hold each token many times.
    fn labels_below(&self, _classes: usize) -> Option<bool> {
        None
    }

    /// The class number of a row (0 where targets are not classes).
    fn label(&self, row: u32) -> i32;

    /// Number of target values of a row (1 for class numbers).
    fn target_width(&self) -> usize;

    /// Writes the target values of a row; a class number where targets are classes.
    fn values(&self, row: u32, out: &mut [T]);

    /// Whether the rows have targets.
    fn has_targets(&self) -> bool {
        true
    }

    /// A network's output in the target's own unit, where targets are standardised: what scores are taken of.
    fn restore(&self, output: f64) -> f64 {
        output
    }

    /// Weight of a row.
    fn weight(&self, _row: u32) -> f64 {
        1.0
    }

    /// Whether every row is known to weigh 1, so that nobody needs to ask for the weight of each.
    fn weighs_equally(&self) -> bool {
        false
    }

    /// Writes the labels of `rows` one after the other, [`Source::labels_width`] of each.
    fn labels_of(&self, rows: &[u32], out: &mut [i32]) {
        let width = self.labels_width().max(1);
        for (labels, &row) in out.chunks_exact_mut(width).zip(rows) {
            self.labels(row, labels);
        }
    }
}

/// Copies rows of `width` numbers: those of `from` that `rows` names, one after the other. Rows of few numbers are copied
/// without a call for each.
pub(crate) fn copy_rows<T: Copy>(from: &[T], width: usize, rows: &[u32], out: &mut [T]) {
    fn few<T: Copy, const W: usize>(from: &[T], rows: &[u32], out: &mut [T]) {
        let (from, out) = (from.as_chunks::<W>().0, out.as_chunks_mut::<W>().0);
        for (out, &row) in out.iter_mut().zip(rows) {
            *out = from[row as usize];
        }
    }
    match width {
        0 => {}
        1 => few::<T, 1>(from, rows, out),
        2 => few::<T, 2>(from, rows, out),
        3 => few::<T, 3>(from, rows, out),
        4 => few::<T, 4>(from, rows, out),
        5 => few::<T, 5>(from, rows, out),
        6 => few::<T, 6>(from, rows, out),
        7 => few::<T, 7>(from, rows, out),
        8 => few::<T, 8>(from, rows, out),
        16 => few::<T, 16>(from, rows, out),
        _ => {
            for (place, (out, &row)) in out.chunks_exact_mut(width).zip(rows).enumerate() {
                // Rows lie anywhere: the next but one is asked for while this one is copied.
                if let Some(&ahead) = rows.get(place + AHEAD) {
                    prefetch(&from[ahead as usize * width..][..width.min(LONGEST)]);
                }
                let start = row as usize * width;
                out.copy_from_slice(&from[start..start + width]);
            }
        }
    }
}

/// Rows between the one that is copied and the one that is asked for.
const AHEAD: usize = 2;

/// Numbers of a row that are asked for ahead; the processor sees by itself how a longer one goes on.
const LONGEST: usize = 2048;

/// Targets of a [`Matrix`].
#[derive(Debug, Clone, PartialEq)]
pub enum Targets<T> {
    /// One class number a row; of sequences one for each time step, row after row.
    Labels(Vec<i32>),
    /// Values, `[rows, width]`.
    Values(Vec<T>, usize),
    /// None.
    None,
}

/// Rows in memory, row-major. Rows of tokens are whole numbers as numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix<T> {
    /// Features, `[rows, width]`.
    pub x: Vec<T>,
    /// Numbers of a row.
    pub width: usize,
    /// Targets.
    pub targets: Targets<T>,
    /// Row weights; empty: all 1.
    pub weights: Vec<f64>,
}

impl<T: Real> Matrix<T> {
    /// Rows with class numbers.
    pub fn with_labels(x: Vec<T>, width: usize, labels: Vec<i32>) -> Self {
        Matrix { x, width, targets: Targets::Labels(labels), weights: Vec::new() }
    }

    /// Rows with `outputs` target values each.
    pub fn with_values(x: Vec<T>, width: usize, values: Vec<T>, outputs: usize) -> Self {
        Matrix { x, width, targets: Targets::Values(values, outputs), weights: Vec::new() }
    }
}

impl<T: Real> Source<T> for Matrix<T> {
    fn rows(&self) -> usize {
        self.x.len().checked_div(self.width).unwrap_or(0)
    }

    fn width(&self) -> usize {
        self.width
    }

    fn features(&self, rows: &[u32], out: &mut [T]) {
        copy_rows(&self.x, self.width, rows, out);
    }

    fn tokens(&self, rows: &[u32], out: &mut [i32]) {
        for (&row, out) in rows.iter().zip(out.chunks_exact_mut(self.width.max(1))) {
            let start = row as usize * self.width;
            for (token, x) in out.iter_mut().zip(&self.x[start..start + self.width]) {
                *token = x.to_f64() as i32;
            }
        }
    }

    fn labels_width(&self) -> usize {
        match &self.targets {
            Targets::Labels(labels) => labels.len().checked_div(self.rows()).unwrap_or(1).max(1),
            _ => 1,
        }
    }

    fn labels(&self, row: u32, out: &mut [i32]) {
        let width = self.labels_width();
        match &self.targets {
            Targets::Labels(labels) if width > 1 => {
                let start = row as usize * width;
                let own = labels[start..start + width].iter().copied();
                out.iter_mut().zip(own).for_each(|(out, label)| *out = label);
            }
            _ => out.fill(self.label(row)),
        }
    }

    fn label(&self, row: u32) -> i32 {
        match &self.targets {
            // Labels of time steps are no label of the row.
            Targets::Labels(labels) if self.labels_width() == 1 => labels[row as usize],
            _ => 0,
        }
    }

    fn target_width(&self) -> usize {
        match self.targets {
            Targets::Values(_, width) => width,
            _ => 1,
        }
    }

    fn values(&self, row: u32, out: &mut [T]) {
        match &self.targets {
            Targets::Labels(_) => out.fill(T::from_f64(f64::from(self.label(row)))),
            Targets::Values(values, width) => {
                for (out, &value) in out.iter_mut().zip(&values[row as usize * width..]) {
                    *out = value;
                }
            }
            Targets::None => out.fill(T::ZERO),
        }
    }

    fn has_targets(&self) -> bool {
        self.targets != Targets::None
    }

    fn weight(&self, row: u32) -> f64 {
        self.weights.get(row as usize).copied().unwrap_or(1.0)
    }

    fn weighs_equally(&self) -> bool {
        self.weights.is_empty()
    }

    fn labels_of(&self, rows: &[u32], out: &mut [i32]) {
        match &self.targets {
            Targets::Labels(labels) => copy_rows(labels, self.labels_width(), rows, out),
            _ => out.fill(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_width_are_copied_whole() {
        for width in 1..20 {
            let from: Vec<usize> = (0..width * 9).collect();
            let mut out = vec![0; width * 4];
            copy_rows(&from, width, &[8, 0, 3, 3], &mut out);
            let wanted: Vec<usize> = [8, 0, 3, 3].iter().flat_map(|row| row * width..(row + 1) * width).collect();
            assert_eq!(out, wanted, "{width}");
        }
    }

    #[test]
    fn labels_of_several_rows_are_those_of_each() {
        for width in [1, 3] {
            let data = Matrix::with_labels(vec![0.5_f32; 4], 1, (0..4 * width as i32).collect());
            let mut together = vec![-7; 2 * width];
            data.labels_of(&[3, 1], &mut together);
            let mut alone = vec![-7; 2 * width];
            for (labels, row) in alone.chunks_exact_mut(width).zip([3, 1]) {
                data.labels(row, labels);
            }
            assert_eq!(together, alone);
        }
    }
}
