//! What moved is said, what did not is not.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use glassnet_core::random::{Draws, Purpose};
use glassnet_model::file::Features;
use glassnet_model::fit::{FitOptions, Prepared};
use glassnet_model::preprocess::Preprocess;
use glassnet_model::shift::{Finding, Reference, ReferenceTarget, ReferenceValues, Sort, Tenths, between, watched};
use glassnet_model::style::Style;
use glassnet_model::table::{Table, Values};
use glassnet_model::target::{Targets, TaskChoice};
use glassnet_model::{ModelError, TargetSchema};
use made::{all, numbers, table, words};

const N: usize = 4000;

/// `moved`: temperatures rise, a third of the wind is lost, a new carrier comes, twice as many are late.
fn data(moved: bool, seed: u64) -> Table {
    let draw = |stream: u32, i: usize| Draws::new(seed, Purpose::Synthetic, stream, 0).uniform(i as u64);
    let column = |of: &dyn Fn(usize) -> f64| (0..N).map(of).collect::<Vec<_>>();
    let carrier: Vec<&str> = (0..N)
        .map(|i| match (draw(0, i) * 10.0) as usize {
            0..5 => "AA",
            5..8 => "UA",
            _ if moved => "NEW",
            _ => "B6",
        })
        .collect();
    let days: Vec<String> = (0..N)
        .map(|i| {
            format!(
                "2020-{:02}-{:02}",
                if moved { 9 } else { 1 + (draw(6, i) * 6.0) as usize },
                1 + (draw(7, i) * 28.0) as usize
            )
        })
        .collect();
    let late: Vec<&str> =
        (0..N).map(|i| if draw(3, i) < if moved { 0.4 } else { 0.2 } { "yes" } else { "no" }).collect();
    let gone = if moved { 0.33 } else { 0.01 };
    table(vec![
        numbers("temp", &column(&|i| draw(1, i) * 20.0 + if moved { 8.0 } else { 0.0 })),
        numbers("wind", &column(&|i| if draw(4, i) < gone { f64::NAN } else { draw(2, i) })),
        numbers("same", &column(&|i| draw(5, i))),
        words("carrier", &carrier),
        words("day", &days.iter().map(String::as_str).collect::<Vec<_>>()),
        words("late", &late),
    ])
}

fn fitted(t: &Table) -> (Preprocess, TargetSchema, Targets) {
    let options = FitOptions { style: Style::Tabular, ..FitOptions::new("late") };
    let prepared = Prepared::table(t.clone(), None, &options).unwrap();
    let Features::Table(preprocess) = prepared.features else { panic!("no table") };
    let (target, targets) = TargetSchema::infer(t, "late", None).unwrap();
    (preprocess, target, targets)
}

fn compare(reference: &Reference, preprocess: &Preprocess, target: &TargetSchema, new: &Table) -> Vec<Finding> {
    let targets = target.read(new).unwrap();
    reference.compare(preprocess, new, &all(new), Some((target, &targets)), None).unwrap()
}

#[test]
fn nothing_moved() {
    let t = data(false, 1);
    let (preprocess, target, targets) = fitted(&t);
    let reference = Reference::fit(&t, &all(&t), &preprocess, Some((&target, &targets))).unwrap();
    reference.check().unwrap();
    for seed in 2..6 {
        assert_eq!(compare(&reference, &preprocess, &target, &data(false, seed)), []);
    }
    // Nor in halves and in 50 rows.
    let (first, second): (Vec<usize>, Vec<usize>) = (0..N).partition(|row| row % 2 == 0);
    assert_eq!(between(&t, &preprocess, (&target, &targets), &first, &second).unwrap(), []);
    assert_eq!(reference.compare(&preprocess, &t, &(0..50).collect::<Vec<_>>(), None, None).unwrap(), []);
}

