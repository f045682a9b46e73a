//! From data to a model: what is understood of it, the rows set aside, the encoding fitted on training rows, then the
//! network. Two steps, so that a caller can show the first before the second begins: [`Prepared`], then
//! [`Prepared::model`] with what the training loop leaves.

mod beyond;
pub mod calibrate;
mod head;

use std::collections::BTreeMap;

use glassnet_core::Team;
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::spec::shapes::RowShape;
use glassnet_nn::train::Rows;

pub use self::head::HeadError;
use self::head::head_and_loss;
use crate::augment::{Augmentation, BadAugmentation};
use crate::encoded::Encoded;
use crate::error::ModelError;
use crate::explain::{Background, MAX_ROWS};
use crate::file::{self, Document, Features, Head};
use crate::images::ImagePreprocess;
use crate::leaks::{self, Leak};
use crate::model::{Model, all_weights, label_table};
use crate::preprocess::{Preprocess, Unseen};
use crate::schema::{InferOptions, Override, Schema};
use crate::shift::{self, Finding, Reference, watched};
use crate::split::{DEFAULT_SHARE, Parts, SplitBy, folds, parts, split};
use crate::standardise::Standardise;
use crate::style::Style;
use crate::table::{Images, Table};
use crate::target::{TargetSchema, Targets, TaskChoice};

/// Folds by time of which the latest says what lies beyond the others, where no rows are set aside.
const FOLDS_OF_TIME: usize = 5;

/// What a person says about the data.
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// The column to predict.
    pub target: String,
    /// Classes or a number, where it is not to be inferred.
    pub task: Option<TaskChoice>,
    /// Kinds of columns by name.
    pub overrides: BTreeMap<String, Override>,
    /// The column of row weights.
    pub weight_column: Option<String>,
    /// Whether inputs (and a regression's target) are standardised.
    pub standardise: Standardise,
    /// Share of rows for validation where no validation data is given; `None`: no validation.
    pub validation_share: Option<f64>,
    /// Seed of the split.
    pub seed: u64,
    /// Weights of the classes.
    pub class_weights: ClassWeights,
    /// How columns become inputs.
    pub style: Style,
    /// What keeps fitted, calibrated and tested rows apart, where no validation data is given.
    pub split: SplitBy,
    /// Whether columns that know the target are looked for.
    pub find_leaks: bool,
    /// Share of the rows that is set aside as a test; 0: none; `None`: 20 % by time and by group, none at random.
    pub test_share: Option<f64>,
}

impl FitOptions {
    /// What holds where a person says nothing but the target: kinds inferred, inputs standardised, 20 % of the rows set
    /// aside for validation, seed 0.
    pub fn new(target: impl Into<String>) -> Self {
        FitOptions {
            target: target.into(),
            task: None,
            overrides: BTreeMap::new(),
            weight_column: None,
            standardise: Standardise::Yes,
            validation_share: Some(DEFAULT_SHARE),
            seed: 0,
            class_weights: ClassWeights::Equal,
            style: Style::Plain,
            split: SplitBy::Random,
            find_leaks: false,
            test_share: None,
        }
    }
}

/// Weights of the classes in the loss.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ClassWeights {
    /// All 1.
    #[default]
    Equal,
    /// Rows over (classes times rows of the class), from the training rows.
    Balanced,
    /// In the order of the classes.
    InOrder(Vec<f64>),
    /// By name; the others 1.
    ByName(BTreeMap<String, f64>),
}

/// Data that is ready to train on.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The columns, the target.
    pub schema: Schema,
    /// The fitted preprocessing.
    pub features: Features,
    /// The training data's rows.
    pub train: Encoded<f32>,
    /// Rows of it to train on.
    pub train_rows: Vec<u32>,
    /// The validation data, where it is another than the training data.
    pub valid: Option<Encoded<f32>>,
    /// Rows to validate with (of `valid`, or of `train` where that is `None`).
    pub valid_rows: Vec<u32>,
    /// Rows of the training data that are set aside as a test; empty where none were asked for.
    pub test_rows: Vec<u32>,
    /// Columns and differences of columns that know the target.
    pub leaks: Vec<Leak>,
    /// What moved from the training rows to another part, by the part's name; only where the parts were not drawn at random.
    pub moved: Vec<(&'static str, Finding)>,
    /// How validation rows were found, in words.
    pub split: String,
    /// Rows set aside because their target is blank.
    pub blank: usize,
    /// Rows of the validation data set aside for the same reason.
    pub blank_valid: usize,
    /// Resolved weights of the classes; empty: all 1.
    pub class_weights: Vec<f64>,
    /// Columns of the validation data that are ignored.
    pub extra: Vec<String>,
    /// Categories of the validation data without a level.
    pub unseen: Vec<Unseen>,
    /// The training rows of a table in a few numbers, without the scores of a model: see [`Prepared::reference`].
    pub reference: Option<Reference>,
}

