//! Which rows the figures are from, and what the model says of them.

use std::borrow::Cow;

use glassnet::model::Model;
use glassnet::model::encoded::Encoded;
use glassnet::model::evaluation::Evaluation;
use glassnet::nn::metrics::Scores;
use glassnet::nn::source::Source;

use super::Page;
use crate::commands::train::record::file_name;
use crate::error::CliError;
use crate::numbers::thousands;

/// Which rows they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Those of the last test: nothing was chosen by them.
    Test,
    /// Those that chose the epoch and the calibration.
    Valid,
    /// Every row, by the member of `--best` that has not seen it.
    Folds,
    /// Those that were trained on: there are no others.
    Train,
}

/// Rows with what the model says of them.
pub(super) struct Judged<'a> {
    pub which: Which,
    pub encoded: &'a Encoded<f32>,
    /// Those that have a target.
    pub rows: Vec<u32>,
    /// Number of scores of a row.
    pub outputs: usize,
    /// [rows, outputs], as predict gives them.
    pub scores: Vec<f32>,
    /// The same without the calibration, where there is one.
    pub before: Option<Vec<f32>>,
    /// The row's class; of numbers 0.
    pub labels: Vec<usize>,
    /// Where rows have weights.
    pub weights: Option<Vec<f64>>,
    pub evaluation: Evaluation,
    pub guess: Option<Scores>,
    /// What columns' worth is measured with: a model and rows that it has not seen.
    pub alone: (Cow<'a, Model>, Vec<u32>),
}

impl<'a> Judged<'a> {
    /// The rows that say most, and the model's scores on them.
    ///
    /// # Errors
    /// Rows that do not fit the model.
    pub(super) fn of(page: &Page<'a>) -> Result<Self, CliError> {
        let prepared = &page.data.prepared;
        if page.tested.is_none() && !page.data.folds.is_empty() {
            return Self::of_folds(page);
        }
        let valid = prepared.valid.as_ref().unwrap_or(&prepared.train);
        let (which, place, encoded, rows) = match page.tested {
            Some((encoded, rows)) if !rows.is_empty() => (Which::Test, 2, encoded, rows),
            _ if !prepared.valid_rows.is_empty() => (Which::Valid, 1, valid, prepared.valid_rows.as_slice()),
            _ => (Which::Train, 0, &prepared.train, prepared.train_rows.as_slice()),
        };
        let (scores, before) = both(page, page.model, encoded, rows)?;
        let (rows, own) = (rows.to_vec(), page.parts.get(place).and_then(|(_, part)| part.clone()));
        let evaluation = own.unwrap_or_else(|| page.model.evaluate_scores(&scores, encoded, &rows));
        let guess = page.guesses.get(place).copied().flatten();
        let alone = (Cow::Borrowed(page.model), rows.clone());
        Ok(Self::new(page, which, encoded, rows, (scores, before), (evaluation, guess), alone))
    }

    fn of_folds(page: &Page<'a>) -> Result<Self, CliError> {
        let prepared = &page.data.prepared;
        let encoded = &prepared.train;
        let (mut all, mut scores, mut before) = (Vec::new(), Vec::new(), None);
        let mut first = None;
        for (member, (_, rows)) in page.model.members().zip(&page.data.folds) {
            let alone = prepared.model(page.headed, member.to_vec())?;
            let alone = alone.with_calibration(page.model.calibration().cloned())?;
            let (own, own_before) = both(page, &alone, encoded, rows)?;
            all.extend_from_slice(rows);
            scores.extend(own);
            if let Some(own) = own_before {
                before.get_or_insert_with(Vec::new).extend(own);
            }
            first.get_or_insert_with(|| (Cow::Owned(alone), rows.clone()));
        }
        let evaluation = page.model.evaluate_scores(&scores, encoded, &all);
        let guess = page.constant.map(|constant| constant.scores(encoded, &all));
        let alone = first.unwrap_or_else(|| (Cow::Borrowed(page.model), all.clone()));
        Ok(Self::new(page, Which::Folds, encoded, all, (scores, before), (evaluation, guess), alone))
    }

