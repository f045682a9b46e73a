//! What holds of every layer holds of whole networks: one row, one answer, whatever stands beside it and however many
//! threads there are; gradients are those that finite differences find.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

mod whole;

use glassnet_core::{StepInfo, Team};
use glassnet_nn::functional::loss_and_gradients;
use glassnet_nn::inspect::{CheckOptions, check};
use whole::{CLASSES, Made, NETS, Row, bits, logits, network, parameters, predictor, read};

const ROWS: [u32; 6] = [0, 1, 2, 3, 4, 5];

#[test]
fn a_row_alone_gives_the_bytes_that_it_gives_in_a_batch() {
    for &(text, row, lengths) in NETS {
        let network = network(text, row, lengths);
        let parameters: Vec<f32> = parameters(&network, 1);
        let source = Made::new(&network, row, 6, lengths);
        let all = logits(&network, &parameters, &source, &ROWS, 1);
        let width = all.len() / ROWS.len();
        assert!(all.iter().all(|value| value.is_finite()), "{text}");
        for (place, alone) in ROWS.iter().enumerate() {
            let alone = logits(&network, &parameters, &source, &[*alone], 1);
            assert_eq!(bits(&alone), bits(&all[place * width..(place + 1) * width]), "{text}, row {place}");
        }
        let other = &all[width..2 * width];
        assert_ne!(bits(&all[..width]), bits(other), "{text}: rows that differ give different logits");
    }
}

#[test]
fn permuting_a_batch_permutes_the_outputs() {
    for &(text, row, lengths) in NETS {
        let network = network(text, row, lengths);
        let parameters: Vec<f32> = parameters(&network, 2);
        let source = Made::new(&network, row, 6, lengths);
        let all = logits(&network, &parameters, &source, &ROWS, 2);
        let width = all.len() / ROWS.len();
        let order = [4u32, 0, 5, 2, 1, 3];
        let permuted = logits(&network, &parameters, &source, &order, 2);
        let wanted: Vec<f32> = order.iter().flat_map(|&row| &all[row as usize * width..][..width]).copied().collect();
        assert_eq!(bits(&permuted), bits(&wanted), "{text}");
    }
}

