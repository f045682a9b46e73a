//! Fitted preprocessing: numbers by hand, the two ways to the same bytes, new tables.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use glassnet_core::Real;
use glassnet_model::images::{ImagePreprocess, PixelScale};
use glassnet_model::schema::{InferOptions, Override};
use glassnet_model::standardise::Standardise;
use glassnet_model::table::{Images, Table, Values};
use glassnet_model::value::{Fault, RowError};
use glassnet_model::{Preprocess, Schema, Value};
use made::{all, numbers, table, words};
use proptest::prelude::*;

const NAN: f64 = f64::NAN;

fn fit(table: &Table, overrides: &[(&str, Override)]) -> (Schema, Preprocess) {
    let overrides = overrides.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
    let options = InferOptions { overrides, ..InferOptions::default() };
    let schema = Schema::infer(table, &all(table), options).unwrap();
    let fitted = Preprocess::fit(table, &all(table), &schema, Standardise::Yes).unwrap();
    (schema, fitted)
}

fn encode<T: Real>(schema: &Schema, fitted: &Preprocess, table: &Table) -> Result<Vec<Vec<T>>, String> {
    let matching = fitted.matching(schema, table).map_err(|error| error.to_string())?;
    let compact = fitted.compact::<T>(table, &matching).map_err(|error| error.to_string())?;
    let rows: Vec<u32> = (0..table.rows as u32).collect();
    let mut out = vec![T::ZERO; table.rows * fitted.width()];
    fitted.encode_rows(&compact, &rows, &mut out).map_err(|error| error.to_string())?;
    Ok(out.chunks(fitted.width()).map(<[T]>::to_vec).collect())
}

/// `feature_scale` of the worked examples, from rows that have that mean and deviation.
#[test]
fn worked_example() {
    let t = table(vec![numbers("backlog", &[3.0, 7.0]), numbers("order_value", &[300.0, 700.0])]);
    let (schema, fitted) = fit(&t, &[]);
    let new = table(vec![numbers("backlog", &[8.0]), numbers("order_value", &[900.0])]);
    assert_eq!(encode::<f64>(&schema, &fitted, &new).unwrap(), [[1.5, 2.0]]);
    assert_eq!(encode::<f32>(&schema, &fitted, &new).unwrap(), [[1.5, 2.0]]);
    let weighted: Vec<f64> = [1.5, 2.0].iter().map(|z| 0.3 * z).collect();
    assert_eq!(weighted, [0.449_999_999_999_999_96, 0.6]);
    // Raw: as it is.
    let raw = Preprocess::fit(&t, &all(&t), &schema, Standardise::No).unwrap();
    assert_eq!(encode::<f64>(&schema, &raw, &new).unwrap(), [[8.0, 900.0]]);
}

