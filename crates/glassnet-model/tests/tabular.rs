//! The style `tabular`: inputs, their order, one row and many rows, what a file may say.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use glassnet_core::Real;
use glassnet_model::preprocess::{Encoding, Layout};
use glassnet_model::schema::{InferOptions, Kind, Override};
use glassnet_model::standardise::Standardise;
use glassnet_model::style::Style;
use glassnet_model::table::{Table, Values};
use glassnet_model::value::{Fault, RowError};
use glassnet_model::{Preprocess, Schema, Value};
use made::{all, numbers, table, words};

const NAN: f64 = f64::NAN;

fn fit(table: &Table, overrides: &[(&str, Override)]) -> (Schema, Preprocess) {
    let overrides = overrides.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
    let options = InferOptions { overrides, style: Style::Tabular, ..InferOptions::default() };
    let schema = Schema::infer(table, &all(table), options).unwrap();
    let fitted = Preprocess::fit(table, &all(table), &schema, Standardise::Yes).unwrap();
    assert_eq!(schema.inputs(), fitted.width());
    (schema, fitted)
}

fn encode<T: Real>(schema: &Schema, fitted: &Preprocess, table: &Table) -> Vec<Vec<T>> {
    let matching = fitted.matching(schema, table).unwrap();
    let compact = fitted.compact::<T>(table, &matching).unwrap();
    let rows: Vec<u32> = (0..table.rows as u32).collect();
    let mut out = vec![T::from_f64(f64::NAN); table.rows * fitted.width()];
    fitted.encode_rows(&compact, &rows, &mut out).unwrap();
    out.chunks(fitted.width()).map(<[T]>::to_vec).collect()
}

fn value(table: &Table, name: &str, row: usize) -> (Option<f64>, Option<String>) {
    match &table.column(name).unwrap().values {
        Values::Number(numbers) => (Some(numbers[row]), None),
        Values::Text(text) => (None, text.get(row).map(str::to_owned)),
    }
}

fn close(found: &[f64], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found - wanted).abs() < 1e-12, "{found} is not {wanted}");
    }
}

/// z / sqrt(1 + (z / 3)^2), written once more.
fn clip(z: f64) -> f64 {
    z / (1.0 + z * z / 9.0).sqrt()
}

fn mixed() -> Table {
    let carriers = ["UA", "AA", "B6", "UA", "", "AA", "UA", "B6"];
    table(vec![
        words("carrier", &carriers),
        numbers("temp", &[0.5, 1.0, 2.0, 3.0, 4.0, NAN, 7.5, 9.0]),
        words("sex", &["f", "m", "m", "", "m", "f", "m", "m"]),
        words("late", &["no", "yes", "no", "no", "", "no", "no", "no"]),
        numbers("wind", &[1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5]),
        numbers("always", &[3.0; 8]),
        numbers("sometimes", &[3.0, 3.0, NAN, 3.0, 3.0, 3.0, 3.0, 3.0]),
    ])
}

