//! The optimizers against the textbook formulas, written out here in f64 and plain loops, over ten steps; and what they
//! promise about slots, state and bad hyperparameters.
#![allow(clippy::unwrap_used, reason = "a failed setup is a failed test")]

use glassnet_core::slots::{Role, SlotId, Slots};
use glassnet_kernels::Real;
use glassnet_nn::optimizer::{Adam, AdamW, Optimizer, OptimizerSpec, RmsProp, Sgd, StateError, UpdateSizes};

const STEPS: usize = 10;

/// A weight [5, 7] with decay and a bias [5] without.
fn slots() -> Slots {
    let mut slots = Slots::default();
    slots.push("0.weight", &[5, 7], Role::Weight);
    slots.push("0.bias", &[5], Role::Bias);
    slots
}

/// Numbers in [-1, 1] that f32 holds exactly, so that both types start from the same.
fn number(i: usize) -> f64 {
    f64::from(((i * 2_654_435_761) % 2001) as f32 / 1000.0 - 1.0)
}

fn start() -> Vec<f64> {
    (0..40).map(number).collect()
}

fn gradient(step: usize) -> Vec<f64> {
    (0..40).map(|i| number(1000 + 41 * step + i)).collect()
}

fn power(base: f64, n: usize) -> f64 {
    (0..n).fold(1.0, |p, _| p * base)
}

/// One parameter through ten steps by the formulas as papers print them.
fn reference(spec: &OptimizerSpec, mut p: f64, gradients: &[f64], lr: f64, decay: f64) -> f64 {
    let (mut m, mut v, mut b) = (0.0, 0.0, 0.0);
    for (i, &g) in gradients.iter().enumerate() {
        match spec {
            OptimizerSpec::Sgd(o) => {
                let g = g + decay * p;
                b = if i == 0 { g } else { o.momentum * b + (1.0 - o.dampening) * g };
                p -= lr * if o.nesterov { g + o.momentum * b } else { b };
            }
            OptimizerSpec::RmsProp(o) => {
                let g = g + decay * p;
                v = o.alpha * v + (1.0 - o.alpha) * g * g;
                m = o.alpha * m + (1.0 - o.alpha) * g;
                let variance = if o.centered { v - m * m } else { v };
                b = o.momentum * b + g / (variance.sqrt() + o.eps);
                p -= lr * b;
            }
            OptimizerSpec::Adam(Adam { beta1, beta2, eps, .. })
            | OptimizerSpec::AdamW(AdamW { beta1, beta2, eps, .. }) => {
                let coupled = matches!(spec, OptimizerSpec::Adam(_));
                let g = if coupled { g + decay * p } else { g };
                if !coupled {
                    p -= lr * decay * p;
                }
                m = beta1 * m + (1.0 - beta1) * g;
                v = beta2 * v + (1.0 - beta2) * g * g;
                let m_hat = m / (1.0 - power(*beta1, i + 1));
                let v_hat = v / (1.0 - power(*beta2, i + 1));
                p -= lr * m_hat / (v_hat.sqrt() + eps);
            }
        }
    }
    p
}

fn specs() -> Vec<OptimizerSpec> {
    let sgd = Sgd { momentum: 0.9, weight_decay: 0.1, ..Sgd::default() };
    let rms = RmsProp { weight_decay: 0.1, ..RmsProp::default() };
    let adam = Adam { weight_decay: 0.1, ..Adam::default() };
    vec![
        OptimizerSpec::Sgd(Sgd { weight_decay: 0.1, ..Sgd::default() }),
        OptimizerSpec::Sgd(sgd),
        OptimizerSpec::Sgd(Sgd { dampening: 0.3, ..sgd }),
        OptimizerSpec::Sgd(Sgd { nesterov: true, ..sgd }),
        OptimizerSpec::RmsProp(rms),
        OptimizerSpec::RmsProp(RmsProp { momentum: 0.9, ..rms }),
        OptimizerSpec::RmsProp(RmsProp { alpha: 0.4, ..rms }),
        OptimizerSpec::RmsProp(RmsProp { centered: true, eps: 1e-3, ..rms }),
        OptimizerSpec::RmsProp(RmsProp { centered: true, momentum: 0.5, eps: 1e-3, ..rms }),
        OptimizerSpec::Adam(Adam::default()),
        OptimizerSpec::Adam(adam),
        OptimizerSpec::Adam(Adam { beta1: 0.3, beta2: 0.0, ..adam }),
        OptimizerSpec::AdamW(AdamW { weight_decay: 0.1, ..AdamW::default() }),
    ]
}

