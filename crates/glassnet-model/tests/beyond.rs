//! Columns that lie beyond the training rows in the validation rows.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use std::collections::BTreeMap;

use glassnet_model::fit::{FitOptions, Prepared};
use glassnet_model::schema::Override;
use glassnet_model::split::{Parts, SplitBy};
use glassnet_model::style::Style;
use glassnet_model::table::Table;
use made::{numbers, table, words};

const N: usize = 400;

/// In the order of time: a counter, a date, an hour that comes again, a number, the target.
fn data(first: usize, rows: usize) -> Table {
    let each = |f: &dyn Fn(usize) -> f64| (first..first + rows).map(f).collect::<Vec<f64>>();
    let dates: Vec<String> = (first..first + rows)
        .map(|i| format!("2020-{:02}-{:02}T{:02}:00", i / 56 % 12 + 1, i / 2 % 28 + 1, i * 7 % 24))
        .collect();
    table(vec![
        numbers("meter", &each(&|i| 1000.0 + 2.5 * i as f64)),
        words("when", &dates.iter().map(String::as_str).collect::<Vec<_>>()),
        numbers("x", &each(&|i| (i * 37 % 101) as f64 / 3.0)),
        numbers("y", &each(&|i| f64::from(u8::from(i % 3 == 0)))),
    ])
}

fn options(split: SplitBy) -> FitOptions {
    FitOptions { style: Style::Tabular, split, ..FitOptions::new("y") }
}

fn inputs(prepared: &Prepared) -> Vec<String> {
    let glassnet_model::file::Features::Table(preprocess) = &prepared.features else { panic!("no table") };
    preprocess.input_names()
}

#[test]
fn a_split_by_time_leaves_the_clock_out() {
    let prepared = Prepared::table(data(0, N), None, &options(SplitBy::Time("when".into()))).unwrap();
    assert_eq!(inputs(&prepared), ["when weekday", "when hour", "x"]);
    let column = |name: &str| prepared.schema.column(name).unwrap();
    let reason = column("meter").left_out.clone().unwrap();
    assert!(reason.starts_with("64 of 64 validation rows lie beyond the training rows' 1000 to "), "{reason}");
    assert!(column("when").note.ends_with("; day left out: validation rows lie beyond the training rows"));
}

#[test]
fn a_file_of_later_rows_does_too_and_random_rows_do_not() {
    let later = Prepared::table(data(0, 300), Some(data(300, 100)), &options(SplitBy::Random)).unwrap();
    assert_eq!(inputs(&later), ["when weekday", "when hour", "x"]);
    let random = Prepared::table(data(0, N), None, &options(SplitBy::Random)).unwrap();
    assert_eq!(inputs(&random), ["meter", "when day", "when weekday", "when hour", "x"]);
    // 90 of 100 beyond are not enough, nor are 19 rows.
    let mixed = Prepared::table(data(0, 300), Some(data(290, 100)), &options(SplitBy::Random)).unwrap();
    assert_eq!(inputs(&mixed).len(), 5);
    let few = Prepared::table(data(0, 300), Some(data(300, 19)), &options(SplitBy::Random)).unwrap();
    assert_eq!(inputs(&few).len(), 5);
}

/// A store that is set aside may be the largest: that is no clock.
#[test]
fn a_split_by_group_keeps_what_differs_between_groups() {
    let mut grouped = data(0, 600);
    let stores: Vec<String> = (0..600).map(|i| format!("store {}", i / 100)).collect();
    grouped.columns.push(words("store", &stores.iter().map(String::as_str).collect::<Vec<_>>()));
    grouped.columns.push(numbers("size", &(0..600).map(|i| f64::from(i / 100) * 100.0 + 0.5).collect::<Vec<_>>()));
    for seed in 0..6 {
        let by = FitOptions { seed, ..options(SplitBy::Group("store".into())) };
        let prepared = Prepared::table(grouped.clone(), None, &by).unwrap();
        assert!(prepared.schema.column("size").unwrap().left_out.is_none(), "seed {seed}");
        assert!(prepared.schema.column("meter").unwrap().left_out.is_none(), "seed {seed}");
    }
}

/// Every row is learned from, in folds by time: the latest fold says what lies beyond the others.
#[test]
fn without_validation_rows_the_latest_fold_says_it() {
    let rows = Parts { train: (0..N).collect(), ..Parts::default() };
    let by = FitOptions { validation_share: None, ..options(SplitBy::Time("when".into())) };
    let prepared = Prepared::parts(data(0, N), rows, &by).unwrap();
    assert_eq!(inputs(&prepared), ["when weekday", "when hour", "x"]);
}

/// Later rows move a date whose day is an input; where only its weekday and hour are, days that go by are no news.
#[test]
fn a_clock_that_is_no_input_does_not_drift() {
    let drifts = |split: SplitBy| {
        let prepared = Prepared::table(data(0, N), None, &options(split)).unwrap();
        let glassnet_model::file::Features::Table(preprocess) = &prepared.features else { panic!("no table") };
        let later = data(N, 200);
        let rows: Vec<usize> = (0..200).collect();
        let found = prepared.reference.as_ref().unwrap().compare(preprocess, &later, &rows, None, None).unwrap();
        found.iter().any(|finding| finding.column.as_deref() == Some("when"))
    };
    assert!(drifts(SplitBy::Random));
    assert!(!drifts(SplitBy::Time("when".into())));
}

#[test]
fn who_asks_for_a_column_keeps_it_and_something_always_stays() {
    let overrides = BTreeMap::from([("meter".to_owned(), Override::Number)]);
    let asked = FitOptions { overrides, ..options(SplitBy::Time("when".into())) };
    assert_eq!(
        inputs(&Prepared::table(data(0, N), None, &asked).unwrap()),
        ["meter", "when weekday", "when hour", "x"]
    );
    let mut alone = data(0, N);
    alone.columns.retain(|column| ["meter", "y"].contains(&column.name.as_str()));
    let kept = Prepared::table(alone, None, &options(SplitBy::Time("meter".into()))).unwrap();
    assert_eq!(inputs(&kept), ["meter"]);
    // The plain style keeps everything.
    let plain = FitOptions { style: Style::Plain, ..options(SplitBy::Time("when".into())) };
    assert!(inputs(&Prepared::table(data(0, N), None, &plain).unwrap()).contains(&"meter".to_owned()));
}
