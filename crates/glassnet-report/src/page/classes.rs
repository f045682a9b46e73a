//! How good a classifier is, in pictures.

use super::html::{Figures, Kind, Section, Table, grid, paragraph};
use super::results::{Classification, Curve, Distribution, ReliabilityData, Thresholds};
use crate::number::{NONE, number, percent, weight};
use crate::plot::chart::Line;
use crate::plot::heat::{Heat, MOST_CLASSES};
use crate::plot::reliability::Bin;
use crate::plot::{Chart, Layer, Reliability};

/// Most classes with a curve of their own: as many as there are colours.
const MOST_CURVES: usize = 6;
/// Most pairs of classes in the list of what is taken for what.
const MOST_PAIRS: usize = 15;

/// The section.
pub(super) fn section(classes: &Classification, figures: &mut Figures) -> Option<Section> {
    let mut plots = String::new();
    let mut below = String::new();
    if !classes.confusion.is_empty() {
        if classes.classes.len() <= MOST_CLASSES {
            let heat = Heat::new("Confusion table", classes.classes.clone(), classes.confusion.clone());
            let words = "Each line is a true class; its cells say as what it was predicted. The fuller the colour on the diagonal, the better.";
            plots += &figures.figure(&heat, words, Some(&confusion_table(classes)));
        }
        if classes.classes.len() > 2 {
            below += &mistakes(classes).html();
        }
    }
    if let Some(distribution) = &classes.distribution {
        plots += &scores_by_class(distribution, figures);
    }
    if let Some(reliability) = &classes.reliability {
        plots += &predicted_against_observed(reliability, figures);
    }
    if !classes.roc.is_empty() {
        let mut chart = curves("ROC curve", "false alarms: share of the others that is flagged", &classes.roc, "AUC");
        chart.y.label = "found: share of the class that is flagged".into();
        chart.layers.insert(0, Layer::Diagonal { name: "by chance".into() });
        let words =
            "The further a curve bends to the upper left, the better the order of the rows. The dotted line is chance.";
        let table = points("ROC curve", ["class", "false positive rate", "true positive rate"], &classes.roc);
        plots += &figures.figure(&chart, words, Some(&table));
    }
    if !classes.precision_recall.is_empty() {
        let x = "recall: share of the class that is flagged";
        let mut chart = curves("Precision and recall", x, &classes.precision_recall, "AP");
        chart.y.label = "precision: share of the flagged that is of the class".into();
        if let [one] = classes.precision_recall.as_slice()
            && let Some(rate) = one.base_rate
        {
            chart.layers.push(Layer::Across { name: "base rate".into(), at: rate });
        }
        let words = "Who flags more rows finds more of the class and has more false alarms among them. Flagging all rows has the \
                     base rate as precision.";
        let table = points("Precision and recall", ["class", "recall", "precision"], &classes.precision_recall);
        plots += &figures.figure(&chart, words, Some(&table));
    }
    if let Some(thresholds) = classes.thresholds.as_ref().filter(|thresholds| !thresholds.lines.is_empty()) {
        below += &threshold_table(thresholds);
    }
    let body = grid(&plots) + &below;
    if body.is_empty() {
        return None;
    }
    Section::new("classes", "How well classes are told apart", paragraph(&classes.rows) + &body)
}

fn confusion_table(classes: &Classification) -> Table {
    let mut heads = vec![("true class".to_string(), Kind::Name)];
    heads.extend(classes.classes.iter().map(|name| (format!("predicted {name}"), Kind::Number)));
    let mut table = Table { caption: "confusion table".into(), heads, ..Table::default() };
    for (name, line) in classes.classes.iter().zip(&classes.confusion) {
        let mut cells = vec![name.clone()];
        cells.extend(line.iter().map(|value| weight(*value)));
        table.line(cells);
    }
    table
}

