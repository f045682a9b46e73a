//! Reports of made-up runs: two classes with everything, many classes, a regression, hostile names.
#![allow(dead_code, clippy::expect_used)]

use glassnet_nn::metrics::ClassScores;
use glassnet_report::measure::{reliability, threshold};
use glassnet_report::page::*;

/// Numbers in [0, 1), the same every time (SplitMix64).
pub struct Draws(pub u64);

impl Draws {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About normal: the sum of twelve.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

fn strings<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(String::from).to_vec()
}

fn pairs<const N: usize>(words: [(&str, &str); N]) -> Vec<(String, String)> {
    words.map(|(a, b)| (a.to_string(), b.to_string())).to_vec()
}

pub fn member(number: u64, epochs: u64, scale: f64) -> Member {
    let mut draws = Draws(number);
    let line = |epoch: u64| {
        let t = epoch as f64 / epochs as f64;
        let overfit = if t > 0.6 { 0.035 * (t - 0.6) } else { 0.0 };
        EpochLine {
            epoch,
            train: Some(scale * (0.41 + 0.13 * (-6.0 * t).exp() - 0.04 * t)),
            valid: Some(scale * (0.435 + 0.1 * (-7.0 * t).exp() + overfit + 0.002 * draws.normal())),
            learning_rate: Some(0.02 * (1.0 - (std::f64::consts::TAU * (1.0 + 15.0 * t).log2()).cos())),
        }
    };
    let epochs: Vec<EpochLine> = (1..=epochs).map(line).collect();
    let best = epochs.iter().min_by(|a, b| a.valid.unwrap_or(9.0).total_cmp(&b.valid.unwrap_or(9.0)));
    let best_epoch = best.map(|epoch| epoch.epoch);
    Member { name: format!("member {number}"), epochs, best_epoch }
}

