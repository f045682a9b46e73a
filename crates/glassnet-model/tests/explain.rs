//! The background in the model file, integrated gradients, importance by shuffles, reasons in words; what is refused.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use glassnet_core::random::{Draws, Purpose};
use glassnet_core::{Op, Team};
use glassnet_model::explain::{Background, Direction, Explainer, Importance, MAX_ROWS, Method, Options, reasons};
use glassnet_model::file::{self, Features, Tensor};
use glassnet_model::fit::{FitOptions, Prepared};
use glassnet_model::style::Style;
use glassnet_model::table::{Images, Table};
use glassnet_model::{Calibration, Model, ModelError};
use glassnet_nn::recipe::{TableLayout, tabular_with};
use glassnet_nn::spec::NetSpec;
use made::{numbers, table, words};

/// Rows of x, some (with missing values), colour, and a target.
fn data(rows: usize, regress: bool) -> Table {
    let number = |row: usize, step: usize| ((row * step % 29) as f64 - 14.0) / 5.0;
    let some: Vec<f64> = (0..rows).map(|row| if row % 6 == 4 { f64::NAN } else { number(row, 11) * 7.0 }).collect();
    let colour: Vec<&str> = (0..rows).map(|row| ["red", "green", "blue", ""][row * 5 % 9 % 4]).collect();
    let columns = vec![
        numbers("x", &(0..rows).map(|row| number(row, 13)).collect::<Vec<f64>>()),
        numbers("some", &some),
        words("colour", &colour),
    ];
    let target = match regress {
        true => numbers("y", &(0..rows).map(|row| 500.0 + 40.0 * number(row, 13)).collect::<Vec<f64>>()),
        false => {
            let yes = |row: usize| if number(row, 13) > 0.0 { "yes" } else { "no" };
            words("y", &(0..rows).map(yes).collect::<Vec<&str>>())
        }
    };
    table([columns, vec![target]].concat())
}

fn prepared(data: &Table) -> Prepared {
    Prepared::table(data.clone(), None, &FitOptions { validation_share: None, ..FitOptions::new("y") }).unwrap()
}

fn drawn(count: usize, seed: u64) -> Vec<f32> {
    let draws = glassnet_core::random::Draws::new(seed, glassnet_core::random::Purpose::Synthetic, 0, 0);
    (0..count as u64).map(|place| draws.normal(place) as f32 * 0.5).collect()
}

fn model_of(data: &Table, net: &str, seed: u64) -> (Prepared, Model) {
    let prepared = prepared(data);
    let headed = prepared.network(&NetSpec::parse(net).unwrap(), None, 0.0).unwrap();
    let model = prepared.model(&headed, drawn(headed.network.parameters(), seed)).unwrap();
    (prepared, model)
}

#[test]
fn a_model_file_keeps_its_background_and_does_without() {
    let data = data(200, false);
    let (prepared, model) = model_of(&data, "5 tanh", 1);
    let plain = model.to_bytes().unwrap();
    assert!(Model::from_bytes(&plain).unwrap().background().is_none());
    let background = prepared.background(7).unwrap().unwrap();
    assert_eq!((background.rows(), background.inputs()), (MAX_ROWS, model.network().inputs()));
    let with = model.clone().with_background(Some(background.clone())).unwrap();
    let bytes = with.to_bytes().unwrap();
    let read = Model::from_bytes(&bytes).unwrap();
    assert_eq!(read.background(), Some(&background));
    assert_eq!(read.to_bytes().unwrap(), bytes);
    assert_eq!(read.parameters(), model.parameters());
    assert_eq!(read.with_background(None).unwrap().to_bytes().unwrap(), plain);
    // Each of its rows is a training row.
    let (encoded, rows, _) = model.encode_table(&data, false).unwrap();
    let all = rows.iter().map(|&row| Background::of(&encoded, &[row]).unwrap()).collect::<Vec<_>>();
    for row in background.values().chunks(background.inputs()) {
        assert!(all.iter().any(|one| one.values() == row));
    }
}

