//! Layers for tables: numbers as waves or by parts, categories as vectors, linear layers in NTK form, curves that each neuron bends;
//! and many networks in one (TabM), whose members share their large weights.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use glassnet_core::ops::parametric::Sigma;

use super::cursor::{Cursor, Token};
use super::names::activation_text;
use super::{Activation, LayerSpec, SpecError, items};

/// Waves of a number, unless said otherwise.
pub const FREQUENCIES: usize = 16;
/// Numbers that a number becomes, itself included, unless said otherwise.
pub const PERIODIC_WIDTH: usize = 4;
/// Numbers of a category's vector, unless said otherwise.
pub const CATEGORY_WIDTH: usize = 8;
/// Bins of a number, unless said otherwise.
pub const BINS: usize = 48;
/// Numbers that a number in bins becomes, unless said otherwise.
pub const PIECEWISE_WIDTH: usize = 16;
/// Most columns of categories that a layer reads.
pub const MOST_COLUMNS: usize = 4096;

/// A layer that tables want.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "layer")]
pub enum TableLayer {
    /// Each number becomes a few waves of itself, mixed, and itself.
    Periodic {
        /// Waves of each number.
        frequencies: usize,
        /// Numbers that each becomes, itself included.
        width: usize,
    },
    /// Each column holds category codes; a code becomes a learned vector.
    Categories {
        /// Codes of each column, 0 (missing or unseen) included.
        sizes: Vec<usize>,
        /// Numbers of a vector.
        width: usize,
    },
    /// `y = (1/sqrt(d)) x W^T + b`, d inputs.
    Ntk {
        /// Number of outputs.
        units: usize,
        /// Whether there is a bias.
        bias: bool,
    },
    /// `y_j = x_j + a_j (sigma(x_j) - x_j)`, `a` learned, 1 at the start.
    Parametric {
        /// sigma.
        function: Activation,
    },
    /// Each number becomes a sum of curves that are straight between the edges of its bins: a linear map of what part of each bin
    /// lies below it. The edges are state, fitted to the training rows.
    Piecewise {
        /// Bins of each number.
        bins: usize,
        /// Numbers that each becomes.
        width: usize,
    },
    /// A row becomes one for each member, times a factor of the member's own: `[d]` to `[K, d]`.
    Members {
        /// K.
        members: usize,
    },
    /// A linear layer whose weights the members share, each with factors of its own for what goes in and what comes out, and
    /// biases of its own: `y_k = s_k (W (r_k x_k)) + b_k`. Right behind `members`, r is that layer's.
    Shared {
        /// Number of outputs of each member.
        units: usize,
    },
    /// A linear layer of each member's own: `y_k = W_k x_k + b_k`.
    Heads {
        /// Number of outputs of each member.
        units: usize,
    },
    /// The members' mean, `[K, C]` to `[C]`. As the network's last layer it is what predictions and validation read, while
    /// training lowers the mean of the members' own losses.
    Average {
        /// Whether what is averaged are the probabilities of the classes, whose logarithms it gives; else the values themselves.
        probabilities: bool,
    },
}

impl TableLayer {
    /// Whether it makes, keeps or ends the axis of members.
    pub fn is_of_members(&self) -> bool {
        matches!(
            self,
            TableLayer::Members { .. }
                | TableLayer::Shared { .. }
                | TableLayer::Heads { .. }
                | TableLayer::Average { .. }
        )
    }
}

/// Whether the members' mean is the last layer: such a network has its outputs already.
pub(crate) fn ends_in_average(layers: &[LayerSpec]) -> bool {
    matches!(layers.last(), Some(LayerSpec::Table(TableLayer::Average { .. })))
}

/// The curve as the operation knows it; `None` where it is not one that can be bent.
pub(crate) fn sigma(function: Activation) -> Option<Sigma> {
    match function {
        Activation::Relu => Some(Sigma::Relu),
        Activation::Selu => Some(Sigma::Selu),
        Activation::Gelu => Some(Sigma::Gelu),
        Activation::Silu => Some(Sigma::Silu),
        Activation::Mish => Some(Sigma::Mish),
        Activation::Tanh => Some(Sigma::Tanh),
        _ => None,
    }
}

/// The curves that can be bent, for a hint.
pub(crate) fn sigmas() -> String {
    Sigma::ALL.map(Sigma::name).join(", ")
}

