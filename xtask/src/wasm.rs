//! `cargo xtask wasm`: trains a small model, builds the runtime as a WebAssembly module, with SIMD128 and without, and lets Node
//! hold the modules' predictions against the native ones, byte for byte; then the kernels' tests of products run there.
//! `--trained` trains networks there instead and compares their hashes, `--time` measures products. Where a tool cannot be
//! had it says so and stops without failing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use glassnet::core::Team;
use glassnet::data::{Dataset, ReadOptions, open};
use glassnet::model::fit::{ClassWeights, FitOptions, Prepared};
use glassnet::model::standardise::Standardise;
use glassnet::model::table::{Table, Values};
use glassnet::model::{Model, Value};
use glassnet::nn::spec::NetSpec;
use glassnet::nn::train::{Silent, TrainSpec, Trainer};
use serde_json::{Value as Json, json};

use crate::run::{cargo_with, output_of};

/// The target that modules are built for.
const TARGET: &str = "wasm32-unknown-unknown";

/// How modules are built: a name, and rustc's flags. A module has the instructions or has not; there is nothing to ask at run
/// time, and a runtime without them refuses the module.
pub const BUILDS: [(&str, &str); 2] = [("plain", ""), ("simd128", "-C target-feature=+simd128")];

/// Rows to compare.
const ROWS: usize = 1_000;

/// Every curve that calls an elementary function.
const NET: &str = "32 relu -> 24 gelu -> 16 tanh -> 16 mish -> 12 gelu tanh -> 12 silu -> 12 elu -> 8 softplus";

/// Runs it.
///
/// # Errors
/// A module does not build, does not read the model, or predicts something else; a test of the kernels fails.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let other = match arguments {
        [] => None,
        [flag] if flag == "--time" => Some(crate::wasip::time as fn() -> Result<(), String>),
        [flag] if flag == "--trained" => Some(crate::wasip::trained as fn() -> Result<(), String>),
        _ => return Err(format!("the argument is --trained or --time, but there is {}", arguments.join(" "))),
    };
    if let Err(reason) = have_target(TARGET).and_then(|()| have_node()) {
        eprintln!("skipped: the WebAssembly module is not built ({reason})");
        return Ok(());
    }
    let folder = crate::root().join("target/xtask/wasm");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(failed)?;
    if let Some(other) = other {
        return other();
    }
    let (model, table) = trained()?;
    let bytes = model.to_bytes().map_err(|error| error.to_string())?;
    fs::write(folder.join("model.glass"), &bytes).map_err(failed)?;
    fs::write(folder.join("rows.json"), predictions(&bytes, &table)?.to_string()).map_err(failed)?;

    let (model, rows) = (folder.join("model.glass"), folder.join("rows.json"));
    let target_dir = crate::root().join("target");
    for (name, flags) in BUILDS {
        let environment = [
            ("CARGO_TARGET_DIR", path(&target_dir)?),
            ("CARGO_PROFILE_RELEASE_STRIP", "true"),
            ("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags),
        ];
        cargo_with(&["build", "--package", "glassnet-wasm", "--release", "--target", TARGET], &environment)?;
        let module = folder.join(format!("{name}.wasm"));
        fs::copy(target_dir.join(TARGET).join("release/glassnet_wasm.wasm"), &module).map_err(failed)?;
        println!("wasm module, {name}, of {} bytes", fs::metadata(&module).map_err(failed)?.len());
        let mut node = Command::new("node");
        node.arg("wasm/compare.mjs").args([&module, &model, &rows]).current_dir(crate::root()).stdin(Stdio::null());
        let status = node.status().map_err(|error| format!("node cannot be started: {error}"))?;
        if !status.success() {
            return Err(format!("the predictions of the module ({name}) are not the native ones"));
        }
    }
    crate::wasip::tests()
}

fn path(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))
}

/// Asks rustup for a target, where it is not installed.
///
/// # Errors
/// It cannot be had.
pub fn have_target(target: &str) -> Result<(), String> {
    let installed = |list: String| list.lines().any(|line| line.trim() == target);
    let list = || output_of("rustup", &["target", "list", "--installed"]).is_some_and(installed);
    if list() {
        return Ok(());
    }
    // Its output is of no use: the list says whether it worked.
    let _ = output_of("rustup", &["target", "add", target]);
    if list() { Ok(()) } else { Err(format!("rustup has no {target} and cannot add it")) }
}

fn have_node() -> Result<(), String> {
    output_of("node", &["--version"]).map(drop).ok_or_else(|| "there is no node".to_string())
}

/// A model of the flights in the repository, trained for one epoch.
fn trained() -> Result<(Model, Table), String> {
    let data = crate::root().join("data/flights.csv.gz");
    let Dataset::Table { table, .. } = open(path(&data)?, &ReadOptions::default()).map_err(|e| e.to_string())? else {
        return Err("data/flights.csv.gz is no table".to_string());
    };
    let options = FitOptions {
        target: "late15".into(),
        task: None,
        overrides: BTreeMap::new(),
        weight_column: None,
        standardise: Standardise::Yes,
        validation_share: Some(0.2),
        seed: 1,
        class_weights: ClassWeights::Equal,
        ..FitOptions::new("late15")
    };
    let prepared = Prepared::table(table.clone(), None, &options).map_err(|error| error.to_string())?;
    let spec: NetSpec = NET.parse().map_err(|error| format!("{error}"))?;
    let headed = prepared.network(&spec, None, 0.0).map_err(|error| error.to_string())?;
    let settings = TrainSpec { epochs: 1, seed: 1, ..TrainSpec::default() };
    let parameters = headed.network.initialise(1);
    let trainer =
        Trainer::new(&headed.network, parameters, prepared.train(), prepared.valid(), settings, Team::single())
            .map_err(|error| error.to_string())?;
    let outcome = trainer.run(&mut Silent);
    let model = prepared.model(&headed, outcome.parameters).map_err(|error| error.to_string())?;
    Ok((model, table))
}

/// Rows spread over the table, with what a model read from these bytes predicts for them, natively.
fn predictions(bytes: &[u8], table: &Table) -> Result<Json, String> {
    let model = Model::from_bytes(bytes).map_err(|error| error.to_string())?;
    let mut columns = Vec::new();
    for name in model.columns() {
        columns.push(&table.column(name).ok_or_else(|| format!("there is no column {name}"))?.values);
    }
    let mut scratch = model.scratch();
    let mut scores = vec![0.0; model.outputs()];
    let mut cases = Vec::new();
    for row in (0..ROWS).map(|place| place * table.rows / ROWS) {
        let values: Vec<Value<'_>> = columns
            .iter()
            .map(|values| match values {
                Values::Number(numbers) if !numbers[row].is_nan() => Value::Number(numbers[row]),
                Values::Text(text) => text.get(row).map_or(Value::Missing, Value::Text),
                Values::Number(_) => Value::Missing,
            })
            .collect();
        model.predict_into(&values, &mut scratch, &mut scores).map_err(|error| error.to_string())?;
        let cells: Vec<Json> = values
            .iter()
            .map(|value| match value {
                Value::Missing => Json::Null,
                Value::Number(number) => json!(number),
                Value::Text(text) => json!(text),
            })
            .collect();
        // As f64, so that every digit of the f32 is written.
        let scores: Vec<f64> = scores.iter().map(|&score| f64::from(score)).collect();
        cases.push(json!({ "row": cells, "scores": scores }));
    }
    Ok(Json::Array(cases))
}
