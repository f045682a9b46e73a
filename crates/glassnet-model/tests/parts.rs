//! Honest splits: order in time, whole groups, even classes; folds of each.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use glassnet_model::TargetSchema;
use glassnet_model::fit::{FitOptions, Prepared};
use glassnet_model::split::{Parts, SplitBy, folds, parts};
use glassnet_model::style::Style;
use glassnet_model::table::{Table, Values};
use glassnet_model::target::{Labels, Targets};
use made::{numbers, table, words};
use std::collections::BTreeSet;

const N: usize = 1000;

/// Times in no order, ten rows each; 60 customers of different sizes; one row in ten is positive.
fn data() -> (Table, Targets) {
    let day = |i: usize| (i * 37 % N) / 10;
    let time: Vec<f64> = (0..N).map(|i| day(i) as f64).collect();
    let dates: Vec<String> = (0..N).map(|i| format!("{:02}.{:02}.2020", day(i) % 28 + 1, day(i) / 28 + 1)).collect();
    let customers: Vec<String> = (0..N).map(|i| format!("c{}", (i * i) % 97)).collect();
    let refs = |names: &[String]| names.iter().map(String::as_str).map(str::to_owned).collect::<Vec<_>>();
    let column =
        |name: &str, names: &[String]| words(name, &refs(names).iter().map(String::as_str).collect::<Vec<_>>());
    let y: Vec<f64> = (0..N).map(|i| f64::from(u8::from(i % 10 == 0))).collect();
    let t = table(vec![
        numbers("t", &time),
        column("date", &dates),
        column("customer_id", &customers),
        numbers("x", &(0..N).map(|i| i as f64 / 3.0).collect::<Vec<_>>()),
        numbers("y", &y),
    ]);
    let (_, targets) = TargetSchema::infer(&t, "y", None).unwrap();
    (t, targets)
}

fn all_once(parts: &Parts) {
    let mut rows = [parts.train.as_slice(), &parts.valid, &parts.test].concat();
    assert!([&parts.train, &parts.valid, &parts.test].iter().all(|part| part.is_sorted() && !part.is_empty()));
    rows.sort_unstable();
    assert_eq!(rows, (0..N).collect::<Vec<_>>());
}

fn time_of(table: &Table, rows: &[usize]) -> (f64, f64) {
    let Values::Number(times) = &table.column("t").unwrap().values else { panic!("no numbers") };
    rows.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &row| (a.min(times[row]), b.max(times[row])))
}

fn customers(table: &Table, rows: &[usize]) -> BTreeSet<String> {
    let Values::Text(names) = &table.column("customer_id").unwrap().values else { panic!("no text") };
    rows.iter().map(|&row| names.get(row).unwrap().to_owned()).collect()
}

fn positives(targets: &Targets, rows: &[usize]) -> usize {
    let Labels::Classes(classes) = &targets.labels else { panic!("no classes") };
    rows.iter().filter(|&&row| classes[row] == 1).count()
}

const SHARES: (Option<f64>, Option<f64>) = (Some(0.2), Some(0.2));

#[test]
fn the_latest_rows_are_tested() {
    let (t, targets) = data();
    for name in ["t", "date"] {
        let parts = parts(&t, &targets, &targets.rows, &SplitBy::Time(name.into()), SHARES, 0).unwrap();
        all_once(&parts);
        assert_eq!([parts.train.len(), parts.valid.len(), parts.test.len()], [640, 160, 200]);
        let [fit, valid, test] = [&parts.train, &parts.valid, &parts.test].map(|rows| time_of(&t, rows));
        assert!(fit.1 < valid.0 && valid.1 < test.0, "{fit:?} {valid:?} {test:?}");
    }
    let said = parts(&t, &targets, &targets.rows, &SplitBy::Time("date".into()), SHARES, 0).unwrap().to_string();
    let wanted = "640 rows to fit on (64.0 %), 160 to calibrate with (16.0 %), 200 to test (20.0 %): by date, the earliest \
                  first, calibrated from 2020-03-09, tested from 2020-03-25";
    assert_eq!(said, wanted);
    // Equal times are not torn: 1,000 rows, four times.
    let quarters: Vec<f64> = (0..N).map(|i| (i % 4) as f64).collect();
    let t = table(vec![numbers("t", &quarters)]);
    let parts = parts(&t, &targets, &targets.rows, &SplitBy::Time("t".into()), SHARES, 0).unwrap();
    assert_eq!([parts.train.len(), parts.valid.len(), parts.test.len()], [500, 250, 250]);
}

#[test]
fn a_group_is_on_one_side() {
    let (t, targets) = data();
    let by = SplitBy::Group("customer_id".into());
    for seed in 0..5 {
        let parts = parts(&t, &targets, &targets.rows, &by, SHARES, seed).unwrap();
        all_once(&parts);
        let [fit, valid, test] = [&parts.train, &parts.valid, &parts.test].map(|rows| customers(&t, rows));
        assert!(fit.is_disjoint(&valid) && fit.is_disjoint(&test) && valid.is_disjoint(&test));
        // The largest group has 22 rows.
        assert!(parts.test.len().abs_diff(200) <= 22 && parts.valid.len().abs_diff(160) <= 22, "{parts}");
    }
    let a = parts(&t, &targets, &targets.rows, &by, SHARES, 1).unwrap();
    assert_eq!(a, parts(&t, &targets, &targets.rows, &by, SHARES, 1).unwrap());
    assert_ne!(a.test, parts(&t, &targets, &targets.rows, &by, SHARES, 2).unwrap().test);
}

