//! Shapes. A node's shape is that of one row; the batch axis comes first and is not part of it.

use std::fmt;

/// The shape of one row of a node's value: `[784]`, `[1, 28, 28]`; `[]` is a single number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape(pub Vec<usize>);

impl Shape {
    /// A row of `width` numbers.
    pub fn row(width: usize) -> Self {
        Shape(vec![width])
    }

    /// Number of elements of one row.
    pub fn len(&self) -> usize {
        self.0.iter().product()
    }

    /// Whether a row has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The last axis: what a linear layer reads and a softmax runs over.
    pub fn last(&self) -> usize {
        self.0.last().copied().unwrap_or(1)
    }
}

impl fmt::Display for Shape {
    /// With the batch axis: `[B, 784]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[B")?;
        for axis in &self.0 {
            write!(f, ", {axis}")?;
        }
        write!(f, "]")
    }
}

impl From<&[usize]> for Shape {
    fn from(axes: &[usize]) -> Self {
        Shape(axes.to_vec())
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(axes: [usize; N]) -> Self {
        Shape(axes.to_vec())
    }
}

/// What kind of number a node's value holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DType {
    /// The type of computation, f32 or f64.
    Real,
    /// Whole numbers: class labels, tokens.
    I32,
}
