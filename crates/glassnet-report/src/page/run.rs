//! The run: data, training, network, costs, the doctor's findings, how to repeat it.

use glassnet_nn::doctor::{Finding, Severity};

use super::data::{Cost, Data, LeftOut, Member, Network, Repeat, Training, Unit};
use super::html::{Figures, Kind, Section, Table, grid, list, paragraph};
use crate::escape::escape;
use crate::number::{NONE, bytes, count, duration, number, percent};
use crate::plot::chart::Line;
use crate::plot::{Bar, Bars, Chart, Layer};

/// Most columns that are listed without unfolding.
const MOST_COLUMNS: usize = 30;
/// A loss that spans more than this many times its smallest value is drawn on a logarithmic axis.
const WIDE: f64 = 30.0;

/// What the data is.
pub(super) fn data(data: &Data, figures: &mut Figures) -> Option<Section> {
    let mut body = String::new();
    if !data.source.is_empty() || data.rows > 0 {
        let target = if data.target.is_empty() { String::new() } else { format!("; the target is {}", data.target) };
        let columns = data.columns.len() + data.left_out.len();
        let columns = if columns == 0 { String::new() } else { format!(" and {columns} columns besides the target") };
        let source = if data.source.is_empty() { "The table" } else { &data.source };
        body += &paragraph(&format!("{source} has {} rows{columns}{target}.", count(data.rows)));
    }
    body += &paragraph(&data.split);
    body += &list("", &data.notes);
    if !data.moved.is_empty() {
        body += &format!("<h3>What differs between the parts</h3>\n{}", list("", &data.moved));
    }
    body += &left_out("Columns that give the target away", "what was measured", &data.leaks);
    if !data.parts.is_empty() {
        let heads = [("part", Kind::Name), ("rows", Kind::Number), ("what for", Kind::Words)];
        let mut table = Table::new("How the rows were split", &heads);
        for part in &data.parts {
            table.line(vec![part.name.clone(), count(part.rows), part.note.clone()]);
        }
        body += &table.html();
    }
    body += &left_out("Columns that were left out", "why", &data.left_out);
    if !data.columns.is_empty() {
        let (counted, head) = match data.missing_of {
            Some(rows) => (rows, "missing in training"),
            None => (data.rows, "missing"),
        };
        let heads = [("column", Kind::Name), ("kind", Kind::Words), (head, Kind::Number), ("values", Kind::Words)];
        let mut table = Table::new(format!("The {} columns that the network sees", data.columns.len()), &heads);
        for column in &data.columns {
            let missing = match column.missing {
                0 => "none".to_string(),
                missing if counted > 0 => format!("{} ({})", count(missing), percent(missing as f64 / counted as f64)),
                missing => count(missing),
            };
            table.line(vec![column.name.clone(), column.kind.clone(), missing, column.note.clone()]);
        }
        body += &match data.columns.len() <= MOST_COLUMNS {
            true => table.html(),
            false => format!("<details><summary>{}</summary>\n{}</details>\n", escape(&table.caption), table.html()),
        };
    }
    if !data.classes.is_empty() {
        let all: u64 = data.classes.iter().map(|(_, rows)| rows).sum();
        let bar = |(name, rows): &(String, u64)| Bar {
            name: name.clone(),
            value: *rows as f64,
            spread: None,
            words: format!("{} ({})", count(*rows), percent(*rows as f64 / all.max(1) as f64)),
        };
        let shown = data.classes.iter().take(MOST_COLUMNS).map(bar).collect();
        let title = if data.classes.len() > MOST_COLUMNS {
            format!("Rows of the first {MOST_COLUMNS} of {} classes", data.classes.len())
        } else {
            "Rows of each class".to_string()
        };
        let mut table = Table::new("rows of each class", &[("class", Kind::Name), ("rows", Kind::Number)]);
        for (name, rows) in &data.classes {
            table.line(vec![name.clone(), count(*rows)]);
        }
        body += &grid(&figures.figure(&Bars::new(title, "rows", shown), "", Some(&table)));
    }
    Section::new("data", "The data", body)
}

fn left_out(caption: &str, why: &str, columns: &[LeftOut]) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let mut table = Table::new(caption, &[("column", Kind::Name), (why, Kind::Words)]);
    for column in columns {
        table.line(vec![column.name.clone(), column.why.clone()]);
    }
    if columns.len() <= MOST_COLUMNS {
        return table.html();
    }
    let count = count(columns.len() as u64);
    format!("<details><summary>{}: {count}</summary>\n{}</details>\n", escape(caption), table.html())
}

