//! Tables that cannot be read or learned from.

use crate::case::{Case, case};
use crate::made::orders;

/// Forty rows: a number, a category, and a target of two classes.
pub fn table() -> String {
    rows(40)
}

/// So many rows of it.
pub fn rows(count: usize) -> String {
    let row =
        |row: usize| format!("{},{},{}\n", row % 10, ["a", "b", "c"][row % 3], if row % 10 > 4 { "yes" } else { "no" });
    format!("x,kind,y\n{}", (0..count).map(row).collect::<String>())
}

/// The table with another data row of this number, from 1.
fn with_row(number: usize, row: &str) -> String {
    let table = table();
    let lines: Vec<&str> = table.lines().collect();
    let mut text = String::new();
    for (line, own) in lines.iter().enumerate() {
        text += if line == number { row } else { own };
        text += "\n";
    }
    text
}

/// `train t.csv --target y`, on this file.
fn train(name: &'static str, bytes: impl Into<Vec<u8>>, says: &[&'static str], hint: &'static str) -> Case {
    case(name, &["train", "t.csv", "--target", "y"], 3, &[&["t.csv"], says].concat(), hint).with("t.csv", bytes)
}

fn utf16(text: &str, little: bool, mark: bool) -> Vec<u8> {
    let mark = mark.then_some(0xfeff);
    mark.into_iter()
        .chain(text.encode_utf16())
        .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
        .collect()
}

fn gzip(text: &str) -> Vec<u8> {
    // One stored block: gzip without compression.
    let bytes = text.as_bytes();
    let length = bytes.len() as u16;
    let mut out = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01".to_vec();
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(bytes);
    out.extend(crate::made::crc(bytes).to_le_bytes());
    out.extend((bytes.len() as u32).to_le_bytes());
    out
}

/// Bytes that are no table.
pub fn text() -> Vec<Case> {
    let gz = |name, bytes: Vec<u8>, says: &[&'static str]| {
        case(name, &["train", "t.csv.gz", "--target", "y"], 3, says, "compress the file again").with("t.csv.gz", bytes)
    };
    let whole = gzip(&table());
    let mut damaged = whole.clone();
    damaged[40] ^= 1;
    vec![
        train("an empty file", "", &["the file is empty"], "has finished"),
        train("blank lines only", "\n\n\n", &["the file is empty"], "has finished"),
        train("a header only", "x,kind,y\n", &["line 1 is a header of 3 columns and no row"], "add rows"),
        train("UTF-16 with a mark", utf16(&table(), true, true), &["UTF-16"], "CSV UTF-8"),
        train("UTF-16, the other way round", utf16(&table(), false, true), &["UTF-16"], "CSV UTF-8"),
        train("UTF-16 without a mark", utf16(&table(), true, false), &["line 1", "zero byte"], "UTF-8"),
        train(
            "bytes of two encodings",
            [with_row(3, "3,caf\u{e9},no").as_bytes(), b"4,\x81,no\n"].concat(),
            &["row 41 (line 42)", "'kind'", "81"],
            "save the file as UTF-8",
        ),
        train("a NUL byte", with_row(7, "6,\0,yes"), &["line 8 holds a zero byte"], "UTF-8"),
        train("an unclosed quote", with_row(5, "4,\"a,no"), &["quote opened on line 6 is never closed"], "close it"),
        train("text after a quote", with_row(5, "4,\"a\"b,no"), &["line 6", "text follows a closing quote"], "twice"),
        train("a short row", with_row(9, "8,c"), &["row 9 (line 10) has 2 fields where 3 were expected"], "Hint: "),
        train("a long row", with_row(9, "8,c,yes,1"), &["row 9 (line 10) has 4 fields where 3"], "Hint: "),
        train("a name twice", table().replacen("kind", "x", 1), &["columns 1 and 2 are both named 'x'"], "rename one"),
        train("a folder without images", "", &[], "").at_folder(),
        gz("gzip cut", whole[..whole.len() / 2].to_vec(), &["t.csv.gz", "ends too early"]),
        gz("gzip damaged", damaged, &["t.csv.gz", "the gzip data is damaged"]),
        train("a spreadsheet", crate::made::zip(&[("xl/workbook.xml", b"x".to_vec())]), &["spreadsheet"], "CSV UTF-8"),
        train("JSON rows", "{\"x\": 1, \"y\": 2}", &["JSON"], "write it as CSV"),
        train("a pickled frame", &b"\x80\x04\x95abc"[..], &["pickle"], "Hint: "),
        train("Parquet", &b"PAR1abcPAR1"[..], &["Parquet"], "to_csv"),
        case(
            "no such table",
            &["train", "orders.csv", "--target", "y"],
            3,
            &["orders.csv: there is no such file or folder", "did you mean 'order.csv'?"],
            "check the path",
        )
        .with("order.csv", table()),
    ]
}

impl Case {
    /// The same with a folder of tables in place of the file.
    fn at_folder(mut self) -> Self {
        self.files = vec![("t.csv/a.csv".into(), b"x,y\n1,2\n".to_vec())];
        (self.says, self.hint) = (vec!["t.csv", "holds nothing that is read (it has a.csv)"], "give one file");
        self
    }
}

