//! What this machine has: asked before work is begun that it cannot hold.

use crate::error::CliError;
use crate::numbers::{bytes, thousands};

/// Most threads that may be asked for; the largest machines have fewer cores.
pub const MOST_THREADS: usize = 1024;

/// Bytes of memory, where the system tells.
pub fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()?.saturating_mul(1024))
}

/// Refuses work for which this machine has not the memory.
///
/// # Errors
/// It takes more than there is, with both sizes.
pub fn has(what: &str, wanted: u64, hint: &str) -> Result<(), CliError> {
    match memory() {
        Some(memory) if wanted > memory => Err(CliError::Usage(format!(
            "{what} takes {}, but this machine has {} of memory\n  hint: {hint}",
            bytes(wanted),
            bytes(memory)
        ))),
        _ => Ok(()),
    }
}

/// Refuses a network whose numbers alone this machine cannot hold: `each` bytes for every parameter. An allocation that
/// fails would end the process without a word.
///
/// # Errors
/// It takes more than there is, with both sizes.
pub fn holds(name: &str, parameters: usize, each: u64) -> Result<(), CliError> {
    let least = (parameters as u64).saturating_mul(each);
    match memory() {
        Some(memory) if least > memory => Err(CliError::Usage(format!(
            "{name}: the network has {} parameters, which take at least {}, but this machine has {} of memory\n  hint: \
             give its layers fewer units",
            thousands(parameters as u64),
            bytes(least),
            bytes(memory)
        ))),
        _ => Ok(()),
    }
}
