//! What `trace`, `inspect` and `check` refuse.

use crate::case::{Case, case};
use crate::models::model;
use crate::tables::table;

/// Networks by text and by model.
pub fn cases() -> Vec<Case> {
    let text = |name, more: &[&str], says: &[&'static str], hint| {
        case(name, &[&["trace", "2 -> 1 sigmoid"], more].concat(), 2, says, hint)
    };
    let rows = |name, more: &[&str], code, says: &[&'static str], hint| {
        case(name, &[&["trace", "m.glass", "t.csv"], more].concat(), code, says, hint)
            .with("m.glass", model())
            .with("t.csv", table())
    };
    vec![
        text(
            "too many numbers for a row",
            &["--x", "1,2,3"],
            &["reads 2 numbers, but the row has 3"],
            "give 2 numbers",
        ),
        text("too few numbers for a row", &["--x", "1"], &["reads 2 numbers, but the row has 1"], "give 2 numbers"),
        text("no row to trace", &[], &["there is no row to trace"], "--x 1,2"),
        text("a number that is none", &["--x", "1,two"], &["'two'", "--x"], "--help"),
        text("a row with a NaN", &["--x", "1,nan"], &["--x: number 2 is NaN", "not finite"], "a number such as 0.5"),
        text("too many weights", &["--x", "1,2", "--w", "1,2,3"], &["--w", "3", "2"], "weight"),
        text("too many biases", &["--x", "1,2", "--w", "1,2", "--b", "1,2"], &["--b", "2", "1"], "bias"),
        text("an infinite --w", &["--x", "1,2", "--w", "1,inf"], &["--w", "inf"], "finite"),
        text("a target of two", &["--x", "1,2", "--y", "1,0"], &["2", "1"], "target"),
        text("a target that is a word", &["--x", "1,2", "--y", "yes"], &["--y: \"yes\""], "--y 1"),
        text("a step without a target", &["--x", "1,2", "--step", "0.1"], &["--step", "need a target"], "--y 1"),
        text(
            "a loss that there is not",
            &["--x", "1,2", "--y", "1", "--loss", "mea"],
            &["--loss", "\"mea\""],
            "did you mean mae?",
        ),
        text("a layer that is not there", &["--x", "1,2", "--layer", "9"], &["9"], "0"),
        text("rows for a text", &["t.csv"], &["t.csv: only a model knows"], "--x"),
        case(
            "to check with too many rows",
            &["check", "2 -> 1", "--rows", "4294967295"],
            2,
            &["--rows", "100000"],
            "--help",
        ),
        text("a step that is NaN", &["--x", "1,2", "--y", "1", "--step", "nan"], &["step", "NaN"], "try 0.1"),
        case(
            "a text without inputs",
            &["trace", "4 relu -> 1", "--x", "1"],
            2,
            &["NET: the input size is not known", "^"],
            "784 -> 256 relu",
        ),
        case(
            "a text with an unknown activation",
            &["inspect", "2 -> 4 rleu -> 1"],
            2,
            &["NET: unknown activation \"rleu\"", "^^^^"],
            "did you mean relu?",
        ),
        case(
            "a TOML that is not there",
            &["inspect", "net.toml"],
            2,
            &["net.toml: there is no such file"],
            "check the path",
        ),
        case(
            "a TOML without a network",
            &["inspect", "net.toml"],
            2,
            &["net.toml: it has no [network]"],
            "add a [network]",
        )
        .with("net.toml", "[train]\nlr = 1\n"),
        rows(
            "a row beyond the end",
            &["--row", "41"],
            3,
            &["t.csv: there is no row 41; it has 40 rows"],
            "counted from 1",
        ),
        rows("row 0", &["--row", "0"], 2, &["--row", "0"], "--help"),
        rows(
            "a class that the model has not",
            &["--y", "yess"],
            2,
            &["--y yess: the model has no such class"],
            "no, yes",
        ),
        case("nothing to check with", &["check", "2 -> 1", "--x", "1,2,3", "--y", "1"], 2, &["3", "2"], "--"),
    ]
}