fn run<T: Real>(
    spec: OptimizerSpec,
    slots: &Slots,
    steps: std::ops::Range<usize>,
    o: Option<Optimizer<T>>,
) -> Vec<f64> {
    let mut p: Vec<T> = start().into_iter().map(T::from_f64).collect();
    let mut optimizer = o.unwrap_or_else(|| Optimizer::new(spec.checked().unwrap(), slots));
    for step in steps {
        let g: Vec<T> = gradient(step).into_iter().map(T::from_f64).collect();
        optimizer.step(slots, &mut p, &g, 0.01);
    }
    p.into_iter().map(T::to_f64).collect()
}

#[test]
fn ten_steps_follow_the_textbook_in_both_types() {
    let mut slots = slots();
    slots.get_mut(SlotId(1)).lr_factor = 0.5;
    for spec in specs() {
        let double = run::<f64>(spec, &slots, 0..STEPS, None);
        let single = run::<f32>(spec, &slots, 0..STEPS, None);
        for (i, &p) in start().iter().enumerate() {
            let gradients: Vec<f64> = (0..STEPS).map(|step| gradient(step)[i]).collect();
            let (lr, decay) = if i < 35 { (0.01, spec.weight_decay()) } else { (0.005, 0.0) };
            let wanted = reference(&spec, p, &gradients, lr, decay);
            assert!((double[i] - wanted).abs() < 1e-12, "{spec:?} {i}: {} {wanted}", double[i]);
            assert!((single[i] - wanted).abs() < 1e-6, "{spec:?} {i}: {} {wanted}", single[i]);
        }
    }
}

#[test]
fn adams_first_step_is_lr_in_the_gradients_direction() {
    let slots = slots();
    let p = run::<f64>(OptimizerSpec::default(), &slots, 0..1, None);
    for ((new, old), g) in p.iter().zip(start()).zip(gradient(0)) {
        let wanted = old - 0.01 * g / (g.abs() + 1e-8);
        assert!((new - wanted).abs() < 1e-12, "{new} {wanted}");
    }
}

#[test]
fn a_constant_gradient_gives_centered_rmsprop_no_nan() {
    let slots = slots();
    let spec = OptimizerSpec::RmsProp(RmsProp { centered: true, alpha: 0.5, ..RmsProp::default() });
    let mut optimizer = Optimizer::<f32>::new(spec.checked().unwrap(), &slots);
    let gradients: Vec<f32> = (0..40).map(|i| 0.1 + i as f32 / 7.0).collect();
    let mut p = vec![0.0_f32; 40];
    for _ in 0..200 {
        optimizer.step(&slots, &mut p, &gradients, 1e-6);
    }
    assert!(p.iter().all(|p| p.is_finite()), "{p:?}");
}

#[test]
fn a_frozen_slot_stays() {
    let mut slots = slots();
    slots.get_mut(SlotId(0)).lr_factor = 0.0;
    for spec in specs() {
        let p = run::<f32>(spec, &slots, 0..STEPS, None);
        let old = start();
        assert_eq!(p[..35], old[..35], "{spec:?}");
        assert!(p[35..].iter().zip(&old[35..]).all(|(new, old)| new != old), "{spec:?}");
    }
}

#[test]
fn a_restored_optimizer_goes_on_with_the_same_bytes() {
    let slots = slots();
    for spec in specs() {
        let checked = spec.checked().unwrap();
        let mut whole = Optimizer::<f32>::new(checked, &slots);
        let mut p: Vec<f32> = start().iter().map(|&x| x as f32).collect();
        let step = |optimizer: &mut Optimizer<f32>, p: &mut [f32], step: usize| {
            let g: Vec<f32> = gradient(step).iter().map(|&x| x as f32).collect();
            optimizer.step(&slots, p, &g, 0.01);
        };
        (0..4).for_each(|i| step(&mut whole, &mut p, i));
        let (moments, steps) = whole.state();
        assert_eq!((moments.len(), steps), (spec.moment_names().len(), 4));
        let saved: Vec<&[f32]> = moments.iter().map(Vec::as_slice).collect();
        let mut resumed = Optimizer::<f32>::new(checked, &slots);
        resumed.restore(&saved, steps, &slots).unwrap();
        let mut q = p.clone();
        (4..8).for_each(|i| step(&mut whole, &mut p, i));
        (4..8).for_each(|i| step(&mut resumed, &mut q, i));
        assert_eq!(p, q, "{spec:?}");
        assert_eq!(whole, resumed);
    }
}

#[test]
fn a_foreign_state_is_refused_and_changes_nothing() {
    let slots = slots();
    let spec = OptimizerSpec::default().checked().unwrap();
    let mut optimizer = Optimizer::<f64>::new(spec, &slots);
    let untouched = optimizer.clone();
    let (whole, short) = (vec![1.0; 40], vec![1.0; 39]);
    let error = optimizer.restore(&[&whole], 3, &slots).unwrap_err();
    assert_eq!(error, StateError::Count { optimizer: "adam", wanted: 2, found: 1 });
    let error = optimizer.restore(&[&whole, &short], 3, &slots).unwrap_err();
    assert_eq!(error, StateError::Length { moment: "exp_avg_sq", wanted: 40, found: 39 });
    assert!(error.to_string().contains("hint: "));
    assert_eq!(optimizer, untouched);
}

