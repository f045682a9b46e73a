//! Images to inputs: every pixel standardised by the mean and deviation of its channel over all training images.
//!
//! Pixels and inputs lie channels first (image, channel, line, column), as convolution reads them.

mod pixels;
mod written;

pub(crate) use pixels::PixelMap;

use crate::augment::Augmentation;
use crate::error::{BadValue, ModelError};
#[cfg(feature = "fit")]
use crate::standardise::Standardise;
use crate::table::Images;
use glassnet_core::Real;
use serde::{Deserialize, Serialize};

/// What a channel's pixels are standardised by: `(pixel - mean) / deviation`, pixels in 0..=255.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PixelScale {
    /// Mean of the channel over all training images (0 without standardising).
    pub mean: f64,
    /// Population deviation over the same (1 without standardising, and where the channel is the same everywhere).
    pub deviation: f64,
}

/// Fitted preprocessing of images of one size.
///
/// In a model file grey images have `mean` and `deviation`, colour images a list `scales` of them. Files with one mean for
/// images of three channels, as glassnet once wrote, are read too; their inputs lie pixel by pixel, and stay so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "written::Written", into = "written::Written")]
pub struct ImagePreprocess {
    /// One for each channel, or a single one for all where an old file has it so.
    pub scales: Vec<PixelScale>,
    /// Lines of pixels.
    pub height: usize,
    /// Pixels of a line.
    pub width: usize,
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// How training images were changed at random. Nothing of it is done to images that are predicted.
    pub augmentation: Option<Augmentation>,
}

impl ImagePreprocess {
    /// Fits on training images (numbers from 0). Sums are whole numbers, so their order does not matter.
    ///
    /// # Errors
    /// No image, images without pixels, a row beyond the images, or all pixels the same.
    #[cfg(feature = "fit")]
    pub fn fit(images: &Images, rows: &[usize], standardise: Standardise) -> Result<Self, ModelError> {
        let (height, width, channels) = (images.height, images.width, images.channels);
        let (size, plane) = (height * width * channels, height * width);
        let mut counts = vec![[0u64; 256]; channels];
        // Neighbours are often equal: four counts of each value, so that none waits for the one before it.
        let mut four = vec![[[0u64; 256]; 4]; channels];
        for &row in rows {
            let planes = image(images, row, size)?.chunks_exact(plane.max(1));
            for (four, plane) in four.iter_mut().zip(planes) {
                for pixels in plane.chunks(4) {
                    for (counts, &pixel) in four.iter_mut().zip(pixels) {
                        counts[usize::from(pixel)] += 1;
                    }
                }
            }
        }
        for (counts, four) in counts.iter_mut().zip(&four) {
            for (value, count) in counts.iter_mut().enumerate() {
                *count = four.iter().map(|counts| counts[value]).sum();
            }
        }
        if rows.is_empty() || size == 0 {
            return Err(ModelError::NoRows {
                source_name: images.source.clone(),
                because: " with a pixel".to_owned(),
                hint: "give at least one image of at least one pixel",
            });
        }
        let mut scales: Vec<PixelScale> = counts.iter().map(PixelScale::of).collect();
        let constant = scales.iter().all(|scale| scale.deviation == 0.0);
        if standardise == Standardise::No {
            scales.fill(PixelScale { mean: 0.0, deviation: 1.0 });
        } else if constant {
            let of = |scale: &PixelScale| scale.mean.to_string();
            let means: Vec<String> = scales.iter().map(of).collect();
            return Err(ModelError::NoInputs {
                source_name: images.source.clone(),
                reasons: format!("every pixel of the {} training images is {}", rows.len(), means.join(", ")),
            });
        }
        // A channel that is the same everywhere becomes 0 everywhere.
        scales.iter_mut().filter(|scale| scale.deviation == 0.0).for_each(|scale| scale.deviation = 1.0);
        Ok(ImagePreprocess { scales, height, width, channels, augmentation: None })
    }

