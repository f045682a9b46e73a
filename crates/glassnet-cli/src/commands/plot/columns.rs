//! Columns of a table.

use std::collections::BTreeMap;

use glassnet::data::Dataset;
use glassnet::model::table::{Column, Table, Values};
use glassnet::nn::nearest::nearest;
use glassnet::report::measure::{edges, histogram};
use glassnet::report::plot::chart::Line;
use glassnet::report::plot::{Chart, Layer};

use super::{Args, Kind};
use crate::error::CliError;
use crate::numbers::thousands;
use crate::output::Output;
use crate::reading;

/// Most series and groups: there are as many colours.
const MOST: usize = 7;
/// Most bars with a name each.
const MOST_BARS: usize = 60;

/// The chart of the columns, and the name of its kind.
pub(super) fn chart(args: &Args, output: &Output) -> Result<(&'static str, Chart), CliError> {
    let [path] = args.files.as_slice() else {
        return Err(CliError::Usage(format!(
            "{} files: of tables one is drawn at a time\n  hint: give one table; models and JSON of trainings can be several",
            args.files.len()
        )));
    };
    let table = match reading::open(path, &args.read.options())? {
        Dataset::Table { table, .. } => table,
        Dataset::Images { .. } => {
            return Err(CliError::Data(format!(
                "{path}: these are images, which have no columns\n  hint: give a table, a model or the JSON of a training"
            )));
        }
    };
    if table.rows == 0 {
        return Err(CliError::Data(format!("{path}: there are no rows to draw\n  hint: look at the file")));
    }
    let x = args.x.as_deref().map(|name| column(&table, "-x", name)).transpose()?;
    let by = args.by.as_deref().map(|name| column(&table, "--by", name)).transpose()?;
    let ys = args.y.iter().map(|name| column(&table, "-y", name)).collect::<Result<Vec<_>, _>>()?;
    let kind = match args.kind {
        Some(Kind::Loss | Kind::Accuracy | Kind::LearningRate | Kind::GradientNorm) => {
            return Err(CliError::Usage(format!(
                "--kind: this kind is for runs, and {path} is a table\n  hint: line, step, scatter, hist, bars"
            )));
        }
        Some(kind) => kind,
        None => fitting(x, &ys),
    };
    let drawing = Drawing { args, table: &table, x, ys, by, output };
    match kind {
        Kind::Hist => Ok(("hist", drawing.hist()?)),
        Kind::Bars => Ok(("bars", drawing.bars()?)),
        Kind::Scatter => Ok(("scatter", drawing.points(kind)?)),
        Kind::Step => Ok(("step", drawing.points(kind)?)),
        _ => Ok(("line", drawing.points(Kind::Line)?)),
    }
}

/// What fits these columns: bars for text, a histogram for columns of numbers alone, a line along an x that rises.
fn fitting(x: Option<&Column>, ys: &[&Column]) -> Kind {
    match (x.map(|x| &x.values), ys) {
        (Some(Values::Text(_)), _) => Kind::Bars,
        (None, [Column { values: Values::Text(_), .. }]) => Kind::Bars,
        (None, [_, ..]) => Kind::Hist,
        (Some(Values::Number(x)), _) if x.windows(2).all(|pair| pair[0] <= pair[1]) => Kind::Line,
        (Some(_), _) => Kind::Scatter,
        (None, []) => Kind::Line,
    }
}

fn column<'a>(table: &'a Table, flag: &str, name: &str) -> Result<&'a Column, CliError> {
    table.column(name).ok_or_else(|| {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("the columns are {}", names.iter().take(20).copied().collect::<Vec<_>>().join(", ")),
        };
        CliError::Data(format!("{flag}: {} has no column '{name}'\n  hint: {hint}", table.source))
    })
}

/// What was asked for, with its columns.
struct Drawing<'a> {
    args: &'a Args,
    table: &'a Table,
    x: Option<&'a Column>,
    ys: Vec<&'a Column>,
    by: Option<&'a Column>,
    output: &'a Output,
}

/// Rows of a group, from 0, with its name.
type Group = (String, Vec<usize>);