/// A network with the meaning of its outputs.
#[derive(Debug, Clone)]
pub struct Headed {
    /// The network, its loss attached.
    pub network: Network,
    /// What its outputs mean.
    pub head: Head,
}

impl Prepared {
    /// Understands a table and encodes it. `valid` has the same columns, where it is given; then all rows of `table` are
    /// trained on, and the split of the options is not looked at.
    ///
    /// # Errors
    /// Everything that can be wrong with a table, with what to do about it.
    pub fn table(table: Table, valid: Option<Table>, options: &FitOptions) -> Result<Self, ModelError> {
        let (target, targets) = TargetSchema::infer(&table, &options.target, options.task)?;
        let (rows, words) = table_parts(&table, &targets, valid.is_some(), options)?;
        Self::encoded(table, valid, (target, targets), rows, words, options)
    }

    /// The same with rows that were split before: a fold of a cross-validation, the rows after a shift.
    ///
    /// # Errors
    /// As [`Prepared::table`]; a row that the table has not or that has no target.
    pub fn parts(table: Table, rows: Parts, options: &FitOptions) -> Result<Self, ModelError> {
        let (target, targets) = TargetSchema::infer(&table, &options.target, options.task)?;
        let given = rows.train.iter().chain(&rows.valid).chain(&rows.test);
        if let Some(&row) = given.into_iter().find(|row| targets.rows.binary_search(row).is_err()) {
            let what = "rows with a target (a row of the split is none)";
            return Err(ModelError::Size { what, expected: row + 1, found: targets.rows.len() });
        }
        let words = rows.to_string();
        Self::encoded(table, None, (target, targets), rows, words, options)
    }

