//! Rows ready for the network: a table's encoded columns or images, with targets and weights, as a batch source. Rows
//! are spread out (one-hot, pixels to numbers) only when a batch gathers them.

use glassnet_core::Real;
use glassnet_nn::source::Source;

use crate::error::ModelError;
use crate::images::ImagePreprocess;
use crate::preprocess::{Compact, Preprocess};
use crate::table::Images;
use crate::target::{BLANK, Labels, TargetSchema};

/// Encoded rows.
#[derive(Debug, Clone)]
pub struct Encoded<T> {
    features: EncodedFeatures<T>,
    width: usize,
    /// The class of each row, -1 where it has none; empty for a regression or without targets.
    pub labels: Vec<i32>,
    /// The standardised target of each row, NaN where it has none; empty for a classification.
    pub values: Vec<f64>,
    /// The weight of each row; empty: all 1.
    pub weights: Vec<f64>,
    /// Weight of each class, where the loss has no place for it; empty: all 1.
    pub class_weights: Vec<f64>,
}

#[derive(Debug, Clone)]
enum EncodedFeatures<T> {
    Table(Preprocess, Compact<T>),
    Images(Box<[T; 256]>, Images),
}

impl<T: Real> Encoded<T> {
    /// A table's rows, without targets yet.
    pub fn table(preprocess: Preprocess, compact: Compact<T>) -> Self {
        let width = preprocess.width();
        Self::new(EncodedFeatures::Table(preprocess, compact), width)
    }

    /// Images, without targets yet.
    ///
    /// # Errors
    /// Images of another size than those of training.
    pub fn images(preprocess: &ImagePreprocess, images: Images) -> Result<Self, ModelError> {
        // No row yet: this only compares the sizes.
        preprocess.encode_rows::<T>(&images, &[], &mut [])?;
        Ok(Self::new(EncodedFeatures::Images(Box::new(preprocess.values()), images), preprocess.inputs()))
    }

    fn new(features: EncodedFeatures<T>, width: usize) -> Self {
        let (labels, values, weights, class_weights) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Encoded { features, width, labels, values, weights, class_weights }
    }

    /// Bytes that the rows take: features, targets, weights.
    pub fn bytes(&self) -> usize {
        let features = match &self.features {
            EncodedFeatures::Table(_, compact) => compact.bytes(),
            EncodedFeatures::Images(_, images) => images.pixels.len(),
        };
        features + self.labels.len() * size_of::<i32>() + (self.values.len() + self.weights.len()) * size_of::<f64>()
    }

    /// Takes the targets, as the model's target says.
    pub fn set_targets(&mut self, target: &TargetSchema, labels: &Labels) {
        match labels {
            Labels::Classes(classes) => {
                let label = |&class: &u32| if class == BLANK { -1 } else { class as i32 };
                self.labels = classes.iter().map(label).collect();
            }
            Labels::Numbers(numbers) => self.values = numbers.iter().map(|&y| target.standardise(y)).collect(),
        }
    }
}

impl<T: Real> Source<T> for Encoded<T> {
    fn rows(&self) -> usize {
        match &self.features {
            EncodedFeatures::Table(_, compact) => compact.rows(),
            EncodedFeatures::Images(_, images) => images.rows,
        }
    }

    fn width(&self) -> usize {
        self.width
    }

    fn features(&self, rows: &[u32], out: &mut [T]) {
        match &self.features {
            EncodedFeatures::Table(preprocess, compact) => {
                // Rows and buffer are the trainer's own, of this width; should they not fit, the step sees NaN and stops.
                if preprocess.encode_rows(compact, rows, out).is_err() {
                    out.fill(T::from_f64(f64::NAN));
                }
            }
            EncodedFeatures::Images(values, images) => {
                for (out, &row) in out.chunks_exact_mut(self.width.max(1)).zip(rows) {
                    let start = row as usize * self.width;
                    let pixels = images.pixels.get(start..start + self.width).unwrap_or(&[]);
                    for (out, &pixel) in out.iter_mut().zip(pixels) {
                        *out = values[usize::from(pixel)];
                    }
                }
            }
        }
    }

    fn label(&self, row: u32) -> i32 {
        self.labels.get(row as usize).copied().unwrap_or(0)
    }

    fn target_width(&self) -> usize {
        1
    }

    fn values(&self, row: u32, out: &mut [T]) {
        let class = || self.labels.get(row as usize).map_or(0.0, |&label| f64::from(label));
        out.fill(T::from_f64(self.values.get(row as usize).copied().unwrap_or_else(class)));
    }

    fn weight(&self, row: u32) -> f64 {
        let own = self.weights.get(row as usize).copied().unwrap_or(1.0);
        let class = usize::try_from(self.label(row)).ok().and_then(|label| self.class_weights.get(label));
        own * class.copied().unwrap_or(1.0)
    }
}
