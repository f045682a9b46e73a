//! Measures glassnet beside other Rust libraries: `cargo run --release -- COMMAND`. A command is a file here.

mod products;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.first().map(String::as_str) {
        Some("products") => products::run(&arguments[1..]),
        _ => {
            Err("usage: peers COMMAND\n  products [WORD]  matrix products beside gemm, faer and matrixmultiply".into())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
