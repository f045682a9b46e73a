//! TabM from its text to its training: shapes, names and draws; one member is the plain network; many learn, with the same bytes on any
//! number of threads.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

use glassnet_core::random::{Draws, Purpose};
use glassnet_core::slots::Role;
use glassnet_core::{Op, Real, Runner, StepInfo, Team};
use glassnet_nn::functional::{evaluate, loss_and_gradients};
use glassnet_nn::inspect::{CheckOptions, Target, TraceOptions, check, summary, trace};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::recipe::{TableLayout, tabm};
use glassnet_nn::source::Matrix;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::{Batch, Outcome, Rows, Silent, TrainSpec, Trainer};

fn parse(text: &str) -> NetSpec {
    text.parse().unwrap()
}

fn numbers(count: usize) -> Vec<u32> {
    (0..count as u32).collect()
}

/// Rows of four numbers, +-1 and a code out of 6, whose class and value bend and depend on the code.
fn table(count: usize, seed: u64) -> (Vec<f32>, Vec<i32>, Vec<f32>) {
    let draws = Draws::new(seed, Purpose::Synthetic, 0, 0);
    let (mut x, mut labels, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..count as u64 {
        let own: Vec<f64> = (0..4).map(|j| draws.normal(row * 8 + j)).collect();
        let sign = if draws.uniform(row * 8 + 4) < 0.5 { -1.0 } else { 1.0 };
        let code = draws.below(row * 8 + 5, 6);
        let value = Real::sin(3.0 * own[0]) + own[1] * sign + if code > 2 { 1.0 } else { -1.0 };
        x.extend(own.iter().map(|&x| x as f32));
        x.extend([sign as f32, code as f32]);
        labels.push(i32::from(value + 0.2 * draws.normal(row * 8 + 6) > 0.0));
        values.push(value as f32);
    }
    (x, labels, values)
}

fn layout() -> TableLayout {
    TableLayout { numbers: 4, others: 1, categories: vec![6] }
}

#[test]
fn the_draws_are_those_of_the_layers_documentation() {
    let network = Network::new(&tabm(&layout(), 2, false, 5, 12), None).unwrap();
    let parameters: Vec<f64> = network.initialise(3);
    let names: Vec<&str> = network.graph.slots().iter().map(|slot| slot.name.as_str()).collect();
    let expected = [
        "0.0.1.edges",
        "0.0.1.weight",
        "0.0.1.line",
        "0.0.1.bias",
        "0.2.1.weight",
        "1.scale",
        "2.linear.weight",
        "2.out.scale",
        "2.out.bias",
        "5.in.scale",
        "5.linear.weight",
        "5.out.scale",
        "5.out.bias",
        "8.in.scale",
        "8.linear.weight",
        "8.out.scale",
        "8.out.bias",
        "11.weight",
        "11.bias",
    ];
    assert_eq!(names, expected);
    for slot in network.graph.slots().iter() {
        let own = &parameters[slot.range()];
        let within = |bound: f64| {
            let largest = own.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            assert!(largest <= bound && largest > 0.6 * bound, "{}: {largest}, bound {bound}", slot.name);
            assert!(own.iter().any(|&x| x < 0.0) && own.iter().any(|&x| x > 0.0), "{}", slot.name);
        };
        match slot.name.as_str() {
            "1.scale" => {
                assert!(own.iter().all(|x| x.abs() == 1.0));
                let ups = own.iter().filter(|&&x| x > 0.0).count();
                assert!((own.len() / 3..2 * own.len() / 3).contains(&ups), "{ups} of {}", own.len());
            }
            "0.0.1.weight" => assert!(own.iter().all(|&x| x == 0.0)),
            "0.0.1.edges" => assert!(own[0] == -3.0 && own[48] == 3.0 && own[..49].is_sorted()),
            "0.0.1.line" | "0.0.1.bias" => within(0.25),
            "2.linear.weight" => within(1.0 / 73.0_f64.sqrt()),
            "5.linear.weight" | "11.weight" | "11.bias" => within(1.0 / 12.0_f64.sqrt()),
            "2.out.bias" => {
                within(1.0 / 73.0_f64.sqrt());
                assert!(own.chunks(12).all(|member| member == &own[..12]), "all members start with the same biases");
            }
            name if name.ends_with("scale") => assert!(own.iter().all(|&x| x == 1.0), "{name}"),
            _ => {}
        }
    }
}

/// One member that sees the row as it is, with factors of 1, is the plain network: the same bytes of values, losses and gradients.
#[test]
fn one_member_is_the_plain_network_to_the_byte() {
    let loss = LossSpec::cross_entropy();
    let text = "6 -> members 1 -> shared 17 relu -> shared 9 relu -> heads 3 -> average";
    let one = Network::new(&parse(text), Some(&loss)).unwrap();
    let plain = Network::new(&parse("6 -> 17 relu -> 9 relu -> 3"), Some(&loss)).unwrap();
    let theirs: Vec<f32> = plain.initialise::<f32>(7).iter().map(|x| x + 0.01).collect();
    let pairs = [
        ("1.linear.weight", "0.weight"),
        ("1.out.bias", "0.bias"),
        ("3.linear.weight", "2.weight"),
        ("3.out.bias", "2.bias"),
        ("5.weight", "4.weight"),
        ("5.bias", "4.bias"),
    ];
    let mut ours = vec![1.0_f32; one.parameters()];
    let range = |network: &Network, name: &str| network.graph.slots().find(name).unwrap().range();
    for (own, other) in pairs {
        ours[range(&one, own)].copy_from_slice(&theirs[range(&plain, other)]);
    }
    let (x, labels, _) = table(83, 1);
    let data = Matrix::with_labels(x, 6, labels);
    let rows = numbers(83);
    let of = |network: &Network, parameters: &[f32]| {
        let mut runner = Runner::new(network.evaluation_plan(32), Team::single());
        let outputs = evaluate(network, &mut runner, parameters, &data, &rows);
        let got = loss_and_gradients(network, parameters, &data, &rows, &StepInfo::default(), &Team::single());
        (outputs, got)
    };
    let ((found, got), (expected, wanted)) = (of(&one, &ours), of(&plain, &theirs));
    assert_eq!(found, expected);
    assert_eq!(got.loss, wanted.loss);
    for (own, other) in pairs {
        assert_eq!(got.gradients[range(&one, own)], wanted.gradients[range(&plain, other)], "{own}");
    }
}

fn train<T: Real>(network: &Network, spec: &TrainSpec, data: [&Matrix<T>; 2], threads: usize) -> Outcome<T> {
    let count = |matrix: &Matrix<T>| numbers(matrix.x.len() / 6);
    let (rows, held) = (count(data[0]), count(data[1]));
    let part = Rows { source: data[0], rows: &rows };
    let team = Team::new(threads);
    let initial = network.initialise_from_data(spec.seed, part, &team);
    let held = Rows { source: data[1], rows: &held };
    Trainer::new(network, initial, part, Some(held), spec.clone(), team).unwrap().run(&mut Silent)
}

#[test]
fn a_small_tabm_learns_with_the_same_bytes_on_any_number_of_threads() {
    let network = Network::new(&tabm(&layout(), 2, false, 8, 32), Some(&LossSpec::cross_entropy())).unwrap();
    let [data, valid] = [(1200, 1), (400, 2)].map(|(count, seed)| {
        let (x, labels, _) = table(count, seed);
        Matrix::with_labels(x, 6, labels)
    });
    let spec = TrainSpec { epochs: 12, batch: Batch::Rows(128), seed: 4, ..TrainSpec::tabm(true) };
    let outcome = train(&network, &spec, [&data, &valid], 1);
    let losses: Vec<f64> = outcome.history.epochs.iter().map(|epoch| epoch.valid_loss.unwrap()).collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(best < 0.75 * losses[0] && best < 0.35, "{losses:?}");
    for threads in [2, 4] {
        let other = train(&network, &spec, [&data, &valid], threads);
        assert!(outcome.parameters == other.parameters && outcome.history == other.history, "{threads} threads");
    }
    // Edges stay where the rows put them; nothing trains them.
    let edges = network.graph.slots().iter().find(|slot| slot.role == Role::Edges).unwrap().range();
    let rows = numbers(1200);
    let told = network.initialise_from_data(4, Rows { source: &data, rows: &rows }, &Team::single());
    assert_eq!(outcome.parameters[edges.clone()], told[edges.clone()]);
    assert!(told[edges.clone()][..49].is_sorted() && told[edges] != network.initialise::<f32>(4)[..4 * 49]);
}

#[test]
fn a_small_tabm_learns_values() {
    let network = Network::new(&tabm(&layout(), 1, true, 4, 24), Some(&LossSpec::MeanSquared)).unwrap();
    let [data, valid] = [(800, 1), (300, 2)].map(|(count, seed)| {
        let (x, _, values) = table(count, seed);
        Matrix::with_values(x, 6, values, 1)
    });
    let spec = TrainSpec { epochs: 15, batch: Batch::Rows(64), seed: 4, ..TrainSpec::tabm(false) };
    let outcome = train(&network, &spec, [&data, &valid], 1);
    let errors: Vec<f64> = outcome.history.epochs.iter().map(|epoch| epoch.valid.rmse.unwrap()).collect();
    let best = errors.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(best < 0.6 * errors[0], "{errors:?}");
}

/// What is not decayed in their code is not decayed here: biases and the line of each number; the rest is.
#[test]
fn decay_reaches_what_it_reaches_in_their_code() {
    let network = Network::new(&tabm(&layout(), 2, false, 4, 8), Some(&LossSpec::cross_entropy())).unwrap();
    let factors = TrainSpec::tabm(true).factors;
    assert_eq!(factors.unused(&network.graph), [""; 0]);
    for slot in factors.apply(&network.graph).iter().filter(|slot| !slot.role.is_statistic()) {
        let free = slot.name.ends_with("bias") || slot.name.ends_with("line");
        assert_eq!((slot.lr_factor, slot.decay_factor), (1.0, if free { 0.0 } else { 1.0 }), "{}", slot.name);
    }
    for classification in [true, false] {
        let spec = TrainSpec::tabm(classification);
        spec.check().unwrap();
        assert_eq!(serde_json::from_str::<TrainSpec>(&serde_json::to_string(&spec).unwrap()).unwrap(), spec);
    }
}

#[test]
fn forms_agree_and_what_does_not_fit_says_so() {
    let spec = tabm(&layout(), 3, false, 32, 512);
    assert_eq!(parse(&spec.to_string()), spec);
    let json = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<NetSpec>(&json).unwrap(), spec, "{json}");
    let refused = |text: &str| {
        let error = NetSpec::parse(text).and_then(|net| net.shapes(None, None)).unwrap_err();
        error.to_string()
    };
    let table = [
        ("6 -> shared 4 -> 2", "make members of the row first: members 32"),
        ("6 -> heads 2", "make members of the row first: members 32"),
        ("6 -> average", "make members of the row first: members 32"),
        ("6 -> members 4 -> members 4", "write members once"),
        ("6 -> members 2000 -> heads 1 -> average", "1 to 1024 members, but this one has 2000"),
        ("6 -> piecewise 1000 4 -> 2", "1 to 256 bins, but it has 1000"),
        ("6 -> piecewise 8 100 -> 2", "its width is 100"),
        ("6 -> members 4 -> heads 1 -> average probabilities", "write average, which takes the mean of the values"),
        ("6 -> members 4 -> heads 2 -> average logits", "average"),
        ("6 -> members", "members needs a number of members"),
        ("6 -> members 4 -> heads 0 -> average", "0"),
    ];
    for (text, says) in table {
        let message = refused(text);
        assert!(message.contains(says), "{text}: {message}");
    }
    // Without an input the data says it; the members' heads are the outputs, and none is added.
    let hidden = parse("members 4 -> shared 8 relu -> heads 3 -> average probabilities");
    let network = Network::for_data(&hidden, 6, 3, Some(&LossSpec::cross_entropy())).unwrap();
    assert!(matches!(network.graph.node(network.logits).op, Op::Average(_)) && network.outputs() == 3);
    assert!(Network::for_data(&hidden, 6, 2, Some(&LossSpec::cross_entropy())).is_err());
    assert!(network.objective.unwrap().members.is_some());
}

