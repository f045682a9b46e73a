//! What a network costs can be counted before any number is drawn: parameters from its sizes, memory and work from its
//! plan. The networks here are far too large to build; their graphs and plans are not.

use std::error::Error;
use std::io::Write;

use glassnet::core::Purpose;
use glassnet::nn::network::Network;

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    // The feed-forward block of a large language model: 8 texts of 2,048 words are 16,384 rows.
    let (rows, blocks) = (8 * 2048, 32);
    let block = "residual(16384 gelu -> 4096)";
    for count in [1, blocks] {
        let spec = format!("4096 -> {}", vec![block; count].join(" -> ")).parse()?;
        let network = Network::new(&spec, None)?;
        // A plan to inspect keeps every value, as training must keep them for the way back.
        let plan = network.plan(Purpose::Inspect, rows);
        let hidden = network.layers.iter().filter(|layer| layer.activation.is_some());
        let elements: usize =
            hidden.filter_map(|layer| plan.value(layer.node)).map(|region| region.range(rows).len()).sum();
        // Two bytes for each element, as such networks are usually run.
        writeln!(out, "{count:>2} x {block}: hidden activations {} bytes at 16 bits", 2 * elements)?;
    }

    writeln!(out)?;
    let many = format!("4096{}", " -> 4096".repeat(blocks));
    for (name, text) in [
        ("SwiGLU 4096, 16384", "4096 -> swiglu 16384"),
        ("SwiGLU 4096, 11008 (LLaMA-7B)", "4096 -> swiglu 11008"),
        ("32 linear layers of 4096", many.as_str()),
        // Looking a word's row up is multiplying by a vector that is 1 at the word and 0 elsewhere.
        ("embedding 50000 x 256", "50000 -> 256 no bias"),
    ] {
        writeln!(out, "{name:<30} {:>11} parameters", Network::new(&text.parse()?, None)?.parameters())?;
    }

    // For a network that will be built: the forecast for one step of 128 rows, in f32.
    let network = Network::for_data(
        &"784 -> 256 relu -> 10".parse()?,
        784,
        10,
        Some(&glassnet::nn::loss::LossSpec::cross_entropy()),
    )?;
    let plan = network.plan(Purpose::Train, 128);
    let memory = plan.memory::<f32>();
    writeln!(out, "\n784 -> 256 relu -> 10, one step of 128 rows:")?;
    writeln!(out, "  parameters {} bytes, gradients {} bytes", memory.parameters, memory.gradients)?;
    writeln!(out, "  arena {} bytes, labels {} bytes", memory.arena, memory.labels)?;
    writeln!(out, "  {:.1} million floating-point operations", plan.flops(128) as f64 / 1e6)?;
    Ok(())
}
