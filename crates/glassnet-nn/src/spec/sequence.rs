//! Layers of sequences: tokens, positions, recurrence, attention. A row is `[time, features]`, or `[time]` tokens.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::cursor::{Cursor, Token};
use super::items::drawn_behind;
use super::names::init_text;
use super::{Init, LayerSpec, SpecError};

/// The base of rotary positions (Su et al. 2021).
pub const ROTARY_BASE: f64 = 10_000.0;

/// Most recurrent layers, one on the other, that one item names.
pub(super) const MOST_LEVELS: usize = 64;

/// How a layer says where a time step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionKind {
    /// A learned vector a position.
    Learned,
    /// Sines and cosines of falling frequency.
    Sinusoidal,
}

/// A recurrent cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// `h' = tanh(W x + U h + b)`.
    Rnn,
    /// The same with ReLU.
    RnnRelu,
    /// Long short-term memory.
    Lstm,
    /// Gated recurrent unit.
    Gru,
}

/// A layer of sequences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "layer")]
pub enum SequenceLayer {
    /// A learned vector for each token: `[T] -> [T, width]`.
    Embedding {
        /// Numbers of a vector.
        width: usize,
        /// How they are drawn; `None`: normal with deviation 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        init: Option<Init>,
    },
    /// Logits by the embedding's own table (tied weights): `[T, width] -> [T, vocabulary]`.
    Unembedding,
    /// Adds a vector for each position.
    Positions {
        /// Which. (`kind` is the word that tells layers apart in the model file.)
        #[serde(rename = "positions")]
        kind: PositionKind,
    },
    /// Multi-head self-attention with its four linear maps: keeps the width.
    Attention {
        /// Heads.
        heads: usize,
        /// Heads of keys and values; a divisor of `heads`.
        kv_heads: usize,
        /// Whether a step sees only itself and what is before it.
        causal: bool,
        /// Whether queries and keys are rotated by their position.
        rotary: bool,
        /// Whether the four maps have biases.
        bias: bool,
        /// How the four maps are drawn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        init: Option<Init>,
    },
    /// A recurrent network: `[T, F] -> [T, units]`, twice the units in both directions.
    Recurrent {
        /// The cell.
        cell: Cell,
        /// Units of one direction.
        units: usize,
        /// Layers, one on the other.
        layers: usize,
        /// Whether a second network reads from the end.
        bidirectional: bool,
        /// Whether there are biases.
        bias: bool,
    },
    /// The last step: `[T, F] -> [F]`; of a reading from the end its last, the first step.
    Last,
    /// The mean over time: `[T, F] -> [F]`.
    MeanOverTime,
}

impl Cell {
    fn word(self) -> &'static str {
        match self {
            Cell::Rnn | Cell::RnnRelu => "rnn",
            Cell::Lstm => "lstm",
            Cell::Gru => "gru",
        }
    }
}

/// The layer's text, which parses back to it.
impl fmt::Display for SequenceLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let drawn = |init: &Option<Init>| init.map_or(String::new(), |init| format!(" init {}", init_text(init)));
        match self {
            SequenceLayer::Embedding { width, init } => write!(f, "embed {width}{}", drawn(init)),
            SequenceLayer::Unembedding => f.write_str("unembed"),
            SequenceLayer::Positions { kind: PositionKind::Learned } => f.write_str("positions"),
            SequenceLayer::Positions { kind: PositionKind::Sinusoidal } => f.write_str("positions sinusoidal"),
            SequenceLayer::Attention { heads, kv_heads, causal, rotary, bias, init } => {
                write!(f, "attention {heads} heads")?;
                if kv_heads != heads {
                    write!(f, " {kv_heads} kv heads")?;
                }
                f.write_str(if *causal { " causal" } else { "" })?;
                f.write_str(if *rotary { " rotary" } else { "" })?;
                f.write_str(if *bias { "" } else { " no bias" })?;
                f.write_str(&drawn(init))
            }
            SequenceLayer::Recurrent { cell, units, layers, bidirectional, bias } => {
                write!(f, "{} {units}", cell.word())?;
                f.write_str(if *cell == Cell::RnnRelu { " relu" } else { "" })?;
                if *layers != 1 {
                    write!(f, " {layers} layers")?;
                }
                f.write_str(if *bidirectional { " bidirectional" } else { "" })?;
                f.write_str(if *bias { "" } else { " no bias" })
            }
            SequenceLayer::Last => f.write_str("last"),
            SequenceLayer::MeanOverTime => f.write_str("mean"),
        }
    }
}

