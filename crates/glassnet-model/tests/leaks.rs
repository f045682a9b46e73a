//! Columns that know the target are named, honest ones are not.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use glassnet_core::random::{Draws, Purpose};
use glassnet_model::fit::{FitOptions, Prepared};
use glassnet_model::leaks::{Leak, leaks};
use glassnet_model::style::Style;
use glassnet_model::table::{Column, Table};
use glassnet_model::{Schema, TargetSchema};
use made::{all, numbers, table, words};

const N: usize = 2000;

fn found(t: &Table, target: &str) -> Vec<Leak> {
    let options = FitOptions { style: Style::Tabular, ..FitOptions::new(target) };
    let schema: Schema = Prepared::table(t.clone(), None, &options).unwrap().schema;
    let (_, targets) = TargetSchema::infer(t, target, None).unwrap();
    leaks(t, &targets, &all(t), &schema, 1)
}

fn draws(stream: u32) -> Draws {
    Draws::new(11, Purpose::Synthetic, stream, 0)
}

fn column(name: &str, of: impl Fn(usize) -> f64) -> Column {
    numbers(name, &(0..N).map(of).collect::<Vec<_>>())
}

fn hhmm(minutes: f64) -> f64 {
    let minutes = minutes.rem_euclid(1440.0);
    (minutes / 60.0).floor() * 100.0 + minutes % 60.0
}

#[test]
fn of_two_classes() {
    let (noise, more, late) = (draws(0), draws(1), draws(2));
    let y = |i: usize| f64::from(u8::from(noise.uniform(i as u64) < 0.25));
    // Late by 16 minutes and more is y; others are up to 15 early or late. Planned all round the clock, so that some arrive
    // after midnight.
    let planned = |i: usize| (more.uniform(i as u64) * 1440.0).floor();
    let delay = |i: usize| {
        if y(i) == 1.0 {
            16.0 + (late.uniform(i as u64) * 300.0).floor()
        } else {
            (late.uniform(i as u64) * 31.0).floor() - 15.0
        }
    };
    let both: Vec<String> =
        (0..N).map(|i| if y(i) == 1.0 { format!("k{}", i % 3) } else { format!("k{}", 3 + i % 5) }).collect();
    let honest: Vec<String> = (0..N).map(|i| format!("h{}", (i * 7) % 60)).collect();
    let t = table(vec![
        column("gone", |i| if y(i) == 1.0 { f64::NAN } else { more.uniform(i as u64) }),
        column("far", |i| if y(i) == 1.0 { if i % 2 == 0 { 9.5 } else { -9.5 } } else { more.uniform(i as u64) }),
        column("plan", |i| hhmm(planned(i))),
        column("arrival", |i| hhmm(planned(i) + delay(i))),
        words("code", &both.iter().map(String::as_str).collect::<Vec<_>>()),
        words("honest", &honest.iter().map(String::as_str).collect::<Vec<_>>()),
        column("weak", |i| y(i) + 3.0 * draws(4).normal(i as u64)),
        column("strong", |i| 2.0 * y(i) + draws(5).normal(i as u64)),
        column("y", y),
    ]);
    let found = found(&t, "y");
    let of = |name: &str| found.iter().find(|leak| leak.columns.join(" - ") == name);
    for name in ["gone", "far", "code", "arrival - plan"] {
        let leak = of(name).unwrap_or_else(|| panic!("{name} is not in {found:?}"));
        assert!(leak.sure && leak.score > 0.99, "{leak:?}");
    }
    let difference = of("arrival - plan").unwrap();
    assert!(difference.words.contains("around midnight, 0.") && difference.words.contains("as plain minutes"));
    // AUC of two normals 2 deviations apart: 0.921.
    let strong = of("strong").unwrap();
    assert!(!strong.sure && (strong.score - 0.921).abs() < 0.02, "{strong:?}");
    assert!(strong.words.starts_with("strong alone says very much about the target (AUC 0.9"));
    assert_eq!(found.len(), 5, "{found:?}");
    assert!(found.is_sorted_by(|a, b| a.score >= b.score));
}

/// A target that depends on nothing is found nowhere, whatever the columns are.
#[test]
fn of_noise() {
    let many: Vec<String> = (0..N).map(|i| format!("h{}", (i * 7) % 700)).collect();
    let t = table(vec![
        words("many", &many.iter().map(String::as_str).collect::<Vec<_>>()),
        column("x", |i| draws(1).normal(i as u64)),
        column("clock", |i| hhmm((draws(2).uniform(i as u64) * 1440.0).floor())),
        column("watch", |i| hhmm((draws(3).uniform(i as u64) * 1440.0).floor())),
        column("y", |i| f64::from(u8::from(draws(4).uniform(i as u64) < 0.5))),
        column("z", |i| draws(5).normal(i as u64)),
    ]);
    assert_eq!(found(&t, "y"), []);
    assert_eq!(found(&t, "z"), []);
}

#[test]
fn of_a_number() {
    let y = |i: usize| draws(0).normal(i as u64);
    let t = table(vec![
        column("again", |i| 1.0 - 2.0 * y(i) * y(i) * y(i)),
        // Correlated by 0.95: strong and honest.
        column("near", |i| y(i) + 0.33 * draws(1).normal(i as u64)),
        column("rest", |i| draws(2).normal(i as u64)),
        column("y", y),
    ]);
    let found = found(&t, "y");
    assert_eq!(found.iter().map(|leak| leak.columns[0].as_str()).collect::<Vec<_>>(), ["again"]);
    assert!(found[0].sure && found[0].words.contains("rank correlation 1.000"));
}

#[test]
fn of_three_classes() {
    let class = |i: usize| (draws(0).uniform(i as u64) * 3.0).floor();
    let names: Vec<String> = (0..N).map(|i| ["a", "b", "c"][class(i) as usize].to_owned()).collect();
    let t = table(vec![
        // Tells a from the others, and nothing about the others.
        column("half", |i| if class(i) == 0.0 { 5.0 } else { draws(1).uniform(i as u64) }),
        column("all", |i| class(i) * 2.5 + draws(2).uniform(i as u64)),
        words("y", &names.iter().map(String::as_str).collect::<Vec<_>>()),
    ]);
    let found = found(&t, "y");
    assert_eq!(found.iter().map(|leak| leak.columns[0].as_str()).collect::<Vec<_>>(), ["all"]);
}
