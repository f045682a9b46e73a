//! Runs of so many steps, epochs of a part of the rows, streams, rows of different lengths, running statistics,
//! recomputed activations: what they do to a whole run.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod whole;

use std::sync::Arc;

use glassnet_core::{Plan, Purpose, Real, Request, Runner, StepInfo, Team};
use glassnet_nn::early::EarlySpec;
use glassnet_nn::functional::evaluate;
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::optimizer::OptimizerSpec;
use glassnet_nn::source::Source;
use glassnet_nn::spec::shapes::RowShape;
use glassnet_nn::spec::{LayerSpec, NetSpec, ReorderLayer, SequenceLayer};
use glassnet_nn::train::{
    Batch, Control, Observer, Outcome, Rows, Silent, StepReport, Stop, TrainError, TrainSpec, Trainer, View,
};
use whole::{Made, Row, bits, network, parameters};

fn adam() -> OptimizerSpec {
    "adam".parse().unwrap()
}

/// Remembers what each step reported.
#[derive(Default)]
struct Log(Vec<StepReport>);

impl<T> Observer<T> for Log {
    fn step(&mut self, report: &StepReport, _view: &View<'_, T>) -> Control {
        self.0.push(*report);
        Control::Continue
    }
}

fn run<T: Real>(
    network: &Network,
    source: &dyn Source<T>,
    valid: Option<&dyn Source<T>>,
    spec: TrainSpec,
    threads: usize,
) -> Result<(Outcome<T>, Vec<StepReport>), TrainError> {
    let rows: Vec<u32> = (0..source.rows() as u32).collect();
    let valid_rows: Vec<u32> = (0..valid.map_or(0, Source::rows) as u32).collect();
    let valid = valid.map(|source| Rows { source, rows: &valid_rows });
    let start = network.initialise(spec.seed);
    let train = Rows { source, rows: &rows };
    let trainer = Trainer::new(network, start, train, valid, spec, Team::new(threads))?;
    let mut log = Log::default();
    let outcome = trainer.run(&mut log);
    Ok((outcome, log.0))
}

#[test]
fn a_run_of_steps_ends_in_the_middle_of_an_epoch() {
    let net = network("6 tanh", Row::Of(&[4]), false);
    let source = Made::new(&net, Row::Of(&[4]), 25, false);
    let spec = TrainSpec {
        batch: Batch::Rows(4),
        steps: Some(17),
        epochs: 1,
        schedule: "cosine".parse().unwrap(),
        lr: 0.1,
        ..TrainSpec::default()
    };
    // 7 steps an epoch, the last of one row.
    assert_eq!((spec.steps_per_epoch(25), spec.whole_epochs(25)), (7, 3));
    let (outcome, log) = run::<f64>(&net, &source, None, spec.clone(), 1).unwrap();
    assert_eq!(outcome.stop, Stop::Finished);
    assert_eq!(log.len(), 17);
    assert!(log.iter().all(|step| step.total_steps == 17), "{log:?}");
    assert_eq!(
        log.iter().map(|step| step.epoch).collect::<Vec<_>>(),
        [[1; 7], [2; 7]].concat().into_iter().chain([3; 3]).collect::<Vec<_>>()
    );
    assert_eq!(outcome.history.epochs.iter().map(|epoch| epoch.steps).collect::<Vec<_>>(), [7, 14, 17]);
    // The cosine falls over the 17 steps, not over 21.
    for step in &log {
        let share = (step.step - 1) as f64 / 17.0;
        let wanted = 0.1 * (1.0 + Real::cos(std::f64::consts::PI * share)) / 2.0;
        assert!((step.lr - wanted).abs() < 1e-12, "{step:?}: {wanted}");
    }
    // The first steps are those of a run of whole epochs, where the rate does not know the end.
    let constant = TrainSpec { schedule: "constant".parse().unwrap(), ..spec };
    let (_, part) = run::<f64>(&net, &source, None, constant.clone(), 1).unwrap();
    let (_, whole) = run::<f64>(&net, &source, None, TrainSpec { steps: None, epochs: 3, ..constant }, 1).unwrap();
    assert_eq!(whole.len(), 21);
    for (part, whole) in part.iter().zip(&whole) {
        assert_eq!(part.loss.to_bits(), whole.loss.to_bits());
    }
}

