//! The style `quantile`: numbers by their place among the training rows, against SciPy and scikit-learn; ties, scales, files.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use glassnet_core::Real;
use glassnet_model::measure::Measure;
use glassnet_model::normal;
use glassnet_model::preprocess::{Encoding, Layout};
use glassnet_model::ranks::Ranks;
use glassnet_model::schema::InferOptions;
use glassnet_model::standardise::Standardise;
use glassnet_model::style::Style;
use glassnet_model::table::Table;
use glassnet_model::{Preprocess, Schema, Value};
use made::{all, numbers, table, words};

const NAN: f64 = f64::NAN;

fn fit_as(table: &Table, style: Style) -> (Schema, Preprocess) {
    let options = InferOptions { style, ..InferOptions::default() };
    let schema = Schema::infer(table, &all(table), options).unwrap();
    let fitted = Preprocess::fit(table, &all(table), &schema, Standardise::Yes).unwrap();
    assert_eq!(schema.inputs(), fitted.width());
    (schema, fitted)
}

fn fit(table: &Table) -> (Schema, Preprocess) {
    fit_as(table, Style::Quantile)
}

fn encode<T: Real>(schema: &Schema, fitted: &Preprocess, table: &Table) -> Vec<Vec<T>> {
    let matching = fitted.matching(schema, table).unwrap();
    let compact = fitted.compact::<T>(table, &matching).unwrap();
    let rows: Vec<u32> = (0..table.rows as u32).collect();
    let mut out = vec![T::from_f64(NAN); table.rows * fitted.width()];
    fitted.encode_rows(&compact, &rows, &mut out).unwrap();
    out.chunks(fitted.width()).map(<[T]>::to_vec).collect()
}

fn vectors() -> serde_json::Value {
    serde_json::from_str(include_str!("vectors/quantile.json")).unwrap()
}

