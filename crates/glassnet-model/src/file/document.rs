//! What a model file says besides its weights.

use super::FORMAT_VERSION;
use crate::calibration::Calibration;
use crate::images::ImagePreprocess;
use crate::interval::Intervals;
use crate::preprocess::Preprocess;
use crate::schema::Schema;
use crate::shift::Reference;
use crate::target::Task;
use crate::text::TextPreprocess;
use glassnet_nn::history::History;
use glassnet_nn::spec::NetSpec;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Most inputs of images: 16.8 million, 4096 x 4096 grey pixels. A file that claims more was not written by a training.
pub const MAX_IMAGE: usize = 1 << 24;

/// The document. Keys that a reader does not know are passed over; keys added later have defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// [`FORMAT_VERSION`] of the library that wrote it.
    pub format_version: u32,
    /// Columns, target, row weights.
    pub schema: Schema,
    /// From rows or images to inputs.
    pub preprocess: Features,
    /// From inputs to outputs.
    pub network: Network,
    /// From logits to probabilities, where that was found on held-out rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Of a predicted number: how wide intervals around it are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Intervals>,
    /// The training rows in a few numbers, which later rows are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Where the model comes from.
    #[serde(default)]
    pub provenance: Provenance,
    /// Metrics by part: `train`, `valid`, `test`.
    #[serde(default)]
    pub metrics: BTreeMap<String, Value>,
    /// The training, epoch by epoch: everything that a plot needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
    /// Of several members those of the others, from the second on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_histories: Vec<History>,
}

/// What is fed to the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Features {
    /// A table's rows.
    Table(Preprocess),
    /// Images.
    Images(ImagePreprocess),
    /// Text, character by character.
    Text(TextPreprocess),
}

/// The network, by its layers and sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// The layers.
    pub spec: NetSpec,
    /// Number of inputs.
    pub inputs: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// What the outputs mean.
    pub head: Head,
    /// Networks of these layers, each with weights of its own, whose outputs are averaged.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub members: usize,
}

fn one() -> usize {
    1
}

fn is_one(members: &usize) -> bool {
    *members == 1
}

/// What the outputs mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// One logit a class; softmax makes scores of them.
    Softmax,
    /// One logit for the second of two classes; sigmoid makes its score.
    Sigmoid,
    /// One number, standardised.
    Value,
}

/// Where a model comes from. No wall-clock time, no number of threads: the same training gives the same bytes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Provenance {
    /// Hash of the training data, with the name of the hash in front.
    #[serde(default)]
    pub data_hash: String,
    /// The seed of everything random.
    #[serde(default)]
    pub seed: u64,
    /// Versions of what wrote it.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// Every setting of the training.
    #[serde(default)]
    pub settings: BTreeMap<String, Value>,
    /// The doctor's findings.
    #[serde(default)]
    pub findings: Vec<Value>,
}

/// Some numbers, the first of many.
fn listed(numbers: &[usize]) -> String {
    let some: Vec<String> = numbers.iter().take(8).map(ToString::to_string).collect();
    let more = if numbers.len() > 8 { ", ..." } else { "" };
    if numbers.is_empty() { "no".to_owned() } else { format!("{}{more}", some.join(", ")) }
}

impl Document {
    /// A document of this version without provenance and metrics.
    pub fn new(schema: Schema, preprocess: Features, network: Network) -> Self {
        Document {
            format_version: FORMAT_VERSION,
            schema,
            preprocess,
            network,
            calibration: None,
            intervals: None,
            reference: None,
            provenance: Provenance::default(),
            metrics: BTreeMap::new(),
            history: None,
            other_histories: Vec::new(),
        }
    }

    /// A text's tokens are inputs and outputs.
    fn check_text(&self, text: &TextPreprocess) -> Result<(), String> {
        if !text.is_sound() {
            return Err("its characters or its context cannot be used".to_owned());
        }
        let Network { inputs, outputs, head, ref spec, .. } = self.network;
        // What the network of a text may not do, as where it is trained.
        if spec.lengths {
            return Err("its network reads rows of different lengths, a text has none".to_owned());
        }
        if let Err(ahead) = spec.check_causal() {
            return Err(format!(
                "layer {} of its network ({}) lets a character see those after it",
                ahead.layer, ahead.text
            ));
        }
        let vocabulary = text.vocabulary();
        if inputs != text.context || spec.vocabulary != Some(vocabulary) {
            return Err(format!("its text has {} tokens of {vocabulary}, its network reads others", text.context));
        }
        if head != Head::Softmax || text.context.checked_mul(vocabulary) != Some(outputs) {
            return Err(format!("a text of {vocabulary} characters needs as many logits for each of its time steps"));
        }
        Ok(())
    }