/// Values that cannot be.
pub fn values() -> Vec<Case> {
    let regress = |name, bytes: String, says: &[&'static str], hint| {
        case(name, &["train", "t.csv", "--target", "x"], 3, says, hint).with("t.csv", bytes)
    };
    vec![
        train("a bad number", with_row(12, "1o,b,no"), &["row 12 (line 13)", "'x'", "'1o'"], "--type x=category"),
        train(
            "infinity",
            with_row(2, "inf,b,no"),
            &["row 2 (line 3)", "'x'", "'inf' is not a finite"],
            "leave it blank",
        ),
        train("minus infinity", with_row(40, "-Infinity,b,no"), &["row 40 (line 41)", "'-Infinity'"], "leave it blank"),
        train("a number too large", with_row(2, "1e999,b,no"), &["row 2 (line 3)", "'1e999'"], "correct it"),
        train("thousands", with_row(2, "\"1,234\",b,no"), &["row 2 (line 3)", "'1,234'"], "hint"),
        regress("an infinite target", with_row(3, "inf,b,no"), &["row 3 (line 4)", "'inf'"], "leave it blank"),
        regress("a word as target", with_row(3, "much,b,no"), &["row 3 (line 4)", "'much'"], "hint"),
        train(
            "one class only",
            table().replace(",yes", ",no"),
            &["\"y\"", "only one class", "\"no\""],
            "check the column",
        ),
        train(
            "one class and blanks",
            table().replace(",yes", ","),
            &["\"y\"", "only one class", "\"no\"", "20 rows"],
            "check the column",
        ),
        train("no target at all", table().replace(",yes", ",").replace(",no", ","), &["y"], "target"),
        regress(
            "one number only",
            "x,z\n".to_string() + &(0..40).map(|row| format!("2.5,{row}\n")).collect::<String>(),
            &["t.csv", "\"x\"", "2.5", "in all 40 rows"],
            "check the column",
        ),
        train(
            "every name its own class",
            orders(1200, 1).replacen("order,", "y,", 1),
            &["\"y\"", "1200"],
            "--task regress",
        ),
        train("too few rows", "x,y\n1,a\n2,b\n", &["validation"], "--validation-share 0"),
        train(
            "nothing to learn from",
            "id,y\n".to_string() + &ids(),
            &["no column left to learn from", "id"],
            "--type",
        ),
    ]
}

fn ids() -> String {
    (0..40).map(|row| format!("name-{row},{}\n", ["no", "yes"][row % 2])).collect()
}

/// Row weights.
pub fn columns() -> Vec<Case> {
    let weighted = |name, column: fn(usize) -> &'static str, code, says: &[&'static str], hint| {
        let text: String = (0..40).map(|row| format!("{row},{},{}\n", column(row), ["no", "yes"][row % 2])).collect();
        case(name, &["train", "t.csv", "--target", "y", "--weight-column", "w"], code, says, hint)
            .with("t.csv", format!("x,w,y\n{text}"))
    };
    vec![
        weighted(
            "a negative weight",
            |row| if row == 3 { "-1" } else { "2" },
            3,
            &["t.csv", "row 4 (line 5)", "\"w\"", "-1"],
            "correct it",
        ),
        weighted(
            "a blank weight",
            |row| if row == 5 { "" } else { "2" },
            3,
            &["t.csv", "row 6 (line 7)", "\"w\""],
            "correct it",
        ),
        weighted(
            "a word as weight",
            |row| if row == 5 { "hi" } else { "2" },
            3,
            &["t.csv", "row 6 (line 7)", "w"],
            "hint",
        ),
        weighted("all weights 0", |_| "0", 3, &["\"w\"", "0 in all"], "at least one must be positive"),
        case(
            "validation's weights all 0",
            &["train", "t.csv", "--target", "y", "--valid", "v.csv", "--weight-column", "x"],
            3,
            &["v.csv", "\"x\"", "0 in all 40 rows"],
            "at least one must be positive",
        )
        .with("t.csv", table())
        .with("v.csv", "x,kind,y\n".to_string() + &"0,a,no\n".repeat(40)),
        case(
            "the weights are the target",
            &["train", "t.csv", "--target", "y", "--weight-column", "y"],
            2,
            &["--weight-column: 'y' is the target"],
            "name another column",
        )
        .with("t.csv", table()),
        case(
            "validation lacks a column",
            &["train", "t.csv", "--target", "y", "--valid", "v.csv"],
            3,
            &["v.csv", "\"kind\"", "knd"],
            "add it",
        )
        .with("t.csv", table())
        .with("v.csv", table().replacen("kind", "knd", 1)),
        case(
            "validation has another class",
            &["train", "t.csv", "--target", "y", "--valid", "v.csv"],
            3,
            &["v.csv", "row 4 (line 5)", "\"y\"", "\"maybe\""],
            "no, yes",
        )
        .with("t.csv", table())
        .with("v.csv", with_row(4, "3,a,maybe")),
        case(
            "test lacks the target",
            &["train", "t.csv", "--target", "y", "--test", "v.csv"],
            3,
            &["v.csv", "\"y\""],
            "name",
        )
        .with("t.csv", table())
        .with("v.csv", "x,kind\n1,a\n2,b\n"),
    ]
}
