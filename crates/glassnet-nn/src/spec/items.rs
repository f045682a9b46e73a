//! The items of the text form: a table of names, each with how it is written, a line of explanation and its parser.
//!
//! A new kind of layer adds a row to [`ITEMS`] and a function that reads what follows the name. The nearest-name hint
//! and the guide's list come from the table by themselves.

use std::fmt;
use std::ops::Range;

use super::cursor::{Cursor, Token, shorten};
use super::names::{self, ActivationName, key, names_of};
use super::{Activation, Init, LayerSpec, SpecError, image, norm, plain, reorder, sequence, table};

/// Reads what follows an item's name, whose place is given, and adds its layers.
type Parse = fn(&mut Cursor<'_>, Range<usize>, &mut Vec<LayerSpec>) -> Result<(), SpecError>;

/// One item of the text form.
pub struct Item {
    /// The name that is printed.
    pub name: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// How it is written.
    pub syntax: &'static str,
    /// What it is, in one line.
    pub doc: &'static str,
    parse: Parse,
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item").field("name", &self.name).field("syntax", &self.syntax).finish_non_exhaustive()
    }
}

/// All items that begin with a word. Beside them an item is a number (a linear layer) or an activation alone.
pub const ITEMS: &[Item] = &[
    Item {
        name: "linear",
        aliases: &["dense"],
        syntax: "linear 256 relu",
        doc: "the same as `256 relu`; `linear` alone, as the whole text, is a network without hidden layers",
        parse: plain::linear,
    },
    Item {
        name: "dropout",
        aliases: &[],
        syntax: "dropout 0.5",
        doc: "while training, each element is 0 with this probability, in [0, 1)",
        parse: plain::dropout,
    },
    Item {
        name: "scale",
        aliases: &["scaling"],
        syntax: "scale",
        doc: "a learned factor for each element, 1 at the start",
        parse: plain::scale,
    },
    Item {
        name: "residual",
        aliases: &["skip"],
        syntax: "residual(256 relu -> 256)",
        doc: "x + f(x), where f is the layers inside; they keep the width",
        parse: plain::residual,
    },
    Item {
        name: "gated",
        aliases: &[],
        syntax: "gated 512 gelu",
        doc: "W_down (act(W_gate x) * (W_up x)) of that inner width; it keeps the width; without biases unless `bias`",
        parse: plain::gated,
    },
    Item { name: "swiglu", aliases: &[], syntax: "swiglu 512", doc: "the gated block with SiLU", parse: plain::swiglu },
    Item {
        name: "conv",
        aliases: &["conv2d"],
        syntax: "conv 32 5x5 same relu",
        doc: "a convolution of an image, 32 filters of 5 x 5; also `stride 2`, `padding 2`, `dilation 2`, `groups 4`, `no bias`; without `same` or `padding` nothing is added around",
        parse: image::conv,
    },
    Item {
        name: "conv1d",
        aliases: &[],
        syntax: "conv1d 32 5 relu",
        doc: "a convolution along time, with the same settings",
        parse: image::conv1d,
    },
    Item {
        name: "maxpool",
        aliases: &["max pool2d"],
        syntax: "maxpool 2",
        doc: "the largest of each window; the stride is the window unless `stride 1`; also `padding 1`",
        parse: image::max_pool,
    },
    Item {
        name: "avgpool",
        aliases: &["average pool", "avg pool2d"],
        syntax: "avgpool 2",
        doc: "the mean of each window, zeros of the padding counted",
        parse: image::avg_pool,
    },
    Item {
        name: "adaptivepool",
        aliases: &["adaptive avgpool"],
        syntax: "adaptivepool 7x7",
        doc: "means over windows chosen so that the output has this size",
        parse: image::adaptive,
    },
    Item {
        name: "global avgpool",
        aliases: &["globalpool", "global average pool"],
        syntax: "global avgpool",
        doc: "the mean of each channel",
        parse: image::global_avg,
    },
    Item {
        name: "global maxpool",
        aliases: &[],
        syntax: "global maxpool",
        doc: "the largest of each channel",
        parse: image::global_max,
    },
    Item {
        name: "batchnorm",
        aliases: &["batchnorm2d", "batchnorm1d"],
        syntax: "batchnorm",
        doc: "each channel to mean 0 and deviation 1 over the batch, then a learned factor and shift; running statistics outside training; also `momentum 0.1`, `eps 1e-5`",
        parse: norm::batch,
    },
    Item {
        name: "groupnorm",
        aliases: &[],
        syntax: "groupnorm 8",
        doc: "the same over groups of a row's own channels",
        parse: norm::group,
    },
    Item {
        name: "layernorm",
        aliases: &[],
        syntax: "layernorm",
        doc: "the same over a row's (a time step's) own features",
        parse: norm::layer,
    },
    Item {
        name: "rmsnorm",
        aliases: &[],
        syntax: "rmsnorm",
        doc: "divides by the root mean square of the features, then a learned factor",
        parse: norm::rms,
    },
    Item {
        name: "embed",
        aliases: &["embedding"],
        syntax: "embed 64",
        doc: "a learned vector for each token",
        parse: sequence::embed,
    },
    Item {
        name: "unembed",
        aliases: &["unembedding"],
        syntax: "unembed",
        doc: "logits by the embedding's own table (tied weights); the last layer",
        parse: sequence::unembed,
    },
    Item {
        name: "positions",
        aliases: &["position"],
        syntax: "positions",
        doc: "adds a learned vector for each position; `positions sinusoidal` adds sines and cosines",
        parse: sequence::positions,
    },
    Item {
        name: "attention",
        aliases: &["self attention"],
        syntax: "attention 4 heads causal",
        doc: "multi-head self-attention with its four linear maps; also `2 kv heads`, `rotary`, `no bias`",
        parse: sequence::attention,
    },
    Item {
        name: "rnn",
        aliases: &[],
        syntax: "rnn 128",
        doc: "a recurrent network with tanh (or `rnn 128 relu`); also `2 layers`, `bidirectional`, `no bias`",
        parse: sequence::rnn,
    },
    Item {
        name: "lstm",
        aliases: &[],
        syntax: "lstm 128 2 layers",
        doc: "long short-term memory, with the same settings",
        parse: sequence::lstm,
    },
    Item {
        name: "gru",
        aliases: &[],
        syntax: "gru 128 bidirectional",
        doc: "a gated recurrent unit, with the same settings",
        parse: sequence::gru,
    },
    Item { name: "last", aliases: &[], syntax: "last", doc: "the last time step of a sequence", parse: sequence::last },
    Item {
        name: "mean",
        aliases: &["mean over time"],
        syntax: "mean",
        doc: "the mean over time of a sequence",
        parse: sequence::mean,
    },
    Item {
        name: "gpt",
        aliases: &["transformer"],
        syntax: "gpt 4 layers 4 heads 128",
        doc: "a pre-LN transformer, written out in its layers: embedding, positions, blocks of attention and feed-forward, a last norm; also `rotary`, `sinusoidal`, `swiglu`, `rmsnorm`, `2 kv heads`, `tied`, `no bias`, `dropout 0.1`",
        parse: sequence::gpt,
    },
    Item {
        name: "periodic",
        aliases: &["pbld"],
        syntax: "periodic",
        doc: "each number becomes 4: three mixtures of 16 learned waves of it, and itself; also `frequencies 16`, `width 4`",
        parse: table::periodic,
    },
    Item {
        name: "categories",
        aliases: &["category"],
        syntax: "categories 12 30",
        doc: "a learned vector of 8 numbers for each code; a column of codes for each number, which says how many it has (0 is missing or unseen); also `width 8`",
        parse: table::categories,
    },
    Item {
        name: "ntk",
        aliases: &["ntk linear"],
        syntax: "ntk 256",
        doc: "a linear layer whose product is divided by the root of its inputs, for weights of variance 1; also `no bias`",
        parse: table::ntk,
    },
    Item {
        name: "parametric",
        aliases: &[],
        syntax: "parametric selu",
        doc: "x + a (selu(x) - x) with a learned a for each feature, 1 at the start; also relu, gelu, silu, mish, tanh",
        parse: table::parametric,
    },
    Item {
        name: "piecewise",
        aliases: &["ple"],
        syntax: "piecewise 48 16",
        doc: "each number becomes 16, straight between the edges of its 48 bins; the edges are quantiles of the training rows",
        parse: table::piecewise,
    },
    Item {
        name: "members",
        aliases: &["member"],
        syntax: "members 32",
        doc: "each row becomes 32, one a member, times factors of the member's own",
        parse: table::members,
    },
    Item {
        name: "shared",
        aliases: &[],
        syntax: "shared 512 relu",
        doc: "a linear layer whose weights the members share; factors before and behind it, and biases, are each member's own",
        parse: table::shared,
    },
    Item {
        name: "heads",
        aliases: &[],
        syntax: "heads 2",
        doc: "a linear layer of each member's own",
        parse: table::heads,
    },
    Item {
        name: "average",
        aliases: &[],
        syntax: "average probabilities",
        doc: "the mean of the members' probabilities, as logarithms; `average` alone: the mean of their values. As the last layer it is for predicting: each member is trained with its own loss",
        parse: table::average,
    },
    Item {
        name: "flatten",
        aliases: &[],
        syntax: "flatten",
        doc: "one axis out of all; a linear layer behind an image does it by itself",
        parse: reorder::flatten,
    },
    Item {
        name: "reshape",
        aliases: &[],
        syntax: "reshape 100x2",
        doc: "another shape of as many numbers: here a sequence of 100 steps of 2 features",
        parse: reorder::reshape,
    },
    Item {
        name: "transpose",
        aliases: &[],
        syntax: "transpose 0 1",
        doc: "two axes of a row change places",
        parse: reorder::transpose,
    },
    Item {
        name: "slice",
        aliases: &[],
        syntax: "slice 0 16",
        doc: "features (of an image: channels) from the first number to before the second",
        parse: reorder::slice,
    },
    Item {
        name: "concat",
        aliases: &["parallel"],
        syntax: "concat(conv 8 3x3 same, conv 8 5x5 same)",
        doc: "two to four branches side by side, joined along features (of an image: channels)",
        parse: plain::concat,
    },
    Item {
        name: "input",
        aliases: &[],
        syntax: "input 784",
        doc: "the input, as the first item; `784 -> ...` and `1x28x28 -> ...` say the same",
        parse: plain::input,
    },
    Item {
        name: "tokens",
        aliases: &[],
        syntax: "tokens 64 vocabulary 65",
        doc: "as the first item: a row is 64 tokens out of 65",
        parse: plain::tokens,
    },
];

