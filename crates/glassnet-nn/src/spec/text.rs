//! The text form of a network: `"784 -> 256 relu -> 10"`.
//!
//! # Grammar
//!
//! ```text
//! net        = [ item { arrow item } ] ;
//! arrow      = "->" | "→" ;
//! item       = linear | activation | dropout | scale | residual | gated | input | layer ;
//! linear     = [ "linear" ] units { activation | none | bias | init } ;   (each at most once)
//! activation = name [ number ] ;                      relu, leaky relu 0.2, gelu tanh, ...
//! none       = "linear" | "identity" ;                no activation, said aloud
//! bias       = "bias" | "with bias" | "no bias" | "without bias" ;
//! init       = "init" name [ number ] ;               init he, init xavier uniform, init constant 0.02
//! dropout    = "dropout" number ;                     from 0 to below 1
//! scale      = "scale" ;
//! residual   = "residual" "(" item { arrow item } ")" ;     at most 32 deep
//! gated      = ( "gated" units { activation | bias } ) | ( "swiglu" units { bias } ) ;
//! layer      = name { number | sizes | setting } ;    conv 32 5x5 same relu, lstm 128 2 layers: [`items`](super::items)
//! concat     = "concat" "(" branch "," branch { "," branch } ")" ;   a branch is item { arrow item }
//! input      = "input" ( units | sizes ) | "tokens" units "vocabulary" units ;     the first item only
//! sizes      = digits "x" digits { "x" digits } ;     5x5, 1x28x28
//! units      = a whole number from 1 to 2^24 ;
//! number     = [ "+" | "-" ] digits [ "." digits ] [ "e" [ "+" | "-" ] digits ] ;
//! ```
//!
//! Three rules stand beside the grammar:
//!
//! 1. *Full form.* Where the first item is a number or a shape alone (no activation, no option) and an arrow follows, it
//!    is the input: "784 -> 10" is one linear layer from 784 to 10. A first hidden layer without activation is written
//!    "linear 256 -> 128 relu".
//! 2. *No hidden layer.* An empty text, or `linear` as the whole text, names none.
//! 3. *Spelling.* Case does not count, and a name's words stand apart or together with a space, `_` or `-`:
//!    `leaky relu`, `leaky_relu`, `LeakyReLU`. Line breaks are spaces. A text has at most 64 KiB.

use std::str::FromStr;

use super::cursor::{Cursor, InputText, Token};
use super::items::{ITEMS, init, known_activations, parse_item};
use super::names::key;
use super::{Activation, Init, LayerSpec, NetSpec, SpecError, names};

/// Longest text that is read, in bytes.
pub const LONGEST_TEXT: usize = 64 << 10;

/// Most residual blocks inside each other.
pub const DEEPEST: usize = 32;

impl NetSpec {
    /// Reads the text form, hidden or full ([`NetSpec::is_full`] says which it was).
    ///
    /// # Errors
    ///
    /// A text outside of the grammar, with the spot. Widths that do not fit each other are [`NetSpec::shapes`]' errors.
    ///
    /// ```
    /// use glassnet_nn::spec::{LayerSpec, NetSpec};
    ///
    /// let net = NetSpec::parse("784 → linear 256 ReLU -> 10").unwrap();
    /// assert_eq!(net.input, Some(784));
    /// assert_eq!(net.layers.len(), 3, "an activation is a layer");
    /// assert_eq!(net.to_string(), "784 -> 256 relu -> 10");
    /// ```
    pub fn parse(text: &str) -> Result<NetSpec, SpecError> {
        if text.len() > LONGEST_TEXT {
            let message = format!("the text has {} bytes, more than {LONGEST_TEXT}", text.len());
            return Err(SpecError::new(text, 0..1, message).hint("is this a file? a TOML is given with --config"));
        }
        let mut cursor = Cursor::new(text)?;
        let alone =
            cursor.peek_at(1).is_none() && cursor.peek() == Some(Token::Word) && key(text) == key(ITEMS[0].name);
        if cursor.peek().is_none() || alone {
            return Ok(NetSpec::default());
        }
        if cursor.peek_at(1) == Some(Token::Arrow) {
            let shape = match cursor.peek() {
                Some(Token::Number) => Some(vec![cursor.units("input")?]),
                Some(Token::Sizes) => Some(cursor.sizes(1)?),
                _ => None,
            };
            if let Some(shape) = shape {
                cursor.input = Some(InputText { shape, vocabulary: None });
                cursor.take();
            }
        }
        let mut read = Vec::new();
        layers(&mut cursor, &mut read)?;
        if cursor.peek() == Some(Token::Comma) {
            return Err(cursor.stray_comma());
        }
        if cursor.peek().is_some() {
            return Err(cursor.error(cursor.span(), "this parenthesis closes nothing").hint("take the ) out"));
        }
        let mut spec = NetSpec { layers: read, ..NetSpec::default() };
        if let Some(input) = cursor.input {
            spec.set_input(&input.shape, input.vocabulary);
        }
        Ok(spec)
    }
}