    fn encoded(
        table: Table,
        valid: Option<Table>,
        (mut target, targets): (TargetSchema, Targets),
        rows: Parts,
        words: String,
        options: &FitOptions,
    ) -> Result<Self, ModelError> {
        let Parts { train: train_rows, valid: valid_rows, test: test_rows, .. } = rows;
        if options.standardise == Standardise::Yes {
            target.fit(&targets.labels, &train_rows)?;
        } else if let crate::target::Task::Regress { mean, deviation } = &mut target.task {
            (*mean, *deviation) = (0.0, 1.0);
        }
        if !options.style.is_plain() {
            target.fit_range(&targets.labels, &train_rows);
        }
        let infer = InferOptions {
            overrides: options.overrides.clone(),
            target: Some(target.clone()),
            weight_column: options.weight_column.clone(),
            style: options.style,
            group_column: match &options.split {
                SplitBy::Group(name) => Some(name.clone()),
                SplitBy::Random | SplitBy::Time(_) => None,
            },
        };
        let mut schema = Schema::infer(&table, &train_rows, infer)?;
        match (&valid, &options.split) {
            (Some(valid), _) => {
                let rows: Vec<usize> = (0..valid.rows).collect();
                beyond::leave_out(&mut schema, &options.overrides, (&table, &train_rows), (valid, &rows));
            }
            // All rows are learned from, in folds: the latest fold is what the others are held against.
            (None, SplitBy::Time(_)) if valid_rows.is_empty() => {
                let folds = folds(&table, &targets, &options.split, FOLDS_OF_TIME, options.seed);
                if let Some(latest) = folds.ok().as_ref().and_then(|folds| folds.last()) {
                    beyond::leave_out(&mut schema, &options.overrides, (&table, &latest.train), (&table, &latest.test));
                }
            }
            (None, SplitBy::Time(_)) => {
                beyond::leave_out(&mut schema, &options.overrides, (&table, &train_rows), (&table, &valid_rows));
            }
            // Rows drawn at random, or by group, are no later than others.
            (None, SplitBy::Random | SplitBy::Group(_)) => {}
        }
        let preprocess = Preprocess::fit(&table, &train_rows, &schema, options.standardise)?;
        let matching = preprocess.matching(&schema, &table)?;
        let mut train = Encoded::table(preprocess.clone(), preprocess.compact(&table, &matching)?);
        train.set_targets(&target, &targets.labels);
        if let Some(name) = &options.weight_column {
            train.weights = all_weights(&table, name, &targets.rows)?;
        }
        let found = match options.find_leaks {
            true => leaks::leaks(&table, &targets, &train_rows, &schema, options.seed),
            false => Vec::new(),
        };
        let mut moved = Vec::new();
        for (part, rows) in [("validation", &valid_rows), ("test", &test_rows)] {
            // Rows drawn at random have moved by chance alone.
            if options.split == SplitBy::Random || rows.is_empty() {
                continue;
            }
            let findings = shift::between(&table, &preprocess, (&target, &targets), &train_rows, rows)?;
            moved.extend(findings.into_iter().map(|finding| (part, finding)));
        }
        let reference = Reference::fit(&table, &train_rows, &preprocess, Some((&target, &targets)))?;
        drop(table);
        let mut prepared = Prepared {
            leaks: found,
            moved,
            reference: Some(reference),
            class_weights: Vec::new(),
            features: Features::Table(preprocess.clone()),
            train,
            train_rows: numbers(&train_rows),
            valid: None,
            valid_rows: numbers(&valid_rows),
            test_rows: numbers(&test_rows),
            split: words,
            blank: targets.blank,
            blank_valid: 0,
            extra: Vec::new(),
            unseen: Vec::new(),
            schema,
        };
        if let Some(valid) = valid {
            let matching = preprocess.matching(&prepared.schema, &valid)?;
            let compact = preprocess.compact(&valid, &matching)?;
            prepared.unseen = compact.unseen().to_vec();
            prepared.extra = matching.extra;
            let targets = target.read(&valid)?;
            if let Some(reference) = &prepared.reference {
                let known = Some((&target, &targets));
                let findings = reference.compare(&preprocess, &valid, &targets.rows, known, None)?;
                prepared.moved.extend(findings.into_iter().map(|finding| ("validation", finding)));
            }
            let mut encoded = Encoded::table(preprocess, compact);
            encoded.set_targets(&target, &targets.labels);
            if let Some(name) = options.weight_column.as_ref().filter(|name| valid.column(name).is_some()) {
                encoded.weights = all_weights(&valid, name, &targets.rows)?;
            }
            prepared.blank_valid = targets.blank;
            prepared.valid_rows = numbers(&targets.rows);
            prepared.split = format!("{} rows of {} for validation", targets.rows.len(), valid.source);
            prepared.valid = Some(encoded);
        }
        prepared.class_weights = class_weights(&prepared, &options.class_weights)?;
        Ok(prepared)
    }

    /// Understands images and encodes them.
    ///
    /// # Errors
    /// Another number of labels than of images, one class only, images of different sizes.
    pub fn images(images: Images, valid: Option<Images>, options: &FitOptions) -> Result<Self, ModelError> {
        let table = label_table("label", &images)?;
        let (target, targets) = TargetSchema::infer(&table, "label", Some(TaskChoice::Classify))?;
        let (train_rows, valid_rows, words) = part(&targets, valid.is_some(), options)?;
        let preprocess = ImagePreprocess::fit(&images, &train_rows, options.standardise)?;
        let mut train = Encoded::images(&preprocess, images)?;
        train.set_targets(&target, &targets.labels);
        let schema = Schema { target: Some(target.clone()), rows: train_rows.len(), ..Schema::default() };
        let mut prepared = Prepared {
            reference: None,
            class_weights: Vec::new(),
            schema,
            features: Features::Images(preprocess.clone()),
            train,
            train_rows: numbers(&train_rows),
            valid: None,
            valid_rows: numbers(&valid_rows),
            test_rows: Vec::new(),
            leaks: Vec::new(),
            moved: Vec::new(),
            split: words,
            blank: 0,
            blank_valid: 0,
            extra: Vec::new(),
            unseen: Vec::new(),
        };
        if let Some(valid) = valid {
            let valid = if preprocess.channels == 3 { valid.in_colour() } else { valid };
            let labels = label_table("label", &valid)?;
            prepared.valid_rows = (0..valid.rows as u32).collect();
            prepared.split = format!("{} images of {} for validation", valid.rows, valid.source);
            let mut encoded = Encoded::images(&preprocess, valid)?;
            encoded.set_targets(&target, &target.read(&labels)?.labels);
            prepared.valid = Some(encoded);
        }
        prepared.class_weights = class_weights(&prepared, &options.class_weights)?;
        Ok(prepared)
    }

