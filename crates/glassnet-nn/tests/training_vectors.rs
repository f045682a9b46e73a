//! Optimizers, clipping, schedules and initialisations against PyTorch's numbers.
#![allow(clippy::unwrap_used, reason = "a vector that cannot be read is a failed test")]

mod oracle;

use glassnet_core::slots::{Role, Slots};
use glassnet_kernels::Real;
use glassnet_nn::clip::{Clip, global_norm};
use glassnet_nn::init::{Fans, std};
use glassnet_nn::optimizer::{Optimizer, OptimizerSpec};
use glassnet_nn::schedule::{Schedule, ScheduleSpec, Shape};
use glassnet_nn::spec::Init;
use oracle::{Case, assert_close, load, load_op};
use serde_json::Value;

/// f64 agrees to rounding, f32 to the 1e-6 that ten steps may gather.
fn tolerance(case: &Case) -> f64 {
    if case.dtype == "f64" { 1e-13 } else { 1e-6 }
}

fn convert<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&value| T::from_f64(value)).collect()
}

/// The case's settings read as a configuration file would be: names are PyTorch's but for the betas.
fn spec(case: &Case) -> OptimizerSpec {
    let mut settings = case.attributes.clone();
    settings.remove("lr");
    settings.insert("kind".into(), Value::from(case.op.as_str()));
    serde_json::from_value(settings.into_iter().collect()).unwrap()
}

fn ten_steps<T: Real>(case: &Case) {
    let mut slots = Slots::default();
    slots.push("weight", case.shape("weight"), Role::Weight);
    let mut optimizer = Optimizer::<T>::new(spec(case).checked().unwrap(), &slots);
    let mut weight: Vec<T> = convert(case.parameter("weight"));
    for (step, (gradients, after)) in case.input("grads").chunks(17).zip(case.output("after").chunks(17)).enumerate() {
        optimizer.step(&slots, &mut weight, &convert::<T>(gradients), case.number("lr"));
        let found: Vec<f64> = weight.iter().map(|w| w.to_f64()).collect();
        assert_close(&found, after, tolerance(case), &format!("{}, step {}", case.label(), step + 1));
    }
}

#[test]
fn optimizers_take_pytorchs_ten_steps() {
    for case in load("optimizers") {
        if case.dtype == "f64" { ten_steps::<f64>(&case) } else { ten_steps::<f32>(&case) }
    }
}

fn clips<T: Real>(case: &Case) {
    let (weight, bias) = (case.input("0.weight"), case.input("0.bias"));
    let mut gradients: Vec<T> = convert(&[weight, bias].concat());
    let by_norm = case.op == "clip_grad_norm";
    let clip =
        if by_norm { Clip::Norm { max: case.number("max_norm") } } else { Clip::Value { max: case.number("limit") } };
    let before = global_norm(&gradients);
    let norm = clip.apply(&mut gradients);
    assert_eq!(norm, before, "{}", case.label());
    if by_norm {
        assert_close(&[norm], case.output("norm"), tolerance(case), &case.label());
    }
    let found: Vec<f64> = gradients.iter().map(|g| g.to_f64()).collect();
    let wanted = [case.output("0.weight"), case.output("0.bias")].concat();
    assert_close(&found, &wanted, tolerance(case), &case.label());
}

#[test]
fn clipping_is_pytorchs() {
    for case in load("clipping") {
        if case.dtype == "f64" { clips::<f64>(&case) } else { clips::<f32>(&case) }
    }
}

fn schedule(shape: Shape, lr: f64, steps_per_epoch: u64, epochs: u64) -> Schedule {
    Schedule::new(ScheduleSpec { warmup: 0, shape }, lr, steps_per_epoch, epochs).unwrap()
}

fn assert_rates(schedule: &Schedule, case: &Case) {
    let wanted = case.output("lr");
    let found: Vec<f64> = (0..wanted.len()).map(|step| schedule.rate(step as u64)).collect();
    assert_close(&found, wanted, 1e-15, &case.label());
}

#[test]
fn pure_schedules_are_pytorchs() {
    for case in load_op("schedules", "step_lr", "f64") {
        let shape = Shape::Step { every: case.count("step_size") as u64, factor: case.number("gamma") };
        assert_rates(&schedule(shape, case.number("lr"), 1, 13), &case);
    }
    for case in load_op("schedules", "cosine_annealing_lr", "f64") {
        let shape = Shape::Cosine { floor: case.number("eta_min") / case.number("lr") };
        assert_rates(&schedule(shape, case.number("lr"), 1, case.count("t_max") as u64), &case);
    }
    for case in load_op("schedules", "one_cycle_lr", "f64") {
        let (rise, start, end) = (case.number("pct_start"), case.number("div_factor"), case.number("final_div_factor"));
        let shape = Shape::OneCycle { rise, start, end };
        assert_rates(&schedule(shape, case.number("max_lr"), case.count("total_steps") as u64, 1), &case);
    }
}

#[test]
fn plateau_is_pytorchs() {
    for case in load_op("schedules", "reduce_lr_on_plateau", "f64") {
        let shape = Shape::Plateau {
            patience: case.count("patience") as u64,
            factor: case.number("factor"),
            threshold: case.number("threshold"),
            cooldown: case.count("cooldown") as u64,
            min_lr: case.number("min_lr"),
        };
        let mut schedule = schedule(shape, case.number("lr"), 1, 100);
        let mut rates = vec![schedule.rate(0)];
        for &loss in case.input("metrics") {
            let before = schedule.rate(0);
            let reduced = schedule.observe(loss);
            assert_eq!(reduced, schedule.rate(0) < before, "{}", case.label());
            rates.push(schedule.rate(0));
        }
        assert_close(&rates, case.output("lr"), 1e-15, &case.label());
    }
}

#[test]
fn initial_deviations_are_pytorchs() {
    let pairs = [
        ("xavier_normal", "gain 1", Init::XavierNormal),
        ("xavier_uniform", "gain 1", Init::XavierUniform),
        ("kaiming_normal", "fan in, relu", Init::HeNormal),
        ("kaiming_uniform", "fan in, relu", Init::HeUniform),
        ("linear_default", "weight", Init::Pytorch),
        ("linear_default", "bias", Init::Pytorch),
    ];
    for (op, name, init) in pairs {
        let cases = load_op("initialisation", op, "f64");
        let case = cases.iter().find(|case| case.name == name).unwrap();
        let std = std(init, Fans::new(case.count("fan_in"), case.count("fan_out")));
        assert_close(&[std * std], case.output("variance"), 1e-15, &case.label());
    }
}
