//! Too few rows, too many columns, nothing but the target.

use crate::case::{Case, made, rows, table, word};

pub fn cases() -> Vec<Case> {
    let wide = |row: usize, columns: usize| -> String {
        let cells: Vec<String> = (0..columns).map(|column| ((row * 7 + column * 13) % 11).to_string()).collect();
        format!("{},{}", cells.join(","), word(row))
    };
    let names: Vec<String> = (0..2_000).map(|column| format!("c{column:04}")).collect();
    vec![
        table("one row", "x,kind,y\n1,a,yes\n").refused(&["t.csv"]),
        table("two rows", "x,kind,y\n1,a,yes\n2,b,no\n").refused(&["t.csv"]),
        table("three rows", rows(3)).refused(&["t.csv"]),
        table("three rows of a number", "x,y\n1,1.5\n2,2.5\n3,4.5\n"),
        table("eight rows", rows(8)),
        table("2,000 columns", made(&format!("{},y", names.join(",")), 60, |row| wide(row, 2_000)))
            .flags(&["--epochs", "1", "--members", "1"])
            .explained(&["--fast"]),
        table("nothing but the target", "y\nyes\nno\nyes\nno\n").refused(&["t.csv"]),
        table("every row the same", made("x,kind,y", 30, |_| "1,a,yes".into())).refused(&["y"]),
        table("every row twice", rows(60).lines().flat_map(|line| [line, "\n"]).collect::<String>() + &rows(60)[9..]),
        table("rows that differ in the target alone", made("x,kind,y", 30, |row| format!("1,a,{}", word(row))))
            .refused(&["t.csv"]),
    ]
}
