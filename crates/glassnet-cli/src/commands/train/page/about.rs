//! The data, the training, the network, and what it cost.

use glassnet::model::schema::{ColumnSchema, Kind};
use glassnet::nn::history::History;
use glassnet::nn::loss::LossSpec;
use glassnet::nn::train::{BestBy, Stop};
use glassnet::report::escape::shorten;
use glassnet::report::page::{Column, Cost, Data, LayerLine, LeftOut, Member, Network, Part, Training, Unit};

use super::Page;
use super::reasons::rounded;
use super::results::capital;
use crate::commands::train::record::file_name;
use crate::commands::train::{report, understand};
use crate::numbers::thousands;

/// Levels of a category that are named.
const LEVELS: usize = 4;
/// Letters of a level or a value.
const LONGEST: usize = 24;

impl Page<'_> {
    /// What the data is, what was left out and why, what gives the target away.
    pub(super) fn about_data(&self) -> Data {
        let (data, prepared) = (self.data, &self.data.prepared);
        let mut notes = Vec::new();
        for (blank, what) in [(prepared.blank, ""), (prepared.blank_valid, " of the validation data")] {
            if blank > 0 {
                notes.push(format!("rows{what} without a target, set aside: {}", thousands(blank as u64)));
            }
        }
        for unseen in &prepared.unseen {
            let (column, rows) = (&unseen.column, thousands(unseen.rows as u64));
            notes.push(format!(
                "validation rows whose {column} has no input of its own, such as {}, counted as unknown: {rows}",
                unseen.example
            ));
        }
        // Leaks and what moved have places of their own.
        let told = |note: &&String| {
            !prepared.leaks.iter().any(|leak| leak.words == **note)
                && !prepared.moved.iter().any(|(part, finding)| format!("{part} rows: {}", finding.words) == **note)
        };
        notes.extend(data.notes.iter().filter(told).cloned());
        let schema = &prepared.schema;
        let left_out = schema
            .columns
            .iter()
            .filter_map(|column| Some(LeftOut { name: column.name.clone(), why: column.left_out.clone()? }));
        let weights = schema
            .weight_column
            .iter()
            .map(|name| LeftOut { name: name.clone(), why: "it holds the rows' weights".into() });
        let rows = data.understood.as_ref().map(|understood| understood.rows);
        let (train, valid) = (prepared.train_rows.len(), prepared.valid_rows.len());
        let own = if prepared.valid.is_none() { valid } else { 0 };
        Data {
            source: file_name(&self.settings.data),
            rows: rows.unwrap_or((train + own) as u64),
            target: self.model.target().to_string(),
            split: format!("{}.", capital(&self.plain(&prepared.split))),
            parts: self.parts_of_rows(),
            classes: understand::class_counts(prepared).unwrap_or_default(),
            columns: schema.used().map(column).collect(),
            missing_of: Some(schema.rows as u64),
            left_out: left_out.chain(weights).collect(),
            leaks: prepared
                .leaks
                .iter()
                .map(|leak| LeftOut { name: leak.columns.join(" - "), why: leak.words.clone() })
                .collect(),
            moved: prepared.moved.iter().map(|(part, finding)| format!("{part} rows: {}", finding.words)).collect(),
            notes: notes.iter().map(|note| self.plain(note)).collect(),
        }
    }

    fn parts_of_rows(&self) -> Vec<Part> {
        let prepared = &self.data.prepared;
        let part = |name: &str, rows: usize, note: String| Part { name: name.into(), rows: rows as u64, note };
        let of = |file: Option<&String>| file.map_or(String::new(), |file| format!(", from {}", file_name(file)));
        let mut parts = Vec::new();
        match self.data.folds.len() {
            0 => parts.push(part("train", prepared.train_rows.len(), "to learn from".into())),
            folds => {
                let note = format!("to learn from: each of {folds} members leaves another part of them out");
                parts.push(part("train", prepared.train_rows.len(), note));
            }
        }
        if !prepared.valid_rows.is_empty() {
            let file = of(self.settings.valid.as_ref());
            let document = self.model.document();
            let what = match (&document.calibration, &document.intervals) {
                (Some(_), _) => "to choose the epoch and to calibrate",
                (_, Some(_)) => "to choose the epoch, and the widths of the intervals",
                _ => "to choose the epoch",
            };
            parts.push(part("validation", prepared.valid_rows.len(), format!("{what}{file}")));
        }
        if let Some((_, rows)) = self.tested {
            parts.push(part("test", rows.len(), format!("to judge at the end{}", of(self.settings.test.as_ref()))));
        }
        parts
    }

    /// How training went, member by member.
    pub(super) fn training(&self) -> Training {
        let histories = self.histories();
        let validated = histories.iter().any(|history| history.epochs.iter().any(|epoch| epoch.valid_loss.is_some()));
        let several = histories.len() > 1;
        let ended = match histories.as_slice() {
            [one] => {
                let epochs = one.epochs.len();
                report::stop_words(self.stop, one.best_epoch, epochs, validated, self.spec.early.patience)
            }
            all => {
                let longest = all.iter().map(|history| history.epochs.len()).max().unwrap_or(0);
                let cut = if matches!(self.stop, Stop::Asked) { ", interrupted" } else { "" };
                format!("{} members of other seeds were trained for {longest} epochs{cut}", all.len())
            }
        };
        let by = match self.spec.best_by {
            _ if !validated => "",
            BestBy::Loss => ". Of each network the epoch with the lowest validation loss was kept",
            BestBy::CalibratedLogLoss => {
                ". Of each network the epoch was kept whose log-loss on the validation rows is lowest once its scores are calibrated; the curve \
                 of the loss itself may be lower elsewhere"
            }
            BestBy::Rmse => ". Of each network the epoch with the lowest RMSE on the validation rows was kept",
            BestBy::Error => ". Of each network the epoch with the fewest errors on the validation rows was kept",
        };
        let named = |(place, history): (usize, &&History)| {
            let name = if several { format!("member {}", place + 1) } else { String::new() };
            Member::of_history(name, history)
        };
        let (loss, smoothing) = self.loss();
        let guess = self.guesses.get(1).copied().flatten().and_then(|guess| guess.log_loss);
        Training {
            loss,
            members: histories.iter().enumerate().map(named).collect(),
            ended: format!("{}{by}.", capital(&ended)),
            // Smoothed labels have another loss than the labels.
            guess: guess.filter(|_| smoothing == 0.0),
        }
    }

    fn histories(&self) -> Vec<&History> {
        let document = self.model.document();
        document.history.iter().chain(&document.other_histories).collect()
    }

    /// What is on the axis of the curves, and by how much labels were smoothed.
    fn loss(&self) -> (String, f64) {
        let Some(objective) = &self.headed.network.objective else { return (String::new(), 0.0) };
        match &objective.loss {
            LossSpec::CrossEntropy { smoothing, .. } if *smoothing > 0.0 => {
                (format!("cross-entropy, labels smoothed by {smoothing}"), *smoothing)
            }
            LossSpec::CrossEntropy { .. } | LossSpec::BinaryCrossEntropy { .. } => {
                ("log-loss (cross-entropy)".into(), 0.0)
            }
            LossSpec::MeanSquared if !self.settings.raw => {
                ("mean squared error of the standardised target".into(), 0.0)
            }
            other => (other.name().replace('_', " "), 0.0),
        }
    }

    /// Its text, its layers, its parameters.
    pub(super) fn network(&self) -> Network {
        let network = self.model.network();
        let slots = network.graph.slots();
        let layer = |layer: &glassnet::nn::layers::LayerInfo| LayerLine {
            name: layer.name.clone(),
            kind: layer.kind.clone(),
            shape: layer.output.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x "),
            parameters: slots.trained_of(&layer.slots) as u64,
        };
        Network {
            text: network.spec.to_string(),
            members: self.model.members().len() as u64,
            parameters: slots.trained() as u64,
            layers: network.layers.iter().map(layer).collect(),
        }
    }

    /// Time and memory, forecast and measured.
    pub(super) fn costs(&self) -> Vec<Cost> {
        let epochs = self.histories().iter().map(|history| history.epochs.len()).max().unwrap_or(0);
        let (forecast, measured) = (self.forecast, self.measured);
        let mut costs = vec![Cost {
            name: format!("time of training, {epochs} epochs"),
            forecast: Some(forecast.seconds_per_epoch * epochs.max(1) as f64),
            measured: Some(measured.seconds),
            unit: Unit::Seconds,
        }];
        let memory = |name: &str, forecast: Option<u64>, measured: Option<u64>| Cost {
            name: name.into(),
            forecast: forecast.map(|bytes| bytes as f64),
            measured: measured.map(|bytes| bytes as f64),
            unit: Unit::Bytes,
        };
        if forecast.peak_bytes.is_some() || measured.peak_bytes.is_some() {
            costs.push(memory("most memory of the process", forecast.peak_bytes, measured.peak_bytes));
        }
        costs.push(memory("of it the networks in training", Some(forecast.training_bytes as u64), None));
        costs.push(memory("of it the encoded rows", Some(forecast.data_bytes as u64), None));
        costs
    }
}

/// A column that the network sees.
fn column(column: &ColumnSchema) -> Column {
    let mut words = match &column.kind {
        _ if column.constant => "one value only: whether it is missing is what counts".to_string(),
        Kind::Number | Kind::Date { .. } if column.example.is_empty() => String::new(),
        Kind::Number | Kind::Date { .. } => format!("such as {}", shorten(&rounded(&column.example), LONGEST)),
        Kind::Boolean { false_word, true_word } => {
            format!("{} or {}", shorten(false_word, LONGEST), shorten(true_word, LONGEST))
        }
        Kind::Category { levels, distinct } => {
            let names: Vec<String> = levels.names().iter().take(LEVELS).map(|name| shorten(name, LONGEST)).collect();
            let more = if *distinct > names.len() { ", ..." } else { "" };
            format!("{} levels: {}{more}", thousands(*distinct as u64), names.join(", "))
        }
    };
    if !column.note.is_empty() {
        words += if words.is_empty() { "" } else { "; " };
        words += &column.note;
    }
    Column { name: column.name.clone(), kind: column.kind.word().into(), missing: column.missing as u64, note: words }
}
