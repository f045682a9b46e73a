//! `glassnet train`.

use crate::error::CliError;
use crate::output::Output;

/// Arguments of `train`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(_args: &Args, _output: &mut Output) -> Result<(), CliError> {
    Ok(())
}
