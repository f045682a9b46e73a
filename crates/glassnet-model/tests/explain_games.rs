//! Shapley values against the `shap` package, against their definition on raw rows, and what must hold for every row.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use glassnet_core::Team;
use glassnet_model::calibration::log_odds;
use glassnet_model::explain::{Background, Explainer, Explanation, Method, Options};
use glassnet_model::fit::{FitOptions, Prepared};
use glassnet_model::style::Style;
use glassnet_model::table::Table;
use glassnet_model::target::TaskChoice;
use glassnet_model::{Model, Value};
use glassnet_nn::spec::NetSpec;
use made::{numbers, table, words};
use proptest::prelude::*;
use serde_json::Value as Json;

const NAN: f64 = f64::NAN;

/// A model of these parameters, trained on nothing; all rows are training rows.
fn model(data: &Table, net: &str, task: TaskChoice, parameters: impl Fn(usize) -> Vec<f32>) -> Model {
    styled(data, net, task, Style::Plain, parameters)
}

/// The same, with the columns encoded in that style.
fn styled(data: &Table, net: &str, task: TaskChoice, style: Style, parameters: impl Fn(usize) -> Vec<f32>) -> Model {
    let options = FitOptions { validation_share: None, task: Some(task), style, ..FitOptions::new("y") };
    let prepared = Prepared::table(data.clone(), None, &options).unwrap();
    let headed = prepared.network(&NetSpec::parse(net).unwrap(), None, 0.0).unwrap();
    prepared.model(&headed, parameters(headed.network.parameters())).unwrap()
}

/// Weights that make outputs of a few units.
fn drawn(seed: u64) -> impl Fn(usize) -> Vec<f32> {
    move |count| {
        let draws = glassnet_core::random::Draws::new(seed, glassnet_core::random::Purpose::Synthetic, 0, 0);
        (0..count as u64).map(|place| draws.normal(place) as f32 * 0.6).collect()
    }
}

/// Numbers, a number with missing values, categories with a missing one, two words, and the target.
fn mixed(rows: usize, target: &str) -> Table {
    let number = |row: usize, step: usize| ((row * step % 31) as f64 - 15.0) / 4.0;
    let level = |row: usize| ["red", "green", "blue", ""][row * 7 % 11 % 4];
    let targets = |row: usize| match target {
        "two" => ["no", "yes"][row * 3 % 5 % 2],
        _ => ["a", "b", "c"][row * 3 % 7 % 3],
    };
    let some: Vec<f64> = (0..rows).map(|row| if row % 5 == 2 { NAN } else { 40.0 + 9.0 * number(row, 11) }).collect();
    let mut columns = vec![
        numbers("x", &(0..rows).map(|row| number(row, 13)).collect::<Vec<f64>>()),
        numbers("some", &some),
        words("colour", &(0..rows).map(level).collect::<Vec<&str>>()),
        words("express", &(0..rows).map(|row| ["yes", "no"][row * 5 % 3 % 2]).collect::<Vec<&str>>()),
    ];
    columns.push(match target {
        "number" => numbers("y", &(0..rows).map(|row| 100.0 + 30.0 * number(row, 17)).collect::<Vec<f64>>()),
        _ => words("y", &(0..rows).map(targets).collect::<Vec<&str>>()),
    });
    table(columns)
}

fn task(target: &str) -> TaskChoice {
    if target == "number" { TaskChoice::Regress } else { TaskChoice::Classify }
}

fn explained(model: &Model, data: &Table, background: &[u32], rows: &[u32], options: Options) -> Vec<Explanation> {
    let (encoded, ..) = model.encode_table(data, false).unwrap();
    let background = Background::of(&encoded, background).unwrap();
    let explainer = Explainer::new(model, &background, options).unwrap();
    explainer.explain(&encoded, rows, None, &Team::single()).unwrap()
}

