//! One layer against PyTorch: forward, backward and three optimizer steps (`layer_case` of `tests/oracle/cases.py`).

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "for tests: to fail is to fail the test")]

use std::sync::Arc;

use glassnet_core::{DType, Graph, NodeId, Op, Plan, Purpose, Real, Request, Runner, Shape, StepInfo, Team};
use glassnet_nn::optimizer::{Optimizer, OptimizerSpec, Sgd};

use crate::oracle::{Case, assert_close};

/// Allowed distance, relative to max(1, |expected|).
fn tolerance<T: Real>() -> f64 {
    if T::NAME == "f32" { 1e-5 } else { 1e-10 }
}

fn wide<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64()).collect()
}

/// Compares value, gradients of all inputs and parameters, and the parameters after three steps of SGD. `inputs` are the
/// names of the operation's inputs in order (an integer input is called `labels`), `slots` those of its parameters. Returns
/// how many numbers it compared.
pub fn compare<T: Real>(case: &Case, op: &Op, inputs: &[&str], slots: &[&str], training: bool) -> usize {
    let label = format!("{} as {}", case.label(), T::NAME);
    let tolerance = tolerance::<T>();
    let mut graph = Graph::new();
    let mut rows = 0;
    let ids: Vec<NodeId> = inputs
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let shape = case.shape(name);
            rows = shape[0];
            let row = Shape(shape[1..].to_vec());
            match op.input_dtype(index) {
                DType::I32 => graph.integers(name, row),
                DType::Real => graph.input(name, row),
            }
        })
        .collect();
    let node = graph.push("layer", op.clone(), &ids).unwrap_or_else(|error| panic!("{label}: {error}"));
    let found: Vec<&str> = graph.slots().iter().map(|slot| slot.name.trim_start_matches("layer.")).collect();
    assert_eq!(found, slots, "{label}: names of the parameters");
    let request = Request {
        purpose: Purpose::Attribute,
        rows,
        backward_from: Some(node),
        outputs: vec![node],
        training,
        checkpoint: false,
    };
    let mut runner = Runner::<T>::new(Arc::new(Plan::new(&graph, request)), Team::single());
    let mut parameters = vec![T::ZERO; graph.slots().len()];
    for (slot, name) in graph.slots().iter().zip(slots) {
        assert_eq!(slot.shape, case.shape(name), "{label}: shape of {name}");
        for (parameter, &value) in parameters[slot.range()].iter_mut().zip(case.parameter(name)) {
            *parameter = T::from_f64(value);
        }
    }
    let spec = OptimizerSpec::Sgd(Sgd { momentum: 0.9, ..Sgd::default() }).checked().unwrap();
    let mut optimizer = Optimizer::<T>::new(spec, graph.slots());
    runner.set_rows(rows);
    let mut compared = 0;
    for step in 0..3 {
        for (&id, name) in ids.iter().zip(inputs) {
            if graph.node(id).dtype == DType::I32 {
                for (target, &value) in runner.labels_mut(id).iter_mut().zip(&case.labels) {
                    *target = i32::try_from(value).unwrap();
                }
                continue;
            }
            for (target, &value) in runner.input_mut(id).iter_mut().zip(case.input(name)) {
                *target = T::from_f64(value);
            }
        }
        runner.forward(&parameters, &StepInfo::default());
        if step == 0 {
            let value = wide(runner.value(node).unwrap());
            assert_close(&value, case.output("y"), tolerance, &format!("{label}: y"));
            compared += value.len();
        }
        for (seed, &value) in runner.seed_mut().iter_mut().zip(&case.upstream) {
            *seed = T::from_f64(value);
        }
        let mut gradients = vec![T::ZERO; parameters.len()];
        runner.backward_from_seed(&parameters, &mut gradients, &StepInfo::default());
        if step == 0 {
            for (index, (&id, name)) in ids.iter().zip(inputs).enumerate() {
                if op.differentiable(index) && graph.node(id).dtype == DType::Real {
                    let gradient = wide(runner.gradient(id).unwrap());
                    assert_close(&gradient, case.gradient(name), tolerance, &format!("{label}: gradient of {name}"));
                    compared += gradient.len();
                }
            }
            for (slot, name) in graph.slots().iter().zip(slots).filter(|(slot, _)| !slot.role.is_statistic()) {
                let gradient = wide(&gradients[slot.range()]);
                assert_close(&gradient, case.gradient(name), tolerance, &format!("{label}: gradient of {name}"));
                compared += gradient.len();
            }
        }
        optimizer.step(graph.slots(), &mut parameters, &gradients, 0.01);
    }
    for (slot, name) in graph.slots().iter().zip(slots) {
        let after = wide(&parameters[slot.range()]);
        assert_close(&after, case.output(&format!("{name}_after")), tolerance, &format!("{label}: {name} after"));
        compared += after.len();
    }
    compared
}
