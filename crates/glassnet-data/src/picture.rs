//! One PNG or JPEG file to pixels: 8 bits a channel, grey or red, green and blue, channels first.
//!
//! Numbers of 16 bits are reduced to their upper 8, palettes and fewer bits are spread to 8, and what is transparent is
//! laid over black (`value x alpha / 255`, rounded). Whether a picture is grey is decided by its pixels and not by how it
//! is stored. Colour profiles and the orientation that cameras note are not applied.

use std::io::Cursor;

use glassnet_model::file::MAX_IMAGE;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::error::{DataError, Result};

/// First bytes of a PNG file.
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// First bytes of a JPEG file.
pub(crate) const JPEG: &[u8] = &[0xff, 0xd8, 0xff];

const AGAIN: &str = "open it in a viewer; write or fetch it again, or take it out of the folder";

/// The pixels of one file.
#[derive(Debug)]
pub(crate) struct Picture {
    /// Lines.
    pub height: usize,
    /// Pixels of a line.
    pub width: usize,
    /// `height * width` bytes where all are grey, else red, green and blue one after the other.
    pub pixels: Vec<u8>,
    /// 1 or 3.
    pub channels: usize,
}

pub(crate) fn wrong(file: &str, problem: impl Into<String>, hint: impl Into<String>) -> DataError {
    DataError::Picture { file: file.to_owned(), problem: problem.into(), hint: hint.into() }
}

/// Decodes a file's bytes. `fits` sees height and width before anything of that size is allocated.
///
/// # Errors
/// Neither PNG nor JPEG; truncated or damaged; too large; whatever `fits` says.
pub(crate) fn decode(file: &str, bytes: &[u8], fits: impl Fn(usize, usize) -> Result<()>) -> Result<Picture> {
    let sized = |height: usize, width: usize| {
        if height == 0 || width == 0 {
            return Err(wrong(file, format!("it has {height} x {width} pixels"), AGAIN));
        }
        // Three channels of it must be inputs that a model can have.
        if height.saturating_mul(width) > MAX_IMAGE / 3 {
            let most = MAX_IMAGE / 3;
            let problem = format!("{height} x {width} pixels are more than the {most} that a network may read");
            return Err(wrong(file, problem, "scale all images down, to 224 x 224 or less"));
        }
        fits(height, width)
    };
    if bytes.starts_with(PNG) {
        return of_png(file, bytes, sized);
    }
    if bytes.starts_with(JPEG) {
        return of_jpeg(file, bytes, sized);
    }
    let problem = if bytes.is_empty() { "the file is empty" } else { "this is neither a PNG nor a JPEG file" };
    let hint = "convert it to PNG, or take it out of the folder (files whose names begin with a dot are passed over)";
    Err(wrong(file, problem, hint))
}

fn of_png(file: &str, bytes: &[u8], fits: impl Fn(usize, usize) -> Result<()>) -> Result<Picture> {
    let broken = |error: png::DecodingError| {
        let cut = matches!(&error, png::DecodingError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof);
        let words = if cut { "it ends too early".to_owned() } else { error.to_string() };
        wrong(file, format!("broken PNG: {}", words.trim_end_matches('.')), AGAIN)
    };
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let info = decoder.read_header_info().map_err(broken)?;
    let (height, width) = (info.height as usize, info.width as usize);
    fits(height, width)?;
    let mut reader = decoder.read_info().map_err(broken)?;
    let size = reader.output_buffer_size().unwrap_or(usize::MAX);
    if size > 4 * MAX_IMAGE {
        return Err(wrong(file, format!("broken PNG: it claims {size} bytes of pixels"), AGAIN));
    }
    let mut values = vec![0; size];
    let frame = reader.next_frame(&mut values).map_err(broken)?;
    // Past the pixels too: a file that was cut there was not copied whole.
    reader.finish().map_err(broken)?;
    values.truncate(frame.buffer_size());
    let over_black = |value: u8, alpha: u8| ((u16::from(value) * u16::from(alpha) + 127) / 255) as u8;
    let values = match frame.color_type {
        png::ColorType::Grayscale => return Ok(Picture { height, width, pixels: values, channels: 1 }),
        png::ColorType::GrayscaleAlpha => {
            let pixels = values.chunks_exact(2).map(|pixel| over_black(pixel[0], pixel[1])).collect();
            return Ok(Picture { height, width, pixels, channels: 1 });
        }
        png::ColorType::Rgb | png::ColorType::Indexed => values,
        png::ColorType::Rgba => {
            let of = |pixel: &[u8]| [0, 1, 2].map(|channel| over_black(pixel[channel], pixel[3]));
            values.chunks_exact(4).flat_map(of).collect()
        }
    };
    Ok(planes(height, width, &values))
}

fn of_jpeg(file: &str, bytes: &[u8], fits: impl Fn(usize, usize) -> Result<()>) -> Result<Picture> {
    let broken = |error: zune_jpeg::errors::DecodeErrors| {
        let words = format!("{error:?}").replace('\n', " ");
        wrong(file, format!("broken JPEG: {}", crate::error::short(&words)), AGAIN)
    };
    // What the decoder does not mind: a file whose end is missing. The marks of scan and end stand in no other data.
    let last = |mark: u8| bytes.windows(2).rposition(|two| two == [0xff, mark]);
    if last(0xd9) < last(0xda) || last(0xd9).is_none() {
        return Err(wrong(file, "broken JPEG: it ends too early", AGAIN));
    }
    // Strict, or else what is missing would be filled with grey; without code for single processors, see Cargo.toml.
    let options = DecoderOptions::default().set_strict_mode(true).set_use_unsafe(false);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(broken)?;
    let (width, height) = decoder.dimensions().unwrap_or((0, 0));
    fits(height, width)?;
    let colour = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => ColorSpace::Luma,
        Some(ColorSpace::CMYK | ColorSpace::YCCK) => {
            return Err(wrong(
                file,
                "this JPEG has the four colours of printing (CMYK)",
                "convert it to RGB, or to PNG",
            ));
        }
        _ => ColorSpace::RGB,
    };
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options.jpeg_set_out_colorspace(colour));
    let values = decoder.decode().map_err(broken)?;
    let channels = if colour == ColorSpace::Luma { 1 } else { 3 };
    if values.len() != height * width * channels {
        return Err(wrong(file, format!("broken JPEG: {} bytes of pixels", values.len()), AGAIN));
    }
    if channels == 1 {
        return Ok(Picture { height, width, pixels: values, channels });
    }
    Ok(planes(height, width, &values))
}

/// Pixel by pixel to channel by channel; one channel where every pixel is grey.
fn planes(height: usize, width: usize, values: &[u8]) -> Picture {
    let grey = values.chunks_exact(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]);
    let channels = if grey { 1 } else { 3 };
    let plane = |channel| values.iter().skip(channel).step_by(3).copied();
    Picture { height, width, pixels: (0..channels).flat_map(plane).collect(), channels }
}