fn push(out: &mut Vec<LayerSpec>, layer: SequenceLayer) {
    out.push(LayerSpec::Sequence(layer));
}

/// `embed 64`.
pub(super) fn embed(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let width = cursor.count("embed", "a width", "embed 64")?;
    let mut init = None;
    while cursor.peek() == Some(Token::Word) {
        cursor.setting("embed", &[("init", ())])?;
        init = Some(drawn_behind(cursor)?);
    }
    push(out, SequenceLayer::Embedding { width, init });
    Ok(())
}

/// `unembed`.
pub(super) fn unembed(_: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    push(out, SequenceLayer::Unembedding);
    Ok(())
}

/// `positions sinusoidal`.
pub(super) fn positions(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    const KINDS: &[(&str, PositionKind)] = &[
        ("learned", PositionKind::Learned),
        ("sinusoidal", PositionKind::Sinusoidal),
        ("sine", PositionKind::Sinusoidal),
    ];
    let mut kind = PositionKind::Learned;
    if cursor.peek() == Some(Token::Word) {
        kind = cursor.setting("positions", KINDS)?;
    }
    push(out, SequenceLayer::Positions { kind });
    Ok(())
}

/// `last`.
pub(super) fn last(_: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    push(out, SequenceLayer::Last);
    Ok(())
}

