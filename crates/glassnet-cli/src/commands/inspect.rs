//! `glassnet inspect`.

use crate::error::CliError;
use crate::output::Output;

/// Arguments of `inspect`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(_args: &Args, _output: &mut Output) -> Result<(), CliError> {
    Ok(())
}