    /// Has the training images changed at random, anew in each epoch; the model file keeps how. Validation rows, and
    /// whatever is evaluated, stay as they are.
    ///
    /// # Errors
    /// Data that is no images, changes that leave nothing of images of this size.
    pub fn augment(&mut self, augmentation: Augmentation) -> Result<(), BadAugmentation> {
        let Features::Images(images) = &mut self.features else {
            let (what, hint) = ("the data is a table, which has no images to change", "leave it out; it is for images");
            return Err(BadAugmentation { what: what.to_owned(), hint: hint.to_owned() });
        };
        augmentation.check(images.height, images.width)?;
        if !augmentation.is_none() {
            images.augmentation = Some(augmentation);
            self.train.set_augmentation(augmentation);
        }
        Ok(())
    }

    /// The target.
    pub fn target(&self) -> Option<&TargetSchema> {
        self.schema.target.as_ref()
    }

    /// Numbers of a row.
    pub fn inputs(&self) -> usize {
        use glassnet_nn::source::Source;
        self.train.width()
    }

    /// What a row is to the network: numbers, or an image's channels, lines and columns.
    pub fn row(&self) -> RowShape {
        match &self.features {
            Features::Images(images) => RowShape::of(&[images.channels, images.height, images.width]),
            Features::Table(_) | Features::Text(_) => RowShape::row(self.inputs()),
        }
    }

    /// The training rows as the training loop takes them.
    pub fn train(&self) -> Rows<'_, f32> {
        Rows { source: &self.train, rows: &self.train_rows }
    }

    /// The validation rows; `None` where there are none.
    pub fn valid(&self) -> Option<Rows<'_, f32>> {
        let source = self.valid.as_ref().unwrap_or(&self.train);
        (!self.valid_rows.is_empty()).then_some(Rows { source, rows: &self.valid_rows })
    }

    /// The rows set aside as a test; `None` where there are none.
    pub fn test(&self) -> Option<Rows<'_, f32>> {
        (!self.test_rows.is_empty()).then_some(Rows { source: &self.train, rows: &self.test_rows })
    }

    /// Completes a network for this data and attaches the loss. `loss` overrides the default: softmax cross-entropy for
    /// classes (binary cross-entropy where a full form ends in one output), mean squared error for a number. Class weights
    /// and `smoothing` go into a cross-entropy that is given without its own.
    ///
    /// # Errors
    /// A loss that means nothing for this target, smoothing or class weights that are said twice, sizes that do not fit
    /// the data.
    pub fn network(&self, spec: &NetSpec, loss: Option<LossSpec>, smoothing: f64) -> Result<Headed, HeadError> {
        let classes = self.target().and_then(TargetSchema::classes).map(<[String]>::len);
        let single = spec.is_full() && spec.output() == Some(1);
        let (head, loss) = head_and_loss(classes, single, loss, smoothing, &self.class_weights)?;
        let outputs = if head == Head::Softmax { classes.unwrap_or(1) } else { 1 };
        let network = Network::for_rows(spec, &self.row(), outputs, Some(&loss))?;
        Ok(Headed { network, head })
    }

    /// Up to [`MAX_ROWS`] training rows that explanations compare with, drawn by a seed; `None` of images. They are data of the
    /// training, and [`Model::with_background`] puts them into the model file.
    ///
    /// # Errors
    /// There is no training row.
    pub fn background(&self, seed: u64) -> Result<Option<Background>, ModelError> {
        match self.features {
            Features::Table(_) => Background::draw(&self.train, &self.train_rows, MAX_ROWS, seed).map(Some),
            Features::Images(_) | Features::Text(_) => Ok(None),
        }
    }

    /// What later rows are compared with, for the model file: the training rows in a few numbers and the trained model's scores of the
    /// validation rows, before calibration. `None` of images.
    ///
    /// # Errors
    /// A model of other rows.
    pub fn reference(&self, model: &Model, team: &Team) -> Result<Option<Reference>, ModelError> {
        let Some(reference) = &self.reference else { return Ok(None) };
        if self.valid_rows.is_empty() {
            return Ok(Some(reference.clone()));
        }
        let source = self.valid.as_ref().unwrap_or(&self.train);
        let scores = model.raw_scores(&mut model.runner(team.clone()), source, &self.valid_rows)?;
        Ok(Some(reference.clone().with_scores(&watched(&scores, model.outputs()))))
    }

    /// The model of trained parameters; of several members those of all, one after the other.
    ///
    /// # Errors
    /// Parts that do not go together.
    pub fn model(&self, headed: &Headed, parameters: Vec<f32>) -> Result<Model, ModelError> {
        let mut spec = headed.network.spec.clone();
        strip_given(&mut spec.layers);
        let network = file::Network {
            spec,
            inputs: headed.network.inputs(),
            outputs: headed.network.outputs(),
            head: headed.head,
            members: parameters.len().checked_div(headed.network.parameters()).unwrap_or(1).max(1),
        };
        let mut document = Document::new(self.schema.clone(), self.features.clone(), network);
        document.provenance.versions = Model::versions();
        Model::new(document, parameters)
    }
}

