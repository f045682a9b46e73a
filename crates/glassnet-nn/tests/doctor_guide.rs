//! The guide's page on the doctor has every code and every threshold, with its value.

use glassnet_nn::doctor::{CODES, thresholds as t};

const PAGE: &str = include_str!("../../../docs/guide/doctor.md");

#[test]
fn every_code_has_its_row() {
    let rows: Vec<&str> =
        PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|r| r.0).collect();
    let codes: Vec<&str> = rows.iter().copied().filter(|row| row.chars().all(|c| !c.is_uppercase())).collect();
    assert_eq!(codes, CODES.iter().map(|(code, _)| *code).collect::<Vec<_>>());
}

#[test]
fn every_threshold_has_its_value() {
    let table = [
        ("CLASS_NOTE", t::CLASS_NOTE),
        ("CLASS_WARNING", t::CLASS_WARNING),
        ("VALUE_WARNING", t::VALUE_WARNING),
        ("TARGET_DEVIATION", t::TARGET_DEVIATION),
        ("CLIMB", t::CLIMB),
        ("LARGE_UPDATE", t::LARGE_UPDATE),
        ("REACH", t::REACH),
        ("UNMOVED", t::UNMOVED),
        ("DEAD_SHARE", t::DEAD_SHARE),
        ("TANH_BOUND", t::TANH_BOUND),
        ("SATURATED_ROWS", t::SATURATED_ROWS),
        ("SATURATED_UNITS", t::SATURATED_UNITS),
        ("SATURATED_LOSS", t::SATURATED_LOSS),
        ("VANISHING", t::VANISHING),
        ("EXPLODING", t::EXPLODING),
        ("SCALE_RATIO", t::SCALE_RATIO),
        ("FAR_MEAN", t::FAR_MEAN),
        ("LARGE_COLUMN", t::LARGE_COLUMN),
        ("RUNS_SHARE", t::RUNS_SHARE),
        ("SORTED_ROWS", t::SORTED_ROWS as f64),
        ("UNDERFIT_SHARE", t::UNDERFIT_SHARE),
        ("FLAT_END", t::FLAT_END),
        ("OVERFIT_RISE", t::OVERFIT_RISE),
        ("OVERFIT_GAP", t::OVERFIT_GAP),
        ("OVERFIT_SHARE", t::OVERFIT_SHARE),
    ];
    let listed =
        PAGE.lines().filter(|line| line.starts_with("| `") && line.chars().nth(3).is_some_and(char::is_uppercase));
    let listed: Vec<Vec<&str>> = listed.map(|line| line.split('|').map(str::trim).collect()).collect();
    assert_eq!(listed.len(), table.len());
    for (row, (name, value)) in listed.iter().zip(table) {
        assert_eq!((row[1].trim_matches('`'), row[2].parse()), (name, Ok(value)));
    }
}
