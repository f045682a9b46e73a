//! A model and the data that is put before it: the columns are read as the model takes them, whatever they look like in
//! this file ("007" stays the name that it was in training).

use std::collections::BTreeMap;

use glassnet::data::{self, ColumnPlan, CsvStream, Dataset, Format, Kind, ReadOptions};
use glassnet::model::Model;
use glassnet::model::file::Features;
use glassnet::model::model::Noticed;
use glassnet::model::preprocess::Unseen;
use glassnet::model::table::{Images, Table};
use glassnet::model::target::Task;
use serde::Serialize;

use crate::error::CliError;
use crate::output::Output;

/// Which images of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Those to train on: train-images and train-labels, data_batch_1.bin ..., train/, or all where the folder has one part
    Train,
    /// Those for validation: valid/
    Valid,
    /// Those for the last test: t10k-images and t10k-labels, test_batch.bin, test/
    Test,
}

/// What a command takes from a table besides the model's inputs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// The target and the row weights. The target must be there where this is [`Need::Must`].
    pub target: Need,
    /// A column that names the rows.
    pub id: Option<&'a str>,
    /// A column that groups the rows.
    pub by: Option<&'a str>,
}

/// Whether a column is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Need {
    /// It is not.
    #[default]
    No,
    /// Where it is there.
    May,
    /// It must be there.
    Must,
}

/// Data before a model.
pub enum ModelData {
    /// A CSV, not read yet.
    Stream(Box<CsvStream>),
    /// A table from arrays, with the hash of its file.
    Table(Table, String),
    /// Images, with the word for the part of the folder that they are, and the hash of the files where a training on them
    /// would use these images and not keep them for its test.
    Images(Images, &'static str, Option<String>),
}

/// Reads a model file.
///
/// # Errors
/// There is no such file, or it is no model that can be read.
pub fn load_model(path: &str) -> Result<Model, CliError> {
    let no_file = |what: &str, hint: &str| CliError::Model(format!("{path}: {what}\n  hint: {hint}"));
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(_) if std::path::Path::new(path).is_dir() => {
            return Err(no_file("this is a folder, not a model file", "give the .glass file that `train -o` wrote"));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let near = data::nearest_file(std::path::Path::new(path));
            let near = near.map_or(String::new(), |near| format!("did you mean '{near}'? "));
            let hint =
                format!("{near}check the path, or make the model: glassnet train DATA --target COL -o model.glass");
            return Err(no_file("there is no such model file", &hint));
        }
        Err(error) => {
            return Err(no_file(&format!("the model file cannot be read: {error}"), "check its permissions"));
        }
    };
    Model::from_bytes(&bytes).map_err(|error| CliError::Model(format!("{path}: {error}")))
}

/// Channels, lines and columns of a model's images.
pub fn image_shape(model: &Model) -> Option<[usize; 3]> {
    match &model.document().preprocess {
        Features::Images(images) => Some([images.channels, images.height, images.width]),
        Features::Table(_) | Features::Text(_) => None,
    }
}

/// Opens data for a model; images by part, where it is a folder (test images by default, where there are any).
///
/// # Errors
/// Whatever the reader says; columns that the model needs and the data has not; a part that is not there.
pub fn open(
    model: &Model,
    path: &str,
    options: &ReadOptions,
    part: Option<Part>,
    wanted: Wanted<'_>,
) -> Result<ModelData, CliError> {
    let format = data::format_of(path)?;
    if model.text().is_some() {
        return Err(CliError::Data(format!(
            "{path}: the model learned from text\n  hint: glassnet evaluate takes a text for it, glassnet generate goes on with one"
        )));
    }
    let takes_table = matches!(model.document().preprocess, Features::Table(_));
    let is_table = matches!(format, Format::Csv | Format::Arrays);
    if takes_table != is_table {
        let (learned, given, hint) = match takes_table {
            true if format == Format::Folder => {
                ("a table", "a folder, as images come in", "give a table with the training's columns")
            }
            true => ("a table", "images", "give a table with the training's columns"),
            false => ("images", "a table", "give a folder of images (IDX, CIFAR-10, PNG or JPEG), or one IDX file"),
        };
        let what = format!("the model learned from {learned}, but this is {given}");
        return Err(CliError::Data(format!("{path}: {what}\n  hint: {hint}")));
    }
    if part.is_some() && format != Format::Folder {
        let what = "--part chooses images of a folder, but this is no folder";
        return Err(CliError::Usage(format!("{path}: {what}\n  hint: leave --part out")));
    }
    if format == Format::Csv {
        let mut stream = CsvStream::open(path, options)?;
        let plan = plan(model, stream.columns(), path, wanted)?;
        stream.plan(&plan)?;
        return Ok(ModelData::Stream(Box::new(stream)));
    }
    match data::open(path, options)? {
        Dataset::Table { table, understood } => Ok(ModelData::Table(table, understood.hash)),
        Dataset::Images { train, valid, test, hash } => match (part, valid, test) {
            (Some(Part::Train), ..) => Ok(ModelData::Images(train, "training images", Some(hash))),
            (Some(Part::Valid), Some(valid), _) => Ok(ModelData::Images(valid, "validation images", None)),
            (Some(Part::Valid), None, _) => Err(CliError::Data(format!(
                "{path}: this folder has no validation images\n  hint: add a folder valid beside train, or take --part train"
            ))),
            (None, _, None) => Ok(ModelData::Images(train, "images", Some(hash))),
            (_, _, Some(test)) => Ok(ModelData::Images(test, "test images", None)),
            (Some(Part::Test), _, None) => Err(CliError::Data(format!(
                "{path}: this folder has no test images\n  hint: add t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, or \
                 take --part train"
            ))),
        },
    }
}

