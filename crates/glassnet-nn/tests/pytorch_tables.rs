//! The layers for tables against pytabkit (the code of RealMLP) and PyTorch: value, gradients, three optimizer steps.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod layer_case;
mod oracle;

use glassnet_core::Op;
use glassnet_core::ops::{
    categories::Categories, linear::Linear, parametric::Parametric, parametric::Sigma, periodic::Periodic, scale::Scale,
};
use oracle::{Case, assert_counts, load};

fn compare(case: &Case) -> usize {
    let (op, slots): (Op, &[&str]) = match case.op.as_str() {
        "periodic" => {
            let op = Periodic { frequencies: case.count("frequencies"), width: case.count("width") };
            (Op::Periodic(op), &["frequency", "phase", "weight", "bias"])
        }
        "ntk" => {
            let (units, bias) = (case.shape("weight")[0], case.flag("bias"));
            (Op::Linear(Linear { units, bias, ntk: true }), if bias { &["weight", "bias"] } else { &["weight"] })
        }
        "parametric" => {
            let name = case.attributes["curve"].as_str().unwrap();
            let sigma = Sigma::ALL.into_iter().find(|sigma| sigma.name() == name).unwrap();
            (Op::Parametric(Parametric { sigma }), &["bend"])
        }
        "scale" => (Op::Scale(Scale), &["scale"]),
        "categories" => {
            let sizes = case.attributes["sizes"].as_array().unwrap();
            let sizes = sizes.iter().map(|size| usize::try_from(size.as_u64().unwrap()).unwrap()).collect();
            (Op::Categories(Categories { sizes, width: case.count("width") }), &["weight"])
        }
        other => panic!("no operation {other}"),
    };
    match case.dtype.as_str() {
        "f32" => layer_case::compare::<f32>(case, &op, &["x"], slots, true),
        _ => layer_case::compare::<f64>(case, &op, &["x"], slots, true),
    }
}

#[test]
fn layers_for_tables_are_pytabkit_s() {
    let counts = [("periodic", 5), ("ntk", 4), ("parametric", 18), ("scale", 3), ("categories", 3)];
    assert_counts("tables", &["f64", "f32"], &counts);
    let compared: usize = load("tables").iter().map(compare).sum();
    assert!(compared > 10_000, "only {compared} numbers were compared");
}
