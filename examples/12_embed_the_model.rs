//! A model inside another program: its bytes come from anywhere (here from a training next door, usually from
//! `include_bytes!`), and rows are predicted one by one without allocating, without files, threads or a clock.

use std::error::Error;
use std::io::Write;

use glassnet::core::Team;
use glassnet::core::random::{Draws, Purpose};
use glassnet::model::fit::{FitOptions, Prepared};
use glassnet::model::table::{Column, Table, Text, Values};
use glassnet::model::{Model, Value};
use glassnet::nn::train::{Batch, Silent, TrainSpec, Trainer};

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

/// 400 made-up shipments: backlog and weather from 0 to 10, a carrier, and whether each came late.
fn shipments() -> Table {
    let draws = Draws::new(7, Purpose::Synthetic, 0, 0);
    let (mut backlog, mut weather, mut carrier, mut late) = (Vec::new(), Vec::new(), Text::default(), Text::default());
    for row in 0..400 {
        let (b, w, slow) = (10.0 * draws.uniform(3 * row), 10.0 * draws.uniform(3 * row + 1), row % 3 == 0);
        let risk = 0.6 * b + 0.4 * w + if slow { 1.5 } else { 0.0 } + 2.0 * draws.uniform(3 * row + 2);
        backlog.push(b);
        weather.push(w);
        carrier.push(Some(if slow { "slow boat" } else { "quick van" }));
        late.push(Some(if risk > 6.5 { "yes" } else { "no" }));
    }
    let column = |name: &str, values| Column { name: name.into(), values };
    let columns = vec![
        column("backlog", Values::Number(backlog)),
        column("weather", Values::Number(weather)),
        column("carrier", Values::Text(carrier)),
        column("late", Values::Text(late)),
    ];
    Table { source: "shipments".into(), columns, rows: 400, first_row: 1, lines: Vec::new() }
}

/// What somebody else did before: a training, whose result is bytes.
fn trained() -> Result<Vec<u8>, Box<dyn Error>> {
    let data = Prepared::table(shipments(), None, &FitOptions::new("late"))?;
    let net = data.network(&"8 tanh".parse()?, None, 0.0)?;
    let spec = TrainSpec { epochs: 30, batch: Batch::Rows(32), lr: 0.02, ..TrainSpec::default() };
    let start = net.network.initialise(spec.seed);
    let trainer = Trainer::new(&net.network, start, data.train(), data.valid(), spec, Team::single())?;
    let outcome = trainer.run(&mut Silent);
    Ok(data.model(&net, outcome.parameters)?.to_bytes()?)
}

/// The lesson; what it prints goes to `out`.
pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let bytes = trained()?;

    // At the start of the program: read the bytes, see what a row must have. A model can be shared between threads.
    let model = Model::from_bytes(&bytes)?;
    writeln!(out, "predicts {:?} from {:?}", model.target(), model.columns())?;
    writeln!(out, "classes {:?}, {} parameters", model.classes().unwrap_or(&[]), model.parameters().len())?;

    // Once for each thread: the memory that a prediction needs. From here on nothing is allocated.
    let mut scratch = model.scratch();
    let mut scores = [0.0f32; 2];
    let rows = [
        [Value::Number(1.0), Value::Number(2.0), Value::Text("quick van")],
        [Value::Number(9.0), Value::Number(8.0), Value::Text("slow boat")],
        [Value::Number(5.5), Value::Number(5.0), Value::Text("quick van")],
        [Value::Number(5.5), Value::Number(5.0), Value::Text("slow boat")],
        // What is missing counts as the training rows' mean; a carrier never seen goes to an input of its own.
        [Value::Number(5.5), Value::Missing, Value::Text("hot air balloon")],
    ];
    for row in &rows {
        model.predict_into(row, &mut scratch, &mut scores)?;
        writeln!(out, "late: {:.3}  {row:?}", scores[1])?;
    }

    // A row that does not fit is refused, and the message says why.
    let bad = [Value::Text("a lot"), Value::Number(1.0), Value::Text("quick van")];
    if let Err(error) = model.predict_into(&bad, &mut scratch, &mut scores) {
        writeln!(out, "refused: {error}")?;
    }
    // The same model gives the same bytes.
    writeln!(out, "written again it is the same file: {}", model.to_bytes()? == bytes)?;
    Ok(())
}
