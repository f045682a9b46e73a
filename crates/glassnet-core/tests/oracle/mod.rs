//! Reads the reference vectors that PyTorch made (`tests/vectors/*.json`; schema in `tests/oracle/README.md` at the root).

#![allow(dead_code, reason = "each test file uses its own part of the reader")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a reader for tests: to fail is to fail the test")]

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// One case: settings and numbers in, numbers out. Arrays are flat and row-major.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Which operation, loss, optimizer or schedule.
    pub op: String,
    /// What is particular about this case; unique with `op` and `dtype`.
    pub name: String,
    /// `"f64"` or `"f32"`: what PyTorch computed in.
    pub dtype: String,
    /// Settings by name.
    pub attributes: BTreeMap<String, Value>,
    /// Inputs by name.
    pub inputs: BTreeMap<String, Vec<f64>>,
    /// Parameters by name.
    pub parameters: BTreeMap<String, Vec<f64>>,
    /// Class numbers; empty where there are none.
    #[serde(default)]
    pub labels: Vec<usize>,
    /// The gradient that arrives from above; empty where there is none.
    #[serde(default)]
    pub upstream: Vec<f64>,
    /// Results by name.
    pub outputs: BTreeMap<String, Vec<f64>>,
    /// Gradients by what they are the gradient of.
    pub gradients: BTreeMap<String, Vec<f64>>,
    /// The shape of every array above.
    pub shapes: BTreeMap<String, Vec<usize>>,
}

#[derive(Deserialize)]
struct Group {
    cases: Vec<Case>,
}

/// All cases of a group: `load("elementwise")` reads this crate's `tests/vectors/elementwise.json`.
pub fn load(group: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(format!("{group}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let group: Group = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    group.cases.iter().for_each(Case::check);
    group.cases
}

/// The cases of one operation in one dtype; an operation without a case fails the test.
pub fn load_op(group: &str, op: &str, dtype: &str) -> Vec<Case> {
    let cases: Vec<Case> = load(group).into_iter().filter(|case| case.op == op && case.dtype == dtype).collect();
    assert!(!cases.is_empty(), "{group}: no case of {op} in {dtype}");
    cases
}

impl Case {
    /// For messages: operation, name and dtype.
    pub fn label(&self) -> String {
        format!("{} / {} / {}", self.op, self.name, self.dtype)
    }

    /// An input's values.
    pub fn input(&self, name: &str) -> &[f64] {
        self.array(&self.inputs, "input", name)
    }

    /// A parameter's values.
    pub fn parameter(&self, name: &str) -> &[f64] {
        self.array(&self.parameters, "parameter", name)
    }

    /// An output's values.
    pub fn output(&self, name: &str) -> &[f64] {
        self.array(&self.outputs, "output", name)
    }

    /// A gradient's values.
    pub fn gradient(&self, name: &str) -> &[f64] {
        self.array(&self.gradients, "gradient", name)
    }

    /// The shape of an array.
    pub fn shape(&self, name: &str) -> &[usize] {
        self.shapes.get(name).unwrap_or_else(|| panic!("{}: no shape of {name}", self.label()))
    }

    /// A setting that is a number.
    pub fn number(&self, name: &str) -> f64 {
        self.attribute(name).as_f64().unwrap_or_else(|| panic!("{}: {name} is not a number", self.label()))
    }

    /// A setting that is a count.
    pub fn count(&self, name: &str) -> usize {
        let count = self.attribute(name).as_u64().unwrap_or_else(|| panic!("{}: {name} is not a count", self.label()));
        usize::try_from(count).unwrap()
    }

    /// A setting that is yes or no.
    pub fn flag(&self, name: &str) -> bool {
        self.attribute(name).as_bool().unwrap_or_else(|| panic!("{}: {name} is not true or false", self.label()))
    }

    fn attribute(&self, name: &str) -> &Value {
        self.attributes.get(name).unwrap_or_else(|| panic!("{}: no attribute {name}", self.label()))
    }

    fn array<'a>(&self, group: &'a BTreeMap<String, Vec<f64>>, kind: &str, name: &str) -> &'a [f64] {
        group.get(name).unwrap_or_else(|| panic!("{}: no {kind} {name}", self.label()))
    }

    /// Every array has as many numbers as its shape says, and f32 cases hold f32 values only.
    fn check(&self) {
        let arrays = [&self.inputs, &self.parameters, &self.outputs, &self.gradients];
        for (name, values) in arrays.into_iter().flatten() {
            assert_eq!(values.len(), self.shape(name).iter().product::<usize>(), "{}: {name}", self.label());
            if self.dtype == "f32" {
                assert!(values.iter().all(|&v| f64::from(v as f32) == v), "{}: {name} isn't f32", self.label());
            }
        }
        if !self.labels.is_empty() {
            assert_eq!(self.labels.len(), self.shape("labels").iter().product::<usize>(), "{}: labels", self.label());
        }
        if !self.upstream.is_empty() {
            let wanted = self.shape("upstream").iter().product::<usize>();
            assert_eq!(self.upstream.len(), wanted, "{}: upstream", self.label());
        }
    }
}

/// The values as f32: exact for a case of dtype `"f32"`.
pub fn to_f32(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

/// The values as f64, for comparing.
pub fn to_f64(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// Fails where |actual - expected| > tolerance * max(1, |expected|), and says where it is worst. NaN always fails.
pub fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}: number of values");
    let mut worst = (0, 0.0);
    for (i, (&a, &e)) in actual.iter().zip(expected).enumerate() {
        let apart = if a == e { 0.0 } else { (a - e).abs() / e.abs().max(1.0) };
        // NaN is worse than everything: no number is greater, so `>` alone would let it pass.
        let apart = if apart.is_nan() { f64::INFINITY } else { apart };
        if apart > worst.1 {
            worst = (i, apart);
        }
    }
    let (i, apart) = worst;
    assert!(
        apart <= tolerance,
        "{what}: worst at [{i}]: {:e}, expected {:e}: {apart:.3e} apart, {tolerance:.1e} allowed",
        actual[i],
        expected[i]
    );
}

/// Checks that a group has exactly these numbers of cases, per operation, in each of the dtypes.
pub fn assert_counts(group: &str, dtypes: &[&str], expected: &[(&str, usize)]) {
    let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
    for case in load(group) {
        *found.entry((case.op, case.dtype)).or_default() += 1;
    }
    let mut wanted = BTreeMap::new();
    for &(op, count) in expected {
        for &dtype in dtypes {
            wanted.insert((op.to_string(), dtype.to_string()), count);
        }
    }
    assert_eq!(found, wanted, "{group}: cases by operation and dtype");
}
