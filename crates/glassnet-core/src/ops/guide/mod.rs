//! The guide's page of operations, written from the cards: a table for each family, and a picture of each curve.
//!
//! `cargo xtask guide` writes it to `docs/guide/`, so the page names what the code can do, no more and no less.

mod picture;

use std::fmt::Write;

pub use picture::svg;

use super::{Family, Op, input::Input};

/// Families in the order of the page: heading and what they have in common.
const FAMILIES: &[(Family, &str, &str)] = &[
    (Family::Input, "Inputs", "What a graph reads."),
    (
        Family::Arithmetic,
        "Arithmetic",
        "Affine maps and what joins branches. g is the gradient that arrives from above.",
    ),
    (Family::Activation, "Curves", "One function, applied to each element."),
    (Family::Row, "Functions of a row", "Each number of the result depends on the whole row."),
    (Family::Image, "Images", "Convolution and pooling over [B, C, H, W] and [B, C, L], PyTorch's layout."),
    (
        Family::Sequence,
        "Sequences",
        "Tokens, positions, recurrence and attention: a row is a sequence, its first axis is time.",
    ),
    (Family::Shape, "Shapes", "The same numbers in another order or shape. Axes count from 0, without the batch axis."),
    (
        Family::Normalisation,
        "Normalisation",
        "Numbers are brought to mean 0 and variance 1 (over a row, a group of channels, or the batch), then scaled and shifted.",
    ),
    (Family::Regularisation, "Regularisation", "Noise while training; taken out of the plan elsewhere."),
    (
        Family::Loss,
        "Losses",
        "One number a row, in nats where it is a log-likelihood, and their weighted mean. The derivative is that with respect \
         to the first input; it is multiplied by the gradient from above.",
    ),
];

/// One instance of every registered operation, in the register's order.
pub fn instances() -> Vec<Op> {
    let samples = Op::samples();
    let find = |name: &&str| match *name {
        "input" => Some(Op::Input(Input)),
        name => samples.iter().map(|sample| &sample.op).find(|op| op.card().name == name).cloned(),
    };
    Op::names().iter().filter_map(find).collect()
}

/// The page, in Markdown.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Operations\n\nWritten by `cargo xtask guide` from the cards in `crates/glassnet-core/src/ops`; change it there.\n",
    );
    let instances = instances();
    for &(family, heading, about) in FAMILIES {
        let _ = write!(page, "\n## {heading}\n\n{about}\n\n");
        page.push_str("| name | formula | derivative | range | where used | source |\n|---|---|---|---|---|---|\n");
        for card in instances.iter().map(Op::card).filter(|card| card.family == family) {
            let code = |text: &str| format!("`{}`", cell(text));
            let cells =
                [code(card.formula), code(card.derivative), cell(card.range), cell(card.used), cell(card.source)];
            let _ = writeln!(page, "| `{}` | {} |", card.name, cells.join(" | "));
        }
        if family == Family::Activation {
            gallery(&mut page);
        }
    }
    page
}

/// The pictures of the curves, by file name.
pub fn pictures() -> Vec<(String, String)> {
    Op::curves().iter().map(|op| (format!("{}.svg", op.card().name), svg(op))).collect()
}

fn gallery(page: &mut String) {
    page.push_str(
        "\nThe function is the full line, its derivative the broken one; a square of the grid is one unit.\n",
    );
    for op in Op::curves() {
        let name = op.card().name;
        let _ = write!(page, "\n`{name}`{}\n\n![{name} and its derivative](curves/{name}.svg)\n", attributes(&op));
    }
}

/// The attributes of an operation in words: `, slope: 0.01`; nothing where it has none.
pub(super) fn attributes(op: &Op) -> String {
    let debug = format!("{op:?}");
    let inner = debug.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(inner, _)| inner.trim());
    inner.map(|inner| format!(", {inner}")).unwrap_or_default()
}

/// A table's cell: a bar would end it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
