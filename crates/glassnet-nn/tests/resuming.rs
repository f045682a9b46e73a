//! A run that is stopped after any step, written to parts and read again, ends with the bytes of the run that was not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod whole;

use glassnet_core::{Precision, Real, Team};
use glassnet_nn::doctor::{Doctor, DoctorState, Finding};
use glassnet_nn::early::EarlySpec;
use glassnet_nn::network::Network;
use glassnet_nn::source::{Draw, Source};
use glassnet_nn::train::{
    Batch, Control, Observer, Outcome, Rows, Silent, StepReport, Stop, TrainSpec, Trainer, TrainerState, View,
};
use serde_json::Value;
use whole::{Made, NETS, Row, bits, network};

/// A state as it goes to a file: the record as text, the arrays by name.
struct Kept<T> {
    record: String,
    arrays: Vec<(String, Vec<T>)>,
    doctor: String,
    steps: u64,
}

/// Keeps the state after every step and every epoch, with the doctor's.
struct KeepAll<T> {
    doctor: Doctor<T>,
    kept: Vec<Kept<T>>,
}

impl<T: Real> KeepAll<T> {
    fn keep(&mut self, view: &View<'_, T>) {
        let state = view.state();
        self.kept.push(Kept {
            record: state.record().to_string(),
            arrays: state.arrays().map(|(name, values)| (name.to_owned(), values.to_vec())).collect(),
            doctor: serde_json::to_string(&self.doctor.state()).unwrap(),
            steps: state.steps(),
        });
    }
}

impl<T: Real> Observer<T> for KeepAll<T> {
    fn start(&mut self, view: &View<'_, T>) -> Control {
        let control = self.doctor.start(view);
        self.keep(view);
        control
    }

    fn step(&mut self, report: &StepReport, view: &View<'_, T>) -> Control {
        let control = self.doctor.step(report, view);
        self.keep(view);
        control
    }

    fn epoch(&mut self, view: &View<'_, T>) -> Control {
        let control = self.doctor.epoch(view);
        self.keep(view);
        control
    }

    fn end(&mut self, stop: &Stop, view: &View<'_, T>) {
        self.doctor.end(stop, view);
    }
}

/// All of an outcome and what the doctor found, NaN included.
fn seen<T: Real>(outcome: &Outcome<T>, findings: &[Finding]) -> (Vec<u64>, String) {
    (bits(&outcome.parameters), format!("{:?} {:?} {findings:?}", outcome.history, outcome.stop))
}

/// Runs once without a stop, and once from each of its states with another number of threads. Gives how it ended.
fn every_stop<T: Real>(
    network: &Network,
    train: &dyn Source<T>,
    valid: Option<&dyn Source<T>>,
    spec: &TrainSpec,
) -> Stop {
    let rows: Vec<u32> = (0..train.rows() as u32).collect();
    let valid_rows: Vec<u32> = (0..valid.map_or(0, Source::rows) as u32).collect();
    let train = Rows { source: train, rows: &rows };
    let valid = valid.map(|source| Rows { source, rows: &valid_rows });
    let trainer = |threads| {
        Trainer::new(network, network.initialise(spec.seed), train, valid, spec.clone(), Team::new(threads)).unwrap()
    };
    let mut all = KeepAll { doctor: Doctor::new(), kept: Vec::new() };
    let outcome = trainer(1).run(&mut all);
    let wanted = seen(&outcome, all.doctor.findings());
    assert!(all.kept.len() > 6, "{} states", all.kept.len());
    for kept in all.kept {
        let record: Value = serde_json::from_str(&kept.record).unwrap();
        let state = TrainerState::from_parts(record, kept.arrays).unwrap();
        let doctor: DoctorState = serde_json::from_str(&kept.doctor).unwrap();
        let mut resumed = trainer(2);
        resumed.restore(&state).unwrap();
        assert_eq!(resumed.state(), state);
        let mut doctor = Doctor::new().with_state(doctor);
        let outcome = resumed.run(&mut doctor);
        assert!(seen(&outcome, doctor.findings()) == wanted, "stopped after step {}", kept.steps);
    }
    outcome.stop
}

fn spec(text: &str) -> TrainSpec {
    TrainSpec {
        epochs: 3,
        batch: Batch::Rows(4),
        optimizer: text.parse().unwrap(),
        lr: 0.02,
        seed: 5,
        ..TrainSpec::default()
    }
}

#[test]
fn momentum_dropout_accumulation_and_a_cosine() {
    let (text, row, lengths) = NETS[0];
    let net = network(text, row, lengths);
    let spec = TrainSpec { accumulate: 2, schedule: "warmup 3 -> cosine".parse().unwrap(), ..spec("momentum") };
    // 23 rows: the last step of an epoch has 7, its last micro-batch 3.
    assert_eq!(every_stop::<f32>(&net, &Made::new(&net, row, 23, lengths), None, &spec), Stop::Finished);
}