#[test]
fn as_the_shap_package_has_it() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/explain.json")).unwrap();
    let vectors: Json = serde_json::from_str(&text).unwrap();
    let floats = |value: &Json| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap_or(NAN)).collect()
    };
    let places = |value: &Json| -> Vec<u32> { floats(value).into_iter().map(|place| place as u32).collect() };
    let levels: Vec<&str> = vectors["words"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    for case in vectors["cases"].as_array().unwrap() {
        let classes = case["classes"].as_u64().unwrap() as usize;
        let targets: Vec<&str> = (0..levels.len()).map(|row| ["k0", "k1", "k2"][row % classes]).collect();
        let data = table(vec![
            numbers("c1", &floats(&vectors["numbers"][0])),
            numbers("c2", &floats(&vectors["numbers"][1])),
            numbers("c3", &floats(&vectors["numbers"][2])),
            words("c4", &levels),
            words("y", &targets),
        ]);
        let parameters: Vec<f32> = floats(&case["parameters"]).into_iter().map(|value| value as f32).collect();
        let model = model(&data, "5 tanh", TaskChoice::Classify, |_| parameters.clone());
        let (encoded, ..) = model.encode_table(&data, false).unwrap();
        let background = Background::of(&encoded, &places(&vectors["background"])).unwrap();
        let explainer = Explainer::new(&model, &background, Options::default()).unwrap();
        let rows = places(&vectors["explained"]);
        let found = explainer.explain(&encoded, &rows, Some(classes - 1), &Team::single()).unwrap();
        let outputs = floats(&case["outputs"]);
        for (place, explanation) in found.iter().enumerate() {
            assert_eq!(explanation.method, Method::Exact);
            // Beside float64 the network's own float32.
            let near = |found: f64, known: f64, what: &str| {
                assert!((found - known).abs() < 5e-6, "{classes} classes, row {place}, {what}: {found}, shap {known}");
            };
            near(explanation.base, case["base"].as_f64().unwrap(), "base");
            near(explanation.output, outputs[place], "output");
            for (column, known) in floats(&case["contributions"][place]).into_iter().enumerate() {
                near(explanation.contributions[column], known, "column");
            }
        }
        assert_eq!(found.len(), 8);
    }
}

/// The mean over all orders of the columns, of rows put together from raw values and predicted one by one.
#[test]
fn as_the_definition_on_raw_rows() {
    let values = |row: usize| -> Vec<Option<String>> {
        let data = mixed(60, "two");
        data.columns[..4].iter().map(|column| text_at(column, row)).collect()
    };
    let styles = [Style::Plain, Style::Tabular];
    for (target, style) in ["two", "three", "number"].into_iter().flat_map(|target| styles.map(|style| (target, style)))
    {
        let data = mixed(60, target);
        let model = styled(&data, "6 tanh", task(target), style, drawn(3));
        let class = match target {
            "two" => Some(1),
            "three" => None,
            _ => None,
        };
        let background = [3, 14, 15, 9, 26, 5, 7];
        let rows = [0, 2, 11, 40, 3];
        let found = explained(&model, &data, &background, &rows, Options::default());
        let mut scratch = model.scratch();
        for (&row, explanation) in rows.iter().zip(&found) {
            let class = class.or(explanation.class);
            assert_eq!(explanation.class, class);
            let mut f = |from: &[Option<String>]| {
                let row: Vec<Value> = from.iter().enumerate().map(|(column, text)| value(column, text)).collect();
                let mut scores = vec![0.0; model.outputs()];
                model.predict_into(&row, &mut scratch, &mut scores).unwrap();
                class.map_or_else(|| f64::from(scores[0]), |class| log_odds(&scores, class))
            };
            let x = values(row as usize);
            let orders = orders(4);
            let mut known = [0.0; 4];
            let mut base = 0.0;
            for &b in &background {
                let b = values(b as usize);
                base += f(&b) / background.len() as f64;
                for order in &orders {
                    let mut at = b.clone();
                    for &column in order {
                        let before = f(&at);
                        at[column] = x[column].clone();
                        known[column] += (f(&at) - before) / (orders.len() * background.len()) as f64;
                    }
                }
            }
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(1.0);
            assert!(near(explanation.base, base), "{target}: {} {base}", explanation.base);
            assert_eq!(explanation.output, f(&x));
            for (column, known) in known.into_iter().enumerate() {
                let found = explanation.contributions[column];
                assert!(near(found, known), "{target}, row {row}, column {column}: {found} {known}");
            }
        }
    }
}

