//! One table, and what holds for every one.

use serde_json::Value;

use crate::made::{Folder, Run};

/// What training comes to.
#[derive(Clone)]
pub enum Wanted {
    /// A model that predicts, is evaluated and explained; words that are said on the way.
    Model(Vec<&'static str>),
    /// An exit code, and the words of the message.
    Refusal(i32, Vec<&'static str>),
}

/// A table and how it is trained on.
#[derive(Clone)]
pub struct Case {
    pub name: &'static str,
    pub files: Vec<(&'static str, Vec<u8>)>,
    pub flags: Vec<&'static str>,
    /// Flags of `explain`.
    pub explain: Vec<&'static str>,
    pub wanted: Wanted,
}

/// `train t.csv --target y`, which gives a model.
pub fn table(name: &'static str, bytes: impl Into<Vec<u8>>) -> Case {
    let files = vec![("t.csv", bytes.into())];
    Case { name, files, flags: Vec::new(), explain: Vec::new(), wanted: Wanted::Model(Vec::new()) }
}

impl Case {
    /// With these flags of `train` too.
    pub fn flags(mut self, flags: &[&'static str]) -> Self {
        self.flags.extend(flags);
        self
    }

    /// With these flags of `explain`.
    pub fn explained(mut self, flags: &[&'static str]) -> Self {
        self.explain.extend(flags);
        self
    }

    /// With another file beside it.
    pub fn with(mut self, name: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((name, bytes.into()));
        self
    }

    /// Training says this on stderr or in its result.
    pub fn says(mut self, words: &[&'static str]) -> Self {
        self.wanted = Wanted::Model(words.to_vec());
        self
    }

    /// Training refuses it as data that cannot be used, with these words, the last of them the hint's.
    pub fn refused(mut self, words: &[&'static str]) -> Self {
        self.wanted = Wanted::Refusal(3, words.to_vec());
        self
    }

    /// Training refuses what was said about it.
    pub fn misused(mut self, words: &[&'static str]) -> Self {
        self.wanted = Wanted::Refusal(2, words.to_vec());
        self
    }
}

/// `x,kind,y`: so many rows of two classes that can be told apart.
pub fn rows(count: usize) -> String {
    let row =
        |row: usize| format!("{},{},{}\n", row % 10, ["a", "b", "c"][row % 3], if row % 10 > 4 { "yes" } else { "no" });
    format!("x,kind,y\n{}", (0..count).map(row).collect::<String>())
}

/// A table by a function of the row; `x` is a number that tells the target.
pub fn made(header: &str, count: usize, row: impl Fn(usize) -> String) -> String {
    format!("{header}\n{}", (0..count).map(|at| row(at) + "\n").collect::<String>())
}

/// `yes` of some rows.
pub fn word(row: usize) -> &'static str {
    if row % 10 > 4 { "yes" } else { "no" }
}

const MODEL: &str = "m.glass";

/// Runs every case in a folder of its own, and tells all that went wrong.
pub fn check(group: &str, cases: &[Case]) {
    let mut report = String::new();
    let mut wrong = 0;
    for case in cases {
        let folder = Folder::new(&format!("tables-{group}"));
        for (name, bytes) in &case.files {
            folder.write(name, bytes);
        }
        let mut faults = Vec::new();
        try_it(&folder, case, &mut faults);
        if !faults.is_empty() {
            wrong += 1;
            report += &format!("\n{} ({})\n  {}\n", case.name, case.flags.join(" "), faults.join("\n  "));
        }
    }
    assert!(wrong == 0, "{wrong} of {} cases\n{report}", cases.len());
}

fn try_it(folder: &Folder, case: &Case, faults: &mut Vec<String>) {
    let mut arguments = vec!["train", "t.csv", "-o", MODEL, "--json", "--threads", "2"];
    // What a case says of these goes before.
    for (flag, value) in [("--target", "y"), ("--epochs", "2"), ("--members", "2")] {
        if !case.flags.contains(&flag) {
            arguments.extend([flag, value]);
        }
    }
    arguments.extend(&case.flags);
    let trained = folder.run(&arguments);
    sound("train", &trained, faults);
    match &case.wanted {
        Wanted::Refusal(code, words) => {
            let said: Vec<&str> = words.iter().copied().filter(|word| !trained.err.contains(word)).collect();
            if trained.code != Some(*code) || !said.is_empty() || !trained.err.contains("error: ") {
                faults.push(format!("exit code {:?}, not {code}; not said: {said:?}\n{}", trained.code, trained.err));
            }
            // The hint is a part of the object that --json prints.
            let object: Option<Value> = serde_json::from_str(&trained.out).ok();
            if object.is_none_or(|object| object["hint"].as_str().is_none_or(str::is_empty)) {
                faults.push(format!("no hint in the JSON\n{}", trained.out));
            }
            if folder.path(MODEL).exists() {
                faults.push("a model was written".into());
            }
        }
        Wanted::Model(words) => {
            if trained.code != Some(0) {
                faults.push(format!("train ended with {:?}\n{}", trained.code, trained.err));
                return;
            }
            let all = format!("{}{}", trained.err, trained.out);
            let unsaid: Vec<&&str> = words.iter().filter(|words| !all.contains(**words)).collect();
            if !unsaid.is_empty() {
                faults.push(format!("train does not say {unsaid:?}\n{}", trained.err));
            }
            let result = number_at("train", &trained, &["train", "loss"], faults);
            if result.is_some() {
                number_at("train", &trained, &["valid", "loss"], faults);
                used(folder, case, faults);
            }
        }
    }
}

/// The model that training left: predictions, scores, an explanation.
fn used(folder: &Folder, case: &Case, faults: &mut Vec<String>) {
    let predicted = folder.run(&["predict", MODEL, "t.csv", "--format", "json"]);
    sound("predict", &predicted, faults);
    match serde_json::from_str::<Value>(&predicted.out) {
        Ok(object) => predictions(&object, faults),
        Err(error) => faults.push(format!("predict: {error}\n{}", predicted.err)),
    }
    let evaluated = folder.run(&["evaluate", MODEL, "t.csv", "--json"]);
    sound("evaluate", &evaluated, faults);
    number_at("evaluate", &evaluated, &["loss"], faults);

    let explained = folder.run(&[&["explain", MODEL, "t.csv", "--row", "1", "--json"][..], &case.explain].concat());
    sound("explain", &explained, faults);
    let base = number_at("explain", &explained, &["base"], faults);
    let output = number_at("explain", &explained, &["output"], faults);
    if let (Some(base), Some(output), Ok(object)) = (base, output, serde_json::from_str::<Value>(&explained.out)) {
        let parts = object["columns"].as_array().map(|columns| columns.iter().map(|column| column["adds"].as_f64()));
        match parts.and_then(|parts| parts.sum::<Option<f64>>()) {
            Some(sum) if (base + sum - output).abs() <= 1e-6 * output.abs().max(1.0) => {}
            // Integrated gradients say what they leave over.
            Some(_) if case.explain.contains(&"--fast") => {}
            sum => faults.push(format!("explain: {base} and the columns' {sum:?} are not {output}")),
        }
    }
}

/// Every score is in [0, 1] and a row's add up to 1; every predicted number is one.
pub fn predictions(object: &Value, faults: &mut Vec<String>) {
    let rows = object["predictions"].as_array().cloned().unwrap_or_default();
    if rows.is_empty() {
        faults.push("predict: no rows".into());
    }
    let bad = rows.iter().find(|row| {
        let scores = ["scores", "probabilities"].iter().find_map(|key| row[*key].as_array());
        match scores {
            Some(scores) => {
                let numbers: Option<Vec<f64>> = scores.iter().map(Value::as_f64).collect();
                numbers.is_none_or(|numbers| {
                    let sum: f64 = numbers.iter().sum();
                    numbers.iter().any(|p| !(0.0..=1.0).contains(p)) || (sum - 1.0).abs() > 1e-4
                })
            }
            None => row["prediction"].as_f64().is_none_or(|value| !value.is_finite()),
        }
    });
    if let Some(row) = bad {
        faults.push(format!("predict: {row}"));
    }
}

/// A finite number of a command's JSON.
fn number_at(command: &str, run: &Run, path: &[&str], faults: &mut Vec<String>) -> Option<f64> {
    let object: Value = match serde_json::from_str(&run.out) {
        Ok(object) => object,
        Err(error) => {
            faults.push(format!("{command}: {error}\n{}", run.err));
            return None;
        }
    };
    let value = path.iter().fold(&object, |value, key| &value[*key]);
    let number = value.as_f64().filter(|number| number.is_finite());
    if number.is_none() {
        faults.push(format!("{command}: {} is {value}\n{}", path.join("."), run.err));
    }
    number
}

/// What holds for every answer.
pub fn sound(command: &str, run: &Run, faults: &mut Vec<String>) {
    if !matches!(run.code, Some(0 | 2 | 3)) {
        faults.push(format!("{command}: exit code {:?}", run.code));
    }
    if run.err.contains("panicked") || run.err.contains("RUST_BACKTRACE") {
        faults.push(format!("{command} panicked\n{}", run.err));
    }
}
