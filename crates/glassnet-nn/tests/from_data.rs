//! Initialisation from the training rows: what NTK layers give then has deviation 1, their biases are mixtures of their own outputs,
//! and nothing depends on threads.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

use std::sync::Arc;

use glassnet_core::random::{Draws, Purpose as Stream};
use glassnet_core::{Op, Plan, Purpose, Real, Request, Runner, StepInfo, Team};
use glassnet_nn::from_data::MOST_ROWS;
use glassnet_nn::init::FREQUENCY_STD;
use glassnet_nn::network::Network;
use glassnet_nn::recipe::{TableLayout, tabular_with};
use glassnet_nn::source::Matrix;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::Rows;

/// Rows of five numbers, two +-1 and a code out of 12.
fn table(rows: usize) -> Vec<f64> {
    let draws = Draws::new(3, Stream::Synthetic, 0, 0);
    let mut x = Vec::new();
    for row in 0..rows as u64 {
        x.extend((0..5).map(|j| (1.0 + j as f64) * draws.normal(row * 8 + j) + j as f64));
        x.extend((5..7).map(|j| if draws.uniform(row * 8 + j) < 0.3 { 1.0 } else { -1.0 }));
        x.push(draws.below(row * 8 + 7, 12) as f64);
    }
    x
}

fn network(regression: bool) -> Network {
    let layout = TableLayout { numbers: 5, others: 2, categories: vec![12] };
    Network::new(&tabular_with(&layout, 3, regression, &[24, 16]), None).unwrap()
}

fn initialised<T: Real>(network: &Network, x: &[f64], seed: u64, threads: usize) -> Vec<T> {
    let x: Vec<T> = x.iter().map(|&x| T::from_f64(x)).collect();
    let rows: Vec<u32> = (0..(x.len() / 8) as u32).collect();
    let targets = vec![T::ZERO; rows.len()];
    let matrix = Matrix::with_values(x, 8, targets, 1);
    network.initialise_from_data(seed, Rows { source: &matrix, rows: &rows }, &Team::new(threads))
}

/// Values of a node for all rows.
fn values(network: &Network, node: glassnet_core::NodeId, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let rows = x.len() / 8;
    let request = Request {
        purpose: Purpose::Predict,
        rows,
        backward_from: None,
        outputs: vec![node],
        training: false,
        checkpoint: false,
    };
    let mut runner = Runner::<f64>::new(Arc::new(Plan::new(&network.graph, request)), Team::single());
    runner.set_rows(rows);
    runner.input_mut(network.x).copy_from_slice(x);
    runner.forward(parameters, &StepInfo::default());
    runner.value(node).unwrap().to_vec()
}

#[test]
fn every_ntk_layer_gives_deviation_one_and_biases_from_its_own_outputs() {
    let x = table(700);
    for regression in [false, true] {
        let network = network(regression);
        let parameters = initialised::<f64>(&network, &x, 11, 1);
        let mut layers = 0;
        for layer in &network.layers {
            if !matches!(network.graph.node(layer.node).op, Op::Linear(_)) {
                continue;
            }
            layers += 1;
            let y = values(&network, layer.node, &parameters, &x);
            let units = layer.output.last();
            let bias = network.graph.slots().view(layer.slots[1], &parameters);
            for (unit, &b) in bias.iter().enumerate() {
                let column: Vec<f64> = y.iter().skip(unit).step_by(units).copied().collect();
                let n = column.len() as f64;
                let mean = column.iter().sum::<f64>() / n;
                let variance = column.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n;
                assert!((variance - 1.0).abs() < 1e-9, "layer {}, unit {unit}: {variance}", layer.name);
                // -b lies between the least and the largest output before the bias.
                let (low, high) = column.iter().fold((f64::MAX, f64::MIN), |(l, h), &y| (l.min(y - b), h.max(y - b)));
                assert!(low <= -b && -b <= high, "layer {}, unit {unit}: {low} {b} {high}", layer.name);
            }
            // Mixtures differ from unit to unit.
            assert!(bias.windows(2).all(|pair| pair[0] != pair[1]), "layer {}", layer.name);
        }
        assert_eq!(layers, 3);
    }
}

