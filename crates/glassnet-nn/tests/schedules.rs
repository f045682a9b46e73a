//! The schedules against values worked out apart from the code under test.
#![allow(clippy::unwrap_used, reason = "a failed setup is a failed test")]

use glassnet_kernels::Real;
use glassnet_nn::schedule::{PlateauState, Schedule};

fn schedule(text: &str, lr: f64, steps_per_epoch: u64, epochs: u64) -> Schedule {
    Schedule::new(text.parse().unwrap(), lr, steps_per_epoch, epochs).unwrap()
}

fn assert_close(found: f64, wanted: f64, what: &str) {
    assert!((found - wanted).abs() <= 1e-12 * wanted.abs().max(1e-3), "{what}: {found}, wanted {wanted}");
}

#[test]
fn step_changes_at_the_epochs() {
    let s = schedule("step 2 0.5", 0.8, 3, 6);
    let rates: Vec<f64> = (0..18).map(|step| s.rate(step)).collect();
    let wanted = [[0.8; 6], [0.4; 6], [0.2; 6]].concat();
    for (found, wanted) in rates.iter().zip(&wanted) {
        assert_close(*found, *wanted, "step");
    }
}

/// torch.optim.lr_scheduler.CosineAnnealingLR(T_max = 8): its recursion, which is another formula.
#[test]
fn cosine_follows_pytorchs_recursion() {
    let s = schedule("cosine 0.1", 0.5, 4, 2);
    let (mut rate, floor) = (0.5_f64, 0.05);
    assert_close(s.rate(0), rate, "0");
    for t in 1..=8_u64 {
        let angle = |t: u64| 1.0 + Real::cos(std::f64::consts::PI * t as f64 / 8.0);
        rate = angle(t) / angle(t - 1) * (rate - floor) + floor;
        assert_close(s.rate(t), rate, &t.to_string());
    }
    assert_close(s.rate(100), 0.05, "past the end");
}

/// OneCycleLR(max_lr = 1, total_steps = 10): the ten rates of PyTorch's phases [0, 2] and [2, 9].
#[test]
fn one_cycle_has_pytorchs_phases() {
    let s = schedule("onecycle", 1.0, 5, 2);
    let anneal =
        |from: f64, to: f64, share: f64| to + (from - to) / 2.0 * (1.0 + Real::cos(std::f64::consts::PI * share));
    for step in 0..10_u64 {
        let wanted = if step <= 2 {
            anneal(0.04, 1.0, step as f64 / 2.0)
        } else {
            anneal(1.0, 0.04 / 1e4, (step - 2) as f64 / 7.0)
        };
        assert_close(s.rate(step), wanted, &step.to_string());
    }
    assert_close(s.rate(0), 0.04, "start");
    assert_close(s.rate(1), 0.52, "half way up");
    assert_close(s.rate(2), 1.0, "peak");
    assert_close(s.rate(9), 4e-6, "end");
}

#[test]
fn one_cycle_of_a_very_short_run_is_finite() {
    for steps in 1..5 {
        let s = schedule("onecycle", 1.0, steps, 1);
        for step in 0..steps + 1 {
            let rate = s.rate(step);
            assert!(rate > 0.0 && rate <= 1.0, "{steps} steps, step {step}: {rate}");
        }
    }
}

#[test]
fn warm_up_rises_in_a_line_to_the_start_of_what_follows() {
    let s = schedule("warmup 4 -> cosine", 0.4, 12, 1);
    for (step, wanted) in [0.1, 0.2, 0.3, 0.4, 0.4].iter().enumerate() {
        assert_close(s.rate(step as u64), *wanted, &step.to_string());
    }
    // The cosine has the 8 steps that are left.
    assert_close(s.rate(8), 0.2, "half way down");
    assert_close(schedule("warmup 4", 0.4, 12, 1).rate(11), 0.4, "constant");
}

#[test]
fn plateau_waits_reduces_and_cools_down() {
    // patience 1, factor 0.5, threshold 0.1, cooldown 1.
    let mut s = schedule("plateau 1 0.5 0.1 1", 0.8, 1, 100);
    let losses = [1.0, 0.95, 0.92, 0.91, 0.9, 0.91, 0.8, f64::NAN, 0.8];
    //            best  bad   bad->reduce  cooldown  bad  bad->reduce  best(cooling) bad bad->reduce
    let reduced: Vec<bool> = losses.iter().map(|&loss| s.observe(loss)).collect();
    assert_eq!(reduced, [false, false, true, false, false, true, false, false, true]);
    assert_close(s.rate(50), 0.1, "after three");
    assert_eq!(s.state().map(|s| s.best), Some(Some(0.8)));
}

