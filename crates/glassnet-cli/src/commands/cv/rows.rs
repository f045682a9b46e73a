//! Out-of-fold predictions: for each row what the model says that has never seen it.

use std::fmt::Write;

use glassnet::model::target::{Labels, TargetSchema, Targets};

use super::super::predict::rows::field;
use super::fold::Done;

/// `row,fold,score_<class>...,class,target`, or `row,fold,prediction,target` of a number; in the order of the data. `names` are the
/// column that names the rows and its values.
pub fn csv(done: &[Done], schema: &TargetSchema, targets: &Targets, names: Option<(&str, &[String])>) -> String {
    let mut text = String::new();
    field(&mut text, names.map_or("row", |(column, _)| column));
    text += ",fold";
    let classes = schema.classes();
    for class in classes.unwrap_or_default() {
        text.push(',');
        field(&mut text, &format!("score_{class}"));
    }
    text += if classes.is_some() { ",class,target\n" } else { ",prediction,target\n" };

    let all = done.iter().enumerate().flat_map(|(fold, done)| {
        let scores = done.scores.chunks_exact(done.outputs.max(1));
        done.judged.iter().zip(scores).map(move |(&row, scores)| (row, fold + 1, scores))
    });
    let mut all: Vec<(u32, usize, &[f32])> = all.collect();
    all.sort_unstable_by_key(|(row, fold, _)| (*row, *fold));
    for (row, fold, scores) in all {
        match names.and_then(|(_, names)| names.get(row as usize)) {
            Some(name) => field(&mut text, name),
            None => text += &(u64::from(row) + 1).to_string(),
        }
        let _ = write!(text, ",{fold}");
        for score in scores {
            // {:?} is the shortest that reads back.
            let _ = write!(text, ",{score:?}");
        }
        if let Some(classes) = classes {
            text.push(',');
            field(&mut text, classes.get(largest(scores)).map_or("", String::as_str));
        }
        text.push(',');
        match (&targets.labels, classes) {
            (Labels::Classes(labels), Some(classes)) => {
                let own = labels.get(row as usize).and_then(|&label| classes.get(label as usize));
                field(&mut text, own.map_or("", String::as_str));
            }
            (Labels::Numbers(values), _) => {
                let _ = write!(text, "{}", values.get(row as usize).copied().unwrap_or(f64::NAN));
            }
            (Labels::Classes(_), None) => {}
        }
        text.push('\n');
    }
    text
}

/// Of equals the first, as everywhere.
fn largest(scores: &[f32]) -> usize {
    (1..scores.len()).fold(0, |best, at| if scores[at] > scores[best] { at } else { best })
}
