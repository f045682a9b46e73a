//! Parameters from two plain lists: the weights of all linear layers, and their biases.

use glassnet_core::Real;
use glassnet_core::slots::{Role, Slot};

use super::InspectError;
use crate::init::neutral;
use crate::network::Network;

/// The flat parameters of `network` from `w`, the weights of all linear layers in order, row by row ([units, inputs]),
/// and `b`, their biases in order. Factors of scale layers and norms are 1 and
/// running statistics 0 and 1, as at the start of training.
///
/// ```
/// use glassnet_nn::{inspect::parameters_from_flat, network::Network, spec::NetSpec};
/// let network = Network::new(&"2 -> 1 sigmoid".parse::<NetSpec>()?, None)?;
/// let parameters: Vec<f64> = parameters_from_flat(&network, &[0.7, 0.3], &[-4.0])?;
/// assert_eq!(parameters, [0.7, 0.3, -4.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Too few or too many numbers (with the layer where they do not fit), or one that is not finite.
pub fn parameters_from_flat<T: Real>(network: &Network, w: &[f64], b: &[f64]) -> Result<Vec<T>, InspectError> {
    let mut parameters = vec![T::ONE; network.parameters()];
    for slot in network.graph.slots().iter() {
        parameters[slot.range()].fill(T::from_f64(neutral(slot.role)));
    }
    fill(network, &mut parameters, w, Role::Weight, "weights")?;
    fill(network, &mut parameters, b, Role::Bias, "biases")?;
    Ok(parameters)
}

fn fill<T: Real>(
    network: &Network,
    parameters: &mut [T],
    given: &[f64],
    role: Role,
    what: &str,
) -> Result<(), InspectError> {
    let slots: Vec<&Slot> = network.graph.slots().iter().filter(|slot| slot.role == role).collect();
    let error = |message: String| {
        let needs: Vec<String> = slots
            .iter()
            .map(|slot| {
                let shape: Vec<String> = slot.shape.iter().map(usize::to_string).collect();
                format!("layer {} needs {} ({})", layer(slot), slot.len(), shape.join(" x "))
            })
            .collect();
        let hint = match needs.is_empty() {
            true => format!("give no {what}: no layer has any"),
            false => format!("{} in this order: {}", total(&slots, what), needs.join(", ")),
        };
        InspectError::Flat { message, hint }
    };
    if let Some(place) = given.iter().position(|value| !value.is_finite()) {
        return Err(error(format!("number {} of the {what} is {}, which is not finite", place + 1, given[place])));
    }
    let mut rest = given;
    for slot in &slots {
        if rest.len() < slot.len() {
            return Err(error(format!(
                "layer {} needs {} {what}, but only {} of the {} given are left for it",
                layer(slot),
                slot.len(),
                rest.len(),
                given.len()
            )));
        }
        let (own, after) = rest.split_at(slot.len());
        for (out, &value) in parameters[slot.range()].iter_mut().zip(own) {
            *out = T::from_f64(value);
        }
        rest = after;
    }
    if !rest.is_empty() {
        let last = slots.last().map_or("the network has none".to_string(), |slot| {
            format!("all layers up to {} together need {}", layer(slot), given.len() - rest.len())
        });
        return Err(error(format!("{} {what} are given, but {last}", given.len())));
    }
    Ok(())
}

fn layer(slot: &Slot) -> &str {
    slot.name.rsplit_once('.').map_or(slot.name.as_str(), |(layer, _)| layer)
}

fn total(slots: &[&Slot], what: &str) -> String {
    format!("give {} {what}", slots.iter().map(|slot| slot.len()).sum::<usize>())
}
