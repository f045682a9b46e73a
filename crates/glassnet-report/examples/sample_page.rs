//! Writes the reports of made-up runs, to look at: `cargo run -p glassnet-report --example sample_page -- FOLDER`.

#[path = "../tests/sample/mod.rs"]
mod sample;

use glassnet_report::page::render;

fn main() -> std::io::Result<()> {
    let folder = std::path::PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".into()));
    std::fs::create_dir_all(&folder)?;
    let reports = [
        ("classifier", sample::classifier()),
        ("regression", sample::regression()),
        ("digits", sample::digits()),
        ("hostile", sample::hostile()),
    ];
    for (name, data) in reports {
        let path = folder.join(format!("{name}.html"));
        std::fs::write(&path, render(&data))?;
        println!("{}", path.display());
    }
    Ok(())
}