/// `mean`.
pub(super) fn mean(_: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    push(out, SequenceLayer::MeanOverTime);
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum Setting {
    Heads,
    KvHeads,
    Causal,
    Rotary,
    Bias(bool),
    Init,
    Layers,
    Bidirectional,
    Relu,
    Tanh,
    Tied,
    Swiglu,
    RmsNorm,
    Sinusoidal,
    Dropout,
}

const ATTENTION: &[(&str, Setting)] = &[
    ("heads", Setting::Heads),
    ("head", Setting::Heads),
    ("kv heads", Setting::KvHeads),
    ("causal", Setting::Causal),
    ("rotary", Setting::Rotary),
    ("bias", Setting::Bias(true)),
    ("no bias", Setting::Bias(false)),
    ("without bias", Setting::Bias(false)),
    ("init", Setting::Init),
];

const RECURRENT: &[(&str, Setting)] = &[
    ("layers", Setting::Layers),
    ("layer", Setting::Layers),
    ("bidirectional", Setting::Bidirectional),
    ("both directions", Setting::Bidirectional),
    ("bias", Setting::Bias(true)),
    ("no bias", Setting::Bias(false)),
    ("without bias", Setting::Bias(false)),
    ("tanh", Setting::Tanh),
    ("relu", Setting::Relu),
];

const GPT: &[(&str, Setting)] = &[
    ("layers", Setting::Layers),
    ("layer", Setting::Layers),
    ("heads", Setting::Heads),
    ("head", Setting::Heads),
    ("kv heads", Setting::KvHeads),
    ("rotary", Setting::Rotary),
    ("sinusoidal", Setting::Sinusoidal),
    ("no bias", Setting::Bias(false)),
    ("without bias", Setting::Bias(false)),
    ("bias", Setting::Bias(true)),
    ("tied", Setting::Tied),
    ("swiglu", Setting::Swiglu),
    ("rmsnorm", Setting::RmsNorm),
    ("dropout", Setting::Dropout),
];

/// A setting with the number that stands before or behind its name: `4 heads`, `heads 4`. A number without a name is
/// `None`.
fn counted(
    cursor: &mut Cursor<'_>,
    whose: &str,
    known: &[(&'static str, Setting)],
    numbered: &[Setting],
    example: &str,
) -> Result<(Option<Setting>, usize), SpecError> {
    if cursor.peek() == Some(Token::Number) {
        let number = cursor.count(whose, "a number", example)?;
        let named = cursor.find_name(|name| super::cursor::named(known, name)).map(|(setting, _)| setting);
        if named.is_some_and(|setting| numbered.contains(&setting)) {
            return Ok((Some(cursor.setting(whose, known)?), number));
        }
        return Ok((None, number));
    }
    let setting = cursor.setting(whose, known)?;
    if numbered.contains(&setting) {
        return Ok((Some(setting), cursor.count(whose, "a number", example)?));
    }
    Ok((Some(setting), 0))
}

/// `attention 4 heads 2 kv heads causal rotary`.
pub(super) fn attention(
    cursor: &mut Cursor<'_>,
    name: Range<usize>,
    out: &mut Vec<LayerSpec>,
) -> Result<(), SpecError> {
    let example = "attention 4 heads causal";
    let (mut heads, mut kv_heads, mut causal, mut rotary) = (None, None, false, false);
    let (mut bias, mut init) = (true, None);
    while matches!(cursor.peek(), Some(Token::Word | Token::Number)) {
        match counted(cursor, "attention", ATTENTION, &[Setting::Heads, Setting::KvHeads], example)? {
            (None | Some(Setting::Heads), number) => heads = Some(number),
            (Some(Setting::KvHeads), number) => kv_heads = Some(number),
            (Some(Setting::Causal), _) => causal = true,
            (Some(Setting::Rotary), _) => rotary = true,
            (Some(Setting::Bias(said)), _) => bias = said,
            _ => init = Some(drawn_behind(cursor)?),
        }
    }
    let Some(heads) = heads else {
        return Err(cursor.error(name, "attention needs a number of heads").hint(format!("for instance: {example}")));
    };
    let kv_heads = kv_heads.unwrap_or(heads);
    push(out, SequenceLayer::Attention { heads, kv_heads, causal, rotary, bias, init });
    Ok(())
}

/// `rnn 128 relu`.
pub(super) fn rnn(cursor: &mut Cursor<'_>, name: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    recurrent(cursor, name, out, Cell::Rnn)
}

/// `lstm 128 2 layers bidirectional`.
pub(super) fn lstm(cursor: &mut Cursor<'_>, name: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    recurrent(cursor, name, out, Cell::Lstm)
}

/// `gru 128`.
pub(super) fn gru(cursor: &mut Cursor<'_>, name: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    recurrent(cursor, name, out, Cell::Gru)
}

fn recurrent(
    cursor: &mut Cursor<'_>,
    name: Range<usize>,
    out: &mut Vec<LayerSpec>,
    mut cell: Cell,
) -> Result<(), SpecError> {
    let (whose, example) = (cell.word(), format!("{} 128 2 layers", cell.word()));
    let units = cursor.count(whose, "a number of units", &example)?;
    let (mut layers, mut bidirectional, mut bias) = (1, false, true);
    // The plain network's curve is its own; the others have theirs built in.
    let known = if cell == Cell::Rnn { RECURRENT } else { &RECURRENT[..RECURRENT.len() - 2] };
    while matches!(cursor.peek(), Some(Token::Word | Token::Number)) {
        match counted(cursor, whose, known, &[Setting::Layers], &example)? {
            (Some(Setting::Layers), number) => layers = number,
            (Some(Setting::Bidirectional), _) => bidirectional = true,
            (Some(Setting::Bias(said)), _) => bias = said,
            (Some(Setting::Relu), _) => cell = Cell::RnnRelu,
            (Some(_), _) => {}
            (None, number) => {
                let error = cursor.error(name, format!("{whose} does not know what {number} means"));
                return Err(error.hint(format!("for instance: {example}")));
            }
        }
    }
    if layers > MOST_LEVELS {
        let error = cursor.error(name, format!("{layers} layers of {whose} are more than {MOST_LEVELS}"));
        return Err(error.hint("take fewer"));
    }
    push(out, SequenceLayer::Recurrent { cell, units, layers, bidirectional, bias });
    Ok(())
}

/// `gpt 4 layers 4 heads 128`: written out in its parts, so that each can be seen and changed.
pub(super) fn gpt(cursor: &mut Cursor<'_>, name: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let example = "gpt 4 layers 4 heads 128";
    let (mut layers, mut heads, mut kv_heads, mut width) = (None, None, None, None);
    let (mut rotary, mut sinusoidal, mut bias, mut tied) = (false, false, true, false);
    let (mut swiglu, mut rms, mut dropout) = (false, false, 0.0);
    let numbered = [Setting::Layers, Setting::Heads, Setting::KvHeads];
    while matches!(cursor.peek(), Some(Token::Word | Token::Number)) {
        match counted(cursor, "gpt", GPT, &numbered, example)? {
            (Some(Setting::Layers), number) => layers = Some(number),
            (Some(Setting::Heads), number) => heads = Some(number),
            (Some(Setting::KvHeads), number) => kv_heads = Some(number),
            (None, number) => width = Some(number),
            (Some(Setting::Rotary), _) => rotary = true,
            (Some(Setting::Sinusoidal), _) => sinusoidal = true,
            (Some(Setting::Bias(said)), _) => bias = said,
            (Some(Setting::Tied), _) => tied = true,
            (Some(Setting::Swiglu), _) => swiglu = true,
            (Some(Setting::RmsNorm), _) => rms = true,
            (Some(_), _) => dropout = cursor.probability("dropout")?,
        }
    }
    let (Some(layers), Some(heads), Some(width)) = (layers, heads, width) else {
        let missing = match (layers, heads) {
            (None, _) => "a number of layers",
            (_, None) => "a number of heads",
            _ => "a width",
        };
        return Err(cursor.error(name, format!("gpt needs {missing}")).hint(format!("for instance: {example}")));
    };
    if layers > 256 {
        return Err(cursor.error(name, format!("{layers} layers are more than 256")).hint("take fewer"));
    }
    // GPT-2's draw: deviation 0.02, divided by the root of the number of branches where a branch ends.
    let init = Some(Init::Constant { std: 0.02 });
    let linear = |units: usize| LayerSpec::Linear { units, bias, init, weight: None, bias_values: None };
    let norm = || {
        LayerSpec::Norm(match rms {
            true => super::NormLayer::Rms { eps: super::norm::EPS },
            false => super::NormLayer::Layer { eps: super::norm::EPS },
        })
    };
    let drop = |out: &mut Vec<LayerSpec>| out.extend((dropout > 0.0).then_some(LayerSpec::Dropout { p: dropout }));
    push(out, SequenceLayer::Embedding { width, init });
    if !rotary {
        let kind = if sinusoidal { PositionKind::Sinusoidal } else { PositionKind::Learned };
        push(out, SequenceLayer::Positions { kind });
    }
    drop(out);
    let kv_heads = kv_heads.unwrap_or(heads);
    for _ in 0..layers {
        let mut attend = vec![norm()];
        push(&mut attend, SequenceLayer::Attention { heads, kv_heads, causal: true, rotary, bias, init });
        drop(&mut attend);
        out.push(LayerSpec::Residual { layers: attend });
        let mut feed = vec![norm()];
        if swiglu {
            // Two thirds of 4 widths, in whole eighths: as many parameters as the plain one (Shazeer 2020).
            let hidden = (8 * width).div_ceil(3).next_multiple_of(8);
            feed.push(LayerSpec::Gated { hidden, bias, activation: super::Activation::Silu });
        } else {
            feed.push(linear(4 * width));
            feed.push(LayerSpec::Activation { function: super::Activation::Gelu });
            feed.push(linear(width));
        }
        drop(&mut feed);
        out.push(LayerSpec::Residual { layers: feed });
    }
    out.push(norm());
    if tied {
        push(out, SequenceLayer::Unembedding);
    }
    Ok(())
}