fn list(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// From p = 1e-300 to 1 - 1e-12.
#[test]
fn the_normal_quantile_against_scipy() {
    let made = vectors();
    let cases = made["normal"].as_array().unwrap();
    assert_eq!(cases.len(), 306);
    for case in cases {
        let [p, wanted] = list(case)[..] else { panic!("{case}") };
        let found = normal::quantile(p);
        // SciPy's own last bits are no better near 1/2, where the quantile is 0.
        assert!((found - wanted).abs() <= 1e-15 * wanted.abs() + 1e-16, "{p}: {found} is not {wanted}");
    }
}

/// The columns of tests/vectors/make_quantile.py, with rows that training has not seen and rows beyond its range.
#[test]
fn columns_against_scikit_learn() {
    let made = vectors();
    let mut checked = 0;
    for (name, case) in made["columns"].as_object().unwrap() {
        let (schema, fitted) = fit(&table(vec![numbers(name, &list(&case["values"]))]));
        let new = table(vec![numbers(name, &list(&case["new"]))]);
        for (row, wanted) in encode::<f64>(&schema, &fitted, &new).iter().zip(list(&case["wanted"])) {
            // At the ends, 5.2 from 0, a last bit of p is 1e-9 of z; scikit-learn clips at another bit above than below.
            assert!((row[0] - wanted).abs() < 1e-9, "{name}: {} is not {wanted}", row[0]);
            checked += 1;
        }
    }
    assert!(checked > 250, "{checked}");
}

/// A value that ends the range and that many rows share lies where the authors' noise puts it on average, as far as the quantiles can tell:
/// the end of its places is known to a step of them, their middle to half of one.
#[test]
fn ties_at_the_ends_lie_where_noise_would_put_them() {
    let made = vectors();
    let mut checked = 0;
    for (name, case) in made["columns"].as_object().unwrap() {
        let (schema, fitted) = fit(&table(vec![numbers(name, &list(&case["values"]))]));
        for tied in case["tied"].as_array().unwrap() {
            let [end, share] = list(tied)[..] else { panic!("{tied}") };
            let Encoding::Scaled { number: Measure::Ranked(ranks), .. } = &fitted.columns()[0].encoding else {
                panic!("{:?}", fitted.columns())
            };
            let half_a_step = 0.5 / (ranks.quantiles.len() - 1) as f64;
            let found = ranks.share(end);
            assert!((found - share).abs() < half_a_step, "{name} {end}: {found} is not {share} +- {half_a_step}");
            let input = encode::<f64>(&schema, &fitted, &table(vec![numbers(name, &[end])]))[0][0];
            assert_eq!(input, normal::quantile(found));
            checked += 1;
        }
    }
    assert_eq!(checked, 3);
}

/// One column of each kind; numbers in another unit have the same inputs.
fn mixed(factor: f64) -> Table {
    let n = 240;
    let town: Vec<String> = (0..n).map(|i| format!("t{}", (i * i) % 23)).collect();
    let day: Vec<String> = (0..n)
        .map(|i| if i % 9 == 0 { String::new() } else { format!("2020-{:02}-{:02}", i % 12 + 1, i % 28 + 1) })
        .collect();
    let texts = |name: &str, all: &[String]| words(name, &all.iter().map(String::as_str).collect::<Vec<_>>());
    let gain = |i: i32| match i % 20 {
        8 => 7298.0,
        18 => 15_024.0,
        9 | 19 => f64::from(i),
        _ => 0.0,
    };
    let x: Vec<f64> =
        (0..n).map(|i| if i % 11 == 3 { NAN } else { f64::from((i * 37) % 101) / 8.0 * factor }).collect();
    let sizes: Vec<&str> = (0..n).map(|i| ["s", "m", "l", "m"][(i % 4) as usize]).collect();
    let answers: Vec<&str> = (0..n).map(|i| if i % 3 == 0 { "yes" } else { "no" }).collect();
    table(vec![
        texts("town", &town),
        numbers("x", &x),
        words("size", &sizes),
        texts("day", &day),
        words("answer", &answers),
        numbers("gain", &(0..n).map(gain).collect::<Vec<_>>()),
    ])
}

#[test]
fn only_numbers_and_parts_of_dates_differ_from_the_style_tabular() {
    let t = mixed(1.0);
    let (schema, fitted) = fit(&t);
    let (other_schema, other) = fit_as(&t, Style::Tabular);
    assert_eq!(fitted.input_names(), other.input_names());
    assert_eq!(fitted.layout(), other.layout());
    let layout = fitted.layout();
    let names = ["x", "day day", "day weekday", "gain"];
    let found = fitted.input_names();
    assert!(names.iter().all(|name| found[..layout.numbers].contains(&(*name).to_owned())), "{found:?}");
    assert!(matches!(&layout, Layout { categories, .. } if categories.len() == 2), "{layout:?}");
    let (rows, others) = (encode::<f64>(&schema, &fitted, &t), encode::<f64>(&other_schema, &other, &t));
    for (row, other) in rows.iter().zip(&others) {
        assert_eq!(row[layout.numbers..], other[layout.numbers..]);
    }
    for input in 0..layout.numbers {
        // The order of the rows is the same in both.
        let mut order: Vec<usize> = (0..t.rows).collect();
        order.sort_by(|&a, &b| others[a][input].total_cmp(&others[b][input]));
        assert!(order.windows(2).all(|pair| rows[pair[0]][input] <= rows[pair[1]][input] + 1e-12), "{}", found[input]);
        assert!(rows.iter().zip(&others).any(|(row, other)| (row[input] - other[input]).abs() > 0.1));
    }
}

#[test]
fn another_unit_gives_the_same_bytes() {
    let one = mixed(1.0);
    let (schema, fitted) = fit(&one);
    let wanted = encode::<f32>(&schema, &fitted, &one);
    for factor in [2f64.powi(-900), 2f64.powi(-40), 1024.0, 2f64.powi(1000)] {
        let t = mixed(factor);
        let (schema, fitted) = fit(&t);
        assert_eq!(encode::<f32>(&schema, &fitted, &t), wanted, "{factor}");
    }
}

#[test]
fn one_row_has_the_bytes_of_many_also_from_its_file() {
    let t = mixed(1.0);
    let (schema, fitted) = fit(&t);
    let rows = encode::<f32>(&schema, &fitted, &t);
    let kept: Preprocess = serde_json::from_str(&serde_json::to_string(&fitted).unwrap()).unwrap();
    assert_eq!(kept, fitted);
    let text = |name: &str, row: usize| match &t.column(name).unwrap().values {
        glassnet_model::table::Values::Text(text) => text.get(row).map(str::to_owned),
        glassnet_model::table::Values::Number(numbers) => {
            (!numbers[row].is_nan()).then(|| glassnet_model::levels::number_text(numbers[row]))
        }
    };
    for (row, wanted) in rows.iter().enumerate() {
        let owned: Vec<Option<String>> = kept.columns().iter().map(|encoder| text(&encoder.name, row)).collect();
        let values: Vec<Value<'_>> = kept
            .columns()
            .iter()
            .zip(&owned)
            .map(|(encoder, value)| match value {
                None => Value::Missing,
                Some(text) if encoder.encoding.is_number() => Value::Number(text.parse().unwrap()),
                Some(text) => Value::Text(text),
            })
            .collect();
        let mut out = vec![0f32; kept.width()];
        let allocated = allocation_counter::measure(|| kept.encode_row(&values, &mut out).unwrap());
        assert_eq!(allocated.count_total, 0);
        let bits = |row: &[f32]| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&out), bits(wanted), "row {row}");
    }
}