#[test]
fn inspectors_know_it() {
    let text = "6 -> concat(slice 0 4 -> piecewise 5 3, slice 4 6) -> members 3 -> shared 7 relu -> dropout 0.2 -> shared 5 gelu \
                -> heads 2 -> average probabilities";
    let network = Network::new(&parse(text), Some(&LossSpec::cross_entropy())).unwrap();
    let mut parameters: Vec<f64> = network.initialise(5);
    let draws = Draws::new(8, Purpose::Synthetic, 0, 0);
    for slot in network.graph.slots().iter().filter(|slot| !slot.role.is_statistic()) {
        slot.range().for_each(|place| parameters[place] += 0.3 * draws.normal(place as u64));
    }
    let (x, labels, _) = table(9, 1);
    let x: Vec<f64> = x.into_iter().map(f64::from).collect();
    let data = Matrix::with_labels(x.clone(), 6, labels);
    let options = CheckOptions {
        info: StepInfo { seed: 3, denominator: 1.0, dropout: 1.0, ..StepInfo::default() },
        ..CheckOptions::default()
    };
    let found = check(&network, &parameters, &data, &numbers(9), &options).unwrap();
    let trained = network.graph.slots().trained();
    assert!(found.passed && found.dropout && found.compared + 40 > trained, "{trained}\n{found}");
    // The loss that is checked is the members' own, which training lowers.
    let plain = CheckOptions { dropout: false, ..options };
    let found = check(&network, &parameters, &data, &numbers(9), &plain).unwrap();
    let mut runner = Runner::new(network.evaluation_plan(9), Team::single());
    let outputs = evaluate(&network, &mut runner, &parameters, &data, &numbers(9));
    let joint = outputs.losses.iter().sum::<f64>() / 9.0;
    assert!(
        found.loss > joint + 1e-3,
        "{} and {joint}: the mean of the losses is above the loss of the mean",
        found.loss
    );

    let shown = summary::<f64>(&network, Some(&parameters), 16, &TrainSpec::tabm(true).optimizer).unwrap();
    let sum = |of: &dyn Fn(usize) -> usize| (0..shown.layers.len()).map(of).sum::<usize>();
    assert_eq!(sum(&|at| shown.layers[at].parameters), trained);
    assert_eq!(sum(&|at| shown.layers[at].statistics), 4 * 6);
    let options = TraceOptions { target: Some(Target::Class(1)), ..TraceOptions::default() };
    let traced = trace(&network, &parameters, &x[..6], &options).unwrap();
    assert_eq!(traced.layers.len(), network.layers.len());
    assert_eq!(traced.output, outputs.output[..2]);
    assert!(traced.loss.is_some() && !traced.to_string().is_empty());
}