#[test]
fn batch_norm_plateau_and_the_best_epoch_of_an_early_stop() {
    let (text, row, lengths) = NETS[1];
    let net = network(text, row, lengths);
    let valid = Made { seed: 11, ..Made::new(&net, row, 9, lengths) };
    let spec = TrainSpec {
        epochs: 30,
        schedule: "plateau 0 0.5".parse().unwrap(),
        early: EarlySpec { patience: Some(3), ..EarlySpec::default() },
        ..spec("adam")
    };
    let source = Made::new(&net, row, 14, lengths);
    let stop = every_stop::<f64>(&net, &source, Some(&valid), &spec);
    assert!(matches!(stop, Stop::Early { epoch } if epoch < 30), "{stop:?}");
}

/// Everything that the recipe for tables adds: courses, factors, whole batches only, a best epoch by another metric.
#[test]
fn the_tabular_recipe_and_its_stop() {
    let (text, row, lengths) = NETS[0];
    let net = network(text, row, lengths);
    let valid = Made { seed: 11, ..Made::new(&net, row, 12, lengths) };
    let early = EarlySpec { last_of_equals: true, beyond_twice: Some(4), ..EarlySpec::default() };
    let spec =
        TrainSpec { epochs: 20, batch: Batch::Rows(4), accumulate: 2, seed: 5, early, ..TrainSpec::tabular(true) };
    // 23 rows: two steps of 8, seven rows left out.
    let stop = every_stop::<f32>(&net, &Made::new(&net, row, 23, lengths), Some(&valid), &spec);
    assert!(matches!(stop, Stop::Early { .. } | Stop::Finished), "{stop:?}");
}

#[test]
fn streams_carry_their_state_over() {
    let net = network("embed 6 -> gru 5 -> lstm 7 2 layers -> rnn 4", Row::Tokens(6), false);
    let spec = TrainSpec { streams: true, shuffle: false, epochs: 2, ..spec("adamw") };
    assert_eq!(every_stop::<f32>(&net, &Made::new(&net, Row::Tokens(6), 26, false), None, &spec), Stop::Finished);
}

#[test]
fn steps_that_end_inside_an_epoch_of_a_part_of_the_rows() {
    let (text, row, lengths) = NETS[9];
    let net = network(text, row, lengths);
    let spec = TrainSpec { steps: Some(11), epoch_rows: Some(18), ..spec("rmsprop") };
    assert_eq!(every_stop::<f32>(&net, &Made::new(&net, row, 40, lengths), None, &spec), Stop::Finished);
}

#[test]
fn recomputed_activations_of_a_gpt_with_dropout() {
    let (text, row, lengths) = NETS[12];
    let net = network(text, row, lengths);
    let valid = Made { seed: 11, ..Made::new(&net, row, 5, lengths) };
    let spec = TrainSpec { checkpoint_activations: true, epochs: 2, ..spec("adamw") };
    assert_eq!(every_stop::<f32>(&net, &Made::new(&net, row, 17, lengths), Some(&valid), &spec), Stop::Finished);
}

#[test]
fn products_in_bf16() {
    let (text, row, lengths) = NETS[0];
    let net = network(text, row, lengths);
    let spec = TrainSpec { precision: Precision::Bf16, ..spec("adamw") };
    assert_eq!(every_stop::<f32>(&net, &Made::new(&net, row, 23, lengths), None, &spec), Stop::Finished);
}

/// Rows that are changed at random for each step.
struct Noisy(Made);

impl Source<f32> for Noisy {
    fn rows(&self) -> usize {
        self.0.rows
    }

    fn width(&self) -> usize {
        Source::<f32>::width(&self.0)
    }

    fn features(&self, rows: &[u32], out: &mut [f32]) {
        self.0.features(rows, out);
    }

    fn features_at(&self, rows: &[u32], at: Draw, out: &mut [f32]) {
        self.0.features(rows, out);
        let width = Source::<f32>::width(self);
        for (place, row) in out.chunks_exact_mut(width).enumerate() {
            let place = at.position + place as u64;
            row[0] += (at.seed + 7 * u64::from(at.epoch) + 3 * place) as f32 % 5.0;
        }
    }

    fn label(&self, row: u32) -> i32 {
        Source::<f32>::label(&self.0, row)
    }

    fn target_width(&self) -> usize {
        1
    }

    fn values(&self, _row: u32, out: &mut [f32]) {
        out.fill(0.0);
    }
}

#[test]
fn rows_that_are_changed_by_their_place_in_the_epoch() {
    let net = network("6 tanh", Row::Of(&[4]), false);
    let noisy = Noisy(Made::new(&net, Row::Of(&[4]), 21, false));
    assert_eq!(every_stop::<f32>(&net, &noisy, None, &spec("sgd")), Stop::Finished);
}