#[test]
fn inputs_in_their_order() {
    let t = mixed();
    let (schema, fitted) = fit(&t, &[]);
    let names =
        ["temp", "wind", "carrier=AA", "carrier=B6", "carrier=UA", "temp missing", "sex", "late", "sometimes missing"];
    assert_eq!(fitted.input_names(), names);
    assert_eq!(fitted.layout(), Layout { numbers: 2, others: 7, categories: vec![] });
    assert_eq!(fitted.input_columns(), [1, 4, 0, 0, 0, 1, 2, 3, 5]);
    assert_eq!(fitted.inputs_of(1), [0..1, 5..6]);
    assert_eq!(fitted.inputs_of(0), vec![2..5]);
    assert_eq!(fitted.inputs_of(9), []);
    let rows = encode::<f64>(&schema, &fitted, &t);
    // temp: sorted 0.5 1 2 3 4 7.5 9, quartiles 1.5, 3, 5.75, mean 27 / 7. wind: quartiles 3.25, 5, 6.75.
    let temp = |x: f64| clip((x - 3.0) / 4.25);
    let wind = |x: f64| clip((x - 5.0) / 3.5);
    // AA and B6: two of eight, quartiles 0, 0, 0.25 -> s = 4. UA: three of eight, quartiles 0, 0, 1.
    let (quarter, third) = (clip(4.0), clip(1.0));
    // Indicators: median +1, no quartile differs, s = 2 / 2. sex: f f m m m m m missing -> -1 five times, 0, 1 1: median -1,
    // q75 0.25 -> s = 0.8. late: no (first) +1 six times, yes -1, missing 0: quartiles 0.75, 1, 1, s = 4.
    let sex = |x: f64| clip(0.8 * (x + 1.0));
    close(&rows[0], &[temp(0.5), wind(1.5), 0.0, 0.0, third, 0.0, sex(1.0), 0.0, 0.0]);
    close(&rows[1], &[temp(1.0), wind(2.5), quarter, 0.0, 0.0, 0.0, 0.0, clip(-8.0), 0.0]);
    close(&rows[2], &[temp(2.0), wind(3.5), 0.0, quarter, 0.0, 0.0, 0.0, 0.0, clip(-2.0)]);
    close(&rows[4], &[temp(4.0), wind(5.5), 0.0, 0.0, 0.0, 0.0, 0.0, clip(-4.0), 0.0]);
    close(&rows[5], &[temp(27.0 / 7.0), wind(6.5), quarter, 0.0, 0.0, clip(-2.0), sex(1.0), 0.0, 0.0]);
    // Missing and unseen are the same.
    let new = table(vec![
        words("carrier", &["ZZ", ""]),
        numbers("temp", &[3.0, 3.0]),
        words("sex", &["x", ""]),
        words("late", &["", "no"]),
        numbers("wind", &[5.0, NAN]),
        numbers("sometimes", &[8.0, NAN]),
    ]);
    let rows = encode::<f64>(&schema, &fitted, &new);
    close(&rows[0], &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, sex(0.0), clip(-4.0), 0.0]);
    // Training had no row without wind: it counts as the mean, and nothing says so.
    close(&rows[1], &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, sex(0.0), 0.0, clip(-2.0)]);
}

/// 20 names twice or more in 1,000 rows, one name once: a code, the rare one shares 0.
#[test]
fn codes() {
    let names: Vec<String> =
        (0..1000).map(|i| if i == 7 { "rare".to_owned() } else { format!("n{:02}", i % 20) }).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let t = table(vec![
        words("town", &names),
        numbers("x", &(0..1000).map(|i| f64::from(i % 7) / 2.0).collect::<Vec<_>>()),
    ]);
    let (schema, fitted) = fit(&t, &[]);
    assert_eq!(fitted.input_names(), ["x", "town"]);
    assert_eq!(fitted.layout(), Layout { numbers: 1, others: 0, categories: vec![21] });
    let note = &schema.column("town").unwrap().note;
    assert_eq!(note, "20 of 21 levels (2 rows or more); the other 1 count as unknown, 1 rows");
    let rows = encode::<f32>(&schema, &fitted, &t);
    assert_eq!((rows[0][1], rows[19][1], rows[7][1], rows[27][1]), (1.0, 20.0, 0.0, 8.0));
    let mut out = [0f32; 2];
    fitted.encode_row(&[Value::Missing, Value::Number(0.0)], &mut out).unwrap();
    assert_eq!(out[1], 0.0);
}

