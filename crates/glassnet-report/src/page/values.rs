//! How good a regression is, in pictures.

use super::html::{Figures, Kind, Section, Table, grid, paragraph};
use super::results::Regression;
use crate::measure::{edges, histogram, quantile};
use crate::number::{count, number, percent};
use crate::plot::{Chart, Layer};

/// Bins of the residuals' histogram.
const BINS: usize = 40;

/// The section.
pub(super) fn section(values: &Regression, figures: &mut Figures) -> Option<Section> {
    let pairs: Vec<[f64; 2]> =
        values.pairs.iter().copied().filter(|pair| pair[0].is_finite() && pair[1].is_finite()).collect();
    let mut plots = String::new();
    if !pairs.is_empty() {
        let target = if values.target.is_empty() { "value" } else { &values.target };
        let mut chart =
            Chart::new("Predicted against actual", format!("predicted {target}"), format!("actual {target}"));
        chart.same_span = true;
        chart.height = 340.0;
        chart.layers.push(Layer::Points { name: String::new(), points: pairs.clone(), colour: 0 });
        chart.layers.push(Layer::Diagonal { name: String::new() });
        let words = "A point a row. On the dotted line the prediction is right; above it the actual value was larger.";
        plots += &figures.figure(&chart, words, Some(&by_prediction(&pairs)));

        let residuals: Vec<f64> =
            pairs.iter().map(|pair| pair[1] - pair[0]).filter(|value| value.is_finite()).collect();
        let ends = edges(&residuals, BINS);
        let counts = histogram(&residuals, &ends, None);
        let mut chart = Chart::new("Residuals", format!("actual - predicted {target}"), "rows");
        chart.y.include = vec![0.0];
        chart.layers.push(Layer::histogram("", &ends, &counts, 0));
        chart.layers.push(Layer::Upright { name: String::new(), at: 0.0 });
        let words = "By how much the predictions miss. A heap around 0 with thin tails is good; one beside 0 says that they are too low \
                     (to the right) or too high (to the left).";
        plots += &figures.figure(&chart, words, Some(&residual_table(&residuals)));

        let points = pairs.iter().map(|pair| [pair[0], pair[1] - pair[0]]).collect();
        let mut chart = Chart::new("Residuals by prediction", format!("predicted {target}"), "actual - predicted");
        chart.layers.push(Layer::Points { name: String::new(), points, colour: 0 });
        chart.layers.push(Layer::Across { name: String::new(), at: 0.0 });
        let words = "The same misses along the predictions. A funnel says that large predictions miss by more; a bend says that \
                     something was not learned.";
        plots += &figures.figure(&chart, words, None);
    }
    if !values.coverage.is_empty() {
        let levels: Vec<_> = values.coverage.iter().map(|line| [line.level, line.held]).collect();
        if levels.len() > 1 && values.coverage.iter().all(|line| line.group.is_empty() || line.group == "all") {
            let mut chart = Chart::new("Interval coverage", "promised share", "share that was inside");
            (chart.x.range, chart.y.range) = (Some((0.0, 1.0)), Some((0.0, 1.0)));
            chart.layers.push(Layer::Diagonal { name: "as promised".into() });
            let line = crate::plot::chart::Line {
                name: "held".into(),
                points: levels,
                colour: Some(0),
                markers: true,
                ..Default::default()
            };
            chart.layers.push(Layer::Line(line));
            plots += &figures.figure(
                &chart,
                "How often the actual value was inside of the interval that was printed.",
                None,
            );
        }
    }
    let body = grid(&plots) + &coverage(values);
    if body.is_empty() {
        return None;
    }
    Section::new("values", "How near the predictions are", paragraph(&values.rows) + &body)
}

fn coverage(values: &Regression) -> String {
    if values.coverage.is_empty() {
        return String::new();
    }
    let heads = [
        ("interval", Kind::Name),
        ("rows of", Kind::Words),
        ("rows", Kind::Number),
        ("share inside", Kind::Number),
        ("mean width", Kind::Number),
    ];
    let mut table = Table::new("How often intervals held", &heads);
    for line in &values.coverage {
        let group = if line.group.is_empty() { "all" } else { &line.group };
        let cells =
            vec![percent(line.level), group.to_string(), count(line.rows), percent(line.held), number(line.width)];
        table.line(cells);
    }
    table.html()
}

/// Rows in ten groups by their prediction: means of both.
fn by_prediction(pairs: &[[f64; 2]]) -> Table {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let heads = [
        ("predictions up to", Kind::Name),
        ("rows", Kind::Number),
        ("mean predicted", Kind::Number),
        ("mean actual", Kind::Number),
    ];
    let mut table = Table::new("predicted against actual, in tenths", &heads);
    let groups = sorted.len().min(10);
    for group in 0..groups {
        let rows = &sorted[group * sorted.len() / groups..(group + 1) * sorted.len() / groups];
        let mean = |place: usize| rows.iter().map(|pair| pair[place] / rows.len() as f64).sum::<f64>();
        let last = rows.last().map_or(f64::NAN, |pair| pair[0]);
        table.line(vec![number(last), count(rows.len() as u64), number(mean(0)), number(mean(1))]);
    }
    table
}

fn residual_table(residuals: &[f64]) -> Table {
    let mut sorted = residuals.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut table = Table::new("residuals, sorted", &[("share of the rows", Kind::Name), ("at most", Kind::Number)]);
    for share in [0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0] {
        table.line(vec![percent(share), number(quantile(&sorted, share))]);
    }
    table
}
