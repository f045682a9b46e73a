//! A vector for each word, learned from the company that the word keeps. A small language of 19 words, with words that
//! can stand for each other; a network that guesses a word from the two before and the two behind it. Only the rows of the
//! table that were looked up get a gradient; words of one kind end up side by side; and the table goes out as text.

use std::error::Error;
use std::io::Write;

use glassnet::core::random::{Draws, Purpose as Stream};
use glassnet::core::{StepInfo, Team};
use glassnet::data::{WordVectors, read_word_vectors};
use glassnet::nn::embeddings::{UnitVectors, parse};
use glassnet::nn::functional::loss_and_gradients;
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::source::Source;
use glassnet::nn::spec::shapes::RowShape;
use glassnet::nn::train::{Batch, Rows, Silent, TrainSpec, Trainer};

/// The kinds of words. A sentence is: the PERSON RULES the PLACE, the PERSON FEEDS the ANIMAL, the ANIMAL EATS the FOOD.
const KINDS: [&[&str]; 8] = [
    &["the"],
    &["king", "queen", "prince"],
    &["rules", "governs"],
    &["land", "city", "island"],
    &["feeds", "loves"],
    &["cat", "dog", "horse"],
    &["eats", "wants"],
    &["bread", "fish", "apples"],
];
const SENTENCES: [[usize; 5]; 3] = [[0, 1, 2, 0, 3], [0, 1, 4, 0, 5], [0, 5, 6, 0, 7]];
const WIDTH: usize = 6;

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

/// Rows for the training loop: the four words around a place, and the word that stands there. Any type can be a source.
struct Places(Vec<([i32; 4], i32)>);

impl Source<f32> for Places {
    fn rows(&self) -> usize {
        self.0.len()
    }
    fn width(&self) -> usize {
        4
    }
    fn features(&self, _rows: &[u32], out: &mut [f32]) {
        out.fill(f32::NAN); // its rows are tokens
    }
    fn tokens(&self, rows: &[u32], out: &mut [i32]) {
        out.chunks_exact_mut(4).zip(rows).for_each(|(out, &row)| out.copy_from_slice(&self.0[row as usize].0));
    }
    fn label(&self, row: u32) -> i32 {
        self.0[row as usize].1
    }
    fn target_width(&self) -> usize {
        1
    }
    fn values(&self, row: u32, out: &mut [f32]) {
        out.fill(self.label(row) as f32);
    }
}

/// So many sentences, each drawn by its number, cut into places. -1 is no word: it has no vector, and gets no gradient.
fn places(words: &[&str], sentences: u32) -> Places {
    let mut places = Vec::new();
    for number in 0..sentences {
        let draws = Draws::new(1, Stream::Synthetic, 0, number);
        let one_of = |draw: u64, count: usize| (draws.uniform(draw) * count as f64) as usize;
        let drawn = (1..).zip(SENTENCES[one_of(0, 3)]).map(|(draw, kind)| KINDS[kind][one_of(draw, KINDS[kind].len())]);
        let token = |word: &str| words.iter().position(|known| *known == word).map_or(-1, |at| at as i32);
        let sentence: Vec<i32> = drawn.map(token).collect();
        let at = |place: i64| usize::try_from(place).ok().and_then(|place| sentence.get(place)).copied().unwrap_or(-1);
        places.extend((0..5).map(|place| ([-2, -1, 1, 2].map(|step| at(place + step)), at(place))));
    }
    Places(places)
}

