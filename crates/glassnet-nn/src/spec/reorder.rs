//! Layers that give the same numbers another shape or order.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::cursor::{Cursor, Token};
use super::{LayerSpec, SpecError};

/// A layer without parameters that moves numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "layer")]
pub enum ReorderLayer {
    /// One axis out of all.
    Flatten,
    /// Another shape of as many numbers.
    Reshape {
        /// The shape of a row.
        shape: Vec<usize>,
    },
    /// Two axes of a row change places.
    Transpose {
        /// The axes, from 0, the batch axis not counted.
        axes: [usize; 2],
    },
    /// A piece of an axis: features of a sequence or a row, channels of an image.
    Slice {
        /// First index.
        start: usize,
        /// One past the last.
        end: usize,
    },
}

/// The layer's text, which parses back to it.
impl fmt::Display for ReorderLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReorderLayer::Flatten => f.write_str("flatten"),
            ReorderLayer::Reshape { shape } => write!(f, "reshape {}", sizes_text(shape)),
            ReorderLayer::Transpose { axes: [a, b] } => write!(f, "transpose {a} {b}"),
            ReorderLayer::Slice { start, end } => write!(f, "slice {start} {end}"),
        }
    }
}

/// `1x28x28`.
pub(super) fn sizes_text(sizes: &[usize]) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

/// `flatten`.
pub(super) fn flatten(_: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    out.push(LayerSpec::Reorder(ReorderLayer::Flatten));
    Ok(())
}

/// `reshape 100x2`.
pub(super) fn reshape(cursor: &mut Cursor<'_>, name: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let shape = match cursor.peek() {
        Some(Token::Sizes) => cursor.sizes(1)?,
        Some(Token::Number) => vec![cursor.count("reshape", "numbers", "reshape 100x2")?],
        _ => return Err(cursor.error(name, "reshape needs a shape").hint("for instance: reshape 100x2")),
    };
    out.push(LayerSpec::Reorder(ReorderLayer::Reshape { shape }));
    Ok(())
}

fn two(cursor: &mut Cursor<'_>, name: &Range<usize>, whose: &str, example: &str) -> Result<[usize; 2], SpecError> {
    let mut read = [0, 0];
    for place in &mut read {
        if cursor.peek() != Some(Token::Number) {
            let error = cursor.error(name.clone(), format!("{whose} needs two whole numbers"));
            return Err(error.hint(format!("for instance: {example}")));
        }
        *place = cursor.whole(whose, "an index", example)?;
    }
    Ok(read)
}

/// `transpose 0 1`.
pub(super) fn transpose(
    cursor: &mut Cursor<'_>,
    name: Range<usize>,
    out: &mut Vec<LayerSpec>,
) -> Result<(), SpecError> {
    let axes = two(cursor, &name, "transpose", "transpose 0 1")?;
    out.push(LayerSpec::Reorder(ReorderLayer::Transpose { axes }));
    Ok(())
}

/// `slice 0 16`.
pub(super) fn slice(cursor: &mut Cursor<'_>, name: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let [start, end] = two(cursor, &name, "slice", "slice 0 16")?;
    if start >= end {
        let message = format!("a slice from {start} to {end} has nothing in it");
        return Err(cursor
            .error(name, message)
            .hint("the first number is the first index, the second one past the last"));
    }
    out.push(LayerSpec::Reorder(ReorderLayer::Slice { start, end }));
    Ok(())
}
