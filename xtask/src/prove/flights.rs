//! The whole flights table through the command, from files to scores: 244,737 rows to train on, a validation and a test
//! file, and a model file that the command reads again.

use super::{Verdict, command, shared};

/// Trains on all rows and evaluates the model it wrote on the test file again.
///
/// # Errors
/// The command failed, or its numbers are not those that it should give.
pub fn run() -> Result<Verdict, String> {
    let folder = match shared("data/flights") {
        Ok(folder) => folder,
        Err(skipped) => return Ok(skipped),
    };
    let model = std::env::temp_dir().join(format!("glassnet-prove-{}.glass", std::process::id()));
    let file = |name: &str| folder.join(name).display().to_string();
    let path = model.display().to_string();
    let (train, valid, test) = (file("train.csv.gz"), file("valid.csv.gz"), file("test.csv.gz"));
    let trained = command(&["train", &train, "--target", "late15", "--valid", &valid, "--test", &test, "-o", &path])?;
    let again = command(&["evaluate", &path, &test]);
    // A file of the temporary folder; if it cannot be removed nothing is lost.
    let _ = std::fs::remove_file(&model);
    let again = again?;
    let number = |value: &serde_json::Value, part: &str, name: &str| {
        let value = if part.is_empty() { &value[name] } else { &value[part][name] };
        value.as_f64().ok_or_else(|| format!("{part} {name} is not in the command's answer"))
    };
    let rows = number(&trained, "train", "rows")?;
    if rows != 244_737.0 {
        return Err(format!("{rows} training rows instead of 244,737"));
    }
    for name in ["accuracy", "log_loss", "auc"] {
        let (first, second) = (number(&trained, "test", name)?, number(&again, "", name)?);
        println!("  test {name:<9} {first:.4}");
        if first != second {
            return Err(format!("test {name} is {first} after training and {second} from the model file"));
        }
    }
    println!("  {} epochs in {:.1} s", trained["epochs"], number(&trained, "", "seconds")?);
    Ok(Verdict::Proved)
}
