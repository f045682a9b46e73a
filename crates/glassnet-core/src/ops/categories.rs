//! Learned vectors for columns that hold category codes as plain numbers: `y_c = E[first_c + code_c]`.
//!
//! Shapes: `x [B, c]`, a code a column; `E [sum of sizes, width]`, the columns' tables one below the other, `first_c` where
//! column c's begins; `y [B, c width]`, the vectors side by side. Column c knows the codes 0 to `sizes[c] - 1`, and 0 stands
//! for missing or unseen: a number that is not one of them (negative, too large, not finite) is read as 0; of a broken number the
//! whole part counts.
//! Gradient: `dE[first_c + code_c] += g_c` in the rows' order; only the vectors that were used are touched. None flows into the
//! codes: they are names.
//!
//! Cost of one row: c width to copy, as many additions backward. Source: the entity embeddings of Guo & Berkhahn 2016.

use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, SlotSpec};
use crate::Real;
use crate::shape::Shape;
use crate::slots::Role;

/// Numbers that are worth a thread.
const PART: usize = 1 << 15;

/// Most vectors of all columns together.
pub const MOST_CODES: usize = 1 << 24;

/// `y_c = E[first_c + code_c]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Categories {
    /// Codes of each column, that of missing or unseen values included.
    pub sizes: Vec<usize>,
    /// Numbers of a vector.
    pub width: usize,
}

impl Categories {
    /// Vectors of all columns; `None` where they cannot be counted.
    fn entries(&self) -> Option<usize> {
        self.sizes.iter().try_fold(0_usize, |sum, &size| sum.checked_add(size)).filter(|&sum| sum <= MOST_CODES)
    }

    /// The table's row for each number of a row of codes.
    fn places<'a, T: Real>(&'a self, codes: &'a [T]) -> impl Iterator<Item = usize> + 'a {
        let mut first = 0;
        self.sizes.iter().zip(codes).map(move |(&size, &code)| {
            let place = first + known(code, size);
            first += size;
            place
        })
    }
}

/// The code of a number; 0 where it is none.
#[inline]
fn known<T: Real>(code: T, size: usize) -> usize {
    let code = code.to_f64();
    // A NaN is not at least 0.
    if code >= 0.0 && code < size as f64 { code as usize } else { 0 }
}

impl Operation for Categories {
    fn card(&self) -> Card {
        Card {
            name: "categories",
            family: Family::Arithmetic,
            formula: "y_c = E[first_c + x_c], x_c a code; 0 where it is none",
            derivative: "dE[first_c + x_c] += g_c; none into x",
            range: "(-inf, inf)",
            used: "columns of categories in tables",
            source: "Guo & Berkhahn 2016",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [columns] = inputs[0].0[..] else {
            return Err(format!("categories read a row of codes, [B, columns], but the input is {}", inputs[0]));
        };
        if columns != self.sizes.len() {
            return Err(format!(
                "categories have {} sizes, one a column, but the input has {columns} columns",
                self.sizes.len()
            ));
        }
        if let Some(column) = self.sizes.iter().position(|&size| size == 0) {
            return Err(format!(
                "column {column} of categories has no code; it needs at least one, for missing and unseen values"
            ));
        }
        if columns == 0 || self.width == 0 {
            return Err(format!(
                "categories need at least one column and vectors of at least one number, but they have {columns} columns and vectors of {}",
                self.width
            ));
        }
        if self.entries().is_none() {
            return Err(format!("the categories of all columns together are more than {MOST_CODES}"));
        }
        columns.checked_mul(self.width).map(Shape::row).ok_or_else(|| "categories give too many numbers".into())
    }

    fn slots(&self, _inputs: &[&Shape]) -> Vec<SlotSpec> {
        let entries = self.entries().unwrap_or(0);
        vec![SlotSpec { name: "weight", shape: vec![entries, self.width], role: Role::Table }]
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn differentiable(&self, _index: usize) -> bool {
        false
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: 0, backward: output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (codes, table, width) = (io.inputs[0], io.parameters[0], self.width);
        let columns = self.sizes.len();
        let row_len = columns * width;
        io.context.team.split_rows(io.output, row_len, PART.div_ceil(row_len), &|first, rows| {
            let codes = codes[first * columns..].chunks_exact(columns);
            for (row, codes) in rows.chunks_exact_mut(row_len).zip(codes) {
                for (vector, place) in row.chunks_exact_mut(width).zip(self.places(codes)) {
                    vector.copy_from_slice(&table[place * width..][..width]);
                }
            }
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let (codes, g, width) = (io.inputs[0], io.upstream, self.width);
        let columns = self.sizes.len();
        let entries = io.parameter_gradients[0].len() / width;
        // A thread owns vectors and looks at all codes, so that each vector's sum keeps its order.
        let parts = (g.len() / PART).max(1);
        io.context.team.split_rows(io.parameter_gradients[0], width, entries.div_ceil(parts), &|first, vectors| {
            let owned = first..first + vectors.len() / width;
            for (g, codes) in g.chunks_exact(columns * width).zip(codes.chunks_exact(columns)) {
                for (g, place) in g.chunks_exact(width).zip(self.places(codes)) {
                    if owned.contains(&place) {
                        for (sum, &g) in vectors[(place - first) * width..][..width].iter_mut().zip(g) {
                            *sum += g;
                        }
                    }
                }
            }
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let columns = self.sizes.len();
        let mut y = Vec::new();
        for (i, &code) in operands.inputs[0].iter().enumerate() {
            let column = i % columns;
            let first: usize = self.sizes[..column].iter().sum();
            let whole = code.trunc();
            let code = if code < 0.0 || whole >= self.sizes[column] as f64 { 0 } else { whole as usize };
            y.extend_from_slice(&operands.parameters[0][(first + code) * self.width..][..self.width]);
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes: [(usize, &[usize], usize); 4] =
            [(1, &[1], 1), (7, &[5], 8), (6, &[3, 12, 2], 8), (1030, &[4, 6], 3)];
        shapes
            .into_iter()
            .map(|(rows, sizes, width)| {
                let op = Categories { sizes: sizes.to_vec(), width };
                // Codes that are none, too.
                Sample::new(op, rows, [Shape::row(sizes.len())]).domain(0, -1.0, 7.0)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_code_is_read_as_missing() {
        for (number, code) in [(0.0, 0), (3.0, 3), (4.0, 0), (-1.0, 0), (-0.5, 0), (f64::NAN, 0), (1e300, 0)] {
            assert_eq!(known(number, 4), code, "{number}");
        }
        assert_eq!((known(f64::INFINITY, 4), known(f32::NEG_INFINITY, 4), known(2.0_f32, 4)), (0, 0, 2));
    }
}