/// Scores of two classes: (after calibration, before it, labels).
pub fn two_classes(rows: usize) -> (ClassScores, ClassScores, Vec<usize>) {
    let mut draws = Draws(7);
    let (mut after, mut before, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rows {
        let logit = -1.5 + 1.1 * draws.normal();
        labels.push(usize::from(draws.next() < 1.0 / (1.0 + (-logit).exp())));
        after.push(logit + 0.15 * draws.normal());
        before.push(1.6 * logit - 0.2);
    }
    (ClassScores::from_binary_logits(&after), ClassScores::from_binary_logits(&before), labels)
}

fn explained(why: &str, row: u64, sign: f64) -> Explained {
    let columns = [
        ("sched_dep_time", "19:45", 0.81),
        ("month", "7", 0.46),
        ("humid", "91.3", 0.38),
        ("carrier", "EV", 0.22),
        ("dest", "ORD", -0.31),
        ("distance", "733", -0.12),
        ("wind_speed", "17.3", 0.09),
        ("origin", "LGA", 0.05),
        ("visib", "10", -0.03),
        ("pressure", "", 0.012),
        ("temp", "84.2", -0.008),
        ("precip", "0", 0.004),
    ];
    let contributions: Vec<Contribution> = columns
        .iter()
        .map(|(name, value, amount)| Contribution {
            name: name.to_string(),
            value: if value.is_empty() { "missing".into() } else { value.to_string() },
            amount: sign * amount,
            points: Some(0.17 * sign * amount),
        })
        .collect();
    let base = -1.402;
    let output = base + contributions.iter().map(|c| c.amount).sum::<f64>();
    Explained {
        why: why.into(),
        row,
        predicted: format!("late15 = yes with {:.2}", 1.0 / (1.0 + (-output).exp())),
        actual: "late15 = yes".into(),
        scale: "log-odds of late15 = yes".into(),
        base,
        contributions,
        output,
        residual: Some(2.2e-16),
    }
}

fn finding(code: &str, severity: Severity, evidence: &str, advice: &str) -> Finding {
    Finding {
        code: code.into(),
        severity,
        layer: Some("2".into()),
        layer_kind: Some("linear 256".into()),
        epoch: Some(31),
        step: Some(1_520),
        evidence: evidence.into(),
        advice: advice.into(),
    }
}

fn layer(name: &str, kind: &str, shape: &str, parameters: u64) -> LayerLine {
    LayerLine { name: name.into(), kind: kind.into(), shape: shape.into(), parameters }
}

/// Two classes, with every section that a classifier can have.
pub fn classifier() -> ReportData {
    let (after, before, labels) = two_classes(4_000);
    let classes = strings(["no", "yes"]);
    let rows = "Measured on 4,000 rows that were held out at random and used neither to fit nor to calibrate.";
    let mut classification = Classification::measure(rows, "late15", &classes, (&after, Some(&before)), &labels, None)
        .with_thresholds(&after, &labels, None, Some((1.0, 4.0)), Some(0.1), None);
    if let Some(line) =
        classification.thresholds.as_mut().and_then(|t| t.lines.iter_mut().find(|l| l.note == "least cost"))
    {
        line.chosen = true;
    }
    if let Some(reliability) = &mut classification.reliability {
        reliability.method = "an affine map of the log-odds, found on 2,600 other rows".into();
    }
    let column = |name: &str, kind: &str, missing: u64, note: &str| Column {
        name: name.into(),
        kind: kind.into(),
        missing,
        note: note.into(),
    };
    let out = |name: &str, why: &str| LeftOut { name: name.into(), why: why.into() };
    let part = |name: &str, rows: u64, note: &str| Part { name: name.into(), rows, note: note.into() };
    let line = |name: &str, rows: u64, values: [f64; 5]| ScoreLine {
        name: name.into(),
        rows: Some(rows),
        values: values.map(Some).to_vec(),
        is_guess: false,
    };
    let guess = |values: [f64; 3]| ScoreLine {
        name: "constant guess".into(),
        rows: None,
        values: vec![Some(values[0]), Some(values[1]), Some(0.5), Some(values[2]), None],
        is_guess: true,
    };
    ReportData {
        title: "late15 in flights.csv.gz".into(),
        made_by: Some("glassnet 0.1.0".into()),
        head: Some(Head {
            predicted: "Whether a flight is 15 minutes or more late (late15: yes or no), from 14 columns.".into(),
            rows: "4,000 rows that were held out at random: not used to train, to choose the epoch or to calibrate".into(),
            figures: vec![
                KeyFigure {
                    name: "AUC".into(),
                    value: Some(0.7621),
                    guess: Some(0.5),
                    more_is_better: Some(true),
                    percent: false,
                    meaning: "share of pairs of a late and another flight that are in the right order".into(),
                },
                KeyFigure {
                    name: "log-loss".into(),
                    value: Some(0.4422),
                    guess: Some(0.5251),
                    more_is_better: Some(false),
                    percent: false,
                    meaning: "how surprised the model is by what happened; less is better".into(),
                },
                KeyFigure {
                    name: "right".into(),
                    value: Some(0.8012),
                    guess: Some(0.7815),
                    more_is_better: Some(true),
                    percent: true,
                    meaning: "rows whose more probable class is the true one".into(),
                },
                KeyFigure {
                    name: "ECE".into(),
                    value: Some(0.0061),
                    guess: None,
                    more_is_better: Some(false),
                    percent: false,
                    meaning: "mean distance of predicted from observed shares; it was 0.043 before calibration".into(),
                },
            ],
            output: Some(OutputKind::Probability {
                why: "On 4,000 rows that nothing was fitted to, predicted and observed shares differ by 0.006 in the mean.".into(),
            }),
            cautions: strings([
                "The rows were held out at random. Flights of coming months will be predicted worse: train with --time date to see how much.",
                "arr_delay and dep_delay give the target away and were left out. If they are known when you predict, say so with --keep.",
            ]),
        }),
        scores: vec![
            ScoreTable {
                caption: "Scores by part".into(),
                metrics: strings(["log-loss", "Brier", "AUC", "accuracy", "ECE"]),
                lines: vec![
                    line("train", 12_800, [0.4102, 0.1322, 0.8011, 0.8161, 0.0052]),
                    guess([0.5212, 0.1702, 0.7828]),
                    line("valid", 3_200, [0.4389, 0.1411, 0.7702, 0.8041, 0.0071]),
                    guess([0.5244, 0.1715, 0.7809]),
                    line("test", 4_000, [0.4422, 0.1419, 0.7621, 0.8012, 0.0061]),
                    guess([0.5251, 0.1719, 0.7815]),
                ],
            },
            ScoreTable {
                caption: "Test scores by origin".into(),
                metrics: strings(["log-loss", "AUC"]),
                lines: vec![
                    ScoreLine { name: "EWR".into(), rows: Some(1_431), values: vec![Some(0.4611), Some(0.757)], is_guess: false },
                    ScoreLine { name: "JFK".into(), rows: Some(1_318), values: vec![Some(0.4301), Some(0.771)], is_guess: false },
                    ScoreLine { name: "LGA".into(), rows: Some(1_251), values: vec![Some(0.4333), None], is_guess: false },
                ],
            },
        ],
        classification: Some(classification),
        regression: None,
        importances: Some(Importances {
            method: "How much the log-loss of held-out rows rises when a column’s values are dealt out anew among the rows; \
                     mean of 5 times, the thin line is their standard deviation."
                .into(),
            label: "rise of log-loss".into(),
            columns: [
                ("sched_dep_time", 0.0412, 0.0021),
                ("month", 0.0287, 0.0018),
                ("humid", 0.0194, 0.0011),
                ("carrier", 0.0121, 0.0012),
                ("dest", 0.0093, 0.0009),
                ("day", 0.0071, 0.0008),
                ("precip", 0.0044, 0.0006),
                ("wind_speed", 0.0021, 0.0004),
                ("a_column_with_a_very_long_name_from_a_warehouse", 0.0011, 0.0004),
                ("distance", 0.0006, 0.0003),
                ("visib", -0.0003, 0.0003),
            ]
            .into_iter()
            .map(|(name, value, spread)| Importance { name: name.into(), value, spread: Some(spread) })
            .collect(),
        }),
        explained: vec![
            explained("the surest that was right", 4_121, 1.0),
            explained("the surest that was wrong", 17_004, -1.2),
            explained("the most uncertain", 911, 0.9),
        ],
        data: Some(Data {
            missing_of: None,
            source: "flights.csv.gz".into(),
            rows: 20_000,
            target: "late15".into(),
            split: "One row in five was held out for the test and one in five of the rest for choosing the epoch and calibrating, at \
                    random with the same share of each class (seed 0)."
                .into(),
            parts: vec![
                part("train", 12_800, "the weights are fitted to them"),
                part("valid", 3_200, "choose the epoch, calibrate"),
                part("test", 4_000, "used for nothing but the figures above"),
            ],
            classes: vec![("no".into(), 15_640), ("yes".into(), 4_360)],
            columns: vec![
                column("month", "number", 0, "from 1 to 12"),
                column("sched_dep_time", "number", 0, "from 500 to 2,359"),
                column("carrier", "category", 0, "16 levels"),
                column("origin", "category", 0, "3 levels"),
                column("dest", "category", 12, "104 levels"),
                column("distance", "number", 0, "from 80 to 4,983"),
                column("humid", "number", 1_402, "from 12.7 to 100"),
                column("wind_speed", "number", 1_409, "from 0 to 42.6"),
            ],
            left_out: vec![
                out("flight_id", "an id: every row has another value"),
                out("year", "constant: 2013 in every row"),
                out("remarks", "free text: 18,211 different values, 9 words in the mean"),
            ],
            leaks: vec![
                out("arr_delay", "alone it has an AUC of 1.000: it was measured after what is to be predicted"),
                out("arr_time - sched_arr_time", "the difference of two clock times has an AUC of 0.919"),
            ],
            moved: strings(["Share of yes: 0.218 in train, 0.219 in test: the same within chance."]),
            notes: strings(["213 rows without a target were passed over."]),
        }),
        training: Some(Training {
            loss: "log-loss".into(),
            members: (1..=4).map(|number| member(number, 60, 1.0)).collect(),
            ended: "All 60 epochs were run; of each member the epoch with the least validation loss was kept.".into(),
            guess: Some(0.5244),
        }),
        network: Some(Network {
            text: "14 columns -> periodic 16 4 -> scale -> linear 256 selu -> linear 256 selu -> linear 256 selu -> linear 2".into(),
            members: 4,
            parameters: 181_442,
            layers: vec![
                layer("0", "periodic 16 -> 3", "32", 664),
                layer("1", "scale", "72", 72),
                layer("2", "linear 256, selu", "256", 18_688),
                layer("3", "linear 256, selu", "256", 65_792),
                layer("4", "linear 256, selu", "256", 65_792),
                layer("5", "linear 2", "2", 514),
            ],
        }),
        costs: vec![
            Cost { name: "training".into(), forecast: Some(52.0), measured: Some(48.3), unit: Unit::Seconds },
            Cost { name: "memory".into(), forecast: Some(21.4e6), measured: Some(21.4e6), unit: Unit::Bytes },
            Cost { name: "explaining 3 rows".into(), forecast: None, measured: Some(0.21), unit: Unit::Seconds },
        ],
        findings: Some(vec![
            finding("overfit", Severity::Warning, "the validation loss is 3 % above its best", "fewer epochs (--epochs 40)"),
            finding("saturated-units", Severity::Note, "3 of 256 units sit at their bounds", "nothing, unless it grows"),
        ]),
        repeat: Some(Repeat {
            command: "glassnet train flights.csv.gz --target late15 --epochs 60 --seed 0 --report report.html".into(),
            settings: pairs([
                ("epochs", "60"),
                ("batch", "256"),
                ("optimizer", "adam beta2=0.95"),
                ("learning_rate", "0.04"),
                ("seed", "0"),
            ]),
            provenance: pairs([
                ("data", "sha256:9f1d8c5e0b7a4f1c8f1d2e3b4a5968778695a4b3c2d1e0f1029384756afbecdd"),
                ("weights", "sha256:0011223344556677889900112233445566778899aabbccddeeff001122334455"),
                ("glassnet", "0.1.0"),
            ]),
        }),
    }
}

/// A number with its intervals.
pub fn regression() -> ReportData {
    let mut draws = Draws(3);
    let pair = |_| {
        let size = 0.3 + 2.4 * draws.next();
        let predicted = 900.0 * size * size + 400.0;
        [predicted, predicted * (1.0 + 0.1 * draws.normal())]
    };
    let pairs: Vec<[f64; 2]> = (0..6_000).map(pair).collect();
    let line = |level: f64, held: f64, width: f64| Coverage { level, held, width, group: String::new(), rows: 10_788 };
    ReportData {
        title: "price in diamonds.csv".into(),
        head: Some(Head {
            predicted: "The price of a diamond in dollars, from 9 columns.".into(),
            rows: "10,788 rows that were held out at random".into(),
            figures: vec![
                KeyFigure {
                    name: "RMSE (dollars)".into(),
                    value: Some(541.2),
                    guess: Some(3_989.4),
                    more_is_better: Some(false),
                    percent: false,
                    meaning: "root of the mean squared miss".into(),
                },
                KeyFigure {
                    name: "R²".into(),
                    value: Some(0.9816),
                    guess: Some(0.0),
                    more_is_better: Some(true),
                    ..KeyFigure::default()
                },
            ],
            output: Some(OutputKind::Value {
                why: "90 % intervals held the actual value for 89.6 % of the rows.".into(),
            }),
            cautions: Vec::new(),
        }),
        regression: Some(Regression {
            rows: "Measured on 10,788 rows that were held out at random.".into(),
            target: "price (dollars)".into(),
            pairs,
            coverage: vec![
                line(0.5, 0.502, 410.0),
                line(0.8, 0.797, 930.0),
                line(0.9, 0.896, 1_402.0),
                line(0.95, 0.951, 2_010.0),
            ],
        }),
        training: Some(Training {
            loss: "mean squared error of the standardised target".into(),
            members: vec![member(1, 80, 1.0)],
            ended: "Stopped early: 20 epochs without a better validation loss.".into(),
            guess: Some(1.0),
        }),
        ..ReportData::default()
    }
}

/// Ten classes.
pub fn digits() -> ReportData {
    let mut draws = Draws(11);
    let names: Vec<String> = (0..10).map(|digit| digit.to_string()).collect();
    let (mut logits, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..3_000 {
        let label = (10.0 * draws.next()) as usize;
        labels.push(label);
        logits.extend((0..10).map(|class| draws.normal() + if class == label { 4.0 } else { 0.0 }));
    }
    let scores = ClassScores::from_logits(&logits, 10);
    let classification =
        Classification::measure("Measured on 3,000 test images.", "digit", &names, (&scores, None), &labels, None);
    ReportData {
        title: "digits".into(),
        classification: Some(classification),
        findings: Some(Vec::new()),
        ..ReportData::default()
    }
}

/// Names as an enemy would choose them, everywhere where a name can stand.
pub const HOSTILE: &str = "<script>alert('x')</script>\"onload=\"x&\u{0}\u{202e}]]>-->";

/// The classifier's report with all names of [`HOSTILE`].
pub fn hostile() -> ReportData {
    let mut value = serde_json::to_value(classifier()).expect("a report is JSON");
    fn poison(value: &mut serde_json::Value) {
        use serde_json::Value;
        match value {
            // The names of enums are no text of a user.
            Value::String(text) if !["warning", "note", "seconds", "bytes"].contains(&text.as_str()) => {
                *text = format!("{HOSTILE}{text}");
            }
            Value::Array(items) => items.iter_mut().for_each(poison),
            Value::Object(map) => map.values_mut().for_each(poison),
            _ => {}
        }
    }
    poison(&mut value);
    serde_json::from_value(value).expect("it is still a report")
}

/// What `measure` gives for one threshold and bins: used by the tests of both.
pub fn check() -> (ThresholdLine, Vec<glassnet_report::plot::reliability::Bin>) {
    let (scores, is) = ([0.9, 0.8, 0.3, 0.1], [true, false, true, false]);
    (threshold(0.5, &scores, &is, None, Some((1.0, 10.0))), reliability(&scores, &is, None, 2))
}
