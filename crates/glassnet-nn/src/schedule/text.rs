//! The text form of a schedule, read and written.
//!
//! ```text
//! schedule = [ "warmup" STEPS "->" ] shape  |  "warmup" STEPS
//! shape    = "constant"
//!          | "step" EPOCHS [FACTOR]                                        factor 0.1
//!          | "cosine" [FLOOR]                                              0
//!          | "onecycle" [RISE [START [END]]]                               0.3 25 10000
//!          | "coslog4" | "flat_cos"
//!          | "plateau" [PATIENCE [FACTOR [THRESHOLD [COOLDOWN [MIN_LR]]]]] 10 0.1 0.0001 0 0
//! ```

use std::fmt;
use std::str::FromStr;

use super::{ScheduleSpec, Shape};
use crate::nearest::nearest;

/// Names that the text form knows.
pub const NAMES: [&str; 8] = ["constant", "step", "cosine", "onecycle", "coslog4", "flat_cos", "plateau", "warmup"];

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("schedule \"{text}\": {what}\n  hint: {hint}")]
pub struct ScheduleError {
    /// The whole text.
    pub text: String,
    /// What is wrong.
    pub what: String,
    /// What to write.
    pub hint: String,
}

/// The words after a name, read one by one.
struct Words<'a> {
    text: &'a str,
    name: &'a str,
    usage: &'static str,
    words: std::str::SplitWhitespace<'a>,
}

impl Words<'_> {
    fn error(&self, what: String) -> ScheduleError {
        ScheduleError { text: self.text.trim().to_string(), what, hint: format!("write \"{}\"", self.usage) }
    }

    /// The next number, or `default`; without a default it has to be there.
    fn number<N: FromStr>(&mut self, what: &str, kind: &str, default: Option<N>) -> Result<N, ScheduleError> {
        match (self.words.next(), default) {
            (Some(word), _) => {
                word.parse().map_err(|_| self.error(format!("\"{word}\" is no {kind} for {what} of {}", self.name)))
            }
            (None, Some(default)) => Ok(default),
            (None, None) => Err(self.error(format!("{} needs {what}", self.name))),
        }
    }

    fn whole(&mut self, what: &str, default: Option<u64>) -> Result<u64, ScheduleError> {
        self.number(what, "whole number", default)
    }

    fn real(&mut self, what: &str, default: Option<f64>) -> Result<f64, ScheduleError> {
        self.number(what, "number", default)
    }

    fn end(&mut self) -> Result<(), ScheduleError> {
        match self.words.next() {
            Some(word) => Err(self.error(format!("\"{word}\" is one word too many after {}", self.name))),
            None => Ok(()),
        }
    }
}

impl FromStr for ScheduleSpec {
    type Err = ScheduleError;

    /// Reads the text form and checks its numbers.
    ///
    /// ```
    /// use glassnet_nn::schedule::{ScheduleSpec, Shape};
    /// let spec: ScheduleSpec = "warmup 500 -> cosine".parse()?;
    /// assert_eq!(spec, ScheduleSpec { warmup: 500, shape: Shape::Cosine { floor: 0.0 } });
    /// assert_eq!(spec.to_string(), "warmup 500 -> cosine");
    /// # Ok::<(), glassnet_nn::schedule::ScheduleError>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let error = |what: &str, hint: &str| ScheduleError {
            text: text.trim().to_string(),
            what: what.to_string(),
            hint: hint.to_string(),
        };
        let mut parts = text.split("->");
        let first = parts.next().unwrap_or_default();
        let second = parts.next();
        if parts.next().is_some() {
            return Err(error("more than one \"->\"", "write \"warmup STEPS -> SHAPE\""));
        }
        let is_warmup = first.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("warmup"));
        let (warmup, shape) = match (is_warmup, second) {
            (true, second) => {
                let mut words = first.split_whitespace();
                words.next();
                let mut words = Words { text, name: "warmup", usage: "warmup STEPS -> SHAPE", words };
                let steps = words.whole("a number of steps", None)?;
                words.end()?;
                if steps == 0 {
                    return Err(error("warmup 0: must be 1 or more", "leave the warm-up out"));
                }
                (steps, second.map_or(Ok(Shape::Constant), |second| shape(text, second))?)
            }
            (false, Some(_)) => {
                return Err(error("before \"->\" there can only be a warm-up", "write \"warmup STEPS -> SHAPE\""));
            }
            (false, None) => (0, shape(text, first)?),
        };
        let spec = ScheduleSpec { warmup, shape };
        let bad = spec.check().err().and_then(|bad| bad.0.into_iter().next());
        match bad {
            Some(bad) => {
                Err(error(&format!("{} = {}", bad.name, bad.value), &format!("{} must be {}", bad.name, bad.allowed)))
            }
            None => Ok(spec),
        }
    }
}

