//! On which side of its kinks every unit is: units whose derivative jumps, and losses whose derivative jumps.

use glassnet_core::{NodeId, Op, Runner};

use crate::network::Network;

/// Which side of 0 a number is on: below, on it, above.
fn side(value: f64) -> i8 {
    i8::from(value > 0.0) - i8::from(value < 0.0)
}

/// Where the derivative of an operation jumps.
enum Kink {
    /// Where this value is 0.
    Zero(NodeId),
    /// Where these two are equal.
    Equal(NodeId, NodeId),
}

/// The sides that all units are on at the point where gradients are checked.
pub(super) struct Kinks {
    kinks: Vec<Kink>,
    sides: Vec<i8>,
}

impl Kinks {
    /// The kinks of a network. ELU has none for alpha = 1, Huber's loss none at all: their slopes do not jump.
    pub fn of(network: &Network) -> Self {
        let kinks = network.graph.nodes().iter().filter_map(|node| match (&node.op, &node.inputs[..]) {
            (Op::Step(_) | Op::Relu(_) | Op::LeakyRelu(_) | Op::Selu(_), &[z]) => Some(Kink::Zero(z)),
            (Op::Elu(elu), &[z]) if elu.alpha != 1.0 => Some(Kink::Zero(z)),
            (Op::MeanAbsolute(_), &[y, t]) => Some(Kink::Equal(y, t)),
            _ => None,
        });
        Kinks { kinks: kinks.collect(), sides: Vec::new() }
    }

    /// Calls `see` with the side of every element until it says no; whether it never did.
    fn all(&self, runner: &Runner<f64>, mut see: impl FnMut(i8) -> bool) -> bool {
        let value = |node: NodeId| runner.value(node).unwrap_or(&[]);
        self.kinks.iter().all(|kink| match *kink {
            Kink::Zero(z) => value(z).iter().all(|&z| see(side(z))),
            Kink::Equal(y, t) => value(y).iter().zip(value(t)).all(|(y, t)| see(side(y - t))),
        })
    }

    /// Remembers the sides that the runner's values are on.
    pub fn remember(&mut self, runner: &Runner<f64>) {
        let mut sides = Vec::new();
        self.all(runner, |side| {
            sides.push(side);
            true
        });
        self.sides = sides;
    }

    /// Whether the runner's values are on the remembered sides.
    pub fn same_sides(&self, runner: &Runner<f64>) -> bool {
        let mut remembered = self.sides.iter();
        self.all(runner, |side| remembered.next() == Some(&side))
    }
}
