//! What a network is made of: layers with shapes, parameters and operations; memory for training and for predicting, from
//! the plans; statistics of the weights.

use std::fmt::{self, Display, Formatter};

use glassnet_core::slots::{Role, Slot};
use glassnet_core::{Purpose, Real};
use serde::Serialize;

use super::InspectError;
use super::number::{bytes, count, significant};
use crate::layers::LayerInfo;
use crate::network::Network;
use crate::optimizer::OptimizerSpec;

/// A network in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The layers in order; a block stands before the layers inside it and counts only what is its own.
    pub layers: Vec<LayerSummary>,
    /// Trained parameters of all layers; running statistics and edges of bins are not among them.
    pub parameters: usize,
    /// Running statistics of all layers: saved with the parameters, told by batches and not trained.
    pub statistics: usize,
    /// Edges of bins of all layers: saved with the parameters, told by the training rows before the first step.
    pub edges: usize,
    /// Floating-point operations of one row, forward (a fused multiply-add counts as two; the loss not counted).
    pub flops: u64,
    /// Floating-point operations of one row, backward.
    pub flops_backward: u64,
    /// Rows at once that the memory is for.
    pub batch: usize,
    /// Type of computation.
    pub precision: &'static str,
    /// The optimizer that the training memory is for.
    pub optimizer: &'static str,
    /// Bytes for a training step.
    pub training: MemorySummary,
    /// Bytes for predicting.
    pub predicting: MemorySummary,
    /// Statistics of the parameters, slot by slot, where parameters were given.
    pub weights: Vec<SlotStatistics>,
}

/// One layer in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerSummary {
    /// Its name: `0`, `3.1`, `4.gate`.
    pub name: String,
    /// What it is: `linear 256`, `relu`.
    pub kind: String,
    /// Depth of nesting.
    pub depth: usize,
    /// Shape of a row that it reads.
    pub input: Vec<usize>,
    /// Shape of a row that it gives.
    pub output: Vec<usize>,
    /// Its own trained parameters.
    pub parameters: usize,
    /// Its own running statistics, or edges of bins.
    pub statistics: usize,
    /// Floating-point operations of one row, forward.
    pub flops: u64,
}

/// Bytes, by what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MemorySummary {
    /// The parameters.
    pub parameters: usize,
    /// Their gradients.
    pub gradients: usize,
    /// The optimizer's moments.
    pub moments: usize,
    /// Activations and their gradients.
    pub arena: usize,
    /// Class numbers.
    pub labels: usize,
    /// What operations keep from step to step: caches, carries.
    pub state: usize,
    /// What one thread works in.
    pub scratch: usize,
    /// All of it.
    pub total: usize,
}

/// The values of one slot in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlotStatistics {
    /// The slot: `0.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Mean of the finite values.
    pub mean: f64,
    /// Standard deviation of the finite values (divided by their number).
    pub deviation: f64,
    /// The smallest finite value.
    pub min: f64,
    /// The largest finite value.
    pub max: f64,
    /// Share of exact zeros among all.
    pub zeros: f64,
    /// How many are infinite or not a number.
    pub non_finite: usize,
}

impl SlotStatistics {
    fn of<T: Real>(name: &str, shape: &[usize], values: &[T]) -> Self {
        let finite: Vec<f64> = values.iter().filter(|value| value.is_finite()).map(|value| value.to_f64()).collect();
        let n = finite.len() as f64;
        let mean = finite.iter().sum::<f64>() / n;
        let squares: f64 = finite.iter().map(|value| (value - mean) * (value - mean)).sum();
        let zeros = finite.iter().filter(|&&value| value == 0.0).count();
        SlotStatistics {
            name: name.to_string(),
            shape: shape.to_vec(),
            mean,
            deviation: (squares / n).sqrt(),
            min: finite.iter().copied().fold(f64::NAN, f64::min),
            max: finite.iter().copied().fold(f64::NAN, f64::max),
            zeros: zeros as f64 / values.len() as f64,
            non_finite: values.len() - finite.len(),
        }
    }
}

