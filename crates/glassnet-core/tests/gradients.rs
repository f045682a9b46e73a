//! The gradient of every registered operation against finite differences, along the path that users take: graph, plan,
//! runner. A new operation is tested because it is in the register; one without samples fails.

mod trial;

use std::collections::BTreeSet;

use glassnet_core::{Op, Team};
use trial::{Operands, Trial, upstream};

/// Step of the difference: two steps stay inside the 1e-3 that draws keep away from a kink.
const STEP: f64 = 4e-4;

/// The five-point central difference is wrong by h^4/30 f''''' < 1e-13 here, and by the rounding of the values over the
/// step: some 1e-15 / 4e-4 = 3e-12. Derivatives of the fifth order and sums over rows can make that a hundred times more; a
/// wrong formula is off by far more than 1e-9.
const TOLERANCE: f64 = 1e-9;

/// sum(upstream * dy/dv) by (8 (y(+h) - y(-h)) - (y(+2h) - y(-2h))) / 12h. Taken element by element: what does not depend on v
/// cancels exactly instead of drowning the rest.
fn difference(
    trial: &mut Trial<f64>,
    rows: usize,
    at: &Operands,
    up: &[f64],
    value: impl Fn(&mut Operands) -> &mut f64,
) -> f64 {
    let mut moved = at.clone();
    let start = *value(&mut moved);
    let mut ask = |step: f64| {
        *value(&mut moved) = start + step;
        trial.forward(rows, &moved)
    };
    let (near, before) = (ask(STEP), ask(-STEP));
    let (far, behind) = (ask(2.0 * STEP), ask(-2.0 * STEP));
    let term = |i: usize| up[i] * (8.0 * (near[i] - before[i]) - (far[i] - behind[i]));
    (0..up.len()).map(term).sum::<f64>() / (12.0 * STEP)
}

fn assert_near(numeric: f64, analytic: f64, what: &str) {
    let apart = (numeric - analytic).abs() / analytic.abs().max(1.0);
    assert!(apart <= TOLERANCE, "{what}: difference {numeric:e}, backward {analytic:e}, {apart:.2e} apart");
}

#[test]
fn every_gradient_agrees_with_finite_differences() {
    let mut tested = BTreeSet::new();
    for sample in Op::samples() {
        let (op, rows) = (&sample.op, sample.rows);
        let mut trial = Trial::<f64>::new(op, &sample.inputs, rows, Team::single());
        let operands = trial.draw(&sample);
        let up = upstream(trial.forward(rows, &operands).len());
        let gradients = trial.backward(&up);
        let mut compared = 0;
        for (index, values) in operands.inputs.iter().enumerate() {
            let name = format!("{op:?}, {rows} rows, input {index}");
            match &gradients.inputs[index] {
                Some(gradient) => {
                    assert!(op.differentiable(index), "{name}: a gradient where none should flow");
                    assert_eq!(gradient.len(), values.len(), "{name}: numbers of the gradient");
                    for (i, &analytic) in gradient.iter().enumerate() {
                        let numeric = difference(&mut trial, rows, &operands, &up, |o| &mut o.inputs[index][i]);
                        assert_near(numeric, analytic, &format!("{name}, element {i}"));
                        compared += 1;
                    }
                }
                None => assert!(!op.differentiable(index), "{name}: no gradient"),
            }
        }
        assert_eq!(gradients.parameters.len(), operands.parameters.len());
        let statistics: Vec<_> = trial.graph.slots().iter().filter(|slot| slot.role.is_statistic()).cloned().collect();
        for (i, &analytic) in gradients.parameters.iter().enumerate() {
            // What stands there is the change that the batch asks for, no gradient.
            if statistics.iter().any(|slot| slot.range().contains(&i)) {
                continue;
            }
            let numeric = difference(&mut trial, rows, &operands, &up, |o| &mut o.parameters[i]);
            assert_near(numeric, analytic, &format!("{op:?}, {rows} rows, parameter {i}"));
            compared += 1;
        }
        if op.card().name == "step" {
            // The one operation without a gradient: it is flat wherever it has a derivative.
            let flat = difference(&mut trial, rows, &operands, &up, |o| &mut o.inputs[0][0]);
            assert_eq!((compared, flat), (0, 0.0));
        } else {
            assert!(compared > 0, "{op:?}: nothing was compared");
        }
        tested.insert(op.card().name);
    }
    let registered: BTreeSet<&str> = Op::names().iter().copied().filter(|&name| name != "input").collect();
    assert_eq!(tested, registered, "each operation but `input` has samples");
}

#[test]
fn gradients_of_parameters_are_added_to_what_is_there() {
    // Two micro-batches in one buffer: half of the rows each, the sum is that of the whole.
    let sample =
        Op::samples().into_iter().find(|sample| sample.op.card().name == "linear" && sample.rows == 4).unwrap();
    let mut trial = Trial::<f64>::new(&sample.op, &sample.inputs, 4, Team::single());
    let operands = trial.draw(&sample);
    let up = upstream(trial.forward(4, &operands).len());
    let whole = trial.backward(&up).parameters;
    let mut sum = vec![0.0; whole.len()];
    let width = operands.inputs[0].len() / 4;
    for half in 0..2 {
        let part =
            Operands { inputs: vec![operands.inputs[0][half * 2 * width..][..2 * width].to_vec()], ..operands.clone() };
        trial.forward(2, &part);
        let up = &up[half * up.len() / 2..][..up.len() / 2];
        for (sum, more) in sum.iter_mut().zip(trial.backward(up).parameters) {
            *sum += more;
        }
    }
    for (i, (&sum, &whole)) in sum.iter().zip(&whole).enumerate() {
        assert_near(sum, whole, &format!("parameter {i}"));
    }
}
