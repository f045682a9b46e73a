//! An LSTM reads rhymes, a character at a time, and learns what comes next. Trained on windows that stand alone, and on
//! streams, where the state goes on from window to window while gradients stay in theirs (truncated back-propagation through
//! time). Then it writes; and the four gates of one unit are computed by hand over a line.

use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use glassnet::core::{Purpose, Real, Runner, StepInfo, Team};
use glassnet::data::read_text;
use glassnet::model::Model;
use glassnet::model::generate::Sampling;
use glassnet::model::text::TextPreprocess;
use glassnet::model::text_evaluation::TextEvaluation;
use glassnet::model::windows::Windows;
use glassnet::nn::clip::Clip;
use glassnet::nn::functional::load;
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::source::Source;
use glassnet::nn::spec::shapes::RowShape;
use glassnet::nn::train::{Batch, Rows, Silent, TrainSpec, Trainer};

const RHYMES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/rhymes.txt");
/// Characters of a window.
const CONTEXT: usize = 16;
const UNITS: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

/// How uncertain the network is about each next character; with `carry` a window begins with the state that the one
/// before left, else with zeros.
fn perplexity(network: &Network, parameters: &[f32], tokens: &[i32], carry: bool) -> f64 {
    let windows = Windows::side_by_side(tokens.into(), CONTEXT);
    let mut runner = Runner::<f32>::new(network.evaluation_plan(1), Team::single());
    let (mut sum, mut count) = (0.0, 0);
    for row in 0..Source::<f32>::rows(&windows) as u32 {
        load(network, &mut runner, &windows, &[row]);
        // The number of characters that the state holds already; 0 begins anew.
        let time = if carry { row as usize * CONTEXT } else { 0 };
        runner.forward(parameters, &StepInfo { time, ..StepInfo::default() });
        let losses = network.objective.as_ref().and_then(|objective| runner.value(objective.rows)).unwrap_or(&[]);
        sum += f64::from(losses[0]) * windows.labelled(row) as f64;
        count += windows.labelled(row);
    }
    TextEvaluation::new(count, sum / count as f64).perplexity
}

/// A character as it is printed in a column.
fn shown(character: char) -> char {
    if character == '\n' { '/' } else { character }
}

