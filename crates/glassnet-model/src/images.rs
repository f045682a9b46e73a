//! Images to inputs: every pixel standardised by the mean and deviation over all pixels of the training images.

use crate::error::{BadValue, ModelError};
use crate::standardise::Scale;
#[cfg(feature = "fit")]
use crate::standardise::Standardise;
use crate::table::Images;
use glassnet_core::Real;
use serde::{Deserialize, Serialize};

/// Fitted preprocessing of images of one size: `(pixel - mean) / deviation`, pixels in 0..=255.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImagePreprocess {
    /// Mean over all pixels of all training images (0 without standardising).
    pub mean: f64,
    /// Population deviation over the same (1 without standardising).
    pub deviation: f64,
    /// Lines of pixels.
    pub height: usize,
    /// Pixels of a line.
    pub width: usize,
    /// 1 for grey, 3 for colour.
    pub channels: usize,
}

impl ImagePreprocess {
    /// Fits on training images (numbers from 0). Sums are whole numbers, so their order does not matter.
    ///
    /// # Errors
    /// No image, images without pixels, a row beyond the images, or all pixels the same.
    #[cfg(feature = "fit")]
    pub fn fit(images: &Images, rows: &[usize], standardise: Standardise) -> Result<Self, ModelError> {
        let (height, width, channels) = (images.height, images.width, images.channels);
        let size = height * width * channels;
        let mut counts = [0u64; 256];
        for &row in rows {
            for &pixel in image(images, row, size)? {
                counts[usize::from(pixel)] += 1;
            }
        }
        let n: u64 = counts.iter().sum();
        if n == 0 {
            return Err(ModelError::NoRows {
                source_name: images.source.clone(),
                because: " with a pixel".to_owned(),
                hint: "give at least one image of at least one pixel",
            });
        }
        if standardise == Standardise::No {
            return Ok(ImagePreprocess { mean: 0.0, deviation: 1.0, height, width, channels });
        }
        let sum: u64 = (0u64..).zip(&counts).map(|(value, count)| value * count).sum();
        let mean = sum as f64 / n as f64;
        let squares = (0u8..=255).zip(&counts).map(|(value, &count)| {
            let d = f64::from(value) - mean;
            d * d * count as f64
        });
        // A fold in the order of the grey values: 256 terms whatever the number of images.
        let deviation = (squares.fold(0.0, |sum, term| sum + term) / n as f64).sqrt();
        if deviation == 0.0 {
            return Err(ModelError::NoInputs {
                source_name: images.source.clone(),
                reasons: format!("every pixel of the {} training images is {mean}", rows.len()),
            });
        }
        Ok(ImagePreprocess { mean, deviation, height, width, channels })
    }

    /// Number of inputs: `height * width * channels`.
    pub fn inputs(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// What each of the 256 pixel values becomes.
    pub fn values<T: Real>(&self) -> [T; 256] {
        let scale = Scale { shift: self.mean, scale: self.deviation, fill: self.mean, indicator: false };
        // A pixel is at most 255 deviations from the mean of pixels; a damaged file's scale is refused when it is read.
        std::array::from_fn(|pixel| scale.apply(pixel as f64).unwrap_or(T::ZERO))
    }

    /// Gathers a batch: image `rows[i]` becomes `out[i * inputs ..][.. inputs]`.
    ///
    /// # Shapes
    /// `out`: [rows.len(), height * width * channels], row-major.
    ///
    /// # Errors
    /// Images of another size than those of training; a buffer or a row that does not fit.
    pub fn encode_rows<T: Real>(&self, images: &Images, rows: &[u32], out: &mut [T]) -> Result<(), ModelError> {
        let (mine, theirs) = ((self.height, self.width, self.channels), (images.height, images.width, images.channels));
        if mine != theirs {
            let words = |(h, w, c): (usize, usize, usize)| format!("{h} x {w} pixels of {c} channels");
            return Err(ModelError::from(BadValue {
                source_name: images.source.clone(),
                place: "every image".to_owned(),
                column: "pixels".to_owned(),
                value: words(theirs),
                wanted: format!("{}, as in training", words(mine)),
                hint: "scale the images to that size".to_owned(),
            }));
        }
        let size = self.inputs();
        if out.len() != size * rows.len() {
            let (expected, found) = (size * rows.len(), out.len());
            return Err(ModelError::Size { what: "places for the pixels of the batch", expected, found });
        }
        if size == 0 {
            return Ok(());
        }
        let values = self.values::<T>();
        for (line, &row) in out.chunks_exact_mut(size).zip(rows) {
            for (place, &pixel) in line.iter_mut().zip(image(images, row as usize, size)?) {
                *place = values[usize::from(pixel)];
            }
        }
        Ok(())
    }
}

fn image(images: &Images, row: usize, size: usize) -> Result<&[u8], ModelError> {
    let end = (row + 1) * size;
    images.pixels.get(row * size..end).filter(|_| row < images.rows).ok_or(ModelError::Size {
        what: "images (a row of the batch is beyond them)",
        expected: row + 1,
        found: images.rows,
    })
}
