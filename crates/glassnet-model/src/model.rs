//! The trained thing: schema, preprocessing, network and weights together; from bytes and to bytes; rows in, scores out.
//!
//! A classifier's output is a *score* for each class, not a probability: nothing has checked it as one.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use glassnet_core::ops::{sigmoid, softmax};
use glassnet_core::{Plan, Prepared, Purpose, Runner, StepInfo, Team};
use glassnet_nn::functional;
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::source::Source;

use crate::calibration::Calibration;
use crate::encoded::Encoded;
use crate::error::ModelError;
use crate::explain::Background;
use crate::file::{self, Document, Features, Head, Tensor};
use crate::preprocess::Unseen;
use crate::table::{Images, Table};
use crate::text::TextPreprocess;
use crate::value::{RowError, Value};

/// A trained model. Immutable, `Send + Sync`.
#[derive(Debug, Clone)]
pub struct Model {
    document: Document,
    network: Network,
    parameters: Arc<Vec<f32>>,
    row_plan: Arc<Plan>,
    batch_plan: Arc<Plan>,
    /// Copies of the weights for one row at a time: made with the first scratch.
    prepared: Arc<OnceLock<Prepared<f32>>>,
    /// Training rows that explanations compare with.
    background: Option<Arc<Background>>,
}

/// What one caller needs to predict a row; made once, used for any number of rows.
#[derive(Debug)]
pub struct Scratch {
    runner: Runner<f32>,
}

/// What was noticed while a table was matched with the model's columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Noticed {
    /// Columns that the model does not know; ignored.
    pub extra: Vec<String>,
    /// Categories without a level of their own, which went to the unknown input.
    pub unseen: Vec<Unseen>,
}

/// The plain loss that belongs to a head: the one that `evaluate` reports.
pub fn plain_loss(head: Head) -> LossSpec {
    match head {
        Head::Softmax => LossSpec::cross_entropy(),
        Head::Sigmoid => LossSpec::binary_cross_entropy(),
        Head::Value => LossSpec::MeanSquared,
    }
}

impl Model {
    /// Joins a document with its parameters (flat, in the network's layout).
    ///
    /// # Errors
    /// Parts that do not go together, a parameter that is not finite.
    pub fn new(mut document: Document, parameters: Vec<f32>) -> Result<Self, ModelError> {
        let broken = |what: String| ModelError::File { what, hint: "train it again, or take another copy".into() };
        document.check().map_err(|what| broken(format!("its document contradicts itself: {what}")))?;
        complete(&mut document);
        let network = Network::new(&document.network.spec, Some(&plain_loss(document.network.head)))
            .map_err(|error| broken(error.to_string()))?;
        if network.inputs() != document.network.inputs || network.outputs() != document.network.outputs {
            return Err(broken(format!(
                "its network maps {} numbers to {}, but its layers map {} to {}",
                document.network.inputs,
                document.network.outputs,
                network.inputs(),
                network.outputs()
            )));
        }
        if parameters.len() != network.parameters() {
            return Err(broken(format!(
                "its network has {} parameters, but {} are given",
                network.parameters(),
                parameters.len()
            )));
        }
        if let Some(place) = parameters.iter().position(|value| !value.is_finite()) {
            let value = parameters[place];
            return Err(broken(format!("parameter {place} (from 0) of its network is {value}, which is not finite")));
        }
        let (row_plan, batch_plan) =
            (network.plan(Purpose::Predict, 1), network.evaluation_plan(network.evaluation_rows()));
        let (parameters, prepared) = (Arc::new(parameters), Arc::default());
        Ok(Model { document, network, parameters, row_plan, batch_plan, prepared, background: None })
    }

