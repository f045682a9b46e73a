//! Names: of the activations and of the initialisations, with their other spellings, and the nearest name to a
//! misspelt one.
//!
//! Names are compared by their [`key`]: case, spaces, `_` and `-` do not count, so `LeakyReLU`, `leaky_relu` and
//! `leaky relu` are one name.

pub use crate::nearest::{key, nearest};

use super::{Activation, Init};

/// A curve's name in the text form.
#[derive(Debug)]
pub struct ActivationName {
    /// The name that is printed.
    pub name: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// Name and default of the number that may follow.
    pub number: Option<(&'static str, f64)>,
    /// What it computes, in one line.
    pub doc: &'static str,
    /// Makes the activation from its number (the default where none was written; ignored where there is none).
    pub make: fn(f64) -> Activation,
}

/// A way of drawing weights, by its name in the text form.
#[derive(Debug)]
pub struct InitName {
    /// The name that is printed.
    pub name: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// Name and default of the number that may follow.
    pub number: Option<(&'static str, f64)>,
    /// What it draws, in one line.
    pub doc: &'static str,
    /// Makes the initialisation from its number.
    pub make: fn(f64) -> Init,
}

macro_rules! rows {
    ($kind:ident: $($name:literal [$($alias:literal),*] $number:expr, $doc:literal, $make:expr;)*) => {
        &[$($kind { name: $name, aliases: &[$($alias),*], number: $number, doc: $doc, make: $make }),*]
    };
}

/// All activations.
pub const ACTIVATIONS: &[ActivationName] = rows! { ActivationName:
    "relu" [] None, "max(0, z)", |_| Activation::Relu;
    "leaky relu" ["lrelu"] Some(("slope", 0.01)), "z above zero, slope x z below", |slope| Activation::LeakyRelu { slope };
    "elu" [] Some(("alpha", 1.0)), "z above zero, alpha (exp z - 1) below", |alpha| Activation::Elu { alpha };
    "selu" [] None, "scaled ELU, self-normalising", |_| Activation::Selu;
    "gelu" [] None, "z Phi(z), by the exact error function", |_| Activation::Gelu;
    "gelu tanh" ["gelu new", "gelu approx"] None, "GELU's tanh form", |_| Activation::GeluTanh;
    "silu" ["swish"] None, "z sigmoid(z)", |_| Activation::Silu;
    "mish" [] None, "z tanh(softplus z)", |_| Activation::Mish;
    "tanh" [] None, "hyperbolic tangent, -1 to 1", |_| Activation::Tanh;
    "sigmoid" ["logistic"] None, "1 / (1 + exp(-z)), 0 to 1", |_| Activation::Sigmoid;
    "softplus" [] None, "ln(1 + exp z)", |_| Activation::Softplus;
    "step" ["heaviside", "threshold"] None, "1 for z >= 0, else 0; it has no gradient", |_| Activation::Step;
    "softmax" [] None, "exp(z_i) / sum of exp(z), over the row", |_| Activation::Softmax;
    "log softmax" [] None, "z_i - ln of the sum of exp(z), over the row", |_| Activation::LogSoftmax;
};

/// All initialisations.
pub const INITS: &[InitName] = rows! { InitName:
    "xavier" ["xavier normal", "glorot", "glorot normal"] None,
        "normal, variance 2 / (fan_in + fan_out)", |_| Init::XavierNormal;
    "xavier uniform" ["glorot uniform"] None, "uniform, the same variance as xavier", |_| Init::XavierUniform;
    "he" ["he normal", "kaiming", "kaiming normal"] None, "normal, variance 2 / fan_in", |_| Init::HeNormal;
    "he uniform" ["kaiming uniform"] None, "uniform, the same variance as he", |_| Init::HeUniform;
    "lecun" ["lecun normal"] None, "normal, variance 1 / fan_in", |_| Init::LecunNormal;
    "lecun uniform" [] None, "uniform, the same variance as lecun", |_| Init::LecunUniform;
    "pytorch" ["torch"] None, "weight and bias uniform in +-1 / sqrt(fan_in)", |_| Init::Pytorch;
    "constant" [] Some(("std", 0.02)),
        "normal with this deviation, / sqrt(2 L) at the end of each of L residual branches", |std| Init::Constant { std };
    "zeros" ["zero"] None, "all zero", |_| Init::Zeros;
};

/// The activation of this name, by any of its spellings.
pub fn activation(name: &str) -> Option<&'static ActivationName> {
    let wanted = key(name);
    ACTIVATIONS.iter().find(|row| names_of(row.name, row.aliases).any(|name| key(name) == wanted))
}

/// The initialisation of this name, by any of its spellings.
pub fn init(name: &str) -> Option<&'static InitName> {
    let wanted = key(name);
    INITS.iter().find(|row| names_of(row.name, row.aliases).any(|name| key(name) == wanted))
}