fn text_at(column: &glassnet_model::table::Column, row: usize) -> Option<String> {
    use glassnet_model::table::Values;
    match &column.values {
        values if values.is_missing(row) => None,
        Values::Number(numbers) => Some(numbers[row].to_string()),
        Values::Text(text) => text.get(row).map(str::to_owned),
    }
}

fn value(column: usize, text: &Option<String>) -> Value<'_> {
    match text {
        None => Value::Missing,
        Some(text) if column < 2 => Value::Number(text.parse().unwrap()),
        Some(text) => Value::Text(text),
    }
}

fn orders(columns: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for _ in 0..columns {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                let free: Vec<usize> = (0..columns).filter(|column| !order.contains(column)).collect();
                free.into_iter().map(move |column| [order.clone(), vec![column]].concat())
            })
            .collect();
    }
    orders
}

/// Twelve columns that meet in products.
fn wide(rows: usize) -> Table {
    let draws = glassnet_core::random::Draws::new(9, glassnet_core::random::Purpose::Synthetic, 1, 0);
    let column = |column: usize| -> Vec<f64> {
        (0..rows).map(|row| (draws.normal((row * 12 + column) as u64) * 100.0).round() / 100.0).collect()
    };
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let mut columns: Vec<_> = names.iter().enumerate().map(|(place, name)| numbers(name, &column(place))).collect();
    columns.push(words("y", &(0..rows).map(|row| ["no", "yes"][row % 2]).collect::<Vec<&str>>()));
    table(columns)
}

