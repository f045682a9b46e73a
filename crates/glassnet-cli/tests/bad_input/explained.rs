//! What `explain` refuses.

use crate::case::{Case, case};
use crate::models::model;
use crate::tables::table;

/// Rows, columns, classes, models.
pub fn cases() -> Vec<Case> {
    let of = |name, more: &[&str], code, says: &[&'static str], hint| {
        case(name, &[&["explain", "m.glass", "t.csv"], more].concat(), code, says, hint)
            .with("m.glass", model())
            .with("t.csv", table())
    };
    vec![
        of(
            "to explain a row beyond the end",
            &["--row", "41", "--background", "t.csv"],
            3,
            &["t.csv: there is no row 41; it has 40 rows"],
            "counted from 1",
        ),
        of("to explain row 0", &["--row", "0"], 2, &["--row", "0"], "--help"),
        of("to explain one row and all", &["--row", "1", "--all"], 2, &["--row", "--all"], "--help"),
        of(
            "a class to explain that the model has not",
            &["--class", "yess"],
            2,
            &["--class yess: the model has no such class"],
            "did you mean 'yes'?",
        ),
        of(
            "to set a column that is not there",
            &["--background", "t.csv", "--set", "knid=b"],
            2,
            &["--set knid=b: the model has no column 'knid'"],
            "did you mean",
        ),
        of(
            "to set without an equals sign",
            &["--background", "t.csv", "--set", "x"],
            2,
            &["--set x: there is no = in it"],
            "--set humid=90",
        ),
        of(
            "to set the target",
            &["--background", "t.csv", "--set", "y=yes"],
            2,
            &["--set y=yes: the model does not go by the column 'y'"],
            "its columns are",
        ),
        of(
            "to set a number to a word",
            &["--background", "t.csv", "--set", "x=much"],
            2,
            &["--set x=much", "\"much\" is no number"],
            "a decimal point",
        ),
        of(
            "to set a column twice",
            &["--background", "t.csv", "--set", "x=1", "--set", "x=2"],
            2,
            &["--set x=2: the column 'x' is set twice"],
            "leave one of them out",
        ),
        of("to compare with a table that is not there", &["--background", "none.csv"], 3, &["none.csv"], "check"),
        of("0 passes", &["--passes", "0"], 2, &["--passes", "0"], "--help"),
        of("shuffles without --global", &["--repeats", "3"], 2, &["--repeats", "--global"], "--help"),
        of(
            "an output that is the data",
            &["--background", "t.csv", "-o", "t.csv"],
            2,
            &["-o t.csv", "replaced"],
            "another name",
        ),
    ]
}
