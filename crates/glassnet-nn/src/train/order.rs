//! In which order an epoch takes its rows.
//!
//! - *Shuffled*: a permutation that depends on seed and epoch only; of a source with more rows than an epoch has (all
//!   windows of a text) its first part.
//! - *By length*, where rows differ in length: runs of [`RUN`] batches are sorted, longest first, so that the rows of a batch
//!   end at about the same time step; the batches then change places. Which rows meet is still drawn anew each epoch.
//! - *Streams*, for truncated back-propagation through time: the rows, windows of one long sequence, are cut in as many
//!   streams as a batch has rows; row b of step k is window k of stream b, so that it goes on where row b of the step before
//!   ended. What does not fill all streams is left out.

use glassnet_core::random::{Draws, Purpose as Stream};

/// Batches whose rows are sorted by length together.
const RUN: usize = 50;

/// How an epoch's rows are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    pub shuffle: bool,
    pub seed: u64,
    pub streams: bool,
    /// Rows of an epoch; all where `None`.
    pub rows: Option<usize>,
    /// Rows of an optimizer step.
    pub batch: usize,
    /// Whether rows that fill no whole step are left out of an epoch, unless they are all.
    pub drop_last: bool,
}

impl Order {
    /// Rows of an epoch where the source has so many.
    pub fn epoch_rows(&self, rows: usize) -> usize {
        if self.streams {
            let batch = self.batch.min(rows).max(1);
            return rows / batch * batch;
        }
        let rows = self.rows.map_or(rows, |limit| limit.clamp(1, rows.max(1)).min(rows));
        if self.drop_last && rows > self.batch { rows - rows % self.batch.max(1) } else { rows }
    }

    /// Writes the rows of an epoch to `order`; `length` gives a row's number of time steps where rows differ in it.
    pub fn fill(&self, rows: &[u32], epoch: u32, length: Option<&dyn Fn(u32) -> usize>, order: &mut Vec<u32>) {
        order.clear();
        if self.streams {
            let batch = self.batch.min(rows.len()).max(1);
            let steps = rows.len() / batch;
            for step in 0..steps {
                order.extend((0..batch).map(|stream| rows[stream * steps + step]));
            }
            return;
        }
        order.extend_from_slice(rows);
        let draws = Draws::new(self.seed, Stream::Shuffle, 0, epoch);
        if self.shuffle {
            draws.shuffle(order);
        }
        order.truncate(self.epoch_rows(rows.len()));
        let Some(length) = length else { return };
        for run in order.chunks_mut(self.batch.saturating_mul(RUN).max(1)) {
            run.sort_by_key(|&row| std::cmp::Reverse(length(row)));
        }
        if self.shuffle {
            // The last, shorter batch stays at the end.
            let whole = order.len() / self.batch.max(1);
            let mut places: Vec<u32> = (0..whole as u32).collect();
            Draws::new(self.seed, Stream::Shuffle, 1, epoch).shuffle(&mut places);
            let sorted = order.clone();
            for (place, &from) in places.iter().enumerate() {
                let (to, from) = (place * self.batch, from as usize * self.batch);
                order[to..to + self.batch].copy_from_slice(&sorted[from..from + self.batch]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Order = Order { shuffle: true, seed: 4, streams: false, rows: None, batch: 4, drop_last: false };

    fn filled(order: Order, rows: usize, epoch: u32, length: Option<&dyn Fn(u32) -> usize>) -> Vec<u32> {
        let rows: Vec<u32> = (0..rows as u32).collect();
        let mut out = Vec::new();
        order.fill(&rows, epoch, length, &mut out);
        out
    }

    #[test]
    fn every_row_comes_once_and_epochs_differ() {
        let (first, second) = (filled(PLAIN, 21, 0, None), filled(PLAIN, 21, 1, None));
        assert_ne!(first, second);
        for mut order in [first, second] {
            order.sort_unstable();
            assert_eq!(order, (0..21).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_epoch_may_be_a_part_of_the_rows() {
        let part = Order { rows: Some(8), ..PLAIN };
        assert_eq!(filled(part, 21, 0, None), filled(PLAIN, 21, 0, None)[..8]);
        assert_eq!(part.epoch_rows(5), 5);
    }

    #[test]
    fn the_last_short_batch_is_left_out_unless_it_is_all() {
        let order = Order { drop_last: true, ..PLAIN };
        assert_eq!(filled(order, 21, 0, None), filled(PLAIN, 21, 0, None)[..20]);
        assert_eq!([3, 4, 5, 7, 8].map(|rows| order.epoch_rows(rows)), [3, 4, 4, 4, 8]);
        let part = Order { rows: Some(10), ..order };
        assert_eq!([3, 10, 50].map(|rows| part.epoch_rows(rows)), [3, 8, 8]);
    }

    #[test]
    fn by_length_a_batch_holds_rows_of_one_length() {
        let length = |row: u32| (row % 5) as usize + 1;
        let order = filled(PLAIN, 40, 0, Some(&length));
        for batch in order.chunks(4) {
            let lengths: Vec<usize> = batch.iter().map(|&row| length(row)).collect();
            assert!(lengths.windows(2).all(|pair| pair[0] >= pair[1]), "{lengths:?}");
            assert!(lengths[0] - lengths[3] <= 1, "{lengths:?}");
        }
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..40).collect::<Vec<_>>());
        let firsts: Vec<usize> = order.chunks(4).map(|batch| length(batch[0])).collect();
        assert!(firsts.windows(2).any(|pair| pair[0] < pair[1]), "the batches change places: {firsts:?}");
    }

    #[test]
    fn a_stream_goes_on_where_it_ended() {
        let streams = Order { streams: true, batch: 3, ..PLAIN };
        assert_eq!(filled(streams, 8, 0, None), [0, 2, 4, 1, 3, 5]);
        assert_eq!(streams.epoch_rows(8), 6);
    }
}
