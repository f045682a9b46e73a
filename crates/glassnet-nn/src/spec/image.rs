//! Layers of images: convolution and pooling. A row is `[channels, height, width]`; a sequence `[time, features]` is taken
//! as one line of pixels with the features as channels.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::cursor::{Cursor, Token};
use super::items::{curve_behind, drawn_behind};
use super::names::init_text;
use super::{Init, LayerSpec, SpecError};

/// What stands around an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// So many zeros on each side: lines above and below, columns left and right.
    Zeros([usize; 2]),
    /// As many as keep the size.
    Same,
}

/// Which pixel of a window is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The largest.
    Max,
    /// Their mean.
    Average,
}

impl Pooling {
    fn word(self) -> &'static str {
        match self {
            Pooling::Max => "max",
            Pooling::Average => "avg",
        }
    }
}

/// A layer of images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "layer")]
pub enum ImageLayer {
    /// Convolution (cross-correlation, as everywhere): `[C, H, W] -> [channels, H', W']`.
    Conv {
        /// Output channels.
        channels: usize,
        /// Lines and columns of a filter.
        kernel: [usize; 2],
        /// Step of the filter.
        stride: [usize; 2],
        /// What stands around the image.
        padding: Padding,
        /// Distance of a filter's taps.
        dilation: [usize; 2],
        /// Groups of channels that do not see each other.
        groups: usize,
        /// Whether there is a bias, one a channel.
        bias: bool,
        /// How filters are drawn; `None`: what fits the activation that follows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        init: Option<Init>,
    },
    /// A filter along time: `[T, F] -> [T', channels]`.
    Conv1d {
        /// Output channels.
        channels: usize,
        /// Time steps of a filter.
        kernel: usize,
        /// Step of the filter.
        stride: usize,
        /// What stands before and behind.
        padding: Padding,
        /// Distance of a filter's taps.
        dilation: usize,
        /// Groups of features that do not see each other.
        groups: usize,
        /// Whether there is a bias, one a channel.
        bias: bool,
        /// How filters are drawn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        init: Option<Init>,
    },
    /// One number for each window.
    Pool {
        /// Which.
        pooling: Pooling,
        /// Lines and columns of a window.
        kernel: [usize; 2],
        /// Step of the window.
        stride: [usize; 2],
        /// Zeros (for a mean) or nothing (for a maximum) around the image.
        padding: [usize; 2],
    },
    /// Windows chosen so that the output has this size.
    AdaptivePool {
        /// Lines and columns of the output.
        output: [usize; 2],
    },
    /// One number for each channel.
    GlobalPool {
        /// Which.
        pooling: Pooling,
    },
}

fn pair(pair: [usize; 2]) -> String {
    if pair[0] == pair[1] { pair[0].to_string() } else { format!("{}x{}", pair[0], pair[1]) }
}

fn padding_text(padding: Padding) -> String {
    match padding {
        Padding::Zeros([0, 0]) => String::new(),
        Padding::Zeros(zeros) => format!(" padding {}", pair(zeros)),
        Padding::Same => " same".to_owned(),
    }
}

fn rest(groups: usize, bias: bool, init: Option<Init>) -> String {
    let groups = if groups == 1 { String::new() } else { format!(" groups {groups}") };
    let bias = if bias { "" } else { " no bias" };
    format!("{groups}{bias}{}", init.map_or(String::new(), |init| format!(" init {}", init_text(init))))
}

/// The layer's text, which parses back to it.
impl fmt::Display for ImageLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImageLayer::Conv { channels, kernel, stride, padding, dilation, groups, bias, init } => {
                write!(f, "conv {channels} {}x{}", kernel[0], kernel[1])?;
                if *stride != [1, 1] {
                    write!(f, " stride {}", pair(*stride))?;
                }
                f.write_str(&padding_text(*padding))?;
                if *dilation != [1, 1] {
                    write!(f, " dilation {}", pair(*dilation))?;
                }
                f.write_str(&rest(*groups, *bias, *init))
            }
            ImageLayer::Conv1d { channels, kernel, stride, padding, dilation, groups, bias, init } => {
                write!(f, "conv1d {channels} {kernel}")?;
                if *stride != 1 {
                    write!(f, " stride {stride}")?;
                }
                f.write_str(&padding_text(*padding))?;
                if *dilation != 1 {
                    write!(f, " dilation {dilation}")?;
                }
                f.write_str(&rest(*groups, *bias, *init))
            }
            ImageLayer::Pool { pooling, kernel, stride, padding } => {
                write!(f, "{}pool {}", pooling.word(), pair(*kernel))?;
                if stride != kernel {
                    write!(f, " stride {}", pair(*stride))?;
                }
                f.write_str(&padding_text(Padding::Zeros(*padding)))
            }
            ImageLayer::AdaptivePool { output } => write!(f, "adaptivepool {}", pair(*output)),
            ImageLayer::GlobalPool { pooling } => write!(f, "global {}pool", pooling.word()),
        }
    }
}

/// What may be said of a filter or a window.
#[derive(Clone, Copy)]
enum Setting {
    Stride,
    Padding,
    Same,
    NoPadding,
    Dilation,
    Groups,
    Bias(bool),
    Init,
}

