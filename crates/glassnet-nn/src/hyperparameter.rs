//! A number that a person chooses, checked once: each bad one gives one message with its name, value and allowed range.

use std::fmt;

/// Where a hyperparameter may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// x > 0.
    Positive,
    /// x >= 0.
    NotNegative,
    /// 0 <= x < 1.
    ShareBelowOne,
    /// 0 <= x <= 1.
    Share,
    /// 0 < x < 1.
    InsideUnit,
    /// 0 < x <= 1.
    PositiveShare,
    /// x >= 1.
    AtLeastOne,
}

impl Allowed {
    /// Whether a finite `value` lies there; infinities and NaN lie nowhere.
    pub fn admits(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Allowed::Positive => value > 0.0,
                Allowed::NotNegative => value >= 0.0,
                Allowed::ShareBelowOne => (0.0..1.0).contains(&value),
                Allowed::Share => (0.0..=1.0).contains(&value),
                Allowed::InsideUnit => value > 0.0 && value < 1.0,
                Allowed::PositiveShare => value > 0.0 && value <= 1.0,
                Allowed::AtLeastOne => value >= 1.0,
            }
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Allowed::Positive => "greater than 0",
            Allowed::NotNegative => "0 or more",
            Allowed::ShareBelowOne => "in [0, 1)",
            Allowed::Share => "in [0, 1]",
            Allowed::InsideUnit => "between 0 and 1, both excluded",
            Allowed::PositiveShare => "in (0, 1]",
            Allowed::AtLeastOne => "1 or more",
        })
    }
}

/// One hyperparameter out of its range.
#[derive(Debug, Clone, PartialEq)]
pub struct BadHyperparameter {
    /// What it belongs to: `adam`, `schedule plateau`.
    pub owner: &'static str,
    /// Its name, as in a configuration file.
    pub name: &'static str,
    /// The value that was given.
    pub value: f64,
    /// What is allowed, with more words where the range alone does not say why.
    pub allowed: String,
}

impl fmt::Display for BadHyperparameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} = {}: must be {}", self.owner, self.name, self.value, self.allowed)
    }
}

/// All hyperparameters of one thing that are out of range, in the order of its fields; one line each.
#[derive(Debug, Clone, PartialEq)]
pub struct BadHyperparameters(pub Vec<BadHyperparameter>);

impl fmt::Display for BadHyperparameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, bad) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{bad}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BadHyperparameters {}

/// Checks a table of (name, value, allowed) and reports every row that fails.
pub fn check(owner: &'static str, table: &[(&'static str, f64, Allowed)]) -> Result<(), BadHyperparameters> {
    let bad: Vec<BadHyperparameter> = table
        .iter()
        .filter(|(_, value, allowed)| !allowed.admits(*value))
        .map(|&(name, value, allowed)| BadHyperparameter { owner, name, value, allowed: allowed.to_string() })
        .collect();
    if bad.is_empty() { Ok(()) } else { Err(BadHyperparameters(bad)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_value_has_its_line() {
        let table = [("a", -1.0, Allowed::Positive), ("b", 0.5, Allowed::Share), ("c", f64::NAN, Allowed::NotNegative)];
        let message = check("thing", &table).unwrap_err().to_string();
        assert_eq!(message, "thing: a = -1: must be greater than 0\nthing: c = NaN: must be 0 or more");
    }

    #[test]
    fn the_ends_of_each_range() {
        use Allowed::*;
        let admitted = |a: Allowed| [-1.0, 0.0, 0.5, 1.0, 2.0].map(|x| a.admits(x));
        assert_eq!(admitted(Positive), [false, false, true, true, true]);
        assert_eq!(admitted(NotNegative), [false, true, true, true, true]);
        assert_eq!(admitted(ShareBelowOne), [false, true, true, false, false]);
        assert_eq!(admitted(Share), [false, true, true, true, false]);
        assert_eq!(admitted(InsideUnit), [false, false, true, false, false]);
        assert_eq!(admitted(PositiveShare), [false, false, true, true, false]);
        assert_eq!(admitted(AtLeastOne), [false, false, false, true, true]);
        assert!(!Positive.admits(f64::INFINITY));
    }
}
