//! Measures glassnet beside other Rust libraries: `cargo run --release -- COMMAND`. A command is a file here.

#[cfg(feature = "frameworks")]
mod burn_steps;
#[cfg(feature = "frameworks")]
mod candle_steps;
mod products;
#[cfg(feature = "frameworks")]
mod work;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.first().map(String::as_str) {
        Some("products") => products::run(&arguments[1..]),
        #[cfg(feature = "frameworks")]
        Some("burn") => burn_steps::run(&arguments[1..]),
        #[cfg(feature = "frameworks")]
        Some("candle") => candle_steps::run(&arguments[1..]),
        _ => Err("usage: peers COMMAND\n  products [WORD]  matrix products beside gemm, faer and matrixmultiply\n  \
            burn WORKLOAD    training steps, driven by compare.py (build with --features frameworks)\n  \
            candle WORKLOAD  the same"
            .into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