#[test]
fn an_epoch_of_a_part_of_the_rows() {
    let net = network("6 tanh", Row::Of(&[4]), false);
    let source = Made::new(&net, Row::Of(&[4]), 40, false);
    let spec = TrainSpec { batch: Batch::Rows(4), epoch_rows: Some(10), epochs: 3, ..TrainSpec::default() };
    let (outcome, log) = run::<f64>(&net, &source, None, spec.clone(), 1).unwrap();
    assert_eq!(log.len(), 9);
    assert!(log.iter().all(|step| step.rows == 10 && step.rows_done <= 10 && step.total_steps == 9), "{log:?}");
    assert_eq!(outcome.history.epochs.len(), 3);
    // With steps beside it, and more rows than there are.
    let steps = TrainSpec { steps: Some(5), ..spec.clone() };
    assert_eq!(run::<f64>(&net, &source, None, steps, 1).unwrap().1.len(), 5);
    let more = TrainSpec { epoch_rows: Some(1000), epochs: 1, ..spec };
    assert_eq!(run::<f64>(&net, &source, None, more, 1).unwrap().1.len(), 10);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let net = network("embed 4 -> lstm 4", Row::Tokens(5), false);
    let source = Made::new(&net, Row::Tokens(5), 12, false);
    let refused = |spec: TrainSpec| run::<f64>(&net, &source, None, spec, 1).unwrap_err().to_string();
    let base = TrainSpec { batch: Batch::Rows(4), ..TrainSpec::default() };
    let said = refused(TrainSpec { streams: true, accumulate: 2, ..base.clone() });
    assert!(said.contains("cannot be accumulated") && said.contains("hint"), "{said}");
    let said = refused(TrainSpec { steps: Some(0), ..base.clone() });
    assert!(said.contains("steps"), "{said}");
    let said = refused(TrainSpec { epoch_rows: Some(0), ..base });
    assert!(said.contains("epoch_rows"), "{said}");
}

/// A text of records: a mark (2), a random bit, blanks (4), a mark (3), the bit again. By turns there are 2 blanks and 10:
/// the bit comes again after 4 and after 12 tokens, and no window of 8 holds the longer record.
struct Echo {
    tokens: Vec<i32>,
    context: usize,
}

impl Echo {
    fn new(records: u64, context: usize) -> Self {
        let draws = glassnet_core::random::Draws::new(8, glassnet_core::random::Purpose::Synthetic, 4, 0);
        let record = |number: u64| {
            let bit = draws.below(number, 2) as i32;
            let blanks = if number.is_multiple_of(2) { 2 } else { 10 };
            [vec![2, bit], vec![4; blanks], vec![3, bit]].concat()
        };
        let mut tokens: Vec<i32> = (0..records).flat_map(record).collect();
        tokens.push(0);
        Echo { tokens, context }
    }
}

impl<T: Real> Source<T> for Echo {
    fn rows(&self) -> usize {
        (self.tokens.len() - 1) / self.context
    }
    fn width(&self) -> usize {
        self.context
    }
    fn features(&self, _rows: &[u32], out: &mut [T]) {
        out.fill(T::ZERO);
    }
    fn tokens(&self, rows: &[u32], out: &mut [i32]) {
        for (out, &row) in out.chunks_exact_mut(self.context).zip(rows) {
            out.copy_from_slice(&self.tokens[row as usize * self.context..][..self.context]);
        }
    }
    fn labels_width(&self) -> usize {
        self.context
    }
    fn labels(&self, row: u32, out: &mut [i32]) {
        out.copy_from_slice(&self.tokens[row as usize * self.context + 1..][..self.context]);
    }
    fn label(&self, _row: u32) -> i32 {
        0
    }
    fn target_width(&self) -> usize {
        1
    }
    fn values(&self, _row: u32, out: &mut [T]) {
        out.fill(T::ZERO);
    }
}

fn text_network(net: &str, context: usize, vocabulary: usize) -> Network {
    let spec: NetSpec = net.parse().unwrap();
    let row = RowShape::tokens(context, vocabulary);
    Network::for_rows(&spec, &row, vocabulary, Some(&LossSpec::cross_entropy())).unwrap()
}

