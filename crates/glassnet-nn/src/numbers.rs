//! A network on numbers at hand: parameters by name, rows in, values out, nothing kept. For examples, tests and a first
//! look; training and serving keep a plan and a runner and use them again.
//!
//! ```
//! use glassnet_nn::{network::Network, spec::NetSpec};
//! let network = Network::new(&"2 -> 1 sigmoid".parse::<NetSpec>()?, None)?;
//! let parameters: Vec<f64> = network.parameters_from(&[("0.weight", &[0.7, 0.3]), ("0.bias", &[-4.0])])?;
//! let score = network.forward(&parameters, &[6.0, 8.0])?;
//! assert_eq!(format!("{:.3}", score[0]), "0.931");
//! let layers = network.layer_values(&parameters, &[6.0, 8.0])?;
//! assert_eq!(format!("{:.3}", layers[0][0]), "2.600");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use glassnet_core::{Purpose, Real, Runner, StepInfo, Team};

use crate::network::Network;

/// Numbers that do not fit the network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumbersError {
    /// A flat buffer of another length.
    #[error("{found} parameters are given, but the network has {wanted}")]
    Parameters {
        /// What the network has.
        wanted: usize,
        /// What is given.
        found: usize,
    },
    /// No whole number of rows.
    #[error("{found} numbers are no whole rows: the network reads {width} a row")]
    Rows {
        /// Numbers of a row.
        width: usize,
        /// Numbers given.
        found: usize,
    },
    /// No slot of that name.
    #[error("the network has no parameters called {name}\n  hint: it has {known}")]
    NoSlot {
        /// The name given.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// Another number of values than the slot has.
    #[error("{name} is {shape:?}, so it takes {wanted} numbers, but {found} are given")]
    Slot {
        /// The slot.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Its elements.
        wanted: usize,
        /// Values given.
        found: usize,
    },
    /// Slots without values.
    #[error("no values are given for {0}")]
    Missing(String),
}

impl Network {
    /// The flat parameters from values by name, row by row: `("0.weight", [units, inputs])`, `("0.bias", [units])`. Every
    /// slot of the network must be given.
    ///
    /// # Errors
    /// A name that the network does not have, a wrong number of values, slots that are not given.
    pub fn parameters_from<T: Real>(&self, given: &[(&str, &[f64])]) -> Result<Vec<T>, NumbersError> {
        let slots = self.graph.slots();
        let mut parameters = vec![T::ZERO; slots.len()];
        for (name, values) in given {
            let Some(slot) = slots.find(name) else {
                let known: Vec<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
                return Err(NumbersError::NoSlot { name: (*name).to_string(), known: known.join(", ") });
            };
            if values.len() != slot.len() {
                return Err(NumbersError::Slot {
                    name: slot.name.clone(),
                    shape: slot.shape.clone(),
                    wanted: slot.len(),
                    found: values.len(),
                });
            }
            for (parameter, &value) in parameters[slot.range()].iter_mut().zip(*values) {
                *parameter = T::from_f64(value);
            }
        }
        let missing = slots.iter().map(|slot| slot.name.as_str());
        let missing: Vec<&str> = missing.filter(|name| given.iter().all(|(other, _)| other != name)).collect();
        if missing.is_empty() { Ok(parameters) } else { Err(NumbersError::Missing(missing.join(", "))) }
    }

