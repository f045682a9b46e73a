//! What moved between the rows of training and others: the base rate, missing values, unseen levels, columns, scores.
//!
//! | finding | said where |
//! |---|---|
//! | base rate | a class's share differs by z >= 3 (two proportions, pooled; 3.5 for more than two classes) and by 1 percentage point or a tenth of itself, whichever is less; a number's mean by z >= 3 and 0.1 deviations |
//! | missing | the share of rows without a value differs by z >= 3 and 5 percentage points |
//! | unseen | the share of rows whose level has no input or code of its own grew by z >= 3 and 5 percentage points |
//! | drift, scores | PSI of 0.1 or more (0.25: strong) |
//!
//! PSI, the population stability index, is `sum (q - p) ln(q / p)` over the tenths of the training rows (numbers, dates) or the
//! levels, p the share in training and q the share now; each share is at least half a row. What chance alone makes of it on average,
//! `(bins - 1)(1 / n + 1 / m)` for n and m rows, is taken off first, and what is within 4 deviations of that is none. 0.1 and 0.25 are the usual marks (Siddiqi 2006, "Credit
//! Risk Scorecards", chapter 12).
//!
//! [`Reference`] is what of the training rows a model file keeps for this.

#[cfg(feature = "fit")]
mod fitted;
mod marks;
mod reference;

pub use marks::{Finding, Sort};
pub use reference::{Recalibrated, Reference, ReferenceColumn, ReferenceTarget, ReferenceValues, Tenths, watched};

#[cfg(feature = "fit")]
pub use fitted::between;
