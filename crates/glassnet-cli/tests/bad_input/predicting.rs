//! Rows that a model cannot take.

use crate::case::{Case, case};
use crate::models::model;
use crate::tables::{rows, table};

/// A command on the real model and this table.
fn given(
    name: &'static str,
    arguments: &[&str],
    text: impl Into<Vec<u8>>,
    code: i32,
    says: &[&'static str],
    hint: &'static str,
) -> Case {
    case(name, arguments, code, says, hint).with("m.glass", model()).with("new.csv", text)
}

fn predict(name: &'static str, text: impl Into<Vec<u8>>, says: &[&'static str], hint: &'static str) -> Case {
    let says = [&["new.csv"], says].concat();
    given(name, &["predict", "m.glass", "new.csv", "-o", "out.csv"], text, 3, &says, hint)
}

/// Columns and values.
pub fn columns() -> Vec<Case> {
    let evaluate = |name, text: String, says: &[&'static str], hint| {
        given(name, &["evaluate", "m.glass", "new.csv"], text, 3, &[&["new.csv"], says].concat(), hint)
    };
    let far = rows(9_000) + "oops,a,no\n";
    vec![
        predict("a column missing", "x,knd\n1,a\n", &["'kind' (did you mean 'knd'?)"], "Hint: "),
        predict("all columns missing", "a,b\n1,2\n", &["missing columns: 'x'", "'kind'", "it has a, b"], "Hint: "),
        predict("text in a number's column", "kind,x\na,1\nb,two\n", &["row 2 (line 3)", "'x'", "'two'"], "Hint: "),
        predict("text in a number's column, far down", far, &["row 9001 (line 9002)", "'x'", "'oops'"], "Hint: "),
        predict("an infinity to predict for", "kind,x\na,inf\n", &["row 1 (line 2)", "'x'", "'inf'"], "leave it blank"),
        predict("a short row to predict for", "kind,x\na,1\nb\n", &["row 2 (line 3) has 1 fields where 2"], "Hint: "),
        predict("an unclosed quote to predict for", "kind,x\na,1\n\"b,2\n", &["quote opened on line 3"], "close it"),
        predict("nothing to predict for", "", &["the file is empty"], "has finished"),
        predict("no rows to predict for", "kind,x\n", &["line 1 is a header of 2 columns and no row"], "add rows"),
        predict("UTF-16 to predict for", &b"\xff\xfex\0"[..], &["UTF-16"], "CSV UTF-8"),
        case(
            "no such rows",
            &["predict", "m.glass", "nw.csv"],
            3,
            &["nw.csv: there is no such file"],
            "did you mean 'new.csv'?",
        )
        .with("m.glass", model())
        .with("new.csv", table()),
        case(
            "images for a table's model",
            &["predict", "m.glass", "set"],
            3,
            &["set", "learned from a table, but this is a folder"],
            "training's columns",
        )
        .with("m.glass", model())
        .with("set/train-images-idx3-ubyte", crate::arrays::idx_bytes(&[2, 2, 2]))
        .with("set/train-labels-idx1-ubyte", crate::arrays::idx_bytes(&[2])),
        evaluate(
            "no target to evaluate with",
            "x,kind\n1,a\n".into(),
            &["no column 'y', which is the model's target"],
            "true values",
        ),
        evaluate(
            "an unknown class to evaluate with",
            "x,kind,y\n1,a,no\n2,b,yess\n".into(),
            &["row 2 (line 3)", "\"y\"", "\"yess\""],
            "yes",
        ),
        evaluate("blank targets to evaluate with", "x,kind,y\n1,a,\n2,b,\n".into(), &["y"], "target"),
    ]
}

/// Wrong flags.
pub fn flags() -> Vec<Case> {
    let predict = |name, more: &[&str], code, says: &[&'static str], hint| {
        given(name, &[&["predict", "m.glass", "new.csv"], more].concat(), table(), code, says, hint)
    };
    vec![
        predict(
            "an identifier that is not there",
            &["--id", "knd"],
            3,
            &["new.csv: there is no column 'knd' for --id"],
            "did you mean 'kind'?",
        ),
        predict("a threshold above 1", &["--threshold", "1.5"], 2, &["--threshold 1.5", "between 0 and 1"], "try 0.5"),
        predict(
            "a threshold below 0",
            &["--threshold", "-0.1"],
            2,
            &["--threshold -0.1", "between 0 and 1"],
            "try 0.5",
        ),
        predict(
            "a threshold that is NaN",
            &["--threshold", "nan"],
            2,
            &["--threshold NaN", "between 0 and 1"],
            "try 0.5",
        ),
        predict(
            "a class that is not there",
            &["--threshold", "0.5", "--class", "yess"],
            2,
            &["--class yess", "no such class"],
            "did you mean 'yes'?",
        ),
        predict("a queue without a threshold", &["--above", "review"], 2, &["--threshold"], "--help"),
        predict("a part of a table", &["--part", "test"], 2, &["new.csv: --part", "no folder"], "leave --part out"),
        predict("no threads", &["--threads", "0"], 2, &["--threads"], "--help"),
        predict("a format that there is not", &["--format", "xml"], 2, &["'xml'", "csv, text, json"], "--help"),
        predict(
            "the output in place of the data",
            &["-o", "new.csv"],
            2,
            &["-o new.csv: this is the file new.csv that is read"],
            "another name",
        ),
        predict(
            "the output in place of the model",
            &["-o", "m.glass"],
            2,
            &["-o m.glass", "that is read"],
            "another name",
        ),
    ]
}
