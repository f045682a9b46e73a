//! From scores and true values to what is drawn. All of it takes row weights (`None`: all 1); scores that are not finite are
//! left out; the order of rows makes no difference but for rounding.
//!
//! | file | what |
//! |---|---|
//! | `curves` | ROC, precision and recall, thresholds |
//! | `bins` | histograms, quantiles, reliability |
//! | `whole` | [`crate::page::Classification`] from the scores of rows |

mod bins;
mod curves;
mod whole;

pub use bins::{ece, edges, histogram, quantile, reliability};
pub use curves::{precision_recall, roc, threshold, thresholds};
