//! Tokens, positions and attention: what no token and no place means, tied tables, refusals, and that a step allocates nothing.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

use std::sync::Arc;

use glassnet_core::ops::attention::{Attention, Mask};
use glassnet_core::ops::embedding::Embedding;
use glassnet_core::ops::linear::Linear;
use glassnet_core::ops::positions::{Kind, Positions};
use glassnet_core::ops::rotary::Rotary;
use glassnet_core::ops::unembedding::Unembedding;
use glassnet_core::slots::SlotId;
use glassnet_core::{Graph, NodeId, Op, Plan, Purpose, Request, Runner, Shape, StepInfo, Team};

fn runner(graph: &Graph, y: NodeId, rows: usize, team: Team) -> Runner<f32> {
    let request = Request {
        purpose: Purpose::Attribute,
        rows,
        backward_from: Some(y),
        outputs: vec![y],
        training: true,
        checkpoint: false,
    };
    let mut runner = Runner::new(Arc::new(Plan::new(graph, request)), team);
    runner.set_rows(rows);
    runner
}

#[test]
fn padding_gives_zeros_and_a_token_outside_the_table_nan() {
    let mut graph = Graph::new();
    let tokens = graph.integers("tokens", [4]);
    let y = graph.push("0", Op::Embedding(Embedding { entries: 2, width: 2 }), &[tokens]).unwrap();
    let mut runner = runner(&graph, y, 1, Team::single());
    runner.labels_mut(tokens).copy_from_slice(&[1, -1, 2, -2]);
    runner.forward(&[1.0, 2.0, 3.0, 4.0], &StepInfo::default());
    let value = runner.value(y).unwrap();
    assert_eq!(value[..4], [3.0, 4.0, 0.0, 0.0]);
    assert!(value[4..].iter().all(|y| y.is_nan()));
    runner.seed_mut().copy_from_slice(&[1.0, 2.0, 10.0, 20.0, 100.0, 200.0, 1000.0, 2000.0]);
    // Added to what is there, in the row that was used and no other.
    let mut gradients = [0.5; 4];
    runner.backward_from_seed(&[1.0, 2.0, 3.0, 4.0], &mut gradients, &StepInfo::default());
    assert_eq!(gradients, [0.5, 0.5, 1.5, 2.5]);
}

#[test]
fn a_large_table_has_the_same_gradient_on_any_number_of_threads() {
    let (rows, steps, entries, width) = (40, 33, 101, 64);
    let mut graph = Graph::new();
    let tokens = graph.integers("tokens", [steps]);
    let y = graph.push("0", Op::Embedding(Embedding { entries, width }), &[tokens]).unwrap();
    let table: Vec<f32> = (0..entries * width).map(|i| (i as f32).sqrt()).collect();
    let run = |threads: usize| {
        let mut runner = runner(&graph, y, rows, Team::new(threads));
        for (i, token) in runner.labels_mut(tokens).iter_mut().enumerate() {
            *token = (i * i % 103) as i32 - 1;
        }
        runner.forward(&table, &StepInfo::default());
        let value: Vec<u32> = runner.value(y).unwrap().iter().map(|y| y.to_bits()).collect();
        for (i, g) in runner.seed_mut().iter_mut().enumerate() {
            *g = (i % 89) as f32 / 89.0 - 0.3;
        }
        let mut gradients = vec![0.0; table.len()];
        runner.backward_from_seed(&table, &mut gradients, &StepInfo::default());
        (value, gradients.iter().map(|g| g.to_bits()).collect::<Vec<_>>())
    };
    let alone = run(1);
    assert!(alone.1.iter().any(|&g| g != 0));
    assert_eq!(alone, run(2));
    assert_eq!(alone, run(3));
}

