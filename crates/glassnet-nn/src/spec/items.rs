//! The items of the text form: a table of names, each with how it is written, a line of explanation and its parser.
//!
//! A new kind of layer adds a row to [`ITEMS`] and a function that reads what follows the name. The nearest-name hint
//! and the guide's list come from the table by themselves.

use std::fmt;
use std::ops::Range;

use super::cursor::{Cursor, Token, shorten};
use super::names::{self, ActivationName, key, names_of};
use super::text::{DEEPEST, layers};
use super::{Activation, Init, LayerSpec, SpecError};

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
        parse: linear,
    },
    Item {
        name: "dropout",
        aliases: &[],
        syntax: "dropout 0.5",
        doc: "while training, each element is 0 with this probability, in [0, 1)",
        parse: dropout,
    },
    Item {
        name: "scale",
        aliases: &["scaling"],
        syntax: "scale",
        doc: "a learned factor for each element, 1 at the start",
        parse: scale,
    },
    Item {
        name: "residual",
        aliases: &["skip"],
        syntax: "residual(256 relu -> 256)",
        doc: "x + f(x), where f is the layers inside; they keep the width",
        parse: residual,
    },
    Item {
        name: "gated",
        aliases: &[],
        syntax: "gated 512 gelu",
        doc: "W_down (act(W_gate x) * (W_up x)) of that inner width; it keeps the width; without biases unless `bias`",
        parse: gated,
    },
    Item { name: "swiglu", aliases: &[], syntax: "swiglu 512", doc: "the gated block with SiLU", parse: swiglu },
    Item {
        name: "input",
        aliases: &[],
        syntax: "input 784",
        doc: "the input size, as the first item; `784 -> ...` says the same",
        parse: input,
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
        return linear(cursor, cursor.span(), out);
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
                Some(Token::Word) => Err(not_an_option(cursor, &format!("the activation {}", row.name), &[])),
                _ => Ok(()),
            }
        }
        _ => Err(cursor.unknown("layer", item_names().chain(names::activation_names()), || {
            let known: Vec<&str> = ITEMS.iter().map(|row| row.name).collect();
            format!("a layer is a number of units, an activation, or one of {}", known.join(", "))
        })),
    }
}

/// What may follow the units of a linear or gated layer.
#[derive(Default)]
struct Options {
    activation: Option<Activation>,
    /// `linear` was written where an activation stands: there is none.
    no_activation: bool,
    bias: Option<bool>,
    init: Option<Init>,
}