/// Summarises a network that computes in `T` with `batch` rows at once and is trained by `optimizer`. `parameters` adds
/// the statistics of the weights.
///
/// The memory is that of the plans and of what the optimizer keeps, not of data, of copies of the best epoch, or of the
/// program itself.
///
/// # Errors
/// Parameters of another network.
pub fn summary<T: Real>(
    network: &Network,
    parameters: Option<&[T]>,
    batch: usize,
    optimizer: &OptimizerSpec,
) -> Result<Summary, InspectError> {
    let slots = network.graph.slots();
    let weights = match parameters {
        Some(parameters) if parameters.len() != slots.len() => {
            let (wanted, found) = (slots.len(), parameters.len());
            return Err(InspectError::Parameters { what: "parameters", wanted, found });
        }
        Some(parameters) => {
            let of = slots.iter();
            of.map(|slot| SlotStatistics::of(&slot.name, &slot.shape, &parameters[slot.range()])).collect()
        }
        None => Vec::new(),
    };
    let cost = |name: &str| {
        let nodes = network.graph.nodes().iter().filter(|node| node.layer == name);
        nodes.fold((0, 0), |(forward, backward), node| {
            let cost = node.op.cost(&network.graph.shapes(&node.inputs), &node.shape);
            (forward + cost.forward, backward + cost.backward)
        })
    };
    let statistics = |layer: &LayerInfo| {
        let own = layer.slots.iter().map(|&id| slots.get(id)).filter(|slot| slot.role.is_statistic());
        own.map(Slot::len).sum()
    };
    let layers: Vec<LayerSummary> = network
        .layers
        .iter()
        .map(|layer| LayerSummary {
            name: layer.name.clone(),
            kind: layer.kind.clone(),
            depth: layer.depth,
            input: layer.input.0.clone(),
            output: layer.output.0.clone(),
            parameters: trained(layer.slots.iter().map(|&id| slots.get(id))),
            statistics: statistics(layer),
            flops: cost(&layer.name).0,
        })
        .collect();
    let memory = |purpose: Purpose, moments: usize| {
        let memory = network.plan(purpose, batch).memory::<T>();
        MemorySummary {
            parameters: memory.parameters,
            gradients: memory.gradients,
            moments,
            arena: memory.arena,
            labels: memory.labels,
            state: memory.state,
            scratch: memory.scratch,
            total: memory.total() + moments,
        }
    };
    let edges = slots.iter().filter(|slot| slot.role == Role::Edges).map(Slot::len).sum();
    Ok(Summary {
        parameters: slots.trained(),
        statistics: slots.len() - slots.trained() - edges,
        edges,
        flops: layers.iter().map(|layer| layer.flops).sum(),
        flops_backward: network.layers.iter().map(|layer| cost(&layer.name).1).sum(),
        batch,
        precision: T::NAME,
        optimizer: optimizer.name(),
        training: memory(Purpose::Train, optimizer.memory::<T>(slots)),
        predicting: memory(Purpose::Predict, 0),
        layers,
        weights,
    })
}

/// Elements that are trained: all but running statistics.
fn trained<'a>(slots: impl Iterator<Item = &'a Slot>) -> usize {
    slots.filter(|slot| !slot.role.is_statistic()).map(Slot::len).sum()
}

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rows = self.layers.iter().map(|layer| {
            let name = format!("{}{}", "  ".repeat(layer.depth), layer.name);
            let shapes = format!("{} -> {}", shape(&layer.input), shape(&layer.output));
            [name, layer.kind.clone(), shapes, count(layer.parameters as u64), count(layer.flops)]
        });
        let total = ["all".into(), String::new(), String::new(), count(self.parameters as u64), count(self.flops)];
        table(f, ["layer", "what", "a row", "parameters", "FLOPs a row"], rows.chain([total]).collect(), 3)?;
        if self.statistics > 0 {
            writeln!(f, "+ {} running statistics", count(self.statistics as u64))?;
        }
        if self.edges > 0 {
            writeln!(f, "+ {} edges of bins, told by the training rows", count(self.edges as u64))?;
        }
        writeln!(f, "\nmemory for {} rows at once, {}", count(self.batch as u64), self.precision)?;
        for (name, memory) in [("training", &self.training), ("predicting", &self.predicting)] {
            let mut parts = vec![format!("parameters {}", bytes(memory.parameters))];
            if memory.gradients > 0 {
                parts.push(format!("gradients {}", bytes(memory.gradients)));
                parts.push(format!("{}'s moments {}", self.optimizer, bytes(memory.moments)));
            }
            parts.push(format!("activations {}", bytes(memory.arena + memory.labels)));
            if memory.state > 0 {
                parts.push(format!("kept from step to step {}", bytes(memory.state)));
            }
            if memory.scratch > 0 {
                parts.push(format!("working space {}", bytes(memory.scratch)));
            }
            writeln!(f, "  {name:10}  {:>10}: {}", bytes(memory.total), parts.join(", "))?;
        }
        if self.weights.is_empty() {
            return Ok(());
        }
        writeln!(f)?;
        let rows = self.weights.iter().map(|slot| {
            let write = |value| significant(value, 4);
            [
                slot.name.clone(),
                format!("{:?}", slot.shape),
                write(slot.mean),
                write(slot.deviation),
                write(slot.min),
                write(slot.max),
                format!("{} %", significant(100.0 * slot.zeros, 3)),
                slot.non_finite.to_string(),
            ]
        });
        table(f, ["weights", "shape", "mean", "deviation", "min", "max", "zeros", "not finite"], rows.collect(), 2)
    }
}

fn shape(axes: &[usize]) -> String {
    axes.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
}

/// Writes rows in columns: the first `left` are text, the others numbers.
fn table<const N: usize>(f: &mut Formatter<'_>, head: [&str; N], rows: Vec<[String; N]>, left: usize) -> fmt::Result {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    for row in std::iter::once(&head.map(String::from)).chain(&rows) {
        let cells = row.iter().enumerate().map(|(column, cell)| match (column < left, width(column)) {
            (true, width) => format!("{cell:width$}"),
            (false, width) => format!("{cell:>width$}"),
        });
        writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}