/// The lesson; what it prints goes to `out`.
pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let text = read_text(RHYMES)?.text;
    let preprocess = TextPreprocess::fit(&text, CONTEXT);
    let (tokens, vocabulary) = (preprocess.encode(&text)?, preprocess.vocabulary());
    let (learned, held) = tokens.split_at(tokens.len() * 9 / 10);
    writeln!(out, "{} characters, {vocabulary} different; the last {} are held out", tokens.len(), held.len())?;

    let row = RowShape::tokens(CONTEXT, vocabulary);
    let spec = format!("embed 16 -> lstm {UNITS}").parse()?;
    let network = Network::for_rows(&spec, &row, vocabulary, Some(&LossSpec::cross_entropy()))?;
    for layer in &network.layers {
        writeln!(out, "  {:<9} {:?} -> {:?}", layer.kind, layer.input.0, layer.output.0)?;
    }
    let start = network.initialise::<f32>(1);
    let before = perplexity(&network, &start, held, false);
    writeln!(out, "{} parameters; perplexity before training {before:.1}\n", network.parameters())?;

    let learned: Arc<[i32]> = learned.into();
    let windows = Windows::every(Arc::clone(&learned), CONTEXT);
    let streams = Windows::whole_side_by_side(learned, CONTEXT);
    writeln!(out, "perplexity on the held-out end      state 0 at each window   state carried on")?;
    let mut trained = Vec::new();
    for (name, source, streams) in [("windows anywhere", windows, false), ("streams", streams, true)] {
        let (batch, steps) = (Batch::Rows(8), Some(600));
        let clip = Clip::Norm { max: 1.0 };
        let spec =
            TrainSpec { batch, steps, streams, clip, shuffle: !streams, lr: 0.005, seed: 1, ..TrainSpec::default() };
        let rows: Vec<u32> = (0..Source::<f32>::rows(&source) as u32).collect();
        let rows = Rows { source: &source, rows: &rows };
        let trainer = Trainer::new(&network, start.clone(), rows, None, spec, Team::new(2))?;
        trained = trainer.run(&mut Silent).parameters;
        let [anew, on] = [false, true].map(|carry| perplexity(&network, &trained, held, carry));
        writeln!(out, "  600 steps of 8 x 16, {name:<17} {anew:>12.2} {on:>18.2}")?;
    }

    // What it writes, drawn from its scores; the state holds all that was written.
    let model = Model::of_text(&network, preprocess.clone(), trained.clone())?;
    let mut generator = model.generator(true, Team::single())?;
    let prompt = "This is the ";
    generator.feed(&preprocess.encode(prompt)?);
    let sampling = Sampling { temperature: 0.5, seed: 1, ..Sampling::default() };
    let written: Vec<i32> = (0..240).map_while(|_| generator.next_token(&sampling)).collect();
    writeln!(out, "\nit goes on with \"{prompt}\":\n{prompt}{}\n", preprocess.decode(&written))?;

    // The gates of a unit, from the weights: z = W_x x + b_x + W_h h + b_h, of each gate its own.
    let line = "the rat,\nThat ate ";
    let line = &line[..CONTEXT];
    let mut runner = Runner::<f32>::new(network.plan(Purpose::Inspect, 1), Team::single());
    runner.set_rows(1);
    runner.labels_mut(network.x).copy_from_slice(&preprocess.encode(line)?);
    runner.forward(&trained, &StepInfo::default());
    let [x, h] = [0, 1].map(|layer| runner.value(network.layers[layer].node).unwrap_or(&[]));
    let slot = |number: usize| network.graph.slots().get(network.layers[1].slots[number]);
    let [w_x, w_h, b_x, b_h] = [0, 1, 2, 3].map(|number| &trained[slot(number).range()]);
    let dot = |w: &[f32], x: &[f32]| w.iter().zip(x).map(|(w, x)| f64::from(w * x)).sum::<f64>();
    // Row k of [input, forget, candidate, output, memory, value], at every character.
    let gates = |unit: usize| {
        let mut memory = 0.0;
        let at = |t: usize| {
            let past = if t == 0 { &[0.0; UNITS][..] } else { &h[(t - 1) * UNITS..][..UNITS] };
            let z = [0, 1, 2, 3].map(|gate| {
                let row = gate * UNITS + unit;
                dot(&w_x[16 * row..][..16], &x[16 * t..])
                    + dot(&w_h[UNITS * row..][..UNITS], past)
                    + f64::from(b_x[row] + b_h[row])
            });
            let open = |z: f64| 1.0 / (1.0 + Real::exp(-z));
            let (i, f, g, o) = (open(z[0]), open(z[1]), Real::tanh(z[2]), open(z[3]));
            memory = f * memory + i * g;
            [i, f, g, o, memory, o * Real::tanh(memory)]
        };
        (0..CONTEXT).map(at).collect::<Vec<_>>()
    };
    // The unit whose forget gate goes furthest: it keeps and it clears.
    let swing = |unit: usize| {
        let forget = gates(unit).into_iter().map(|row| row[1]);
        forget.clone().fold(0.0, f64::max) - forget.fold(1.0, f64::min)
    };
    let unit = (0..UNITS).max_by(|&a, &b| swing(a).total_cmp(&swing(b))).unwrap_or(0);
    writeln!(out, "unit {unit} while it reads, / being a line's end: c = f c + i g, h = o tanh c")?;
    writeln!(out, "     i     f     g      o     c      h")?;
    let rows = gates(unit);
    for (character, [i, f, g, o, c, h]) in line.chars().zip(&rows) {
        writeln!(out, "  {} {i:.2}  {f:.2}  {g:>5.2}  {o:.2}  {c:>5.2}  {h:>5.2}", shown(character))?;
    }
    let far =
        rows.iter().enumerate().map(|(t, row)| (row[5] - f64::from(h[t * UNITS + unit])).abs()).fold(0.0, f64::max);
    writeln!(out, "by hand and by the engine the same to 6 places: {}", far < 1e-6)?;
    Ok(())
}
