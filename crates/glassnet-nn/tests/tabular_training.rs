//! What the recipe for tables asks of training: against PyTorch, and against its own words.
#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod oracle;

use std::sync::atomic::{AtomicUsize, Ordering};

use glassnet_core::random::{Draws, Purpose};
use glassnet_core::slots::SlotId;
use glassnet_core::{Real, Runner, Team};
use glassnet_nn::calibration::{calibrated_log_loss, line_log_loss};
use glassnet_nn::early::EarlySpec;
use glassnet_nn::functional::evaluate;
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::optimizer::{AdamW, OptimizerSpec};
use glassnet_nn::recipe::{TableLayout, tabular};
use glassnet_nn::source::Matrix;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::members::{Member, MemberError, Why, seed, train};
use glassnet_nn::train::{
    Batch, BestBy, Control, Observer, Outcome, Rows, Silent, StepReport, Stop, TrainError, TrainSpec, Trainer,
    TrainerState, View,
};
use oracle::{Case, assert_close, load_op};

fn follow<T: Real>(case: &Case, tolerance: f64) {
    let text = |name: &str| case.attributes[name].as_str().unwrap();
    let network = Network::new(&text("layers").parse::<NetSpec>().unwrap(), Some(&LossSpec::cross_entropy())).unwrap();
    let given: Vec<(&str, &[f64])> =
        case.parameters.iter().map(|(name, values)| (name.as_str(), values.as_slice())).collect();
    let parameters: Vec<T> = network.parameters_from(&given).unwrap();
    let x = case.input("x").iter().map(|&x| T::from_f64(x)).collect();
    let data = Matrix::with_labels(x, 3, case.labels.iter().map(|&label| label as i32).collect());
    let (steps, rows) = (case.count("steps"), case.count("rows"));
    let batches: Vec<u32> = (0..(steps * rows) as u32).collect();
    let adam = AdamW {
        beta1: case.number("beta1"),
        beta2: case.number("beta2"),
        eps: case.number("eps"),
        weight_decay: case.number("decay"),
    };
    let spec = TrainSpec {
        epochs: 1,
        batch: Batch::Rows(rows),
        lr: case.number("lr"),
        schedule: "coslog4".parse().unwrap(),
        decay_schedule: "flat_cos".parse().unwrap(),
        optimizer: OptimizerSpec::AdamW(adam),
        factors: text("factors").parse().unwrap(),
        ..TrainSpec::default()
    };
    let part = Rows { source: &data, rows: &batches };
    let mut trainer = Trainer::new(&network, parameters, part, None, spec, Team::single()).unwrap();
    let losses: Vec<f64> = batches.chunks(rows).map(|batch| trainer.step(batch, 0, 0).unwrap().loss).collect();
    assert_close(&losses, case.output("losses"), tolerance, "losses");
    for slot in network.graph.slots().iter() {
        let after: Vec<f64> =
            network.slot(&slot.name, trainer.parameters()).unwrap().iter().map(|value| value.to_f64()).collect();
        assert_close(&after, case.output(&slot.name), tolerance, &slot.name);
    }
}

#[test]
fn thirty_steps_of_the_recipe_are_pytorchs() {
    // The optimizer alone, and the whole recipe, numbers as waves and by parts.
    assert_eq!(load_op("recipe", "recipe", "f64").len(), 2);
    load_op("recipe", "recipe", "f64").iter().for_each(|case| follow::<f64>(case, 1e-10));
    load_op("recipe", "recipe", "f32").iter().for_each(|case| follow::<f32>(case, 1e-5));
}

/// Every slot of the recipe's network has the factors that RealMLP's code gives it (numbers by parts, which it does not have, those of its waves); its squared factors as a factor of the decay.
#[test]
fn the_rules_reach_every_part_of_the_recipes_network() {
    let layout = TableLayout { numbers: 3, others: 2, categories: vec![11] };
    let network = Network::new(&tabular(&layout, 2, false), Some(&LossSpec::cross_entropy())).unwrap();
    let factors = TrainSpec::tabular(true).factors;
    assert_eq!(factors.unused(&network.graph), [""; 0]);
    let mut seen = Vec::new();
    for (number, slot) in factors.apply(&network.graph).iter().enumerate() {
        let node = network.graph.nodes().iter().find(|node| node.slots.contains(&SlotId(number))).unwrap();
        let part = slot.name.rsplit('.').next().unwrap();
        let wanted = match (node.op.card().name, part) {
            // State, which no step changes.
            ("piecewise", "edges") => (1.0, 0.0),
            ("scale", _) => (6.0, 6.0),
            ("parametric" | "periodic" | "piecewise", _) => (0.1, 0.1),
            (_, "bias") => (0.1, 0.0),
            (_, "weight") => (1.0, 1.0),
            other => panic!("{other:?}"),
        };
        assert_eq!((slot.lr_factor, slot.decay_factor), wanted, "{}", slot.name);
        seen.push(node.op.card().name);
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, ["categories", "linear", "parametric", "periodic", "piecewise", "scale"]);
}

