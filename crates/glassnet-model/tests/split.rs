//! Rows for validation.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use glassnet_model::TargetSchema;
use glassnet_model::split::{DEFAULT_SHARE, split};
use glassnet_model::target::{Labels, Targets};
use made::{numbers, table};
use proptest::prelude::*;

fn classes(counts: &[usize]) -> Targets {
    let labels: Vec<u32> = counts.iter().enumerate().flat_map(|(class, &n)| vec![class as u32; n]).collect();
    let rows = (0..labels.len()).collect();
    Targets { labels: Labels::Classes(labels), rows, blank: 0 }
}

fn of_class(rows: &[usize], targets: &Targets, class: u32) -> usize {
    let Labels::Classes(labels) = &targets.labels else { panic!("no classes") };
    rows.iter().filter(|&&row| labels[row] == class).count()
}

#[test]
fn by_class() {
    let targets = classes(&[70, 20, 10]);
    let parts = split(&targets, DEFAULT_SHARE, 7).unwrap();
    let valid: Vec<usize> = (0..3).map(|class| of_class(&parts.valid, &targets, class)).collect();
    assert_eq!(valid, [14, 4, 2]);
    assert_eq!(parts.to_string(), "20 of 100 rows (20.0 %) set aside for validation, by class, seed 7");
    assert_eq!(parts, split(&targets, DEFAULT_SHARE, 7).unwrap());
    assert_ne!(parts.valid, split(&targets, DEFAULT_SHARE, 8).unwrap().valid);
    // Not the first rows of a class.
    assert_ne!(parts.valid[..14], (0..14).collect::<Vec<_>>());
}

#[test]
fn remainders_go_to_the_largest() {
    // 20 % of 7, 3 and 2 is 1.4, 0.6 and 0.4, of all 12 it is 2.4: one for the first, and the one left over for the second.
    let targets = classes(&[7, 3, 2]);
    let parts = split(&targets, 0.2, 0).unwrap();
    let valid: Vec<usize> = (0..3).map(|class| of_class(&parts.valid, &targets, class)).collect();
    assert_eq!(valid, [1, 1, 0]);
}

#[test]
fn rare_classes_are_trained_on() {
    // 90 % is 0.9, 1.8 and 45, in all 48: 0, 1 and 45 at first, then one more where a row to train on stays.
    let targets = classes(&[1, 2, 50]);
    let parts = split(&targets, 0.9, 3).unwrap();
    assert_eq!((0..3).map(|class| of_class(&parts.train, &targets, class)).collect::<Vec<_>>(), [1, 1, 4]);
}

#[test]
fn a_regression_at_random_without_blank_rows() {
    let values: Vec<f64> = (0..50).map(|i| if i == 10 { f64::NAN } else { f64::from(i) * 0.5 }).collect();
    let (_, targets) = TargetSchema::infer(&table(vec![numbers("y", &values)]), "y", None).unwrap();
    let parts = split(&targets, 0.2, 1).unwrap();
    assert_eq!((parts.train.len(), parts.valid.len(), parts.stratified), (39, 10, false));
    assert!(!parts.train.contains(&10) && !parts.valid.contains(&10));
}

#[test]
fn what_cannot_be_split() {
    for (counts, share, part) in [
        (vec![1, 1], 0.5, "each of the 2 rows with a target has a class of its own"),
        (vec![2], 0.2, "too few"),
        (vec![], 0.2, "0 rows"),
        (vec![9, 9], 0.0, "the share 0 is not above 0 and below 1"),
        (vec![9, 9], 1.0, "share 1"),
        (vec![9, 9], f64::NAN, "share NaN"),
    ] {
        let error = split(&classes(&counts), share, 0).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

proptest! {
    #[test]
    fn parts_are_disjoint_complete_sorted_and_leave_no_class_behind(
        counts in prop::collection::vec(0usize..40, 1..8),
        share in 0.01f64..0.99,
        seed in any::<u64>(),
    ) {
        let targets = classes(&counts);
        if let Ok(parts) = split(&targets, share, seed) {
            let mut both = [parts.train.clone(), parts.valid.clone()].concat();
            both.sort_unstable();
            prop_assert_eq!(&both, &targets.rows);
            prop_assert!(parts.train.is_sorted() && parts.valid.is_sorted());
            for (class, &n) in counts.iter().enumerate() {
                prop_assert_eq!(n > 0, of_class(&parts.train, &targets, class as u32) > 0);
            }
            prop_assert!(parts.valid.len() as f64 <= share * both.len() as f64 + 0.5);
        }
    }
}
