//! On which side of its kinks every unit is: units whose derivative jumps, and losses whose derivative jumps.

use glassnet_core::ops::{global_pool::Kind, max_pool::MaxPool, parametric::Sigma, rnn::RnnCurve};
use glassnet_core::{NodeId, Op, Runner};

use crate::network::Network;

/// Which side of 0 a number is on: below, on it, above.
fn side(value: f64) -> i8 {
    i8::from(value > 0.0) - i8::from(value < 0.0)
}

/// Channels, lines and columns of a row: a sequence `[C, T]` is one line high.
fn image(axes: &[usize]) -> Option<[usize; 3]> {
    match *axes {
        [channels, steps] => Some([channels, 1, steps]),
        [channels, height, width] => Some([channels, height, width]),
        _ => None,
    }
}

/// Calls `see` with the place of the largest element of every window, in pieces; whether it never said no.
fn largest(x: &[f64], size: [usize; 2], pool: Option<MaxPool>, see: &mut impl FnMut(i8) -> bool) -> bool {
    let whole = MaxPool { kernel: size, stride: [1, 1], padding: [0, 0], dilation: [1, 1] };
    let MaxPool { kernel, stride, padding, dilation } = pool.unwrap_or(whole);
    let taps = |axis: usize, start: usize| {
        let places = (0..kernel[axis]).map(move |tap| (start + tap * dilation[axis]).checked_sub(padding[axis]));
        places.flatten().filter(move |&place| place < size[axis])
    };
    let starts = |axis: usize| {
        let reach = (kernel[axis] - 1) * dilation[axis] + 1;
        (0..(size[axis] + 2 * padding[axis] + 1).saturating_sub(reach)).step_by(stride[axis].max(1))
    };
    starts(0).all(|top| {
        starts(1).all(|left| {
            let places = taps(0, top).flat_map(|line| taps(1, left).map(move |column| line * size[1] + column));
            let best = places.fold(None, |best: Option<usize>, place| match best {
                Some(best) if x[best] >= x[place] => Some(best),
                _ => Some(place),
            });
            (best.unwrap_or(0) as u32).to_le_bytes().into_iter().all(|byte| see(byte as i8))
        })
    })
}

/// Where the derivative of an operation jumps.
enum Kink {
    /// Where this value is 0.
    Zero(NodeId),
    /// Where another element of a window becomes the largest; of a pool over whole images the windows are channels.
    Largest(NodeId, [usize; 3], Option<MaxPool>),
    /// Where these two are equal.
    Equal(NodeId, NodeId),
    /// Where a number is an edge of its bins, the edges of each column in increasing order.
    Edge(NodeId, Vec<Vec<f64>>),
}

/// The sides that all units are on at the point where gradients are checked.
pub(super) struct Kinks {
    kinks: Vec<Kink>,
    sides: Vec<i8>,
}

impl Kinks {
    /// The kinks of a network with these parameters. ELU has none for alpha = 1, Huber's loss none at all: their slopes do not jump.
    pub fn of(network: &Network, parameters: &[f64]) -> Self {
        let nodes = network.graph.nodes().iter().enumerate();
        let kinks = nodes.filter_map(|(number, node)| match (&node.op, &node.inputs[..]) {
            (Op::Step(_) | Op::Relu(_) | Op::LeakyRelu(_) | Op::Selu(_), &[z]) => Some(Kink::Zero(z)),
            (Op::Parametric(bent), &[z]) if matches!(bent.sigma, Sigma::Relu | Sigma::Selu) => Some(Kink::Zero(z)),
            (Op::Elu(elu), &[z]) if elu.alpha != 1.0 => Some(Kink::Zero(z)),
            (Op::MeanAbsolute(_), &[y, t]) => Some(Kink::Equal(y, t)),
            // Its value is 0 where it is on the flat side.
            (Op::Rnn(rnn), _) if rnn.activation == RnnCurve::Relu => Some(Kink::Zero(NodeId(number))),
            (Op::MaxPool(pool), &[x]) => Some(Kink::Largest(x, image(&network.graph.node(x).shape.0)?, Some(*pool))),
            (Op::GlobalPool(pool), &[x]) if pool.kind == Kind::Max => {
                Some(Kink::Largest(x, image(&network.graph.node(x).shape.0)?, None))
            }
            (Op::Piecewise(parts), &[x]) => {
                let edges = network.graph.slots().view(*node.slots.first()?, parameters);
                Some(Kink::Edge(x, edges.chunks(parts.bins + 1).map(<[f64]>::to_vec).collect()))
            }
            _ => None,
        });
        Kinks { kinks: kinks.collect(), sides: Vec::new() }
    }

    /// Calls `see` with the side of every element until it says no; whether it never did.
    fn all(&self, runner: &Runner<f64>, mut see: impl FnMut(i8) -> bool) -> bool {
        let value = |node: NodeId| runner.value(node).unwrap_or(&[]);
        self.kinks.iter().all(|kink| match kink {
            Kink::Zero(z) => value(*z).iter().all(|&z| see(side(z))),
            Kink::Largest(x, [channels, height, width], pool) => {
                let x = value(*x).chunks((*channels).max(1) * height * width);
                x.flat_map(|row| row.chunks((height * width).max(1)))
                    .all(|channel| largest(channel, [*height, *width], *pool, &mut see))
            }
            Kink::Equal(y, t) => value(*y).iter().zip(value(*t)).all(|(y, t)| see(side(y - t))),
            Kink::Edge(x, edges) => value(*x).iter().zip(edges.iter().cycle()).all(|(x, edges)| {
                let below = edges.iter().filter(|edge| *edge < x).count() as u32;
                let on = edges.contains(x);
                see(i8::from(on)) && below.to_le_bytes().into_iter().all(|byte| see(byte as i8))
            }),
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
