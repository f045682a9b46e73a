//! The rows with the highest scores: as many as are asked for are kept, so memory does not grow with the file.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use glassnet::model::Model;
use glassnet::model::explain::Reason;
use glassnet::nn::source::Source;

use super::chunks::Chunk;
use super::why::{RowValues, Why};
use crate::error::CliError;

/// A row that is kept.
pub struct Kept {
    /// Its number, from 1.
    pub row: u64,
    /// Its name, where a column has one.
    pub id: Option<String>,
    /// All its scores.
    pub scores: Vec<f32>,
    score: f32,
    inputs: Vec<f32>,
    values: RowValues,
}

impl Kept {
    /// Higher scores first, then earlier rows; what is no number last.
    fn rank(&self) -> (f32, Reverse<u64>) {
        (if self.score.is_nan() { f32::NEG_INFINITY } else { self.score }, Reverse(self.row))
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> Ordering {
        let ((a, first), (b, second)) = (self.rank(), other.rank());
        a.total_cmp(&b).then(first.cmp(&second))
    }
}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Kept {}

/// The highest rows so far.
pub struct Top {
    most: usize,
    output: usize,
    explained: bool,
    rows: BinaryHeap<Reverse<Kept>>,
    /// Rows that were looked at.
    pub seen: u64,
}

impl Top {
    /// Of `most` rows by that output; `explained` where their reasons are wanted.
    pub fn new(most: usize, output: usize, explained: bool) -> Self {
        Top { most, output, explained, rows: BinaryHeap::new(), seen: 0 }
    }

    /// Looks at a chunk's rows.
    pub fn chunk(&mut self, model: &Model, chunk: &Chunk) {
        for (place, scores) in chunk.scores.chunks_exact(model.outputs().max(1)).enumerate() {
            self.seen += 1;
            let score = scores.get(self.output).copied().unwrap_or(f32::NAN);
            let row = chunk.first_row + place as u64;
            let mut kept =
                Kept { row, id: None, scores: Vec::new(), score, inputs: Vec::new(), values: RowValues::new() };
            let full = self.rows.len() == self.most;
            if full && self.rows.peek().is_none_or(|Reverse(least)| *least > kept) {
                continue;
            }
            kept.id = chunk.ids.as_ref().and_then(|ids| ids.get(place)).cloned();
            kept.scores = scores.to_vec();
            if self.explained {
                kept.inputs = vec![0.0; chunk.encoded.width()];
                chunk.encoded.features(&chunk.rows[place..=place], &mut kept.inputs);
                kept.values = chunk.values(model, place);
            }
            if full {
                self.rows.pop();
            }
            self.rows.push(Reverse(kept));
        }
    }

    /// The rows, the highest first, with their reasons where those are wanted.
    pub fn finish(self, why: Option<&Why<'_>>) -> Result<Vec<(Kept, Vec<Reason>)>, CliError> {
        let mut rows: Vec<Kept> = self.rows.into_iter().map(|Reverse(kept)| kept).collect();
        rows.sort_by(|a, b| b.cmp(a));
        let reasons = match why {
            None => vec![Vec::new(); rows.len()],
            Some(why) => {
                let values: Vec<RowValues> = rows.iter_mut().map(|kept| std::mem::take(&mut kept.values)).collect();
                why.kept(rows.iter().flat_map(|kept| kept.inputs.iter().copied()).collect(), &values)?
            }
        };
        Ok(rows.into_iter().zip(reasons).collect())
    }
}
