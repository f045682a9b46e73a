//! The file of worked examples, read so that nothing is passed over: an entry remembers which of its values were asked for.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use glassnet::core::Real;
use serde_json::Value;

/// The file.
pub fn file() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/worked_examples.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A value of the file with its path.
#[derive(Clone)]
pub struct Entry<'a> {
    file: &'a Value,
    value: &'a Value,
    path: String,
    read: &'a RefCell<BTreeSet<String>>,
}

impl<'a> Entry<'a> {
    pub fn new(file: &'a Value, name: &str, read: &'a RefCell<BTreeSet<String>>) -> Self {
        let value = file.get(name).unwrap_or_else(|| panic!("no entry {name}"));
        Entry { file, value, path: name.to_string(), read }
    }

    /// Another entry of the file.
    pub fn other(&self, name: &str) -> Self {
        Entry::new(self.file, name, self.read)
    }

    /// The value of a key.
    pub fn at(&self, key: &str) -> Self {
        let value = self.value.get(key).unwrap_or_else(|| panic!("{} has no {key}", self.path));
        Entry { value, path: format!("{}/{key}", self.path), ..self.clone() }
    }

    /// The keys.
    pub fn keys(&self) -> Vec<String> {
        self.value.as_object().unwrap_or_else(|| panic!("{} has no keys", self.path)).keys().cloned().collect()
    }

    /// The items of a list.
    pub fn items(&self) -> Vec<Self> {
        let list = self.value.as_array().unwrap_or_else(|| panic!("{} is no list", self.path));
        let item = |(place, value)| Entry { value, path: format!("{}/{place}", self.path), ..self.clone() };
        list.iter().enumerate().map(item).collect()
    }

    fn read(&self) -> &'a Value {
        self.read.borrow_mut().insert(self.path.clone());
        self.value
    }

    pub fn number(&self) -> f64 {
        self.read().as_f64().unwrap_or_else(|| panic!("{} is no number", self.path))
    }

    pub fn count(&self) -> usize {
        self.read().as_u64().unwrap_or_else(|| panic!("{} is no count", self.path)) as usize
    }

    /// All numbers of a list of any depth, or the one number.
    pub fn numbers(&self) -> Vec<f64> {
        fn flat(value: &Value, out: &mut Vec<f64>) {
            match value {
                Value::Array(list) => list.iter().for_each(|value| flat(value, out)),
                value => out.push(value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))),
            }
        }
        let mut numbers = Vec::new();
        flat(self.read(), &mut numbers);
        numbers
    }

    pub fn text(&self) -> &'a str {
        self.read().as_str().unwrap_or_else(|| panic!("{} is no text", self.path))
    }

    pub fn texts(&self) -> Vec<&'a str> {
        self.items().iter().map(Entry::text).collect()
    }

    /// Holds computed values against the file's: to 1e-12 in f64, 1e-6 in f32, of 1 or of the value where it is larger.
    pub fn is<T: Real>(&self, actual: &[T]) {
        self.is_within(actual, if T::BYTES == 8 { 1e-12 } else { 1e-6 });
    }

    /// The same with a tolerance of its own, for numbers that the file gives rounded.
    pub fn is_within<T: Real>(&self, actual: &[T], tolerance: f64) {
        let expected = self.numbers();
        assert_eq!(actual.len(), expected.len(), "{}: number of values", self.path);
        for (place, (actual, expected)) in actual.iter().zip(expected).enumerate() {
            let apart = (actual.to_f64() - expected).abs() / expected.abs().max(1.0);
            assert!(apart <= tolerance, "{} [{place}]: {actual:?}, expected {expected}: {apart:e} apart", self.path);
        }
    }

    /// Holds the printed form of computed values against the file's text, or list of texts, with its number of decimals.
    pub fn is_printed<T: Real>(&self, actual: &[T]) {
        let expected = if self.value.is_array() { self.texts() } else { vec![self.text()] };
        let decimals = |text: &str| text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let printed: Vec<String> = actual
            .iter()
            .zip(&expected)
            .map(|(value, text)| format!("{:.*}", decimals(text), value.to_f64()))
            .collect();
        assert_eq!((printed.len(), actual.len()), (expected.len(), expected.len()), "{}", self.path);
        assert_eq!(printed, expected, "{}", self.path);
    }

    /// The paths below here that were never asked for.
    pub fn unread(&self) -> Vec<String> {
        fn leaves(value: &Value, path: String, out: &mut BTreeMap<String, ()>) {
            match value {
                Value::Object(map) => map.iter().for_each(|(key, value)| leaves(value, format!("{path}/{key}"), out)),
                Value::Array(list) => {
                    list.iter().enumerate().for_each(|(at, value)| leaves(value, format!("{path}/{at}"), out));
                }
                _ => drop(out.insert(path, ())),
            }
        }
        let mut all = BTreeMap::new();
        leaves(self.value, self.path.clone(), &mut all);
        let read = self.read.borrow();
        let is_read = |path: &String| read.iter().any(|r| path == r || path.starts_with(&format!("{r}/")));
        all.into_keys().filter(|path| !is_read(path)).collect()
    }
}