#[test]
fn forged_backgrounds_are_refused() {
    let data = data(40, false);
    let (_, model) = model_of(&data, "5 tanh", 1);
    let (document, tensors) = file::from_bytes(&model.to_bytes().unwrap()).unwrap();
    let inputs = model.network().inputs();
    let forged = |shape: &[usize]| {
        let tensor =
            Tensor { name: "background".into(), shape: shape.to_vec(), data: vec![0.5; shape.iter().product()] };
        let bytes = file::to_bytes(&document, &[&tensors[..], &[tensor]].concat()).unwrap();
        Model::from_bytes(&bytes).map(|model| model.background().map(Background::rows))
    };
    assert_eq!(forged(&[3, inputs]).unwrap(), Some(3));
    for shape in [&[0, inputs][..], &[3, inputs + 1], &[3 * inputs], &[129, inputs], &[3, inputs, 1], &[3, 0], &[]] {
        let error = forged(shape).unwrap_err();
        assert!(matches!(&error, ModelError::Tensors { what } if what.contains("background")), "{shape:?}: {error}");
    }
    let other = Background::new(2, vec![0.0; 4]).unwrap();
    let error = model.clone().with_background(Some(other)).unwrap_err().to_string();
    assert!(error.contains("rows of 2 numbers") && error.contains("hint"), "{error}");
    assert!(Background::new(2, vec![0.0; 3]).is_err() && Background::new(0, Vec::new()).is_err());
    assert!(Background::new(1, vec![0.0; 129]).is_err() && Background::new(1, vec![f32::NAN]).is_err());
}

#[test]
fn models_without_columns_have_no_explanation() {
    let images = Images {
        source: "i".into(),
        pixels: (0..40 * 4).map(|place| (place * 37 % 251) as u8).collect(),
        labels: (0..40).map(|row| row % 2).collect(),
        classes: Vec::new(),
        rows: 40,
        height: 2,
        width: 2,
        channels: 1,
    };
    let prepared = Prepared::images(images, None, &FitOptions::new("label")).unwrap();
    assert_eq!(prepared.background(0).unwrap(), None);
    let headed = prepared.network(&NetSpec::parse("3 tanh").unwrap(), None, 0.0).unwrap();
    let model = prepared.model(&headed, drawn(headed.network.parameters(), 2)).unwrap();
    let background = Background::new(4, vec![0.0; 4]).unwrap();
    let error = Explainer::new(&model, &background, Options::default()).unwrap_err().to_string();
    assert!(error.contains("no columns"), "{error}");
    assert!(model.with_background(Some(background)).is_err());
}

#[test]
fn wrong_questions_are_refused() {
    let data = data(40, false);
    let (prepared, model) = model_of(&data, "5 tanh", 1);
    let background = prepared.background(0).unwrap().unwrap();
    let explainer = Explainer::new(&model, &background, Options::default()).unwrap();
    let (encoded, ..) = model.encode_table(&data, false).unwrap();
    let team = Team::single();
    assert!(explainer.explain(&encoded, &[40], None, &team).is_err());
    assert!(explainer.explain(&encoded, &[0], Some(2), &team).unwrap_err().to_string().contains("2 classes"));
    assert_eq!(explainer.explain(&encoded, &[], None, &team).unwrap(), []);
    for options in [
        Options { exact: 15, ..Options::default() },
        Options { passes: 0, ..Options::default() },
        Options { nodes: 0, ..Options::default() },
        Options { nodes: 65, ..Options::default() },
    ] {
        assert!(Explainer::new(&model, &background, options).is_err(), "{options:?}");
    }
    assert!(Importance::of(&model, &encoded, &[0], 5, 0, &team).is_err(), "rows without targets");
}

