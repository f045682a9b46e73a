//! What a network is, in words: the layers between input and output, before any number is drawn.
//!
//! The text form (`"784 -> 256 relu -> 10"`, [`text`]) and the TOML form (`toml`, behind the feature of that name)
//! both give a [`NetSpec`]; the model file keeps one as JSON.
//!
//! A spec says the layers in one of two ways:
//!
//! - the *hidden form* ("256 relu -> 128 relu") names the layers between input and output, whose sizes come from the
//!   data: a last linear layer of the data's output size is added by whoever builds the network;
//! - the *full form* ("784 -> 256 relu -> 10") says the input size too, and its last linear layer is the output. Both
//!   sizes are checked against the data ([`NetSpec::shapes`]). [`NetSpec::is_full`] tells them apart.
//!
//! | file | what |
//! |---|---|
//! | [`text`] | the grammar and the parser |
//! | [`items`] | the table of items: name, how it is written, a line of explanation, parser |
//! | `plain` | parsers of the plain network's layers, of blocks and of the input |
//! | [`image`], [`norm`], [`sequence`], [`reorder`], [`table`] | layers beyond the plain network: what they are and how they are written |
//! | `settings` | what may follow a layer's name |
//! | [`names`] | the tables of activations and initialisations, and the nearest name |
//! | `display` | the canonical text, which parses back to the same spec |
//! | [`shapes`] | widths, layer by layer |
//! | `fits` | whether a layer goes with what it is given |
//! | [`error`] | an error that points into the text |

pub mod error;
pub mod image;
pub mod items;
pub mod names;
pub mod norm;
pub mod reorder;
pub mod sequence;
pub mod shapes;
pub mod table;
pub mod text;
#[cfg(feature = "toml")]
pub mod toml;

mod cursor;
mod display;
mod fits;
mod plain;
mod settings;

pub use error::SpecError;
pub use image::{ImageLayer, Padding, Pooling};
pub use norm::NormLayer;
pub use reorder::ReorderLayer;
pub use sequence::{Cell, PositionKind, SequenceLayer};
pub use shapes::LayerShape;
pub use table::TableLayer;

use serde::{Deserialize, Serialize};

/// A network as a person writes it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct NetSpec {
    /// Input size, where the text says it (the full form). `None`: it comes from the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<usize>,
    /// Shape of a row where it has more than one axis, such as [1, 28, 28]; `input` is then its product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub axes: Vec<usize>,
    /// Number of tokens that there are, where a row is tokens: `input` of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<usize>,
    /// Whether rows differ in length: the network then reads each row's number of live time steps, and what lies behind
    /// does not count.
    #[serde(default, skip_serializing_if = "is_no")]
    pub lengths: bool,
    /// The layers in order. In the full form the last linear layer is the output.
    pub layers: Vec<LayerSpec>,
}

impl NetSpec {
    /// Whether the spec says its input size (the full form); its last linear layer is then the output.
    pub fn is_full(&self) -> bool {
        self.input.is_some()
    }

    /// Shape of a row, where the spec says it.
    pub fn input_shape(&self) -> Option<Vec<usize>> {
        self.input.map(|input| if self.axes.is_empty() { vec![input] } else { self.axes.clone() })
    }

    /// Says the shape of a row, and how many tokens there are where it is tokens.
    pub fn set_input(&mut self, shape: &[usize], vocabulary: Option<usize>) {
        self.input = shape.iter().try_fold(1usize, |size, &axis| size.checked_mul(axis)).or(Some(usize::MAX));
        self.axes = if shape.len() > 1 { shape.to_vec() } else { Vec::new() };
        self.vocabulary = vocabulary;
    }

    /// Whether a layer, at any depth, has weights or biases of its own. The text form cannot say them; TOML can.
    pub fn has_given_weights(&self) -> bool {
        fn any(layers: &[LayerSpec]) -> bool {
            layers.iter().any(|layer| match layer {
                LayerSpec::Linear { weight, bias_values, .. } => weight.is_some() || bias_values.is_some(),
                LayerSpec::Residual { layers } => any(layers),
                LayerSpec::Concat { branches } => branches.iter().any(|layers| any(layers)),
                _ => false,
            })
        }
        any(&self.layers)
    }
}

