//! Layers that normalise.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::cursor::{Cursor, Token};
use super::{LayerSpec, SpecError};

/// What PyTorch adds to a variance before the root, unless said otherwise.
pub const EPS: f64 = 1e-5;
/// The share of a new batch in the running statistics.
pub const MOMENTUM: f64 = 0.1;

/// A layer that normalises, with a learned factor (and, but for RMS norm, a learned shift).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "layer")]
pub enum NormLayer {
    /// Over the batch (and positions), each channel by itself; running statistics outside training.
    Batch {
        /// Added to the variance.
        eps: f64,
        /// Share of a new batch in the running statistics.
        momentum: f64,
    },
    /// Over groups of an image's channels.
    Group {
        /// Number of groups.
        groups: usize,
        /// Added to the variance.
        eps: f64,
    },
    /// Over the last axis.
    Layer {
        /// Added to the variance.
        eps: f64,
    },
    /// Over the last axis, by the root mean square, without mean and shift.
    Rms {
        /// Added to the mean square.
        eps: f64,
    },
}

/// The layer's text, which parses back to it.
impl fmt::Display for NormLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let eps = match self {
            NormLayer::Batch { eps, momentum } => {
                f.write_str("batchnorm")?;
                if *momentum != MOMENTUM {
                    write!(f, " momentum {momentum}")?;
                }
                eps
            }
            NormLayer::Group { groups, eps } => {
                write!(f, "groupnorm {groups}")?;
                eps
            }
            NormLayer::Layer { eps } => {
                f.write_str("layernorm")?;
                eps
            }
            NormLayer::Rms { eps } => {
                f.write_str("rmsnorm")?;
                eps
            }
        };
        if *eps != EPS { write!(f, " eps {eps}") } else { Ok(()) }
    }
}

#[derive(Clone, Copy)]
enum Setting {
    Eps,
    Momentum,
}

const SETTINGS: &[(&str, Setting)] = &[("eps", Setting::Eps), ("momentum", Setting::Momentum)];

fn settings(cursor: &mut Cursor<'_>, whose: &str, momentum: bool) -> Result<(f64, f64), SpecError> {
    let (mut eps, mut share) = (EPS, MOMENTUM);
    while cursor.peek() == Some(Token::Word) {
        let from = cursor.span();
        let known = if momentum { SETTINGS } else { &SETTINGS[..1] };
        let setting = cursor.setting(whose, known)?;
        let (what, example) = match setting {
            Setting::Eps => ("eps", "eps 1e-5"),
            Setting::Momentum => ("momentum", "momentum 0.1"),
        };
        if cursor.peek() != Some(Token::Number) {
            return Err(cursor.error(from, format!("{what} needs a number")).hint(format!("for instance: {example}")));
        }
        let span = cursor.span();
        let value = cursor.number()?;
        let good = match setting {
            Setting::Eps => value > 0.0,
            Setting::Momentum => (0.0..=1.0).contains(&value),
        };
        if !good {
            let message = format!("{what} of {value} is out of range");
            return Err(cursor.error(span, message).hint(format!("for instance: {example}")));
        }
        match setting {
            Setting::Eps => eps = value,
            Setting::Momentum => share = value,
        }
    }
    Ok((eps, share))
}

/// `batchnorm momentum 0.1`.
pub(super) fn batch(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let (eps, momentum) = settings(cursor, "batchnorm", true)?;
    out.push(LayerSpec::Norm(NormLayer::Batch { eps, momentum }));
    Ok(())
}

/// `groupnorm 8`.
pub(super) fn group(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let groups = cursor.count("groupnorm", "a number of groups", "groupnorm 8")?;
    let (eps, _) = settings(cursor, "groupnorm", false)?;
    out.push(LayerSpec::Norm(NormLayer::Group { groups, eps }));
    Ok(())
}

/// `layernorm`.
pub(super) fn layer(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let (eps, _) = settings(cursor, "layernorm", false)?;
    out.push(LayerSpec::Norm(NormLayer::Layer { eps }));
    Ok(())
}

/// `rmsnorm eps 1e-6`.
pub(super) fn rms(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let (eps, _) = settings(cursor, "rmsnorm", false)?;
    out.push(LayerSpec::Norm(NormLayer::Rms { eps }));
    Ok(())
}