    /// Whether its parts go together: schema with preprocessing, preprocessing with inputs, outputs with target; scales
    /// that can be divided by.
    ///
    /// # Errors
    /// The first thing that does not fit, in words.
    pub fn check(&self) -> Result<(), String> {
        if let Some(calibration) = &self.calibration {
            let classes = self.schema.target.as_ref().and_then(|target| target.classes()).map_or(0, <[String]>::len);
            calibration.check(self.network.head, classes)?;
        }
        if let Some(intervals) = &self.intervals {
            intervals.check()?;
        }
        if let Some(reference) = &self.reference {
            reference.check()?;
        }
        if self.network.members == 0 {
            return Err("its network has no member".to_owned());
        }
        let width = match &self.preprocess {
            Features::Table(preprocess) => {
                if preprocess.style() != self.schema.style {
                    return Err("preprocessing and schema are of two styles".to_owned());
                }
                for encoder in preprocess.columns() {
                    let name = &encoder.name;
                    let Some(column) = self.schema.used().find(|column| column.name == *name) else {
                        return Err(format!("preprocessing takes column {name:?}, which its schema does not use"));
                    };
                    let peaks = !encoder.encoding.is_number() || encoder.encoding.peaks() == column.peaks.as_ref();
                    if !encoder.encoding.fits(&column.kind) || !peaks {
                        return Err(format!("preprocessing and schema disagree on column {name:?}"));
                    }
                }
                let (tables, wanted) = (self.network.spec.category_tables(), preprocess.layout().categories);
                if !preprocess.style().is_plain() && !tables.is_empty() && tables != wanted {
                    return Err(format!(
                        "the network looks codes up in tables of {} rows, its preprocessing gives codes for tables of {}",
                        listed(&tables),
                        listed(&wanted)
                    ));
                }
                preprocess.width()
            }
            Features::Text(text) => return self.check_text(text),
            Features::Images(images) => {
                let sound = images.is_sound();
                let size = images.height.checked_mul(images.width).and_then(|n| n.checked_mul(images.channels));
                match size {
                    Some(size) if sound && size <= MAX_IMAGE => size,
                    Some(size) if sound => {
                        return Err(format!("its images have {size} numbers each, more than the {MAX_IMAGE} allowed"));
                    }
                    _ => return Err("the images' mean, deviation or size cannot be used".to_owned()),
                }
            }
        };
        let Network { inputs, outputs, head, .. } = self.network;
        if inputs != width {
            return Err(format!("the network has {inputs} inputs, its preprocessing gives {width}"));
        }
        let task = self.schema.target.as_ref().map(|target| &target.task);
        // Without a target there are no classes to give scores to: only a number can come out.
        let classes = match task {
            Some(Task::Classify { classes }) => classes.len(),
            Some(Task::Regress { mean, deviation }) => {
                let range = self.schema.target.as_ref().and_then(|target| target.range);
                if range.is_some_and(|[least, most]| !(least.is_finite() && most.is_finite() && least <= most)) {
                    return Err("the range of the target cannot be used".to_owned());
                }
                if !(mean.is_finite() && deviation.is_finite() && *deviation > 0.0) {
                    return Err("the target's mean or deviation cannot be used".to_owned());
                }
                0
            }
            None if head != Head::Value => return Err(format!("the head {head:?} needs a target with classes")),
            None => 0,
        };
        let wanted = match head {
            Head::Softmax if classes >= 2 => classes,
            Head::Sigmoid if classes == 2 => 1,
            Head::Value if classes == 0 => 1,
            _ => return Err(format!("the head {head:?} does not fit a target of {classes} classes")),
        };
        if outputs != wanted {
            return Err(format!("the network has {outputs} outputs, its target needs {wanted}"));
        }
        Ok(())
    }
}
