//! The trained thing: schema, preprocessing, network and weights together; from bytes and to bytes; rows in, scores out.
//!
//! A classifier's output is a *score* for each class, not a probability: nothing has checked it as one.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use glassnet_core::{Plan, Prepared, Purpose};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::source::Source;

use crate::encoded::Encoded;
use crate::error::ModelError;
use crate::explain::Background;
use crate::file::{self, Document, Features, Head, Tensor};
pub use crate::predict::Scratch;
use crate::preprocess::Unseen;
use crate::table::{Images, Table};
use crate::text::TextPreprocess;

/// A trained model. Immutable, `Send + Sync`.
#[derive(Debug, Clone)]
pub struct Model {
    pub(crate) document: Document,
    pub(crate) network: Network,
    /// Of each member, flat in the network's layout.
    pub(crate) members: Vec<Arc<Vec<f32>>>,
    pub(crate) row_plan: Arc<Plan>,
    pub(crate) batch_plan: Arc<Plan>,
    /// Copies of each member's weights for one row at a time: made with the first scratch.
    pub(crate) prepared: Arc<OnceLock<Vec<Prepared<f32>>>>,
    /// Training rows that explanations compare with.
    background: Option<Arc<Background>>,
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
    /// Joins a document with its parameters (flat, in the network's layout; of several members one after the other).
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
        let (own, members) = (network.parameters(), document.network.members);
        if own.checked_mul(members) != Some(parameters.len()) {
            let times = if members == 1 { String::new() } else { format!("{members} members of ") };
            return Err(broken(format!("its network has {times}{own} parameters, but {} are given", parameters.len())));
        }
        if let Some(place) = parameters.iter().position(|value| !value.is_finite()) {
            let value = parameters[place];
            return Err(broken(format!("parameter {place} (from 0) of its network is {value}, which is not finite")));
        }
        let (row_plan, batch_plan) =
            (network.plan(Purpose::Predict, 1), network.evaluation_plan(network.evaluation_rows()));
        let members = match (members, own) {
            (1, _) => vec![Arc::new(parameters)],
            (_, 0) => vec![Arc::default(); members],
            _ => parameters.chunks(own).map(|member| Arc::new(member.to_vec())).collect(),
        };
        Ok(Model { document, network, members, row_plan, batch_plan, prepared: Arc::default(), background: None })
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
        let members = document.network.members;
        if members > tensors.len().max(1) {
            let what = format!("its document speaks of {members} members, but it has {} tensors", tensors.len());
            return Err(ModelError::File { what, hint: "take another copy of the file".into() });
        }
        let slots: Vec<_> = network.graph.slots().iter().collect();
        let names: Vec<(String, &[usize])> = (0..members)
            .flat_map(|member| {
                slots.iter().map(move |slot| (tensor_name(member, members, &slot.name), &slot.shape[..]))
            })
            .collect();
        let expected: Vec<(&str, &[usize])> = names.iter().map(|(name, shape)| (name.as_str(), *shape)).collect();
        let tensors = file::arrange(tensors, &expected)?;
        Model::new(document, tensors.into_iter().flat_map(|tensor| tensor.data).collect())?.with_background(background)
    }

    /// The model file's bytes; the same model gives the same bytes.
    ///
    /// # Errors
    /// Weights that are not finite, parts that do not go together.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let mut tensors = Vec::new();
        for (number, member) in self.members.iter().enumerate() {
            for slot in self.network.graph.slots().iter() {
                let name = tensor_name(number, self.members.len(), &slot.name);
                tensors.push(Tensor { name, shape: slot.shape.clone(), data: member[slot.range()].to_vec() });
            }
        }
        tensors.extend(self.background.iter().map(|background| background.tensor()));
        file::to_bytes(&self.document, &tensors)
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

    /// The parameters of the first member (of most models the only one), flat.
    pub fn parameters(&self) -> &[f32] {
        &self.members[0]
    }

    /// The parameters of each member, flat in the network's layout. What the model gives out is the mean of what they give.
    pub fn members(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.members.iter().map(|member| member.as_slice())
    }

    /// Number of trained parameters of all members together.
    pub fn parameter_count(&self) -> usize {
        self.members.len() * self.network.graph.slots().trained()
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

/// The name of a member's tensor: the slot's own where there is one member, else `member1.0.weight`.
fn tensor_name(member: usize, members: usize, slot: &str) -> String {
    if members == 1 { slot.to_string() } else { format!("member{}.{slot}", member + 1) }
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