impl<'a> Drawing<'a> {
    /// The columns of numbers that are drawn: those that were named, or all but -x and --by.
    fn numbers(&self) -> Result<Vec<(&'a str, &'a [f64])>, CliError> {
        let mut found = Vec::new();
        for column in &self.ys {
            match &column.values {
                Values::Number(values) => found.push((column.name.as_str(), values.as_slice())),
                Values::Text(_) => {
                    return Err(CliError::Data(format!(
                        "-y: the column '{}' holds text, and numbers are drawn\n  hint: --kind bars -x {0} counts its values",
                        column.name
                    )));
                }
            }
        }
        if self.ys.is_empty() {
            let used = |column: &Column| [self.x, self.by].iter().flatten().any(|other| other.name == column.name);
            for column in self.table.columns.iter().filter(|column| !used(column)) {
                if let Values::Number(values) = &column.values {
                    found.push((column.name.as_str(), values.as_slice()));
                }
            }
        }
        if found.len() > MOST {
            if !self.ys.is_empty() {
                return Err(CliError::Usage(format!(
                    "-y: {} columns, and {MOST} can be told apart\n  hint: name fewer",
                    found.len()
                )));
            }
            self.output
                .message(&format!("the first {MOST} of {} columns of numbers are drawn; -y names others", found.len()));
            found.truncate(MOST);
        }
        if found.is_empty() {
            return Err(CliError::Data(format!(
                "{}: there is no column of numbers to draw\n  hint: --kind bars -x COL counts the values of a column of text",
                self.table.source
            )));
        }
        Ok(found)
    }

    /// The rows in groups by the value of --by, the most frequent first; all rows in one without it.
    fn groups(&self) -> Vec<Group> {
        let Some(by) = self.by else { return vec![(String::new(), (0..self.table.rows).collect())] };
        let mut groups = in_groups(by, self.table.rows);
        if matches!(by.values, Values::Number(_)) {
            // A number alone does not say what it is of.
            groups.iter_mut().for_each(|(name, _)| *name = format!("{} = {name}", by.name));
        }
        if groups.len() > MOST {
            self.output.message(&format!(
                "--by: the {MOST} most frequent of {} values of {} are drawn",
                thousands(groups.len() as u64),
                by.name
            ));
            groups.truncate(MOST);
        }
        groups
    }

    fn x_values(&self) -> Result<Vec<f64>, CliError> {
        match self.x.map(|x| (&x.name, &x.values)) {
            None => Ok((1..=self.table.rows).map(|row| row as f64).collect()),
            Some((_, Values::Number(values))) => Ok(values.clone()),
            Some((name, Values::Text(_))) => Err(CliError::Data(format!(
                "-x: the column '{name}' holds text, and this kind needs numbers\n  hint: --kind bars"
            ))),
        }
    }

    /// Lines, steps, points.
    fn points(&self, kind: Kind) -> Result<Chart, CliError> {
        let x = self.x_values()?;
        let x_name = self.x.map_or("row", |x| x.name.as_str());
        let (numbers, groups) = (self.numbers()?, self.groups());
        if numbers.len() * groups.len() > MOST {
            return Err(CliError::Usage(format!(
                "{} columns in {} groups: {MOST} series can be told apart\n  hint: one -y with --by, or several -y without it",
                numbers.len(),
                groups.len()
            )));
        }
        let names: Vec<&str> = numbers.iter().map(|(name, _)| *name).collect();
        let mut chart = Chart::new(format!("{} by {x_name}", names.join(", ")), x_name, names.join(", "));
        chart.x.whole = self.x.is_none();
        for (name, values) in &numbers {
            for (group, rows) in &groups {
                let at = |&row: &usize| Some([*x.get(row)?, *values.get(row)?]);
                let points: Vec<[f64; 2]> = rows.iter().filter_map(at).collect();
                let name = match (numbers.len(), group.as_str()) {
                    (_, "") => name.to_string(),
                    (1, group) => group.to_string(),
                    (_, group) => format!("{name}, {group}"),
                };
                let place = chart.layers.len();
                chart.layers.push(match kind {
                    Kind::Scatter => Layer::Points { name, points, colour: place },
                    _ => {
                        let markers = points.len() <= 30;
                        let (colour, dash) = (Some(place), Some(place));
                        Layer::Line(Line {
                            name,
                            points,
                            colour,
                            dash,
                            markers,
                            steps: kind == Kind::Step,
                            ..Line::default()
                        })
                    }
                });
            }
        }
        Ok(chart)
    }

