//! From scores to a decision: the threshold that costs least, the one that fills a review, and what 0.5 does.

use std::fmt::{self, Display, Formatter};

use glassnet::nn::metrics::{Called, Costs, cheapest, cost_threshold, review, thresholds};
use serde::Serialize;

use crate::share::percent;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish {
    /// What wrong calls cost.
    pub costs: Option<Costs>,
    /// The share of rows that can be looked at.
    pub review: Option<f64>,
}

/// Scores of one class against the others.
pub struct Scored<'a> {
    /// The target's name.
    pub target: &'a str,
    /// The class.
    pub class: &'a str,
    /// Its score in each row.
    pub scores: &'a [f64],
    /// Whether the row is of it.
    pub positive: &'a [bool],
    /// Weights of the rows; `None`: all 1.
    pub weights: Option<&'a [f64]>,
}

/// Thresholds with what they do.
#[derive(Debug, Serialize)]
pub struct Thresholds {
    #[serde(skip)]
    target: String,
    class: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    costs: Option<Costs>,
    choices: Vec<Choice>,
}

/// One threshold.
#[derive(Debug, Serialize)]
struct Choice {
    /// How it was chosen: `default`, `cheapest`, `costs`, `review`.
    by: &'static str,
    #[serde(skip)]
    words: String,
    /// Rows at or above it are called; none: no row is worth it.
    threshold: Option<f64>,
    /// Share of the rows that are called.
    called: Option<f64>,
    precision: Option<f64>,
    recall: Option<f64>,
    true_positive: f64,
    false_positive: f64,
    false_negative: f64,
    true_negative: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_per_row: Option<f64>,
}

impl Thresholds {
    /// `None` where nothing can be told: a score that is no number, no row with a weight.
    pub fn new(scored: &Scored<'_>, wish: Wish) -> Option<Thresholds> {
        let Scored { target, class, scores, positive, weights } = *scored;
        let all = thresholds(scores, positive, weights)?;
        let mut choices = vec![choice("default", "default".into(), at(&all, 0.5), wish)];
        if let Some(costs) = wish.costs {
            let best = cheapest(scores, positive, weights, costs)?;
            choices.push(choice("cheapest", "cheapest on these rows".into(), plain(&all, best.called), wish));
            let told = at(&all, cost_threshold(costs)?);
            choices.push(choice("costs", "by the costs alone".into(), told, wish));
        }
        if let Some(share) = wish.review {
            let full = review(scores, positive, weights, share)?;
            choices.push(choice("review", format!("review of {}", percent(share)), plain(&all, full.called), wish));
        }
        Some(Thresholds { target: target.to_owned(), class: class.to_owned(), costs: wish.costs, choices })
    }
}

/// What a threshold does that need not be one of the scores.
fn at(all: &[Called], threshold: f64) -> Called {
    let above = all.iter().rfind(|called| called.threshold.is_none_or(|least| least >= threshold));
    let nothing =
        Called { threshold: None, true_positive: 0.0, false_positive: 0.0, false_negative: 0.0, true_negative: 0.0 };
    Called { threshold: Some(threshold), ..above.or(all.first()).copied().unwrap_or(nothing) }
}

/// The same calls by the shortest number between the lowest score that is called and the next one.
fn plain(all: &[Called], called: Called) -> Called {
    let Some(threshold) = called.threshold else { return called };
    let next = all.iter().filter_map(|other| other.threshold).find(|&other| other < threshold);
    Called { threshold: Some(shortest(next.unwrap_or(f64::NEG_INFINITY), threshold)), ..called }
}

/// The number of fewest decimals above `low` and not above `high`.
fn shortest(low: f64, high: f64) -> f64 {
    for decimals in 2..=15 {
        let unit = 10f64.powi(decimals);
        let cut = (high * unit).floor() / unit;
        if cut > low && cut <= high {
            return cut;
        }
    }
    high
}

fn choice(by: &'static str, words: String, called: Called, wish: Wish) -> Choice {
    Choice {
        by,
        words,
        threshold: called.threshold,
        called: called.called_rate(),
        precision: called.precision(),
        recall: called.true_positive_rate(),
        true_positive: called.true_positive,
        false_positive: called.false_positive,
        false_negative: called.false_negative,
        true_negative: called.true_negative,
        cost_per_row: wish.costs.map(|costs| costs.mean(&called)),
    }
}

impl Display for Thresholds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\nthresholds of {} = {}", self.target, self.class)?;
        if let Some(Costs { false_positive, false_negative }) = self.costs {
            write!(f, ": a false alarm costs {false_positive}, a miss {false_negative}")?;
        }
        let width = self.choices.iter().map(|choice| choice.words.len()).max().unwrap_or(0);
        let cost = if self.costs.is_some() { "  cost a row" } else { "" };
        writeln!(f)?;
        writeln!(f, "{:width$}  threshold   called  precision  recall  right calls  false alarms   misses{cost}", "")?;
        for choice in &self.choices {
            let share = |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{share:.4}"));
            let threshold = choice.threshold.map_or("none".to_owned(), short);
            let called = choice.called.map_or("-".to_owned(), percent);
            write!(
                f,
                "{:width$}  {threshold:>9}  {called:>7}  {:>9}  {:>6}  {:>11}  {:>12}  {:>7}",
                choice.words,
                share(choice.precision),
                share(choice.recall),
                super::report::amount(choice.true_positive),
                super::report::amount(choice.false_positive),
                super::report::amount(choice.false_negative)
            )?;
            if let Some(cost) = choice.cost_per_row {
                write!(f, "  {cost:>10.4}")?;
            }
            writeln!(f)?;
        }
        writeln!(f, "thresholds chosen on these rows flatter on them a little: try them on others")
    }
}

/// A threshold as short as it can be written, so that `predict --threshold` gives the same calls.
fn short(threshold: f64) -> String {
    let text = threshold.to_string();
    if text.len() > 9 { format!("{threshold:?}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_number_calls_the_same_rows() {
        assert_eq!(
            [shortest(0.41, 0.4376), shortest(0.437, 0.4376), shortest(0.4375999, 0.4376)],
            [0.43, 0.4376, 0.4376]
        );
        assert_eq!(shortest(f64::NEG_INFINITY, 0.4376), 0.43);
        assert_eq!(shortest(0.7 - 1e-17, 0.7), 0.7);
    }

    #[test]
    fn every_choice_counts_by_hand() {
        let scores = [0.9, 0.8, 0.6, 0.4, 0.3, 0.1];
        let positive = [true, false, true, false, true, false];
        let scored = Scored { target: "late", class: "yes", scores: &scores, positive: &positive, weights: None };
        let wish = Wish { costs: Some(Costs { false_positive: 1.0, false_negative: 10.0 }), review: Some(0.4) };
        let all = Thresholds::new(&scored, wish).unwrap();
        let seen: Vec<(&str, Option<f64>, f64, f64, f64)> = all
            .choices
            .iter()
            .map(|c| (c.by, c.threshold, c.true_positive, c.false_positive, c.cost_per_row.unwrap()))
            .collect();
        assert_eq!(
            seen,
            [
                ("default", Some(0.5), 2.0, 1.0, 11.0 / 6.0),
                ("cheapest", Some(0.3), 3.0, 2.0, 2.0 / 6.0),
                ("costs", Some(1.0 / 11.0), 3.0, 3.0, 3.0 / 6.0),
                ("review", Some(0.8), 1.0, 1.0, 21.0 / 6.0),
            ]
        );
        assert!(Thresholds::new(&Scored { scores: &[f64::NAN; 6], ..scored }, wish).is_none());
    }
}
