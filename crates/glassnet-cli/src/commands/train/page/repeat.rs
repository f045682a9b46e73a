//! The command that gives the same weights again, and where everything came from: names of files, no folder of this machine.

use glassnet::nn::train::Stop;
use glassnet::report::page::Repeat;
use serde_json::Value;

use super::Page;
use crate::commands::train::args::Args;
use crate::commands::train::record::file_name;

/// Flags whose value is a file.
const FILES: [&str; 5] = ["valid", "test", "out", "config", "report"];

impl Page<'_> {
    /// Command, settings, hashes.
    pub(super) fn repeat(&self) -> Repeat {
        let provenance = &self.model.document().provenance;
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut from: Vec<(String, String)> =
            self.data.hashes().into_iter().map(|(name, hash)| (name.replace('_', " "), text(&hash))).collect();
        from.push(("weights".into(), self.weights.to_owned()));
        from.extend(provenance.versions.iter().map(|(name, version)| (name.clone(), version.clone())));
        let settings = provenance.settings.iter();
        Repeat {
            // A run that a person ended is not ended at the same step again.
            command: match self.stop {
                Stop::Asked => String::new(),
                _ => command(self.args, self.settings.around.budget.map(|_| self.spec.epochs)),
            },
            settings: settings.map(|(name, value)| (name.clone(), self.plain(&text(value)))).collect(),
            provenance: from,
        }
    }
}

/// The command line of these arguments, for a POSIX shell. `epochs`: those that a time budget came to, which depend on the machine.
fn command(args: &Args, epochs: Option<u64>) -> String {
    let mut words = vec!["glassnet".to_string(), "train".to_string()];
    let data = args.data.as_deref();
    words.extend(data.map(|data| match data {
        "-" => "-".to_string(),
        path if file_name(path).starts_with('-') => quoted(&format!("./{}", file_name(path))),
        path => quoted(&file_name(path)),
    }));
    let whole = serde_json::to_value(args).unwrap_or(Value::Null);
    let mut flags = Vec::new();
    gather(&whole, &mut flags);
    for (name, value) in flags {
        match name.as_str() {
            "data" => {}
            "time_budget" => words.extend(epochs.map(|epochs| format!("--epochs {epochs}"))),
            "types" => values(&value).iter().for_each(|one| words.push(flag("type", one))),
            "drop" | "missing" => words.push(flag(&name, &values(&value).join(","))),
            "delimiter" if value.as_str() == Some("\t") => words.push("--delimiter tab".into()),
            _ if value == Value::Bool(true) => words.push(format!("--{}", name.replace('_', "-"))),
            _ => {
                let text = values(&value).concat();
                let text = if FILES.contains(&name.as_str()) { file_name(&text) } else { text };
                words.push(flag(&name, &text));
            }
        }
    }
    words.join(" ")
}

/// Everything that was said, through the groups that arguments are kept in, in their order.
fn gather(value: &Value, flags: &mut Vec<(String, Value)>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Object(_) => gather(value, flags),
            Value::Null | Value::Bool(false) => {}
            Value::Array(items) if items.is_empty() => {}
            _ => flags.push((name.clone(), value.clone())),
        }
    }
}

fn values(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        one => vec![text(one)],
    }
}

fn flag(name: &str, value: &str) -> String {
    let joint = if value.starts_with('-') { "=" } else { " " };
    format!("--{}{joint}{}", name.replace('_', "-"), quoted(value))
}

/// As a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./:=,+@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reads_back_as_it_was() {
        let mut args =
            Args { data: Some("/home/me/my data's.csv".into()), target: Some("is late?".into()), ..Args::default() };
        args.test = Some("/elsewhere/june.csv".into());
        args.training.seed = Some(7);
        args.training.lr = Some(0.003);
        args.columns.types = vec!["zip=category".into(), "day=date".into()];
        args.columns.drop = vec!["id".into(), "$x".into()];
        args.recipe.best = true;
        args.recipe.time_budget = Some("60s".into());
        args.read.delimiter = Some('\t');
        args.read.no_header = true;
        let text = command(&args, Some(40));
        for part in [
            r"glassnet train 'my data'\''s.csv' ",
            " --target 'is late?'",
            " --test june.csv",
            " --seed 7",
            " --lr 0.003",
            " --type zip=category --type day=date",
            " --drop 'id,$x'",
            " --best",
            " --epochs 40",
            " --delimiter tab",
            " --no-header",
        ] {
            assert!(format!("{text} ").contains(part), "{part} is not in {text}");
        }
        assert!(!text.contains("/home") && !text.contains("elsewhere") && !text.contains("budget"), "{text}");
    }

    #[test]
    fn words_that_a_shell_would_change_are_quoted() {
        for (word, wanted) in
            [("late", "late"), ("", "''"), ("a b", "'a b'"), ("$(rm)", "'$(rm)'"), ("it's", r"'it'\''s'")]
        {
            assert_eq!(quoted(word), wanted);
        }
        assert_eq!(flag("weight_column", "-w"), "--weight-column=-w");
    }
}
