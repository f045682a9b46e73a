//! The data of a run: read, understood, split, encoded.

use std::collections::BTreeSet;

use glassnet::data::{DataError, Dataset, Kind, ReadOptions, Understood, Warning};
use glassnet::model::ModelError;
use glassnet::model::fit::{FitOptions, Prepared};
use glassnet::model::schema::Override;
use glassnet::model::split::{DEFAULT_SHARE, Parts, SplitBy, folds};
use glassnet::model::standardise::Standardise;
use glassnet::model::table::{Images, Table};
use glassnet::model::target::TargetSchema;

use glassnet::nn::nearest::nearest;
use serde_json::Value;

use super::choices::kind_name;
use super::recipe::Recipe;
use super::settings::Settings;
use super::tabular::FOLDS;
use crate::error::CliError;
use crate::reading;

/// The rows that a member of `--best` is fitted to, and those that it is validated by.
pub type FoldRows = (Vec<u32>, Vec<u32>);

/// Data that is ready.
pub struct Data {
    pub prepared: Prepared,
    /// Of `--best` the rows that each member is fitted to and validated by.
    pub folds: Vec<FoldRows>,
    pub test: Option<Part>,
    /// How the table was read; `None` for images.
    pub understood: Option<Understood>,
    /// SHA-256 of the training data.
    pub hash: String,
    /// Those of the other files, by what they are.
    pub others: Vec<(&'static str, String)>,
    /// What was noticed, in sentences.
    pub notes: Vec<String>,
    /// Whether it is images.
    pub images: bool,
}

impl Data {
    /// Hashes of all that was read, by name: what tells a run that goes on that its data is the same.
    pub fn hashes(&self) -> Vec<(String, Value)> {
        let all = [("data_hash", self.hash.clone())].into_iter().chain(self.others.iter().cloned());
        all.map(|(name, hash)| (name.to_owned(), format!("sha256:{hash}").into())).collect()
    }
}

/// Rows of another file, as read.
pub enum Part {
    Table(Table),
    Images(Images),
}

/// Reads and prepares all of it.
///
/// # Errors
/// What is wrong with the data, or with what was said about it.
pub fn read(settings: &Settings) -> Result<Data, CliError> {
    let mut data = match open(settings)? {
        Dataset::Table { table, understood } => of_table(settings, table, *understood)?,
        Dataset::Images { train, valid, test, hash } => of_images(settings, train, (valid, test), hash)?,
    };
    data.notes.extend(super::understand::rare_classes(&data.prepared));
    Ok(data)
}

/// Reads it as the columns' types say.
fn open(settings: &Settings) -> Result<Dataset, CliError> {
    let mut options = settings.read.clone();
    for (name, kind) in &settings.types {
        match kind {
            Override::Number => options.as_number.insert(name.clone()),
            Override::Category => options.as_text.insert(name.clone()),
            // A day such as 20131231 is read from text too.
            Override::Date | Override::DayFirst | Override::MonthFirst => options.as_text.insert(name.clone()),
            Override::Boolean | Override::Drop => false,
        };
    }
    reading::open(&settings.data, &options).map_err(|error| of_type(settings, error))
}

/// A table that is not split yet: what a cross-validation cuts into folds.
pub struct Read {
    pub table: Table,
    pub understood: Understood,
    pub target: String,
    /// What was noticed, in sentences.
    pub notes: Vec<String>,
}

impl Read {
    /// Some of its rows by their use, encoded with what those to fit on say.
    ///
    /// # Errors
    /// What is wrong with these rows.
    pub fn part(&self, rows: Parts, options: &FitOptions) -> Result<Data, ModelError> {
        Ok(Data {
            prepared: Prepared::parts(self.table.clone(), rows, options)?,
            folds: Vec::new(),
            test: None,
            understood: Some(self.understood.clone()),
            hash: self.understood.hash.clone(),
            others: Vec::new(),
            notes: Vec::new(),
            images: false,
        })
    }
}

/// Reads a table and checks what was said about its columns.
///
/// # Errors
/// Images; what is wrong with the data, or with what was said about it.
pub fn table(settings: &Settings) -> Result<Read, CliError> {
    let (table, understood) = match open(settings)? {
        Dataset::Table { table, understood } => (table, *understood),
        Dataset::Images { .. } => {
            let hint = "glassnet train holds images out with --validation-share and --test";
            return Err(CliError::Usage(format!("{}: folds are of a table's rows\n  hint: {hint}", settings.data)));
        }
    };
    let (target, notes) = checked(settings, &table, &understood)?;
    Ok(Read { table, understood, target, notes })
}

/// A column that the reader does not find was named by a flag of ours.
fn of_type(settings: &Settings, error: CliError) -> CliError {
    match error {
        CliError::Data(text) if text.contains("asked for as") && !settings.types.is_empty() => CliError::Usage(text),
        error => error,
    }
}

/// The target's name and what was noticed, where everything that was said fits the table.
fn checked(settings: &Settings, table: &Table, understood: &Understood) -> Result<(String, Vec<String>), CliError> {
    if settings.augment.is_some() {
        let hint = "leave it out; it flips, shifts and cuts images";
        return Err(CliError::Usage(format!("--augment: {} is a table, not images\n  hint: {hint}", table.source)));
    }
    let target = target(settings, table)?;
    check_names(settings, table, &target)?;
    let notes = suspicions(settings, understood)?;
    Ok((target, notes))
}

fn of_table(settings: &Settings, table: Table, understood: Understood) -> Result<Data, CliError> {
    let (target, mut notes) = checked(settings, &table, &understood)?;
    let same = same_kinds(settings, &understood);
    let mut others = Vec::new();
    let mut other = |path: &String, name| match read_again(path, &same)? {
        Dataset::Table { table, understood: other } => {
            let warnings = other.warnings.iter().map(|warning| format!("{path}: {warning}"));
            notes.extend(warnings);
            notes.extend((other.hash == understood.hash).then(|| same_rows(path, settings)));
            others.push((name, other.hash.clone()));
            Ok(table)
        }
        Dataset::Images { .. } => Err(CliError::Data(format!(
            "{path} holds images, but {} is a table\n  hint: give rows with the same columns",
            table.source
        ))),
    };
    let valid = settings.valid.as_ref().map(|path| other(path, "valid_hash")).transpose()?;
    let test = settings.test.as_ref().map(|path| other(path, "test_hash")).transpose()?;
    let (mut table, mut valid) = (table, valid);
    if settings.around.best
        && let Some(more) = valid.take()
    {
        // Every row is learned from and every row validates: the two files are one.
        table.append(&more).map_err(|columns| {
            let (own, other) = (&table.source, &more.source);
            CliError::Data(format!(
                "--best joins {own} and {other}, but these columns are missing in the second or hold something else there: {}\n  hint: \
                 leave --valid out",
                columns.join(", ")
            ))
        })?;
        notes.push(format!("--best: the {} rows of {} are learned from too", more.rows, more.source));
    }
    let (prepared, folds) = match settings.around.best {
        true => folded(settings, table, &target),
        false => Prepared::table(table, valid, &fit_options(settings, &target)).map(|prepared| (prepared, Vec::new())),
    }
    .map_err(|error| with_flags(&spoken_of(settings, &error), error))?;
    notes.extend(prepared.leaks.iter().map(|leak| leak.words.clone()));
    notes.extend(prepared.moved.iter().map(|(part, finding)| format!("{part} rows: {}", finding.words)));
    let hash = understood.hash.clone();
    let (test, understood) = (test.map(Part::Table), Some(understood));
    Ok(Data { prepared, folds, test, understood, hash, others, notes, images: false })
}

/// A table whose every row is learned from, in folds.
fn folded(settings: &Settings, table: Table, target: &str) -> Result<(Prepared, Vec<FoldRows>), ModelError> {
    let options = FitOptions { validation_share: None, ..fit_options(settings, target) };
    let (_, targets) = TargetSchema::infer(&table, &options.target, options.task)?;
    let folds = folds(&table, &targets, &options.split, FOLDS, settings.seed)?;
    let numbers = |rows: Vec<usize>| rows.into_iter().map(|row| row as u32).collect();
    let rows = Parts { train: targets.rows, ..Parts::default() };
    let mut prepared = Prepared::parts(table, rows, &options)?;
    prepared.split =
        format!("every row is learned from: {FOLDS} members, each validated on another fold, seed {}", settings.seed);
    Ok((prepared, folds.into_iter().map(|fold| (numbers(fold.train), numbers(fold.test))).collect()))
}

fn of_images(
    settings: &Settings,
    train: Images,
    (valid, test): (Option<Images>, Option<Images>),
    hash: String,
) -> Result<Data, CliError> {
    if let Some(name) = settings.target.as_deref().filter(|name| *name != "label") {
        let hint = "leave --target out: images are labelled by their own files";
        return Err(CliError::Usage(format!(
            "--target {name}: {} holds images, which have no columns\n  hint: {hint}",
            settings.data
        )));
    }
    if settings.around.recipe == Recipe::Tabm {
        let hint = "leave it out; --net says the network";
        return Err(CliError::Usage(format!(
            "--recipe tabm: {} holds images, and it is for tables\n  hint: {hint}",
            settings.data
        )));
    }
    let table_only =
        [("--type or --drop", !settings.types.is_empty()), ("--weight-column", settings.weight_column.is_some())];
    if let Some((flag, _)) = table_only.iter().find(|(_, given)| *given) {
        let hint = "leave it out; it is for tables";
        return Err(CliError::Usage(format!(
            "{flag}: {} holds images, which have no columns\n  hint: {hint}",
            settings.data
        )));
    }
    let mut notes = Vec::new();
    let mut others = Vec::new();
    let mut other = |path: &String, last: bool| match reading::open(path, &ReadOptions::default())? {
        Dataset::Images { test: Some(test), hash: other, .. } if last => {
            others.push(("test_hash", other));
            Ok(test)
        }
        Dataset::Images { train, hash: other, .. } => {
            notes.extend((other == hash).then(|| same_rows(path, settings)));
            others.push((if last { "test_hash" } else { "valid_hash" }, other));
            Ok(train)
        }
        Dataset::Table { .. } => {
            let hint = "give a folder of images too";
            Err(CliError::Data(format!("{path} is a table, but {} holds images\n  hint: {hint}", settings.data)))
        }
    };
    let said = settings.valid.as_ref().map(|path| other(path, false)).transpose()?;
    let given = settings.test.as_ref().map(|path| other(path, true)).transpose()?;
    let valid = said.or(valid);
    let test = match (given, test) {
        (Some(images), _) => Some(images),
        (None, Some(images)) => {
            notes.push(format!("{} images of {} are kept for the last test", images.rows, images.source));
            Some(images)
        }
        (None, None) => None,
    };
    let mut prepared = Prepared::images(train, valid, &fit_options(settings, "label"))
        .map_err(|error| with_flags(&settings.data, error))?;
    if let Some(augmentation) = settings.augment {
        prepared.augment(augmentation).map_err(|error| CliError::Usage(format!("--augment: {error}")))?;
    }
    let test = test.map(Part::Images);
    Ok(Data { prepared, folds: Vec::new(), test, understood: None, hash, others, notes, images: true })
}

/// Said where rows to judge by are the rows to train on, byte for byte.
fn same_rows(path: &str, settings: &Settings) -> String {
    format!(
        "warning: {path} holds the very rows of {}: scores on it flatter, for the network has seen them; give other rows",
        settings.data
    )
}

/// What was said, as the library takes it.
pub fn fit_options(settings: &Settings, target: &str) -> FitOptions {
    let mut overrides = settings.types.clone();
    let of_target = overrides.remove(target);
    let implied = match of_target {
        Some(Override::Category | Override::Boolean) => Some(glassnet::model::target::TaskChoice::Classify),
        _ => None,
    };
    if let Some(name) = &settings.weight_column {
        overrides.remove(name);
    }
    FitOptions {
        target: target.to_string(),
        task: settings.task.or(implied),
        overrides,
        weight_column: settings.weight_column.clone(),
        standardise: if settings.raw { Standardise::No } else { Standardise::Yes },
        validation_share: (settings.validation_share > 0.0).then_some(settings.validation_share),
        seed: settings.seed,
        class_weights: settings.class_weights.clone(),
        style: settings.around.recipe.style(),
        split: match (&settings.around.time, &settings.around.group) {
            (Some(time), _) => SplitBy::Time(time.clone()),
            (None, Some(group)) => SplitBy::Group(group.clone()),
            (None, None) => SplitBy::Random,
        },
        // Where the test rows are given, all others are there to fit and to calibrate.
        test_share: match settings.test.is_none() && settings.around.splits() {
            true => Some(DEFAULT_SHARE),
            false => Some(0.0),
        },
        find_leaks: true,
    }
}

/// The target's name: what was said, or an error that lists the columns.
fn target(settings: &Settings, table: &Table) -> Result<String, CliError> {
    match &settings.target {
        Some(name) => Ok(name.clone()),
        None => Err(CliError::Usage(format!(
            "which column is to be predicted?\n  hint: add --target COL; {} has {}; to learn a text, add --task text",
            table.source,
            listed(table)
        ))),
    }
}

fn listed(table: &Table) -> String {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let more = if names.len() > 40 { format!(" and {} more", names.len() - 40) } else { String::new() };
    format!("{}{more}", names[..names.len().min(40)].join(", "))
}

/// Every column that was named is there, and has one role.
fn check_names(settings: &Settings, table: &Table, target: &str) -> Result<(), CliError> {
    let roles = [
        (Some(target), "--target"),
        (settings.weight_column.as_deref(), "--weight-column"),
        (settings.around.time.as_deref(), "--time"),
        (settings.around.group.as_deref(), "--group"),
    ];
    let named = roles.iter().filter_map(|(name, flag)| name.map(|name| (name, *flag)));
    let typed = settings
        .types
        .iter()
        .map(|(name, kind)| (name.as_str(), if *kind == Override::Drop { "--drop" } else { "--type" }));
    for (name, flag) in named.chain(typed) {
        if table.column(name).is_none() {
            let near = nearest(name, table.columns.iter().map(|column| column.name.as_str()));
            let near = near.map_or(String::new(), |near| format!("did you mean {near}? "));
            return Err(CliError::Usage(format!(
                "{flag}: {} has no column '{name}'\n  hint: {near}it has {}",
                table.source,
                listed(table)
            )));
        }
    }
    for (role, flag) in [(Some(target), "target"), (settings.weight_column.as_deref(), "column of row weights")] {
        if let Some(name) = role.filter(|name| settings.types.get(*name) == Some(&Override::Drop)) {
            return Err(CliError::Usage(format!(
                "--drop: '{name}' is the {flag}\n  hint: it is no input anyway; leave it out of --drop"
            )));
        }
    }
    if settings.weight_column.as_deref() == Some(target) {
        return Err(CliError::Usage(format!("--weight-column: '{target}' is the target\n  hint: name another column")));
    }
    Ok(())
}

/// What the reader found strange: an error where a column of numbers holds something else, unless its type was said.
fn suspicions(settings: &Settings, understood: &Understood) -> Result<Vec<String>, CliError> {
    let mut notes = Vec::new();
    for warning in &understood.warnings {
        let (column, row, line, value, what) = match warning {
            Warning::MostlyNumbers { column, row, line, value, .. } => (column, row, line, value, "is not a number"),
            Warning::OtherNotation { column, row, line, value, .. } => {
                (column, row, line, value, "is not a number written plainly, as 1234.5")
            }
            Warning::NoValues { .. } => {
                notes.push(warning.to_string());
                continue;
            }
        };
        if settings.types.contains_key(column) {
            continue;
        }
        let counts = match warning {
            Warning::MostlyNumbers { others, numbers, .. } => {
                format!("{numbers} of its values are numbers, {others} {} not", if *others == 1 { "is" } else { "are" })
            }
            Warning::OtherNotation { others, .. } => format!("{others} of its values are written so"),
            Warning::NoValues { .. } => String::new(),
        };
        return Err(CliError::Data(format!(
            "{}, row {row} (line {line}), column '{column}': '{value}' {what} ({counts})\n  hint: correct it, or name it as a \
             missing value (--missing '{value}'), or keep the column as text (--type {column}=category), or leave it out \
             (--drop {column})",
            understood.source
        )));
    }
    Ok(notes)
}

/// How the other files are read: their columns hold what the training data's hold.
fn same_kinds(settings: &Settings, understood: &Understood) -> ReadOptions {
    let mut options = settings.read.clone();
    let of = |kind: Kind| -> BTreeSet<String> {
        let kept = |name: &String| settings.types.get(name) != Some(&Override::Drop);
        understood
            .columns
            .iter()
            .filter(|column| column.kind == kind)
            .map(|column| column.name.clone())
            .filter(kept)
            .collect()
    };
    options.as_text = of(Kind::Text);
    options.as_number = of(Kind::Number);
    options
}

/// Reads a file whose columns may be fewer: a column that is not there is for the schema to miss, which knows whether it
/// is needed.
fn read_again(path: &str, options: &ReadOptions) -> Result<Dataset, CliError> {
    let mut options = options.clone();
    loop {
        match glassnet::data::open(path, &options) {
            Err(DataError::UnknownColumn { name, .. })
                if options.as_text.remove(&name) || options.as_number.remove(&name) => {}
            result => return Ok(result?),
        }
    }
}

/// Library errors speak of choices; the command's hints name its flags.
pub fn with_flags(data: &str, error: ModelError) -> CliError {
    let hint = match &error {
        ModelError::BadOverride { kind: "weighted by class", why, .. } => {
            return CliError::Usage(format!(
                "--class-weights: {why}\n  hint: write balanced, or yes=2,no=1 with the classes' names"
            ));
        }
        ModelError::NoInputs { .. } => "--type COL=number or --type COL=category keeps a column that was left out",
        ModelError::TooManyClasses { .. } => "is it an identifier or free text? --task regress for a number",
        ModelError::Split { why, hint } if hint.starts_with("name a column") => {
            return CliError::Data(format!("{data}: cannot set rows aside for validation: {why}\n  hint: {hint}"));
        }
        ModelError::Split { why, .. } => {
            return CliError::Data(format!(
                "{data}: cannot set rows aside for validation: {why}\n  hint: give more rows, or --validation-share 0.5, or \
                 --valid FILE, or --validation-share 0 for none"
            ));
        }
        _ => "",
    };
    // Which file it is about, where the library does not say.
    let file = if names_a_file(&error) { String::new() } else { format!("{data}: ") };
    let text = error.to_string();
    match text.split_once("\n  hint: ").filter(|_| !hint.is_empty()) {
        Some((what, _)) => CliError::Data(format!("{file}{what}\n  hint: {hint}")),
        None => CliError::Data(format!("{file}{text}")),
    }
}

/// The data that an error is about. Of row weights that are all 0 the library does not say in which file they stand.
fn spoken_of(settings: &Settings, error: &ModelError) -> String {
    match (error, &settings.valid) {
        (ModelError::ZeroWeights { .. }, Some(valid)) => format!("{} or {valid}", settings.data),
        _ => settings.data.clone(),
    }
}

/// Whether its message begins with where the table came from.
fn names_a_file(error: &ModelError) -> bool {
    use ModelError as E;
    matches!(
        error,
        E::NoColumn { .. }
            | E::ColumnsMissing { .. }
            | E::DuplicateColumn { .. }
            | E::BadValue(_)
            | E::NoRows { .. }
            | E::NoInputs { .. }
    )
}

/// A type as it was asked for, for the record.
pub fn asked_types(settings: &Settings) -> std::collections::BTreeMap<String, &'static str> {
    settings.types.iter().map(|(name, kind)| (name.clone(), kind_name(*kind))).collect()
}
