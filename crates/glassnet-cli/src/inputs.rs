//! Files that a command reads must survive what it writes.

use std::path::Path;

use glassnet::data::is_image_data;

use crate::error::CliError;

/// Refuses an output that is one of the inputs, by whatever name or link, or one of the images' files in an input folder.
///
/// # Errors
/// It is such a file: wrong use, and nothing was written.
pub fn keep_inputs(output: &Path, inputs: &[&str]) -> Result<(), CliError> {
    keep_inputs_from("-o", output, inputs)
}

/// The same for an output that another flag names.
///
/// # Errors
/// As [`keep_inputs`].
pub fn keep_inputs_from(flag: &str, output: &Path, inputs: &[&str]) -> Result<(), CliError> {
    let Ok(target) = std::fs::canonicalize(output) else { return Ok(()) };
    let same = |input: &&&str| {
        std::fs::canonicalize(input).is_ok_and(|input| {
            input == target
                || (input.is_dir() && target.starts_with(&input) && target.is_file() && is_image_data(&target))
        })
    };
    match inputs.iter().find(same) {
        None => Ok(()),
        Some(input) => {
            let of = if Path::new(input).is_dir() { "one of the files of the folder" } else { "the file" };
            Err(CliError::Usage(format!(
                "{flag} {}: this is {of} {input} that is read; it would be replaced\n  hint: give another name",
                output.display()
            )))
        }
    }
}