/// On a straight line every method gives `w (x - mean of the background)`.
#[test]
fn a_straight_line_has_one_answer() {
    let data = data(60, true);
    let prepared = prepared(&data);
    // The row has 7 inputs: x, some, some missing, blue, green, red, unknown.
    let headed = prepared.network(&NetSpec::parse("7 -> 1").unwrap(), None, 0.0).unwrap();
    let weights = [1.5, -0.75, 0.5, 1.0, -1.0, 0.25, 0.0, 0.125];
    let model = prepared.model(&headed, weights.to_vec()).unwrap();
    let (encoded, rows, _) = model.encode_table(&data, false).unwrap();
    let background = prepared.background(3).unwrap().unwrap();
    let deviation = prepared.target().unwrap().restore(1.0) - prepared.target().unwrap().restore(0.0);
    let of_columns = [0..1, 1..3, 3..7];
    let part = |row: &[f32], column: usize| -> f64 {
        of_columns[column].clone().map(|i| f64::from(row[i]) * f64::from(weights[i]) * deviation).sum()
    };
    for options in [
        Options::default(),
        Options { exact: 0, ..Options::default() },
        Options { fast: true, nodes: 3, ..Options::default() },
    ] {
        let explainer = Explainer::new(&model, &background, options).unwrap();
        let reference = explainer.reference().to_vec();
        for (row, found) in rows.iter().zip(explainer.explain(&encoded, &rows, None, &Team::single()).unwrap()) {
            let x = Background::of(&encoded, &[*row]).unwrap();
            for column in 0..3 {
                let from = match options.fast {
                    true => part(&reference, column),
                    false => {
                        let rows = background.values().chunks(7).map(|b| part(b, column));
                        rows.sum::<f64>() / background.rows() as f64
                    }
                };
                let known = part(x.values(), column) - from;
                // The values are f32 near 500.
                assert!((found.contributions[column] - known).abs() < 2e-4, "{options:?}, row {row}, {column}");
            }
            assert!(found.residual.abs() < 2e-4);
        }
    }
}

fn members(net: &str, count: usize, data: &Table) -> Model {
    let prepared = prepared(data);
    let headed = prepared.network(&NetSpec::parse(net).unwrap(), None, 0.0).unwrap();
    let one = prepared.model(&headed, drawn(headed.network.parameters(), 1)).unwrap();
    let mut document = one.document().clone();
    document.network.members = count;
    let parameters = (0..count as u64).flat_map(|seed| drawn(headed.network.parameters(), seed)).collect();
    Model::new(document, parameters).unwrap()
}

/// Members, both heads, calibrations with an offset and a mix: the gradients of all that stands behind the logits.
#[test]
fn integrated_gradients_are_complete_on_smooth_networks() {
    let calibrations =
        [None, Some(Calibration::temperature(1.7)), Some(Calibration { mix: 0.02, ..Calibration::affine(0.4, 1.3) })];
    for (regress, net) in [(false, "6 tanh -> 5 tanh"), (false, "7 -> 6 tanh -> 1"), (true, "6 tanh")] {
        let data = data(60, regress);
        for count in [1, 3] {
            for calibration in &calibrations[..if regress { 1 } else { 3 }] {
                let model = members(net, count, &data).with_calibration(calibration.clone()).unwrap();
                let (encoded, rows, _) = model.encode_table(&data, false).unwrap();
                let background = Background::draw(&encoded, &rows, 30, 1).unwrap();
                let options = Options { fast: true, ..Options::default() };
                let explainer = Explainer::new(&model, &background, options).unwrap();
                for class in if regress { vec![None] } else { vec![None, Some(0)] } {
                    let found = explainer.explain(&encoded, &rows, class, &Team::single()).unwrap();
                    for explanation in found {
                        assert_eq!(explanation.method, Method::Path);
                        let size = explanation.output.abs().max(1.0);
                        let residual = explanation.residual.abs();
                        assert!(
                            residual < 2e-5 * size,
                            "{net}, {count} members, {calibration:?}: {residual} of {size}"
                        );
                        // Were the gradients wrong, hardly anything would add up.
                        assert!(explanation.contributions.iter().all(|one| one.is_finite()));
                    }
                }
            }
        }
    }
}

