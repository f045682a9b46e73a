//! What is understood of the real tables, where they lie beside the repository (or where GLASSNET_SHARED says): columns that give
//! flights' delay away are named, honest columns of four tables are not.
#![cfg(all(feature = "fit", feature = "data"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

use std::path::PathBuf;

use glassnet::data::{ReadOptions, read_csv};
use glassnet::model::TargetSchema;
use glassnet::model::fit::{FitOptions, Prepared};
use glassnet::model::leaks::{Leak, leaks};
use glassnet::model::style::Style;
use glassnet::model::table::Table;

/// The table of a shared file; `None`, with a printed word, where it is absent.
fn shared(name: &str) -> Option<Table> {
    let root = std::env::var_os("GLASSNET_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join("data").join(name);
    if !path.exists() {
        println!("skipped: {name} is not there");
        return None;
    }
    Some(read_csv(path.to_str().unwrap(), &ReadOptions::default()).unwrap().0)
}

fn understood(table: Table, target: &str) -> (Prepared, Vec<Leak>) {
    let options = FitOptions { style: Style::Tabular, ..FitOptions::new(target) };
    let prepared = Prepared::table(table.clone(), None, &options).unwrap();
    println!("{}", prepared.schema);
    let (_, targets) = TargetSchema::infer(&table, target, None).unwrap();
    let found = leaks(&table, &targets, &targets.rows, &prepared.schema, 0);
    found.iter().for_each(|leak| println!("{}", leak.words));
    (prepared, found)
}

#[test]
fn flights_with_leaks() {
    let Some(table) = shared("flights/sample_with_leaks_20k.csv.gz") else { return };
    let (prepared, found) = understood(table, "late15");
    let of =
        |columns: &[&str]| found.iter().find(|leak| leak.columns == columns).unwrap_or_else(|| panic!("{columns:?}"));
    // scikit-learn's roc_auc_score of the same columns: 1.0, 0.89998.
    assert!(of(&["arr_delay"]).sure && of(&["arr_delay"]).score > 0.999_999);
    assert!(!of(&["dep_delay"]).sure && (of(&["dep_delay"]).score - 0.899_98).abs() < 2e-4);
    // Differences as plain minutes: 0.91916 and 0.88724; around midnight: 0.99936 and 0.89934.
    let arrival = of(&["arr_time", "sched_arr_time"]);
    assert!(
        arrival.sure && (arrival.score - 0.999_36).abs() < 2e-4 && arrival.words.contains("0.919 as plain minutes")
    );
    let departure = of(&["dep_time", "sched_dep_time"]);
    assert!((departure.score - 0.899_34).abs() < 2e-4 && departure.words.contains("0.887 as plain minutes"));
    assert_eq!(prepared.schema.column("time_hour").unwrap().kind.word(), "date");
}

#[test]
fn honest_columns_are_not_named() {
    for (name, target) in [
        ("flights/train.csv.gz", "late15"),
        ("adult/train.csv.gz", "income"),
        ("california/train.csv.gz", "median_house_value"),
        ("diamonds/diamonds.csv.gz", "price"),
    ] {
        let Some(table) = shared(name) else { continue };
        let target =
            if table.column(target).is_some() { target.to_owned() } else { table.columns.last().unwrap().name.clone() };
        let (_, found) = understood(table, &target);
        assert_eq!(found, [], "{name}");
    }
}