/// The layer's text, which parses back to it.
impl fmt::Display for TableLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableLayer::Periodic { frequencies, width } => {
                f.write_str("periodic")?;
                if *frequencies != FREQUENCIES {
                    write!(f, " frequencies {frequencies}")?;
                }
                if *width != PERIODIC_WIDTH { write!(f, " width {width}") } else { Ok(()) }
            }
            TableLayer::Categories { sizes, width } => {
                f.write_str("categories")?;
                for size in sizes {
                    write!(f, " {size}")?;
                }
                if *width != CATEGORY_WIDTH { write!(f, " width {width}") } else { Ok(()) }
            }
            TableLayer::Ntk { units, bias } => write!(f, "ntk {units}{}", if *bias { "" } else { " no bias" }),
            TableLayer::Parametric { function } => write!(f, "parametric {}", activation_text(*function)),
            TableLayer::Piecewise { bins, width } => write!(f, "piecewise {bins} {width}"),
            TableLayer::Members { members } => write!(f, "members {members}"),
            TableLayer::Shared { units } => write!(f, "shared {units}"),
            TableLayer::Heads { units } => write!(f, "heads {units}"),
            TableLayer::Average { probabilities } => {
                write!(f, "average{}", if *probabilities { " probabilities" } else { "" })
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Setting {
    Frequencies,
    Width,
}

const WIDTH: &[(&str, Setting)] = &[("width", Setting::Width)];
const PERIODIC: &[(&str, Setting)] =
    &[("frequencies", Setting::Frequencies), ("frequency", Setting::Frequencies), ("width", Setting::Width)];

/// `periodic frequencies 16 width 4`.
pub(super) fn periodic(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let (mut frequencies, mut width) = (FREQUENCIES, PERIODIC_WIDTH);
    while cursor.peek() == Some(Token::Word) {
        match cursor.setting("periodic", PERIODIC)? {
            Setting::Frequencies => {
                frequencies = cursor.count("periodic", "a number of frequencies", "periodic frequencies 16")?;
            }
            Setting::Width => width = cursor.count("periodic", "a width", "periodic width 4")?,
        }
    }
    out.push(LayerSpec::Table(TableLayer::Periodic { frequencies, width }));
    Ok(())
}

/// `categories 12 30 width 8`.
pub(super) fn categories(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let (example, whose) = ("categories 12 30", "categories");
    let mut sizes = vec![cursor.count(whose, "the number of codes of each column", example)?];
    while cursor.peek() == Some(Token::Number) {
        sizes.push(cursor.count(whose, "the number of codes of each column", example)?);
        if sizes.len() > MOST_COLUMNS {
            let error = cursor.error(cursor.last_span(), format!("categories of more than {MOST_COLUMNS} columns"));
            return Err(error.hint("join several layers with concat(slice ... -> categories ..., ...)"));
        }
    }
    let mut width = CATEGORY_WIDTH;
    while cursor.peek() == Some(Token::Word) {
        cursor.setting(whose, WIDTH)?;
        width = cursor.count(whose, "a width", "categories 12 30 width 8")?;
    }
    out.push(LayerSpec::Table(TableLayer::Categories { sizes, width }));
    Ok(())
}

/// `ntk 256 no bias`.
pub(super) fn ntk(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let units = cursor.units("ntk")?;
    let mut bias = true;
    while cursor.peek() == Some(Token::Word) {
        bias = cursor
            .setting("ntk", &[("bias", true), ("with bias", true), ("no bias", false), ("without bias", false)])?;
    }
    out.push(LayerSpec::Table(TableLayer::Ntk { units, bias }));
    Ok(())
}

/// `parametric selu`.
pub(super) fn parametric(
    cursor: &mut Cursor<'_>,
    name: Range<usize>,
    out: &mut Vec<LayerSpec>,
) -> Result<(), SpecError> {
    let from = cursor.span();
    let Some(function) = items::curve_behind(cursor, "parametric", false)? else {
        let error = cursor.error(name, "parametric needs the curve that it bends");
        return Err(error.hint(format!("for instance: parametric selu; it bends one of {}", sigmas())));
    };
    if sigma(function).is_none() {
        let span = from.start..cursor.last_span().end;
        let error = cursor.error(span, format!("parametric does not bend {}", activation_text(function)));
        return Err(error.hint(format!("it bends one of {}", sigmas())));
    }
    out.push(LayerSpec::Table(TableLayer::Parametric { function }));
    Ok(())
}

/// `piecewise 48 16`.
pub(super) fn piecewise(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let (mut bins, mut width) = (BINS, PIECEWISE_WIDTH);
    if cursor.peek() == Some(Token::Number) {
        bins = cursor.count("piecewise", "a number of bins", "piecewise 48 16")?;
    }
    if cursor.peek() == Some(Token::Number) {
        width = cursor.count("piecewise", "a width", "piecewise 48 16")?;
    }
    out.push(LayerSpec::Table(TableLayer::Piecewise { bins, width }));
    Ok(())
}

/// `members 32`.
pub(super) fn members(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let members = cursor.count("members", "a number of members", "members 32")?;
    out.push(LayerSpec::Table(TableLayer::Members { members }));
    Ok(())
}

/// `shared 512 relu`.
pub(super) fn shared(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let units = cursor.units("shared")?;
    out.push(LayerSpec::Table(TableLayer::Shared { units }));
    if let Some(function) = items::curve_behind(cursor, "shared", false)? {
        out.push(LayerSpec::Activation { function });
    }
    Ok(())
}

/// `heads 2`.
pub(super) fn heads(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let units = cursor.units("heads")?;
    out.push(LayerSpec::Table(TableLayer::Heads { units }));
    Ok(())
}

/// `average` or `average probabilities`.
pub(super) fn average(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let mut probabilities = false;
    if cursor.peek() == Some(Token::Word) {
        probabilities = cursor.setting("average", &[("probabilities", true), ("values", false)])?;
    }
    out.push(LayerSpec::Table(TableLayer::Average { probabilities }));
    Ok(())
}
