//! The reference vectors of training are there: optimizers, clipping, schedules, a network, initialisations.

mod oracle;

use oracle::{assert_close, assert_counts, load, load_op, to_f32, to_f64};

const BOTH: &[&str] = &["f64", "f32"];

#[test]
fn every_part_of_training_has_its_cases() {
    assert_counts("optimizers", BOTH, &[("sgd", 7), ("rmsprop", 4), ("adam", 3), ("adamw", 2)]);
    assert_counts("clipping", BOTH, &[("clip_grad_norm", 3), ("clip_grad_value", 2)]);
    assert_counts("network", BOTH, &[("network", 1)]);
    assert_counts("recipe", BOTH, &[("recipe", 2)]);
    let schedules = [
        ("step_lr", 2),
        ("cosine_annealing_lr", 2),
        ("linear_lr", 2),
        ("one_cycle_lr", 2),
        ("reduce_lr_on_plateau", 6),
    ];
    assert_counts("schedules", &["f64"], &schedules);
    let initialisations = [
        ("xavier_normal", 1),
        ("xavier_uniform", 1),
        ("kaiming_normal", 2),
        ("kaiming_uniform", 2),
        ("linear_default", 2),
    ];
    assert_counts("initialisation", &["f64"], &initialisations);
}

#[test]
fn optimizer_cases_have_ten_steps_and_one_without_gradient() {
    for case in load("optimizers") {
        assert_eq!(case.shape("weight"), [17], "{}", case.label());
        assert_eq!(case.shape("grads"), [10, 17], "{}", case.label());
        assert_eq!(case.shape("after"), [10, 17], "{}", case.label());
        let still: Vec<usize> =
            (0..10).filter(|&t| case.input("grads")[t * 17..][..17].iter().all(|&g| g == 0.0)).collect();
        assert_eq!(still, [4], "{}", case.label());
    }
}

#[test]
fn plain_sgd_by_hand_is_as_pytorch_has_it() {
    for case in load_op("optimizers", "sgd", "f64").iter().filter(|case| case.name == "plain") {
        let mut weight = case.parameter("weight").to_vec();
        for (grads, after) in case.input("grads").chunks(17).zip(case.output("after").chunks(17)) {
            weight.iter_mut().zip(grads).for_each(|(w, g)| *w -= case.number("lr") * g);
            assert_close(&weight, after, 1e-15, &case.label());
        }
    }
}

#[test]
fn f32_values_survive_the_file() {
    for case in load_op("optimizers", "adam", "f32") {
        let after = case.output("after");
        assert_eq!(to_f64(&to_f32(after)), after, "{}", case.label());
    }
}