#[test]
fn ten_thousand_levels() {
    let names: Vec<String> = (0..60_000).map(|i| format!("level {}", i % 12_000)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let x: Vec<f64> = (0..60_000).map(|i| f64::from(i % 5)).collect();
    let t = table(vec![words("many", &names), numbers("x", &x)]);
    // 5 rows each; 10 would be needed.
    let (schema, _) = fit(&t, &[]);
    let why = schema.column("many").unwrap().left_out.as_deref().unwrap();
    assert_eq!(why, "12000 different texts, none of them in 10 or more rows");
    let (schema, fitted) = fit(&t, &[("many", Override::Category)]);
    assert_eq!(fitted.layout().categories, [10_001]);
    let rows = encode::<f32>(&schema, &fitted, &t);
    let most = rows.iter().map(|row| row[1]).fold(0.0, f32::max);
    assert_eq!(most, 10_000.0);
}

#[test]
fn dates_in_five_formats() {
    let iso: Vec<String> = (1..=28).map(|d| format!("2012-{:02}-{d:02}T{:02}:30:00Z", d % 12 + 1, d % 5)).collect();
    let dots: Vec<String> = (1..=28).map(|d| format!("{d:02}.{:02}.20{}", d % 12 + 1, 12 + d % 3)).collect();
    let slashes: Vec<String> = (1..=28).map(|d| format!("{}/{d}/2012", d % 12 + 1)).collect();
    let clock: Vec<String> = (1..=28).map(|d| format!("{}:{:02}", d % 24, d)).collect();
    let open: Vec<String> = (1..=28).map(|d| format!("{}/{}/2012", d % 12 + 1, d % 11 + 1)).collect();
    let nearly: Vec<String> =
        (1..=28).map(|d| if d == 3 { "soon".into() } else { format!("2012-01-{d:02}") }).collect();
    let of = |texts: &[String]| texts.iter().map(|text| text.as_str().to_owned()).collect::<Vec<_>>();
    let column = |name: &str, texts: &[String]| words(name, &of(texts).iter().map(String::as_str).collect::<Vec<_>>());
    let days: Vec<f64> = (1..=28).map(|d| 20_120_200.0 + f64::from(d)).collect();
    let t = table(vec![
        column("iso", &iso),
        column("dots", &dots),
        column("slashes", &slashes),
        numbers("eight", &days),
        column("clock", &clock),
        column("open", &open),
        column("nearly", &nearly),
    ]);
    let (schema, fitted) = fit(&t, &[]);
    let kinds: Vec<&str> = schema.columns.iter().map(|column| column.kind.word()).collect();
    assert_eq!(kinds, ["date", "date", "date", "date", "date", "date", "category"]);
    let note = |name: &str| schema.column(name).unwrap().note.as_str();
    assert_eq!((note("iso"), note("dots")), ("year-month-day", "day.month.year"));
    assert_eq!((note("slashes"), note("eight")), ("month/day/year", "yyyymmdd"));
    assert_eq!(
        note("open"),
        "taken as month first: no value tells which of the two it is; type day-first overrides this"
    );
    let why = schema.column("nearly").unwrap().left_out.as_deref().unwrap();
    assert!(why.ends_with("27 of 28 values are dates (year-month-day), but \"soon\" is none"), "{why}");
    // A year that does not change leaves the day of the year out, a time that is always midnight the hour.
    let parts = [
        "iso day",
        "iso weekday",
        "iso hour",
        "dots day",
        "dots day of year",
        "dots weekday",
        "slashes day",
        "slashes weekday",
        "eight day",
        "eight weekday",
        "clock hour",
        "open day",
        "open weekday",
    ];
    assert_eq!(fitted.input_names(), parts);
    assert_eq!(fitted.inputs_of(1), vec![3..6]);
    let rows = encode::<f64>(&schema, &fitted, &t);
    // Days 1 to 28 of February: median 14.5 -> day 15 is half of 1 / 13.5.
    assert!((rows[14][8] - clip(0.5 / 13.5)).abs() < 1e-9, "{}", rows[14][8]);

    let Kind::Date { format, .. } = fit(&t, &[("open", Override::DayFirst)]).0.column("open").unwrap().kind.clone()
    else {
        panic!("no date")
    };
    assert_eq!(format, glassnet_model::dates::DateFormat::DayFirst);
    let options = InferOptions {
        overrides: [("slashes".to_owned(), Override::DayFirst)].into(),
        style: Style::Tabular,
        ..InferOptions::default()
    };
    let error = Schema::infer(&t, &all(&t), options).unwrap_err().to_string();
    assert!(error.contains("values are dates (day.month.year), but"), "{error}");

    // One that is none is an error of its row; a missing one is the mean of the training rows.
    let mut row = vec![Value::Missing; 6];
    let mut out = vec![0f32; fitted.width()];
    fitted.encode_row(&row, &mut out).unwrap();
    row[0] = Value::Text("soon");
    let error = RowError::Value { column: 0, fault: Fault::NotADate };
    assert_eq!(fitted.encode_row(&row, &mut out), Err(error));
    let bad = table(t.columns.iter().map(|known| words(&known.name, &["x"])).collect());
    let matching = fitted.matching(&schema, &bad).unwrap();
    let error = fitted.compact::<f32>(&bad, &matching).unwrap_err().to_string();
    assert!(
        error.starts_with("t.csv, row 1 (line 2), column \"iso\": \"x\" is not a date such as 2013-12-31"),
        "{error}"
    );
}

#[test]
fn keys_free_text_and_names_are_left_out() {
    let n = 200;
    let key: Vec<f64> = (0..n).map(|i| f64::from(i * 7 + 100_000)).collect();
    let row: Vec<f64> = (0..n).map(|i| f64::from((i * 77) % n)).collect();
    let income: Vec<f64> = (0..n).map(|i| f64::from(i * i + 20_000)).collect();
    let texts: Vec<String> = (0..n).map(|i| format!("the customer said number {i} of many words")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let people: Vec<String> = (0..n).map(|i| format!("person {i}")).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let t = table(vec![
        numbers("order_id", &key),
        numbers("position", &row),
        numbers("income", &income),
        words("remark", &texts),
        words("name", &people),
    ]);
    let (schema, fitted) = fit(&t, &[]);
    let why = |name: &str| schema.column(name).unwrap().left_out.as_deref().unwrap_or("used").to_owned();
    assert_eq!(why("order_id"), "a key by its name: 200 different whole numbers in 200 rows");
    assert_eq!(why("position"), "row numbers or a key: 200 rows, no two the same, whole numbers from 0 to 199");
    assert_eq!(why("income"), "used");
    assert_eq!(why("remark"), "free text: 8 words a value, 200 different in 200 rows");
    assert_eq!(why("name"), "200 different texts in 200 rows: names or identifiers");
    assert_eq!(fitted.input_names(), ["income"]);
    let (_, fitted) = fit(&t, &[("order_id", Override::Number), ("remark", Override::Category)]);
    assert_eq!(fitted.input_names(), ["order_id", "income", "remark"]);

    // A toy's only column may count its rows.
    let (schema, fitted) = fit(&table(vec![numbers("x", &(0..n).map(f64::from).collect::<Vec<_>>())]), &[]);
    assert_eq!(fitted.input_names(), ["x"]);
    assert!(schema.columns[0].note.starts_with("kept, for nothing else is left; it looks like row numbers"));
}

/// Dates with and without a time, some of them missing, and a category with codes.
fn dated() -> Table {
    let days: Vec<String> = (0..200)
        .map(|i| if i % 9 == 0 { String::new() } else { format!("2020-{:02}-11T{:02}:30", i % 12 + 1, i % 24) })
        .collect();
    let towns: Vec<String> = (0..200).map(|i| format!("t{}", (i * i) % 23)).collect();
    let clock: Vec<String> = (0..200).map(|i| format!("{}:05 PM", i % 12 + 1)).collect();
    let column = |name: &str, texts: &[String]| words(name, &texts.iter().map(String::as_str).collect::<Vec<_>>());
    table(vec![column("town", &towns), column("day", &days), column("clock", &clock)])
}

fn one_by_one(t: &Table, schema: &Schema, fitted: &Preprocess) {
    let rows = encode::<f32>(schema, fitted, t);
    for (row, wanted) in rows.iter().enumerate() {
        let owned: Vec<_> = fitted.columns().iter().map(|encoder| value(t, &encoder.name, row)).collect();
        let values: Vec<Value<'_>> = owned
            .iter()
            .map(|(number, text)| match (number, text) {
                (Some(number), _) => Value::Number(*number),
                (None, Some(text)) => Value::Text(text),
                (None, None) => Value::Missing,
            })
            .collect();
        let mut out = vec![0f32; fitted.width()];
        fitted.encode_row(&values, &mut out).unwrap();
        let bits = |row: &[f32]| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&out), bits(wanted));
        let allocated = allocation_counter::measure(|| fitted.encode_row(&values, &mut out).unwrap());
        assert_eq!(allocated.count_total, 0);
    }
    // And from its file.
    let kept: Preprocess = serde_json::from_str(&serde_json::to_string(fitted).unwrap()).unwrap();
    assert_eq!(&kept, fitted);
    let known: Schema = serde_json::from_str(&serde_json::to_string(schema).unwrap()).unwrap();
    assert_eq!(encode::<f32>(&known, &kept, t), rows);
}