#[test]
fn classes_are_even_at_random() {
    let (t, targets) = data();
    let parts = parts(&t, &targets, &targets.rows, &SplitBy::Random, SHARES, 3).unwrap();
    all_once(&parts);
    let counts = [&parts.train, &parts.valid, &parts.test].map(|rows| (rows.len(), positives(&targets, rows)));
    assert_eq!(counts, [(640, 64), (160, 16), (200, 20)]);
}

#[test]
fn folds_of_each_kind() {
    let (t, targets) = data();
    for by in [SplitBy::Random, SplitBy::Group("customer_id".into())] {
        let folds = folds(&t, &targets, &by, 5, 7).unwrap();
        let mut tested: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
        tested.sort_unstable();
        assert_eq!(tested, targets.rows);
        for fold in &folds {
            assert_eq!(fold.train.len() + fold.test.len(), N);
            assert!(fold.train.iter().all(|row| fold.test.binary_search(row).is_err()));
            match by {
                SplitBy::Group(_) => {
                    assert!(customers(&t, &fold.train).is_disjoint(&customers(&t, &fold.test)));
                    assert!(fold.test.len().abs_diff(200) <= 22);
                }
                _ => assert_eq!((fold.test.len(), positives(&targets, &fold.test)), (200, 20)),
            }
        }
    }
    let folds = folds(&t, &targets, &SplitBy::Time("t".into()), 4, 0).unwrap();
    assert_eq!(folds.iter().map(|fold| fold.train.len()).collect::<Vec<_>>(), [200, 400, 600, 800]);
    for fold in folds {
        assert_eq!(fold.test.len(), 200);
        assert!(time_of(&t, &fold.train).1 < time_of(&t, &fold.test).0);
    }
}

#[test]
fn what_cannot_be_split() {
    let (t, targets) = data();
    let says = |by: SplitBy, shares, part: &str| {
        let error = parts(&t, &targets, &targets.rows, &by, shares, 0).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    says(SplitBy::Time("dat".into()), SHARES, "no column \"dat\" for the split by time (did you mean \"date\"?)");
    says(SplitBy::Time("customer_id".into()), SHARES, "is neither numbers nor dates of one form");
    says(SplitBy::Random, (Some(1.0), None), "the share 1 is not above 0 and below 1");
    says(SplitBy::Group("none".into()), SHARES, "no column \"none\" for the split by group");
    let same = table(vec![words("g", &["a"; N]), numbers("t", &[1.0; N])]);
    let error = parts(&same, &targets, &targets.rows, &SplitBy::Group("g".into()), SHARES, 0).unwrap_err().to_string();
    assert!(error.contains("1 group in column \"g\" cannot be on two sides"), "{error}");
    let error = parts(&same, &targets, &targets.rows, &SplitBy::Time("t".into()), SHARES, 0).unwrap_err().to_string();
    assert!(error.contains("1000 rows have one time in column \"t\""), "{error}");
    let error = folds(&t, &targets, &SplitBy::Random, 1, 0).unwrap_err().to_string();
    assert!(error.contains("too few for 1 folds"), "{error}");
    let error = folds(&same, &targets, &SplitBy::Group("g".into()), 2, 0).unwrap_err().to_string();
    assert!(error.contains("1 groups are too few for 2 folds"), "{error}");
}

#[test]
fn prepared_in_three_parts() {
    let (t, _) = data();
    let by = |split: SplitBy| FitOptions { split, style: Style::Tabular, ..FitOptions::new("y") };
    let time = Prepared::table(t.clone(), None, &by(SplitBy::Time("t".into()))).unwrap();
    assert_eq!([time.train_rows.len(), time.valid_rows.len(), time.test_rows.len()], [640, 160, 200]);
    assert_eq!(time.test().unwrap().rows.len(), 200);
    // All validation rows are later than all training rows.
    assert!(
        time.schema
            .column("t")
            .unwrap()
            .left_out
            .as_deref()
            .unwrap()
            .contains(" validation rows lie beyond the training rows' ")
    );
    let group = Prepared::table(t.clone(), None, &by(SplitBy::Group("customer_id".into()))).unwrap();
    assert_eq!(
        group.schema.column("customer_id").unwrap().left_out.as_deref(),
        Some("a key by its name, which groups the rows")
    );
    let random = Prepared::table(t.clone(), None, &FitOptions::new("y")).unwrap();
    assert_eq!((random.train_rows.len(), random.valid_rows.len(), random.test().is_none()), (800, 200, true));
    let rows = Parts { train: (0..500).collect(), valid: (500..600).collect(), ..Parts::default() };
    let given = Prepared::parts(t.clone(), rows, &FitOptions::new("y")).unwrap();
    assert_eq!((given.train_rows.len(), given.valid_rows.len(), given.test_rows.len()), (500, 100, 0));
    let beyond = Parts { train: vec![0, N], ..Parts::default() };
    assert!(Prepared::parts(t, beyond, &FitOptions::new("y")).is_err());
}

/// A regression's range is that of its training rows, in the style that keeps it.
#[test]
fn the_range_of_the_target() {
    let y: Vec<f64> = (0..50).map(|i| f64::from(i) + 0.5).collect();
    let t = table(vec![numbers("x", &(0..50).map(|i| f64::from(i % 9)).collect::<Vec<_>>()), numbers("y", &y)]);
    let options = FitOptions { split: SplitBy::Time("y".into()), style: Style::Tabular, ..FitOptions::new("y") };
    let prepared = Prepared::table(t.clone(), None, &options).unwrap();
    assert_eq!(prepared.target().unwrap().range, Some([0.5, 31.5]));
    let plain = Prepared::table(t, None, &FitOptions { style: Style::Plain, ..options }).unwrap();
    assert_eq!(plain.target().unwrap().range, None);
}