/// Curves of train and validation loss with the chosen epochs; none where there is no epoch.
pub fn curves(training: &Training) -> Option<Chart> {
    let loss = if training.loss.is_empty() { "loss" } else { &training.loss };
    let mut chart = Chart::new("Loss by epoch", "epoch", loss);
    chart.x.whole = true;
    let several = training.members.len() > 1;
    let validated = training.members.iter().any(|member| member.epochs.iter().any(|epoch| epoch.valid.is_some()));
    let mut values = Vec::new();
    for (place, member) in training.members.iter().enumerate() {
        let (train, valid) = (member.curve(|epoch| epoch.train), member.curve(|epoch| epoch.valid));
        values.extend(train.iter().chain(&valid).map(|point| point[1]));
        // One member: a colour for each curve. Several: a colour for each member, and the dash tells the curves apart.
        let (train_colour, valid_colour) = if several { (place, place) } else { (1, 0) };
        let (train_name, valid_name) = match (several, validated) {
            (false, _) => ("train".to_string(), "validation".to_string()),
            (true, true) => (String::new(), member.name.clone()),
            (true, false) => (member.name.clone(), String::new()),
        };
        let line = |name: String, points: Vec<[f64; 2]>, colour: usize, dash: usize| {
            let (colour, dash) = (Some(colour), Some(dash));
            Layer::Line(Line { name, points, colour, dash, thin: several, ..Line::default() })
        };
        if !train.is_empty() {
            chart.layers.push(line(train_name, train, train_colour, usize::from(validated)));
        }
        if !valid.is_empty() {
            chart.layers.push(line(valid_name, valid, valid_colour, 0));
        }
    }
    for (place, member) in training.members.iter().enumerate() {
        let best = member.best().and_then(|epoch| Some((epoch.epoch, epoch.valid.or(epoch.train)?)));
        if let Some((epoch, value)) = best.filter(|(_, value)| value.is_finite()) {
            let name = if several { String::new() } else { format!("kept: epoch {epoch}") };
            chart.layers.push(Layer::Mark { name, at: [epoch as f64, value], colour: if several { place } else { 0 } });
        }
    }
    if several && validated {
        chart.layers.push(Layer::Key { name: "solid: validation".into(), dash: 0 });
        chart.layers.push(Layer::Key { name: "dashed: train".into(), dash: 1 });
    }
    if values.is_empty() {
        return None;
    }
    let (low, high) = values.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), v| (v.min(low), v.max(high)));
    chart.y.log = low > 0.0 && high > WIDE * low;
    if let Some(guess) = training.guess.filter(|guess| guess.is_finite() && (!chart.y.log || *guess > 0.0)) {
        // Only where it does not press the curves together.
        if guess <= high + (high - low) && guess >= low - (high - low) {
            chart.layers.push(Layer::Across { name: "constant guess".into(), at: guess });
        }
    }
    Some(chart)
}

/// The learning rate by epoch; none where it is not known. A line for each schedule that differs.
pub fn learning_rate(training: &Training) -> Option<Chart> {
    let mut schedules: Vec<(String, Vec<[f64; 2]>)> = Vec::new();
    for member in &training.members {
        let curve = member.curve(|epoch| epoch.learning_rate);
        // Members with the same schedule have one line: the longest that the others begin like.
        match schedules.iter_mut().find(|(_, known)| known.iter().zip(&curve).all(|(a, b)| a == b)) {
            Some((_, known)) if known.len() < curve.len() => *known = curve,
            Some(_) => {}
            None if curve.is_empty() => {}
            None => schedules.push((member.name.clone(), curve)),
        }
    }
    if schedules.is_empty() {
        return None;
    }
    let mut chart = Chart::new("Learning rate by epoch", "epoch", "learning rate of the epoch's last step");
    chart.x.whole = true;
    chart.y.include = vec![0.0];
    chart.layers.extend(schedules.into_iter().map(|(name, points)| Layer::line(name, points)));
    Some(chart)
}

/// How training went.
pub(super) fn training(training: &Training, figures: &mut Figures) -> Option<Section> {
    let mut plots = String::new();
    let heads = [
        ("epoch", Kind::Name),
        ("member", Kind::Words),
        ("train", Kind::Number),
        ("validation", Kind::Number),
        ("learning rate", Kind::Number),
    ];
    let mut table = Table::new("loss by epoch", &heads);
    for member in &training.members {
        for epoch in &member.epochs {
            let show = |value: Option<f64>| value.map_or(NONE.to_string(), number);
            let class = if Some(epoch.epoch) == member.best_epoch { "chosen" } else { "" };
            let cells = vec![
                count(epoch.epoch),
                member.name.clone(),
                show(epoch.train),
                show(epoch.valid),
                show(epoch.learning_rate),
            ];
            table.line_of(class, cells);
        }
    }
    if let Some(chart) = curves(training) {
        let words = "The weights of the marked epoch were kept. Validation rows were not trained on: where their loss rises while that \
                     of training falls, the network learns rows by heart.";
        plots += &figures.figure(&chart, words, Some(&table));
    }
    if let Some(chart) = learning_rate(training) {
        plots += &figures.figure(&chart, "How large the steps were.", None);
    }
    let mut body = paragraph(&training.ended) + &grid(&plots);
    let kept: Vec<&Member> = training.members.iter().filter(|member| member.best_epoch.is_some()).collect();
    if kept.len() > 1 {
        let heads = [
            ("member", Kind::Name),
            ("epochs", Kind::Number),
            ("kept", Kind::Number),
            ("validation loss", Kind::Number),
        ];
        let mut table = Table::new("The members", &heads);
        for member in kept {
            let best = member.best().and_then(|epoch| epoch.valid);
            table.line(vec![
                member.name.clone(),
                count(member.epochs.len() as u64),
                member.best_epoch.map_or(NONE.to_string(), count),
                best.map_or(NONE.to_string(), number),
            ]);
        }
        body += &table.html();
    }
    Section::new("training", "Training", body)
}