/// The tensors hold the weights: the specification need not.
fn strip_given(layers: &mut [glassnet_nn::spec::LayerSpec]) {
    use glassnet_nn::spec::LayerSpec;
    for layer in layers {
        match layer {
            LayerSpec::Linear { weight, bias_values, .. } => (*weight, *bias_values) = (None, None),
            LayerSpec::Residual { layers } => strip_given(layers),
            LayerSpec::Concat { branches } => branches.iter_mut().for_each(|layers| strip_given(layers)),
            _ => {}
        }
    }
}

fn numbers(rows: &[usize]) -> Vec<u32> {
    rows.iter().map(|&row| row as u32).collect()
}

/// Rows of a table by their use, and how they were found, in words.
fn table_parts(
    table: &Table,
    targets: &Targets,
    given: bool,
    options: &FitOptions,
) -> Result<(Parts, String), ModelError> {
    if given || (options.split == SplitBy::Random && options.test_share.is_none_or(|share| share == 0.0)) {
        let (train, valid, words) = part(targets, given, options)?;
        return Ok((Parts { train, valid, ..Parts::default() }, words));
    }
    let test = options.test_share.or((options.split != SplitBy::Random).then_some(DEFAULT_SHARE));
    let test = test.filter(|&share| share != 0.0);
    let shares = (options.validation_share, test);
    let parts = parts(table, targets, &targets.rows, &options.split, shares, options.seed)?;
    let words = parts.to_string();
    Ok((parts, words))
}

fn part(targets: &Targets, given: bool, options: &FitOptions) -> Result<(Vec<usize>, Vec<usize>, String), ModelError> {
    match options.validation_share {
        _ if given => Ok((targets.rows.clone(), Vec::new(), String::new())),
        None => Ok((targets.rows.clone(), Vec::new(), "no rows set aside for validation".into())),
        Some(share) => {
            let split = split(targets, share, options.seed)?;
            let words = split.to_string();
            Ok((split.train, split.valid, words))
        }
    }
}

fn class_weights(prepared: &Prepared, choice: &ClassWeights) -> Result<Vec<f64>, ModelError> {
    let bad = |why: String| ModelError::BadOverride {
        column: prepared.target().map_or(String::new(), |target| target.name.clone()),
        kind: "weighted by class",
        why,
    };
    let Some(classes) = prepared.target().and_then(TargetSchema::classes) else {
        return match choice {
            ClassWeights::Equal => Ok(Vec::new()),
            _ => Err(bad("it is a number, not a class".into())),
        };
    };
    let weights = match choice {
        ClassWeights::Equal => return Ok(Vec::new()),
        ClassWeights::Balanced => {
            let mut counts = vec![0.0; classes.len()];
            for &row in &prepared.train_rows {
                if let Ok(label) = usize::try_from(prepared.train.labels[row as usize]) {
                    counts[label] += 1.0;
                }
            }
            let rows = prepared.train_rows.len() as f64;
            counts.iter().map(|&count: &f64| rows / (classes.len() as f64 * count.max(1.0))).collect()
        }
        ClassWeights::InOrder(weights) if weights.len() == classes.len() => weights.clone(),
        ClassWeights::InOrder(weights) => {
            let (given, wanted) = (weights.len(), classes.len());
            return Err(bad(format!("{given} weights are given for {wanted} classes ({})", classes.join(", "))));
        }
        ClassWeights::ByName(weights) => {
            if let Some(name) = weights.keys().find(|name| !classes.contains(name)) {
                return Err(bad(format!("there is no class {name:?} (there are {})", classes.join(", "))));
            }
            classes.iter().map(|class| weights.get(class).copied().unwrap_or(1.0)).collect()
        }
    };
    match weights.iter().find(|weight| !weight.is_finite() || **weight < 0.0) {
        Some(weight) => Err(bad(format!("a weight is {weight}, but weights are finite and not negative"))),
        None => Ok(weights),
    }
}
