//! What there is to measure. Floating-point operations are those of the products alone (a multiply-add is two), counted by
//! hand: curves, norms, biases, losses and the optimizer are work that is done and not counted, and neither is the gradient of
//! the first layer's input, which nobody asks for.

use crate::error::CliError;
use crate::words::one_of;

/// Something to measure.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
}

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Training steps.
    Train(TrainWork),
    /// Networks that only run.
    Infer(&'static [InferCase]),
    /// One raw row at a time through a model.
    ServeRow,
    /// The machine itself.
    Peak,
}

/// What the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// So many rows of so many normal numbers each.
    Numbers { rows: usize, width: usize },
    /// A text of so many characters, in windows of so many.
    Text { characters: usize, context: usize },
}

/// A network to train.
#[derive(Debug, Clone, Copy)]
pub struct TrainWork {
    /// Its layers, as `train --net` takes them.
    pub net: &'static str,
    /// Its data.
    pub rows: Rows,
    /// Classes of the target, or different characters.
    pub classes: usize,
    /// Rows of a step.
    pub batch: usize,
    /// The optimizer, as `train --optimizer` takes it.
    pub optimizer: &'static str,
    /// The learning rate.
    pub lr: f64,
    /// Steps that are timed together.
    pub round: u64,
    /// How many times that.
    pub rounds: u64,
    /// Floating-point operations of a step.
    pub flops: fn() -> u64,
}

/// A network to run.
#[derive(Debug, Clone, Copy)]
pub struct InferCase {
    /// Its layers, in the full form.
    pub net: &'static str,
    /// Its sizes.
    pub sizes: &'static [usize],
    /// Rows of a call.
    pub rows: usize,
}

/// Of a step of linear layers: three products a layer, two in the first.
fn linear_layers(batch: u64, sizes: &[u64]) -> u64 {
    let products: u64 = sizes.windows(2).map(|pair| 3 * pair[0] * pair[1]).sum();
    2 * batch * (products - sizes[0] * sizes[1])
}

const TINY: TrainWork = TrainWork {
    net: "16 relu",
    rows: Rows::Numbers { rows: 1_024, width: 4 },
    classes: 3,
    batch: 32,
    optimizer: "sgd",
    lr: 0.01,
    round: 1_280,
    rounds: 250,
    flops: || linear_layers(32, &[4, 16, 3]),
};

const MNIST: TrainWork = TrainWork {
    net: "256 relu",
    rows: Rows::Numbers { rows: 60_000, width: 784 },
    classes: 10,
    batch: 128,
    optimizer: "sgd",
    lr: 0.01,
    round: 67,
    rounds: 28,
    flops: || linear_layers(128, &[784, 256, 10]),
};

const WIDE: TrainWork = TrainWork {
    net: "4096 relu -> 4096 relu",
    rows: Rows::Numbers { rows: 8_192, width: 1_024 },
    classes: 10,
    batch: 256,
    optimizer: "sgd",
    lr: 0.01,
    round: 1,
    rounds: 16,
    flops: || linear_layers(256, &[1_024, 4_096, 4_096, 10]),
};

const CNN: TrainWork = TrainWork {
    net: "reshape 1x28x28 -> conv 16 5x5 relu -> maxpool 2 -> conv 32 5x5 relu -> maxpool 2 -> 128 relu",
    rows: Rows::Numbers { rows: 8_192, width: 784 },
    classes: 10,
    batch: 128,
    optimizer: "adamw",
    lr: 0.001,
    round: 10,
    rounds: 16,
    flops: || {
        let (first, second) = (24 * 24 * 16 * 25, 8 * 8 * 32 * 16 * 25);
        2 * 128 * (2 * first + 3 * (second + 512 * 128 + 128 * 10))
    },
};

const LSTM: TrainWork = TrainWork {
    net: "reshape 64x64 -> lstm 128 -> last",
    rows: Rows::Numbers { rows: 1_024, width: 64 * 64 },
    classes: 10,
    batch: 32,
    optimizer: "adamw",
    lr: 0.001,
    round: 8,
    rounds: 16,
    flops: || {
        // The input has no gradient, and the first of 64 steps has no state before it.
        let (inputs, states) = (64 * 4 * 128 * 64, 63 * 4 * 128 * 128);
        2 * 32 * (2 * inputs + 3 * states + 3 * 128 * 10)
    },
};

const GPT: TrainWork = TrainWork {
    net: "gpt 4 layers 4 heads 128",
    rows: Rows::Text { characters: 100_064, context: 64 },
    classes: 65,
    batch: 12,
    optimizer: "adamw",
    lr: 0.001,
    round: 5,
    rounds: 16,
    flops: || {
        // Queries, keys, values, output, and the two layers four times as wide; then the head.
        let linear = 64 * (4 * 12 * 128 * 128 + 128 * 65);
        // Each position with itself and those before it: scores and mixtures, and the two gradients of each.
        let pairs = 64 * 65 / 2 * 128 * 4;
        2 * 12 * (3 * linear + 6 * pairs)
    },
};

/// The networks of `infer`.
const INFER: [InferCase; 4] = [
    InferCase { net: "3 -> 3 relu -> 1", sizes: &[3, 3, 1], rows: 1 },
    InferCase { net: "784 -> 256 relu -> 10", sizes: &[784, 256, 10], rows: 1 },
    InferCase { net: "784 -> 256 relu -> 10", sizes: &[784, 256, 10], rows: 1_000 },
    InferCase { net: "4096 -> 16384 relu -> 4096", sizes: &[4_096, 16_384, 4_096], rows: 1 },
];

impl InferCase {
    /// `784-256-10`.
    pub fn title(&self) -> String {
        let sizes: Vec<String> = self.sizes.iter().map(usize::to_string).collect();
        sizes.join("-")
    }

    /// Weights, without biases.
    pub fn weights(&self) -> u64 {
        self.sizes.windows(2).map(|pair| (pair[0] * pair[1]) as u64).sum()
    }
}

/// All of them, in the order in which they run.
pub const ALL: [Workload; 9] = [
    Workload { name: "tiny", kind: Kind::Train(TINY) },
    Workload { name: "mnist", kind: Kind::Train(MNIST) },
    Workload { name: "wide", kind: Kind::Train(WIDE) },
    Workload { name: "cnn", kind: Kind::Train(CNN) },
    Workload { name: "lstm", kind: Kind::Train(LSTM) },
    Workload { name: "gpt", kind: Kind::Train(GPT) },
    Workload { name: "infer", kind: Kind::Infer(&INFER) },
    Workload { name: "serve-row", kind: Kind::ServeRow },
    Workload { name: "peak", kind: Kind::Peak },
];

impl Workload {
    /// Those of these names, each once, in the order of the names; all where there are none.
    ///
    /// # Errors
    /// A name that there is not, with all that there are.
    pub fn named(names: &[String]) -> Result<Vec<Workload>, CliError> {
        if names.is_empty() {
            return Ok(ALL.to_vec());
        }
        let known = ALL.map(|workload| (workload.name, workload));
        let mut found: Vec<Workload> = Vec::new();
        for name in names {
            let workload = one_of("workload", name, &known).map_err(CliError::Usage)?;
            if found.iter().all(|before| before.name != workload.name) {
                found.push(workload);
            }
        }
        Ok(found)
    }
}