#[test]
fn everything_moved_is_said() {
    let t = data(false, 1);
    let (preprocess, target, targets) = fitted(&t);
    let reference = Reference::fit(&t, &all(&t), &preprocess, Some((&target, &targets))).unwrap();
    let found = compare(&reference, &preprocess, &target, &data(true, 2));
    let of = |sort: Sort, column: &str| {
        let found = found.iter().find(|finding| finding.sort == sort && finding.column.as_deref() == Some(column));
        found.unwrap_or_else(|| panic!("{sort:?} {column}")).clone()
    };
    let late = of(Sort::BaseRate, "late");
    assert_eq!(found[0], late);
    assert!((late.size - 0.2).abs() < 0.03 && late.words.contains("late is yes in 4") && late.strong, "{late:?}");
    assert!(of(Sort::Missing, "wind").words.starts_with("wind has no value in 3"));
    let new = of(Sort::Unseen, "carrier");
    assert!((new.size - 0.2).abs() < 0.03 && new.strong, "{new:?}");
    assert!(of(Sort::Drift, "carrier").words.contains("in training"));
    // Uniform on 0..20, then on 8..28: four tenths are empty now and the last one holds half.
    let temp = of(Sort::Drift, "temp");
    assert!(temp.strong && temp.words.contains("its median is 18.") && temp.words.contains("it was 10"), "{temp:?}");
    assert!(of(Sort::Drift, "day").words.contains("its median is 2020-09-1"));
    assert_eq!(found.len(), 6, "{found:#?}");
}

#[test]
fn tenths_by_hand() {
    let tenths = Tenths::fit(&(1..=100).map(f64::from).collect::<Vec<_>>()).unwrap();
    assert_eq!(tenths.cuts[0], 10.9);
    assert_eq!(tenths.shares, [0.1; 10]);
    // Half of it one value: its tenths are one bin.
    let half: Vec<f64> = (0..100).map(|i| if i < 50 { 0.0 } else { f64::from(i) }).collect();
    let tenths = Tenths::fit(&half).unwrap();
    assert_eq!((tenths.cuts.len(), tenths.shares[0]), (6, 0.5));
    assert_eq!(Tenths::fit(&[7.0; 5]).unwrap().shares, [1.0]);
    assert_eq!(Tenths::fit(&[f64::NAN]), None);
}

#[test]
fn scores_and_a_number() {
    let t = data(false, 1);
    let (preprocess, ..) = fitted(&t);
    let scores: Vec<f64> = (0..N).map(|i| (i as f64 + 0.5) / N as f64).collect();
    let reference = Reference::fit(&t, &all(&t), &preprocess, None).unwrap().with_scores(&scores);
    let squared: Vec<f64> = scores.iter().map(|score| score * score).collect();
    let found = reference.compare(&preprocess, &t, &all(&t), None, Some(&squared)).unwrap();
    // q of bin i is the difference of square roots: 0.3162, 0.1310, ...
    let shares: Vec<f64> = (0..10).map(|i| (f64::from(i + 1) / 10.0).sqrt() - (f64::from(i) / 10.0).sqrt()).collect();
    let psi: f64 = shares.iter().map(|q| (q - 0.1) * (q / 0.1).ln()).sum();
    assert_eq!((found.len(), found[0].sort, found[0].strong), (1, Sort::Scores, true));
    assert!((found[0].size - (psi - 18.0 / N as f64)).abs() < 2e-3, "{} {psi}", found[0].size);
    assert!(reference.compare(&preprocess, &t, &all(&t), None, Some(&[0.5])).is_err());

    let y: Vec<f64> = scores.iter().map(|score| 100.0 * score).collect();
    let plus: Vec<f64> = y.iter().map(|y| y + 10.0).collect();
    let (one, two) = (table(vec![numbers("y", &y)]), table(vec![numbers("y", &plus)]));
    let (target, targets) = TargetSchema::infer(&one, "y", None).unwrap();
    let reference = Reference::fit(&one, &all(&one), &Preprocess::default(), Some((&target, &targets))).unwrap();
    let moved = compare(&reference, &Preprocess::default(), &target, &two);
    assert!(
        moved[0].words.starts_with("the target moved: the mean of y is 60, it was 50 in the training rows"),
        "{moved:?}"
    );
    assert_eq!(compare(&reference, &Preprocess::default(), &target, &one), []);
}

