//! Layers one after the other, and the scale of what is fed to them.

use glassnet::core::Real;
use glassnet::model::standardise::Scale;
use glassnet::nn::inspect::{MergeOptions, merge_affine};

use crate::net::{Net, products};
use crate::reader::Entry;

/// The weight and bias of the one layer that a network without curves between its layers comes to, found in two ways
/// that must agree: merged, and read off its values at 0 and at each unit vector.
fn collapsed<T: Real>(net: &Net<T>) -> (Vec<T>, Vec<T>) {
    let merged = merge_affine(&net.network, &net.parameters, MergeOptions::default()).unwrap();
    assert_eq!((merged.merges.len(), merged.merges[0].layers.len()), (1, 2));
    let slot = |name| merged.network.slot(name, &merged.parameters).unwrap().to_vec();
    let (weight, bias) = (slot("0.weight"), slot("0.bias"));
    let inputs = net.network.inputs();
    let near = |a: T, b: T| (a - b).abs().to_f64() < if T::BYTES == 8 { 1e-12 } else { 1e-6 };
    let logits = |x: &[f64]| net.layer(1, x);
    let origin = logits(&vec![0.0; inputs]);
    assert!(origin.iter().zip(&bias).all(|(&a, &b)| near(a, b)));
    for input in 0..inputs {
        let mut x = vec![0.0; inputs];
        x[input] = 1.0;
        for (output, (&y, &zero)) in logits(&x).iter().zip(&origin).enumerate() {
            assert!(near(y - zero, weight[output * inputs + input]));
        }
    }
    (weight, bias)
}

pub fn affine_collapse<T: Real>(entry: &Entry<'_>) {
    let numbers = |key: &str| entry.at(key).numbers();
    let given = |second| [("0.weight", numbers("w1")), ("0.bias", numbers("b1")), (second, numbers("w2"))].to_vec();
    let x = numbers("x");
    let mut two = given("1.weight");
    two.push(("1.bias", numbers("b2")));
    let two = Net::<T>::new("2 -> 2 -> 1", &two);
    entry.at("two_affine").is(&two.run(&x));
    entry.at("printed").at("two_affine").is_printed(&two.run(&x));
    let (weight, bias) = collapsed(&two);
    entry.at("merged_w").is(&weight);
    entry.at("merged_b").is(&bias);
    let one = Net::<T>::new("2 -> 1", &[("0.weight", numbers("merged_w")), ("0.bias", numbers("merged_b"))]);
    entry.at("merged").is(&one.run(&x));
    let mut curved = given("2.weight");
    curved.push(("2.bias", numbers("b2")));
    let curved = Net::<T>::new("2 -> 2 relu -> 1", &curved);
    entry.at("with_relu").is(&curved.run(&x));
    entry.at("printed").at("with_relu").is_printed(&curved.run(&x));
}

pub fn affine_collapse_scalar<T: Real>(entry: &Entry<'_>) {
    let numbers = |key: &str| entry.at(key).numbers();
    let given = [("w1", "0.weight"), ("b1", "0.bias"), ("w2", "1.weight"), ("b2", "1.bias")];
    let two = Net::<T>::new("1 -> 1 -> 1", &given.map(|(key, slot)| (slot, numbers(key))));
    entry.at("y").is(&two.run(&numbers("x")));
    let (weight, bias) = collapsed(&two);
    entry.at("merged_w").is(&weight);
    entry.at("merged_b").is(&bias);
}

/// The network 2 -> 2 relu -> 1 sigmoid of an entry.
fn net_of<T: Real>(entry: &Entry<'_>, text: &str) -> Net<T> {
    let given = [("w1", "0.weight"), ("b1", "0.bias"), ("w2", "2.weight"), ("b2", "2.bias")];
    Net::new(text, &given.map(|(key, slot)| (slot, entry.at(key).numbers())))
}

pub fn net_2_2_1<T: Real>(entry: &Entry<'_>) {
    let (net, x) = (net_of::<T>(entry, "2 -> 2 relu -> 1 sigmoid"), entry.at("x").numbers());
    entry.at("z1").is(&net.layer(0, &x));
    entry.at("h").is(&net.layer(1, &x));
    entry.at("logit").is(&net.layer(2, &x));
    entry.at("score").is(&net.run(&x));
    entry.at("printed").at("logit").is_printed(&net.layer(2, &x));
    entry.at("printed").at("score").is_printed(&net.run(&x));
    assert_eq!(net.network.parameters(), entry.at("parameters").count());
}

pub fn net_2_2_1_batch<T: Real>(entry: &Entry<'_>) {
    let net = net_of::<T>(&entry.other("net_2_2_1"), "2 -> 2 relu -> 1 sigmoid");
    let scores = net.run(&entry.at("x").numbers());
    entry.at("scores").is(&scores);
    entry.at("printed").is_printed(&scores);
    // A row alone has the same bytes as in the batch.
    let alone: Vec<T> = entry.at("x").items().iter().flat_map(|x| net.run(&x.numbers())).collect();
    assert_eq!(alone, scores);
}