#[test]
fn one_row_has_the_bytes_of_many() {
    for t in [mixed(), dated()] {
        let (schema, fitted) = fit(&t, &[]);
        one_by_one(&t, &schema, &fitted);
    }
    let (_, fitted) = fit(&dated(), &[]);
    let names = ["day day", "day weekday", "day hour", "clock hour", "day missing", "town"];
    assert_eq!(fitted.input_names(), names);
}

/// In the plain style a date is one on request: standardised, its inputs together, 1 for a missing one.
#[test]
fn plain_dates() {
    let t = dated();
    let overrides = [("day".to_owned(), Override::Date)].into();
    let schema = Schema::infer(&t, &all(&t), InferOptions { overrides, ..InferOptions::default() }).unwrap();
    let fitted = Preprocess::fit(&t, &all(&t), &schema, Standardise::Yes).unwrap();
    assert_eq!(fitted.layout(), Layout { others: fitted.width(), ..Layout::default() });
    let day = fitted.inputs_of(1);
    assert_eq!(
        (day.len(), &fitted.input_names()[day[0].clone()]),
        (1, &["day day", "day weekday", "day hour", "day missing"].map(String::from)[..])
    );
    one_by_one(&t, &schema, &fitted);
    let rows = encode::<f64>(&schema, &fitted, &t);
    let column = |input: usize| rows.iter().map(move |row| row[input]);
    for part in 0..day[0].len() - 1 {
        let input = day[0].start + part;
        let given = || (0..200).filter(|i| i % 9 != 0).map(|i| rows[i][input]);
        let n = given().count() as f64;
        let mean = given().sum::<f64>() / n;
        let variance = given().map(|x| x * x).sum::<f64>() / n;
        assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-12, "{mean} {variance}");
        assert!(rows[0][input].abs() < 1e-12);
    }
    assert_eq!(column(day[0].end - 1).filter(|&x| x == 1.0).count(), 23);
}

