//! Poolings against PyTorch: value and gradient.
#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod layer_case;
mod oracle;

use glassnet_core::ops::global_pool::{GlobalPool, Kind};
use glassnet_core::ops::{
    adaptive_avg_pool::AdaptiveAvgPool, adaptive_max_pool::AdaptiveMaxPool, avg_pool::AvgPool, max_pool::MaxPool,
};
use glassnet_core::{Op, Real};
use oracle::{Case, assert_counts, load};

fn pair(case: &Case, name: &str) -> [usize; 2] {
    let numbers = case.attributes[name].as_array().unwrap();
    assert_eq!(numbers.len(), 2, "{}: {name}", case.label());
    std::array::from_fn(|axis| numbers[axis].as_u64().unwrap() as usize)
}

fn op(case: &Case) -> Op {
    let pair = |name| pair(case, name);
    match case.op.as_str() {
        "max_pool" => Op::MaxPool(MaxPool {
            kernel: pair("kernel"),
            stride: pair("stride"),
            padding: pair("padding"),
            dilation: pair("dilation"),
        }),
        "avg_pool" => Op::AvgPool(AvgPool {
            kernel: pair("kernel"),
            stride: pair("stride"),
            padding: pair("padding"),
            count_padding: case.flag("count_padding"),
        }),
        "adaptive_avg_pool" => Op::AdaptiveAvgPool(AdaptiveAvgPool { output: pair("output") }),
        "adaptive_max_pool" => Op::AdaptiveMaxPool(AdaptiveMaxPool { output: pair("output") }),
        "global_pool" => match case.attributes["kind"].as_str().unwrap() {
            "average" => Op::GlobalPool(GlobalPool { kind: Kind::Average }),
            "max" => Op::GlobalPool(GlobalPool { kind: Kind::Max }),
            other => panic!("{}: kind {other}", case.label()),
        },
        other => panic!("{}: {other}", case.label()),
    }
}

fn compare<T: Real>() -> usize {
    let cases = load("pooling");
    let own = cases.iter().filter(|case| case.dtype == T::NAME);
    own.map(|case| layer_case::compare::<T>(case, &op(case), &["x"], &[], true)).sum()
}

#[test]
fn there_are_as_many_cases_as_were_made() {
    assert_counts(
        "pooling",
        &["f64", "f32"],
        &[("max_pool", 9), ("avg_pool", 7), ("adaptive_avg_pool", 7), ("adaptive_max_pool", 7), ("global_pool", 12)],
    );
}

#[test]
fn poolings_agree_with_pytorch() {
    let numbers = compare::<f32>();
    assert!(numbers > 3000, "only {numbers} numbers were compared");
    assert_eq!(numbers, compare::<f64>());
}
