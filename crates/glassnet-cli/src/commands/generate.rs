//! `glassnet generate`: a model of text goes on with a text.

use glassnet::core::Team;
use glassnet::model::generate::Sampling;
use serde_json::json;

use crate::error::CliError;
use crate::model_data;
use crate::output::Output;

/// Most characters that one call writes.
const MOST: usize = 100_000_000;

/// Arguments of `generate`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A model that `train --task text` wrote
    pub model: String,
    /// The text to go on with [default: a line break, where the training text had one]
    #[arg(long, value_name = "TEXT")]
    pub prompt: Option<String>,
    /// Characters to write
    #[arg(long, short = 'n', value_name = "N", default_value_t = 500)]
    pub length: usize,
    /// Below 1 likely characters get likelier, above 1 all get alike; 0 takes the likeliest always
    #[arg(long, value_name = "X", default_value_t = 1.0, allow_negative_numbers = true)]
    pub temperature: f64,
    /// Draw from the N likeliest characters only
    #[arg(long, value_name = "N")]
    pub top_k: Option<usize>,
    /// Draw from the likeliest characters that have this share together, above 0 to 1
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub top_p: Option<f64>,
    /// What the draws follow from: the same seed gives the same text
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Compute the whole window again for each character, without the key-value cache: slower, the same text
    #[arg(long)]
    pub no_cache: bool,
}

const EXAMPLES: &str = "\
Examples:
  glassnet generate play.glass --prompt \"ROMEO:\"
  glassnet generate play.glass --prompt \"ROMEO:\" --temperature 0.8 --top-k 20 --seed 3 -n 1000
  glassnet generate play.glass --temperature 0 --json

The network sees a window of the text: when it is full its older half is dropped. Characters of the prompt that training
never saw are an error that lists them.";

/// Runs it.
///
/// # Errors
/// A model that was not trained on text, a prompt with characters that it does not know, numbers out of range.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let usage = |what: String| Err(CliError::Usage(what));
    if !(args.temperature >= 0.0 && args.temperature.is_finite()) {
        return usage(format!(
            "--temperature: {} must be a number of 0 or more\n  hint: 0.8 is usual, 0 takes the likeliest",
            args.temperature
        ));
    }
    if args.top_k == Some(0) {
        return usage("--top-k: none of 0 characters can be drawn\n  hint: write 1 or more, or leave it out".into());
    }
    if let Some(p) = args.top_p.filter(|p| !(*p > 0.0 && *p <= 1.0)) {
        return usage(format!("--top-p: {p} must be above 0 and at most 1\n  hint: 0.9 is usual"));
    }
    if args.length > MOST {
        return usage(format!(
            "--length: {} is more than the {MOST} allowed\n  hint: write a smaller number",
            args.length
        ));
    }
    let model = model_data::load_model(&args.model)?;
    let Some(text) = model.text() else {
        return Err(CliError::Model(format!(
            "{}: the model was not trained on text, so it cannot go on with one\n  hint: train one: glassnet train text.txt --task text",
            args.model
        )));
    };
    let prompt = match &args.prompt {
        Some(prompt) => prompt.clone(),
        None if text.characters.contains('\n') => "\n".to_owned(),
        None => return usage("--prompt is missing, and the training text had no line break to begin with\n  hint: write --prompt \"...\"".into()),
    };
    let tokens = text.encode(&prompt).map_err(|error| CliError::Usage(format!("--prompt: {error}")))?;
    if tokens.is_empty() {
        return usage("--prompt: it is empty\n  hint: write at least one character, or leave it out".into());
    }
    let sampling = Sampling { temperature: args.temperature, top_k: args.top_k, top_p: args.top_p, seed: args.seed };
    let team = Team::single();
    let mut generator = model.generator(!args.no_cache, team)?;
    generator.feed(&tokens);
    let mut written = String::new();
    if !output.is_json() && args.prompt.is_some() {
        output.text(&prompt)?;
    }
    for _ in 0..args.length {
        let Some(token) = generator.next_token(&sampling) else {
            return Err(CliError::NonFinite(format!(
                "{}: the scores of the next character are not finite, so none can be drawn\n  hint: train the model again",
                args.model
            )));
        };
        let piece = text.decode(&[token]);
        if output.is_json() {
            written.push_str(&piece);
        } else {
            output.text(&piece)?;
        }
    }
    if output.is_json() {
        return output.result(
            "",
            &json!({
                "prompt": prompt,
                "text": written,
                "temperature": args.temperature,
                "top_k": args.top_k,
                "top_p": args.top_p,
                "seed": args.seed,
                "cache": !args.no_cache,
            }),
        );
    }
    output.text("\n")
}
