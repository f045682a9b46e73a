//! The character-level GPT of tinyshakespeare through the command, as nanoGPT trains it on a CPU: the settings of
//! `benches/peers/gpt_shakespeare.py`, which shows PyTorch with the same ones beside it.

use super::{Verdict, command, shared};

const SEEDS: [&str; 3] = ["1", "2", "3"];
/// Nats a character on the last tenth of the text, over all of it.
const BAR: f64 = 1.90;
/// Characters of the text; of its last tenth all but the first are predicted.
const CHARACTERS: u64 = 1_115_394;

/// Prints a line for each run; fails where one misses the bar.
///
/// # Errors
/// The command failed, or its loss is above the bar.
pub fn run() -> Result<Verdict, String> {
    let text = match shared("data/shakespeare/input.txt.gz") {
        Ok(path) => path.display().to_string(),
        Err(skipped) => return Ok(skipped),
    };
    let model = std::env::temp_dir().join(format!("glassnet-prove-{}.glass", std::process::id()));
    let out = model.display().to_string();
    println!("  {:>4} {:>12} {:>9} {:>9} {:>9} {:>9}", "seed", "parameters", "loss", "bits", "first", "seconds");
    let mut missed = Vec::new();
    for seed in SEEDS {
        let settings = [
            "train",
            &text,
            "--task",
            "text",
            "--net",
            "gpt 4 layers 4 heads 128",
            "--context",
            "64",
            "--batch",
            "12",
            "--steps",
            "2000",
            "--optimizer",
            "adamw",
            "--lr",
            "0.001",
            "--weight-decay",
            "0.1",
            "--schedule",
            "warmup 100 -> cosine 0.1",
            "--clip-norm",
            "1",
            "--validation-share",
            "0.1",
            "--seed",
            seed,
            "--out",
            &out,
        ];
        let found = command(&settings);
        // A file of the temporary folder; if it cannot be removed nothing is lost.
        let _ = std::fs::remove_file(&model);
        let found = found?;
        let number = |value: &serde_json::Value, name: &str| value[name].as_f64().ok_or(format!("no {name}"));
        let loss = number(&found["valid"], "loss")?;
        println!(
            "  {seed:>4} {:>12} {loss:>9.4} {:>9.4} {:>9.4} {:>9.1}",
            found["parameters"],
            number(&found["valid"], "bits_per_character")?,
            number(&found, "first_loss")?,
            number(&found, "seconds")?
        );
        let (read, predicted) = (&found["understood"]["characters"], &found["valid"]["characters"]);
        if read.as_u64() != Some(CHARACTERS) || predicted.as_u64() != Some(CHARACTERS.div_ceil(10) - 1) {
            missed.push(format!("seed {seed}: {read} characters and {predicted} of them predicted"));
        }
        if loss > BAR {
            missed.push(format!("seed {seed}: {loss:.4} nats, the bar is {BAR}"));
        }
    }
    if missed.is_empty() { Ok(Verdict::Proved) } else { Err(missed.join("; ")) }
}