/// What the network is, and what it cost.
pub(super) fn network(network: Option<&Network>, costs: &[Cost]) -> Option<Section> {
    let mut body = String::new();
    if let Some(network) = network {
        if network.parameters > 0 {
            let times = match network.members {
                0 | 1 => String::new(),
                members => format!(
                    " in each of {members} members, {} in all; their outputs are averaged",
                    count(members.saturating_mul(network.parameters))
                ),
            };
            body += &paragraph(&format!("{} parameters{times}.", count(network.parameters)));
        }
        if !network.text.is_empty() {
            body += &format!("<pre>{}</pre>\n", escape(&network.text));
        }
        if !network.layers.is_empty() {
            let heads = [
                ("layer", Kind::Name),
                ("what", Kind::Words),
                ("values of a row", Kind::Number),
                ("parameters", Kind::Number),
            ];
            let mut table = Table::new("Layers", &heads);
            for layer in &network.layers {
                let cells = vec![layer.name.clone(), layer.kind.clone(), layer.shape.clone(), count(layer.parameters)];
                table.line(cells);
            }
            body += &table.html();
        }
    }
    if !costs.is_empty() {
        let heads = [
            ("what", Kind::Name),
            ("forecast", Kind::Number),
            ("measured", Kind::Number),
            ("measured / forecast", Kind::Number),
        ];
        let mut table = Table::new("Forecast and measured", &heads);
        for cost in costs {
            let show = |value: Option<f64>| match (value, cost.unit) {
                (None, _) => NONE.to_string(),
                (Some(value), Unit::Number) => number(value),
                (Some(value), Unit::Seconds) => duration(value),
                (Some(value), Unit::Bytes) => bytes(value),
            };
            let ratio = match (cost.forecast, cost.measured) {
                (Some(forecast), Some(measured)) if forecast > 0.0 => {
                    format!("{} x", number((measured / forecast * 100.0).round() / 100.0))
                }
                _ => String::new(),
            };
            table.line(vec![cost.name.clone(), show(cost.forecast), show(cost.measured), ratio]);
        }
        body += &table.html();
    }
    Section::new("network", "The network", body)
}

/// What the doctor found.
pub(super) fn findings(findings: &[Finding]) -> Option<Section> {
    if findings.is_empty() {
        return Section::new(
            "doctor",
            "The doctor",
            paragraph("The doctor watched the training and found nothing wrong."),
        );
    }
    let item = |finding: &Finding| {
        let (class, word) = match finding.severity {
            Severity::Note => ("note", "Note"),
            Severity::Warning => ("warning", "Warning"),
            Severity::Error => ("error", "Error"),
        };
        let mut place = Vec::new();
        if let Some(layer) = &finding.layer {
            let kind = finding.layer_kind.as_ref().map_or(String::new(), |kind| format!(" ({kind})"));
            place.push(format!("layer {layer}{kind}"));
        }
        if let Some(epoch) = finding.epoch {
            place.push(format!("epoch {epoch}"));
        }
        let place = if place.is_empty() { String::new() } else { format!(", {}", place.join(", ")) };
        format!(
            "<li class=\"{class}\"><p><strong>{word}: {}{}</strong></p>\n<p>{}.</p>\n<p>Try: {}.</p></li>\n",
            escape(&finding.code),
            escape(&place),
            escape(finding.evidence.trim_end_matches('.')),
            escape(finding.advice.trim_end_matches('.'))
        )
    };
    let items: String = findings.iter().map(item).collect();
    Section::new("doctor", "The doctor", format!("<ul class=\"findings\">\n{items}</ul>\n"))
}

/// How to repeat the run.
pub(super) fn repeat(repeat: &Repeat) -> Option<Section> {
    let mut body = String::new();
    if !repeat.command.is_empty() {
        body += &paragraph("The same data and this command give the same weights, byte for byte:");
        body += &format!("<pre>{}</pre>\n", escape(&repeat.command));
    }
    let pairs = |caption: &str, pairs: &[(String, String)]| {
        let mut table = Table::new(caption, &[("name", Kind::Name), ("value", Kind::Words)]);
        for (name, value) in pairs {
            table.line(vec![name.clone(), value.clone()]);
        }
        table.html()
    };
    if !repeat.provenance.is_empty() {
        body += &pairs("Where it comes from", &repeat.provenance);
    }
    if !repeat.settings.is_empty() {
        body += &format!(
            "<details><summary>All {} settings</summary>\n{}</details>\n",
            repeat.settings.len(),
            pairs("Settings", &repeat.settings)
        );
    }
    Section::new("repeat", "To repeat this run", body)
}
