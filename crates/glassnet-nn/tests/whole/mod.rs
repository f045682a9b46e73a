//! Whole networks by their text form, with rows made up for them.

#![allow(dead_code, clippy::unwrap_used, reason = "each test file takes its part; to fail is to fail the test")]

use glassnet_core::ops::cross_entropy::IGNORED;
use glassnet_core::random::{Draws, Purpose as Stream};
use glassnet_core::{NodeId, Plan, Purpose, Real, Request, Runner, StepInfo, Team};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::source::Source;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::spec::shapes::RowShape;

/// Classes of every target.
pub const CLASSES: usize = 5;
/// Tokens that there are.
pub const VOCABULARY: usize = 5;

/// What a row is.
#[derive(Clone, Copy)]
pub enum Row {
    Of(&'static [usize]),
    Tokens(usize),
}

impl Row {
    pub fn shape(self) -> RowShape {
        match self {
            Row::Of(axes) => RowShape::of(axes),
            Row::Tokens(steps) => RowShape::tokens(steps, VOCABULARY),
        }
    }
}

/// Text form, rows, whether they differ in length.
pub const NETS: &[(&str, Row, bool)] = &[
    ("9 tanh -> residual(layernorm -> 12 gelu -> 9) -> dropout 0.25 -> 6 relu", Row::Of(&[7]), false),
    (
        "conv 4 3x3 same -> batchnorm -> relu -> maxpool 2 -> conv 6 3x3 stride 2 no bias -> groupnorm 3 -> relu -> 7 relu",
        Row::Of(&[2, 9, 7]),
        false,
    ),
    (
        "concat(conv 3 1x1, conv 2 3x3 same relu, maxpool 3 stride 1 padding 1) -> global avgpool -> batchnorm -> 6 silu",
        Row::Of(&[1, 5, 6]),
        false,
    ),
    ("conv 4 3x3 groups 2 dilation 2 -> avgpool 2 -> adaptivepool 2x1 -> 4 tanh", Row::Of(&[2, 11, 8]), false),
    ("conv1d 4 3 padding 1 gelu -> lstm 5 2 layers bidirectional -> last", Row::Of(&[11, 3]), false),
    ("gru 6 bidirectional -> mean", Row::Of(&[9, 3]), true),
    ("lstm 5 -> rmsnorm -> last", Row::Of(&[9, 2]), true),
    ("rnn 5 2 layers -> rnn 4 relu -> last", Row::Of(&[8, 3]), false),
    ("embed 6 -> lstm 7 2 layers", Row::Tokens(10), false),
    ("embed 6 -> gru 5 bidirectional -> last", Row::Tokens(9), true),
    ("embed 8 -> positions -> residual(layernorm -> attention 4 heads 2 kv heads) -> mean", Row::Tokens(9), true),
    ("embed 8 -> attention 2 heads causal rotary -> lstm 5", Row::Tokens(9), true),
    ("gpt 2 layers 2 heads 8 dropout 0.1", Row::Tokens(13), false),
    ("gpt 2 layers 4 heads 2 kv heads 16 rotary swiglu rmsnorm tied no bias", Row::Tokens(11), false),
    ("gpt 1 layers 3 heads 12 sinusoidal", Row::Tokens(7), false),
];

/// The network of an entry, with a cross-entropy of five classes: one a row, or one a time step.
pub fn network(text: &str, row: Row, lengths: bool) -> Network {
    let mut spec: NetSpec = text.parse().unwrap();
    spec.lengths = lengths;
    Network::for_rows(&spec, &row.shape(), CLASSES, Some(&LossSpec::cross_entropy())).unwrap()
}

/// Parameters as the network draws them, moved a little, so that none is 0; the statistics stay possible ones.
pub fn parameters<T: Real>(network: &Network, seed: u64) -> Vec<T> {
    let mut parameters: Vec<T> = network.initialise(seed);
    let draws = Draws::new(seed, Stream::Synthetic, 9, 0);
    for (place, value) in parameters.iter_mut().enumerate() {
        *value += T::from_f64(0.2 * draws.uniform(place as u64));
    }
    parameters
}

/// Rows as a function of their number: features, tokens, lengths and labels.
#[derive(Clone)]
pub struct Made {
    pub row: Row,
    pub rows: usize,
    pub lengths: bool,
    /// Labels of a row: 1, or one a time step.
    pub labels: usize,
    pub seed: u64,
    /// What stands behind a row's end; the token is its whole part.
    pub padding: f64,
}

impl Made {
    pub fn new(network: &Network, row: Row, rows: usize, lengths: bool) -> Self {
        let labels = if network.gives_steps() { network.inputs() } else { 1 };
        Made { row, rows, lengths, labels, seed: 3, padding: 0.0 }
    }

