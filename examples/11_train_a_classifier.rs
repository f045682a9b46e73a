//! The whole way: a table of 1,797 handwritten digits, 8 x 8 grey values each; understood, encoded, trained, evaluated on
//! rows that were set aside, saved, loaded, and asked.

use std::error::Error;
use std::io::Write;

use glassnet::core::Team;
use glassnet::data::{ReadOptions, read_csv};
use glassnet::model::fit::{FitOptions, Prepared};
use glassnet::model::{Model, Value};
use glassnet::nn::train::{Batch, Control, Observer, TrainSpec, Trainer, View};

const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/digits.csv.gz");

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

/// Sees the run as it goes; here it keeps a line for each epoch.
struct Lines(Vec<String>);

impl Observer<f32> for Lines {
    fn epoch(&mut self, view: &View<'_, f32>) -> Control {
        if let Some(epoch) = view.history.epochs.last() {
            let valid = epoch.valid_loss.unwrap_or(f64::NAN);
            let accuracy = epoch.valid.accuracy.unwrap_or(f64::NAN);
            let (number, train) = (epoch.epoch, epoch.train_loss);
            self.0.push(format!(
                "epoch {number}: train loss {train:.3}, held-out loss {valid:.3}, accuracy {accuracy:.3}"
            ));
        }
        Control::Continue
    }
}

/// The lesson; what it prints goes to `out`.
pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    // The file has no header: its columns are called c1 to c65, and the last is the digit.
    let (table, _) = read_csv(DIGITS, &ReadOptions::default())?;
    writeln!(out, "{} rows, {} columns", table.rows, table.columns.len())?;
    let first = table.clone();

    // What the columns are, what is constant and left out, who is in the held-out part: all decided here, and kept.
    let data = Prepared::table(table, None, &FitOptions { seed: 1, ..FitOptions::new("c65") })?;
    writeln!(out, "{}", data.split)?;
    let net = data.network(&"48 relu".parse()?, None, 0.0)?;
    let (inputs, parameters) = (data.inputs(), net.network.parameters());
    writeln!(out, "{inputs} inputs -> 48 relu -> {}, {parameters} parameters\n", net.network.outputs())?;

    let spec = TrainSpec { epochs: 6, batch: Batch::Rows(32), lr: 0.003, seed: 1, ..TrainSpec::default() };
    let start = net.network.initialise(spec.seed);
    // Any number of threads gives the same bits.
    let trainer = Trainer::new(&net.network, start, data.train(), data.valid(), spec, Team::new(2))?;
    let mut lines = Lines(Vec::new());
    let outcome = trainer.run(&mut lines);
    writeln!(out, "{}", lines.0.join("\n"))?;
    writeln!(out, "first batch's loss {:.3}; ln 10 is 2.303", outcome.history.first_loss.unwrap_or(f64::NAN))?;

    let model = data.model(&net, outcome.parameters)?;
    let found = model.evaluate(&data.train, &data.valid_rows, &Team::single())?;
    writeln!(out, "\nheld out: {} rows, accuracy {:.3}", found.rows, found.scores.accuracy.unwrap_or(f64::NAN))?;
    let classes = model.classes().unwrap_or(&[]);
    for (class, report) in classes.iter().zip(found.confusion.iter().flat_map(|confusion| confusion.per_class())) {
        let (precision, recall) = (report.precision.unwrap_or(f64::NAN), report.recall.unwrap_or(f64::NAN));
        writeln!(out, "  digit {class}: precision {precision:.3}, recall {recall:.3}")?;
    }

    // One file holds it all: columns, preprocessing, layers, weights. It says nothing of when or where it was made.
    let path = std::env::temp_dir().join(format!("digits-{}.glass", std::process::id()));
    std::fs::write(&path, model.to_bytes()?)?;
    let bytes = std::fs::read(&path)?;
    std::fs::remove_file(&path)?;
    let loaded = Model::from_bytes(&bytes)?;
    writeln!(out, "\nsaved and loaded: the same weights: {}", loaded.parameters() == model.parameters())?;

    // Ask it about the first row of the file: one value for each column that it was trained on.
    let mut row = Vec::new();
    for name in loaded.columns() {
        match first.column(name).map(|column| &column.values) {
            Some(glassnet::model::table::Values::Number(values)) => row.push(Value::Number(values[0])),
            _ => row.push(Value::Missing),
        }
    }
    let mut scores = vec![0.0; loaded.outputs()];
    loaded.predict_into(&row, &mut loaded.scratch(), &mut scores)?;
    let best = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap_or(0);
    writeln!(out, "the first row is a {} (score {:.3})", classes[best], scores[best])?;
    Ok(())
}