#[test]
fn a_training_step_has_the_same_bytes_with_any_number_of_threads() {
    for &(text, row, lengths) in NETS {
        let network = network(text, row, lengths);
        let parameters: Vec<f32> = parameters(&network, 3);
        // More rows than a block of the sum over examples, and not a multiple of anything.
        let source = Made::new(&network, row, 37, lengths);
        let rows: Vec<u32> = (0..37).collect();
        let info = StepInfo { seed: 5, epoch: 1, position: 74, ..StepInfo::default() };
        let step = |threads| loss_and_gradients(&network, &parameters, &source, &rows, &info, &Team::new(threads));
        let one = step(1);
        let trained = network.graph.slots().iter().filter(|slot| !slot.role.is_statistic());
        for slot in trained {
            let gradient = &one.gradients[slot.range()];
            assert!(gradient.iter().any(|value| *value != 0.0), "{text}: {} gets no gradient", slot.name);
        }
        for threads in [2, 3] {
            let several = step(threads);
            assert_eq!(several.loss.to_bits(), one.loss.to_bits(), "{text}, {threads} threads");
            assert_eq!(bits(&several.gradients), bits(&one.gradients), "{text}, {threads} threads");
        }
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for &(text, row, lengths) in NETS {
        let network = network(text, row, lengths);
        let parameters: Vec<f64> = parameters(&network, 4);
        let source = Made::new(&network, row, 3, lengths);
        let options = CheckOptions { all_up_to: 100, sample: 8, ..CheckOptions::default() };
        let found = check(&network, &parameters, &source, &[0, 1, 2], &options).unwrap();
        assert!(found.passed, "{text}\n{found}");
        let slots = network.graph.slots().iter().filter(|slot| !slot.role.is_statistic()).count();
        assert!(found.compared >= slots, "{text}: {} of {slots} slots", found.compared);
    }
}

#[test]
fn both_precisions_agree() {
    for &(text, row, lengths) in NETS {
        let network = network(text, row, lengths);
        let single: Vec<f32> = parameters(&network, 5);
        let double: Vec<f64> = single.iter().map(|&value| f64::from(value)).collect();
        let source = Made::new(&network, row, 6, lengths);
        let near = logits(&network, &single, &source, &ROWS, 1);
        let exact = logits(&network, &double, &source, &ROWS, 1);
        for (near, exact) in near.iter().zip(&exact) {
            assert!((f64::from(*near) - exact).abs() <= 2e-5 * exact.abs().max(1.0), "{text}: {near} {exact}");
        }
    }
}

/// What stands behind a row's end does not count, and a row of a shorter plan is the same row.
#[test]
fn what_lies_behind_a_rows_end_does_not_matter() {
    let mut seen = 0;
    for &(text, row, lengths) in NETS.iter().filter(|(_, _, lengths)| *lengths) {
        let network = network(text, row, lengths);
        let parameters: Vec<f32> = parameters(&network, 6);
        let clean = Made::new(&network, row, 9, lengths);
        let rows: Vec<u32> = (0..9).collect();
        let steps = if network.gives_steps() { network.inputs() } else { 1 };
        // Of a network that gives steps, those that are live.
        let live = |all: &[f32]| -> Vec<u64> {
            let each = all.len() / rows.len();
            let of_row = |row: u32| if steps > 1 { clean.live(row) * CLASSES } else { each };
            rows.iter().flat_map(|&row| bits(&all[row as usize * each..][..of_row(row)])).collect()
        };
        let wanted = live(&logits(&network, &parameters, &clean, &rows, 1));
        let info = StepInfo::default();
        let gradients =
            |source: &Made| loss_and_gradients(&network, &parameters, source, &rows, &info, &Team::single()).gradients;
        let learned = bits(&gradients(&clean));
        for padding in [4.0, -1.0, 3.5e3, f64::from(i32::MAX), f64::NAN] {
            let garbage = Made { padding, ..clean.clone() };
            assert_eq!(live(&logits(&network, &parameters, &garbage, &rows, 1)), wanted, "{text}, padding {padding}");
            assert_eq!(bits(&gradients(&garbage)), learned, "{text}, padding {padding}");
        }
        seen += 1;
    }
    assert_eq!(seen, 5);
}

/// The row of 4 tokens in a network of 9 is the row in a network of 4.
#[test]
fn a_padded_row_is_the_shorter_row() {
    for text in [
        "embed 6 -> gru 5 bidirectional -> last",
        "embed 6 -> lstm 5 2 layers -> mean",
        "embed 8 -> residual(layernorm -> attention 4 heads 2 kv heads rotary) -> mean",
        "embed 6 -> rnn 5 -> last",
    ] {
        let (long, short) = (network(text, Row::Tokens(9), true), network(text, Row::Tokens(4), true));
        let parameters: Vec<f32> = parameters(&long, 7);
        assert_eq!(long.parameters(), short.parameters());
        let tokens = [3, 0, 4, 1];
        let run = |network: &glassnet_nn::network::Network, fill: i32| {
            let mut runner = predictor::<f32>(network, 1, 1);
            runner.set_rows(1);
            let room = runner.labels_mut(network.x);
            room.fill(fill);
            room[..4].copy_from_slice(&tokens);
            runner.labels_mut(network.lengths.unwrap())[0] = 4;
            runner.forward(&parameters, &StepInfo::default());
            bits(&read(&runner, network.logits))
        };
        let wanted = run(&short, 0);
        for fill in [0, 2, -1] {
            assert_eq!(run(&long, fill), wanted, "{text}");
        }
    }
}

/// Changing token t changes no output before t, and does change that of t.
#[test]
fn no_step_sees_what_comes_after_it() {
    for text in [
        "gpt 2 layers 2 heads 8",
        "gpt 2 layers 4 heads 2 kv heads 16 rotary swiglu rmsnorm tied no bias",
        "gpt 1 layers 3 heads 12 sinusoidal",
        "embed 6 -> lstm 7 2 layers",
        "embed 6 -> gru 7 -> residual(rmsnorm -> attention 7 heads causal) -> 5 tanh",
        "embed 6 -> rnn 7 relu -> dropout 0.5",
    ] {
        const STEPS: usize = 70;
        let network = network(text, Row::Tokens(STEPS), false);
        assert!(network.spec.check_causal().is_ok(), "{text}");
        let parameters: Vec<f32> = parameters(&network, 8);
        let draws = glassnet_core::random::Draws::new(1, glassnet_core::random::Purpose::Synthetic, 0, 0);
        let tokens: Vec<i32> = (0..STEPS as u64).map(|place| draws.below(place, 5) as i32).collect();
        let run = |tokens: &[i32]| {
            let mut runner = predictor::<f32>(&network, 1, 2);
            runner.set_rows(1);
            runner.labels_mut(network.x).copy_from_slice(tokens);
            runner.forward(&parameters, &StepInfo::default());
            bits(&read(&runner, network.logits))
        };
        let wanted = run(&tokens);
        for t in [0, 1, 2, 31, 32, 33, 63, 64, 65, STEPS - 1] {
            let mut changed = tokens.clone();
            changed[t] = (changed[t] + 1) % 5;
            let found = run(&changed);
            assert_eq!(found[..t * CLASSES], wanted[..t * CLASSES], "{text}, token {t}");
            let here = t * CLASSES..(t + 1) * CLASSES;
            assert_ne!(found[here.clone()], wanted[here], "{text}, token {t} changes its own step");
        }
    }
}
