//! A plan, line by line.

use std::fmt;

use super::{Pass, Plan, Region, Step};
use crate::precision::Precision;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = match self.recomputed_flops(1) {
            0 => String::new(),
            flops => format!(", {flops} of them to compute values again"),
        };
        let precision = match self.precision {
            Precision::F32 => "",
            Precision::Bf16 => ", products of linear maps in bf16",
        };
        writeln!(
            f,
            "plan to {} with up to {} rows: {} steps, {} parameters, arena of {} elements, {} FLOPs a row{again}{precision}",
            format!("{:?}", self.request.purpose).to_lowercase(),
            self.request.rows,
            self.steps.len(),
            self.parameters,
            self.arena,
            self.flops(1),
        )?;
        writeln!(
            f,
            "{:>4} {:<9} {:<10} {:<24} {:<14} {:<34} {:>10} {:>12}",
            "step",
            "pass",
            "layer",
            "operation",
            "shape",
            "reads -> writes (arena offsets)",
            "FLOPs/row",
            "elements/row"
        )?;
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(
                f,
                "{number:>4} {:<9} {:<10} {:<24} {:<14} {:<34} {:>10} {:>12}",
                format!("{:?}", step.pass).to_lowercase(),
                step.layer,
                kernel(step),
                if step.pass == Pass::Update { format!("[{}]", self.parameters) } else { step.shape.to_string() },
                operands(step),
                step.flops,
                step.row_elements,
            )?;
        }
        Ok(())
    }
}

fn kernel(step: &Step) -> String {
    let name = step.op.card().name;
    match (step.pass, &step.fused) {
        (Pass::Update, _) => "optimizer".into(),
        (Pass::Add, _) => "add gradients".into(),
        (_, Some(curve)) => format!("{name} + {}", curve.card().name),
        _ => name.into(),
    }
}

fn operands(step: &Step) -> String {
    let list = |regions: &[&Option<Region>]| -> String {
        let places: Vec<String> = regions.iter().filter_map(|region| region.map(|r| r.offset.to_string())).collect();
        if places.is_empty() { "-".into() } else { places.join(", ") }
    };
    let inputs: Vec<&Option<Region>> = step.inputs.iter().collect();
    let gradients: Vec<&Option<Region>> = step.input_gradients.iter().collect();
    match step.pass {
        Pass::Forward | Pass::Recompute => format!("{} -> {}", list(&inputs), list(&[&step.output, &step.saved])),
        Pass::Backward => {
            let mut reads = inputs;
            reads.extend([&step.output, &step.saved, &step.upstream]);
            let parameters = if step.slots.is_empty() { "" } else { " + parameters" };
            format!("{} -> {}{parameters}", list(&reads), list(&gradients))
        }
        Pass::Add => format!("{} -> {}", list(&[&step.upstream]), list(&gradients)),
        Pass::Update => "gradients -> parameters".into(),
    }
}