/// Rows of four numbers, of two classes that overlap.
fn rows(count: usize, seed: u64) -> Matrix<f32> {
    rows_above(count, seed, 0.0)
}

/// The same where the second class begins at `bar`: the higher, the rarer it is.
fn rows_above(count: usize, seed: u64, bar: f64) -> Matrix<f32> {
    let draws = Draws::new(seed, Purpose::Synthetic, 0, 0);
    let x: Vec<f32> = (0..count * 4).map(|i| draws.normal(i as u64) as f32).collect();
    let noise = Draws::new(seed, Purpose::Synthetic, 1, 0);
    let labels = (0..count).map(|row| {
        let signal = f64::from(x[4 * row] + x[4 * row + 1] * x[4 * row + 2]);
        i32::from(signal + noise.normal(row as u64) > bar)
    });
    let labels = labels.collect();
    Matrix::with_labels(x, 4, labels)
}

fn numbers(count: usize) -> Vec<u32> {
    (0..count as u32).collect()
}

fn network(text: &str, loss: &LossSpec, outputs: usize) -> Network {
    Network::for_data(&text.parse().unwrap(), 4, outputs, Some(loss)).unwrap()
}

/// Small enough to be quick: 8 epochs of 6 batches.
fn small() -> TrainSpec {
    TrainSpec { epochs: 8, batch: Batch::Rows(32), seed: 3, ..TrainSpec::tabular(true) }
}

/// Keeps what each step and each epoch said.
#[derive(Default)]
struct Seen {
    steps: Vec<StepReport>,
    /// The parameters at each epoch's end.
    epochs: Vec<Vec<f32>>,
}

impl Observer<f32> for Seen {
    fn step(&mut self, report: &StepReport, _view: &View<'_, f32>) -> Control {
        self.steps.push(*report);
        Control::Continue
    }

    fn epoch(&mut self, view: &View<'_, f32>) -> Control {
        self.epochs.push(view.parameters.to_vec());
        Control::Continue
    }
}

fn run(network: &Network, spec: TrainSpec, data: &Matrix<f32>, valid: &Matrix<f32>) -> (Outcome<f32>, Seen) {
    let (train_rows, valid_rows) = (numbers(data.x.len() / 4), numbers(valid.x.len() / 4));
    let train = Rows { source: data, rows: &train_rows };
    let valid = Rows { source: valid, rows: &valid_rows };
    let initial = network.initialise(spec.seed);
    let mut seen = Seen::default();
    let outcome = Trainer::new(network, initial, train, Some(valid), spec, Team::single()).unwrap().run(&mut seen);
    (outcome, seen)
}

#[test]
fn a_short_last_batch_is_dropped_and_the_waves_end_with_the_run() {
    let (data, valid) = (rows(200, 1), rows(50, 2));
    let net = network("8 tanh -> dropout 0.3", &LossSpec::cross_entropy(), 2);
    let (outcome, seen) = run(&net, small(), &data, &valid);
    assert_eq!(outcome.stop, Stop::Finished);
    assert_eq!(seen.steps.len(), 48);
    assert!(seen.steps.iter().all(|step| step.total_steps == 48 && step.rows == 192 && step.weight == 32.0));
    let lr: Vec<f64> = seen.steps.iter().map(|step| step.lr).collect();
    // 48 steps: t = 1/15, 1/5, 7/15 lie between steps; the first step stands at 0.
    assert!(lr[0].abs() < 1e-17 && lr[1] > 0.01);
    let falls: Vec<usize> = (1..47).filter(|&i| lr[i] < lr[i - 1] && lr[i] <= lr[i + 1]).collect();
    assert_eq!(falls, [3, 10, 22], "{lr:?}");
    // All rows in one batch: nothing is dropped.
    let all = TrainSpec { batch: Batch::Rows(256), ..small() };
    let (_, seen) = run(&net, all, &data, &valid);
    assert!(seen.steps.len() == 8 && seen.steps[0].weight == 200.0);
}

