//! Rows ready for the network: a table's encoded columns or images, with targets and weights, as a batch source. Rows
//! are spread out (one-hot, pixels to numbers) only when a batch gathers them.

use glassnet_core::Real;
use glassnet_nn::source::{Draw, Source};

use crate::augment::Augmentation;
use crate::error::ModelError;
use crate::images::{ImagePreprocess, PixelMap};
use crate::preprocess::{Compact, Preprocess};
use crate::table::Images;
use crate::target::{BLANK, Labels, TargetSchema, Task};

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
    /// Mean and deviation by which the targets were standardised; 0 and 1 for classes and without targets.
    unit: (f64, f64),
}

#[derive(Debug, Clone)]
enum EncodedFeatures<T> {
    Table(Preprocess, Compact<T>),
    Images(PixelMap<T>, Images, Option<Augmentation>),
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
    /// Images of another size than those of training, or fewer or more pixels than that many images have.
    pub fn images(preprocess: &ImagePreprocess, images: Images) -> Result<Self, ModelError> {
        preprocess.fits(&images)?;
        let (expected, found) = (images.rows.saturating_mul(preprocess.inputs()), images.pixels.len());
        if expected != found {
            return Err(ModelError::Size { what: "pixels of the images", expected, found });
        }
        let features = EncodedFeatures::Images(preprocess.map(), images, preprocess.augmentation);
        Ok(Self::new(features, preprocess.inputs()))
    }

    /// Gives `write` each image of a batch with its place there; one that is not there becomes NaN, which stops a step.
    fn each_image(&self, images: &Images, rows: &[u32], out: &mut [T], write: impl Fn(usize, &[u8], &mut [T])) {
        for (index, (out, &row)) in out.chunks_exact_mut(self.width.max(1)).zip(rows).enumerate() {
            let start = row as usize * self.width;
            match images.pixels.get(start..start + self.width) {
                Some(pixels) => write(index, pixels, out),
                None => out.fill(T::from_f64(f64::NAN)),
            }
        }
    }

    /// Sets how images are changed while they are trained on.
    #[cfg(feature = "fit")]
    pub(crate) fn set_augmentation(&mut self, chosen: Augmentation) {
        if let EncodedFeatures::Images(_, _, augmentation) = &mut self.features {
            *augmentation = Some(chosen);
        }
    }

    fn new(features: EncodedFeatures<T>, width: usize) -> Self {
        let (labels, values, weights) = (Vec::new(), Vec::new(), Vec::new());
        Encoded { features, width, labels, values, weights, unit: (0.0, 1.0) }
    }

    /// Bytes that the rows take: features, targets, weights.
    pub fn bytes(&self) -> usize {
        let features = match &self.features {
            EncodedFeatures::Table(_, compact) => compact.bytes(),
            EncodedFeatures::Images(_, images, _) => images.pixels.len(),
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
        if let Task::Regress { mean, deviation } = target.task {
            self.unit = (mean, deviation);
        }
    }
}

impl<T: Real> Source<T> for Encoded<T> {
    fn rows(&self) -> usize {
        match &self.features {
            EncodedFeatures::Table(_, compact) => compact.rows(),
            EncodedFeatures::Images(_, images, _) => images.rows,
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
            EncodedFeatures::Images(map, images, _) => {
                self.each_image(images, rows, out, |_, pixels, out| map.write(pixels, out));
            }
        }
    }

    /// Images as their augmentation draws them; a table's rows as they are.
    fn features_at(&self, rows: &[u32], at: Draw, out: &mut [T]) {
        match &self.features {
            EncodedFeatures::Images(map, images, Some(augmentation)) => {
                self.each_image(images, rows, out, |index, pixels, out| {
                    let change = augmentation.draw(at, index, images.height, images.width);
                    map.write_changed(pixels, &change, out);
                });
            }
            _ => self.features(rows, out),
        }
    }

    /// -1 where the row has none: a loss makes NaN of it, and nothing takes it for a class.
    fn label(&self, row: u32) -> i32 {
        self.labels.get(row as usize).copied().unwrap_or(-1)
    }

    fn target_width(&self) -> usize {
        1
    }

    fn values(&self, row: u32, out: &mut [T]) {
        let class = || self.labels.get(row as usize).filter(|&&label| label >= 0).map(|&label| f64::from(label));
        let value = self.values.get(row as usize).copied().or_else(class);
        out.fill(T::from_f64(value.unwrap_or(f64::NAN)));
    }

    fn weight(&self, row: u32) -> f64 {
        self.weights.get(row as usize).copied().unwrap_or(1.0)
    }

    fn weighs_equally(&self) -> bool {
        self.weights.is_empty()
    }

    fn has_targets(&self) -> bool {
        !(self.labels.is_empty() && self.values.is_empty())
    }

    fn restore(&self, output: f64) -> f64 {
        let (mean, deviation) = self.unit;
        output * deviation + mean
    }
}