#[test]
fn nothing_is_nan_at_any_scale() {
    let huge = [1e300, -1e300, 1.7e308, -1.7e308, 0.0, 1.0, 2.0, NAN];
    let tiny = [1e-300, 2e-300, 5e-324, 0.0, 1e-310, 3e-300, 4e-300, 5e-300];
    let lone = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1e-310];
    let t = table(vec![numbers("huge", &huge), numbers("tiny", &tiny), numbers("lone", &lone)]);
    let (schema, fitted) = fit(&t, &[]);
    for x in encode::<f32>(&schema, &fitted, &t).iter().flatten() {
        assert!(x.abs() <= 3.0, "{x}");
    }
}

#[test]
fn a_column_of_every_kind_fits_its_kind_only() {
    let (_, fitted) = fit(&mixed(), &[]);
    let words: Vec<&str> = fitted
        .columns()
        .iter()
        .map(|encoder| match encoder.encoding {
            Encoding::Scaled { .. } => "scaled",
            Encoding::Given { .. } => "given",
            Encoding::Pair { .. } => "pair",
            Encoding::Sign { .. } => "sign",
            Encoding::OneHot { .. } => "one_hot",
            _ => "other",
        })
        .collect();
    assert_eq!(words, ["one_hot", "scaled", "sign", "pair", "scaled", "given"]);
}

/// The same columns through pytabkit's own layers (tests/vectors/make_tabular.py).
#[test]
fn against_pytabkit() {
    let made: serde_json::Value = serde_json::from_str(include_str!("vectors/tabular.json")).unwrap();
    let list = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    let mut checked = 0;
    for (name, case) in made["numbers"].as_object().unwrap() {
        let t = table(vec![numbers(name, &list(&case["values"]))]);
        let (schema, fitted) = fit(&t, &[]);
        let found: Vec<f64> = encode::<f64>(&schema, &fitted, &t).concat();
        close(&found, &list(&case["wanted"]));
        checked += found.len();
    }
    for (name, case) in made["categories"].as_object().unwrap() {
        let ids = list(&case["ids"]);
        let names = ["", "l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8"];
        let t = table(vec![words(name, &ids.iter().map(|&id| names[id as usize]).collect::<Vec<_>>())]);
        let (schema, fitted) = fit(&t, &[]);
        for (row, wanted) in encode::<f64>(&schema, &fitted, &t).iter().zip(case["wanted"].as_array().unwrap()) {
            close(row, &list(wanted));
            checked += row.len();
        }
    }
    // 5 columns of numbers; 1 + 3 + 8 + 1 + 1 of categories.
    assert_eq!(checked, 37 * 19);
}