#[test]
fn a_validation_loss_that_is_not_finite_comes_back_as_it_was() {
    let net = network("6 relu", Row::Of(&[4]), false);
    let valid = Noisy(Made { seed: 2, padding: 0.0, ..Made::new(&net, Row::Of(&[4]), 3, false) });
    struct Infinite(Noisy);
    impl Source<f32> for Infinite {
        fn rows(&self) -> usize {
            3
        }
        fn width(&self) -> usize {
            4
        }
        fn features(&self, rows: &[u32], out: &mut [f32]) {
            self.0.features(rows, out);
            out[0] = f32::INFINITY;
        }
        fn label(&self, row: u32) -> i32 {
            self.0.label(row)
        }
        fn target_width(&self) -> usize {
            1
        }
        fn values(&self, _row: u32, out: &mut [f32]) {
            out.fill(0.0);
        }
    }
    let made = Made::new(&net, Row::Of(&[4]), 13, false);
    assert_eq!(every_stop::<f32>(&net, &made, Some(&Infinite(valid)), &spec("adam")), Stop::Finished);
}

#[test]
fn steps_of_ones_own_go_on_too() {
    let net = network("6 tanh -> dropout 0.3", Row::Of(&[4]), false);
    let source = Made::new(&net, Row::Of(&[4]), 16, false);
    let rows: Vec<u32> = (0..16).collect();
    let part = Rows { source: &source as &dyn Source<f32>, rows: &rows };
    let trainer = || Trainer::new(&net, net.initialise(1), part, None, spec("adam"), Team::single()).unwrap();
    let mut whole = trainer();
    whole.step(&rows[..4], 0, 0).unwrap();
    let state = whole.state().into_owned();
    whole.step(&rows[4..8], 0, 4).unwrap();
    let mut second = trainer();
    second.restore(&state).unwrap();
    second.step(&rows[4..8], 0, 4).unwrap();
    assert_eq!(second.state(), whole.state());
    assert_ne!(second.state(), state);
}

#[test]
fn a_state_of_another_run_is_refused_and_changes_nothing() {
    let net = network("6 tanh", Row::Of(&[4]), false);
    let source = Made::new(&net, Row::Of(&[4]), 16, false);
    let rows: Vec<u32> = (0..16).collect();
    let part = Rows { source: &source as &dyn Source<f32>, rows: &rows };
    let trainer =
        |spec: TrainSpec| Trainer::new(&net, net.initialise(spec.seed), part, None, spec, Team::single()).unwrap();
    let mut all = KeepAll { doctor: Doctor::new(), kept: Vec::new() };
    trainer(spec("adam")).run(&mut all);
    let kept = &all.kept[6];
    let change = |edit: &dyn Fn(&mut Value), other: TrainSpec| {
        let mut record: Value = serde_json::from_str(&kept.record).unwrap();
        edit(&mut record);
        let state = TrainerState::from_parts(record, kept.arrays.clone())?;
        let mut trainer = trainer(other);
        let before = bits(trainer.parameters());
        let result = trainer.restore(&state);
        assert_eq!(bits(trainer.parameters()) == before, result.is_err());
        result
    };
    let said = |edit: &dyn Fn(&mut Value), other: TrainSpec, word: &str| {
        let error = change(edit, other).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    let same: &dyn Fn(&mut Value) = &|_| {};
    assert_eq!(change(same, spec("adam")), Ok(()));
    said(same, spec("momentum"), "no array moment.momentum_buffer");
    said(same, spec("sgd"), "4 arrays, this run has 2");
    said(same, TrainSpec { batch: Batch::Rows(3), ..spec("adam") }, "row 4");
    said(same, TrainSpec { epochs: 1, ..spec("adam") }, "no end of a step here");
    // The fourth step of the second epoch.
    let number = |key: &'static str, value: u64| move |record: &mut Value| record[key] = value.into();
    for (key, value, word) in [
        ("epoch", u64::MAX, "epochs are done"),
        ("epoch", 2, "after step"),
        ("position", u64::MAX, "row 18446744073709551615"),
        ("position", 8, "after step"),
        ("steps", u64::MAX, "after step"),
        ("optimizer_steps", u64::MAX, "after step"),
        ("best_epoch", 7, "history"),
    ] {
        said(&number(key, value), spec("adam"), word);
    }
    said(&|record| record["early"]["waited"] = u64::MAX.into(), spec("adam"), "early stopping");
    said(&|record| record["epochs"] = Value::Array(Vec::new()), spec("adam"), "history");
    said(&|record| record["ratios"] = Value::Array(Vec::new()), spec("adam"), "update sizes");
    said(&|record| record["slots"][0] = "other".into(), spec("adam"), "other parameters");
    said(&|record| record["sums"] = Value::Null, spec("adam"), "its record says");
    assert!(matches!(trainer(spec("adam")).run(&mut Silent).stop, Stop::Finished));
}