impl NetSpec {
    /// Rows of the tables that codes are looked up in, at any depth, in the order of the layers: one for each code.
    pub fn category_tables(&self) -> Vec<usize> {
        fn walk(layers: &[LayerSpec], found: &mut Vec<usize>) {
            for layer in layers {
                match layer {
                    LayerSpec::Table(TableLayer::Categories { sizes, .. }) => found.extend(sizes),
                    LayerSpec::Residual { layers } => walk(layers, found),
                    LayerSpec::Concat { branches } => branches.iter().for_each(|layers| walk(layers, found)),
                    _ => {}
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.layers, &mut found);
        found
    }
}

/// A layer that would let a time step see what comes after it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeesAhead {
    /// The layer's name: `1`, `3.1`.
    pub layer: String,
    /// What it is, as the text form writes it.
    pub text: String,
}

impl NetSpec {
    /// Whether each time step sees only itself and what is before it, as a network must that predicts the next token.
    ///
    /// # Errors
    /// The first layer that mixes time steps otherwise.
    pub fn check_causal(&self) -> Result<(), SeesAhead> {
        fn walk(layers: &[LayerSpec], path: &mut Vec<usize>) -> Result<(), SeesAhead> {
            for (index, layer) in layers.iter().enumerate() {
                path.push(index);
                let fine = match layer {
                    LayerSpec::Residual { layers } => {
                        walk(layers, path)?;
                        true
                    }
                    LayerSpec::Concat { branches } => {
                        for (branch, layers) in branches.iter().enumerate() {
                            path.push(branch);
                            walk(layers, path)?;
                            path.pop();
                        }
                        true
                    }
                    LayerSpec::Sequence(layer) => match layer {
                        SequenceLayer::Attention { causal, .. } => *causal,
                        SequenceLayer::Recurrent { bidirectional, .. } => !bidirectional,
                        SequenceLayer::Last | SequenceLayer::MeanOverTime => false,
                        SequenceLayer::Embedding { .. }
                        | SequenceLayer::Unembedding
                        | SequenceLayer::Positions { .. } => true,
                    },
                    LayerSpec::Norm(norm) => matches!(norm, NormLayer::Layer { .. } | NormLayer::Rms { .. }),
                    LayerSpec::Reorder(layer) => matches!(layer, ReorderLayer::Slice { .. }),
                    LayerSpec::Image(_) => false,
                    LayerSpec::Linear { .. }
                    | LayerSpec::Table(_)
                    | LayerSpec::Activation { .. }
                    | LayerSpec::Dropout { .. }
                    | LayerSpec::Scaling
                    | LayerSpec::Gated { .. } => true,
                };
                if !fine {
                    let text = NetSpec { layers: vec![layer.clone()], ..NetSpec::default() }.to_string();
                    return Err(SeesAhead { layer: shapes::layer_name(path), text });
                }
                path.pop();
            }
            Ok(())
        }
        walk(&self.layers, &mut Vec::new())
    }
}

impl LayerSpec {
    /// A linear layer with a bias and nothing else said.
    pub fn linear(units: usize) -> LayerSpec {
        LayerSpec::Linear { units, bias: true, init: None, weight: None, bias_values: None }
    }
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum LayerSpec {
    /// `y = x W^T + b`, `W` is [units, fan_in].
    Linear {
        /// Number of outputs.
        units: usize,
        /// Whether there is a bias.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        bias: bool,
        /// How the weight is drawn; `None`: what fits the activation that follows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        init: Option<Init>,
        /// Given weights, row by row ([units, fan_in]).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weight: Option<Vec<Vec<f64>>>,
        /// Given biases, one for each unit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bias_values: Option<Vec<f64>>,
    },
    /// An elementwise curve, or softmax / log-softmax over the row.
    Activation {
        /// Which one.
        function: Activation,
    },
    /// Dropout with probability `p` of a zero while training.
    Dropout {
        /// Probability that an element is dropped, in [0, 1).
        p: f64,
    },
    /// `y_j = s_j x_j`, `s` learned, 1 at the start.
    Scaling,
    /// `y = x + f(x)`: `f` keeps the width.
    Residual {
        /// The layers of `f`.
        layers: Vec<LayerSpec>,
    },
    /// Two to four branches side by side, joined along features (of an image: channels).
    Concat {
        /// The branches.
        branches: Vec<Vec<LayerSpec>>,
    },
    /// Convolution and pooling.
    Image(ImageLayer),
    /// Tokens, positions, recurrence, attention.
    Sequence(SequenceLayer),
    /// Normalisation.
    Norm(NormLayer),
    /// The same numbers in another shape or order.
    Reorder(ReorderLayer),
    /// What tables want: numbers as waves and by parts, categories as vectors, NTK form, bent curves.
    Table(TableLayer),
    /// Gated block: `y = W_down (act(W_gate x) * (W_up x))`; with SiLU it is SwiGLU. Keeps the width.
    Gated {
        /// Width of the gate.
        hidden: usize,
        /// Whether its three linear layers have biases.
        #[serde(default)]
        bias: bool,
        /// The gate's curve.
        #[serde(default = "silu")]
        activation: Activation,
    },
}

/// The curves that a layer can apply.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// Rosenblatt's unit: 1 for z >= 0, else 0; no gradient.
    Step,
    /// max(0, z).
    Relu,
    /// z for z > 0, else slope * z.
    LeakyRelu {
        /// Slope below zero (PyTorch's default 0.01).
        slope: f64,
    },
    /// z for z > 0, else alpha (exp z - 1).
    Elu {
        /// Depth of the floor (default 1).
        alpha: f64,
    },
    /// Scaled ELU, self-normalising.
    Selu,
    /// z Phi(z), exact erf.
    Gelu,
    /// GELU's tanh form.
    GeluTanh,
    /// z sigmoid(z).
    Silu,
    /// z tanh(softplus z).
    Mish,
    /// tanh.
    Tanh,
    /// 1 / (1 + exp(-z)).
    Sigmoid,
    /// ln(1 + exp z).
    Softplus,
    /// exp(z_i) / sum exp(z).
    Softmax,
    /// z_i - ln sum exp(z).
    LogSoftmax,
}

/// How weights are drawn. fan_in and fan_out are those of the layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// Normal, variance 2 / (fan_in + fan_out).
    XavierNormal,
    /// Uniform with the same variance.
    XavierUniform,
    /// Normal, variance 2 / fan_in.
    HeNormal,
    /// Uniform with the same variance.
    HeUniform,
    /// Normal, variance 1 / fan_in.
    LecunNormal,
    /// Uniform with the same variance.
    LecunUniform,
    /// PyTorch's `nn.Linear` default: weight and bias uniform in +-1/sqrt(fan_in).
    Pytorch,
    /// Normal, standard deviation `std` (0.02), divided by sqrt(2 L) on the last linear layer of each of L residual branches.
    Constant {
        /// Standard deviation before residual scaling.
        std: f64,
    },
    /// All zero.
    Zeros,
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

fn is_no(value: &bool) -> bool {
    !*value
}

fn silu() -> Activation {
    Activation::Silu
}
