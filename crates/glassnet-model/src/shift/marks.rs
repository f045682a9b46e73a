//! From which size on a difference is a finding.

use glassnet_core::Real;
use serde::Serialize;

/// What moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The target's classes or mean.
    BaseRate,
    /// Missing values of a column.
    Missing,
    /// Levels of a column without an input or code of their own.
    Unseen,
    /// A column's values.
    Drift,
    /// What the model puts out.
    Scores,
}

/// One thing that moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What.
    pub sort: Sort,
    /// The column; `None` for scores.
    pub column: Option<String>,
    /// How far: a difference of shares, of means in deviations, or a PSI.
    pub size: f64,
    /// Whether what was learned can hardly hold: a moved base rate, a PSI of 0.25, a fifth of a column gone.
    pub strong: bool,
    /// It in words.
    pub words: String,
}

/// z of two proportions, `hits` of `rows` each, pooled; 0 where nothing can be said.
pub(super) fn z_of_shares(first: (f64, f64), second: (f64, f64)) -> f64 {
    let ((hits, rows), (now, new)) = (first, second);
    if rows == 0.0 || new == 0.0 {
        return 0.0;
    }
    let pooled = (hits + now) / (rows + new);
    let spread = (pooled * (1.0 - pooled) * (1.0 / rows + 1.0 / new)).sqrt();
    if spread > 0.0 { (now / new - hits / rows) / spread } else { 0.0 }
}

/// The finding of a class's share, `known` (share and rows) of the rows that `whose` names and `now` (rows of the class and all) of others.
pub(super) fn base_rate(
    (name, class): (&str, &str),
    known: (f64, f64),
    now: (f64, f64),
    classes: usize,
    whose: &str,
) -> Option<Finding> {
    let ((share, rows), (hits, new)) = (known, now);
    let z = z_of_shares((share * rows, rows), now);
    let size = hits / new.max(1.0) - share;
    let enough = if classes > 2 { 3.5 } else { 3.0 };
    let moved = z.abs() >= enough && size.abs() >= (0.1 * share).min(0.01);
    moved.then(|| Finding {
        sort: Sort::BaseRate,
        column: Some(name.to_owned()),
        size,
        strong: true,
        words: format!(
            "the base rate moved: {name} is {class} in {} of the rows, it was in {} of {whose} (z = {z:.1}); scores \
             are no probabilities until they are calibrated again",
            percent(hits / new.max(1.0)),
            percent(share)
        ),
    })
}

/// The finding of a share of rows, `share` in training and now.
pub(super) fn share(sort: Sort, name: &str, known: (f64, f64), now: (f64, f64)) -> Option<Finding> {
    let ((share, rows), (hits, new)) = (known, now);
    let size = hits / new.max(1.0) - share;
    let z = z_of_shares((share * rows, rows), now);
    let (moved, what) = match sort {
        Sort::Missing => (size.abs() >= 0.05, "has no value"),
        // Fewer new levels than before are no trouble.
        _ => (size >= 0.05, "has a value without an input or code of its own"),
    };
    (moved && z.abs() >= 3.0).then(|| Finding {
        sort,
        column: Some(name.to_owned()),
        size,
        strong: size.abs() >= 0.2,
        words: format!(
            "{name} {what} in {} of the rows, in {} of the training rows",
            percent(hits / new.max(1.0)),
            percent(share)
        ),
    })
}

/// PSI of `counts` against `shares` of `rows` rows, less what chance makes of it on average, 0 where chance may have made
/// all of it; `None` where there are no rows.
pub(super) fn psi(shares: &[f64], rows: f64, counts: &[f64]) -> Option<f64> {
    let new: f64 = counts.iter().sum();
    if new == 0.0 || rows == 0.0 || shares.len() != counts.len() {
        return None;
    }
    let (mut sum, mut bins) = (0.0, 0.0f64);
    for (&p, &count) in shares.iter().zip(counts) {
        if p == 0.0 && count == 0.0 {
            continue;
        }
        let (p, q) = (p.max(0.5 / rows), (count / new).max(0.5 / new));
        sum += (q - p) * Real::ln(q / p);
        bins += 1.0;
    }
    // Where nothing moved, the sum is about chi-squared with bins - 1 degrees of freedom, times this.
    let (freedom, unit): (f64, f64) = (bins - 1.0, 1.0 / rows + 1.0 / new);
    let chance = sum < (freedom + 4.0 * (2.0 * freedom).sqrt()) * unit;
    Some(if chance { 0.0 } else { sum - freedom * unit })
}

/// The finding of a PSI.
pub(super) fn drift(sort: Sort, name: Option<&str>, psi: f64, how: &str) -> Option<Finding> {
    let who = name.unwrap_or("what the model puts out");
    (psi >= 0.1).then(|| Finding {
        sort,
        column: name.map(str::to_owned),
        size: psi,
        strong: psi >= 0.25,
        words: format!("{who} moved{} (PSI {psi:.2}): {how}", if psi >= 0.25 { " far" } else { "" }),
    })
}

/// `12.3 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // 200 of 1,000 and 300 of 1,000: pooled 0.25, spread sqrt(0.25 0.75 0.002).
        let z = z_of_shares((200.0, 1000.0), (300.0, 1000.0));
        assert!((z - 0.1 / 0.000375f64.sqrt()).abs() < 1e-12);
        assert_eq!(z_of_shares((0.0, 0.0), (1.0, 2.0)), 0.0);
        // Shares of 1/2, 1/2 and 3/4, 1/4: (1/4) ln(3/2) - (1/4) ln(1/2) = 0.274653, less 2 / 10,000.
        let psi = psi(&[0.5, 0.5], 10_000.0, &[7500.0, 2500.0]).unwrap();
        assert!((psi - (0.274_653_072_167 - 0.0002)).abs() < 1e-9, "{psi}");
    }

    #[test]
    fn small_differences_are_none() {
        assert!(base_rate(("y", "1"), (0.2, 1000.0), (209.0, 1000.0), 2, "them").is_none());
        assert!(base_rate(("y", "1"), (0.2, 1e6), (204_000.0, 1e6), 2, "them").is_none());
        assert!(base_rate(("y", "1"), (0.2, 1e6), (212_000.0, 1e6), 2, "them").is_some());
        // One in a thousand that doubles.
        assert!(base_rate(("y", "1"), (0.001, 1e6), (2000.0, 1e6), 2, "them").is_some());
        assert!(share(Sort::Unseen, "c", (0.3, 1e4), (100.0, 1e4)).is_none());
        assert!(share(Sort::Missing, "c", (0.3, 1e4), (100.0, 1e4)).is_some());
    }
}