/// The item of this name, by any of its spellings.
pub fn item(name: &str) -> Option<&'static Item> {
    let wanted = key(name);
    ITEMS.iter().find(|row| names_of(row.name, row.aliases).any(|name| key(name) == wanted))
}

/// Every spelling of every item.
pub fn item_names() -> impl Iterator<Item = &'static str> {
    ITEMS.iter().flat_map(|row| names_of(row.name, row.aliases))
}

/// The guide's list of items, activations and initialisations, in Markdown.
pub fn guide() -> String {
    let mut out = String::from("| item | what it is |\n|---|---|\n");
    out.push_str("| `256 relu` | a linear layer of 256 units, then an activation |\n");
    out.push_str("| `256` | a linear layer of 256 units |\n");
    out.push_str("| `relu` | an activation alone |\n");
    for row in ITEMS {
        out.push_str(&format!("| `{}` | {} |\n", row.syntax, row.doc));
    }
    let others = |aliases: &[&str]| aliases.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let number = |number: Option<(&str, f64)>| number.map_or(String::new(), |(name, value)| format!("{name}, {value}"));
    out.push_str("\n| activation | also | number that may follow, default | what it computes |\n|---|---|---|---|\n");
    for row in names::ACTIVATIONS {
        out.push_str(&format!("| `{}` | {} | {} | {} |\n", row.name, others(row.aliases), number(row.number), row.doc));
    }
    out.push_str("\n| init | also | number that may follow, default | how weights are drawn |\n|---|---|---|---|\n");
    for row in names::INITS {
        out.push_str(&format!("| `{}` | {} | {} | {} |\n", row.name, others(row.aliases), number(row.number), row.doc));
    }
    out
}

