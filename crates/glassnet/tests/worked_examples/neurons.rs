//! One neuron, and the curves that may follow its sum.

use glassnet::core::{Purpose, Real, Runner, StepInfo, Team};

use crate::net::{Net, neuron, products, typed};
use crate::reader::Entry;

pub fn one_neuron<T: Real>(entry: &Entry<'_>) {
    let (net, x) = (neuron::<T>(entry, "sigmoid"), entry.at("x").numbers());
    let (logit, score) = (net.layer(0, &x), net.run(&x));
    entry.at("logit").is(&logit);
    entry.at("sigmoid").is(&score);
    entry.at("contributions").is(&products::<T>(&entry.at("w").numbers(), &x));
    entry.at("printed").at("logit").is_printed(&logit);
    entry.at("printed").at("score").is_printed(&score);
}

pub fn one_neuron_quiet<T: Real>(entry: &Entry<'_>) {
    let (net, x) = (neuron::<T>(entry, "sigmoid"), entry.at("x").numbers());
    let (logit, score) = (net.layer(0, &x), net.run(&x));
    entry.at("logit").is(&logit);
    entry.at("sigmoid").is(&score);
    entry.at("printed").at("logit").is_printed(&logit);
    entry.at("printed").at("score").is_printed(&score);
}

pub fn one_neuron_bias_minus_6<T: Real>(entry: &Entry<'_>) {
    let (net, x) = (neuron::<T>(entry, "sigmoid"), entry.at("x").numbers());
    entry.at("logits").is(&net.layer(0, &x));
    entry.at("scores").is(&net.run(&x));
}

pub fn one_neuron_quiz<T: Real>(entry: &Entry<'_>) {
    let (net, x) = (neuron::<T>(entry, "sigmoid"), entry.at("x").numbers());
    entry.at("logit").is(&net.layer(0, &x));
    entry.at("score").is(&net.run(&x));
}

pub fn neuron_relu<T: Real>(entry: &Entry<'_>) {
    for item in entry.items() {
        let (net, x) = (neuron::<T>(&item, "relu"), item.at("x").numbers());
        item.at("z").is(&net.layer(0, &x));
        item.at("a").is(&net.run(&x));
    }
}

pub fn activations<T: Real>(entry: &Entry<'_>) {
    let z = entry.at("z").numbers();
    for name in entry.keys().iter().filter(|key| !["z", "printed"].contains(&key.as_str())) {
        entry.at(name).is(&Net::<T>::curve(name).run(&z));
    }
    for name in entry.at("printed").keys() {
        entry.at("printed").at(&name).is_printed(&Net::<T>::curve(&name).run(&z));
    }
}

pub fn stable_sigmoid<T: Real>(entry: &Entry<'_>) {
    let scores = Net::<T>::curve("sigmoid").run(&entry.at("z").numbers());
    entry.at("printed").is_printed(&scores);
}

/// The slope of a curve, by the backward pass down to its input.
fn slope<T: Real>(curve: &Net<T>, runner: &mut Runner<T>, z: f64) -> f64 {
    runner.set_rows(1);
    runner.input_mut(curve.network.x)[0] = T::from_f64(z);
    runner.forward(&[], &StepInfo::default());
    runner.backward(&[], &mut [], &StepInfo::default());
    runner.gradient(curve.network.x).unwrap()[0].to_f64()
}

/// Each curve's lowest point: where its own derivative changes its sign.
pub fn activation_minima<T: Real>(entry: &Entry<'_>) {
    for name in entry.keys() {
        let curve = Net::<T>::curve(&name);
        let mut runner = Runner::new(curve.network.plan(Purpose::Attribute, 1), Team::single());
        let (mut falls, mut rises) = (-2.0, 0.0);
        assert!(slope(&curve, &mut runner, falls) < 0.0 && slope(&curve, &mut runner, rises) > 0.0, "{name}");
        for _ in 0..60 {
            let middle = (falls + rises) / 2.0;
            if slope(&curve, &mut runner, middle) < 0.0 { falls = middle } else { rises = middle }
        }
        // The file gives six decimals.
        entry.at(&name).at("at").is_within(&[falls], 1e-6);
        entry.at(&name).at("value").is_within(&curve.run(&[falls]), 1e-6);
    }
}

/// The first hundredth from which the sigmoid is exactly 1, and its slope exactly 0.
pub fn sigmoid_saturates<T: Real>(entry: &Entry<'_>) {
    let grid: Vec<f64> = (0..5000).map(|hundredth| f64::from(hundredth) / 100.0).collect();
    let scores = Net::<T>::curve("sigmoid").run(&grid);
    let first = scores.iter().position(|&score| score == T::ONE).unwrap();
    assert!(scores[first..].iter().all(|&score| score == T::ONE));
    let (mine, other) = ("f32_exactly_one_from", "f64_exactly_one_from");
    let (mine, other) = if T::BYTES == 4 { (mine, other) } else { (other, mine) };
    assert_eq!(grid[first], entry.at(mine).number());
    assert_ne!(grid[first], entry.at(other).number());
}

pub fn softmax<T: Real>(entry: &Entry<'_>) {
    let z = entry.at("z").numbers();
    let net = Net::<T>::new(&format!("{} -> softmax", z.len()), &[]);
    let p = net.run(&z);
    entry.at("p").is(&p);
    entry.at("printed").is_printed(&p);
    let exps: Vec<T> = typed::<T>(&z).into_iter().map(T::exp).collect();
    entry.at("exps").is(&exps);
    entry.at("sum").is(&[glassnet::core::sum(&exps)]);
    let doubled: Vec<f64> = z.iter().map(|z| 2.0 * z).collect();
    entry.at("doubled_logits_p").is(&net.run(&doubled));
}