    /// Reads a model file's bytes.
    ///
    /// # Errors
    /// Not a model file, damaged, written by a later version, tensors that do not fit the network.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let (mut document, mut tensors) = file::from_bytes(bytes)?;
        complete(&mut document);
        let background = match document.preprocess {
            Features::Table(_) => Background::take(&mut tensors, document.network.inputs)?,
            Features::Images(_) | Features::Text(_) => None,
        };
        let network = Network::new(&document.network.spec, None).map_err(|error| ModelError::File {
            what: error.to_string(),
            hint: "take another copy of the file".into(),
        })?;
        let expected: Vec<(&str, &[usize])> =
            network.graph.slots().iter().map(|slot| (slot.name.as_str(), slot.shape.as_slice())).collect();
        let tensors = file::arrange(tensors, &expected)?;
        Model::new(document, tensors.into_iter().flat_map(|tensor| tensor.data).collect())?.with_background(background)
    }

    /// The model file's bytes; the same model gives the same bytes.
    ///
    /// # Errors
    /// Weights that are not finite, parts that do not go together.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let slots = self.network.graph.slots().iter();
        let tensor = |slot: &glassnet_core::slots::Slot| Tensor {
            name: slot.name.clone(),
            shape: slot.shape.clone(),
            data: self.parameters[slot.range()].to_vec(),
        };
        let background = self.background.iter().map(|background| background.tensor());
        file::to_bytes(&self.document, &slots.map(tensor).chain(background).collect::<Vec<_>>())
    }

    /// What the file says besides the weights.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The same, to add metrics and provenance.
    pub fn document_mut(&mut self) -> &mut Document {
        &mut self.document
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Its parameters, flat.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// Names of the classes; `None` for a regression.
    pub fn classes(&self) -> Option<&[String]> {
        self.document.schema.target.as_ref().and_then(|target| target.classes())
    }

    /// Name of the target.
    pub fn target(&self) -> &str {
        self.document.schema.target.as_ref().map_or("target", |target| target.name.as_str())
    }

    /// Names of the columns that a row of [`Model::predict_into`] has, in order; empty for images.
    pub fn columns(&self) -> Vec<&str> {
        match &self.document.preprocess {
            Features::Table(preprocess) => preprocess.columns().iter().map(|column| column.name.as_str()).collect(),
            Features::Images(_) | Features::Text(_) => Vec::new(),
        }
    }

    /// How text is read, where the model was trained on text.
    pub fn text(&self) -> Option<&TextPreprocess> {
        match &self.document.preprocess {
            Features::Text(text) => Some(text),
            Features::Table(_) | Features::Images(_) => None,
        }
    }

    /// Numbers that it gives for a row: one score a class, or one value.
    pub fn outputs(&self) -> usize {
        self.classes().map_or(1, <[String]>::len)
    }

    /// What a caller needs to predict rows. The model's first scratch takes the time and the memory of a copy of the weights of
    /// its linear layers, in the order that one row needs; all callers share it.
    pub fn scratch(&self) -> Scratch {
        self.prepared.get_or_init(|| Prepared::new(Arc::clone(&self.row_plan), Arc::clone(&self.parameters)));
        Scratch { runner: Runner::new(Arc::clone(&self.row_plan), Team::single()) }
    }

    /// Predicts one row: a value for each of [`Model::columns`], scores of the classes (or the value) to `out`
    /// ([`Model::outputs`] numbers). It neither allocates nor panics.
    ///
    /// # Errors
    /// A row or an `out` of another length, a value that its column cannot hold; the scratch of another model; a model of
    /// images.
    pub fn predict_into(&self, row: &[Value<'_>], scratch: &mut Scratch, out: &mut [f32]) -> Result<(), RowError> {
        let Features::Table(preprocess) = &self.document.preprocess else {
            return Err(RowError::Length { expected: 0, found: row.len() });
        };
        if out.len() != self.outputs() {
            return Err(RowError::Output { expected: self.outputs(), found: out.len() });
        }
        let runner = &mut scratch.runner;
        // A model's plan says where its arena holds what: no other plan will do, not even one of the same sizes.
        if !std::ptr::eq(runner.plan(), Arc::as_ptr(&self.row_plan)) {
            return Err(RowError::Scratch);
        }
        runner.set_rows(1);
        preprocess.encode_row(row, runner.input_mut(self.network.x))?;
        match self.prepared.get() {
            Some(prepared) => runner.forward_prepared(prepared, &StepInfo::default()),
            None => runner.forward(&self.parameters, &StepInfo::default()),
        }
        self.finish(runner.value(self.network.logits).unwrap_or(&[]), out);
        Ok(())
    }

    /// How logits become probabilities, where that was found on rows that the training did not see.
    pub fn calibration(&self) -> Option<Calibration> {
        self.document.calibration
    }

    /// The same model with that calibration, or with none.
    ///
    /// # Errors
    /// Numbers that are no calibration of this model's head ([`Calibration::check`]).
    pub fn with_calibration(mut self, calibration: Option<Calibration>) -> Result<Self, ModelError> {
        if let Some(calibration) = calibration {
            calibration.check(self.document.network.head).map_err(|what| ModelError::Unfit {
                what,
                hint: "fit it on held-out rows of this model: a slope above 0, an offset for two classes only",
            })?;
        }
        self.document.calibration = calibration;
        Ok(self)
    }

    /// Training rows that explanations compare with, where the model keeps some.
    pub fn background(&self) -> Option<&Background> {
        self.background.as_deref()
    }

    /// The same model with that background, or with none: the model file holds its rows.
    ///
    /// # Errors
    /// Rows of another model; a model of images or text.
    pub fn with_background(mut self, background: Option<Background>) -> Result<Self, ModelError> {
        if let Some(background) = &background {
            background.fits(&self)?;
        }
        self.background = background.map(Arc::new);
        Ok(self)
    }

    /// From one row's logits to scores or the value in the target's unit.
    fn finish(&self, logits: &[f32], out: &mut [f32]) {
        let calibrated = |z: f32| self.document.calibration.map_or(z, |calibration| calibration.apply(z));
        match self.document.network.head {
            Head::Softmax => {
                if self.document.calibration.is_some() {
                    // `out` holds them for a moment: a row may have any number of classes.
                    out.iter_mut().zip(logits).for_each(|(out, &z)| *out = calibrated(z));
                    softmax::scores_in_place(out);
                } else {
                    softmax::scores(logits, out);
                }
            }
            Head::Sigmoid => {
                let scores = sigmoid::scores(calibrated(logits.first().copied().unwrap_or(f32::NAN)));
                out.iter_mut().zip(scores).for_each(|(out, score)| *out = score);
            }
            Head::Value => {
                if let (Some(out), Some(&z)) = (out.first_mut(), logits.first()) {
                    let target = self.document.schema.target.as_ref();
                    *out = target.map_or(f64::from(z), |target| target.restore(f64::from(z))) as f32;
                }
            }
        }
    }

    /// Encodes a table's rows; targets and weights are taken where `with_target` asks for them.
    ///
    /// # Errors
    /// Columns that are missing, values that a column cannot hold, a target that is no class of the model.
    pub fn encode_table(
        &self,
        table: &Table,
        with_target: bool,
    ) -> Result<(Encoded<f32>, Vec<u32>, Noticed), ModelError> {
        let preprocess = match &self.document.preprocess {
            Features::Table(preprocess) => preprocess,
            Features::Images(_) => {
                return Err(ModelError::File {
                    what: "the model was trained on images, but the data is a table".into(),
                    hint: "give images of the training's size".into(),
                });
            }
            Features::Text(_) => return Err(of_text("a table")),
        };
        let matching = preprocess.matching(&self.document.schema, table)?;
        let compact = preprocess.compact(table, &matching)?;
        let noticed = Noticed { extra: matching.extra, unseen: compact.unseen().to_vec() };
        let mut encoded = Encoded::table(preprocess.clone(), compact);
        let mut rows: Vec<u32> = (0..table.rows as u32).collect();
        if let (true, Some(target)) = (with_target, &self.document.schema.target) {
            let targets = target.read(table)?;
            encoded.set_targets(target, &targets.labels);
            rows = targets.rows.iter().map(|&row| row as u32).collect();
            if let Some(name) = &self.document.schema.weight_column
                && table.column(name).is_some()
            {
                encoded.weights = all_weights(table, name, &targets.rows)?;
            }
        }
        Ok((encoded, rows, noticed))
    }

    /// Encodes images; labels are taken where `with_target` asks for them.
    ///
    /// # Errors
    /// Images of another size, labels that are no class of the model, another number of labels than of images.
    pub fn encode_images(&self, images: Images, with_target: bool) -> Result<(Encoded<f32>, Vec<u32>), ModelError> {
        let preprocess = match &self.document.preprocess {
            Features::Images(preprocess) => preprocess,
            Features::Table(_) => {
                return Err(ModelError::File {
                    what: "the model was trained on a table, but the data is images".into(),
                    hint: "give a table with the training's columns".into(),
                });
            }
            Features::Text(_) => return Err(of_text("images")),
        };
        // Grey images are colour images too.
        let images = if preprocess.channels == 3 { images.in_colour() } else { images };
        let rows = (0..images.rows as u32).collect();
        let target = self.document.schema.target.as_ref().filter(|_| with_target);
        let labels = match target {
            Some(target) => Some((target, target.read(&label_table(&target.name, &images)?)?.labels)),
            None => None,
        };
        let mut encoded = Encoded::images(preprocess, images)?;
        if let Some((target, labels)) = labels {
            encoded.set_targets(target, &labels);
        }
        Ok((encoded, rows))
    }

    /// A runner for many rows; see [`Model::scores`].
    pub fn runner(&self, team: Team) -> Runner<f32> {
        Runner::new(Arc::clone(&self.batch_plan), team)
    }

    /// Scores (or values) of some rows, [rows, outputs]: the same bytes as one row at a time.
    ///
    /// # Errors
    /// The runner of another model, rows that were encoded for another model.
    pub fn scores(
        &self,
        runner: &mut Runner<f32>,
        source: &dyn Source<f32>,
        rows: &[u32],
    ) -> Result<Vec<f32>, ModelError> {
        if !std::ptr::eq(runner.plan(), Arc::as_ptr(&self.batch_plan)) {
            return Err(ModelError::Foreign { what: "the runner was made by another model", maker: "runner()" });
        }
        self.encoded_here(source)?;
        let outputs = functional::evaluate(&self.network, runner, &self.parameters, source, rows);
        let width = self.network.graph.node(self.network.logits).shape.len().max(1);
        let mut scores = vec![0.0; rows.len() * self.outputs()];
        for (logits, out) in outputs.logits.chunks(width).zip(scores.chunks_mut(self.outputs().max(1))) {
            self.finish(logits, out);
        }
        Ok(scores)
    }

    /// Whether rows have as many numbers as the network reads, and scores come of them: a text has none.
    pub(crate) fn encoded_here(&self, source: &dyn Source<f32>) -> Result<(), ModelError> {
        if self.text().is_some() {
            return Err(ModelError::Unfit {
                what: "the model was trained on text, so it has no scores of rows".into(),
                hint: "evaluate_text() and generator() are for it",
            });
        }
        if source.width() == self.network.inputs() {
            return Ok(());
        }
        let maker = "encode_table() or encode_images()";
        Err(ModelError::Foreign { what: "the rows were encoded for another model", maker })
    }

    /// Versions to write into a model's provenance.
    pub fn versions() -> BTreeMap<String, String> {
        BTreeMap::from([("glassnet".to_string(), env!("CARGO_PKG_VERSION").to_string())])
    }
}

/// A model of text is given something else.
fn of_text(data: &str) -> ModelError {
    ModelError::File {
        what: format!("the model was trained on text, but the data is {data}"),
        hint: "give a text file, or write on with glassnet generate".into(),
    }
}

/// A specification without its input size takes the document's: files of version 1 may leave it out.
fn complete(document: &mut Document) {
    document.network.spec.input.get_or_insert(document.network.inputs);
}

/// Weights by row of the table; rows without a target weigh 0.
pub(crate) fn all_weights(table: &Table, name: &str, rows: &[usize]) -> Result<Vec<f64>, ModelError> {
    let given = crate::weights::row_weights(table, name, rows)?;
    let mut weights = vec![0.0; table.rows];
    for (&row, weight) in rows.iter().zip(given) {
        weights[row] = weight;
    }
    Ok(weights)
}

/// Labels of images as a table of one column, so that they are read as any target.
///
/// # Errors
/// Another number of labels than of images.
pub(crate) fn label_table(name: &str, images: &Images) -> Result<Table, ModelError> {
    use crate::table::{Text, Values};
    let labels = &images.labels;
    if labels.len() != images.rows {
        let (source_name, labels, images) = (images.source.clone(), labels.len(), images.rows);
        return Err(ModelError::Labels { source_name, labels, images });
    }
    let values = if images.classes.is_empty() {
        Values::Number(labels.iter().map(|&label| f64::from(label)).collect())
    } else {
        let mut names = Text::default();
        labels.iter().for_each(|&label| names.push(images.classes.get(label as usize).map(String::as_str)));
        Values::Text(names)
    };
    Ok(Table {
        source: format!("the labels of {}", images.source),
        columns: vec![crate::table::Column { name: name.to_string(), values }],
        rows: labels.len(),
        first_row: 1,
        lines: Vec::new(),
    })
}