/// What a forged file may say of the preprocessing is refused, or harmless.
#[test]
fn forged_documents() {
    use glassnet_model::Model;
    use glassnet_model::file::{Document, Features, Head, Network};
    let t = mixed();
    let dates: Vec<String> = (1..=8).map(|day| format!("2020-0{day}-11")).collect();
    let towns: Vec<String> = (0..8).map(|i| format!("t{i}")).collect();
    let mut t = Table { columns: t.columns.clone(), ..t };
    t.columns.push(words("day", &dates.iter().map(String::as_str).collect::<Vec<_>>()));
    t.columns.push(words("town", &towns.iter().map(String::as_str).collect::<Vec<_>>()));
    let (schema, fitted) = fit(&t, &[]);
    let spec = format!("{} -> 1", fitted.width()).parse().unwrap();
    let network = Network { spec, inputs: fitted.width(), outputs: 1, head: Head::Value, members: 1 };
    let document = Document::new(schema, Features::Table(fitted.clone()), network);
    document.check().unwrap();
    let parameters = vec![0.5; fitted.width() + 1];
    let model = Model::new(document.clone(), parameters.clone()).unwrap();
    let again = Model::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!(again.document().preprocess, document.preprocess);

    let kept = serde_json::to_value(&document).unwrap();
    let columns: Vec<String> = fitted.columns().iter().map(|encoder| encoder.name.clone()).collect();
    let at = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let big = serde_json::json!(1e300);
    let changes: Vec<(String, serde_json::Value)> = vec![
        (format!("/preprocess/table/columns/{}/encoding/number/factor", at("temp")), serde_json::json!(-1.0)),
        (format!("/preprocess/table/columns/{}/encoding/number/factor", at("temp")), serde_json::json!(null)),
        (format!("/preprocess/table/columns/{}/encoding/missing", at("temp")), serde_json::json!([1.0, 1e300])),
        (format!("/preprocess/table/columns/{}/encoding/inputs/0", at("sex")), big.clone()),
        (format!("/preprocess/table/columns/{}/encoding/inputs", at("sex")), serde_json::json!([1.0])),
        (format!("/preprocess/table/columns/{}/encoding/inputs", at("carrier")), serde_json::json!([])),
        (format!("/preprocess/table/columns/{}/encoding/levels", at("carrier")), serde_json::json!(["AA", "B6"])),
        (format!("/preprocess/table/columns/{}/encoding/inputs/1", at("late")), big.clone()),
        (format!("/preprocess/table/columns/{}/encoding/inputs/0", at("sometimes")), big.clone()),
        (format!("/preprocess/table/columns/{}/encoding/parts", at("day")), serde_json::json!([])),
        (format!("/preprocess/table/columns/{}/encoding/format", at("day")), serde_json::json!("clock")),
        (format!("/preprocess/table/columns/{}/encoding/parts/0/part", at("day")), serde_json::json!("hour")),
        (format!("/preprocess/table/columns/{}/encoding/parts/0/scale/shift", at("day")), serde_json::json!(null)),
        (format!("/preprocess/table/columns/{}/encoding/is", at("town")), serde_json::json!("code")),
        ("/preprocess/table/style".to_owned(), serde_json::json!("plain")),
        ("/schema/style".to_owned(), serde_json::json!("plain")),
    ];
    for (path, value) in changes {
        let mut forged = kept.clone();
        *forged.pointer_mut(&path).unwrap_or_else(|| panic!("{path}")) = value.clone();
        let read: Result<Document, _> = serde_json::from_value(forged);
        let refused = match read {
            Err(_) => true,
            Ok(document) => document.check().is_err() || Model::new(document, parameters.clone()).is_err(),
        };
        // A small category told to be a code is one that could be, but its network has other inputs then.
        assert!(refused, "{path} = {value}");
    }
}