#[test]
fn the_best_epoch_is_that_of_the_lowest_calibrated_loss() {
    let (data, valid) = (rows(120, 1), rows(60, 2));
    let net = network("32 tanh -> 32 tanh", &LossSpec::cross_entropy(), 2);
    let spec = TrainSpec { epochs: 12, lr: 0.2, batch: Batch::Rows(16), ..small() };
    let (outcome, seen) = run(&net, spec.clone(), &data, &valid);
    let labels: Vec<usize> =
        (0..60).map(|row| glassnet_nn::source::Source::<f32>::label(&valid, row) as usize).collect();
    let of = |parameters: &Vec<f32>| {
        let mut runner = Runner::new(net.evaluation_plan(60), Team::single());
        let found = evaluate(&net, &mut runner, parameters, &valid, &numbers(60));
        calibrated_log_loss(&found.logits, 2, &labels, None)
    };
    let metrics: Vec<f64> = seen.epochs.iter().map(of).collect();
    let told: Vec<f64> = outcome.history.epochs.iter().map(|epoch| epoch.metric.unwrap()).collect();
    assert_eq!(metrics, told);
    let lowest = (0..12).min_by(|&a, &b| metrics[a].total_cmp(&metrics[b])).unwrap();
    assert_eq!(outcome.history.best_epoch, Some(lowest as u64 + 1));
    assert_eq!(outcome.parameters, seen.epochs[lowest]);
    // The plain loss says another epoch: the network grows too sure.
    let losses: Vec<f64> = outcome.history.epochs.iter().map(|epoch| epoch.valid_loss.unwrap()).collect();
    assert!(metrics.iter().zip(&losses).any(|(metric, loss)| *metric < 0.95 * loss), "{metrics:?} {losses:?}");

    // Of equal errors the last epoch is kept.
    let (outcome, seen) = run(&net, TrainSpec { best_by: BestBy::Error, ..spec }, &data, &valid);
    let errors: Vec<f64> = outcome.history.epochs.iter().map(|epoch| epoch.metric.unwrap()).collect();
    let lowest = errors.iter().fold(1.0_f64, |low, &error| low.min(error));
    let last = errors.iter().rposition(|&error| error == lowest).unwrap();
    assert_eq!(outcome.history.best_epoch, Some(last as u64 + 1), "{errors:?}");
    assert_eq!(outcome.parameters, seen.epochs[last]);
}

type Judge = fn(&[f32], usize, &[usize], Option<&[f64]>) -> f64;

/// Where the base rate has moved between training and validation rows, the epoch is the best after a line of log-odds; where it has
/// not, or where the rows are too few to tell a line, after a temperature.
#[test]
fn a_moved_base_rate_does_not_choose_the_epoch() {
    let labels_of = |valid: &Matrix<f32>, count: u32| -> Vec<usize> {
        (0..count).map(|row| glassnet_nn::source::Source::<f32>::label(valid, row) as usize).collect()
    };
    let spec = TrainSpec { epochs: 10, lr: 0.2, batch: Batch::Rows(16), ..small() };
    let mut differ = 0;
    for (count, bar, after_line) in [(1200, 1.0, true), (1200, 0.0, false), (900, 1.0, false)] {
        for one_logit in [false, true] {
            let (mut data, mut valid) = (rows(200, 1), rows_above(count as usize, 2, bar));
            let labels = labels_of(&valid, count);
            let (loss, width) = match one_logit {
                true => (LossSpec::binary_cross_entropy(), 1),
                false => (LossSpec::cross_entropy(), 2),
            };
            if one_logit {
                for part in [&mut data, &mut valid] {
                    let y = labels_of(part, part.x.len() as u32 / 4).into_iter().map(|label| label as f32).collect();
                    part.targets = glassnet_nn::source::Targets::Values(y, 1);
                }
            }
            let net = network("16 tanh", &loss, width);
            let (outcome, seen) = run(&net, spec.clone(), &data, &valid);
            let metrics = |judge: Judge| -> Vec<f64> {
                let of = |parameters: &Vec<f32>| {
                    let mut runner = Runner::new(net.evaluation_plan(count as usize), Team::single());
                    let found = evaluate(&net, &mut runner, parameters, &valid, &numbers(count as usize));
                    judge(&found.logits, width, &labels, None)
                };
                seen.epochs.iter().map(of).collect()
            };
            let (line, temperature) = (metrics(line_log_loss), metrics(calibrated_log_loss));
            let told: Vec<f64> = outcome.history.epochs.iter().map(|epoch| epoch.metric.unwrap()).collect();
            assert_eq!(told, if after_line { line.clone() } else { temperature.clone() }, "{count} {bar} {one_logit}");
            let lowest = |all: &[f64]| (0..10).min_by(|&a, &b| all[a].total_cmp(&all[b])).unwrap() as u64 + 1;
            assert_eq!(outcome.history.best_epoch, Some(lowest(&told)));
            differ += usize::from(after_line && lowest(&line) != lowest(&temperature));
        }
    }
    assert!(differ > 0, "both ways choose the same epochs");
}

