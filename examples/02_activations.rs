//! Curves. Without one between two layers, the two are one layer (03 shows it). Here is what they do to a number, where
//! they are lowest, and where the sigmoid of floating-point numbers stops being a curve.

use std::error::Error;
use std::io::Write;

use glassnet::core::{Purpose, Real, Runner, StepInfo, Team};
use glassnet::nn::network::Network;

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

/// A network that is nothing but a curve: one number in, one out, no parameters.
fn curve(name: &str) -> Result<Network, Box<dyn Error>> {
    Ok(Network::new(&format!("1 -> {name}").parse()?, None)?)
}

/// The slope of a curve at `z`: backward from its value to its input.
fn slope(curve: &Network, runner: &mut Runner<f64>, z: f64) -> f64 {
    runner.set_rows(1);
    runner.input_mut(curve.x).fill(z);
    runner.forward(&[], &StepInfo::default());
    runner.backward(&[], &mut [], &StepInfo::default());
    runner.gradient(curve.x).and_then(|slope| slope.first().copied()).unwrap_or(f64::NAN)
}

/// The first hundredth at which the sigmoid is exactly 1 in the type `T`.
fn saturates<T: Real>() -> Result<f64, Box<dyn Error>> {
    let grid: Vec<f64> = (0..5000).map(|hundredth| f64::from(hundredth) / 100.0).collect();
    let z: Vec<T> = grid.iter().map(|&z| T::from_f64(z)).collect();
    let scores = curve("sigmoid")?.forward(&[], &z)?;
    let first = scores.iter().position(|&score| score == T::ONE).ok_or("it never is")?;
    Ok(grid[first])
}

pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    // Five rows of one number each go through every curve.
    let z = [-2.0, -0.5, 0.0, 1.0, 2.0];
    let mut columns = Vec::new();
    for name in ["relu", "sigmoid", "gelu"] {
        columns.push(curve(name)?.forward(&[], &z)?);
    }
    writeln!(out, "{:>6} {:>8} {:>8} {:>8}", "z", "relu", "sigmoid", "gelu")?;
    for (row, z) in z.iter().enumerate() {
        writeln!(out, "{z:>6.1} {:>8.3} {:>8.3} {:>8.3}", columns[0][row], columns[1][row], columns[2][row])?;
    }

    // exp(1000) overflows; the sigmoid of +-1000 must not. It only ever takes exp(-|z|).
    writeln!(out, "\nthe sigmoid far out:")?;
    let z = [-1000.0, -2.0, 0.0, 2.0, 1000.0];
    for (z, score) in z.iter().zip(curve("sigmoid")?.forward(&[], &z)?) {
        writeln!(out, "{z:>6} -> {score:.6}")?;
    }

    // On paper the sigmoid stays below 1. In numbers of 32 or 64 bits it doesn't, and where it is flat nothing is learned.
    writeln!(out, "exactly 1 from {:.2} in f32, from {:.2} in f64", saturates::<f32>()?, saturates::<f64>()?)?;

    // GELU and SiLU dip below 0. Their lowest point is where the slope changes its sign: halve the interval until found.
    writeln!(out, "\nlowest points, by their own slopes:")?;
    for name in ["gelu", "silu"] {
        let curve = curve(name)?;
        // A plan to attribute carries gradients down to the input.
        let mut runner = Runner::new(curve.plan(Purpose::Attribute, 1), Team::single());
        let (mut falls, mut rises) = (-2.0, 0.0);
        for _ in 0..50 {
            let middle = (falls + rises) / 2.0;
            if slope(&curve, &mut runner, middle) < 0.0 {
                falls = middle;
            } else {
                rises = middle;
            }
        }
        let value = curve.forward(&[], &[falls])?[0];
        writeln!(out, "{name}: {value:.6} at z = {falls:.6}")?;
    }
    Ok(())
}