    /// Number of inputs: `channels * height * width`.
    pub fn inputs(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// What each of the 256 pixel values of a channel becomes; a channel that is not there has none.
    pub fn values<T: Real>(&self, channel: usize) -> Option<[T; 256]> {
        let scale = if self.scales.len() == 1 { self.scales.first() } else { self.scales.get(channel) };
        scale.filter(|_| channel < self.channels).map(PixelScale::table)
    }

    /// The fitted numbers as tables, to write pixels by.
    pub(crate) fn map<T: Real>(&self) -> PixelMap<T> {
        PixelMap::new(self)
    }

    /// Gathers a batch: image `rows[i]` becomes `out[i * inputs ..][.. inputs]`.
    ///
    /// # Shapes
    /// `out`: [rows.len(), channels * height * width], row-major.
    ///
    /// # Errors
    /// Images of another size than those of training; a buffer or a row that does not fit.
    pub fn encode_rows<T: Real>(&self, images: &Images, rows: &[u32], out: &mut [T]) -> Result<(), ModelError> {
        self.fits(images)?;
        let size = self.inputs();
        if out.len() != size * rows.len() {
            let (expected, found) = (size * rows.len(), out.len());
            return Err(ModelError::Size { what: "places for the pixels of the batch", expected, found });
        }
        if size == 0 {
            return Ok(());
        }
        let map = self.map();
        for (line, &row) in out.chunks_exact_mut(size).zip(rows) {
            map.write(image(images, row as usize, size)?, line);
        }
        Ok(())
    }

    /// Whether images have the training's size.
    ///
    /// # Errors
    /// They have not, with both sizes.
    pub(crate) fn fits(&self, images: &Images) -> Result<(), ModelError> {
        let (mine, theirs) = ((self.height, self.width, self.channels), (images.height, images.width, images.channels));
        if mine == theirs {
            return Ok(());
        }
        let words = |(h, w, c): (usize, usize, usize)| format!("{h} x {w} pixels of {c} channels");
        let hint = match (mine.2, theirs.2) {
            (1, 3) => "make them grey, and scale them to that size",
            _ => "scale the images to that size",
        };
        Err(ModelError::from(BadValue {
            source_name: images.source.clone(),
            place: "every image".to_owned(),
            column: "pixels".to_owned(),
            value: words(theirs),
            wanted: format!("{}, as in training", words(mine)),
            hint: hint.to_owned(),
        }))
    }

    /// Whether the numbers of a file can be used.
    pub(crate) fn is_sound(&self) -> bool {
        let sound =
            |scale: &PixelScale| (0.0..=255.0).contains(&scale.mean) && (1e-6..=255.0).contains(&scale.deviation);
        let many = self.scales.len();
        (many == 1 || many == self.channels) && many > 0 && self.scales.iter().all(sound)
    }
}

impl PixelScale {
    /// Mean and deviation of pixels that are counted by their value.
    #[cfg(feature = "fit")]
    fn of(counts: &[u64; 256]) -> Self {
        let n: u64 = counts.iter().sum();
        let sum: u64 = (0u64..).zip(counts).map(|(value, count)| value * count).sum();
        let mean = sum as f64 / n as f64;
        let squares = (0u8..=255).zip(counts).map(|(value, &count)| {
            let d = f64::from(value) - mean;
            d * d * count as f64
        });
        // A fold in the order of the values: 256 terms whatever the number of images.
        let deviation = (squares.fold(0.0, |sum, term| sum + term) / n as f64).sqrt();
        PixelScale { mean, deviation }
    }

    /// What each of the 256 pixel values becomes.
    fn table<T: Real>(&self) -> [T; 256] {
        let scale =
            crate::standardise::Scale { shift: self.mean, scale: self.deviation, fill: self.mean, indicator: false };
        // A pixel is at most 255 deviations from the mean of pixels; a damaged file's scale is refused when it is read.
        std::array::from_fn(|pixel| scale.apply(pixel as f64).unwrap_or(T::ZERO))
    }
}

/// The pixels of an image, channel by channel.
fn image(images: &Images, row: usize, size: usize) -> Result<&[u8], ModelError> {
    let end = (row + 1) * size;
    images.pixels.get(row * size..end).filter(|_| row < images.rows).ok_or(ModelError::Size {
        what: "images (a row of the batch is beyond them)",
        expected: row + 1,
        found: images.rows,
    })
}