#[test]
fn one_logit_and_values_have_their_metrics_too() {
    let (mut data, mut valid) = (rows(96, 1), rows(40, 2));
    for part in [&mut data, &mut valid] {
        let y = (0..part.x.len() as u32 / 4).map(|row| glassnet_nn::source::Source::<f32>::label(part, row) as f32);
        part.targets = glassnet_nn::source::Targets::Values(y.collect(), 1);
    }
    let spec = TrainSpec { best_by: BestBy::CalibratedLogLoss, ..small() };
    let net = network("6 relu", &LossSpec::binary_cross_entropy(), 1);
    let (outcome, _) = run(&net, spec.clone(), &data, &valid);
    assert!(outcome.history.epochs.iter().all(|epoch| epoch.metric.is_some_and(|metric| metric > 0.0 && metric < 1.0)));

    let net = network("6 relu", &LossSpec::MeanSquared, 1);
    let values = TrainSpec { best_by: BestBy::Rmse, ..small() };
    let (outcome, _) = run(&net, values, &data, &valid);
    assert!(outcome.history.epochs.iter().all(|epoch| epoch.metric == epoch.valid.rmse && epoch.metric.is_some()));

    let all = numbers(96);
    let part = Rows { source: &data, rows: &all };
    let refused = Trainer::new(&net, net.initialise::<f32>(0), part, None, spec, Team::single()).err();
    assert_eq!(refused, Some(TrainError::BestBy("calibrated_log_loss")));
    let plateau = TrainSpec { dropout_schedule: "plateau".parse().unwrap(), ..TrainSpec::default() };
    let refused = Trainer::new(&net, net.initialise::<f32>(0), part, None, plateau, Team::single()).err();
    assert_eq!(refused, Some(TrainError::Plateau("dropout")));
}

#[test]
fn dropout_fades_with_its_schedule() {
    let (data, valid) = (rows(96, 1), rows(40, 2));
    let spec = |schedule: &str| TrainSpec { dropout_schedule: schedule.parse().unwrap(), ..small() };
    let losses = |text: &str, schedule: &str| {
        let (_, seen) = run(&network(text, &LossSpec::cross_entropy(), 2), spec(schedule), &data, &valid);
        seen.steps.iter().map(|step| step.loss).collect::<Vec<f64>>()
    };
    let (constant, flat) = (losses("8 tanh -> dropout 0.4", "constant"), losses("8 tanh -> dropout 0.4", "flat_cos"));
    let same = constant.iter().zip(&flat).position(|(a, b)| a != b).unwrap();
    // 24 steps; the course falls from the middle on: at step 12 it still stands at 1.
    assert_eq!((flat.len(), same), (24, 13));
    // Halved after each epoch of three steps.
    let off = spec("step 1 0.5");
    let (_, seen) = run(&network("8 tanh -> dropout 0.4", &LossSpec::cross_entropy(), 2), off, &data, &valid);
    assert_ne!(seen.steps[3].loss, constant[3]);
    assert_eq!(seen.steps[2].loss, constant[2]);
}

#[test]
fn a_stop_far_beyond_twice_the_best_epoch_ends_a_run() {
    let (data, valid) = (rows(64, 1), rows(40, 9));
    let net = network("64 tanh", &LossSpec::cross_entropy(), 2);
    let early = EarlySpec { beyond_twice: Some(3), ..EarlySpec::default() };
    let spec = TrainSpec { epochs: 200, lr: 0.05, schedule: "constant".parse().unwrap(), early, ..small() };
    let (outcome, _) = run(&net, spec, &data, &valid);
    let best = outcome.history.best_epoch.unwrap();
    assert_eq!(outcome.stop, Stop::Early { epoch: 2 * best + 4 });
}

fn members<'a>(net: &'a Network, train: Rows<'a, f32>, valid: Rows<'a, f32>, count: usize) -> Vec<Member<'a, f32>> {
    let member = |number| Member {
        network: net,
        train,
        valid: Some(valid),
        spec: TrainSpec { seed: seed(40, number), ..small() },
        state: None,
    };
    (0..count).map(member).collect()
}

fn initial(_: usize, member: &Member<'_, f32>) -> Vec<f32> {
    member.network.initialise(member.spec.seed)
}

