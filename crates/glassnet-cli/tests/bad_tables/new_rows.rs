//! A sound model and rows like none that it was trained on: each prediction is a number, or the row is refused by its place.

use serde_json::Value;

use crate::case::{predictions, rows, sound};
use crate::made::Folder;

/// Of [`ROWS`] what standardised numbers cannot hold, so that the plain recipe refuses it; the tabular one clips.
const TOO_LARGE: ([&str; 2], &[&str]) =
    (["the largest numbers", "beyond f32"], &["row 1 (line 2)", "\"x\"", "too far from the training rows"]);

/// What stands in a file to predict for, and the words of the refusal; none: it is predicted.
const ROWS: [(&str, &str, &[&str]); 12] = [
    ("the largest numbers", "x,kind\n1.7e308,a\n-1.7e308,b\n", &[]),
    ("beyond f32", "x,kind\n1e39,a\n-1e39,b\n3.5e38,c\n", &[]),
    ("the smallest numbers", "x,kind\n5e-324,a\n-1e-310,b\n1e-45,c\n", &[]),
    ("negative zeros", "x,kind\n-0,a\n0,a\n", &[]),
    ("blanks", "x,kind\n,\n,a\n3,\n", &[]),
    ("levels that training never saw", "x,kind\n3,zebra\n4,\"a,b\"\n5,日本\n", &[]),
    ("the columns in another order, and more of them", "more,kind,x\n1,a,2\n2,b,3\n", &[]),
    ("infinite", "x,kind\n3,a\ninf,b\n", &["row 2 (line 3)", "'x'", "inf"]),
    ("a word for a number", "x,kind\n3,a\nmany,b\n", &["row 2 (line 3)", "'x'", "many"]),
    ("a column too few", "x\n3\n", &["missing columns: 'kind'", "Hint"]),
    ("a header alone", "x,kind\n", &["no row", "int: "]),
    ("nothing", "", &["empty", "int: "]),
];

#[test]
fn rows_like_none_before() {
    let mut report = String::new();
    for recipe in ["tabular", "plain"] {
        let folder = Folder::new(&format!("tables-new-{recipe}"));
        folder.write("t.csv", rows(60));
        let train = ["train", "t.csv", "--target", "y", "-o", "m.glass", "--epochs", "2", "-q", "--recipe", recipe];
        folder.run(&train).ok();
        for (name, bytes, words) in ROWS {
            let words = if recipe == "plain" && TOO_LARGE.0.contains(&name) { TOO_LARGE.1 } else { words };
            folder.write("n.csv", bytes);
            let run = folder.run(&["predict", "m.glass", "n.csv", "--format", "json"]);
            let mut faults = Vec::new();
            sound("predict", &run, &mut faults);
            match (run.code, serde_json::from_str::<Value>(&run.out)) {
                (Some(0), Ok(object)) if words.is_empty() => predictions(&object, &mut faults),
                (Some(3), _) if !words.is_empty() => {
                    let unsaid = words.iter().filter(|word| !run.err.contains(**word));
                    faults.extend(unsaid.map(|word| format!("does not say {word:?}\n{}", run.err)));
                }
                (code, _) => faults.push(format!("exit code {code:?}\n{}{}", run.out, run.err)),
            }
            if !faults.is_empty() {
                report += &format!("\n{recipe}: {name}\n  {}\n", faults.join("\n  "));
            }
        }
    }
    assert!(report.is_empty(), "{report}");
}