    fn new(
        page: &Page<'a>,
        which: Which,
        encoded: &'a Encoded<f32>,
        rows: Vec<u32>,
        (scores, before): (Vec<f32>, Option<Vec<f32>>),
        (evaluation, guess): (Evaluation, Option<Scores>),
        alone: (Cow<'a, Model>, Vec<u32>),
    ) -> Self {
        let labels = rows.iter().map(|&row| usize::try_from(encoded.label(row)).unwrap_or(0)).collect();
        let weights =
            (!encoded.weights.is_empty()).then(|| rows.iter().map(|&row| encoded.weight(row)).collect::<Vec<f64>>());
        let outputs = page.model.outputs().max(1);
        Judged { which, encoded, rows, outputs, scores, before, labels, weights, evaluation, guess, alone }
    }

    /// The scores of one row.
    pub(super) fn scores_of(&self, place: usize) -> &[f32] {
        self.scores.get(place * self.outputs..(place + 1) * self.outputs).unwrap_or(&[])
    }

    /// The file that the rows are of.
    pub(super) fn file<'p>(&self, page: &'p Page<'_>) -> &'p str {
        let settings = page.settings;
        let other = match self.which {
            Which::Test => settings.test.as_ref(),
            Which::Valid if page.data.prepared.valid.is_some() => settings.valid.as_ref(),
            Which::Valid | Which::Folds | Which::Train => None,
        };
        other.unwrap_or(&settings.data)
    }

    /// Which rows they are, in words that go on after "Measured on".
    pub(super) fn words(&self, page: &Page<'_>) -> String {
        let rows = thousands(self.rows.len() as u64);
        let what = if page.data.images { "images" } else { "rows" };
        let of = match self.file(page) == page.settings.data {
            true => String::new(),
            false => format!(" of {}", file_name(self.file(page))),
        };
        match self.which {
            Which::Test => format!("{rows} test {what}{of}: nothing was learned from them or chosen by them"),
            Which::Valid => format!("{rows} validation {what}{of}: nothing was learned from them, but {}", chose(page)),
            Which::Folds => format!(
                "all {rows} {what}, each by the one of {} members that did not learn from it; the members' mean, which is what the \
                 model gives, is somewhat better",
                page.data.folds.len()
            ),
            Which::Train => format!("the {rows} {what} that the network learned from: there are no others"),
        }
    }

    /// What that means for who reads the figures; nothing where they can be taken as they are.
    pub(super) fn caution(&self, page: &Page<'_>) -> Option<String> {
        let hint = match page.data.images {
            true => "--test FOLDER gives images that nothing was chosen by",
            false => "--test FILE, --time COL or --group COL gives rows that nothing was chosen by",
        };
        match self.which {
            Which::Test => None,
            Which::Valid => Some(format!(
                "The figures are from the validation rows, and {}; on new rows expect a little less. {hint}.",
                chose(page)
            )),
            Which::Folds => Some(format!(
                "Each member's epoch was chosen by the rows that judge it here, which flatters a little. {hint}."
            )),
            Which::Train => Some(format!(
                "The figures are from the rows that the network learned from: they say nothing of other rows. {hint}."
            )),
        }
    }
}

/// What validation rows chose.
fn chose(page: &Page<'_>) -> String {
    let (epoch, model) = ("they chose the epoch", page.model);
    match (model.calibration().is_some(), model.document().intervals.is_some()) {
        (true, _) => format!("{epoch} and the calibration was fitted on them"),
        (_, true) => format!("{epoch} and the widths of the intervals are from them"),
        _ => epoch.to_string(),
    }
}

/// Scores with and without the calibration.
fn both(
    page: &Page<'_>,
    model: &Model,
    encoded: &Encoded<f32>,
    rows: &[u32],
) -> Result<(Vec<f32>, Option<Vec<f32>>), CliError> {
    let mut runner = model.runner(page.team.clone());
    let scores = model.scores(&mut runner, encoded, rows)?;
    let before = match model.calibration() {
        Some(_) => Some(model.raw_scores(&mut runner, encoded, rows)?),
        None => None,
    };
    Ok((scores, before))
}