/// The columns to read, each as the model takes it.
fn plan(model: &Model, names: &[String], path: &str, wanted: Wanted<'_>) -> Result<Vec<ColumnPlan>, CliError> {
    let Features::Table(preprocess) = &model.document().preprocess else { return Ok(Vec::new()) };
    let has = |name: &str| names.iter().any(|known| known == name);
    let mut plan: Vec<ColumnPlan> = Vec::new();
    let mut add = |name: &str, kind: Kind| {
        if !plan.iter().any(|column| column.name == name) {
            plan.push(ColumnPlan { name: name.to_string(), kind });
        }
    };
    // Before the others: an identifier is text even where it is an input too; the encoder reads numbers from text.
    if let Some(id) = wanted.id {
        if !has(id) {
            let near = glassnet::nn::nearest::nearest(id, names.iter().map(String::as_str));
            let hint = near.map_or_else(
                || format!("its columns are {}", names.join(", ")),
                |near| format!("did you mean '{near}'?"),
            );
            return Err(CliError::Data(format!("{path}: there is no column '{id}' for --id\n  hint: {hint}")));
        }
        add(id, Kind::Text);
    }
    for encoder in preprocess.columns() {
        add(&encoder.name, if encoder.encoding.is_number() { Kind::Number } else { Kind::Text });
    }
    let schema = &model.document().schema;
    if let Some(target) = &schema.target
        && (wanted.target == Need::Must || (wanted.target == Need::May && has(&target.name)))
    {
        if !has(&target.name) {
            let near = glassnet::nn::nearest::nearest(&target.name, names.iter().map(String::as_str));
            let near = near.map_or(String::new(), |near| format!(" (did you mean '{near}'?)"));
            return Err(CliError::Data(format!(
                "{path}: there is no column '{}', which is the model's target{near}\n  hint: to evaluate, the data must \
                 have the true values; `glassnet predict` needs none",
                target.name
            )));
        }
        let kind = if matches!(target.task, Task::Classify { .. }) { Kind::Text } else { Kind::Number };
        add(&target.name, kind);
        if let Some(weight) = schema.weight_column.as_deref().filter(|weight| has(weight)) {
            add(weight, Kind::Number);
        }
    }
    // After the others: what the model reads as numbers stays numbers.
    if let Some(by) = wanted.by {
        if !has(by) {
            let near = glassnet::nn::nearest::nearest(by, names.iter().map(String::as_str));
            let hint = near.map_or_else(
                || format!("its columns are {}", names.join(", ")),
                |near| format!("did you mean '{near}'?"),
            );
            return Err(CliError::Data(format!("{path}: there is no column '{by}' for --by\n  hint: {hint}")));
        }
        add(by, Kind::Text);
    }
    Ok(plan)
}

/// Columns of a table that neither the model nor the command knows.
pub fn extra_columns(model: &Model, names: &[String], id: Option<&str>) -> Vec<String> {
    let schema = &model.document().schema;
    names.iter().filter(|name| !schema.knows(name) && Some(name.as_str()) != id).cloned().collect()
}

/// What was noticed over all chunks of the data.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Notices {
    /// Columns that the model does not know; ignored.
    pub ignored_columns: Vec<String>,
    /// Categories that training did not know, by column; they go to the unknown input.
    pub unseen: BTreeMap<String, UnseenCount>,
}

/// Values of one column that training did not know.
#[derive(Debug, Clone, Serialize)]
pub struct UnseenCount {
    /// Number of rows.
    pub rows: usize,
    /// The first such value.
    pub example: String,
}

impl Notices {
    /// Adds what one chunk's encoding noticed.
    pub fn add(&mut self, noticed: &Noticed) {
        for Unseen { column, rows, example } in &noticed.unseen {
            let count = self.unseen.entry(column.clone());
            count.or_insert_with(|| UnseenCount { rows: 0, example: example.clone() }).rows += rows;
        }
    }

    /// Says it, on stderr.
    pub fn say(&self, output: &Output) {
        if !self.ignored_columns.is_empty() {
            output.message(&format!("ignored, because the model does not know them: {}", few(&self.ignored_columns)));
        }
        for (column, unseen) in &self.unseen {
            let UnseenCount { rows, example } = unseen;
            let plural = if *rows == 1 { "row has" } else { "rows have" };
            output.message(&format!(
                "column {column}: {rows} {plural} a category without an input of its own (such as {example:?}); it counts as \
                 unknown"
            ));
        }
    }
}

fn few(names: &[String]) -> String {
    let shown = names[..names.len().min(8)].join(", ");
    if names.len() > 8 { format!("{shown} and {} more", names.len() - 8) } else { shown }
}
