//! Training steps in candle on the CPU: forward, softmax cross-entropy, backward, plain SGD.

use candle_core::{Device, Tensor, Var};
use candle_nn::loss;

use crate::work::{Draw, RATE, Work, serve};

pub fn run(arguments: &[String]) -> Result<(), String> {
    let work = Work::named(arguments.first())?;
    let wrong = |error: candle_core::Error| error.to_string();
    let device = Device::Cpu;
    let mut draw = Draw::new(1);
    let width = work.sizes[0];
    let x = Tensor::from_vec(draw.normal(work.rows * width, 1.0), (work.rows, width), &device).map_err(wrong)?;
    let labels: Vec<u32> = (0..work.rows).map(|_| draw.below(work.classes()) as u32).collect();
    let y = Tensor::from_vec(labels, work.rows, &device).map_err(wrong)?;
    let mut layers = Vec::new();
    for pair in work.sizes.windows(2) {
        // [inputs, outputs], so that the product needs no transposed copy.
        let weights = draw.normal(pair[0] * pair[1], (2.0 / pair[0] as f32).sqrt());
        let weights =
            Tensor::from_vec(weights, (pair[0], pair[1]), &device).and_then(|w| Var::from_tensor(&w)).map_err(wrong)?;
        let bias = Tensor::zeros(pair[1], candle_core::DType::F32, &device)
            .and_then(|b| Var::from_tensor(&b))
            .map_err(wrong)?;
        layers.push((weights, bias));
    }
    let last = layers.len() - 1;
    let mut step = move || -> candle_core::Result<()> {
        let rows: Vec<u32> = (0..work.batch).map(|_| draw.below(work.rows) as u32).collect();
        let rows = Tensor::from_vec(rows, work.batch, &device)?;
        let labels = y.index_select(&rows, 0)?;
        let mut value = x.index_select(&rows, 0)?;
        for (place, (weights, bias)) in layers.iter().enumerate() {
            value = value.matmul(weights)?.broadcast_add(bias)?;
            if place < last {
                value = value.relu()?;
            }
        }
        let loss = loss::cross_entropy(&value, &labels)?;
        let gradients = loss.backward()?;
        for var in layers.iter().flat_map(|(weights, bias)| [weights, bias]) {
            if let Some(gradient) = gradients.get(var) {
                var.set(&var.sub(&(gradient * RATE)?)?)?;
            }
        }
        // The loss is looked at in every step.
        let _ = loss.to_scalar::<f32>()?;
        Ok(())
    };
    serve("candle 0.11", work.together, || step().map_err(wrong))
}
