//! Convolution: one small filter that looks at every place, where a dense layer has a weight for each pixel of its own.
//! On 8 x 8 handwritten digits: shapes and parameters, a filter that was learned and what it sees, and dense networks of
//! several sizes beside it, on test images as they are and moved by one pixel.

use std::error::Error;
use std::io::Write;

use glassnet::core::{Purpose, Runner, StepInfo, Team};
use glassnet::data::{ReadOptions, read_csv};
use glassnet::model::Model;
use glassnet::model::fit::{FitOptions, Prepared};
use glassnet::model::table::{Images, Values};
use glassnet::nn::functional::load;
use glassnet::nn::train::{Batch, Silent, TrainSpec, Trainer};

const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/digits.csv.gz");
const CONVOLUTIONS: &str = "conv 8 3x3 same relu -> maxpool 2 -> conv 16 3x3 same relu -> maxpool 2";
/// Of each filter only its strongest answer, wherever that was.
const ANYWHERE: &str = "conv 16 3x3 same relu -> conv 32 3x3 same relu -> global maxpool";
/// The first rows are for training, the rest for one test.
const TRAINING: usize = 1437;

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

/// The table's rows as grey images, 8 lines of 8 pixels, 0 to 16 each: those to train on and those to test with.
fn images() -> Result<[Images; 2], Box<dyn Error>> {
    let (table, _) = read_csv(DIGITS, &ReadOptions::default())?;
    let mut columns = Vec::new();
    for column in &table.columns {
        let Values::Number(values) = &column.values else {
            return Err("the table has a column that is no number".into());
        };
        columns.push(values);
    }
    let part = |rows: std::ops::Range<usize>| Images {
        source: "digits.csv.gz".into(),
        pixels: rows.clone().flat_map(|row| columns[..64].iter().map(move |column| column[row] as u8)).collect(),
        labels: rows.clone().map(|row| columns[64][row] as u32).collect(),
        rows: rows.len(),
        height: 8,
        width: 8,
        channels: 1,
        classes: Vec::new(),
    };
    Ok([part(0..TRAINING), part(TRAINING..table.rows)])
}

/// Every image one pixel to the right; what leaves on that side is lost.
fn moved(images: &Images) -> Images {
    let line = |line: &[u8]| std::iter::once(0).chain(line[..7].iter().copied()).collect::<Vec<u8>>();
    Images { pixels: images.pixels.chunks(8).flat_map(line).collect(), ..images.clone() }
}

fn accuracy(model: &Model, images: Images) -> Result<f64, Box<dyn Error>> {
    let (encoded, rows) = model.encode_images(images, true)?;
    Ok(model.evaluate(&encoded, &rows, &Team::single())?.scores.accuracy.unwrap_or(f64::NAN))
}

/// A picture in characters: the brighter, the more ink; what is 0 or below is blank.
fn picture(values: &[f32]) -> Vec<String> {
    let top = values.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let ink = |&value: &f32| *b" .:-=+*#%@".get((value.max(0.0) / top * 9.0).round() as usize).unwrap_or(&b'@') as char;
    values.chunks(8).map(|line| line.iter().map(ink).flat_map(|ink| [ink, ink]).collect()).collect()
}

/// The lesson; what it prints goes to `out`.
pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let [train, test] = images()?;
    writeln!(out, "{} images to train on, {} for the test", train.rows, test.rows)?;
    let data = Prepared::images(train, None, &FitOptions { validation_share: None, ..FitOptions::new("label") })?;
    let mut rows = Vec::new();
    for net in [CONVOLUTIONS, ANYWHERE, "16 relu", "32 relu", "64 relu", "128 relu", "256 relu", "512 relu"] {
        let headed = data.network(&net.parse()?, None, 0.0)?;
        let network = &headed.network;
        let spec = TrainSpec { epochs: 20, batch: Batch::Rows(32), lr: 0.003, seed: 1, ..TrainSpec::default() };
        let start = network.initialise(spec.seed);
        let trainer = Trainer::new(network, start, data.train(), None, spec, Team::new(2))?;
        let model = data.model(&headed, trainer.run(&mut Silent).parameters)?;
        let scores = [accuracy(&model, test.clone())?, accuracy(&model, moved(&test))?];
        rows.push((net, network.parameters(), scores));
        if net != CONVOLUTIONS {
            continue;
        }

        writeln!(out, "\nlayer by layer, for one image [channels, lines, columns]:")?;
        for layer in &network.layers {
            let slots = layer.slots.iter().map(|&id| network.graph.slots().get(id).len());
            let (input, output, count) = (&layer.input.0, &layer.output.0, slots.sum::<usize>());
            writeln!(out, "  {:<2} {:<20} {input:?} -> {output:?}, {count} parameters", layer.name, layer.kind)?;
        }
        writeln!(out, "A filter of the first layer has 3 x 3 weights and a bias, wherever it looks: 8 x 10 = 80.")?;
        writeln!(out, "A dense layer from 64 pixels to those 8 x 64 values would have 64 x 512 + 512 = 33280.")?;

        // One image through the network, every value kept; a filter's map is one channel of the layer's value.
        let mut runner = Runner::new(network.plan(Purpose::Inspect, 1), Team::single());
        let (encoded, _) = model.encode_images(test.clone(), true)?;
        load(network, &mut runner, &encoded, &[1]);
        runner.forward(model.parameters(), &StepInfo::default());
        let pixels: Vec<f32> = test.pixels[64..128].iter().map(|&pixel| f32::from(pixel)).collect();
        let maps = runner.value(network.layers[1].node).unwrap_or(&[]);
        let weights = &model.parameters()[network.graph.slots().get(network.layers[0].slots[0]).range()];
        for filter in [0, 1] {
            writeln!(
                out,
                "\nfilter {filter}, an image (a {}), and what the filter answers after ReLU:",
                test.labels[1]
            )?;
            let filter_lines =
                weights[9 * filter..][..9].chunks(3).map(|w| format!("{:>5.2} {:>5.2} {:>5.2}", w[0], w[1], w[2]));
            let filter_lines = filter_lines.chain(std::iter::repeat(String::new()));
            let map = picture(&maps[64 * filter..][..64]);
            for ((weights, image), map) in filter_lines.zip(picture(&pixels)).zip(map) {
                writeln!(out, "  {weights:<18}|{image}|{map}|")?;
            }
        }
    }

    writeln!(out, "\n{:>10}  {:>8}  {:>8}", "parameters", "test", "moved")?;
    for (net, parameters, [plain, moved]) in &rows {
        writeln!(out, "{parameters:>10}  {plain:>8.4}  {moved:>8.4}  {net}")?;
    }
    let (_, few, [wanted, _]) = rows[0];
    match rows[2..].iter().find(|(_, _, [plain, _])| *plain >= wanted) {
        Some((net, many, _)) => {
            let times = *many as f64 / few as f64;
            writeln!(
                out,
                "The first dense network that is as good on the test: {net}, {times:.1} times as many parameters."
            )?;
        }
        None => writeln!(out, "None of the dense networks is as good.")?,
    }
    writeln!(
        out,
        "All images moved by one pixel are new to a dense layer. They are no more than moved to a filter: but where"
    )?;
    writeln!(
        out,
        "the layer behind it asks for the place, nothing is won. The second network asks what was seen, not where.\n"
    )?;
    writeln!(out, "The same on MNIST's 28 x 28 images, in a shell:")?;
    let net = "conv 32 5x5 relu -> maxpool 2 -> conv 64 5x5 relu -> maxpool 2 -> 128 relu";
    writeln!(out, "  glassnet train mnist/ --net \"{net}\"")?;
    Ok(())
}
