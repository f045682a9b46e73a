//! Training steps in burn, with its CPU backend in Rust (flex): forward, softmax cross-entropy, backward, plain SGD.

use burn::tensor::{Device, Int, Tensor, TensorData, activation, module};

use crate::work::{Draw, RATE, Work, serve};

pub fn run(arguments: &[String]) -> Result<(), String> {
    let work = Work::named(arguments.first())?;
    let device = Device::flex();
    let learns = device.clone().autodiff();
    let mut draw = Draw::new(1);
    let width = work.sizes[0];
    let x = Tensor::<2>::from_data(TensorData::new(draw.normal(work.rows * width, 1.0), [work.rows, width]), &device);
    let labels: Vec<i32> = (0..work.rows).map(|_| draw.below(work.classes()) as i32).collect();
    let y = Tensor::<1, Int>::from_data(TensorData::new(labels, [work.rows]), &device);
    let mut layers: Vec<(Tensor<2>, Tensor<1>)> = work
        .sizes
        .windows(2)
        .map(|pair| {
            let weights = draw.normal(pair[0] * pair[1], (2.0 / pair[0] as f32).sqrt());
            let weights = Tensor::from_data(TensorData::new(weights, [pair[0], pair[1]]), &learns).require_grad();
            (weights, Tensor::zeros([pair[1]], &learns).require_grad())
        })
        .collect();
    let last = layers.len() - 1;
    serve("burn 0.22", work.together, || {
        let rows: Vec<i32> = (0..work.batch).map(|_| draw.below(work.rows) as i32).collect();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [work.batch]), &device);
        let labels = y.clone().select(0, rows.clone()).reshape([work.batch, 1]);
        let mut value = Tensor::from_inner(x.clone().select(0, rows));
        for (place, (weights, bias)) in layers.iter().enumerate() {
            value = module::linear(value, weights.clone(), Some(bias.clone()));
            if place < last {
                value = activation::relu(value);
            }
        }
        let labels = Tensor::<2, Int>::from_inner(labels);
        let loss = activation::log_softmax(value, 1).gather(1, labels).mean().neg();
        let mut gradients = loss.backward();
        for (weights, bias) in &mut layers {
            let own = weights.grad_remove(&mut gradients).ok_or("no gradient of the weights")?;
            let of_bias = bias.grad_remove(&mut gradients).ok_or("no gradient of the bias")?;
            *weights = Tensor::from_inner(weights.clone().inner() - own * RATE).require_grad();
            *bias = Tensor::from_inner(bias.clone().inner() - of_bias * RATE).require_grad();
        }
        // The loss is looked at in every step.
        let _: f32 = loss.inner().into_scalar();
        Ok(())
    })
}
