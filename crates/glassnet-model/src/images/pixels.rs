//! From the bytes of one image to its inputs, as it is or changed.

use super::ImagePreprocess;
use crate::augment::Change;
use glassnet_core::Real;

/// The fitted numbers of images as tables: what each pixel value of each channel becomes.
#[derive(Debug, Clone)]
pub(crate) struct PixelMap<T> {
    /// One table for each channel; a single one for all in an old file.
    tables: Vec<[T; 256]>,
    height: usize,
    width: usize,
    /// Whether inputs lie pixel by pixel, as in files with a single mean for several channels.
    interleaved: bool,
}

impl<T: Real> PixelMap<T> {
    pub fn new(preprocess: &ImagePreprocess) -> Self {
        let tables = preprocess.scales.iter().map(|scale| scale.table()).collect();
        let interleaved = preprocess.channels > 1 && preprocess.scales.len() == 1;
        PixelMap { tables, height: preprocess.height, width: preprocess.width, interleaved }
    }

    /// One image as it is.
    ///
    /// # Shapes
    /// `pixels` and `out`: [channels, height, width].
    pub fn write(&self, pixels: &[u8], out: &mut [T]) {
        let plane = (self.height * self.width).max(1);
        if self.interleaved {
            let Some(table) = self.tables.first() else { return };
            let channels = pixels.len() / plane;
            for (channel, plane) in pixels.chunks_exact(plane).enumerate() {
                for (out, &pixel) in out[channel..].iter_mut().step_by(channels).zip(plane) {
                    *out = table[usize::from(pixel)];
                }
            }
            return;
        }
        for ((table, pixels), out) in
            self.tables.iter().zip(pixels.chunks_exact(plane)).zip(out.chunks_exact_mut(plane))
        {
            for (out, &pixel) in out.iter_mut().zip(pixels) {
                *out = table[usize::from(pixel)];
            }
        }
    }

    /// One image, flipped, shifted and cut out as `change` says; what comes in from outside and what is cut out is 0.
    /// Images of an old file's order are never trained on, and are written as they are.
    ///
    /// # Shapes
    /// As [`PixelMap::write`].
    pub fn write_changed(&self, pixels: &[u8], change: &Change, out: &mut [T]) {
        if self.interleaved {
            return self.write(pixels, out);
        }
        let (height, width) = (self.height, self.width);
        let plane = (height * width).max(1);
        for ((table, pixels), out) in
            self.tables.iter().zip(pixels.chunks_exact(plane)).zip(out.chunks_exact_mut(plane))
        {
            for (y, line) in out.chunks_exact_mut(width.max(1)).enumerate() {
                let from = change.line(y, height).and_then(|from| pixels.get(from * width..(from + 1) * width));
                let Some(from) = from else {
                    line.fill(T::ZERO);
                    continue;
                };
                let (seen, first) = change.columns(width);
                let value = |&pixel: &u8| table[usize::from(pixel)];
                line[..seen.start].fill(T::ZERO);
                line[seen.end..].fill(T::ZERO);
                let line_seen = line[seen.clone()].iter_mut();
                if change.flip {
                    line_seen.zip(from[..first + 1].iter().rev()).for_each(|(out, pixel)| *out = value(pixel));
                } else {
                    line_seen.zip(&from[first..]).for_each(|(out, pixel)| *out = value(pixel));
                }
                line[change.cut_columns(y, width)].fill(T::ZERO);
            }
        }
    }
}