/// Reads the next item: a number, a name of the table, or an activation.
pub(super) fn parse_item(cursor: &mut Cursor<'_>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    if cursor.peek() == Some(Token::Number) {
        return plain::linear(cursor, cursor.span(), out);
    }
    let by_item = cursor.find_name(item);
    let by_curve = cursor.find_name(names::activation);
    match (by_item, by_curve) {
        (Some((row, words)), curve) if curve.is_none_or(|(_, others)| others <= words) => {
            let name = cursor.take_many(words);
            (row.parse)(cursor, name, out)
        }
        (_, Some((row, words))) => {
            cursor.take_many(words);
            let function = curve(cursor, row)?;
            out.push(LayerSpec::Activation { function });
            match cursor.peek() {
                Some(Token::Word) => Err(plain::not_an_option(cursor, &format!("the activation {}", row.name), &[])),
                _ => Ok(()),
            }
        }
        _ => Err(cursor.unknown("layer", item_names().chain(names::activation_names()), || {
            let known: Vec<&str> = ITEMS.iter().map(|row| row.name).collect();
            format!("a layer is a number of units, an activation, or one of {}", known.join(", "))
        })),
    }
}

/// Reads the curve that may stand behind a layer.
pub(super) fn curve_behind(cursor: &mut Cursor<'_>, whose: &str, taken: bool) -> Result<Option<Activation>, SpecError> {
    let Some((row, words)) = cursor.find_name(names::activation) else { return Ok(None) };
    let span = cursor.take_many(words);
    let function = curve(cursor, row)?;
    if taken {
        let name = cursor.slice(span.clone());
        let message = format!("a second activation \"{name}\" in one {whose}");
        let hint = format!("to apply both, one after the other, write -> {name}");
        return Err(cursor.error(span, message).hint(hint));
    }
    Ok(Some(function))
}

