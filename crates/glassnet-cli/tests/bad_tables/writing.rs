//! The same table in other letters, with other ends of lines, with quotes and line breaks in its cells.

use crate::case::{Case, made, rows, table, word};

pub fn cases() -> Vec<Case> {
    let kinds =
        |cell: fn(usize) -> String| made("x,kind,y", 60, |row| format!("{},{},{}", row % 10, cell(row), word(row)));
    let latin: Vec<u8> =
        kinds(|row| ["caf@", "th@"][row % 2].into()).bytes().map(|b| if b == b'@' { 0xe9 } else { b }).collect();
    vec![
        table("Windows-1252", latin).says(&["indows-1252"]),
        table("a mark of UTF-8 in front", [b"\xef\xbb\xbf".as_slice(), rows(60).as_bytes()].concat()),
        table("lines that end with CR LF", rows(60).replace('\n', "\r\n")),
        table("no line end at the end", rows(60).trim_end()),
        table("blank lines between", rows(60).replace("3,a,no\n", "3,a,no\n\n\n")),
        table(
            "quotes, commas and line breaks in cells",
            kinds(|row| ["\"a \"\"b\"\"\"", "\"c,\nd\"", "\"e\r\nf\"", "plain"][row % 4].into()),
        ),
        table(
            "semicolons and decimal commas",
            made("x;kind;y", 60, |row| format!("{},5;a{};{}", row % 10, row % 3, word(row))),
        ),
        table("tabs", rows(60).replace(',', "\t")),
        table("blanks around cells", rows(60).replace(',', " , ").replace(" , y", ",y").replace("x , ", "x,")),
        table("a row with a cell too many", rows(60).replacen("5,c,yes", "5,c,yes,7", 1)).refused(&["row 6 (line 7)"]),
        table("a quote that is not closed", rows(60).replacen("5,c,yes", "5,\"c,yes", 1)).refused(&["line 7", "lose"]),
        table("bytes of no encoding", [rows(60).as_bytes(), b"4,\x81\xff,no\n"].concat())
            .refused(&["row 61", "'kind'", "UTF-8"]),
        table("no header", rows(60).lines().skip(1).map(|line| format!("{line}\n")).collect::<String>())
            .flags(&["--target", "c3"]),
        table("signs of formulas in cells", kinds(|row| ["=1+1", "@x", "+a", "-b"][row % 4].into())),
    ]
}