fn shape(text: &str, part: &str) -> Result<Shape, ScheduleError> {
    let mut words = part.split_whitespace();
    let name = words.next().unwrap_or_default();
    let mut of = |usage| Words { text, name, usage, words: std::mem::replace(&mut words, "".split_whitespace()) };
    let (shape, mut words) = match name.to_lowercase().as_str() {
        "constant" => (Shape::Constant, of("constant")),
        "coslog4" => (Shape::CosLog4, of("coslog4")),
        "flat_cos" => (Shape::FlatCos, of("flat_cos")),
        "step" => {
            let mut words = of("step EPOCHS FACTOR");
            let every = words.whole("a number of epochs", None)?;
            (Shape::Step { every, factor: words.real("the factor", Some(0.1))? }, words)
        }
        "cosine" => {
            let mut words = of("cosine FLOOR");
            (Shape::Cosine { floor: words.real("the floor", Some(0.0))? }, words)
        }
        "onecycle" => {
            let mut words = of("onecycle RISE START END");
            let rise = words.real("the rise", Some(0.3))?;
            let start = words.real("the start", Some(25.0))?;
            (Shape::OneCycle { rise, start, end: words.real("the end", Some(1e4))? }, words)
        }
        "plateau" => {
            let mut words = of("plateau PATIENCE FACTOR THRESHOLD COOLDOWN MIN_LR");
            let patience = words.whole("the patience", Some(10))?;
            let factor = words.real("the factor", Some(0.1))?;
            let threshold = words.real("the threshold", Some(1e-4))?;
            let cooldown = words.whole("the cooldown", Some(0))?;
            let min_lr = words.real("the least rate", Some(0.0))?;
            (Shape::Plateau { patience, factor, threshold, cooldown, min_lr }, words)
        }
        other => {
            let all = format!("one of {}", NAMES.join(", "));
            let hint = match nearest(other, NAMES) {
                Some(near) => format!("did you mean \"{near}\"? ({all})"),
                None => all,
            };
            let what = match other {
                "" => "a shape is missing".to_string(),
                "warmup" => "a warm-up can only come first".to_string(),
                _ => format!("no schedule is called \"{name}\""),
            };
            return Err(ScheduleError { text: text.trim().to_string(), what, hint });
        }
    };
    words.end()?;
    Ok(shape)
}