#[test]
fn an_infinite_first_loss_is_no_gain() {
    let mut s = schedule("plateau 0 0.5", 0.1, 1, 100);
    assert!(s.observe(f64::INFINITY));
    assert_eq!(s.state().map(|s| s.best), Some(None));
    assert!(!s.observe(5.0));
}

#[test]
fn plateau_keeps_the_least_rate() {
    let mut s = schedule("plateau 0 0.1 0.0001 0 0.05", 0.1, 1, 100);
    assert!(!s.observe(1.0));
    assert!(s.observe(1.0));
    assert_eq!(s.rate(0), 0.05);
    assert!(!s.observe(1.0), "nothing left to reduce");
}

#[test]
fn plateaus_state_can_be_saved() {
    let losses = [1.0, 1.0, 0.9, 1.0, 1.0, 0.95, 0.7, 0.8, 0.8, 0.8];
    let mut whole = schedule("plateau 1 0.5", 0.1, 1, 20);
    let whole_rates: Vec<f64> = losses.iter().map(|&l| (whole.observe(l), whole.rate(0)).1).collect();
    let mut first = schedule("plateau 1 0.5", 0.1, 1, 20);
    let mut rates: Vec<f64> = losses[..4].iter().map(|&l| (first.observe(l), first.rate(0)).1).collect();
    let saved = serde_json::to_string(&first.state().unwrap()).unwrap();
    let mut second = schedule("plateau 1 0.5", 0.1, 1, 20);
    second.restore(serde_json::from_str::<PlateauState>(&saved).unwrap());
    rates.extend(losses[4..].iter().map(|&l| (second.observe(l), second.rate(0)).1));
    assert_eq!(rates, whole_rates);
    assert_ne!(rates.first(), rates.last());
    assert_eq!(schedule("cosine", 0.1, 1, 20).state(), None);
}

#[test]
fn a_bad_rate_and_a_bad_shape_are_both_told() {
    use glassnet_nn::schedule::{ScheduleSpec, Shape};
    let spec = ScheduleSpec { warmup: 0, shape: Shape::Cosine { floor: 2.0 } };
    let message = Schedule::new(spec, 0.0, 1, 1).unwrap_err().to_string();
    assert_eq!(message, "training: lr = 0: must be greater than 0\nschedule cosine: floor = 2: must be in [0, 1]");
}

/// Zero where a wave begins, the base rate in its middle (in log2(1 + 15 t)), and the values of its formula between.
#[test]
fn coslog4_has_four_waves_of_doubling_length() {
    let s = schedule("coslog4", 0.04, 15, 4);
    for step in [0, 4, 12, 28, 60] {
        assert!(s.rate(step).abs() < 1e-17, "{step}: {}", s.rate(step));
    }
    // log2(1 + 15 t) = 1/2, 3/2, ...: no whole step of 60, so of a run of 15 million.
    let long = schedule("coslog4", 0.04, 15_000_000, 1);
    for wave in 0..4 {
        let t = (Real::pow(2.0, f64::from(wave) + 0.5) - 1.0) / 15.0;
        let found = long.rate((t * 15e6).round() as u64);
        assert!((found - 0.04).abs() < 1e-12, "{wave}: {found}");
    }
    // t = 1/30: log2(1.5); t = 1/10: log2(2.5); t = 1/3: log2(6).
    for (step, wanted) in [(2, 0.930430970431205), (6, 0.7183546884620604), (20, 0.9304309704312057)] {
        assert_close(s.rate(step), 0.04 * wanted, "between");
    }
    assert!(s.rate(1000).abs() < 1e-17, "past the end");
}

#[test]
fn flat_cos_is_flat_and_then_a_cosine() {
    let s = schedule("flat_cos", 0.15, 25, 4);
    for step in [0, 1, 49, 50] {
        assert_eq!(s.rate(step), 0.15, "{step}");
    }
    assert_close(s.rate(75), 0.075, "three quarters");
    assert_close(s.rate(60), 0.15 * (1.0 + Real::cos(0.2 * std::f64::consts::PI)) / 2.0, "60");
    assert!(s.rate(100).abs() < 1e-17 && s.rate(500).abs() < 1e-17);
    let warmed = schedule("warmup 20 -> flat_cos", 1.0, 20, 5);
    assert_eq!((warmed.rate(0), warmed.rate(19), warmed.rate(60)), (0.05, 1.0, 1.0));
    assert_close(warmed.rate(80), 0.5, "three quarters of what follows the warm-up");
}
