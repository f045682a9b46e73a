//! `glassnet predict`.

use crate::error::CliError;
use crate::output::Output;

/// Arguments of `predict`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(_args: &Args, _output: &mut Output) -> Result<(), CliError> {
    Ok(())
}