/// The shortest text that reads back to the same schedule: trailing numbers that are defaults are left out.
impl fmt::Display for ScheduleSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.warmup > 0 {
            write!(f, "warmup {} -> ", self.warmup)?;
        }
        let (name, always, numbers): (&str, usize, Vec<(f64, f64)>) = match self.shape {
            Shape::Constant => ("constant", 0, vec![]),
            Shape::CosLog4 => ("coslog4", 0, vec![]),
            Shape::FlatCos => ("flat_cos", 0, vec![]),
            Shape::Step { every, factor } => ("step", 2, vec![(every as f64, 0.0), (factor, 0.1)]),
            Shape::Cosine { floor } => ("cosine", 0, vec![(floor, 0.0)]),
            Shape::OneCycle { rise, start, end } => ("onecycle", 0, vec![(rise, 0.3), (start, 25.0), (end, 1e4)]),
            Shape::Plateau { patience, factor, threshold, cooldown, min_lr } => (
                "plateau",
                2,
                vec![(patience as f64, 10.0), (factor, 0.1), (threshold, 1e-4), (cooldown as f64, 0.0), (min_lr, 0.0)],
            ),
        };
        f.write_str(name)?;
        let told = numbers.iter().rposition(|(value, default)| value != default).map_or(0, |last| last + 1);
        for (value, _) in &numbers[..told.max(always)] {
            write!(f, " {value}")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for ScheduleSpec {
    type Error = ScheduleError;

    fn try_from(text: String) -> Result<Self, ScheduleError> {
        text.parse()
    }
}

impl From<ScheduleSpec> for String {
    fn from(spec: ScheduleSpec) -> String {
        spec.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written() {
        for text in [
            "constant",
            "step 10 0.5",
            "cosine",
            "cosine 0.01",
            "onecycle",
            "onecycle 0.3 10",
            "onecycle 0.25 25 100",
            "coslog4",
            "warmup 10 -> flat_cos",
            "plateau 5 0.5",
            "plateau 5 0.5 0.001 2 0.00001",
            "warmup 500 -> cosine",
            "warmup 1 -> plateau 10 0.1",
            "warmup 20 -> constant",
        ] {
            let spec: ScheduleSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
            let json = serde_json::to_string(&spec).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<ScheduleSpec>(&json).unwrap(), spec);
        }
        assert_eq!(" Step 3 ".parse::<ScheduleSpec>().unwrap().to_string(), "step 3 0.1");
        assert_eq!("warmup 20".parse::<ScheduleSpec>().unwrap().to_string(), "warmup 20 -> constant");
        assert_eq!("plateau".parse::<ScheduleSpec>().unwrap().shape, Shape::PLATEAU);
        assert_eq!("onecycle".parse::<ScheduleSpec>().unwrap().shape, Shape::ONE_CYCLE);
    }

    #[test]
    fn each_mistake_has_its_message() {
        let all = "one of constant, step, cosine, onecycle, coslog4, flat_cos, plateau, warmup";
        for (text, what, hint) in [
            ("cosin", "no schedule is called \"cosin\"", format!("did you mean \"cosine\"? ({all})")),
            ("xyzzyx", "no schedule is called \"xyzzyx\"", all.to_string()),
            ("", "a shape is missing", all.to_string()),
            ("warmup 5 ->", "a shape is missing", all.to_string()),
            ("step", "step needs a number of epochs", "write \"step EPOCHS FACTOR\"".into()),
            (
                "step 1.5",
                "\"1.5\" is no whole number for a number of epochs of step",
                "write \"step EPOCHS FACTOR\"".into(),
            ),
            ("step 0 0.5", "every = 0", "every must be 1 or more".into()),
            ("step 3 -0.5", "factor = -0.5", "factor must be in (0, 1]".into()),
            ("coslog4 2", "\"2\" is one word too many after coslog4", "write \"coslog4\"".into()),
            ("cosine 0 1", "\"1\" is one word too many after cosine", "write \"cosine FLOOR\"".into()),
            ("plateau 5 1", "factor = 1", "factor must be between 0 and 1, both excluded".into()),
            ("onecycle nan", "rise = NaN", "rise must be between 0 and 1, both excluded".into()),
            ("warmup", "warmup needs a number of steps", "write \"warmup STEPS -> SHAPE\"".into()),
            ("warmup 0 -> cosine", "warmup 0: must be 1 or more", "leave the warm-up out".into()),
            (
                "cosine -> warmup 5",
                "before \"->\" there can only be a warm-up",
                "write \"warmup STEPS -> SHAPE\"".into(),
            ),
            ("warmup 5 -> step 2 -> cosine", "more than one \"->\"", "write \"warmup STEPS -> SHAPE\"".into()),
        ] {
            let error = text.parse::<ScheduleSpec>().unwrap_err();
            assert_eq!((error.what.as_str(), &error.hint), (what, &hint), "{text}");
            assert_eq!(error.to_string(), format!("schedule \"{text}\": {what}\n  hint: {hint}"));
        }
        let error = "warmup 5 -> warmup 5".parse::<ScheduleSpec>().unwrap_err();
        assert_eq!(error.what, "a warm-up can only come first");
    }
}
