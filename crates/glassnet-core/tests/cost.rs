//! What a plan counts: the products that it computes, and no gradient that nobody asks for.
#![allow(clippy::unwrap_used)]

use glassnet_core::ops::{conv2d::Conv2d, linear::Linear, rnn::Rnn, rnn::RnnCurve};
use glassnet_core::plan::Pass;
use glassnet_core::{Graph, NodeId, Op, Plan, Purpose, Request};

fn backward(graph: &Graph, purpose: Purpose, outputs: &[NodeId]) -> Vec<u64> {
    let request = Request {
        purpose,
        rows: 1,
        backward_from: Some(outputs[0]),
        outputs: outputs.to_vec(),
        training: true,
        checkpoint: false,
    };
    let plan = Plan::new(graph, request);
    let steps = plan.steps().iter().filter(|step| step.pass == Pass::Backward && !step.slots.is_empty());
    // The last layer comes first.
    steps.map(|step| step.flops).collect()
}

#[test]
fn the_first_layers_input_has_no_gradient_to_count() {
    let mut graph = Graph::new();
    let x = graph.input("x", [7]);
    let hidden = graph.push("0", Op::Linear(Linear { units: 5, bias: true, ntk: false }), &[x]).unwrap();
    let y = graph.push("1", Op::Linear(Linear { units: 3, bias: false, ntk: false }), &[hidden]).unwrap();
    // Weights 7 x 5 and 5 x 3; a product is 2 operations for each.
    assert_eq!(backward(&graph, Purpose::Train, &[y]), [2 * 2 * 15, 2 * 35 + 5]);
    assert_eq!(backward(&graph, Purpose::Attribute, &[y]), [2 * 2 * 15, 2 * 2 * 35 + 5], "here it is asked for");
}

#[test]
fn nor_has_the_first_image_or_the_first_sequence() {
    let mut graph = Graph::new();
    let x = graph.input("x", [2, 6, 6]);
    let y = graph.push("0", Op::Conv2d(Conv2d { bias: false, ..Conv2d::new(3, [3, 3]) }), &[x]).unwrap();
    // 4 x 4 positions, 3 channels of windows of 2 x 3 x 3.
    let product = 2 * 16 * 3 * 18;
    assert_eq!(backward(&graph, Purpose::Train, &[y]), [product]);
    assert_eq!(backward(&graph, Purpose::Attribute, &[y]), [2 * product]);

    let mut graph = Graph::new();
    let x = graph.input("x", [5, 4]);
    let activation = RnnCurve::Tanh;
    let rnn = Rnn { units: 3, bias: true, reverse: false, lengths: false, initial: false, carry: false, activation };
    let y = graph.push("0", Op::Rnn(rnn), &[x]).unwrap();
    let [train, whole] = [Purpose::Train, Purpose::Attribute].map(|purpose| backward(&graph, purpose, &[y])[0]);
    // 5 steps of 3 units with 4 numbers each.
    assert_eq!(whole - train, 2 * 5 * 3 * 4);
}
