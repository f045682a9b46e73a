//! What `glassnet train` can be told.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::reading::ReadArgs;

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  glassnet train orders.csv --target late
  glassnet train orders.csv --target late --valid may.csv --test june.csv -o late.glass
  glassnet train orders.csv --target late --test june.csv --report report.html
  glassnet train orders.csv --target late --recipe tabm --time-budget 10m
  glassnet train orders.csv --target days --net \"128 relu -> 64 relu\" --epochs 30 --lr 0.003
  glassnet train orders.csv --target late --type zip=category --drop id,comment --class-weights balanced
  glassnet train mnist/ --net \"256 relu\" --epochs 5
  glassnet train mnist/ --net \"conv 32 5x5 relu -> maxpool 2 -> conv 64 5x5 relu -> maxpool 2 -> 128 relu\"
  glassnet train play.txt.gz --task text --net \"gpt 4 layers 4 heads 128\" --steps 2000
  glassnet train photos/ --augment \"flip, shift 2\"
  cat orders.csv | glassnet train - --target late --json
  glassnet train --config run.toml --seed 2
  glassnet train orders.csv --target late --checkpoint runs/late
  glassnet train --resume runs/late

What is not said is chosen and printed. A table follows the recipe for tables: four networks of other seeds, averaged and
calibrated, 256 epochs or as many as are worth their time, all of them, 20 % of the rows for validation. What the recipe fixes
(--net, --optimizer, --schedule, --loss, --early-stop ...) takes the plain one when it is said: a network of \"256 relu -> 128
relu\" (for images \"256 relu\"), Adam at learning rate 0.001. --recipe tabm is dearer and often better: 32 members in one
network that share their large weights, AdamW at learning rate 0.002, until 16 epochs bring no better validation figure, at
most 256 (--epochs says another most, --early-stop another patience). Plain tables train until 16 epochs bring no better validation
loss, at most 100 (under 5,000 rows: 20 and 300), images 10 epochs; with --epochs or --time-budget exactly that many, unless
--early-stop is given. Under a schedule that falls to a fixed end (cosine, onecycle) plain tables train 30 epochs, all of them; under plateau
early stopping waits for two falls of the rate. The weights of the epoch with the best validation figure are kept.
The same data, settings and seed give the same bytes, whatever --threads.

A config file says the same and more (given weights); flags win over it:
  [network]
  net = \"256 relu -> 128 relu\"
  [train]
  data = \"orders.csv\"
  target = \"late\"
  epochs = 20

Ctrl-C keeps the best epoch so far, writes the model and exits with 130; a second Ctrl-C ends at once. With --checkpoint the
run can go on later, also after it was killed, and ends with the model that it would have had.";

/// Arguments of `train`; they are kept in a checkpoint, but for those that say where it is.
#[derive(Debug, Clone, Default, clap::Args, Serialize, Deserialize)]
#[serde(default)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A CSV (or .csv.gz, - for standard input), an .npz or .npy, or a folder of images: IDX files such as MNIST's, CIFAR-10, or
    /// a sub-folder of PNG or JPEG files for each class
    #[arg(value_name = "DATA")]
    pub data: Option<String>,
    /// The column to predict
    #[arg(long, short, value_name = "COL")]
    pub target: Option<String>,
    /// Rows for validation; without it a share of DATA is set aside
    #[arg(long, value_name = "FILE")]
    pub valid: Option<String>,
    /// Rows for the last test; training never sees them
    #[arg(long, value_name = "FILE")]
    pub test: Option<String>,
    /// Where the model is written [default: DATA's name with .glass, in this folder]
    #[arg(long, short, visible_alias = "output", value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Settings and network as TOML; flags win over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Keep the state of the run in this folder, after each epoch and where it is interrupted, so that it can go on
    #[arg(long, value_name = "FOLDER", conflicts_with = "resume")]
    #[serde(skip)]
    pub checkpoint: Option<PathBuf>,
    /// Write the checkpoint after every N steps, in place of after each epoch
    #[arg(long, value_name = "N")]
    #[serde(skip)]
    pub every: Option<u64>,
    /// Go on with the run whose checkpoint is in this folder; it needs no other word and ends with the same bytes
    #[arg(long, value_name = "FOLDER")]
    #[serde(skip)]
    pub resume: Option<PathBuf>,

    /// What recipe is followed
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// What the network and its training are
    #[command(flatten)]
    pub training: TrainingArgs,
    /// What the columns are
    #[command(flatten)]
    pub columns: ColumnArgs,
    /// How the data is written
    #[command(flatten)]
    pub read: ReadArgs,

    /// Threads that work [default: one for each core, one for small networks]; the result does not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// The recipe, and what is done around the training.