pub fn net_4_3_3<T: Real>(entry: &Entry<'_>) {
    let given = [("W1", "0.weight"), ("b1", "0.bias"), ("W2", "2.weight"), ("b2", "2.bias")];
    let given = given.map(|(key, slot)| (slot, entry.at(key).numbers()));
    let (net, x) = (Net::<T>::new("4 -> 3 relu -> 3 relu", &given), entry.at("x").numbers());
    for (layer, key) in ["z1", "h1", "z2", "h2"].iter().enumerate() {
        entry.at(key).is(&net.layer(layer, &x));
    }
    // The note is about numbers published elsewhere; they are not what comes out here.
    assert!(entry.at("note").text().contains("z1 = [0.30, 0.60, 0.03]"));
    for (z, wrong) in net.layer(0, &x).iter().zip([0.30, 0.60, 0.03]) {
        assert!((z.to_f64() - wrong).abs() > 0.1);
    }
}

pub fn xor<T: Real>(entry: &Entry<'_>) {
    let given = [("W1", "0.weight"), ("b1", "0.bias"), ("W2", "2.weight"), ("b2", "2.bias")];
    let given = given.map(|(key, slot)| (slot, entry.at(key).numbers()));
    let (net, x) = (Net::<T>::new("2 -> 2 relu -> 1", &given), entry.at("x").numbers());
    entry.at("hidden").is(&net.layer(1, &x));
    entry.at("y").is(&net.run(&x));
}

/// Rows standardised by an entry's `mean` and `scale`.
fn standardised<T: Real>(entry: &Entry<'_>, rows: &[f64]) -> Vec<f64> {
    let (mean, scale) = (entry.at("mean").numbers(), entry.at("scale").numbers());
    let columns: Vec<Scale> =
        mean.iter().zip(&scale).map(|(&shift, &scale)| Scale { shift, scale, fill: shift, indicator: false }).collect();
    rows.iter().zip(columns.iter().cycle()).map(|(&x, column)| column.apply::<T>(x).unwrap().to_f64()).collect()
}

pub fn feature_scale<T: Real>(entry: &Entry<'_>) {
    let raw = entry.at("raw").numbers();
    let weights = vec![entry.at("weight").number(); raw.len()];
    entry.at("raw_contributions").is(&products::<T>(&weights, &raw));
    let standardised = standardised::<T>(entry, &raw);
    entry.at("standardized").is(&standardised);
    entry.at("scaled_contributions").is(&products::<T>(&weights, &standardised));
}

pub fn feature_scale_quiz<T: Real>(entry: &Entry<'_>) {
    let number = |key: &str| entry.at(key).number();
    let weight = vec![number("weight"); 2];
    let net = Net::<T>::new("2 -> 1", &[("0.weight", weight), ("0.bias", vec![number("bias")])]);
    entry.at("z").is(&net.run(&[number("backlog"), number("order_value")]));
}

pub fn delay_risk_report<T: Real>(entry: &Entry<'_>) {
    let names = entry.at("feature_names").texts();
    let net = net_of::<T>(entry, &format!("{} -> 3 relu -> 1 sigmoid", names.len()));
    let rows = standardised::<T>(entry, &entry.at("raw").numbers());
    entry.at("hidden").is(&net.layer(1, &rows));
    entry.at("logits").is(&net.layer(2, &rows));
    let scores = net.run(&rows);
    entry.at("scores").is(&scores);
    let threshold = entry.at("threshold").number();
    let queue = |score: &T| if score.to_f64() >= threshold { "review" } else { "monitor" };
    assert_eq!(scores.iter().map(queue).collect::<Vec<_>>(), entry.at("queue").texts());
    let ids = entry.at("ids").texts();
    let line = |(id, score): (&&str, &T)| format!("{id}: score={:.3} -> {}", score.to_f64(), queue(score));
    assert_eq!(ids.iter().zip(&scores).map(line).collect::<Vec<_>>(), entry.at("printed").texts());
}

pub fn delay_risk_without_relu<T: Real>(entry: &Entry<'_>) {
    let report = entry.other("delay_risk_report");
    let given = [("w1", "0.weight"), ("b1", "0.bias"), ("w2", "1.weight"), ("b2", "1.bias")];
    let given = given.map(|(key, slot)| (slot, report.at(key).numbers()));
    let two = Net::<T>::new("3 -> 3 -> 1 sigmoid", &given);
    let (weight, bias) = collapsed(&two);
    entry.at("merged_w").is(&weight);
    entry.at("merged_b").is(&bias);
    let one = [("0.weight", entry.at("merged_w").numbers()), ("0.bias", entry.at("merged_b").numbers())];
    let one = Net::<T>::new("3 -> 1 sigmoid", &one);
    let rows = standardised::<T>(&report, &report.at("raw").numbers());
    for (net, logit) in [(&two, 1), (&one, 0)] {
        entry.at("logits").is(&net.layer(logit, &rows));
        entry.at("scores").is(&net.run(&rows));
    }
}