/// Reads the initialisation that stands behind `init`.
pub(super) fn drawn_behind(cursor: &mut Cursor<'_>) -> Result<Init, SpecError> {
    init(cursor)
}

/// The hint that lists the activations.
pub(super) fn known_activations() -> String {
    let known: Vec<&str> = names::ACTIVATIONS.iter().map(|row| row.name).collect();
    format!("one of: {}", known.join(", "))
}

fn known_inits() -> String {
    names::INITS.iter().map(|row| row.name).collect::<Vec<_>>().join(", ")
}

/// Reads the number of an activation whose name was read.
pub(super) fn curve(cursor: &mut Cursor<'_>, row: &ActivationName) -> Result<Activation, SpecError> {
    Ok((row.make)(number_of(cursor, row.name, row.number)?))
}

/// Reads the name of an initialisation and its number.
pub(super) fn init(cursor: &mut Cursor<'_>) -> Result<Init, SpecError> {
    if cursor.peek() != Some(Token::Word) {
        let error = cursor.error(cursor.last_span(), "init needs a name");
        return Err(error.hint(format!("one of: {}", known_inits())));
    }
    let Some((row, words)) = cursor.find_name(names::init) else {
        return Err(cursor.unknown("initialisation", names::init_names(), || format!("one of: {}", known_inits())));
    };
    cursor.take_many(words);
    let span = cursor.span();
    let value = number_of(cursor, row.name, row.number)?;
    match row.number {
        Some((name, _)) if value <= 0.0 => Err(cursor
            .error(span, format!("{name} must be positive, got {value}"))
            .hint("for no weights write init zeros")),
        _ => Ok((row.make)(value)),
    }
}

/// Reads the number that may follow a name; its default where none follows.
fn number_of(cursor: &mut Cursor<'_>, name: &str, number: Option<(&str, f64)>) -> Result<f64, SpecError> {
    match (cursor.peek(), number) {
        (Some(Token::Number), Some(_)) => cursor.number(),
        (Some(Token::Number), None) => {
            let span = cursor.span();
            let word = shorten(cursor.slice(span.clone()));
            Err(cursor
                .error(span, format!("{name} takes no number"))
                .hint(format!("for a further layer write -> {word}")))
        }
        (_, number) => Ok(number.map_or(0.0, |(_, default)| default)),
    }
}