#[test]
fn a_column_is_worth_what_the_model_makes_of_it() {
    for regress in [false, true] {
        let data = data(300, regress);
        let prepared = prepared(&data);
        let headed =
            prepared.network(&NetSpec::parse(if regress { "7 -> 1" } else { "7 -> 2" }).unwrap(), None, 0.0).unwrap();
        // By x alone; the classes by the sign of x, as the target goes.
        let first = if regress { 1.0 } else { -3.0 };
        let mut parameters = vec![0.0; headed.network.parameters()];
        parameters[0] = first;
        if !regress {
            parameters[7] = 3.0;
        }
        let model = prepared.model(&headed, parameters).unwrap();
        let (encoded, rows, _) = model.encode_table(&data, true).unwrap();
        let of = |repeats, threads| Importance::of(&model, &encoded, &rows, repeats, 4, &Team::new(threads)).unwrap();
        let importance = of(8, 1);
        assert_eq!(importance, of(8, 3));
        assert_eq!(importance.measure, if regress { "RMSE" } else { "log-loss" });
        let evaluation = model.evaluate(&encoded, &rows, &Team::single()).unwrap();
        let known = if regress { (evaluation.loss).sqrt() * deviation(&prepared) } else { evaluation.loss };
        assert!((importance.loss - known).abs() < 1e-5 * known.max(1.0), "{} {known}", importance.loss);
        let [x, some, colour] = &importance.columns[..] else { panic!() };
        assert!(x.increase > 10.0 * x.spread && x.increase > 0.3, "{x:?}");
        assert_eq!([some.increase, some.spread, colour.increase, colour.spread], [0.0; 4]);
        assert_eq!(importance.ranked()[0].column, "x");
        let once = of(1, 1);
        assert!(once.columns[0].spread == 0.0 && once.columns[0].increase != x.increase);
    }
}

fn deviation(prepared: &Prepared) -> f64 {
    prepared.target().unwrap().restore(1.0) - prepared.target().unwrap().restore(0.0)
}

#[test]
fn reasons_say_the_largest_parts_in_words() {
    let data = data(60, false);
    let (prepared, model) = model_of(&data, "6 tanh", 3);
    let background = prepared.background(0).unwrap().unwrap();
    let explainer = Explainer::new(&model, &background, Options::default()).unwrap();
    let (encoded, ..) = model.encode_table(&data, false).unwrap();
    let explanation = explainer.explain(&encoded, &[4], None, &Team::single()).unwrap().remove(0);
    let values = [Some("-2.2".to_owned()), None, Some("blue".to_owned())];
    let all = reasons(&model, &explanation, &values, 10);
    assert_eq!(all.len(), 3);
    assert!(all.windows(2).all(|pair| pair[0].contribution.abs() >= pair[1].contribution.abs()));
    assert_eq!(reasons(&model, &explanation, &values, 2), all[..2]);
    for reason in &all {
        let up = reason.contribution > 0.0;
        assert_eq!(reason.direction, if up { Direction::Raises } else { Direction::Lowers });
        let is = match reason.column.as_str() {
            "x" => "x = -2.2",
            "some" => "some missing",
            _ => "colour = blue",
        };
        let verb = if up { "raises" } else { "lowers" };
        let points = format!("{:.1}", reason.points.abs() * 100.0);
        assert_eq!(reason.words, format!("{is} {verb} the score of y = yes by {points} percentage points"));
    }
}

/// Numbers as waves and by parts, codes that are looked up, curves that bend, members, a calibration: the recipe for tables.
#[test]
fn the_recipe_for_tables_is_explained_by_every_method() {
    let mut data = data(120, false);
    let cities = ["Bonn", "Calw", "Gera", "Hof", "Jena", "Kehl", "Lahr", "Melle", "Plau", "Soest", "Telgte", "Wyk", ""];
    data.columns.push(words("city", &(0..120).map(|row| cities[row * 7 % 13]).collect::<Vec<&str>>()));
    data.columns.push(words("express", &(0..120).map(|row| ["yes", "no"][row * 3 % 7 % 2]).collect::<Vec<&str>>()));
    // A number and a code: 0 in most rows.
    let gain = |row: usize| if (row * 11).is_multiple_of(8) { [250.0, 700.0, 99.0][row * 3 % 7 % 3] } else { 0.0 };
    data.columns.push(numbers("gain", &(0..120).map(gain).collect::<Vec<f64>>()));
    let options = FitOptions { validation_share: None, style: Style::Tabular, ..FitOptions::new("y") };
    let prepared = Prepared::table(data.clone(), None, &options).unwrap();
    let Features::Table(preprocess) = &prepared.features else { panic!() };
    let layout = preprocess.layout();
    assert_eq!((layout.numbers, &layout.categories[..]), (3, &[13, 5][..]), "a city is a code, a gain is both");
    let layout = TableLayout { numbers: layout.numbers, others: layout.others, categories: layout.categories };
    for smooth in [true, false] {
        by_every_method(&prepared, &data, &layout, smooth);
    }
}