    /// The elements of the slot of that name in a buffer of the parameters' layout (parameters, gradients); `None` where
    /// there is no such slot.
    pub fn slot<'a, T>(&self, name: &str, buffer: &'a [T]) -> Option<&'a [T]> {
        self.graph.slots().find(name).and_then(|slot| buffer.get(slot.range()))
    }

    /// What the last layer gives for the rows `x` ([rows, inputs]): [rows, outputs]. Dropout is off.
    ///
    /// # Errors
    /// Parameters of another length, numbers that are no whole rows.
    pub fn forward<T: Real>(&self, parameters: &[T], x: &[T]) -> Result<Vec<T>, NumbersError> {
        let runner = self.run(parameters, x, Purpose::Predict)?;
        Ok(runner.value(self.output).unwrap_or(&[]).to_vec())
    }

    /// What every layer gives for the rows `x`, in the order of [`Network::layers`]: each [rows, units]. Dropout is off.
    ///
    /// # Errors
    /// As [`Network::forward`].
    pub fn layer_values<T: Real>(&self, parameters: &[T], x: &[T]) -> Result<Vec<Vec<T>>, NumbersError> {
        let runner = self.run(parameters, x, Purpose::Inspect)?;
        Ok(self.layers.iter().map(|layer| runner.value(layer.node).unwrap_or(&[]).to_vec()).collect())
    }

    /// Puts rows of numbers into a runner; where the network reads tokens they are rounded to whole numbers, and rows of
    /// different lengths are taken as whole.
    pub fn fill<T: Real>(&self, runner: &mut Runner<T>, x: &[T]) {
        if let Some(lengths) = self.lengths {
            let whole = i32::try_from(self.inputs()).unwrap_or(i32::MAX);
            runner.labels_mut(lengths).fill(whole);
        }
        if self.reads_tokens() {
            for (token, value) in runner.labels_mut(self.x).iter_mut().zip(x) {
                *token = value.to_f64().round() as i32;
            }
            return;
        }
        for (to, &value) in runner.input_mut(self.x).iter_mut().zip(x) {
            *to = value;
        }
    }

    fn run<T: Real>(&self, parameters: &[T], x: &[T], purpose: Purpose) -> Result<Runner<T>, NumbersError> {
        let (wanted, found) = (self.parameters(), parameters.len());
        if wanted != found {
            return Err(NumbersError::Parameters { wanted, found });
        }
        let width = self.inputs();
        if !x.len().is_multiple_of(width) {
            return Err(NumbersError::Rows { width, found: x.len() });
        }
        let rows = x.len() / width;
        let mut runner = Runner::new(self.plan(purpose, rows), Team::single());
        runner.set_rows(rows);
        self.fill(&mut runner, x);
        let last = self.output.max(self.logits);
        runner.forward_to(last, parameters, &StepInfo::default());
        Ok(runner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::LossSpec;

    #[test]
    fn what_does_not_fit_is_said() {
        let network = Network::new(&"2 -> 3 relu -> 1".parse().unwrap(), Some(&LossSpec::MeanSquared)).unwrap();
        let message = |given: &[(&str, &[f64])]| network.parameters_from::<f32>(given).unwrap_err().to_string();
        assert_eq!(
            message(&[("1.weight", &[1.0])]),
            "the network has no parameters called 1.weight\n  hint: it has 0.weight, 0.bias, 2.weight, 2.bias"
        );
        assert_eq!(message(&[("0.weight", &[1.0])]), "0.weight is [3, 2], so it takes 6 numbers, but 1 are given");
        assert_eq!(message(&[("0.bias", &[1.0; 3]), ("2.bias", &[1.0])]), "no values are given for 0.weight, 2.weight");
        let parameters = vec![1.0f32; network.parameters()];
        assert_eq!(
            network.forward(&parameters, &[1.0; 5]).unwrap_err().to_string(),
            "5 numbers are no whole rows: the network reads 2 a row"
        );
        assert_eq!(
            network.forward(&parameters[1..], &[1.0; 4]).unwrap_err().to_string(),
            "12 parameters are given, but the network has 13"
        );
        // The loss's inputs are not needed: 3 relu units of 1 + 1 + 1 each, added with a bias of 1.
        assert_eq!(network.forward(&parameters, &[1.0, 1.0, 0.0, -3.0]).unwrap(), [10.0, 1.0]);
        assert_eq!(network.layer_values(&parameters, &[0.0, -3.0]).unwrap()[0], [-2.0; 3]);
        assert_eq!(network.slot("2.bias", &parameters), Some(&[1.0f32][..]));
        assert!(network.forward::<f32>(&parameters, &[]).unwrap().is_empty());
    }
}