/// The logits of the second window of 8, its state carried over from the first, are those of one window of 16.
#[test]
fn windows_of_a_stream_are_one_long_window() {
    for net in ["embed 3 -> lstm 5 2 layers", "embed 3 -> gru 5", "embed 3 -> rnn 5 relu", "embed 4 -> rnn 4 -> lstm 3"]
    {
        let (short, long) = (text_network(net, 8, 3), text_network(net, 16, 3));
        let parameters: Vec<f32> = parameters(&short, 3);
        let tokens: Vec<i32> = (0..32).map(|at| at * 7 % 5 % 3).collect();
        let run = |network: &Network, threads: usize, windows: &[&[i32]]| -> Vec<f32> {
            let plan = network.plan(Purpose::Train, 2);
            let mut runner = Runner::<f32>::new(plan, Team::new(threads));
            runner.set_rows(2);
            let mut all = Vec::new();
            for (at, window) in windows.iter().enumerate() {
                runner.labels_mut(network.x).copy_from_slice(window);
                let objective = network.objective.as_ref().unwrap();
                runner.labels_mut(objective.target).fill(0);
                runner.input_mut(objective.weight).fill(1.0);
                let time = at * network.inputs();
                runner.forward(&parameters, &StepInfo { time, denominator: 2.0, ..StepInfo::default() });
                all.extend_from_slice(runner.value(network.logits).unwrap());
            }
            all
        };
        // Two streams: tokens 0..16 and 16..32.
        let first: Vec<i32> = [&tokens[..8], &tokens[16..24]].concat();
        let second: Vec<i32> = [&tokens[8..16], &tokens[24..]].concat();
        let whole = run(&long, 1, &[&tokens]);
        for threads in [1, 2] {
            let windows = run(&short, threads, &[&first, &second]);
            for stream in 0..2 {
                let of = |window: usize| &windows[(window * 2 + stream) * 24..][..24];
                let wanted = &whole[stream * 48..][..48];
                assert_eq!(bits(of(0)), bits(&wanted[..24]), "{net}");
                assert_eq!(bits(of(1)), bits(&wanted[24..]), "{net}: the second window goes on");
            }
            // Without the carry it would not.
            let fresh = run(&short, threads, &[&second]);
            assert_ne!(bits(&fresh[..24]), bits(&whole[24..48]), "{net}");
        }
    }
}

/// What comes again after 12 tokens cannot be known within windows of 8, and is learned through streams.
#[test]
fn a_stream_learns_what_no_window_holds() {
    let source = Echo::new(250, 8);
    let net = text_network("embed 6 -> lstm 24", 8, 5);
    let spec = |streams: bool| TrainSpec {
        batch: Batch::Rows(6),
        epochs: 80,
        lr: 0.003,
        optimizer: adam(),
        streams,
        shuffle: !streams,
        seed: 2,
        ..TrainSpec::default()
    };
    let last = |streams| {
        let (outcome, _) = run::<f32>(&net, &source, None, spec(streams), 1).unwrap();
        outcome.history.epochs.last().unwrap().train_loss
    };
    let (with, without) = (last(true), last(false));
    // Of 20 tokens two are bits that nobody can know: 2 ln 2 / 20. Who does not know what stood before the window guesses
    // the bit of the longer record, too, and often how long a record is.
    let bit = std::f64::consts::LN_2 / 20.0;
    assert!(with < 3.0 * bit, "{with}, a bit is {bit}");
    assert!(without > 5.0 * bit, "{without}, a bit is {bit}");
}