fn by_every_method(prepared: &Prepared, data: &Table, layout: &TableLayout, smooth: bool) {
    let spec = tabular_with(layout, 2, smooth, &[16, 16]);
    let headed = prepared.network(&spec, None, 0.0).unwrap();
    // As drawn, but for the parts of numbers: edges that rows told, and weights that are not the 0 of the start.
    let drawn = |seed: u64| {
        let mut parameters = headed.network.initialise::<f32>(seed);
        let told = headed.network.initialise_from_data::<f32>(seed, prepared.train(), &Team::single());
        let graph = &headed.network.graph;
        for node in graph.nodes().iter().filter(|node| matches!(node.op, Op::Piecewise(_))) {
            let [edges, weight] = [0, 1].map(|place| graph.slots().get(node.slots[place]).range());
            parameters[edges.clone()].copy_from_slice(&told[edges]);
            let draws = Draws::new(seed, Purpose::Synthetic, 77, 0);
            parameters[weight].iter_mut().enumerate().for_each(|(i, w)| *w = 0.1 * draws.normal(i as u64) as f32);
        }
        parameters
    };
    let mut document = prepared.model(&headed, drawn(1)).unwrap().document().clone();
    document.network.members = 2;
    let weights: Vec<f32> = (1..3).flat_map(drawn).collect();
    // Outputs of some units, not of some hundredths.
    let calibration = Calibration { mix: 0.01, ..Calibration::affine(0.2, 2.5) };
    let model = Model::new(document, weights).unwrap().with_calibration(Some(calibration)).unwrap();
    assert_eq!(model.columns(), ["x", "some", "colour", "city", "express", "gain"]);
    let (encoded, rows, _) = model.encode_table(data, false).unwrap();
    let background = Background::draw(&encoded, &rows, 40, 1).unwrap();
    let scores = model.scores(&mut model.runner(Team::single()), &encoded, &rows).unwrap();
    let of = |options: Options| {
        let explainer = Explainer::new(&model, &background, options).unwrap();
        explainer.explain(&encoded, &rows, None, &Team::new(2)).unwrap()
    };
    let exact = of(Options::default());
    let estimated = of(Options { exact: 0, passes: 64, ..Options::default() });
    let path = of(Options { fast: true, ..Options::default() });
    let mut most = [0.0_f64; 6];
    for (row, ((exact, estimated), path)) in exact.iter().zip(&estimated).zip(&path).enumerate() {
        for explanation in [exact, estimated] {
            assert!(explanation.residual.abs() < 1e-12);
        }
        // SELU, the curve for classes, has a corner at 0, which no rule of nodes sees; Mish has none, and the edges of parts are known.
        let moved: f64 = path.contributions.iter().map(|one| one.abs()).sum();
        let limit = if smooth { 2e-3 } else { 0.02 } * (1.0 + moved);
        assert!(path.residual.abs() < limit, "row {row}, smooth {smooth}: {} of {moved}", path.residual);
        let score = exact.scores().unwrap().1;
        assert!((score - f64::from(scores[row * 2 + 1])).abs() < 1e-6);
        for (column, (&a, &b)) in exact.contributions.iter().zip(&estimated.contributions).enumerate() {
            most[column] = most[column].max(a.abs());
            assert!((a - b).abs() < 0.02 + 0.1 * a.abs(), "row {row}, column {column}: {a} {b}");
        }
    }
    assert!(most.iter().all(|&one| one > 0.02), "each column plays a part: {most:?}");
}
