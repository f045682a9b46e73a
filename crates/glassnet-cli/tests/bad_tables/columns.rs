//! Columns without values, with one level, with thousands, with names that are odd.

use crate::case::{Case, made, rows, table, word};

pub fn cases() -> Vec<Case> {
    let plus = |header: &str, cell: fn(usize) -> String| {
        made(&format!("x,{header},y"), 60, |row| format!("{},{},{}", row % 10, cell(row), word(row)))
    };
    vec![
        table("a column without a value", plus("empty", |_| String::new())).says(&["empty"]),
        table("a column of words for a missing value", plus("empty", |_| "NA".into())).says(&["empty"]),
        table("every input without a value", made("a,b,y", 30, |row| format!(",,{}", word(row)))).refused(&["t.csv"]),
        table("one level", plus("kind", |_| "always".into())).says(&["always"]),
        table(
            "one level, sometimes missing",
            plus("kind", |row| if row % 2 == 0 { "a".into() } else { String::new() }),
        ),
        table("10,000 levels", made("x,kind,y", 20_000, |row| format!("{},k{},{}", row % 10, row % 10_000, word(row))))
            .flags(&["--epochs", "1", "--members", "1"]),
        table("identifiers alone", made("order,key,y", 60, |row| format!("o{row:05},{},{}", row + 1, word(row))))
            .says(&["kept, for nothing else is left"]),
        table("names alone", made("order,y", 60, |row| format!("o{row:05},{}", word(row)))).refused(&[
            "no column left to learn from",
            "order",
            "--type COL=category",
        ]),
        table("an identifier beside an input", plus("order", |row| format!("o{row:05}"))).says(&["order"]),
        table("free text", plus("comment", |row| format!("row {row} came late again; said {row} people")))
            .says(&["comment"]),
        table("two columns of one name", plus("x", |row| row.to_string())).refused(&["'x'"]),
        table("two columns named as the target", "x,y,y\n1,yes,yes\n2,no,no\n").refused(&["'y'"]),
        table(
            "a name that is the target's with blanks",
            made("x, y ,y", 60, |row| format!("{},{},{}", row % 10, (row * 3) % 7, word(row))),
        )
        .refused(&["columns 2 and 3 are both named 'y'", "rename one"]),
        table("a name that is blank", plus("", |row| (row % 4).to_string())),
        table("names of other scripts", plus("größe ✈ 日本語", |row| (row % 4).to_string())).says(&["größe ✈ 日本語"]),
        table("levels of other scripts", plus("kind", |row| ["日本", "🛩️", "Ελλάδα", "İstanbul"][row % 4].into())),
        table(
            "names of the columns that predict writes",
            plus("score_yes,class,row", |row| format!("{},{},{}", row % 3, ["a", "b"][row % 2], row % 5)),
        ),
        table("a name of 10,000 letters", plus(&"n".repeat(10_000), |row| (row % 4).to_string())),
        table(
            "a cell of a million letters",
            plus("kind", |row| if row == 30 { "w".repeat(1_000_000) } else { ["a", "b"][row % 2].into() }),
        ),
        table("the target in other letters", rows(30)).flags(&["--target", "Y"]).misused(&["'Y'", "did you mean y"]),
    ]
}