#[test]
fn nothing_is_nan_at_any_scale() {
    let huge = [1e300, -1e300, 1.7e308, -1.7e308, 0.0, 1.0, 2.0, NAN];
    let tiny = [1e-300, 2e-300, 5e-324, 0.0, 1e-310, 3e-300, 4e-300, 5e-300];
    let lone = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1e-310];
    let two = [1.0, 2.0, 1.0, 2.0, NAN, NAN, 1.0, 2.0];
    let t = table(vec![numbers("huge", &huge), numbers("tiny", &tiny), numbers("lone", &lone), numbers("two", &two)]);
    let (schema, fitted) = fit(&t);
    let new = [f64::MAX, f64::MIN, 5e-324, 0.0, NAN, -0.0, 1e-200, 1e200];
    let new = table(["huge", "tiny", "lone", "two"].map(|name| numbers(name, &new)).into());
    for t in [&t, &new] {
        for x in encode::<f32>(&schema, &fitted, t).iter().flatten() {
            assert!(x.abs() <= 5.2, "{x}");
        }
    }
}

/// Missing numbers count as the mean of the training rows; where training had some, an input says so.
#[test]
fn missing_numbers_are_the_mean() {
    let x: Vec<f64> = (0..100).map(|i| if i == 99 { NAN } else { f64::from(i * i) }).collect();
    let t = table(vec![numbers("x", &x)]);
    let (schema, fitted) = fit(&t);
    let Encoding::Scaled { number: Measure::Ranked(ranks), missing: Some(_), .. } = &fitted.columns()[0].encoding
    else {
        panic!("{:?}", fitted.columns())
    };
    let mean = (0..99).map(|i| f64::from(i * i)).sum::<f64>() / 99.0;
    assert_eq!(ranks.fill, mean);
    let rows = encode::<f64>(&schema, &fitted, &table(vec![numbers("x", &[NAN, mean])]));
    assert_eq!(rows[0][0], rows[1][0]);
    assert_ne!(rows[0][1], rows[1][1]);
}

/// What a forged file may say of places is refused.
#[test]
fn forged_places() {
    use glassnet_model::Model;
    use glassnet_model::file::{Document, Features, Head, Network};
    let (schema, fitted) = fit(&mixed(1.0));
    let spec = format!("{} -> 1", fitted.width()).parse().unwrap();
    let network = Network { spec, inputs: fitted.width(), outputs: 1, head: Head::Value, members: 1 };
    let at = |name: &str| fitted.columns().iter().position(|encoder| encoder.name == name).unwrap();
    let (x, day) = (at("x"), at("day"));
    let document = Document::new(schema, Features::Table(fitted.clone()), network);
    document.check().unwrap();
    let model = Model::new(document.clone(), vec![0.5; fitted.width() + 1]).unwrap();
    let again = Model::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!(again.document().preprocess, document.preprocess);

    let kept = serde_json::to_value(&document).unwrap();
    let place = format!("/preprocess/table/columns/{x}/encoding/number");
    let part = format!("/preprocess/table/columns/{day}/encoding/parts/0/scale");
    let too_many: Vec<f64> = (0..1001).map(f64::from).collect();
    for quantiles in [vec![], vec![1.0], vec![1.0, 1.0], vec![2.0, 1.0], too_many] {
        for place in [&place, &part] {
            let mut forged = kept.clone();
            *forged.pointer_mut(place).unwrap() = serde_json::json!({ "quantiles": quantiles, "fill": 0.0 });
            let document: Document = serde_json::from_value(forged).unwrap();
            assert!(document.check().is_err(), "{place} {quantiles:?}");
        }
    }
    for number in
        [serde_json::json!({ "quantiles": [0.0, 1.0] }), serde_json::json!({ "quantiles": [0.0, null], "fill": 0.0 })]
    {
        let mut forged = kept.clone();
        *forged.pointer_mut(&place).unwrap() = number;
        assert!(serde_json::from_value::<Document>(forged).is_err());
    }
    // What it keeps of a number is bounded, however many rows there were.
    let many: Vec<f64> = (0..50_000).map(|i| f64::from((i * 7919) % 50_021)).collect();
    let ranks = Ranks::of(&mut many.clone(), 1).unwrap();
    assert_eq!(ranks.quantiles.len(), 1000);
}