/// What is most often taken for what.
fn mistakes(classes: &Classification) -> Table {
    let mut pairs = Vec::new();
    for (truth, line) in classes.confusion.iter().enumerate() {
        let sum: f64 = line.iter().sum();
        for (predicted, &rows) in
            line.iter().enumerate().filter(|(predicted, rows)| *predicted != truth && **rows > 0.0)
        {
            pairs.push((rows, truth, predicted, rows / sum));
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let heads = [
        ("true class", Kind::Name),
        ("taken for", Kind::Words),
        ("rows", Kind::Number),
        ("share of the class", Kind::Number),
    ];
    let mut table = Table::new("The most frequent mistakes", &heads);
    let name = |class: usize| classes.classes.get(class).cloned().unwrap_or_else(|| class.to_string());
    for (rows, truth, predicted, share) in pairs.into_iter().take(MOST_PAIRS) {
        table.line(vec![name(truth), name(predicted), weight(rows), percent(share)]);
    }
    table
}

/// A line for each class; of many the ones with the smallest area.
fn curves(title: &str, x: &str, curves: &[Curve], area: &str) -> Chart {
    let mut chart = Chart::new(title, x, "");
    (chart.x.range, chart.y.range) = (Some((0.0, 1.0)), Some((0.0, 1.0)));
    chart.height = 320.0;
    let mut shown: Vec<&Curve> = curves.iter().collect();
    shown.sort_by(|a, b| a.area.unwrap_or(2.0).total_cmp(&b.area.unwrap_or(2.0)));
    shown.truncate(MOST_CURVES);
    // In the classes' own order again.
    shown.sort_by_key(|curve| curves.iter().position(|other| std::ptr::eq(*curve, other)));
    if shown.len() < curves.len() {
        chart.title = format!("{title}: the {MOST_CURVES} classes with the smallest area");
    }
    for (place, curve) in shown.into_iter().enumerate() {
        let name = match curve.area {
            Some(value) => format!("{} ({area} {})", curve.name, number(value)),
            None => curve.name.clone(),
        };
        let (colour, dash) = (Some(place), Some(place));
        chart.layers.push(Layer::Line(Line { name, points: curve.points.clone(), colour, dash, ..Line::default() }));
    }
    chart
}

fn points(caption: &str, heads: [&str; 3], curves: &[Curve]) -> Table {
    let heads = [(heads[0], Kind::Name), (heads[1], Kind::Number), (heads[2], Kind::Number)];
    let mut table = Table::new(caption, &heads);
    for curve in curves {
        for [x, y] in &curve.points {
            table.line(vec![curve.name.clone(), number(*x), number(*y)]);
        }
    }
    table
}

fn scores_by_class(distribution: &Distribution, figures: &mut Figures) -> String {
    let mut chart = Chart::new("Distribution of scores", &distribution.of, "rows");
    chart.y.include = vec![0.0];
    let mut table = Table::new("distribution of scores", &[("from", Kind::Name), ("to", Kind::Number)]);
    let bins = distribution.edges.len().saturating_sub(1);
    for (place, (name, counts)) in distribution.series.iter().enumerate() {
        // Steps: up to the count at each bin's begin, down to 0 after the last.
        let mut outline: Vec<[f64; 2]> =
            distribution.edges.iter().zip(counts).map(|(edge, rows)| [*edge, *rows]).collect();
        outline.extend(distribution.edges.get(counts.len()).map(|end| [*end, counts.last().copied().unwrap_or(0.0)]));
        let (colour, dash) = (Some(place), Some(place));
        let line =
            Line { name: name.clone(), points: outline, colour, dash, steps: true, filled: true, ..Line::default() };
        chart.layers.push(Layer::Line(line));
        table.heads.push((name.clone(), Kind::Number));
    }
    for (bin, ends) in distribution.edges.windows(2).enumerate().take(bins) {
        let mut cells = vec![number(ends[0]), number(ends[1])];
        let rows = |counts: &Vec<f64>| counts.get(bin).map_or(NONE.to_string(), |rows| weight(*rows));
        cells.extend(distribution.series.iter().map(|(_, counts)| rows(counts)));
        table.line(cells);
    }
    let words = "How many rows have which score. The less the outlines overlap, the better their kinds are told apart.";
    figures.figure(&chart, words, Some(&table))
}

fn predicted_against_observed(data: &ReliabilityData, figures: &mut Figures) -> String {
    let plot = Reliability {
        title: "Predicted against observed".into(),
        of: data.of.clone(),
        before: data.before.clone(),
        after: data.after.clone(),
    };
    let mut words = String::from(
        "On the dotted line a predicted 30 % comes true in 30 of 100 rows. Upright lines are 95 % intervals; the bars below count \
         the rows.",
    );
    match (data.ece_before, data.ece_after) {
        (Some(before), Some(after)) => {
            words += &format!(
                " Mean distance from the line (ECE): {} before calibration, {} after.",
                number(before),
                number(after)
            );
        }
        (None, Some(after)) => words += &format!(" Mean distance from the line (ECE): {}.", number(after)),
        _ => {}
    }
    if !data.method.is_empty() {
        words += &format!(" Calibration: {}.", data.method.trim_end_matches('.'));
    }
    let heads = [
        ("bin", Kind::Name),
        ("calibration", Kind::Words),
        ("rows", Kind::Number),
        ("predicted", Kind::Number),
        ("observed", Kind::Number),
        ("95 % interval", Kind::Number),
    ];
    let mut table = Table::new("predicted against observed", &heads);
    let mut add = |when: &str, bins: &[Bin]| {
        for bin in bins.iter().filter(|bin| bin.rows > 0.0) {
            let interval =
                bin.interval().map_or(NONE.into(), |(low, high)| format!("{} to {}", number(low), number(high)));
            table.line(vec![
                format!("{} to {}", number(bin.low), number(bin.high)),
                when.into(),
                weight(bin.rows),
                number(bin.predicted),
                number(bin.observed),
                interval,
            ]);
        }
    };
    add("before", &data.before);
    add(if data.before.is_empty() { "–" } else { "after" }, &data.after);
    figures.figure(&plot, &words, Some(&table))
}

fn threshold_table(thresholds: &Thresholds) -> String {
    let with_cost = thresholds.lines.iter().any(|line| line.cost.is_some());
    let mut heads = vec![
        ("flagged from a score of", Kind::Name),
        ("share flagged", Kind::Number),
        ("precision", Kind::Number),
        ("recall", Kind::Number),
        ("false alarms", Kind::Number),
        ("misses", Kind::Number),
    ];
    if with_cost {
        heads.push(("cost a row", Kind::Number));
    }
    heads.push(("note", Kind::Words));
    let caption = match thresholds.positive.as_str() {
        "" => "Thresholds".to_string(),
        positive => format!("Thresholds for flagging a row as {positive}"),
    };
    let mut table = Table::new(caption, &heads);
    for line in &thresholds.lines {
        let share = |share: Option<f64>| share.map_or(NONE.to_string(), percent);
        let mut cells = vec![
            number(line.threshold),
            percent(line.flagged),
            share(line.precision),
            share(line.recall),
            weight(line.false_alarms),
            weight(line.misses),
        ];
        if with_cost {
            cells.push(line.cost.map_or(NONE.to_string(), number));
        }
        let note = match (line.chosen, line.note.as_str()) {
            (true, "") => "chosen".to_string(),
            (true, note) => format!("chosen: {note}"),
            (false, note) => note.to_string(),
        };
        cells.push(note);
        table.line_of(if line.chosen { "chosen" } else { "" }, cells);
    }
    let basis = match thresholds.basis.as_str() {
        "" => String::new(),
        basis => paragraph(basis),
    };
    format!("<h3>What a threshold brings</h3>\n{basis}{}", table.html())
}
