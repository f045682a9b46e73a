//! A picture to a PNG file: 8 bits of red, green and blue, pixel by pixel.

use std::path::Path;

use crate::write::{WriteError, write_atomic};

/// Writes a picture of `height` x `width` pixels, three bytes each, line by line from the top; whole or not at all.
///
/// # Errors
/// A size of 0 or too large for the format, other than `3 x height x width` bytes; what [`write_atomic`] says.
pub fn write_png(path: impl AsRef<Path>, height: usize, width: usize, pixels: &[u8]) -> Result<(), WriteError> {
    let wrong = |what: String| WriteError {
        path: path.as_ref().display().to_string(),
        what,
        hint: "draw a smaller picture".into(),
    };
    let (Ok(high), Ok(wide)) = (u32::try_from(height), u32::try_from(width)) else {
        return Err(wrong(format!("{height} x {width} pixels are more than a PNG can have")));
    };
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, wide, high);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(|error| wrong(error.to_string()))?;
    writer.write_image_data(pixels).map_err(|error| wrong(error.to_string()))?;
    writer.finish().map_err(|error| wrong(error.to_string()))?;
    write_atomic(path, &bytes)
}