impl FromStr for NetSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<NetSpec, SpecError> {
        NetSpec::parse(text)
    }
}

/// Reads one activation with its number: "leaky relu 0.2".
///
/// # Errors
///
/// An unknown name (with the nearest), a number where none belongs, anything behind it.
pub fn parse_activation(text: &str) -> Result<Activation, SpecError> {
    let mut cursor = Cursor::new(text)?;
    if cursor.find_name(names::activation).is_none() {
        return Err(match cursor.peek() {
            Some(Token::Word) => cursor.unknown("activation", names::activation_names(), known_activations),
            _ => cursor.error(cursor.span(), "an activation's name is missing").hint("for instance: relu"),
        });
    }
    let mut read = Vec::new();
    parse_item(&mut cursor, &mut read)?;
    match (read.as_slice(), cursor.peek()) {
        ([LayerSpec::Activation { function }], None) => Ok(*function),
        _ => Err(cursor.error(cursor.span(), "one activation is wanted here").hint("for instance: leaky relu 0.2")),
    }
}

/// Reads one initialisation with its number: "he", "constant 0.02".
///
/// # Errors
///
/// As [`parse_activation`].
pub fn parse_init(text: &str) -> Result<Init, SpecError> {
    let mut cursor = Cursor::new(text)?;
    let read = init(&mut cursor)?;
    match cursor.peek() {
        None => Ok(read),
        Some(_) => {
            Err(cursor.error(cursor.span(), "one initialisation is wanted here").hint("for instance: he uniform"))
        }
    }
}

/// Reads `item { arrow item }` up to the end or a closing parenthesis.
pub(super) fn layers(cursor: &mut Cursor<'_>, out: &mut Vec<LayerSpec>) -> Result<(), SpecError> {
    loop {
        match cursor.peek() {
            Some(Token::Number | Token::Word) => parse_item(cursor, out)?,
            Some(Token::Arrow) if cursor.after_arrow() => {
                let both = cursor.last_span().start..cursor.span().end;
                return Err(cursor.error(both, "a layer is missing between the arrows").hint("take one -> out"));
            }
            Some(Token::Arrow) => {
                return Err(cursor
                    .error(cursor.span(), "a layer is missing before this arrow")
                    .hint("take the -> out, or write the layer: 256 relu -> ..."));
            }
            Some(Token::Open) => {
                return Err(cursor
                    .error(cursor.span(), "a parenthesis without a name")
                    .hint("a block is written residual(256 relu -> 256)"));
            }
            Some(Token::Close | Token::Comma) | None if cursor.after_arrow() => {
                return Err(cursor
                    .error(cursor.last_span(), "a layer is missing behind this arrow")
                    .hint("take the -> out, or write the layer: ... -> 10"));
            }
            Some(Token::Close | Token::Comma) | None => return Ok(()),
            Some(Token::Sizes) => {
                let span = cursor.span();
                let word = super::cursor::shorten(cursor.slice(span.clone()));
                return Err(cursor.error(span, format!("{word} is no layer")).hint(format!(
                    "a convolution is written conv 32 {word}; an input shape comes first: {word} -> ..."
                )));
            }
        }
        match cursor.peek() {
            Some(Token::Arrow) => {
                cursor.take();
            }
            Some(Token::Close | Token::Comma) | None => return Ok(()),
            Some(Token::Number | Token::Sizes) => {
                let span = cursor.span();
                let word = super::cursor::shorten(cursor.slice(span.clone()));
                return Err(cursor
                    .error(span, format!("a -> is missing before {word}"))
                    .hint(format!("separate layers with ->: ... -> {word}")));
            }
            Some(Token::Word) => {
                let span = cursor.span();
                let word = super::cursor::shorten(cursor.slice(span.clone()));
                return Err(cursor
                    .error(span, format!("a -> is missing before {word}"))
                    .hint(format!("write -> {word}")));
            }
            Some(Token::Open) => {
                return Err(cursor
                    .error(cursor.span(), "a parenthesis is not expected here")
                    .hint("a block is written residual(256 relu -> 256)"));
            }
        }
    }
}