/// A number most of which is 0 keeps its number and gets a code for each value that rows share; missing ones have code 0.
#[test]
fn a_number_with_peaks_is_a_number_and_a_code() {
    let mut gain = vec![0.0; 185];
    gain.extend([7298.0; 5]);
    gain.extend([15_024.0; 6]);
    gain.extend([31.0, 99_999.0, NAN, NAN]);
    let spread: Vec<f64> = (0..200).map(|x| f64::from(x) * 1.5).collect();
    let t = table(vec![numbers("gain", &gain), numbers("x", &spread)]);
    let (schema, fitted) = fit(&t, &[]);
    assert_eq!(schema.column("gain").unwrap().note, "most are 0: 3 common values, 196 rows, have a code too");
    assert_eq!(fitted.input_names(), ["gain", "x", "gain missing", "gain code"]);
    assert_eq!(fitted.layout(), Layout { numbers: 2, others: 1, categories: vec![4] });
    assert_eq!(fitted.inputs_of(0), [0..1, 2..4]);
    assert_eq!(schema.inputs(), fitted.width());
    let rows = encode::<f32>(&schema, &fitted, &t);
    let codes: Vec<f32> = [0, 185, 190, 196, 197, 198].map(|row: usize| rows[row][3]).to_vec();
    assert_eq!(codes, [1.0, 2.0, 3.0, 0.0, 0.0, 0.0]);
    // The numbers are what they would be without the code.
    let (plain, without) = fit(&t, &[("gain", Override::Number)]);
    assert_eq!(without.layout().categories, Vec::<usize>::new());
    for (with, without) in rows.iter().zip(encode::<f32>(&plain, &without, &t)) {
        assert_eq!(with[..3], without[..3]);
    }
    // The same bytes for a row alone, and through the file.
    let again: Preprocess = serde_json::from_str(&serde_json::to_string(&fitted).unwrap()).unwrap();
    assert_eq!(again, fitted);
    for (value, row) in [(Value::Number(7298.0), 185), (Value::Missing, 198), (Value::Number(0.0), 0)] {
        let mut alone = [0f32; 4];
        again.encode_row(&[value, Value::Number(row as f64 * 1.5)], &mut alone).unwrap();
        assert_eq!(alone.map(f32::to_bits).to_vec(), rows[row].iter().map(|x| x.to_bits()).collect::<Vec<_>>());
    }
}

/// What a forged file may say of a number's codes, and of its scale, is refused.
#[test]
fn forged_codes() {
    use glassnet_model::Model;
    use glassnet_model::file::{Document, Features, Head, Network};
    let gain: Vec<f64> = (0..200).map(|i| if i < 180 { 0.0 } else { f64::from(i % 3) * 100.0 }).collect();
    let spread: Vec<f64> = (0..200).map(|i| f64::from(i * 7 % 200) / 2.0).collect();
    let (schema, fitted) = fit(&table(vec![numbers("gain", &gain), numbers("x", &spread)]), &[]);
    let spec = "3 -> concat(slice 0 2, slice 2 3 -> categories 4) -> 1".parse().unwrap();
    let network = Network { spec, inputs: 3, outputs: 1, head: Head::Value, members: 1 };
    let document = Document::new(schema, Features::Table(fitted), network);
    document.check().unwrap();
    let parameters = vec![0.5; 4 * 8 + 10 + 1];
    let model = Model::new(document.clone(), parameters.clone()).unwrap();
    assert_eq!(Model::from_bytes(&model.to_bytes().unwrap()).unwrap().document().preprocess, document.preprocess);
    let kept = serde_json::to_value(&document).unwrap();
    let encoding = "/preprocess/table/columns/0/encoding";
    let levels = |names: &[&str]| serde_json::json!(names);
    for (path, value) in [
        (format!("{encoding}/levels"), levels(&["0", "100", "a"])),
        (format!("{encoding}/levels"), levels(&["0", "100", "300"])),
        (format!("{encoding}/levels"), levels(&["0", "100"])),
        (format!("{encoding}/levels"), serde_json::Value::Null),
        ("/schema/columns/0/peaks".to_owned(), levels(&["0", "200"])),
        ("/schema/columns/0/peaks".to_owned(), serde_json::Value::Null),
        (
            format!("{encoding}/number"),
            serde_json::json!({"quantiles": [0.0, 1.0], "fill": 0.5, "factor": 1.0, "shift": 0.0, "clip": true}),
        ),
    ] {
        let mut forged = kept.clone();
        *forged.pointer_mut(&path).unwrap_or_else(|| panic!("{path}")) = value.clone();
        let read: Result<Document, _> = serde_json::from_value(forged);
        let refused = read.map_or(true, |document| document.check().is_err());
        assert!(refused, "{path} = {value}");
    }
}