#[test]
fn memory_counts_the_moments() {
    let slots = slots();
    let bytes = |name: &str| name.parse::<OptimizerSpec>().unwrap().memory::<f32>(&slots);
    let wanted = [("sgd", 0), ("momentum", 160), ("nesterov", 160), ("rmsprop", 160), ("adam", 320), ("adamw", 320)];
    for (name, wanted) in wanted {
        assert_eq!(bytes(name), wanted, "{name}");
        let spec = name.parse::<OptimizerSpec>().unwrap();
        assert_eq!(spec.name(), name);
        let held: usize =
            Optimizer::<f32>::new(spec.checked().unwrap(), &slots).state().0.iter().map(|m| m.len() * 4).sum();
        assert_eq!(held, wanted, "{name}");
    }
}

#[test]
fn update_sizes_are_ratios_of_root_mean_squares() {
    let slots = slots();
    let mut sizes = UpdateSizes::<f64>::new(&slots);
    assert_eq!(sizes.ratios(), [None, None]);
    let mut p = [vec![2.0; 35], vec![0.0; 5]].concat();
    sizes.before(&p);
    p[..35].fill(1.99);
    p[35..].fill(0.1);
    let ratios = sizes.after(&slots, &p).to_vec();
    assert!((ratios[0].unwrap() - 0.005).abs() < 1e-12, "{ratios:?}");
    assert_eq!(ratios[1], None, "an all-zero bias has nothing to compare with");
    // A second comparison starts from where the first ended.
    let ratios = sizes.after(&slots, &p);
    assert_eq!(ratios, [Some(0.0), Some(0.0)]);
}

#[test]
fn every_bad_hyperparameter_has_its_line() {
    let message = |spec: OptimizerSpec| spec.checked().unwrap_err().to_string();
    let adam = Adam { beta1: 1.0, beta2: -0.1, eps: 0.0, weight_decay: f64::NAN };
    assert_eq!(
        message(OptimizerSpec::Adam(adam)),
        "adam: beta1 = 1: must be in [0, 1)\nadam: beta2 = -0.1: must be in [0, 1)\n\
         adam: eps = 0: must be greater than 0\nadam: weight_decay = NaN: must be 0 or more"
    );
    let sgd = Sgd { nesterov: true, ..Sgd::default() };
    assert_eq!(
        message(OptimizerSpec::Sgd(sgd)),
        "sgd: momentum = 0: must be greater than 0 for Nesterov (0.9 is usual)"
    );
    let sgd = Sgd { momentum: 0.9, dampening: 0.5, ..sgd };
    assert_eq!(message(OptimizerSpec::Sgd(sgd)), "sgd: dampening = 0.5: must be 0 for Nesterov");
    let rms = RmsProp { alpha: 2.0, ..RmsProp::default() };
    assert_eq!(message(OptimizerSpec::RmsProp(rms)), "rmsprop: alpha = 2: must be in [0, 1)");
    let adamw = AdamW { weight_decay: -1.0, ..AdamW::default() };
    assert_eq!(message(OptimizerSpec::AdamW(adamw)), "adamw: weight_decay = -1: must be 0 or more");
}

#[test]
fn names_and_files_are_read() {
    let error = "adm".parse::<OptimizerSpec>().unwrap_err().to_string();
    assert_eq!(
        error,
        "no optimizer is called \"adm\"\n  hint: did you mean \"adam\"? (one of sgd, momentum, nesterov, rmsprop, adam, adamw)"
    );
    for spec in specs() {
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<OptimizerSpec>(&text).unwrap(), spec, "{text}");
    }
    let short: OptimizerSpec = serde_json::from_str(r#"{"kind": "adamw", "beta2": 0.95}"#).unwrap();
    assert_eq!(short, OptimizerSpec::AdamW(AdamW { beta2: 0.95, ..AdamW::default() }));
    let error = serde_json::from_str::<OptimizerSpec>(r#"{"kind": "adam", "beta3": 0.95}"#).unwrap_err();
    assert!(error.to_string().contains("beta3"), "{error}");
}

#[test]
fn betas_stand_behind_the_name() {
    use glassnet_nn::optimizer::{AdamW, OptimizerSpec};
    let spec: OptimizerSpec = "AdamW 0.9 0.99".parse().unwrap();
    assert_eq!(spec, OptimizerSpec::AdamW(AdamW { beta2: 0.99, ..AdamW::default() }));
    assert!("adam 0.9 1.5".parse::<OptimizerSpec>().unwrap().checked().is_err());
    assert!("adam 0.9".parse::<OptimizerSpec>().is_err());
    assert!("sgd 0.9 0.99".parse::<OptimizerSpec>().is_err());
}