#[test]
fn every_kind_by_hand() {
    let t = table(vec![
        numbers("temp", &[1.0, NAN, 5.0, NAN]),
        words("carrier", &["UA", "AA", "", "UA"]),
        words("vip", &["yes", "no", "Yes", "NO"]),
        numbers("gust", &[9.0, NAN, 9.0, 9.0]),
    ]);
    let (schema, fitted) = fit(&t, &[]);
    let names = ["temp", "temp missing", "carrier=AA", "carrier=UA", "carrier unknown", "vip", "gust missing"];
    assert_eq!(fitted.input_names(), names);
    assert_eq!(fitted.width(), schema.inputs());
    assert_eq!(fitted.input_columns(), [0, 0, 1, 1, 1, 2, 3]);
    let rows = [
        [-1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0],
        [0.0, 1.0, 1.0, 0.0, 0.0, -1.0, 1.0],
        [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0],
        [0.0, 1.0, 0.0, 1.0, 0.0, -1.0, 0.0],
    ];
    assert_eq!(encode::<f64>(&schema, &fitted, &t).unwrap(), rows);
    // Without standardising a missing number is the mean, 3, and words are 0 and 1.
    let raw = Preprocess::fit(&t, &all(&t), &schema, Standardise::No).unwrap();
    let row = &encode::<f32>(&schema, &raw, &t).unwrap()[1];
    assert_eq!(row, &[3.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn a_value_missing_only_later_is_the_mean() {
    let t = table(vec![numbers("x", &[3.0, 7.0])]);
    let (schema, fitted) = fit(&t, &[]);
    assert_eq!(fitted.input_names(), ["x"]);
    assert_eq!(encode::<f64>(&schema, &fitted, &table(vec![numbers("x", &[NAN])])).unwrap(), [[0.0]]);
}

#[test]
fn statistics_are_of_training_rows_only() {
    let t = table(vec![numbers("x", &[3.0, 7.0, 1e6, NAN]), words("c", &["a", "b", "new", ""])]);
    let schema = Schema::infer(&t, &[0, 1], InferOptions::default()).unwrap();
    let fitted = Preprocess::fit(&t, &[0, 1], &schema, Standardise::Yes).unwrap();
    let rows = encode::<f64>(&schema, &fitted, &t).unwrap();
    assert_eq!(rows[0], [-1.0, 1.0, 0.0, 0.0]);
    assert_eq!(rows[2], [499_997.5, 0.0, 0.0, 1.0]);
    assert_eq!(rows[3], [0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn what_is_constant_in_the_rows_of_the_fit_is_left_out() {
    let t = table(vec![numbers("x", &[3.0, 3.0, 4.0]), numbers("y", &[1.0, 2.0, 3.0]), numbers("z", &[NAN, NAN, 1.0])]);
    let schema = Schema::infer(&t, &all(&t), InferOptions::default()).unwrap();
    let fitted = Preprocess::fit(&t, &[0, 1], &schema, Standardise::Yes).unwrap();
    assert_eq!(fitted.input_names(), ["y"]);
    let left = [("x", "always 3"), ("z", "no value in any training row")];
    assert_eq!(fitted.left_out(), left.map(|(name, why)| (name.to_owned(), why.to_owned())));
}

#[test]
fn new_tables() {
    let t = table(vec![
        numbers("temp", &[1.0, 3.0, 1.0]),
        words("carrier", &["UA", "AA", "UA"]),
        numbers("k", &[1.0, 1.0, 1.0]),
    ]);
    let (schema, fitted) = fit(&t, &[]);
    // Another order, an extra column, a column left out in training that is not there, new and missing levels.
    let new = table(vec![
        words("carrier", &["ZZ", "UA", "YY", ""]),
        numbers("id", &[1.0, 2.0, 3.0, 4.0]),
        words("temp", &["1", "3.0", "", "1e0"]),
    ]);
    let matching = fitted.matching(&schema, &new).unwrap();
    assert_eq!((matching.places.as_slice(), matching.extra.as_slice()), (&[2, 0][..], &["id".to_owned()][..]));
    let compact = fitted.compact::<f32>(&new, &matching).unwrap();
    let unseen: Vec<(&str, usize, &str)> =
        compact.unseen().iter().map(|u| (u.column.as_str(), u.rows, u.example.as_str())).collect();
    assert_eq!(unseen, [("carrier", 2, "ZZ")]);
    let mut out = vec![0.0; 2 * fitted.width()];
    fitted.encode_rows(&compact, &[3, 1], &mut out).unwrap();
    assert_eq!(out[1..4], [0.0, 0.0, 1.0]);
    assert_eq!(out[5..], [0.0, 1.0, 0.0]);

    // One error for all that is missing.
    let error = fitted.matching(&schema, &table(vec![numbers("tmp", &[1.0])])).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "t.csv lacks 2 columns that the model needs: \"temp\" (there is \"tmp\"), \"carrier\"\n  hint: add them"
        ),
        "{error}"
    );
    let twice = table(vec![numbers("temp", &[1.0]), numbers("temp", &[1.0]), words("carrier", &["UA"])]);
    assert!(fitted.matching(&schema, &twice).unwrap_err().to_string().contains("two columns named \"temp\""));
}

#[test]
fn values_that_do_not_fit_name_their_place() {
    let t = table(vec![numbers("x", &[3.0, 7.0]), words("b", &["yes", "no"])]);
    let (schema, fitted) = fit(&t, &[]);
    for (x, b, start) in [
        (
            words("x", &["", "warm"]),
            words("b", &["", "t"]),
            "t.csv, row 2 (line 3), column \"x\": \"warm\" is not a number\n  hint: ",
        ),
        (
            words("x", &["nan", "1"]),
            words("b", &["", "t"]),
            "t.csv, row 1 (line 2), column \"x\": \"nan\" is not a number\n  hint: ",
        ),
        (
            numbers("x", &[1.0, f64::INFINITY]),
            words("b", &["", ""]),
            "t.csv, row 2 (line 3), column \"x\": \"inf\" is not a number\n  hint: it is infinite",
        ),
        (
            numbers("x", &[1.0, 1e39]),
            words("b", &["", ""]),
            "t.csv, row 2 (line 3), column \"x\": \"1000000000000000000000000000000000000000\"",
        ),
        (
            numbers("x", &[1.0, 1.0]),
            words("b", &["n", "maybe"]),
            "t.csv, row 2 (line 3), column \"b\": \"maybe\" is not no or yes\n  hint: ",
        ),
        (
            numbers("x", &[1.0, 1.0]),
            numbers("b", &[0.0, 2.0]),
            "t.csv, row 2 (line 3), column \"b\": \"2\" is not no or yes\n  hint: ",
        ),
    ] {
        let error = encode::<f32>(&schema, &fitted, &table(vec![x, b])).unwrap_err();
        assert!(error.starts_with(start), "{error}");
    }
    // The same while fitting.
    let bad = table(vec![numbers("x", &[3.0, f64::INFINITY]), words("b", &["yes", "no"])]);
    let error = Preprocess::fit(&bad, &all(&bad), &schema, Standardise::Yes).unwrap_err().to_string();
    assert!(
        error.starts_with("t.csv, row 2 (line 3), column \"x\": \"inf\" is not a finite number\n  hint: "),
        "{error}"
    );
    let huge = table(vec![numbers("x", &[1e300, -1e300]), words("b", &["yes", "no"])]);
    let error = Preprocess::fit(&huge, &all(&huge), &schema, Standardise::Yes).unwrap_err().to_string();
    assert!(error.contains("too large to square"), "{error}");
}

#[test]
fn booleans_take_other_words_of_the_same_sense() {
    let (schema, fitted) = fit(&table(vec![words("b", &["yes", "no"])]), &[]);
    let new = table(vec![words("b", &["TRUE", "f", "1", "0", "on"])]);
    assert_eq!(encode::<f64>(&schema, &fitted, &new).unwrap(), [[1.0], [-1.0], [1.0], [-1.0], [1.0]]);
    let (schema, fitted) = fit(&table(vec![words("sex", &["m", "f"])]), &[("sex", Override::Boolean)]);
    assert_eq!(encode::<f64>(&schema, &fitted, &table(vec![words("sex", &["M", "f"])])).unwrap(), [[1.0], [-1.0]]);
    assert!(encode::<f64>(&schema, &fitted, &table(vec![words("sex", &["yes"])])).is_err());
}

#[test]
fn numbers_match_the_levels_of_a_category() {
    let (schema, fitted) = fit(&table(vec![numbers("zone", &[2.0, 10.0])]), &[("zone", Override::Category)]);
    assert_eq!(fitted.input_names(), ["zone=2", "zone=10", "zone unknown"]);
    let hot = |place: usize| (0..3).map(|i| f64::from(u8::from(i == place))).collect::<Vec<_>>();
    let new = table(vec![words("zone", &["2.0", "10", "x", ""])]);
    assert_eq!(encode::<f64>(&schema, &fitted, &new).unwrap(), [hot(0), hot(1), hot(2), hot(2)]);
    let new = table(vec![numbers("zone", &[10.0, 2.5, NAN])]);
    assert_eq!(encode::<f64>(&schema, &fitted, &new).unwrap(), [hot(1), hot(2), hot(2)]);
}

#[test]
fn rows_of_the_runtime_are_refused_without_words() {
    let (_, fitted) = fit(&table(vec![numbers("x", &[3.0, 7.0]), words("b", &["yes", "no"])]), &[]);
    let (mut out, ok) = ([0f32; 2], [Value::Number(8.0), Value::Text("Yes")]);
    assert_eq!(fitted.encode_row(&ok, &mut out), Ok(()));
    assert_eq!(out, [1.5, 1.0]);
    assert_eq!(fitted.encode_row(&ok[..1], &mut out), Err(RowError::Length { expected: 2, found: 1 }));
    assert_eq!(fitted.encode_row(&ok, &mut out[..1]), Err(RowError::Output { expected: 2, found: 1 }));
    for (row, column, fault) in [
        ([Value::Text("8"), Value::Missing], 0, Fault::NotANumber),
        ([Value::Number(f64::NEG_INFINITY), Value::Missing], 0, Fault::NotFinite),
        ([Value::Missing, Value::Text("perhaps")], 1, Fault::NotABoolean),
        ([Value::Missing, Value::Number(0.5)], 1, Fault::NotABoolean),
    ] {
        assert_eq!(fitted.encode_row(&row, &mut out), Err(RowError::Value { column, fault }));
    }
    let error = fitted.named(RowError::Value { column: 1, fault: Fault::NotABoolean }).to_string();
    assert!(error.starts_with("column \"b\": value 2 of the row is neither"), "{error}");
}

#[test]
fn batches_that_do_not_fit_are_refused() {
    let t = table(vec![numbers("x", &[3.0, 7.0])]);
    let (schema, fitted) = fit(&t, &[]);
    let compact = fitted.compact::<f32>(&t, &fitted.matching(&schema, &t).unwrap()).unwrap();
    assert!(fitted.encode_rows(&compact, &[0, 1], &mut [0.0; 3]).is_err());
    assert!(fitted.encode_rows(&compact, &[2], &mut [0.0; 1]).is_err());
    assert!(fitted.encode_rows(&compact, &[], &mut []).is_ok());
}

#[test]
fn images_by_hand() {
    let images = Images {
        source: "digits".to_owned(),
        pixels: vec![2, 4, 4, 4, 5, 5, 7, 9, 255, 255, 255, 255],
        labels: Vec::new(),
        classes: Vec::new(),
        rows: 3,
        height: 2,
        width: 2,
        channels: 1,
    };
    let fitted = ImagePreprocess::fit(&images, &[0, 1], Standardise::Yes).unwrap();
    assert_eq!(fitted.scales, [PixelScale { mean: 5.0, deviation: 2.0 }]);
    assert_eq!(fitted.inputs(), 4);
    let mut out = [0f32; 8];
    fitted.encode_rows(&images, &[2, 0], &mut out).unwrap();
    assert_eq!(out, [125.0, 125.0, 125.0, 125.0, -1.5, -0.5, -0.5, -0.5]);
    let raw = ImagePreprocess::fit(&images, &[0], Standardise::No).unwrap();
    assert_eq!(raw.values::<f64>(0).unwrap()[255], 255.0);
    assert_eq!(raw.values::<f64>(1), None);
    assert!(fitted.encode_rows(&images, &[3], &mut [0f32; 4]).is_err());
    assert!(fitted.encode_rows(&images, &[0], &mut [0f32; 5]).is_err());
    let other = Images { height: 1, width: 4, ..images.clone() };
    let error = fitted.encode_rows(&other, &[0], &mut [0f32; 4]).unwrap_err().to_string();
    assert!(error.contains("\"1 x 4 pixels of 1 channels\" is not 2 x 2 pixels of 1 channels"), "{error}");
    let error = ImagePreprocess::fit(&images, &[2], Standardise::Yes).unwrap_err().to_string();
    assert!(error.contains("every pixel of the 1 training images is 255"), "{error}");
    assert!(ImagePreprocess::fit(&images, &[], Standardise::Yes).is_err());
    assert!(ImagePreprocess::fit(&images, &[3], Standardise::Yes).is_err());
}

/// The row of a table as the runtime would be given it.
fn row_of<'a>(fitted: &Preprocess, table: &'a Table, row: usize) -> Vec<Value<'a>> {
    let value = |name: &str| match &table.column(name).unwrap().values {
        Values::Number(numbers) => Value::Number(numbers[row]),
        Values::Text(text) => text.get(row).map_or(Value::Missing, Value::Text),
    };
    fitted.columns().iter().map(|column| value(&column.name)).collect()
}

fn same_bytes<T: Real>(schema: &Schema, fitted: &Preprocess, table: &Table) {
    let rows = encode::<T>(schema, fitted, table).unwrap();
    let mut out = vec![T::ONE; fitted.width()];
    let bits = |values: &[T]| values.iter().map(|value| value.to_f64().to_bits()).collect::<Vec<_>>();
    for (row, batch) in rows.iter().enumerate() {
        fitted.encode_row(&row_of(fitted, table, row), &mut out).unwrap();
        assert_eq!(bits(batch), bits(&out));
    }
}

proptest! {
    #[test]
    fn a_row_alone_has_the_bytes_of_the_batch(
        rows in prop::collection::vec(
            (prop::option::of(-1e6f64..1e6), prop::option::of(0usize..5), prop::option::of(any::<bool>()), -3i32..3),
            2..30,
        ),
    ) {
        let x: Vec<f64> = rows.iter().map(|row| row.0.unwrap_or(NAN)).collect();
        let c: Vec<&str> = rows.iter().map(|row| row.1.map_or("", |i| ["a", "b", "c", "1", "2.0"][i])).collect();
        let b: Vec<&str> = rows.iter().map(|row| row.2.map_or("", |b| if b { "t" } else { "f" })).collect();
        let z: Vec<f64> = rows.iter().map(|row| f64::from(row.3)).collect();
        let steady: Vec<f64> = (0..rows.len()).map(|i| i as f64).collect();
        let t = table(vec![numbers("x", &x), words("c", &c), words("b", &b), numbers("z", &z), numbers("s", &steady)]);
        let (schema, fitted) = fit(&t, &[("z", Override::Category)]);
        prop_assert_eq!(schema.inputs(), fitted.width());
        prop_assert_eq!(fitted.input_names().len(), fitted.width());
        same_bytes::<f32>(&schema, &fitted, &t);
        same_bytes::<f64>(&schema, &fitted, &t);
        // Kept and read again, it does the same.
        let kept: Preprocess = serde_json::from_str(&serde_json::to_string(&fitted).unwrap()).unwrap();
        prop_assert_eq!(&kept, &fitted);
    }
}