/// The class is the first token; behind it stand 0 to 8 tokens of noise, and garbage behind the end.
#[test]
fn rows_of_different_lengths_are_learned_and_padding_does_not_matter() {
    struct FirstToken(Made);
    impl Source<f32> for FirstToken {
        fn rows(&self) -> usize {
            self.0.rows
        }
        fn width(&self) -> usize {
            Source::<f32>::width(&self.0)
        }
        fn features(&self, rows: &[u32], out: &mut [f32]) {
            self.0.features(rows, out);
        }
        fn tokens(&self, rows: &[u32], out: &mut [i32]) {
            Source::<f32>::tokens(&self.0, rows, out);
        }
        fn length(&self, row: u32) -> usize {
            self.0.live(row)
        }
        fn label(&self, row: u32) -> i32 {
            let mut tokens = [0; 9];
            Source::<f32>::tokens(&self.0, &[row], &mut tokens);
            tokens[0]
        }
        fn target_width(&self) -> usize {
            1
        }
        fn values(&self, _row: u32, out: &mut [f32]) {
            out.fill(0.0);
        }
    }
    let net = network("embed 6 -> lstm 12 -> last", Row::Tokens(9), true);
    let made = Made::new(&net, Row::Tokens(9), 200, true);
    let spec = TrainSpec { batch: Batch::Rows(10), epochs: 25, lr: 0.01, optimizer: adam(), ..TrainSpec::default() };
    let trained = |padding: f64| {
        let source = FirstToken(Made { padding, ..made.clone() });
        let (outcome, _) = run(&net, &source, Some(&source), spec.clone(), 2).unwrap();
        (outcome.history.epochs.last().unwrap().valid.accuracy.unwrap(), outcome.parameters)
    };
    let (accuracy, parameters) = trained(0.0);
    assert!(accuracy > 0.95, "{accuracy}");
    for padding in [3.0, 99.0] {
        assert_eq!(bits(&trained(padding).1), bits(&parameters), "padding {padding}");
    }
}

const NORMED: &str = "conv 4 3x3 same no bias -> batchnorm -> relu -> maxpool 2 -> 6 tanh -> batchnorm";

/// Values of the running statistics, slot by slot.
fn statistics<'a>(network: &'a Network, parameters: &'a [f32]) -> Vec<&'a [f32]> {
    let slots = network.graph.slots().iter().filter(|slot| slot.role.is_statistic());
    slots.map(|slot| &parameters[slot.range()]).collect()
}

#[test]
fn running_statistics_move_towards_those_of_the_batches() {
    let row = Row::Of(&[1, 6, 5]);
    let net = network("batchnorm -> 4 relu", row, false);
    let source = Made::new(&net, row, 40, false);
    let start: Vec<f32> = net.initialise(0);
    assert_eq!(statistics(&net, &start), [&[0.0f32][..], &[1.0]], "mean 0 and variance 1 at the start");
    // All rows in each batch: the statistics go to the data's own mean and variance.
    let spec = TrainSpec { batch: Batch::All, epochs: 200, lr: 1e-3, ..TrainSpec::default() };
    let (outcome, _) = run::<f32>(&net, &source, None, spec, 2).unwrap();
    let rows: Vec<u32> = (0..40).collect();
    let mut all = vec![0.0f64; 40 * 30];
    source.features(&rows, &mut all);
    let n = all.len() as f64;
    let mean = all.iter().sum::<f64>() / n;
    let variance = all.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    let found = statistics(&net, &outcome.parameters);
    assert!((f64::from(found[0][0]) - mean).abs() < 1e-5, "{found:?} {mean}");
    assert!((f64::from(found[1][0]) - variance).abs() < 1e-5, "{found:?} {variance}");
}

#[test]
fn early_stopping_gives_back_the_best_epochs_statistics() {
    let row = Row::Of(&[1, 6, 5]);
    let net = network(NORMED, row, false);
    let source = Made::new(&net, row, 40, false);
    let valid = Made { seed: 77, ..source.clone() };
    /// Keeps the parameters of every epoch.
    #[derive(Default)]
    struct Keep(Vec<Vec<f32>>);
    impl Observer<f32> for Keep {
        fn epoch(&mut self, view: &View<'_, f32>) -> Control {
            self.0.push(view.parameters.to_vec());
            Control::Continue
        }
    }
    // Labels are noise: what is learned only hurts.
    let spec = TrainSpec {
        batch: Batch::Rows(8),
        epochs: 60,
        lr: 0.02,
        optimizer: adam(),
        early: EarlySpec { patience: Some(3), ..EarlySpec::default() },
        ..TrainSpec::default()
    };
    let rows: Vec<u32> = (0..40).collect();
    let part = |source| Rows { source, rows: &rows[..] };
    let trainer =
        Trainer::new(&net, net.initialise(0), part(&source), Some(part(&valid)), spec, Team::single()).unwrap();
    let mut kept = Keep::default();
    let outcome = trainer.run(&mut kept);
    let best = outcome.history.best_epoch.unwrap() as usize;
    assert!(matches!(outcome.stop, Stop::Early { .. }) && best < kept.0.len(), "{:?} {best}", outcome.stop);
    assert_eq!(bits(&outcome.parameters), bits(&kept.0[best - 1]));
    let (here, last) = (statistics(&net, &outcome.parameters), statistics(&net, kept.0.last().unwrap()));
    assert!(here.iter().zip(&last).all(|(here, last)| here != last), "the statistics moved on after the best epoch");
}