#[test]
fn permutations_come_to_the_exact_values() {
    let data = wide(40);
    let model = model(&data, "8 tanh -> 8 tanh", TaskChoice::Classify, drawn(4));
    let background: Vec<u32> = (0..16).collect();
    let rows = [20, 21, 22];
    let of = |options: Options| explained(&model, &data, &background, &rows, options);
    let exact = of(Options { exact: 12, ..Options::default() });
    assert!(exact.iter().all(|explanation| explanation.method == Method::Exact));
    let error = |passes: u32, seed: u64| {
        let found = of(Options { passes, seed, ..Options::default() });
        let pairs = found.iter().zip(&exact).flat_map(|(found, exact)| {
            assert_eq!(found.method, Method::Permutations);
            assert!(found.residual.abs() < 1e-12, "{}", found.residual);
            assert_eq!((found.base, found.output), (exact.base, exact.output));
            found.contributions.iter().zip(&exact.contributions)
        });
        let squares: Vec<f64> = pairs.map(|(found, exact)| (found - exact) * (found - exact)).collect();
        (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
    };
    let size = exact[0].contributions.iter().map(|one| one.abs()).fold(0.0, f64::max);
    let errors = [1, 16, 256].map(|passes| (0..4).map(|seed| error(passes, seed)).sum::<f64>() / 4.0);
    // As 1 / sqrt(passes): sixteen times the passes, a quarter of the error.
    assert!(errors[1] < 0.4 * errors[0] && errors[2] < 0.4 * errors[1], "{errors:?}");
    assert!(errors[2] < 0.01 * size, "{errors:?} of {size}");
    assert!(errors[0] < 0.25 * size, "{errors:?} of {size}");
}

#[test]
fn rows_threads_and_company_change_no_byte() {
    let data = wide(70);
    let model = model(&data, "8 tanh -> 8 tanh", TaskChoice::Classify, drawn(5));
    let (encoded, ..) = model.encode_table(&data, false).unwrap();
    let background = Background::draw(&encoded, &(0..40).collect::<Vec<u32>>(), 33, 7).unwrap();
    assert_eq!(background.rows(), 33);
    for options in [
        Options::default(),
        Options { exact: 12, ..Options::default() },
        Options { passes: 3, seed: 5, ..Options::default() },
        Options { fast: true, ..Options::default() },
    ] {
        // Few rows where all coalitions are counted out.
        let rows: Vec<u32> = (40..if options.exact > 10 { 43 } else { 70 }).collect();
        let explainer = Explainer::new(&model, &background, options).unwrap();
        let all = explainer.explain(&encoded, &rows, None, &Team::single()).unwrap();
        for threads in [2, 3] {
            let team = Team::new(threads);
            assert_eq!(explainer.explain(&encoded, &rows, None, &team).unwrap(), all, "{threads} threads");
            assert_eq!(explainer.explain(&encoded, &rows[..1], None, &team).unwrap(), all[..1], "{threads} threads");
        }
        for (&row, known) in rows.iter().zip(&all).rev() {
            let alone = explainer.explain(&encoded, &[row], None, &Team::single()).unwrap();
            assert_eq!(&alone[0], known);
        }
    }
    assert_eq!(Background::draw(&encoded, &(0..40).collect::<Vec<u32>>(), 33, 7).unwrap(), background);
    assert_ne!(Background::draw(&encoded, &(0..40).collect::<Vec<u32>>(), 33, 8).unwrap(), background);
}

#[test]
fn a_column_that_is_the_same_everywhere_adds_exactly_nothing() {
    let mut data = wide(40);
    let fixed = |column: &mut glassnet_model::table::Column, rows: &[usize]| {
        if let glassnet_model::table::Values::Number(values) = &mut column.values {
            rows.iter().for_each(|&row| values[row] = 1.25);
        }
    };
    // Column c differs only in rows that are neither explained nor in the background.
    fixed(&mut data.columns[2], &(0..30).collect::<Vec<usize>>());
    let model = model(&data, "8 tanh", TaskChoice::Classify, drawn(6));
    let background: Vec<u32> = (0..15).collect();
    for options in [
        Options::default(),
        Options { exact: 12, ..Options::default() },
        Options { passes: 2, ..Options::default() },
        Options { fast: true, ..Options::default() },
    ] {
        for explanation in explained(&model, &data, &background, &[15, 20, 29], options) {
            assert_eq!(explanation.contributions[2], 0.0);
            assert!(explanation.contributions.iter().enumerate().all(|(column, &one)| column == 2 || one != 0.0));
        }
    }
}

/// Rows of any kind, by models of any kind: base and contributions add up to the output, which is what is predicted.
fn adds_up(target: &str, seed: u64, row: u32, options: Options, background: usize) -> Result<(), TestCaseError> {
    let data = mixed(60, target);
    let model = model(&data, "6 tanh -> 5 relu", task(target), drawn(seed));
    let (encoded, ..) = model.encode_table(&data, false).unwrap();
    let background = Background::draw(&encoded, &(0..60).collect::<Vec<u32>>(), background, seed).unwrap();
    let explainer = Explainer::new(&model, &background, options).unwrap();
    let explanation = explainer.explain(&encoded, &[row], None, &Team::single()).unwrap().remove(0);
    let scores = model.scores(&mut model.runner(Team::single()), &encoded, &[row]).unwrap();
    let predicted = explanation.class.map_or(f64::from(scores[0]), |class| log_odds(&scores, class));
    prop_assert_eq!(explanation.output, predicted);
    let sum: f64 = explanation.base + explanation.contributions.iter().sum::<f64>();
    let most = 1e-6 * explanation.output.abs().max(1.0);
    if !options.fast {
        prop_assert!((sum - explanation.output).abs() <= most, "{} {}", sum, explanation.output);
    }
    prop_assert!((sum + explanation.residual - explanation.output).abs() <= most);
    if let Some((from, to)) = explanation.scores() {
        let points: f64 = explanation.points().iter().sum();
        let share = if options.fast { explanation.residual.abs() } else { 0.0 };
        prop_assert!((points - (to - from)).abs() <= 1e-9 + share);
        let class = explanation.class.unwrap();
        prop_assert!((to - f64::from(scores[class])).abs() < 1e-6, "{} {}", to, scores[class]);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn contributions_add_up(
        target in prop::sample::select(vec!["two", "three", "number"]),
        seed in 0..1_000_u64,
        row in 0..60_u32,
        exact in prop::sample::select(vec![0_usize, 2, 10]),
        passes in 1..4_u32,
        fast in any::<bool>(),
        background in 1..20_usize,
    ) {
        adds_up(target, seed, row, Options { exact, passes, fast, seed, ..Options::default() }, background)?;
    }
}