#[test]
fn tied_tables_are_one_slot_whose_gradients_add() {
    let (entries, width) = (3, 2);
    let mut graph = Graph::new();
    let tokens = graph.integers("tokens", [2]);
    let x = graph.push("embed", Op::Embedding(Embedding { entries, width }), &[tokens]).unwrap();
    let y = graph.push_tied("head", Op::Unembedding(Unembedding { entries }), &[x], &[SlotId(0)]).unwrap();
    assert_eq!(graph.slots().len(), entries * width);
    let mut runner = runner(&graph, y, 1, Team::single());
    runner.labels_mut(tokens).copy_from_slice(&[2, 0]);
    let table = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    runner.forward(&table, &StepInfo::default());
    assert_eq!(runner.value(y), Some(&[17.0, 39.0, 61.0, 5.0, 11.0, 17.0][..]));
    // Only the score of entry 1 at the first step: dE[1] = x_0 = E[2], and through the embedding dE[2] = E[1].
    runner.seed_mut().copy_from_slice(&[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    let mut gradients = [0.0; 6];
    runner.backward_from_seed(&table, &mut gradients, &StepInfo::default());
    assert_eq!(gradients, [0.0, 0.0, 5.0, 6.0, 3.0, 4.0]);
}

#[test]
fn a_step_at_a_later_time_has_the_positions_of_that_time() {
    let (steps, width, capacity) = (5, 6, 5);
    let table: Vec<f32> = (0..capacity * width).map(|i| i as f32 * 0.37).collect();
    let ops = [
        Op::Positions(Positions { kind: Kind::Learned, capacity }),
        Op::Positions(Positions { kind: Kind::Sinusoidal, capacity }),
        Op::Rotary(Rotary { heads: 1, base: 10_000.0 }),
    ];
    for op in ops {
        let parameters =
            if matches!(op, Op::Positions(Positions { kind: Kind::Learned, .. })) { &table[..] } else { &[] };
        let run = |steps: usize, time: usize, x: &[f32]| {
            let mut graph = Graph::new();
            let input = graph.input("x", [steps, width]);
            let y = graph.push("0", op.clone(), &[input]).unwrap();
            let mut runner = runner(&graph, y, 1, Team::single());
            runner.input_mut(input).copy_from_slice(x);
            let info = StepInfo { time, ..StepInfo::default() };
            runner.forward(parameters, &info);
            let value = runner.value(y).unwrap().to_vec();
            runner.seed_mut().fill(1.0);
            let mut gradients = vec![0.0; parameters.len()];
            runner.backward_from_seed(parameters, &mut gradients, &info);
            (value, gradients)
        };
        let x: Vec<f32> = (0..steps * width).map(|i| (i % 7) as f32 - 3.0).collect();
        let (whole, _) = run(steps, 0, &x);
        for t in 0..steps {
            let (value, gradients) = run(1, t, &x[t * width..][..width]);
            assert_eq!(value, whole[t * width..][..width], "{op:?}, step {t}");
            for (i, g) in gradients.iter().enumerate() {
                assert_eq!(*g, f32::from(i / width == t), "{op:?}, step {t}, parameter {i}");
            }
        }
        if !matches!(op, Op::Rotary(_)) {
            let (value, gradients) = run(2, 4, &x[..2 * width]);
            assert_eq!(value[..width].iter().filter(|y| y.is_nan()).count(), 0, "{op:?}: the last place");
            assert!(value[width..].iter().all(|y| y.is_nan()), "{op:?}: past the context");
            assert_eq!(gradients.iter().sum::<f32>(), if parameters.is_empty() { 0.0 } else { 6.0 });
        }
    }
}

fn refuse(op: Op, shapes: &[&[usize]], says: &str) {
    let shapes: Vec<Shape> = shapes.iter().map(|axes| Shape(axes.to_vec())).collect();
    let shapes: Vec<&Shape> = shapes.iter().collect();
    let message = op.shape(&shapes).unwrap_err();
    assert!(message.contains(says), "{op:?}: {message}");
}

#[test]
fn shapes_of_tokens_and_positions_that_do_not_fit() {
    refuse(Op::Embedding(Embedding { entries: 0, width: 3 }), &[&[4]], "its table is [0, 3]");
    refuse(Op::Embedding(Embedding { entries: 5, width: 3 }), &[&[4, 2]], "its input is [B, 4, 2]");
    refuse(Op::Unembedding(Unembedding { entries: 5 }), &[&[]], "vectors [B, .., width]");
    refuse(Op::Unembedding(Unembedding { entries: 0 }), &[&[3]], "0 entries");
    for kind in [Kind::Learned, Kind::Sinusoidal] {
        let positions = Op::Positions(Positions { kind, capacity: 4 });
        refuse(
            positions.clone(),
            &[&[5, 3]],
            "a sequence of 5 is longer than the context of 4: the input is [B, 5, 3]",
        );
        refuse(positions.clone(), &[&[3]], "[B, T, C], but the input is [B, 3]");
        refuse(positions, &[&[0, 3]], "at least one step");
    }
    let rotary = |heads, base| Op::Rotary(Rotary { heads, base });
    refuse(rotary(2, 1e4), &[&[5, 6]], "the input [B, 5, 6] in 2 heads has 3 a head");
    refuse(rotary(4, 1e4), &[&[5, 6]], "4 heads do not divide the width 6 of the input [B, 5, 6]");
    refuse(rotary(0, 1e4), &[&[5, 6]], "0 heads");
    refuse(rotary(1, 1e4), &[&[6]], "[B, T, C], but the input is [B, 6]");
    refuse(rotary(1, f64::NAN), &[&[5, 6]], "base of rotary positions must be positive");
}

#[test]
fn shapes_of_attention_that_do_not_fit() {
    let attention =
        |heads, kv_heads, mask, cache| Op::Attention(Attention { heads, kv_heads, causal: true, mask, cache });
    let plain = |heads, kv_heads| attention(heads, kv_heads, Mask::None, 0);
    refuse(plain(2, 2), &[&[6], &[5, 6], &[5, 6]], "[B, T, C], but queries, keys and values are [B, 6]");
    refuse(plain(2, 2), &[&[0, 6], &[5, 6], &[5, 6]], "at least one query");
    refuse(plain(4, 3), &[&[5, 8], &[5, 6], &[5, 6]], "4 heads of queries are not a multiple of 3 heads of keys");
    refuse(plain(2, 0), &[&[5, 8], &[5, 6], &[5, 6]], "0 heads of keys");
    refuse(plain(4, 4), &[&[5, 6], &[5, 6], &[5, 6]], "4 heads do not divide the width 6 of the queries [B, 5, 6]");
    refuse(plain(2, 2), &[&[5, 6], &[5, 5], &[5, 6]], "2 heads do not divide the width 5 of the keys [B, 5, 5]");
    refuse(plain(2, 2), &[&[5, 6], &[5, 6], &[5, 7]], "2 heads do not divide the width 7 of the values [B, 5, 7]");
    let differ = "a head of the queries [B, 5, 6] is 3 wide and one of the keys [B, 5, 4] is 2";
    refuse(plain(2, 2), &[&[5, 6], &[5, 4], &[5, 6]], differ);
    refuse(plain(2, 1), &[&[5, 6], &[4, 3], &[5, 3]], "keys are [B, 4, 3] and values [B, 5, 3]");
    let same: [&[usize]; 3] = [&[5, 6]; 3];
    let with = |last: &'static [usize]| [same[0], same[1], same[2], last];
    refuse(attention(2, 2, Mask::Lengths, 0), &with(&[5]), "one whole number a row, [B], but they are [B, 5]");
    refuse(attention(2, 2, Mask::Given, 0), &with(&[5]), "[B, 5, 5], but it is [B, 5]");
    refuse(attention(2, 2, Mask::Given, 9), &with(&[5, 5]), "does not go with a cache");
    refuse(attention(2, 2, Mask::None, 4), &same, "a sequence of 5 is longer than the context of 4");
    refuse(attention(2, 2, Mask::None, 9), &[&[5, 6], &[4, 6], &[4, 6]], "as many keys as queries");
}

#[test]
fn an_error_names_the_layer_and_the_operation() {
    let mut graph = Graph::new();
    let x = graph.input("x", [5, 6]);
    let error = graph.push("block0.attention", Op::Attention(Attention::new(4, true)), &[x, x, x]).unwrap_err();
    assert!(error.to_string().starts_with("layer block0.attention (attention): 4 heads do not divide"), "{error}");
}

#[test]
fn a_step_of_a_small_transformer_allocates_nothing() {
    let (rows, steps, width, entries) = (3, 70, 16, 11);
    let mut graph = Graph::new();
    let tokens = graph.integers("tokens", [steps]);
    let lengths = graph.integers("lengths", Shape::default());
    let embed = Op::Embedding(Embedding { entries, width });
    let x = graph.push("embed", embed, &[tokens]).unwrap();
    let x = graph.push("places", Op::Positions(Positions { kind: Kind::Sinusoidal, capacity: steps }), &[x]).unwrap();
    let mut turned = |name: &str| {
        let x = graph.push(name, Op::Linear(Linear { units: width, bias: false, ntk: false }), &[x]).unwrap();
        graph.push(&format!("{name}.rotary"), Op::Rotary(Rotary { heads: 2, base: 1e4 }), &[x]).unwrap()
    };
    let (q, k) = (turned("q"), turned("k"));
    let op = Attention { heads: 2, kv_heads: 2, causal: true, mask: Mask::Lengths, cache: 0 };
    let x = graph.push("attention", Op::Attention(op), &[q, k, x, lengths]).unwrap();
    let y = graph.push_tied("head", Op::Unembedding(Unembedding { entries }), &[x], &[SlotId(0)]).unwrap();
    for threads in [1, 2, 4] {
        let mut runner = runner(&graph, y, rows, Team::new(threads));
        runner.labels_mut(lengths).copy_from_slice(&[70, 1, 33]);
        let parameters: Vec<f32> = (0..graph.slots().len()).map(|i| (i % 13) as f32 / 13.0 - 0.4).collect();
        let mut gradients = vec![0.0; parameters.len()];
        let mut step = || {
            runner.forward(&parameters, &StepInfo::default());
            runner.backward(&parameters, &mut gradients, &StepInfo::default());
        };
        // Each thread's panels for products grow once.
        for _ in 0..20 {
            step();
        }
        assert_eq!(allocation_counter::measure(step).count_total, 0, "{threads} threads");
        assert!(gradients.iter().all(|g| g.is_finite()));
    }
}