#[test]
fn members_have_the_bytes_that_each_would_have_alone() {
    let (data, valid) = (rows(200, 1), rows(50, 2));
    let (train_rows, valid_rows) = (numbers(200), numbers(50));
    let net = network("8 tanh -> dropout 0.3", &LossSpec::cross_entropy(), 2);
    let (part, held) = (Rows { source: &data, rows: &train_rows }, Rows { source: &valid, rows: &valid_rows });
    let all = members(&net, part, held, 5);
    let alone: Vec<Outcome<f32>> =
        (0..5).map(|number| run(&net, TrainSpec { seed: 40 + number, ..small() }, &data, &valid).0).collect();
    assert_ne!(alone[0].parameters, alone[1].parameters);
    for threads in [1, 2, 3, 8, 16] {
        let done = train(&all, threads, &initial, &|_| Seen::default()).unwrap();
        assert_eq!(done.len(), 5);
        for (trained, alone) in done.iter().zip(&alone) {
            assert_eq!(&trained.outcome, alone, "{threads} threads");
            assert_eq!(trained.observer.steps.len(), 48);
        }
    }
    assert!(train(&[], 2, &initial, &|_| Silent).unwrap().is_empty());
}

/// Asks to stop at its own third step, where it is the one to do so.
struct Asks(bool);

impl Observer<f32> for Asks {
    fn step(&mut self, report: &StepReport, _view: &View<'_, f32>) -> Control {
        if self.0 && report.step == 3 { Control::Stop } else { Control::Continue }
    }
}

/// Keeps the state after that step.
struct Keeps(u64, Option<TrainerState<'static, f32>>);

impl Observer<f32> for Keeps {
    fn step(&mut self, report: &StepReport, view: &View<'_, f32>) -> Control {
        if report.step == self.0 {
            self.1 = Some(view.state().into_owned());
        }
        Control::Continue
    }
}

#[test]
fn a_wish_to_stop_reaches_all_members_and_they_go_on_later() {
    let (data, valid) = (rows(200, 1), rows(50, 2));
    let (train_rows, valid_rows) = (numbers(200), numbers(50));
    let net = network("8 tanh -> dropout 0.3", &LossSpec::cross_entropy(), 2);
    let (part, held) = (Rows { source: &data, rows: &train_rows }, Rows { source: &valid, rows: &valid_rows });
    let all = members(&net, part, held, 3);
    let begun = AtomicUsize::new(0);
    let stopped = train(&all, 1, &initial, &|number| {
        begun.fetch_add(1, Ordering::Relaxed);
        Asks(number == 1)
    })
    .unwrap();
    let ends: Vec<&Stop> = stopped.iter().map(|trained| &trained.outcome.stop).collect();
    assert_eq!(ends, [&Stop::Finished, &Stop::Asked, &Stop::Asked]);
    assert_eq!(begun.into_inner(), 3);
    assert_eq!(stopped[2].outcome.parameters, initial(2, &all[2]));

    // Each goes on from where it was kept, each from another place.
    let whole = train(&all, 2, &initial, &|_| Silent).unwrap();
    let kept = train(&all, 2, &initial, &|number| Keeps(7 + 11 * number as u64, None)).unwrap();
    let states: Vec<_> = kept.into_iter().map(|trained| trained.observer.1.unwrap()).collect();
    assert_eq!([0, 1, 2].map(|member| states[member].steps()), [7, 18, 29]);
    let resumed: Vec<Member<'_, f32>> = members(&net, part, held, 3)
        .into_iter()
        .zip(&states)
        .map(|(member, state)| Member { state: Some(state.clone()), ..member })
        .collect();
    let done = train(&resumed, 3, &initial, &|_| Silent).unwrap();
    assert!(done.iter().zip(&whole).all(|(a, b)| a.outcome == b.outcome));
}

#[test]
fn a_member_that_cannot_begin_is_named() {
    let data = rows(20, 1);
    let (some, none) = (numbers(20), numbers(0));
    let net = network("4 tanh", &LossSpec::cross_entropy(), 2);
    let member = |rows| Member {
        network: &net,
        train: Rows { source: &data, rows },
        valid: None,
        spec: TrainSpec::default(),
        state: None,
    };
    let all = [member(&some[..]), member(&none[..]), member(&some[..])];
    let refused = train(&all, 2, &initial, &|_| Silent).unwrap_err();
    assert_eq!(refused, MemberError { member: 2, why: Why::Train(TrainError::NoRows) });
    assert_eq!(refused.to_string(), "member 2: there are no rows to train on");
}