#[derive(Debug, Clone, Default, clap::Args, Serialize, Deserialize)]
#[serde(default)]
#[command(next_help_heading = "Recipe")]
pub struct RecipeArgs {
    /// tabular (default for tables: embeddings of numbers, four networks averaged, calibrated), tabm (TabM: 32 members in one
    /// network, several times dearer) or plain (one network of --net, Adam, early stopping)
    #[arg(long, value_name = "NAME")]
    pub recipe: Option<String>,
    /// Networks of other seeds that are trained side by side and averaged [default: 4 with the tabular recipe, else 1]; of tabm
    /// the members that its network has [default: 32]
    #[arg(long, value_name = "N")]
    pub members: Option<usize>,
    /// Five networks, each validated on another fifth of the rows: every row is learned from, calibration by the rows that each left out
    #[arg(long)]
    pub best: bool,
    /// About how long training may take, such as 60s, 5m or 1h: it chooses the number of epochs before it starts
    #[arg(long, value_name = "TIME", conflicts_with_all = ["epochs", "steps"])]
    pub time_budget: Option<String>,
    /// How scores become probabilities, fitted on the validation rows: auto, temperature, affine, isotonic or off
    #[arg(long, value_name = "NAME")]
    pub calibration: Option<String>,
    /// Hold out the latest rows by this column: fit, calibrate and test in that order
    #[arg(long, value_name = "COL", conflicts_with_all = ["group", "valid"])]
    pub time: Option<String>,
    /// Keep all rows of one value of this column (a customer) in the same part
    #[arg(long, value_name = "COL", conflicts_with = "valid")]
    pub group: Option<String>,
    /// Leave the 128 training rows out of the model file that explanations compare with
    #[arg(long)]
    pub no_background: bool,
    /// Write the report of the run: one HTML page that needs nothing else, without scripts
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// The network and its training.
#[derive(Debug, Clone, Default, clap::Args, Serialize, Deserialize)]
#[serde(default)]
#[command(next_help_heading = "Network and training")]
pub struct TrainingArgs {
    /// Layers between input and output, such as "256 relu -> 128 relu"; or the full form "784 -> 256 relu -> 10"
    #[arg(long, value_name = "NET")]
    pub net: Option<String>,
    /// How the weights of linear layers are drawn, where the network does not say it: "he normal", pytorch, ...
    #[arg(long, value_name = "NAME")]
    pub init: Option<String>,
    /// Passes over the training rows
    #[arg(long, value_name = "N")]
    pub epochs: Option<String>,
    /// Optimizer steps after which the run ends, in place of epochs
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Rows of a step, or "all"
    #[arg(long, value_name = "N|all")]
    pub batch: Option<String>,
    /// Learning rate
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub lr: Option<f64>,
    /// sgd, momentum, nesterov, rmsprop, adam or adamw; "adamw 0.9 0.99" says its betas
    #[arg(long, value_name = "NAME")]
    pub optimizer: Option<String>,
    /// Momentum of sgd, nesterov or rmsprop
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub momentum: Option<f64>,
    /// Pull of the weights towards 0
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub weight_decay: Option<f64>,
    /// Course of the learning rate: constant, "step 10 0.5", cosine, onecycle, coslog4, flat_cos, plateau, "warmup 500 -> cosine"
    #[arg(long, value_name = "TEXT")]
    pub schedule: Option<String>,
    /// Longest gradient, all layers together
    #[arg(long, value_name = "X", allow_negative_numbers = true, conflicts_with = "clip_value")]
    pub clip_norm: Option<f64>,
    /// Largest element of a gradient
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub clip_value: Option<f64>,
    /// Batches whose gradients make one step
    #[arg(long, value_name = "N")]
    pub accumulate: Option<usize>,
    /// Compute activations a second time for the gradients instead of keeping them: less memory, more time, same result
    #[arg(long)]
    pub checkpoint_activations: bool,
    /// What matrix products multiply while training, sums in f32: f32 or bf16 (faster where the processor has it)
    #[arg(long, value_name = "f32|bf16")]
    pub precision: Option<String>,
    /// Stop after N epochs without a better validation loss, or "off" [default: see below]
    #[arg(long, value_name = "N|off")]
    pub early_stop: Option<String>,
    /// mse, mae, huber, cross-entropy or bce
    #[arg(long, value_name = "NAME")]
    pub loss: Option<String>,
    /// Share of a label that is spread over all classes
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub label_smoothing: Option<f64>,
    /// Weights of the classes in the loss: balanced, "yes=2,no=1", or "1,2" in the classes' order
    #[arg(long, value_name = "WEIGHTS")]
    pub class_weights: Option<String>,
    /// Share of the rows kept for validation; 0: none
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub validation_share: Option<f64>,
    /// Keep the rows in the file's order
    #[arg(long)]
    pub no_shuffle: bool,
    /// Feed numbers (and a number to predict) as they are, not standardised
    #[arg(long)]
    pub raw: bool,
    /// Change training images at random, anew in each epoch: "flip, shift 2, cutout 8", or some of it
    #[arg(long, value_name = "TEXT")]
    pub augment: Option<String>,
    /// Characters that a row of text has [default: 64]; with --task text
    #[arg(long, value_name = "N")]
    pub context: Option<usize>,
    /// Go through the text in order, each row of a batch where it ended in the batch before: truncated back-propagation
    /// through time for recurrent layers; with --task text
    #[arg(long)]
    pub streams: bool,
    /// Merge linear layers that no activation parts, after training: the model computes the same with fewer layers
    #[arg(long)]
    pub merge_affine: bool,
    /// What all random numbers follow from [default: 0]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// The columns.
#[derive(Debug, Clone, Default, clap::Args, Serialize, Deserialize)]
#[serde(default)]
#[command(next_help_heading = "Columns")]
pub struct ColumnArgs {
    /// Columns to leave out
    #[arg(long, value_name = "COLS", value_delimiter = ',')]
    pub drop: Vec<String>,
    /// What a column is, in place of what is inferred: COL=number, category, boolean, date, day-first, month-first or drop; may be repeated
    #[arg(long = "type", value_name = "COL=TYPE")]
    pub types: Vec<String>,
    /// The column of row weights
    #[arg(long, value_name = "COL")]
    pub weight_column: Option<String>,
    /// classify or regress, where the target does not make it plain; text: DATA is a text, each next character the target
    #[arg(long, value_name = "TASK")]
    pub task: Option<String>,
}
