//! Rows to compare with, from a table that is given.

use glassnet::core::random::{Draws, Purpose};
use glassnet::model::Model;
use glassnet::model::explain::{Background, MAX_ROWS};
use glassnet::nn::source::Source;

use super::Args;
use crate::error::CliError;
use crate::model_data::{self, ModelData, Need, Wanted};

/// Rows that are read at a time.
const ROWS: usize = 4096;

/// At most [`MAX_ROWS`] rows of a table, each as likely as any other: a reservoir, so that the table may be of any length
/// (Vitter 1985, algorithm R).
pub fn background(args: &Args, model: &Model, path: &str) -> Result<Background, CliError> {
    let wanted = Wanted { target: Need::No, ..Wanted::default() };
    let data = model_data::open(model, path, &args.reading.options(), None, wanted)?;
    let draws = Draws::new(args.seed, Purpose::Inspect, 0x00ba_c6d1, 0);
    let width = model.network().inputs();
    let (mut kept, mut seen): (Vec<f32>, u64) = (Vec::new(), 0);
    let mut take = |table: &glassnet::model::table::Table| -> Result<(), CliError> {
        let (encoded, rows, _) = model.encode_table(table, false)?;
        let mut row = vec![0.0; width];
        for number in rows {
            encoded.features(&[number], &mut row);
            if kept.len() < MAX_ROWS * width {
                kept.extend_from_slice(&row);
            } else {
                let place = draws.below(seen, seen + 1) as usize;
                if place < MAX_ROWS {
                    kept[place * width..(place + 1) * width].copy_from_slice(&row);
                }
            }
            seen += 1;
        }
        Ok(())
    };
    match data {
        ModelData::Stream(mut stream) => {
            while let Some(table) = stream.next_chunk(ROWS)? {
                take(&table)?;
            }
        }
        ModelData::Table(table, _) => take(&table)?,
        ModelData::Images(..) => {}
    }
    if seen == 0 {
        return Err(CliError::Data(format!(
            "{path}: no rows to compare with\n  hint: give rows like those of training"
        )));
    }
    Ok(Background::new(width, kept)?)
}
