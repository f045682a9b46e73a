//! Ticks over random spans: inside, in order, different from each other, and saying where they stand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use glassnet_report::plot::ticks::{Tick, linear, logarithmic, span};
use proptest::prelude::*;

/// What a label says as a number.
fn said(label: &str) -> f64 {
    label.replace(',', "").replace('−', "-").parse().unwrap_or_else(|error| panic!("{label}: {error}"))
}

fn check(ticks: &[Tick], low: f64, high: f64, most: usize) -> Result<(), TestCaseError> {
    prop_assert!(ticks.len() <= most, "{} ticks of {most}: {ticks:?}", ticks.len());
    let room = (high - low) * 1e-6;
    for tick in ticks {
        prop_assert!(tick.value.is_finite() && (low - room..=high + room).contains(&tick.value), "{tick:?}");
    }
    for pair in ticks.windows(2) {
        prop_assert!(pair[0].value < pair[1].value && pair[0].label != pair[1].label, "{ticks:?}");
    }
    for (place, tick) in ticks.iter().enumerate() {
        // A label may round, but by less than a hundredth of the way to the tick beside it.
        let off = (said(&tick.label) - tick.value).abs();
        let beside = [place.checked_sub(1), Some(place + 1)].into_iter().flatten().filter_map(|at| ticks.get(at));
        let step = beside.map(|other| (other.value - tick.value).abs()).fold(f64::INFINITY, f64::min);
        prop_assert!(off <= 0.01 * step, "{tick:?} is off by {off}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn linear_ticks(low in -1.0..1.0f64, width in 1e-6..1.0f64, power in -12..12i32, most in 3usize..12) {
        let scale = 10f64.powi(power);
        let (low, high) = (low * scale, (low + width) * scale);
        let ticks = linear(low, high, most);
        check(&ticks, low, high, most)?;
        prop_assert!(ticks.len() >= 2 || most < 5, "{low} to {high}, {most}: {ticks:?}");
        // All steps are the same.
        let steps: Vec<f64> = ticks.windows(2).map(|pair| pair[1].value - pair[0].value).collect();
        for step in &steps {
            prop_assert!((step / steps[0] - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn logarithmic_ticks(from in -40.0..40.0f64, decades in 0.01..30.0f64, most in 3usize..10) {
        let (low, high) = (10f64.powf(from), 10f64.powf(from + decades));
        let ticks = logarithmic(low, high, most);
        check(&ticks, low, high, most)?;
        prop_assert!(!ticks.is_empty(), "{low} to {high}");
    }

    #[test]
    fn spans_hold_their_values(values in proptest::collection::vec(proptest::num::f64::ANY, 0..6)) {
        let (low, high) = span(values.iter().copied());
        prop_assert!(low < high && low.is_finite() && high.is_finite());
        for value in values.iter().filter(|value| value.is_finite() && value.abs() <= 1e300) {
            prop_assert!((low..=high).contains(value));
        }
        let ticks = linear(low, high, 6);
        prop_assert!(ticks.len() <= 6 && ticks.iter().all(|tick| tick.value.is_finite()));
    }
}

#[test]
fn nice_numbers() {
    let labels = |low, high, most| linear(low, high, most).into_iter().map(|tick| tick.label).collect::<Vec<_>>();
    assert_eq!(labels(0.0, 1.0, 6), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    assert_eq!(labels(-30.0, 30.0, 7), ["−30", "−20", "−10", "0", "10", "20", "30"]);
    assert_eq!(labels(0.31, 0.52, 6), ["0.35", "0.40", "0.45", "0.50"]);
    assert_eq!(labels(0.0, 5e8, 6), ["0", "1e8", "2e8", "3e8", "4e8", "5e8"]);
    assert_eq!(
        labels(1e-9, 3e-9, 5),
        ["1e-9", "1.5e-9", "2e-9", "2.5e-9", "3e-9"].map(|label| label.replace('-', "−"))
    );
    let labels = |low, high, most| logarithmic(low, high, most).into_iter().map(|tick| tick.label).collect::<Vec<_>>();
    assert_eq!(labels(0.02, 0.6, 6), ["0.02", "0.05", "0.1", "0.2", "0.5"]);
    assert_eq!(labels(1.0, 1e12, 5), ["1", "1,000", "1,000,000", "1e9", "1e12"]);
}
