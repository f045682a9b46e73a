//! Reshape and flatten cost nothing: the plan lets value and input stand in one place. A network with views has the bytes
//! of one without, in every purpose.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

use std::sync::Arc;

use glassnet_core::ops::{
    concat::Concat, cross_entropy::CrossEntropy, flatten::Flatten, linear::Linear, mean::Mean, relu::Relu,
    reshape::Reshape, sigmoid::Sigmoid, slice::Slice, transpose::Transpose,
};
use glassnet_core::{Graph, NodeId, Op, Plan, Purpose, Request, Runner, StepInfo, Team};

const ROWS: usize = 5;
const PURPOSES: [Purpose; 4] = [Purpose::Train, Purpose::Predict, Purpose::Inspect, Purpose::Attribute];

fn linear(units: usize) -> Op {
    Op::Linear(Linear { units, bias: true, ntk: false })
}

fn reshape(shape: &[usize]) -> Op {
    Op::Reshape(Reshape { shape: shape.to_vec() })
}

fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 37 + seed * 11) % 101) as f32 / 50.0 - 1.0).collect()
}

struct Run {
    runner: Runner<f32>,
    gradients: Vec<f32>,
}

/// One step of a graph whose input is node 0 and whose labels, if any, are node 1.
fn run(graph: &Graph, purpose: Purpose, from: NodeId, outputs: &[NodeId]) -> Run {
    let backward_from = (purpose != Purpose::Predict).then_some(from);
    let request =
        Request { purpose, rows: ROWS, backward_from, outputs: outputs.to_vec(), training: true, checkpoint: false };
    let mut runner = Runner::<f32>::new(Arc::new(Plan::new(graph, request)), Team::single());
    runner.set_rows(ROWS);
    let input = runner.input_mut(NodeId(0));
    input.copy_from_slice(&numbers(input.len(), 1));
    if let Some(labels) = graph.find_input("y") {
        // A plan that stops at the logits reads none.
        runner.labels_mut(labels).iter_mut().zip([0, 2, 1, 2, 0]).for_each(|(label, class)| *label = class);
        runner.input_mut(graph.find_input("row weight").unwrap()).fill(1.0);
    }
    let parameters = numbers(graph.slots().len(), 2);
    let mut gradients = vec![0.0; parameters.len()];
    let info = StepInfo { denominator: ROWS as f64, ..StepInfo::default() };
    runner.forward(&parameters, &info);
    let seed = runner.seed_mut();
    seed.copy_from_slice(&numbers(seed.len(), 3));
    runner.backward_from_seed(&parameters, &mut gradients, &info);
    Run { runner, gradients }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// 6 -> 12 relu -> 12 sigmoid -> 3, cross-entropy; `view(graph, node, place)` may put views between the layers. Gives the
/// graph, the logits, the mean, and the nodes of the views.
fn net(views: bool) -> (Graph, NodeId, NodeId, Vec<NodeId>) {
    let mut graph = Graph::new();
    let mut seen = Vec::new();
    let mut view = |graph: &mut Graph, name: &str, op: Op, input: NodeId| {
        if !views {
            return input;
        }
        seen.push(graph.push(name, op, &[input]).unwrap());
        seen[seen.len() - 1]
    };
    let x = graph.input("x", [6]);
    let y = graph.labels("y");
    let weight = graph.input("row weight", []);
    // A view of an input, and a view of a view.
    let folded = view(&mut graph, "v0", reshape(&[2, 3]), x);
    let flat = view(&mut graph, "v1", Op::Flatten(Flatten), folded);
    let z = graph.push("0", linear(12), &[flat]).unwrap();
    // Between a layer and its curve.
    let z = view(&mut graph, "v2", reshape(&[3, 4]), z);
    let h = graph.push("1", Op::Relu(Relu), &[z]).unwrap();
    // Between a curve and a layer.
    let h = view(&mut graph, "v3", Op::Flatten(Flatten), h);
    let z = graph.push("2", linear(12), &[h]).unwrap();
    let h = graph.push("3", Op::Sigmoid(Sigmoid), &[z]).unwrap();
    let h = view(&mut graph, "v4", reshape(&[12, 1]), h);
    let h = view(&mut graph, "v5", reshape(&[12]), h);
    let logits = graph.push("4", linear(3), &[h]).unwrap();
    // The network's own end.
    let logits = view(&mut graph, "v6", reshape(&[3]), logits);
    let losses = graph.push("loss", Op::CrossEntropy(CrossEntropy::default()), &[logits, y]).unwrap();
    let mean = graph.push("loss", Op::Mean(Mean), &[losses, weight]).unwrap();
    (graph, logits, mean, seen)
}

#[test]
fn views_between_layers_change_no_byte() {
    let (plain, logits, mean, _) = net(false);
    let (viewed, viewed_logits, viewed_mean, views) = net(true);
    assert_eq!(views.len(), 7);
    for purpose in PURPOSES {
        let one = run(&plain, purpose, mean, &[logits]);
        let other = run(&viewed, purpose, viewed_mean, &[viewed_logits]);
        let (own, same) = (one.runner.value(logits).unwrap(), other.runner.value(viewed_logits).unwrap());
        assert_eq!(bits(own), bits(same), "{purpose:?}");
        assert_eq!(bits(&one.gradients), bits(&other.gradients), "{purpose:?}: gradients");
        assert_eq!(one.gradients.iter().any(|&g| g != 0.0), purpose != Purpose::Predict);
        // No steps of their own, no memory of their own, and the same curves fused.
        let (one, other) = (one.runner.plan(), other.runner.plan());
        assert_eq!(one.steps().len(), other.steps().len(), "{purpose:?}");
        assert_eq!(one.memory::<f32>().arena, other.memory::<f32>().arena, "{purpose:?}");
        assert_eq!(
            one.to_string().matches("linear + relu").count(),
            other.to_string().matches("linear + relu").count()
        );
    }
    let fused = run(&viewed, Purpose::Train, viewed_mean, &[viewed_logits]).runner.plan().to_string();
    assert!(fused.contains("linear + relu"), "a view between a layer and its curve hinders no fusion:\n{fused}");
}

#[test]
fn a_view_can_be_read_as_any_other_value() {
    let (graph, logits, mean, views) = net(true);
    for purpose in [Purpose::Inspect, Purpose::Attribute] {
        let all = run(&graph, purpose, mean, &[]);
        for &view in &views {
            let input = graph.node(view).inputs[0];
            let value = all.runner.value(view).unwrap();
            assert_eq!(value.len(), ROWS * graph.node(view).shape.len());
            assert_eq!(bits(value), bits(all.runner.value(input).unwrap()), "{purpose:?} {view:?}");
            let gradients = [view, input].map(|node| all.runner.gradient(node).map(bits));
            assert_eq!(gradients[0], gradients[1], "{purpose:?} {view:?}");
        }
    }
    // Asked for, the value stands to the end, and the layer before it keeps its own.
    let inspected = run(&graph, Purpose::Inspect, mean, &[]);
    for purpose in [Purpose::Train, Purpose::Predict] {
        for &view in &views {
            let asked = run(&graph, purpose, mean, &[view, logits]);
            assert_eq!(
                bits(asked.runner.value(view).unwrap()),
                bits(inspected.runner.value(view).unwrap()),
                "{purpose:?} {view:?}"
            );
        }
    }
}

#[test]
fn a_backward_may_start_from_a_view_and_end_in_one() {
    let mut graph = Graph::new();
    let x = graph.input("x", [6]);
    let folded = graph.push("0", reshape(&[2, 3]), &[x]).unwrap();
    let y = graph.push("1", linear(4), &[folded]).unwrap();
    let flat = graph.push("2", Op::Flatten(Flatten), &[y]).unwrap();
    let both = run(&graph, Purpose::Attribute, flat, &[flat]);
    let plain = run(&graph, Purpose::Attribute, y, &[y]);
    assert_eq!(bits(&both.gradients), bits(&plain.gradients));
    assert_eq!(bits(both.runner.gradient(x).unwrap()), bits(plain.runner.gradient(x).unwrap()));
    assert!(both.runner.gradient(x).unwrap().iter().any(|&g| g != 0.0));
    assert_eq!(bits(both.runner.value(flat).unwrap()), bits(plain.runner.value(y).unwrap()));
}

#[test]
fn a_value_with_two_views_gets_the_sum_of_their_gradients() {
    // x as it is and x by a reshape there and back: twice the gradient.
    let mut graph = Graph::new();
    let x = graph.input("x", [6]);
    let z = graph.push("0", linear(6), &[x]).unwrap();
    let a = graph.push("1", reshape(&[2, 3]), &[z]).unwrap();
    let b = graph.push("2", reshape(&[3, 2]), &[z]).unwrap();
    let b = graph.push("3", Op::Transpose(Transpose { axes: [0, 1] }), &[b]).unwrap();
    let both = graph.push("4", Op::Concat(Concat { axis: 1, parts: 2 }), &[a, b]).unwrap();
    let left = graph.push("5", Op::Slice(Slice { axis: 1, start: 0, end: 3 }), &[both]).unwrap();
    let whole = run(&graph, Purpose::Attribute, both, &[both]);
    let part = run(&graph, Purpose::Attribute, left, &[left]);
    let (value, z_value) = (whole.runner.value(both).unwrap(), part.runner.value(z).unwrap());
    for (row, z) in value.chunks(12).zip(z_value.chunks(6)) {
        // [[0, 1, 2], [3, 4, 5]] beside the transpose of [[0, 1], [2, 3], [4, 5]].
        let expected = [0, 1, 2, 0, 2, 4, 3, 4, 5, 1, 3, 5].map(|i| z[i]);
        assert_eq!(row, expected);
    }
    // Seeds are the same numbers for each: by hand, element 1 of z stands at places 1 and 9 of both.
    let seed = numbers(ROWS * 12, 3);
    let gradient = whole.runner.gradient(z).unwrap();
    let places = [[0, 3], [1, 9], [2, 4], [6, 10], [7, 5], [8, 11]];
    for row in 0..ROWS {
        for (i, [one, other]) in places.into_iter().enumerate() {
            assert_eq!(gradient[row * 6 + i], seed[row * 12 + one] + seed[row * 12 + other], "row {row}, element {i}");
        }
    }
    assert!(part.runner.gradient(z).unwrap().iter().all(|g| g.is_finite()));
}
