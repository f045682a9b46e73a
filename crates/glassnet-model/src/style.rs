//! The ways in which a table becomes numbers.

use serde::{Deserialize, Serialize};

/// How columns become inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Numbers standardised by mean and deviation, categories one-hot with an *unknown* input, in the order of the columns.
    #[default]
    Plain,
    /// Numbers scaled by their quartiles and smoothly clipped, small categories as scaled columns, large ones as codes that
    /// the network looks up in a learned table (Holzmüller, Grinsztajn, Steinwart 2024, "Better by Default",
    /// arXiv 2407.04491). Inputs are in the order [numbers, other columns, codes].
    Tabular,
    /// As [`Style::Tabular`], but each number (a date's parts too) by its place among the training rows: the normal quantile of the
    /// share of them that is below it ([`crate::ranks`]). What the recipe `tabm` takes.
    Quantile,
}

impl Style {
    /// Whether it is the plain one, which files do not name; the others are those of the recipes for tables.
    pub fn is_plain(&self) -> bool {
        *self == Style::Plain
    }
}