/// A mixture of five of n values of deviation 1 with weights Exp(1)/sum has variance E[sum u^2] = 2/6 = 1/3 about their mean.
#[test]
fn the_biases_have_the_spread_of_five_point_mixtures() {
    let x = table(900);
    let layout = TableLayout { numbers: 5, others: 2, categories: vec![12] };
    let network = Network::new(&tabular_with(&layout, 4000, true, &[]), None).unwrap();
    let parameters = initialised::<f64>(&network, &x, 5, 1);
    let last = network.layers.last().unwrap();
    let y = values(&network, last.node, &parameters, &x);
    let bias = network.graph.slots().view(last.slots[1], &parameters);
    let mut squares = 0.0;
    for (unit, &b) in bias.iter().enumerate() {
        let mean: f64 = y.iter().skip(unit).step_by(4000).sum::<f64>() / 900.0;
        // y = z + b, so mean y = mean z + b, and b is minus a mixture of z: its mean is 0 over draws.
        squares += mean * mean;
        assert!(b.is_finite());
    }
    let variance = squares / 4000.0;
    assert!((variance - 1.0 / 3.0).abs() < 0.03, "{variance}");
}

#[test]
fn the_other_parameters_start_where_the_recipe_says() {
    let network = network(false);
    let parameters = initialised::<f64>(&network, &table(300), 2, 1);
    let slots = network.graph.slots();
    let of = |name: &str| &parameters[slots.find(name).unwrap_or_else(|| panic!("no {name}")).range()];
    assert!(of("1.scale").iter().all(|&s| s == 1.0));
    assert!(of("3.bend").iter().chain(of("6.bend")).all(|&a| a == 1.0));
    let largest = |values: &[f64]| values.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let spread = |values: &[f64]| (values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64).sqrt();
    // 80 draws: within five standard errors, 5 x 0.08.
    let frequency = spread(of("0.0.1.frequency")) / FREQUENCY_STD;
    assert!((frequency - 1.0).abs() < 0.4, "{frequency}");
    let phase = largest(of("0.0.1.phase"));
    assert!(phase <= std::f64::consts::PI && phase > 2.8, "{phase}");
    for name in ["0.0.1.weight", "0.0.1.bias"] {
        let most = largest(of(name));
        assert!(most <= 0.25 && most > 0.2, "{name} {most}");
    }
    // By parts: curves begin as lines, edges where the rows are (`pytorch_tabm.rs` holds them against the authors').
    assert!(of("0.1.1.weight").iter().all(|&w| w == 0.0));
    let line = largest(of("0.1.1.line"));
    assert!(line <= 0.5 && line > 0.4, "{line}");
    assert!(of("0.1.1.edges").chunks(49).all(|edges| edges.windows(2).all(|pair| pair[0] < pair[1])));
    let table = spread(of("0.3.1.weight"));
    assert!((table - 1.0).abs() < 0.4, "{table}");
}

#[test]
fn threads_change_nothing_seeds_do_and_f32_follows_f64() {
    let (network, x) = (network(true), table(500));
    let one = initialised::<f32>(&network, &x, 7, 1);
    assert_eq!(one, initialised::<f32>(&network, &x, 7, 3));
    assert_ne!(one, initialised::<f32>(&network, &x, 8, 1));
    let wide = initialised::<f64>(&network, &x, 7, 1);
    for (i, (&f32, &f64)) in one.iter().zip(&wide).enumerate() {
        assert!((f64::from(f32) - f64).abs() < 1e-4 * f64.abs().max(1.0), "parameter {i}: {f32} {f64}");
    }
}

#[test]
fn a_large_table_is_sampled_and_a_column_that_does_not_vary_does_no_harm() {
    let x = table(MOST_ROWS + 500);
    let network = network(false);
    let parameters = initialised::<f64>(&network, &x, 1, 1);
    let first = &network.layers.iter().find(|layer| layer.name == "2").unwrap();
    let y = values(&network, first.node, &parameters, &x);
    for unit in 0..24 {
        let column: Vec<f64> = y.iter().skip(unit).step_by(24).copied().collect();
        let n = column.len() as f64;
        let mean = column.iter().sum::<f64>() / n;
        let variance = column.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n;
        assert!((variance - 1.0).abs() < 0.05 && variance != 1.0, "{variance}");
    }
    // One row, many times: no neuron varies.
    let same: Vec<f64> = x[..8].iter().copied().cycle().take(8 * 50).collect();
    assert!(initialised::<f32>(&network, &same, 1, 1).iter().all(|w| w.is_finite() && w.abs() < 50.0));
}

#[test]
fn networks_without_ntk_layers_and_tables_without_rows_start_as_ever() {
    let x = table(20);
    let plain = Network::new(&NetSpec::parse("8 -> 4 relu -> 2").unwrap(), None).unwrap();
    assert_eq!(initialised::<f32>(&plain, &x, 3, 1), plain.initialise::<f32>(3));
    let network = network(false);
    assert_eq!(initialised::<f32>(&network, &[], 3, 1), network.initialise::<f32>(3));
}