/// Every spelling of every activation.
pub fn activation_names() -> impl Iterator<Item = &'static str> {
    ACTIVATIONS.iter().flat_map(|row| names_of(row.name, row.aliases))
}

/// Every spelling of every initialisation.
pub fn init_names() -> impl Iterator<Item = &'static str> {
    INITS.iter().flat_map(|row| names_of(row.name, row.aliases))
}

pub(super) fn names_of(
    name: &'static str,
    aliases: &'static [&'static str],
) -> impl Iterator<Item = &'static str> + use<> {
    std::iter::once(name).chain(aliases.iter().copied())
}

/// Name and number of an activation: the row of the table, and the number where it has one.
pub(super) fn activation_row(activation: Activation) -> (&'static str, Option<f64>) {
    let (name, number) = match activation {
        Activation::LeakyRelu { slope } => ("leaky relu", Some(slope)),
        Activation::Elu { alpha } => ("elu", Some(alpha)),
        Activation::Relu => ("relu", None),
        Activation::Selu => ("selu", None),
        Activation::Gelu => ("gelu", None),
        Activation::GeluTanh => ("gelu tanh", None),
        Activation::Silu => ("silu", None),
        Activation::Mish => ("mish", None),
        Activation::Tanh => ("tanh", None),
        Activation::Sigmoid => ("sigmoid", None),
        Activation::Softplus => ("softplus", None),
        Activation::Step => ("step", None),
        Activation::Softmax => ("softmax", None),
        Activation::LogSoftmax => ("log softmax", None),
    };
    (name, number)
}

/// The canonical text of an activation: its name, and its number where that differs from the default.
pub fn activation_text(function: Activation) -> String {
    let (name, number) = activation_row(function);
    let default = activation(name).and_then(|row| row.number).map(|(_, default)| default);
    match number {
        Some(number) if Some(number) != default => format!("{name} {number}"),
        _ => name.to_owned(),
    }
}

/// The canonical text of an initialisation.
pub fn init_text(init: Init) -> String {
    match init {
        Init::XavierNormal => "xavier".to_owned(),
        Init::XavierUniform => "xavier uniform".to_owned(),
        Init::HeNormal => "he".to_owned(),
        Init::HeUniform => "he uniform".to_owned(),
        Init::LecunNormal => "lecun".to_owned(),
        Init::LecunUniform => "lecun uniform".to_owned(),
        Init::Pytorch => "pytorch".to_owned(),
        Init::Constant { std } => format!("constant {std}"),
        Init::Zeros => "zeros".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_row_and_no_name_is_used_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for row in ACTIVATIONS {
            for name in names_of(row.name, row.aliases) {
                assert!(seen.insert(key(name)), "{name} is there twice");
                assert_eq!(activation(name).map(|found| found.name), Some(row.name));
            }
            assert_eq!(activation_row((row.make)(0.5)).0, row.name);
        }
        let mut seen = std::collections::BTreeSet::new();
        for row in INITS {
            for name in names_of(row.name, row.aliases) {
                assert!(seen.insert(key(name)), "{name} is there twice");
                assert_eq!(init(name).map(|found| found.name), Some(row.name));
            }
            assert!(init_text((row.make)(0.5)).starts_with(row.name));
        }
    }

    #[test]
    fn nearest_finds_slips_and_leaves_strangers() {
        assert_eq!(nearest("sigmiod", activation_names()), Some("sigmoid"));
        assert_eq!(nearest("Soft-Max", activation_names()), Some("softmax"));
        assert_eq!(nearest("leeky_relu", activation_names()), Some("leaky relu"));
        assert_eq!(nearest("", activation_names()), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("banana", activation_names()), None);
        assert_eq!(nearest(&"r".repeat(100_000), activation_names()), None);
    }
}