    /// How often which value.
    fn hist(&self) -> Result<Chart, CliError> {
        let (mut numbers, groups) = (self.numbers()?, self.groups());
        if let Some(x) = self.x {
            return Err(CliError::Usage(format!(
                "-x: a histogram has its column with -y\n  hint: -y {} instead of -x",
                x.name
            )));
        }
        if groups.len() > 1 && numbers.len() > 1 {
            numbers.truncate(1);
            self.output.message(&format!("--by: of the columns of numbers only {} is drawn", numbers[0].0));
        }
        let all: Vec<f64> = numbers.iter().flat_map(|(_, values)| values.iter().copied()).collect();
        let ends = edges(&all, self.args.bins as usize);
        let names: Vec<&str> = numbers.iter().map(|(name, _)| *name).collect();
        let mut chart = Chart::new(format!("Distribution of {}", names.join(", ")), names.join(", "), "rows");
        if !self.args.log_y {
            chart.y.include = vec![0.0];
        }
        let mut series = Vec::new();
        for (name, values) in &numbers {
            for (group, rows) in &groups {
                let values: Vec<f64> = rows.iter().filter_map(|&row| values.get(row).copied()).collect();
                let name = if group.is_empty() { name.to_string() } else { group.clone() };
                series.push((name, histogram(&values, &ends, None)));
            }
        }
        if let [(_, counts)] = series.as_slice() {
            chart.layers.push(Layer::histogram("", &ends, counts, 0));
            return Ok(chart);
        }
        for (place, (name, counts)) in series.into_iter().enumerate() {
            let last = counts.last().copied().unwrap_or(0.0);
            let points: Vec<[f64; 2]> =
                ends.iter().copied().zip(counts.into_iter().chain([last])).map(|(x, y)| [x, y]).collect();
            let (colour, dash) = (Some(place), Some(place));
            chart.layers.push(Layer::Line(Line {
                name,
                points,
                colour,
                dash,
                steps: true,
                filled: true,
                ..Line::default()
            }));
        }
        Ok(chart)
    }

    /// Rows of each value of a column, or means of another.
    fn bars(&self) -> Result<Chart, CliError> {
        let (along, of) = match (self.x, self.ys.as_slice()) {
            (Some(x), []) => (x, None),
            (None, [one]) => (*one, None),
            (Some(x), [y]) => match &y.values {
                Values::Number(values) => (x, Some((y.name.as_str(), values.as_slice()))),
                Values::Text(_) => {
                    return Err(CliError::Data(format!(
                        "-y: the column '{}' holds text, which has no mean\n  hint: leave -y out to count rows, or --by {0}",
                        y.name
                    )));
                }
            },
            _ => {
                return Err(CliError::Usage(
                    "bars are of one column\n  hint: -x COL counts its values; -x COL -y COL draws means".into(),
                ));
            }
        };
        let mut bars = in_groups(along, self.table.rows);
        if bars.len() > MOST_BARS {
            self.output.message(&format!(
                "the {MOST_BARS} most frequent of {} values of {} are drawn",
                thousands(bars.len() as u64),
                along.name
            ));
            bars.truncate(MOST_BARS);
        }
        let names: Vec<String> = bars.iter().map(|(name, _)| name.clone()).collect();
        let mut bar_of = vec![None; self.table.rows];
        for (bar, (_, rows)) in bars.iter().enumerate() {
            for &row in rows {
                bar_of[row] = Some(bar);
            }
        }
        let series: Vec<(String, Vec<f64>)> = self
            .groups()
            .into_iter()
            .map(|(name, rows)| {
                let mut sums = vec![(0.0, 0.0); names.len()];
                for row in rows {
                    let value = of.map_or(1.0, |(_, values)| values.get(row).copied().unwrap_or(f64::NAN));
                    if let (Some(bar), true) = (bar_of[row], value.is_finite()) {
                        sums[bar].0 += value;
                        sums[bar].1 += 1.0;
                    }
                }
                let bar = |(sum, count): (f64, f64)| if of.is_some() { sum / count } else { sum };
                (name, sums.into_iter().map(bar).collect())
            })
            .collect();
        let what = of.map_or("rows".to_string(), |(name, _)| format!("mean of {name}"));
        let mut chart =
            Chart::grouped(format!("{what} by {}", along.name), &names, &series, self.args.stacked, what.clone());
        chart.x.label = along.name.clone();
        Ok(chart)
    }
}

/// Rows by the value of a column, the most frequent first, equals by name; numbers in their own order.
fn in_groups(column: &Column, rows: usize) -> Vec<Group> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in 0..rows {
        let name = match &column.values {
            Values::Number(values) => match values.get(row) {
                Some(value) if value.is_finite() => value.to_string(),
                _ => "missing".to_string(),
            },
            Values::Text(text) => text.get(row).unwrap_or("missing").to_string(),
        };
        groups.entry(name).or_default().push(row);
    }
    let mut groups: Vec<Group> = groups.into_iter().collect();
    groups.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    // A few numbers have an order that says more than how frequent they are.
    if matches!(column.values, Values::Number(_)) && groups.len() <= MOST_BARS {
        let value = |name: &str| name.parse::<f64>().unwrap_or(f64::INFINITY);
        groups.sort_by(|a, b| value(&a.0).total_cmp(&value(&b.0)));
    }
    groups
}