#[derive(Clone, Copy)]
enum Word {
    Bias(bool),
    Init,
    NoCurve,
    Curve(&'static ActivationName),
}

/// Spellings of the options, beside the activations.
const OPTION_NAMES: &[(&str, Word)] = &[
    ("bias", Word::Bias(true)),
    ("with bias", Word::Bias(true)),
    ("no bias", Word::Bias(false)),
    ("without bias", Word::Bias(false)),
    ("init", Word::Init),
    ("linear", Word::NoCurve),
    ("identity", Word::NoCurve),
];

fn option(name: &str) -> Option<Word> {
    let named = OPTION_NAMES.iter().find(|(known, _)| key(known) == name).map(|(_, word)| *word);
    named.or_else(|| names::activation(name).map(Word::Curve))
}

fn options(cursor: &mut Cursor<'_>, whose: &str) -> Result<Options, SpecError> {
    let mut read = Options::default();
    while cursor.peek() == Some(Token::Word) {
        let Some((word, words)) = cursor.find_name(option) else {
            return Err(not_an_option(cursor, whose, OPTION_NAMES));
        };
        let span = cursor.take_many(words);
        let twice = match word {
            Word::Bias(bias) => read.bias.replace(bias).is_some(),
            Word::Init => {
                let drawn = init(cursor)?;
                read.init.replace(drawn).is_some()
            }
            Word::NoCurve => {
                let twice = read.activation.is_some() || read.no_activation;
                read.no_activation = true;
                twice
            }
            Word::Curve(row) => {
                let function = curve(cursor, row)?;
                read.activation.replace(function).is_some() || read.no_activation
            }
        };
        if twice {
            let name = cursor.slice(span.clone());
            let what = match word {
                Word::Curve(_) | Word::NoCurve => format!("a second activation \"{name}\" in one layer"),
                Word::Bias(_) => "the bias is said twice".to_owned(),
                Word::Init => "the initialisation is said twice".to_owned(),
            };
            let hint = match word {
                Word::Curve(_) => format!("to apply both, one after the other, write -> {name}"),
                _ => "keep one of the two".to_owned(),
            };
            return Err(cursor.error(span, what).hint(hint));
        }
    }
    Ok(read)
}

/// The next word cannot stand here: an item whose arrow is missing, or a misspelt option.
fn not_an_option(cursor: &Cursor<'_>, whose: &str, allowed: &[(&'static str, Word)]) -> SpecError {
    let next = cursor.find_name(|name| item(name).map(|row| row.name));
    let curve = cursor.find_name(|name| names::activation(name).map(|row| row.name));
    if let Some((name, _)) = next.or(curve) {
        let message = format!("a -> is missing before {name}");
        return cursor.error(cursor.span(), message).hint(format!("write -> {name}"));
    }
    if allowed.is_empty() {
        let span = cursor.span();
        let word = shorten(cursor.slice(span.clone()));
        return cursor
            .error(span, format!("{whose} takes no \"{word}\""))
            .hint("separate layers with ->; options such as `no bias` stand behind a number of units");
    }
    let candidates = names::activation_names().chain(allowed.iter().map(|(name, _)| *name)).chain(item_names());
    cursor.unknown("activation", candidates, known_activations)
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
fn curve(cursor: &mut Cursor<'_>, row: &ActivationName) -> Result<Activation, SpecError> {
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

fn linear(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let units = cursor.units("linear")?;
    let read = options(cursor, "linear")?;
    let bias = read.bias.unwrap_or(true);
    out.push(LayerSpec::Linear { units, bias, init: read.init, weight: None, bias_values: None });
    out.extend(read.activation.map(|function| LayerSpec::Activation { function }));
    Ok(())
}

fn dropout(cursor: &mut Cursor<'_>, name: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    if cursor.peek() != Some(Token::Number) {
        return Err(cursor.error(name, "dropout needs a probability").hint("for instance: dropout 0.5"));
    }
    let span = cursor.span();
    let p = cursor.number()?;
    if !(0.0..1.0).contains(&p) {
        let error = cursor.error(span, format!("a dropout probability is from 0 to below 1, got {p}"));
        return Err(if p > 1.0 && p < 100.0 {
            error.hint(format!("for {p} % write dropout {}", p / 100.0))
        } else {
            error.hint("for instance: dropout 0.5")
        });
    }
    out.push(LayerSpec::Dropout { p });
    Ok(())
}

fn scale(_: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    out.push(LayerSpec::Scaling);
    Ok(())
}

fn residual(cursor: &mut Cursor<'_>, name: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let open = cursor.span();
    if !cursor.take_if(Token::Open) {
        return Err(cursor
            .error(name, "residual needs the layers of its branch in parentheses")
            .hint("for instance: residual(256 relu -> 256)"));
    }
    if cursor.depth == DEEPEST {
        return Err(cursor
            .error(name, format!("residual blocks are nested more than {DEEPEST} deep"))
            .hint("write the blocks one after the other: residual(...) -> residual(...)"));
    }
    if cursor.peek() == Some(Token::Close) {
        return Err(cursor
            .error(name.start..cursor.span().end, "residual() has no layer inside")
            .hint("for instance: residual(256 relu -> 256)"));
    }
    cursor.depth += 1;
    let mut inside = Vec::new();
    layers(cursor, &mut inside)?;
    cursor.depth -= 1;
    if !cursor.take_if(Token::Close) {
        return Err(cursor.error(open, "this parenthesis is not closed").hint("add a ) behind the block's last layer"));
    }
    out.push(LayerSpec::Residual { layers: inside });
    Ok(())
}

fn gated(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    gate(cursor, "gated", out)
}

fn swiglu(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    gate(cursor, "swiglu", out)
}

fn gate(cursor: &mut Cursor<'_>, whose: &str, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let hidden = cursor.units(whose)?;
    let from = cursor.span().start;
    let read = options(cursor, whose)?;
    let all = from..cursor.last_span().end;
    if read.init.is_some() {
        return Err(cursor
            .error(all, format!("{whose} takes no init"))
            .hint("its three linear layers are drawn to fit the gate's activation"));
    }
    if whose == "swiglu" && (read.activation.is_some() || read.no_activation) {
        return Err(cursor
            .error(all, "the gate of swiglu is SiLU")
            .hint(format!("for another gate write gated {hidden} gelu; for an activation behind it write ->")));
    }
    if read.no_activation {
        return Err(cursor.error(all, "a gate needs an activation").hint(format!("for instance: gated {hidden} gelu")));
    }
    let activation = read.activation.unwrap_or(Activation::Silu);
    out.push(LayerSpec::Gated { hidden, bias: read.bias.unwrap_or(false), activation });
    Ok(())
}

fn input(cursor: &mut Cursor<'_>, name: Range<usize>, _: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    if !cursor.is_first(&name) {
        return Err(cursor.error(name, "the input size comes first").hint("begin the text with it: input 784 -> ..."));
    }
    cursor.input = Some(cursor.units("input")?);
    Ok(())
}