#[test]
fn kept_and_forged() {
    let t = data(false, 1);
    let (preprocess, target, targets) = fitted(&t);
    let reference =
        Reference::fit(&t, &all(&t), &preprocess, Some((&target, &targets))).unwrap().with_scores(&[0.5, 0.7]);
    let kept: Reference = serde_json::from_str(&serde_json::to_string(&reference).unwrap()).unwrap();
    assert_eq!(kept, reference);
    let refused = |change: &dyn Fn(&mut Reference)| {
        let mut forged = reference.clone();
        change(&mut forged);
        assert!(forged.check().is_err(), "{forged:?}");
        // And a comparison with it does not panic.
        let _ = forged.compare(&preprocess, &t, &all(&t), Some((&target, &targets)), Some(&vec![0.5; N]));
    };
    refused(&|it| it.columns[0].missing = 1.5);
    refused(&|it| it.columns[0].missing = f64::NAN);
    refused(&|it| {
        let ReferenceValues::Numbers(tenths) = &mut it.columns[0].values else { panic!("no numbers") };
        tenths.cuts.reverse();
    });
    refused(&|it| {
        let ReferenceValues::Numbers(tenths) = &mut it.columns[0].values else { panic!("no numbers") };
        tenths.shares.pop();
    });
    refused(&|it| {
        let levels = it.columns.iter_mut().find_map(|column| match &mut column.values {
            ReferenceValues::Levels { shares, .. } => Some(shares),
            ReferenceValues::Numbers(_) => None,
        });
        levels.unwrap().clear();
    });
    refused(&|it| it.target = Some(ReferenceTarget::Number { mean: f64::NAN, deviation: 1.0 }));
    refused(&|it| it.scores.as_mut().unwrap().shares.clear());
    // A column that the new table lacks.
    let mut less = t.clone();
    less.columns.remove(0);
    let error = reference.compare(&preprocess, &less, &all(&less), None, None).unwrap_err();
    assert!(matches!(error, ModelError::ColumnsMissing { .. }));
    assert!(matches!(less.columns[0].values, Values::Number(_)));
}

/// After a later calibration its base rate is what later rows are compared with; everything else stays as in training.
#[test]
fn a_later_calibration_has_a_base_rate_of_its_own() {
    let y = |yes: usize| {
        let names: Vec<f64> = (0..N).map(|row| f64::from(u8::from(row * 7919 % N < yes))).collect();
        table(vec![numbers("y", &names)])
    };
    let (before, after) = (y(N / 5), y(N / 2));
    let infer = |t: &Table| TargetSchema::infer(t, "y", Some(TaskChoice::Classify)).unwrap();
    let ((target, old), (_, new)) = (infer(&before), infer(&after));
    let reference = Reference::fit(&before, &all(&before), &Preprocess::default(), Some((&target, &old))).unwrap();
    let moved = reference.base_rate(&target, &new, &all(&after)).unwrap();
    assert!(moved.words.contains("1 in 50.0 % of the rows, it was in 20.0 % of the training rows"), "{}", moved.words);
    assert_eq!(reference.base_rate(&target, &old, &all(&before)), None);

    let again = reference.clone().recalibrated_on(&target, &new, &all(&after));
    assert_eq!(again.base_rate(&target, &new, &all(&after)), None);
    let moved = again.base_rate(&target, &old, &all(&before)).unwrap();
    assert!(moved.words.contains("it was in 50.0 % of the rows of its last calibration"), "{}", moved.words);
    assert_eq!((&again.columns, &again.target, again.check()), (&reference.columns, &reference.target, Ok(())));
    // What a model file keeps of it is read back as it was.
    let text = serde_json::to_string(&again).unwrap();
    assert_eq!(serde_json::from_str::<Reference>(&text).unwrap(), again);
    let forged = text.replace(
        "\"recalibrated\":{",
        "\"recalibrated\":{\"rows\":1,\"target\":{\"is\":\"classes\",\"shares\":[2.0]}},\"x\":{",
    );
    assert!(serde_json::from_str::<Reference>(&forged).unwrap().check().is_err());
}

/// One number a row is watched: the second of two classes, the highest of more, the value of a regression.
#[test]
fn what_is_watched() {
    assert_eq!(watched(&[0.25, 0.75, 1.0, 0.0], 2), [0.75, 0.0]);
    assert_eq!(watched(&[0.25, 0.5, 0.25], 3), [0.5]);
    assert_eq!(watched(&[3.0, -4.0], 1), [3.0, -4.0]);
}
