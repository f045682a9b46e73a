//! How a number becomes one input: scaled, or by its place among the training rows.

use crate::ranks::Ranks;
use crate::rescale::Rescale;
use crate::value::Fault;
use glassnet_core::Real;
use serde::{Deserialize, Serialize};

/// One of the two; a file tells them by their fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Measure {
    /// Scaled and perhaps clipped (style `tabular`).
    Rescaled(Rescale),
    /// The normal quantile of the share of the training rows below it (style `quantile`).
    Ranked(Ranks),
}

impl Measure {
    /// What a missing value counts as.
    pub fn fill(&self) -> f64 {
        match self {
            Measure::Rescaled(scale) => scale.fill,
            Measure::Ranked(ranks) => ranks.fill,
        }
    }

    /// Whether a number's input follows from its being finite, and a missing one's too.
    pub(crate) fn is_sound(&self) -> bool {
        match self {
            Measure::Rescaled(scale) => scale.is_sound(),
            Measure::Ranked(ranks) => ranks.is_sound(),
        }
    }

    /// The input of a number, worked in f64 and rounded once to `T`.
    ///
    /// # Errors
    /// [`Fault::NotFinite`] for an infinite number, and where `T` cannot hold the result.
    #[inline]
    pub fn apply<T: Real>(&self, x: f64) -> Result<T, Fault> {
        match self {
            Measure::Rescaled(scale) => scale.apply(x),
            Measure::Ranked(ranks) => ranks.apply(x),
        }
    }

    /// The input of a missing value.
    #[inline]
    pub fn missing<T: Real>(&self) -> T {
        self.apply(self.fill()).unwrap_or(T::ZERO)
    }
}

#[cfg(feature = "fit")]
pub use fitted::Wanted;

#[cfg(feature = "fit")]
mod fitted {
    use super::Measure;
    use crate::ranks::Ranks;
    use crate::rescale::Rescale;
    use crate::standardise::Standardise;
    use crate::style::Style;

    /// What is to be made of numbers.
    #[derive(Debug, Clone, Copy)]
    pub struct Wanted {
        /// The style.
        pub style: Style,
        /// Whether they are changed at all.
        pub standardise: Standardise,
        /// Columns of the table, which share what the model file has room for.
        pub columns: usize,
    }

    impl Measure {
        /// What a style makes of a column's numbers (finite); `None` where there are none. Sorts them.
        pub fn of(numbers: &mut [f64], wanted: Wanted) -> Option<Measure> {
            let robust = Rescale::robust(numbers)?;
            Some(match (wanted.standardise, wanted.style) {
                (Standardise::No, _) => Measure::Rescaled(Rescale::none(robust.fill)),
                // Of a column that is constant a place says nothing; its scale is 0.
                (Standardise::Yes, Style::Quantile) => {
                    Ranks::of(numbers, wanted.columns).map_or(Measure::Rescaled(robust), Measure::Ranked)
                }
                (Standardise::Yes, Style::Plain | Style::Tabular) => Measure::Rescaled(robust),
            })
        }
    }
}