const SETTINGS: &[(&str, Setting)] = &[
    ("stride", Setting::Stride),
    ("padding", Setting::Padding),
    ("pad", Setting::Padding),
    ("same", Setting::Same),
    ("padding same", Setting::Same),
    ("same padding", Setting::Same),
    ("no padding", Setting::NoPadding),
    ("without padding", Setting::NoPadding),
    ("valid", Setting::NoPadding),
    ("dilation", Setting::Dilation),
    ("groups", Setting::Groups),
    ("bias", Setting::Bias(true)),
    ("with bias", Setting::Bias(true)),
    ("no bias", Setting::Bias(false)),
    ("without bias", Setting::Bias(false)),
    ("init", Setting::Init),
];

/// `conv 32 5x5 stride 2 same relu`, `conv1d 32 5 ...`; what follows the name.
pub(super) fn conv(cursor: &mut Cursor<'_>, name: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    filter(cursor, name, out, false)
}

/// As [`conv`], along time.
pub(super) fn conv1d(cursor: &mut Cursor<'_>, name: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    filter(cursor, name, out, true)
}

fn filter(cursor: &mut Cursor<'_>, name: Range<usize>, out: &mut Vec<LayerSpec>, time: bool) -> Result<(), SpecError> {
    let (whose, example) = if time { ("conv1d", "conv1d 32 5 relu") } else { ("conv", "conv 32 5x5 relu") };
    let channels = cursor.count(whose, "a number of channels", example)?;
    if !matches!(cursor.peek(), Some(Token::Number | Token::Sizes)) {
        let error = cursor.error(name, format!("{whose} needs the size of its filters"));
        return Err(error.hint(format!("for instance: {example}")));
    }
    let side = |cursor: &mut Cursor<'_>, what: &str, example: &str| -> Result<[usize; 2], SpecError> {
        if time {
            if cursor.peek() == Some(Token::Sizes) {
                let error = cursor.error(cursor.span(), format!("{whose}: {what} along time is one number"));
                return Err(error.hint(format!("for instance: {example}")));
            }
            let length = cursor.count(whose, what, example)?;
            return Ok([length, length]);
        }
        cursor.sides(whose, what, example)
    };
    let kernel = side(cursor, "the size of its filters", example)?;
    let (mut stride, mut padding, mut dilation, mut groups) = ([1, 1], Padding::Zeros([0, 0]), [1, 1], 1);
    let (mut bias, mut init, mut function) = (true, None, None);
    while cursor.peek() == Some(Token::Word) {
        if let Some(curve) = curve_behind(cursor, whose, function.is_some())? {
            function = Some(curve);
            continue;
        }
        match cursor.setting(whose, SETTINGS)? {
            Setting::Stride => stride = side(cursor, "a stride", "stride 2")?,
            Setting::Padding if time => {
                let steps = cursor.whole(whose, "a padding", "padding 2")?;
                padding = Padding::Zeros([steps, steps]);
            }
            Setting::Padding => padding = Padding::Zeros(cursor.whole_sides(whose, "a padding", "padding 2")?),
            Setting::Same => padding = Padding::Same,
            Setting::NoPadding => padding = Padding::Zeros([0, 0]),
            Setting::Dilation => dilation = side(cursor, "a dilation", "dilation 2")?,
            Setting::Groups => groups = cursor.count(whose, "a number of groups", "groups 2")?,
            Setting::Bias(said) => bias = said,
            Setting::Init => init = Some(drawn_behind(cursor)?),
        }
    }
    out.push(LayerSpec::Image(if time {
        let (kernel, stride, dilation) = (kernel[0], stride[0], dilation[0]);
        ImageLayer::Conv1d { channels, kernel, stride, padding, dilation, groups, bias, init }
    } else {
        ImageLayer::Conv { channels, kernel, stride, padding, dilation, groups, bias, init }
    }));
    out.extend(function.map(|function| LayerSpec::Activation { function }));
    Ok(())
}

/// `maxpool 2 stride 1`.
pub(super) fn max_pool(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    pool(cursor, Pooling::Max, out)
}

/// `avgpool 3x2`.
pub(super) fn avg_pool(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    pool(cursor, Pooling::Average, out)
}

fn pool(cursor: &mut Cursor<'_>, pooling: Pooling, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let whose = match pooling {
        Pooling::Max => "maxpool",
        Pooling::Average => "avgpool",
    };
    let example = format!("{whose} 2");
    let kernel = cursor.sides(whose, "the size of its windows", &example)?;
    let (mut stride, mut padding) = (kernel, [0, 0]);
    let known = &SETTINGS[..3];
    while cursor.peek() == Some(Token::Word) {
        match cursor.setting(whose, known)? {
            Setting::Stride => stride = cursor.sides(whose, "a stride", "stride 2")?,
            _ => padding = cursor.whole_sides(whose, "a padding", "padding 1")?,
        }
    }
    out.push(LayerSpec::Image(ImageLayer::Pool { pooling, kernel, stride, padding }));
    Ok(())
}

/// `adaptivepool 7x7`.
pub(super) fn adaptive(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let output = cursor.sides("adaptivepool", "the size of its output", "adaptivepool 7x7")?;
    out.push(LayerSpec::Image(ImageLayer::AdaptivePool { output }));
    Ok(())
}

/// `global avgpool`.
pub(super) fn global_avg(_: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    out.push(LayerSpec::Image(ImageLayer::GlobalPool { pooling: Pooling::Average }));
    Ok(())
}

/// `global maxpool`.
pub(super) fn global_max(_: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    out.push(LayerSpec::Image(ImageLayer::GlobalPool { pooling: Pooling::Max }));
    Ok(())
}