    fn draws(&self, what: u32, row: u32) -> Draws {
        Draws::new(self.seed, Stream::Synthetic, what, row)
    }

    fn steps(&self) -> usize {
        match self.row {
            Row::Of(axes) => axes[0],
            Row::Tokens(steps) => steps,
        }
    }

    /// A row's live time steps: from 1 to all.
    pub fn live(&self, row: u32) -> usize {
        let steps = self.steps();
        if self.lengths { 1 + (row as usize * 5 + 2) % steps } else { steps }
    }
}

impl<T: Real> Source<T> for Made {
    fn rows(&self) -> usize {
        self.rows
    }

    fn width(&self) -> usize {
        self.row.shape().len()
    }

    fn features(&self, rows: &[u32], out: &mut [T]) {
        let width = Source::<T>::width(self);
        for (&row, out) in rows.iter().zip(out.chunks_exact_mut(width)) {
            let draws = self.draws(0, row);
            let live = width / self.steps() * self.live(row);
            for (place, value) in out.iter_mut().enumerate() {
                // 24 bits: f32 and f64 read the same number.
                let drawn = (draws.uniform(place as u64) * 16_777_216.0).floor() / 8_388_608.0 - 1.0;
                *value = T::from_f64(if place < live { drawn } else { self.padding });
            }
        }
    }

    fn tokens(&self, rows: &[u32], out: &mut [i32]) {
        for (&row, out) in rows.iter().zip(out.chunks_exact_mut(self.steps())) {
            let draws = self.draws(1, row);
            let live = self.live(row);
            for (place, token) in out.iter_mut().enumerate() {
                let drawn = draws.below(place as u64, VOCABULARY as u64) as i32;
                *token = if place < live { drawn } else { self.padding as i32 };
            }
        }
    }

    fn length(&self, row: u32) -> usize {
        self.live(row)
    }

    fn labels_width(&self) -> usize {
        self.labels
    }

    fn labels(&self, row: u32, out: &mut [i32]) {
        let draws = self.draws(2, row);
        let live = self.live(row);
        for (place, label) in out.iter_mut().enumerate() {
            let drawn = draws.below(place as u64, CLASSES as u64) as i32;
            *label = if place < live { drawn } else { IGNORED };
        }
    }

    fn label(&self, row: u32) -> i32 {
        self.draws(2, row).below(0, CLASSES as u64) as i32
    }

    fn target_width(&self) -> usize {
        1
    }

    fn values(&self, _row: u32, out: &mut [T]) {
        out.fill(T::ZERO);
    }
}

/// A runner that predicts and gives the logits.
pub fn predictor<T: Real>(network: &Network, rows: usize, threads: usize) -> Runner<T> {
    let request = Request {
        purpose: Purpose::Predict,
        rows,
        backward_from: None,
        outputs: vec![network.logits],
        training: false,
        checkpoint: false,
    };
    Runner::new(std::sync::Arc::new(Plan::new(&network.graph, request)), Team::new(threads))
}

/// Logits of some rows, predicted in one batch.
pub fn logits<T: Real>(network: &Network, parameters: &[T], source: &Made, rows: &[u32], threads: usize) -> Vec<T> {
    let mut runner = predictor(network, rows.len(), threads);
    glassnet_nn::functional::load(network, &mut runner, source, rows);
    runner.forward(parameters, &StepInfo::default());
    read(&runner, network.logits)
}

/// A node's value.
pub fn read<T: Real>(runner: &Runner<T>, node: NodeId) -> Vec<T> {
    runner.value(node).unwrap().to_vec()
}

/// Numbers to their bits: equal bytes, NaN and signed zeros included.
pub fn bits<T: Real>(values: &[T]) -> Vec<u64> {
    values.iter().map(|value| value.to_f64().to_bits()).collect()
}
