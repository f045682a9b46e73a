//! The layers of TabM, a whole small one and the edges of its bins against pytabkit's copy of the authors' code.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod layer_case;
mod oracle;

use glassnet_core::ops::{
    average::Average, heads::Heads, member_affine::MemberAffine, members::Members, piecewise::Piecewise,
};
use glassnet_core::{Op, Real, Runner, StepInfo, Team};
use glassnet_nn::functional::{evaluate, loss_and_gradients};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::source::Matrix;
use glassnet_nn::train::Rows;
use oracle::{Case, assert_close, load, load_op};

fn compare(case: &Case) -> usize {
    let (op, slots): (Op, &[&str]) = match case.op.as_str() {
        "piecewise" => {
            let op = Piecewise { bins: case.count("bins"), width: case.count("width") };
            (Op::Piecewise(op), &["edges", "weight", "line", "bias"])
        }
        "members" => (Op::Members(Members { members: case.shape("scale")[0] }), &["scale"]),
        "member_affine" => (Op::MemberAffine(MemberAffine { bias: true }), &["scale", "bias"]),
        "heads" => (Op::Heads(Heads { units: case.shape("weight")[1] }), &["weight", "bias"]),
        "average" => (Op::Average(Average { probabilities: case.flag("probabilities") }), &[]),
        other => panic!("no operation {other}"),
    };
    match case.dtype.as_str() {
        "f32" => layer_case::compare::<f32>(case, &op, &["x"], slots, true),
        _ => layer_case::compare::<f64>(case, &op, &["x"], slots, true),
    }
}

#[test]
fn layers_of_tabm_are_pytabkit_s() {
    let counts = [("piecewise", 4), ("members", 3), ("member_affine", 3), ("heads", 3), ("average", 5), ("tabm", 3)];
    for dtype in ["f64", "f32"] {
        for (op, count) in counts {
            assert_eq!(load_op("tabm", op, dtype).len(), count, "{op} in {dtype}");
        }
    }
    let layers = load("tabm").into_iter().filter(|case| !matches!(case.op.as_str(), "tabm" | "edges"));
    let compared: usize = layers.map(|case| compare(&case)).sum();
    assert!(compared > 6_000, "only {compared} numbers were compared");
}

/// What a whole TabM gives, the mean of its members' losses that training lowers with all gradients, and the loss of what they say
/// together, which validation looks at.
fn whole<T: Real>(case: &Case, tolerance: f64) {
    let layers = case.attributes["layers"].as_str().unwrap();
    let labels: Vec<i32> = case.labels.iter().map(|&label| i32::try_from(label).unwrap()).collect();
    let loss = if labels.is_empty() { LossSpec::MeanSquared } else { LossSpec::cross_entropy() };
    let network = Network::new(&layers.parse().unwrap(), Some(&loss)).unwrap();
    let narrow = |values: &[f64]| values.iter().map(|&x| T::from_f64(x)).collect::<Vec<T>>();
    let wide = |values: &[T]| values.iter().map(|x| x.to_f64()).collect::<Vec<f64>>();
    let (x, width) = (narrow(case.input("x")), network.inputs());
    let data = match labels.is_empty() {
        true => Matrix::with_values(x, width, narrow(case.input("target")), 1),
        false => Matrix::with_labels(x, width, labels),
    };
    let rows: Vec<u32> = (0..(data.x.len() / width) as u32).collect();
    let given: Vec<(&str, &[f64])> =
        case.parameters.iter().map(|(name, values)| (name.as_str(), values.as_slice())).collect();
    let parameters: Vec<T> = network.parameters_from(&given).unwrap();
    let label = case.label();
    let got = loss_and_gradients(&network, &parameters, &data, &rows, &StepInfo::default(), &Team::single());
    assert_close(&[got.loss.to_f64()], case.output("loss"), tolerance, &format!("{label}: loss"));
    for slot in network.graph.slots().iter().filter(|slot| !slot.role.is_statistic()) {
        let found = wide(&got.gradients[slot.range()]);
        assert_close(&found, case.gradient(&slot.name), tolerance, &format!("{label}: {}", slot.name));
    }
    let mut runner = Runner::new(network.evaluation_plan(4), Team::single());
    let found = evaluate(&network, &mut runner, &parameters, &data, &rows);
    assert_close(&wide(&found.logits), case.output("y"), tolerance, &format!("{label}: logits"));
    assert_close(&wide(&found.losses), case.output("joint"), tolerance, &format!("{label}: losses"));
}

#[test]
fn a_whole_tabm_is_pytabkit_s() {
    load_op("tabm", "tabm", "f64").iter().for_each(|case| whole::<f64>(case, 1e-10));
    load_op("tabm", "tabm", "f32").iter().for_each(|case| whole::<f32>(case, 2e-5));
}

#[test]
fn edges_of_bins_are_those_of_rtdl_num_embeddings() {
    let cases = load_op("tabm", "edges", "f64");
    assert_eq!(cases.len(), 4);
    for case in &cases {
        let (bins, width) = (case.count("bins"), case.shape("x")[1]);
        let text = format!("{width} -> piecewise {bins} 2 -> 1");
        let network = Network::new(&text.parse().unwrap(), None).unwrap();
        let data = Matrix::with_values(case.input("x").to_vec(), width, vec![0.0; case.shape("x")[0]], 1);
        let rows: Vec<u32> = (0..case.shape("x")[0] as u32).collect();
        let drawn: Vec<f64> = network.initialise(5);
        let told = network.initialise_from_data(5, Rows { source: &data, rows: &rows }, &Team::single());
        for slot in network.graph.slots().iter() {
            let own = &told[slot.range()];
            match slot.name.as_str() {
                "0.edges" => assert_close(own, case.output("edges"), 1e-12, &case.label()),
                name => assert_eq!(own, &drawn[slot.range()], "{name}"),
            }
        }
    }
}