/// Statistics are taken of a micro-batch, as everywhere; the rest of accumulation is the same sum.
#[test]
fn accumulation_moves_the_statistics_once_for_each_step_and_trains() {
    let row = Row::Of(&[1, 6, 5]);
    let net = network(NORMED, row, false);
    let source = Made::new(&net, row, 32, false);
    let spec = TrainSpec {
        batch: Batch::Rows(8),
        accumulate: 2,
        epochs: 3,
        lr: 0.01,
        optimizer: adam(),
        ..TrainSpec::default()
    };
    let (one, log) = run::<f32>(&net, &source, None, spec.clone(), 1).unwrap();
    assert_eq!(log.len(), 6);
    let start: Vec<f32> = net.initialise(0);
    let (before, after) = (statistics(&net, &start), statistics(&net, &one.parameters));
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{after:?}");
    assert!(after.iter().flat_map(|values| values.iter()).all(|value| value.is_finite()));
    // Variances stay variances.
    assert!(after.iter().skip(1).step_by(2).flat_map(|values| values.iter()).all(|value| *value > 0.0), "{after:?}");
    let (two, _) = run::<f32>(&net, &source, None, spec, 3).unwrap();
    assert_eq!(bits(&one.parameters), bits(&two.parameters));
}

#[test]
fn recomputed_activations_give_the_same_bytes_in_less_memory() {
    let cases: &[(&str, Row)] = &[
        ("gpt 6 layers 2 heads 16 dropout 0.1", Row::Tokens(24)),
        ("gpt 4 layers 4 heads 2 kv heads 16 rotary swiglu rmsnorm tied no bias", Row::Tokens(24)),
        (
            "conv 8 3x3 same -> batchnorm -> relu -> residual(conv 8 3x3 same no bias -> batchnorm -> relu -> conv 8 3x3 same \
             -> batchnorm) -> relu -> residual(conv 8 3x3 same no bias -> batchnorm -> relu -> conv 8 3x3 same -> batchnorm) \
             -> relu -> residual(conv 8 3x3 same -> groupnorm 2 -> relu) -> maxpool 2 -> dropout 0.5",
            Row::Of(&[2, 10, 8]),
        ),
    ];
    for &(text, row) in cases {
        let net = network(text, row, false);
        let source = Made::new(&net, row, 30, false);
        let spec = |checkpoint_activations| TrainSpec {
            batch: Batch::Rows(8),
            epochs: 2,
            lr: 1e-3,
            optimizer: adam(),
            checkpoint_activations,
            ..TrainSpec::default()
        };
        let rows: Vec<u32> = (0..30).collect();
        let run = |checkpoint, threads| {
            let train = Rows { source: &source as &dyn Source<f32>, rows: &rows };
            let team = Team::new(threads);
            let trainer = Trainer::new(&net, net.initialise(4), train, None, spec(checkpoint), team).unwrap();
            let memory = trainer.runner().plan().memory::<f32>().arena;
            (trainer.run(&mut Silent), memory)
        };
        let ((plain, much), (saved, less)) = (run(false, 1), run(true, 2));
        assert_eq!(plain.stop, Stop::Finished, "{text}");
        assert_eq!(bits(&plain.parameters), bits(&saved.parameters), "{text}");
        assert_eq!(plain.history.epochs, saved.history.epochs, "{text}");
        assert!(4 * less < 3 * much, "{text}: {less} bytes of {much}");
    }
}