/// The lesson; what it prints goes to `out`.
pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let words: Vec<&str> = KINDS.concat();
    let places = places(&words, 600);
    let rows: Vec<u32> = (0..places.rows() as u32).collect();
    let name = |&token: &i32| usize::try_from(token).map_or("-", |token| words[token]);
    writeln!(out, "{} words, {} places in 600 sentences; the first five:", words.len(), rows.len())?;
    for row in 0..5 {
        let ([a, b, c, d], word) = &places.0[row];
        writeln!(out, "  {} {} ___ {} {}: {}", name(a), name(b), name(c), name(d), name(word))?;
    }

    let spec = format!("embed {WIDTH} init constant 0.1 -> mean over time").parse()?;
    let row = RowShape::tokens(4, words.len());
    let network = Network::for_rows(&spec, &row, words.len(), Some(&LossSpec::cross_entropy()))?;
    writeln!(out, "\n{}: {} parameters", network.spec, network.parameters())?;
    let table = network.graph.slots().get(network.layers[0].slots[0]).range();
    let start = network.initialise::<f32>(1);

    // One row's gradient: the words that it has, and no others.
    let got = loss_and_gradients(&network, &start, &places, &[1], &StepInfo::default(), &Team::single());
    let touched =
        got.gradients[table.clone()].chunks(WIDTH).zip(&words).filter(|(row, _)| row.iter().any(|g| *g != 0.0));
    let touched: Vec<&str> = touched.map(|(_, word)| *word).collect();
    writeln!(out, "rows of the table with a gradient from the second place: {}\n", touched.join(", "))?;

    let near = |parameters: &[f32], word: &str| -> Result<String, Box<dyn Error>> {
        let unit = UnitVectors::new(&parameters[table.clone()], WIDTH);
        let at = words.iter().position(|known| *known == word).ok_or("no such word")?;
        let found = unit.near(unit.get(at).ok_or("no such vector")?, &[at], 3);
        let found = found.iter().map(|near| format!("{} {:.3}", words[near.word], near.similarity));
        Ok(found.collect::<Vec<_>>().join(", "))
    };
    let spec = TrainSpec { epochs: 15, batch: Batch::Rows(32), lr: 0.01, seed: 1, ..TrainSpec::default() };
    let train = Rows { source: &places, rows: &rows };
    let outcome = Trainer::new(&network, start.clone(), train, None, spec, Team::single())?.run(&mut Silent);
    let losses: Vec<f64> = outcome.history.epochs.iter().map(|epoch| epoch.train_loss).collect();
    writeln!(out, "loss {:.3} in epoch 1, {:.3} in epoch {}", losses[0], losses[losses.len() - 1], losses.len())?;
    for word in ["cat", "queen", "city", "eats", "bread"] {
        writeln!(out, "nearest to {word:<5} before: {}", near(&start, word)?)?;
        writeln!(out, "                  after:  {}", near(&outcome.parameters, word)?)?;
    }

    // The table as the text that other programs read; each number in the fewest digits that read back to it.
    let words = words.iter().map(|word| (*word).to_string()).collect();
    let vectors = WordVectors { words, vectors: outcome.parameters[table].to_vec(), width: WIDTH };
    let path = std::env::temp_dir().join(format!("words-{}.txt", std::process::id()));
    vectors.write(&path)?;
    let read = read_word_vectors(&path.display().to_string())?.vectors;
    std::fs::remove_file(&path)?;
    writeln!(out, "\nwritten as text and read again: the same bytes: {}", read == vectors)?;
    writeln!(out, "  {}...", vectors.to_text()?.chars().take(60).collect::<String>())?;

    // A sum, as the command reads it too.
    let terms = parse("king - land + bread")?;
    let terms: Vec<(usize, bool)> =
        terms.iter().filter_map(|term| Some((read.find(&term.word)?, term.minus))).collect();
    let unit = UnitVectors::new(&read.vectors, WIDTH);
    let used: Vec<usize> = terms.iter().map(|term| term.0).collect();
    let found = unit.near(&unit.sum(&terms), &used, 3);
    let found: Vec<&str> = found.iter().map(|near| read.words[near.word].as_str()).collect();
    writeln!(out, "who is to bread what the king is to the land? {}", found.join(", "))?;
    writeln!(
        out,
        "In a shell: glassnet words vectors.txt \"king - land + bread\"; of a trained model of text, its characters:"
    )?;
    writeln!(out, "  glassnet words play.glass --near a; glassnet words play.glass -o characters.txt")?;
    Ok(())
}
