//! From logits to scores of classes, and from scores to one number that says how wrong they are.

use std::error::Error;
use std::io::Write;

use glassnet::core::{Real, StepInfo, Team, sum};
use glassnet::nn::functional::loss_and_gradients;
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::source::Matrix;

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    // p_i = exp(z_i) / sum of exp(z)
    let softmax = Network::new(&"3 -> softmax".parse()?, None)?;
    let z = [2.0, 1.0, 0.1];
    // glassnet's own exp: the same bits on every processor, which the platform's need not have.
    let exps = z.map(|z: f64| Real::exp(z));
    let p = softmax.forward(&[], &z)?;
    writeln!(out, "logits  {z:.3?}\nexp     {exps:.3?}, sum {:.3}\nsoftmax {p:.3?}", sum(&exps))?;

    // Adding the same number to all logits changes nothing; doubling them sharpens.
    writeln!(out, "\nplus 100: {:.3?}", softmax.forward(&[], &z.map(|z| z + 100.0))?)?;
    writeln!(out, "doubled:  {:.3?}", softmax.forward(&[], &z.map(|z| 2.0 * z))?)?;

    // Cross-entropy is -ln of the true class's score, in nats. Its gradient at the logits is (p - y): here the three
    // logits are the biases of a layer that reads nothing but zeros.
    let network = Network::new(&"1 -> 3".parse()?, Some(&LossSpec::cross_entropy()))?;
    let parameters: Vec<f64> = network.parameters_from(&[("0.weight", &[0.0; 3]), ("0.bias", &z)])?;
    writeln!(out)?;
    for class in 0..3 {
        let data = Matrix::with_labels(vec![0.0], 1, vec![class]);
        let info = StepInfo::default();
        let got = loss_and_gradients(&network, &parameters, &data, &[0], &info, &Team::single());
        let gradient = network.slot("0.bias", &got.gradients).unwrap_or(&[]);
        writeln!(out, "true class {class}: loss {:.4}, gradient of the logits {gradient:.3?}", got.loss)?;
    }

    // Who knows nothing gives every class the same score and loses ln C.
    writeln!(out)?;
    for classes in [3, 10] {
        let spec = format!("1 -> {classes} init zeros").parse()?;
        let network = Network::new(&spec, Some(&LossSpec::cross_entropy()))?;
        let data = Matrix::with_labels(vec![1.0], 1, vec![0]);
        let start = network.initialise::<f64>(0);
        let loss = loss_and_gradients(&network, &start, &data, &[0], &StepInfo::default(), &Team::single()).loss;
        writeln!(out, "{classes} classes, all logits equal: loss {loss:.4} = ln {classes}")?;
    }
    Ok(())
}
