//! A tiny GPT learns rhymes by heart. One block by its shapes; what a head of attention looks at, from the queries and
//! keys by hand; that a character is blind to what follows it, to the last bit; that the cache of keys and values changes
//! nothing but the time; and what it writes.

use std::error::Error;
use std::io::Write;

use glassnet::core::{Purpose, Real, Runner, StepInfo, Team};
use glassnet::data::read_text;
use glassnet::model::Model;
use glassnet::model::generate::Sampling;
use glassnet::model::text::TextPreprocess;
use glassnet::model::windows::Windows;
use glassnet::nn::clip::Clip;
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::source::Source;
use glassnet::nn::spec::shapes::RowShape;
use glassnet::nn::train::{Batch, Rows, Silent, TrainSpec, Trainer};

const RHYMES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/rhymes.txt");
/// Characters that it sees.
const CONTEXT: usize = 48;
const WIDTH: usize = 32;
const HEADS: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

/// Runs a window, every value kept; what is missing of it is padding.
fn forward(network: &Network, parameters: &[f32], tokens: &[i32]) -> Runner<f32> {
    let mut runner = Runner::new(network.plan(Purpose::Inspect, 1), Team::single());
    runner.set_rows(1);
    let window = runner.labels_mut(network.x);
    window.fill(-1);
    window[..tokens.len()].copy_from_slice(tokens);
    runner.forward(parameters, &StepInfo::default());
    runner
}

/// The share of its look that each character gives to each one before it and to itself: softmax(q k / sqrt d), by hand.
fn attention(network: &Network, runner: &Runner<f32>, block: &str, head: usize, length: usize) -> Vec<Vec<f64>> {
    let value = |part: &str| {
        let name = format!("{block}.{part}");
        let layer = network.layers.iter().find(|layer| layer.name == name);
        layer.and_then(|layer| runner.value(layer.node)).unwrap_or(&[])
    };
    let (queries, keys, d) = (value("query"), value("key"), WIDTH / HEADS);
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let of = |values: &'_ [f32], t: usize| values[t * WIDTH + head * d..][..d].to_vec();
    let row = |t: usize| {
        let scores: Vec<f64> = (0..=t).map(|j| dot(&of(queries, t), &of(keys, j)) / (d as f64).sqrt()).collect();
        let top = scores.iter().copied().fold(f64::MIN, f64::max);
        let weights: Vec<f64> = scores.iter().map(|score| Real::exp(score - top)).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / sum).collect()
    };
    (0..length).map(row).collect()
}

/// The lesson; what it prints goes to `out`.
pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let text = read_text(RHYMES)?.text;
    let preprocess = TextPreprocess::fit(&text, CONTEXT);
    let (tokens, vocabulary) = (preprocess.encode(&text)?, preprocess.vocabulary());
    let spec = format!("gpt 2 layers {HEADS} heads {WIDTH}").parse()?;
    let row = RowShape::tokens(CONTEXT, vocabulary);
    let network = Network::for_rows(&spec, &row, vocabulary, Some(&LossSpec::cross_entropy()))?;
    writeln!(out, "{} characters, {vocabulary} different; {} parameters", tokens.len(), network.parameters())?;
    writeln!(out, "the first block, [characters, features]; residual(f) is x + f(x):")?;
    let first = |name: &str| ["2", "3"].contains(&name.split('.').next().unwrap_or_default());
    for layer in network.layers.iter().filter(|layer| first(&layer.name)) {
        let kind = layer.kind.split(" init").next().unwrap_or_default();
        writeln!(out, "  {:<11} {kind:<32} {:?} -> {:?}", layer.name, layer.input.0, layer.output.0)?;
    }

    let windows = Windows::every(tokens.as_slice().into(), CONTEXT);
    let rows: Vec<u32> = (0..Source::<f32>::rows(&windows) as u32).collect();
    let clip = Clip::Norm { max: 1.0 };
    let spec = TrainSpec {
        batch: Batch::Rows(8),
        epoch_rows: Some(800),
        epochs: 6,
        clip,
        lr: 0.005,
        seed: 1,
        ..TrainSpec::default()
    };
    let start = network.initialise::<f32>(spec.seed);
    let train = Rows { source: &windows, rows: &rows };
    let outcome = Trainer::new(&network, start.clone(), train, None, spec, Team::new(2))?.run(&mut Silent);
    let model = Model::of_text(&network, preprocess.clone(), outcome.parameters)?;
    let before = Model::of_text(&network, preprocess.clone(), start)?.evaluate_text(&text, &Team::new(2))?.perplexity;
    let after = model.evaluate_text(&text, &Team::new(2))?.perplexity;
    writeln!(
        out,
        "perplexity on what it learned from: {before:.1} before, {after:.2} after 600 steps of 8 x {CONTEXT}\n"
    )?;

    let prompt = "This is the cat,\nThat killed the ";
    let tokens = preprocess.encode(prompt)?;
    let runner = forward(&network, model.parameters(), &tokens);
    let shown: String = prompt.replace('\n', "/");
    for (block, head) in [("2.1", 0), ("4.1", 1)] {
        writeln!(
            out,
            "attention {block}, head {head}: tenths of its look that a line's character gives to a column's, . below 0.05"
        )?;
        writeln!(out, "    {shown}")?;
        let weights = attention(&network, &runner, block, head, tokens.len());
        for (character, row) in shown.chars().zip(weights).skip(tokens.len() - 12) {
            let digit = |&p: &f64| if p < 0.05 { '.' } else { char::from(b'0' + (10.0 * p).round().min(9.0) as u8) };
            writeln!(out, "  {character} {}", row.iter().map(digit).collect::<String>())?;
        }
    }

    // Another character at place 20: nothing before it may change, not a bit; all behind it may.
    let mut other = tokens.clone();
    other[20] = preprocess.encode("r")?[0];
    let changed = forward(&network, model.parameters(), &other);
    let logits = |runner: &Runner<f32>| -> Vec<Vec<u32>> {
        let all = runner.value(network.logits).unwrap_or(&[]).chunks(vocabulary).take(tokens.len());
        all.map(|step| step.iter().map(|z| z.to_bits()).collect()).collect()
    };
    let same = logits(&runner).into_iter().zip(logits(&changed)).map(|(a, b)| if a == b { '=' } else { '#' });
    writeln!(out, "\nanother character at place 20; where the scores have the same bits (=), and where not (#):")?;
    writeln!(out, "  {shown}\n  {}\n", same.collect::<String>())?;

    // Token by token with keys and values kept, and the whole window again for each: the same text, and the same bits.
    let sampling = Sampling { temperature: 0.8, seed: 3, ..Sampling::default() };
    let mut texts = Vec::new();
    for cached in [true, false] {
        let mut generator = model.generator(cached, Team::single())?;
        generator.feed(&tokens);
        let (mut written, mut bits) = (Vec::new(), Vec::new());
        for _ in 0..300 {
            bits.extend(generator.logits().iter().map(|z| z.to_bits()));
            written.extend(generator.next_token(&sampling));
        }
        texts.push((preprocess.decode(&written), bits));
    }
    writeln!(out, "300 characters with the cache and without: the same bits: {}", texts[0] == texts[1])?;
    writeln!(out, "{prompt}{}", texts[0].0)?;
    Ok(())
}