/// The plan to evaluate a network of many steps does not keep their logits.
#[test]
fn validation_of_a_text_reads_losses_only() {
    let net = text_network("gpt 1 layers 2 heads 8", 16, 5);
    let plan = net.evaluation_plan(64);
    let runner = Runner::<f32>::new(Arc::clone(&plan), Team::single());
    assert!(runner.value(net.objective.as_ref().unwrap().rows).is_some());
    assert!(plan.memory::<f32>().arena < net.plan(Purpose::Train, 64).memory::<f32>().arena);

    // The logits' memory is used again before the plan ends, so that they are not handed out.
    let source = Echo::new(40, 16);
    let rows: Vec<u32> = (0..20).collect();
    let mut runner = runner;
    let outputs = evaluate(&net, &mut runner, &parameters::<f32>(&net, 1), &source, &rows);
    assert_eq!((outputs.losses.len(), outputs.logits.len(), outputs.output.len()), (20, 0, 0));
}

/// What only backward reads is not kept in a plan without one, and the losses are the same bytes.
#[test]
fn a_plan_without_backward_saves_nothing() {
    let cases: &[(&str, Row, LossSpec)] = &[
        ("embed 6 -> lstm 5 2 layers -> gru 4 bidirectional -> last", Row::Tokens(9), LossSpec::cross_entropy()),
        ("conv 4 3x3 same -> groupnorm 2 -> maxpool 2 -> batchnorm", Row::Of(&[2, 6, 6]), LossSpec::cross_entropy()),
        (
            "6 relu -> layernorm -> rmsnorm",
            Row::Of(&[7]),
            LossSpec::SoftCrossEntropy { smoothing: 0.1, class_weights: vec![] },
        ),
    ];
    for (text, row, loss) in cases {
        let net = Network::for_rows(&text.parse().unwrap(), &row.shape(), whole::CLASSES, Some(loss)).unwrap();
        let source = Made::new(&net, *row, 12, false);
        let rows: Vec<u32> = (0..12).collect();
        let plan = net.evaluation_plan(12);
        assert!(plan.steps().iter().all(|step| step.saved.is_none()), "{text}");
        let losses = |plan| {
            let mut runner = Runner::<f32>::new(plan, Team::single());
            evaluate(&net, &mut runner, &parameters(&net, 1), &source, &rows).losses
        };
        let request = Request { training: false, ..net.plan(Purpose::Train, 12).request().clone() };
        let kept = losses(Arc::new(Plan::new(&net.graph, request)));
        assert_eq!(bits(&losses(plan)), bits(&kept), "{text}");
        assert!(kept.iter().all(|loss| *loss > 0.0), "{text}: {kept:?}");
    }
}

/// Positions count within a window: past its end there are none, and a stream would end in NaN.
#[test]
fn streams_through_positions_are_refused() {
    let net = text_network("gpt 1 layers 2 heads 8", 8, 5);
    let spec = TrainSpec { batch: Batch::Rows(2), streams: true, shuffle: false, ..TrainSpec::default() };
    let Err(error) = run::<f32>(&net, &Echo::new(40, 8), None, spec, 1) else { panic!("streams were taken") };
    assert!(error.to_string().contains("end with the window of 8"), "{error}");
}

/// A specification from a damaged file can hold what no text says.
#[test]
fn a_forged_specification_is_refused() {
    let lstm: NetSpec = "5x3 -> lstm 2 2 layers -> last -> 2".parse().unwrap();
    let concat: NetSpec = "4 -> concat(3, 2) -> 2".parse().unwrap();
    let reshape: NetSpec = "1 -> reshape 1 -> 2".parse().unwrap();
    let (mut deep, mut bare, mut flat) = (lstm, concat, reshape);
    for layer in deep.layers.iter_mut().chain(&mut bare.layers).chain(&mut flat.layers) {
        match layer {
            LayerSpec::Sequence(SequenceLayer::Recurrent { layers, .. }) => *layers = usize::MAX,
            LayerSpec::Concat { branches } => branches.clear(),
            LayerSpec::Reorder(ReorderLayer::Reshape { shape }) => shape.clear(),
            _ => {}
        }
    }
    flat.layers.insert(1, "1x1x1 -> global avgpool".parse::<NetSpec>().unwrap().layers.remove(0));
    for (spec, words) in [(deep, "1 to 64 layers"), (bare, "2 to 4 branches"), (flat, "it reads an image")] {
        let error = Network::new(&spec, None).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
