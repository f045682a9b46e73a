//! Parsers of the layers of the plain network, of blocks, and of the input.

use std::ops::Range;

use glassnet_core::ops::MAX_INPUTS;

use super::cursor::{Cursor, InputText, Token, shorten};
use super::items::{curve, init, item, item_names, known_activations};
use super::names::{self, ActivationName, key};
use super::text::{DEEPEST, layers};
use super::{Activation, Init, LayerSpec, SpecError};

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
pub(super) enum Word {
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
pub(super) fn not_an_option(cursor: &Cursor<'_>, whose: &str, allowed: &[(&'static str, Word)]) -> SpecError {
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
pub(super) fn linear(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let units = cursor.units("linear")?;
    let read = options(cursor, "linear")?;
    let bias = read.bias.unwrap_or(true);
    out.push(LayerSpec::Linear { units, bias, init: read.init, weight: None, bias_values: None });
    out.extend(read.activation.map(|function| LayerSpec::Activation { function }));
    Ok(())
}

pub(super) fn dropout(cursor: &mut Cursor<'_>, name: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
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

pub(super) fn scale(_: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    out.push(LayerSpec::Scaling);
    Ok(())
}

pub(super) fn residual(cursor: &mut Cursor<'_>, name: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let open = open_block(cursor, &name, "residual", "residual(256 relu -> 256)")?;
    if cursor.peek() == Some(Token::Close) {
        return Err(cursor
            .error(name.start..cursor.span().end, "residual() has no layer inside")
            .hint("for instance: residual(256 relu -> 256)"));
    }
    let mut inside = Vec::new();
    layers(cursor, &mut inside)?;
    close_block(cursor, open)?;
    out.push(LayerSpec::Residual { layers: inside });
    Ok(())
}

/// Steps into a block's parenthesis and gives its place.
fn open_block(
    cursor: &mut Cursor<'_>,
    name: &Range<usize>,
    whose: &str,
    example: &str,
) -> Result<Range<usize>, SpecError> {
    let open = cursor.span();
    if !cursor.take_if(Token::Open) {
        return Err(cursor
            .error(name.clone(), format!("{whose} needs the layers of its branch in parentheses"))
            .hint(format!("for instance: {example}")));
    }
    if cursor.depth == DEEPEST {
        return Err(cursor
            .error(name.clone(), format!("{whose} blocks are nested more than {DEEPEST} deep"))
            .hint(format!("write the blocks one after the other: {whose}(...) -> {whose}(...)")));
    }
    cursor.depth += 1;
    Ok(open)
}

fn close_block(cursor: &mut Cursor<'_>, open: Range<usize>) -> Result<(), SpecError> {
    cursor.depth -= 1;
    if cursor.take_if(Token::Close) {
        return Ok(());
    }
    if cursor.peek() == Some(Token::Comma) {
        return Err(cursor.stray_comma());
    }
    Err(cursor.error(open, "this parenthesis is not closed").hint("add a ) behind the block's last layer"))
}

pub(super) fn concat(cursor: &mut Cursor<'_>, name: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    let example = "concat(conv 8 3x3 same, conv 8 5x5 same)";
    let open = open_block(cursor, &name, "concat", example)?;
    let mut branches = Vec::new();
    loop {
        let mut inside = Vec::new();
        layers(cursor, &mut inside)?;
        if inside.is_empty() {
            return Err(cursor
                .error(cursor.span(), "a branch of concat has no layer inside")
                .hint(format!("for instance: {example}")));
        }
        branches.push(inside);
        if !cursor.take_if(Token::Comma) {
            break;
        }
    }
    close_block(cursor, open)?;
    if !(2..=MAX_INPUTS).contains(&branches.len()) {
        let message = format!("concat joins 2 to {MAX_INPUTS} branches, got {}", branches.len());
        return Err(cursor.error(name, message).hint(format!("for instance: {example}")));
    }
    out.push(LayerSpec::Concat { branches });
    Ok(())
}

pub(super) fn gated(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    gate(cursor, "gated", out)
}

pub(super) fn swiglu(cursor: &mut Cursor<'_>, _: Range<usize>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
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

pub(super) fn input(cursor: &mut Cursor<'_>, name: Range<usize>, _: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    if !cursor.is_first(&name) {
        return Err(cursor.error(name, "the input size comes first").hint("begin the text with it: input 784 -> ..."));
    }
    let shape = match cursor.peek() {
        Some(Token::Sizes) => cursor.sizes(1)?,
        _ => vec![cursor.units("input")?],
    };
    cursor.input = Some(InputText { shape, vocabulary: None });
    Ok(())
}

pub(super) fn tokens(cursor: &mut Cursor<'_>, name: Range<usize>, _: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    if !cursor.is_first(&name) {
        return Err(cursor
            .error(name, "the input comes first")
            .hint("begin the text with it: tokens 64 vocabulary 65"));
    }
    let example = "tokens 64 vocabulary 65";
    let length = cursor.count("tokens", "the length of a row", example)?;
    if cursor.peek() != Some(Token::Word) {
        let message = "tokens needs to know how many tokens there are";
        return Err(cursor.error(name, message).hint(format!("for instance: {example}")));
    }
    cursor.setting("tokens", &[("vocabulary", ()), ("of", ())])?;
    let vocabulary = Some(cursor.count("vocabulary", "the number of tokens", example)?);
    cursor.input = Some(InputText { shape: vec![length], vocabulary });
    Ok(())
}
