//! Embedding, unembedding, positions, rotary positions and attention against PyTorch: value, gradients, three steps of SGD.
#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod layer_case;
mod oracle;

use glassnet_core::ops::attention::{Attention, Mask};
use glassnet_core::ops::embedding::Embedding;
use glassnet_core::ops::positions::{Kind, Positions};
use glassnet_core::ops::rotary::Rotary;
use glassnet_core::ops::unembedding::Unembedding;
use glassnet_core::{Op, Real};
use layer_case::compare;
use oracle::{Case, assert_counts, load_op};

const BOTH: &[&str] = &["f64", "f32"];

fn word<'a>(case: &'a Case, name: &str) -> &'a str {
    case.attributes[name].as_str().unwrap()
}

/// Compares one case; how many numbers.
fn check<T: Real>(case: &Case) -> usize {
    let count = |name: &str| case.count(name);
    let (op, inputs, slots): (Op, &[&str], &[&str]) = match case.op.as_str() {
        "embedding" => {
            let op = Embedding { entries: count("entries"), width: count("width") };
            (Op::Embedding(op), &["labels"], &["weight"])
        }
        "unembedding" => (Op::Unembedding(Unembedding { entries: count("entries") }), &["x"], &["weight"]),
        "positions" => {
            let learned = word(case, "kind") == "learned";
            let kind = if learned { Kind::Learned } else { Kind::Sinusoidal };
            let op = Positions { kind, capacity: count("capacity") };
            (Op::Positions(op), &["x"], if learned { &["weight"] } else { &[] })
        }
        "rotary" => (Op::Rotary(Rotary { heads: count("heads"), base: case.number("base") }), &["x"], &[]),
        "attention" => {
            let (mask, inputs): (Mask, &[&str]) = match word(case, "mask") {
                "none" => (Mask::None, &["q", "k", "v"]),
                "lengths" => (Mask::Lengths, &["q", "k", "v", "labels"]),
                "given" => (Mask::Given, &["q", "k", "v", "mask"]),
                other => panic!("{}: what is the mask {other}?", case.label()),
            };
            let (heads, kv_heads, causal) = (count("heads"), count("kv_heads"), case.flag("causal"));
            (Op::Attention(Attention { heads, kv_heads, causal, mask, cache: 0 }), inputs, &[])
        }
        other => panic!("what is {other}?"),
    };
    compare::<T>(case, &op, inputs, slots, true)
}

fn check_all(group: &str, op: &str) {
    for dtype in BOTH {
        for case in load_op(group, op, dtype) {
            let compared = if *dtype == "f32" { check::<f32>(&case) } else { check::<f64>(&case) };
            assert!(compared > 0, "{}: nothing was compared", case.label());
        }
    }
}

#[test]
fn every_operation_has_its_cases() {
    assert_counts("attention", BOTH, &[("attention", 12)]);
    let tokens = [("embedding", 6), ("unembedding", 6), ("positions", 12), ("rotary", 6)];
    assert_counts("embedding", BOTH, &tokens);
}

#[test]
fn embedding_and_unembedding_are_pytorch_s() {
    check_all("embedding", "embedding");
    check_all("embedding", "unembedding");
}

#[test]
fn positions_are_pytorch_s() {
    check_all("embedding", "positions");
    check_all("embedding", "rotary");
}

#[test]
fn attention_is_pytorch_s() {
    check_all("attention", "attention");
}

#[test]
fn the_cases_hold_rows_that_see_nothing() {
    // Else the rule for them would not be tested.
    for case in load_op("attention", "attention", "f64") {
        let width = case.shape("y")[2];
        let empty = case.output("y").chunks(width).filter(|o| o.iter().all(|&o| o == 0.0)).count();
        assert_eq!(empty > 0, word(&case, "mask") != "none", "{}: {empty} rows of 0", case.label());
    }
}
