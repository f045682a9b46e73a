//! How weights are drawn, and why with that variance.
//!
//! One linear layer is `z_j = sum_i w_ji x_i + b_j`. With weights of mean 0, independent of the inputs,
//! `Var z = fan_in Var(w) E[x^2]`; and for the gradients on the way back `Var dx = fan_out Var(w) Var dz`. Each rule below
//! picks `Var(w)` so that one of these (or both, as well as can be) keeps its size from layer to layer.
//!
//! **Xavier** (Glorot and Bengio 2010). Near 0, tanh is the identity: `E[x^2]` stays if `fan_in Var(w) = 1`, gradients stay if
//! `fan_out Var(w) = 1`. Both cannot hold unless the fans are equal; the mean of the two conditions gives
//! `Var(w) = 2 / (fan_in + fan_out)`.
//!
//! **He** (He, Zhang, Ren, Sun 2015). ReLU zeroes half of a symmetric `z`, so `E[x^2] = Var(z) / 2` at the next layer's
//! input; `Var z' = fan_in Var(w) Var(z) / 2` stays if `Var(w) = 2 / fan_in`.
//!
//! **LeCun** (LeCun, Bottou, Orr, Müller 1998). Inputs standardised to `E[x^2] = 1` give `Var z = 1` if
//! `Var(w) = 1 / fan_in`. It is what SELU's fixed point (mean 0, variance 1) is derived for (Klambauer et al. 2017).
//!
//! **Uniform** in [-a, a] has variance `a^2 / 3`, so the same variance has `a = sqrt(3 Var(w))`: sqrt(6 / (fan_in + fan_out)),
//! sqrt(6 / fan_in), sqrt(3 / fan_in).
//!
//! **PyTorch's `nn.Linear`**: weight and bias uniform in +-1/sqrt(fan_in), so `Var(w) = 1 / (3 fan_in)`: each ReLU layer
//! shrinks `E[x^2]` to 1/6 of it, bias aside. It comes from `kaiming_uniform_(a = sqrt(5))`: 6 / ((1 + 5) fan_in) = 1 / fan_in.
//!
//! **Constant 0.02** (Radford et al. 2019). A residual stream `x + f(x)` adds one branch's variance at a time: after 2L
//! additions (two branches in each of L blocks) it has grown 2L-fold, and drawing the last layer of each branch with
//! `std / sqrt(2L)` takes that back. Here L counts the network's residual branches.
//!
//! **Zeros**: every unit of a layer computes the same and learns the same; a layer before it learns nothing. For
//! demonstrations and for the last layer of a branch.

use glassnet_core::ops::piecewise::Piecewise;
use glassnet_core::random::{Draws, Purpose};
use glassnet_core::slots::{Role, Slot};
use glassnet_kernels::Real;

use crate::spec::{Activation, Init};

/// The default head's weights have standard deviation `HEAD_FACTOR / sqrt(fan_in)`; its biases are 0.
///
/// With inputs of mean square 1 each logit then has variance `s^2 = HEAD_FACTOR^2 = 0.01`, and the first cross-entropy is
/// `E[ln sum_j exp z_j - z_y] = ln C + s^2 / 2 (1 - 1/C) + O(s^4)`: at most 0.005 above ln C, 0.7 % for two classes, 0.2 %
/// for ten. (He's variance would give s^2 = 2 and a first loss about 1 too high: the first steps would only unlearn
/// the head.) Smaller still would starve the layers below, whose gradients pass through these weights.
pub const HEAD_FACTOR: f64 = 0.1;

/// The sizes around a weight that its variance depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fans {
    /// Inputs of each unit.
    pub fan_in: usize,
    /// Units that each input goes to.
    pub fan_out: usize,
    /// L: the number of residual branches of the network if this is the last linear layer of one, else 0.
    /// Only [`Init::Constant`] looks at it.
    pub depth: usize,
}

impl Fans {
    /// The fans of a layer that ends no residual branch.
    pub fn new(fan_in: usize, fan_out: usize) -> Self {
        Fans { fan_in, fan_out, depth: 0 }
    }
}

/// The standard deviation of a weight.
pub fn std(init: Init, fans: Fans) -> f64 {
    let fan_in = fans.fan_in.max(1) as f64;
    let fan_out = fans.fan_out.max(1) as f64;
    match init {
        Init::XavierNormal | Init::XavierUniform => (2.0 / (fan_in + fan_out)).sqrt(),
        Init::HeNormal | Init::HeUniform => (2.0 / fan_in).sqrt(),
        Init::LecunNormal | Init::LecunUniform => (1.0 / fan_in).sqrt(),
        Init::Pytorch => (1.0 / (3.0 * fan_in)).sqrt(),
        Init::Constant { std } if fans.depth > 0 => std / (2.0 * fans.depth as f64).sqrt(),
        Init::Constant { std } => std,
        Init::Zeros => 0.0,
    }
}

/// What the default draw of the last layer of a residual branch is multiplied by, where there are `branches` of them:
/// 1 / sqrt(L). Branches drawn to keep the size of what they read would each add its variance, and L of them would double
/// the stream L times; with the factor the whole adds about as much as the stream began with (Zhang, Dauphin and Ma 2019
/// go further, to 0). An initialisation that is named is taken as it is.
pub fn branch_factor(branches: usize) -> f64 {
    1.0 / (branches.max(1) as f64).sqrt()
}

/// What fits the activation that follows a linear layer: He before the ReLU-like, LeCun before SELU, Xavier before
/// tanh, sigmoid, softmax, the step and nothing.
pub fn recommended(activation: Option<Activation>) -> Init {
    use Activation::*;
    match activation {
        Some(Relu | LeakyRelu { .. } | Elu { .. } | Gelu | GeluTanh | Silu | Mish | Softplus) => Init::HeNormal,
        Some(Selu) => Init::LecunNormal,
        Some(Step | Tanh | Sigmoid | Softmax | LogSoftmax) | None => Init::XavierNormal,
    }
}

/// Draws a slot: a weight as `init` says; a bias 0, except PyTorch's, uniform in +-1/sqrt(fan_in); a scale 1.
///
/// `number` is the slot's place in its layout: it names the stream, so a slot's draws depend on the seed and on no other
/// slot's size. Element i takes draw i, made in f64 and rounded, so f32 and f64 networks start at the same weights.
pub fn draw<T: Real>(init: Init, slot: &Slot, fans: Fans, seed: u64, number: u32, out: &mut [T]) {
    let bound = match (slot.role, init) {
        (Role::Scale | Role::RunningVariance, _) => return out.fill(T::ONE),
        (Role::RunningMean | Role::Edges, _) => return out.fill(T::ZERO),
        (Role::Bias, Init::Pytorch) | (Role::Weight | Role::Table, Init::Pytorch) => {
            1.0 / (fans.fan_in.max(1) as f64).sqrt()
        }
        (Role::Bias, _) | (Role::Weight | Role::Table, Init::Zeros) => return out.fill(T::ZERO),
        (
            Role::Weight | Role::Table,
            Init::XavierNormal | Init::HeNormal | Init::LecunNormal | Init::Constant { .. },
        ) => {
            return normal(std(init, fans), seed, number, out);
        }
        (Role::Weight | Role::Table, Init::XavierUniform | Init::HeUniform | Init::LecunUniform) => {
            3.0_f64.sqrt() * std(init, fans)
        }
    };
    let draws = Draws::new(seed, Purpose::Init, number, 0);
    for (place, out) in out.iter_mut().enumerate() {
        *out = T::from_f64((2.0 * draws.uniform(place as u64) - 1.0) * bound);
    }
}

/// Draws a slot of the default head: weights normal with `HEAD_FACTOR / sqrt(fan_in)`, biases 0, scales 1.
pub fn draw_head<T: Real>(slot: &Slot, fan_in: usize, seed: u64, number: u32, out: &mut [T]) {
    match slot.role {
        Role::Weight | Role::Table => normal(HEAD_FACTOR / (fan_in.max(1) as f64).sqrt(), seed, number, out),
        Role::Bias | Role::RunningMean | Role::Edges => out.fill(T::ZERO),
        Role::Scale | Role::RunningVariance => out.fill(T::ONE),
    }
}

/// Deviation of the frequencies of a [`Periodic`](glassnet_core::ops::periodic::Periodic) layer: numbers scaled to about +-3 then
/// turn their waves by a third of a circle or so, and training makes them faster where that pays.
pub const FREQUENCY_STD: f64 = 0.1;

/// Draws the slots of a periodic layer: frequencies normal with [`FREQUENCY_STD`], phases uniform over the circle, weights and
/// biases uniform in +-1/sqrt(waves), as RealMLP does (Holzmueller et al. 2024). `place` is the slot's place in the operation.
pub fn draw_periodic<T: Real>(place: usize, waves: usize, seed: u64, number: u32, out: &mut [T]) {
    let bound = match place {
        0 => return normal(FREQUENCY_STD, seed, number, out),
        1 => std::f64::consts::PI,
        _ => 1.0 / (waves.max(1) as f64).sqrt(),
    };
    let draws = Draws::new(seed, Purpose::Init, number, 0);
    for (place, out) in out.iter_mut().enumerate() {
        *out = T::from_f64((2.0 * draws.uniform(place as u64) - 1.0) * bound);
    }
}

/// Where the bins of a [`Piecewise`] layer begin and end as long as no rows have told its edges: numbers of deviation 1 are inside.
pub const EDGE: f64 = 3.0;

/// Draws the slots of a piecewise layer: edges evenly from -[`EDGE`] to [`EDGE`], weights 0, the line and the biases uniform in
/// +-1/sqrt(width); so each number starts as a straight line, as in version "B" of rtdl_num_embeddings (Gorishniy et al. 2022).
pub fn draw_piecewise<T: Real>(place: usize, op: &Piecewise, seed: u64, number: u32, out: &mut [T]) {
    match place {
        0 => {
            let edge = |k: usize| EDGE * (2.0 * k as f64 / op.bins.max(1) as f64 - 1.0);
            for edges in out.chunks_mut(op.bins + 1) {
                edges.iter_mut().enumerate().for_each(|(k, out)| *out = T::from_f64(edge(k)));
            }
        }
        1 => out.fill(T::ZERO),
        _ => {
            let bound = 1.0 / (op.width.max(1) as f64).sqrt();
            let draws = Draws::new(seed, Purpose::Init, number, 0);
            for (place, out) in out.iter_mut().enumerate() {
                *out = T::from_f64((2.0 * draws.uniform(place as u64) - 1.0) * bound);
            }
        }
    }
}

/// Draws +1 or -1, as likely: the factors of members, which so each see a row with other signs (TabM, Gorishniy et al. 2024).
pub fn draw_signs<T: Real>(seed: u64, number: u32, out: &mut [T]) {
    let draws = Draws::new(seed, Purpose::Init, number, 0);
    for (place, out) in out.iter_mut().enumerate() {
        *out = if draws.uniform(place as u64) < 0.5 { T::from_f64(-1.0) } else { T::ONE };
    }
}

/// What a slot holds that nothing is drawn for: 1 where it multiplies or is a variance, 0 where it is added or a mean. A norm
/// then starts as the plain normalisation.
pub fn neutral(role: Role) -> f64 {
    match role {
        Role::Bias | Role::RunningMean | Role::Edges => 0.0,
        Role::Weight | Role::Scale | Role::Table | Role::RunningVariance => 1.0,
    }
}

fn normal<T: Real>(std: f64, seed: u64, number: u32, out: &mut [T]) {
    let draws = Draws::new(seed, Purpose::Init, number, 0);
    for (place, out) in out.iter_mut().enumerate() {
        *out = T::from_f64(draws.normal(place as u64) * std);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassnet_core::slots::Slots;

    fn slots() -> Slots {
        let mut slots = Slots::default();
        slots.push("0.weight", &[256, 784], Role::Weight);
        slots.push("0.bias", &[256], Role::Bias);
        slots.push("1.scale", &[256], Role::Scale);
        slots
    }

    const FANS: Fans = Fans { fan_in: 784, fan_out: 256, depth: 0 };

    fn drawn(init: Init, name: &str, fans: Fans) -> Vec<f64> {
        let slots = slots();
        let slot = slots.find(name).unwrap();
        let mut out = vec![f64::NAN; slot.len()];
        draw(init, slot, fans, 5, 0, &mut out);
        out
    }

    /// Mean within five standard errors of 0; variance within five of its own (kurtosis 3 for normals, 1.8 for uniforms).
    fn assert_moments(x: &[f64], variance: f64, kurtosis: f64) {
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        assert!(mean.abs() < 5.0 * (variance / n).sqrt(), "mean {mean}");
        let found = x.iter().map(|x| x * x).sum::<f64>() / n;
        let error = variance * ((kurtosis - 1.0) / n).sqrt();
        assert!((found - variance).abs() < 5.0 * error, "variance {found}, wanted {variance}");
    }

    #[test]
    fn each_rule_has_its_variance_on_784_to_256() {
        let table = [
            (Init::XavierNormal, 2.0 / 1040.0, 3.0),
            (Init::XavierUniform, 2.0 / 1040.0, 1.8),
            (Init::HeNormal, 2.0 / 784.0, 3.0),
            (Init::HeUniform, 2.0 / 784.0, 1.8),
            (Init::LecunNormal, 1.0 / 784.0, 3.0),
            (Init::LecunUniform, 1.0 / 784.0, 1.8),
            (Init::Pytorch, 1.0 / (3.0 * 784.0), 1.8),
            (Init::Constant { std: 0.02 }, 0.0004, 3.0),
        ];
        for (init, variance, kurtosis) in table {
            assert_moments(&drawn(init, "0.weight", FANS), variance, kurtosis);
            assert!((std(init, FANS).powi(2) / variance - 1.0).abs() < 1e-12, "{init:?}");
        }
    }

    #[test]
    fn uniforms_fill_their_bounds_and_stay_inside() {
        let table = [
            (Init::XavierUniform, (6.0_f64 / 1040.0).sqrt()),
            (Init::HeUniform, (6.0_f64 / 784.0).sqrt()),
            (Init::LecunUniform, (3.0_f64 / 784.0).sqrt()),
            (Init::Pytorch, 1.0 / 28.0),
        ];
        for (init, bound) in table {
            let x = drawn(init, "0.weight", FANS);
            let (low, high) = x.iter().fold((0.0_f64, 0.0_f64), |(l, h), &x| (l.min(x), h.max(x)));
            assert!(low >= -bound * (1.0 + 1e-12) && high <= bound * (1.0 + 1e-12), "{init:?} {low} {high}");
            assert!(low < -0.999 * bound && high > 0.999 * bound, "{init:?} {low} {high}");
        }
    }

    #[test]
    fn the_end_of_a_residual_branch_is_smaller_by_the_root_of_2l() {
        let fans = Fans { depth: 8, ..FANS };
        assert_moments(&drawn(Init::Constant { std: 0.02 }, "0.weight", fans), 0.0004 / 16.0, 3.0);
        assert_eq!(std(Init::HeNormal, fans), std(Init::HeNormal, FANS));
    }

    #[test]
    fn biases_are_zero_but_pytorchs() {
        assert!(drawn(Init::HeNormal, "0.bias", FANS).iter().all(|&b| b == 0.0));
        assert!(drawn(Init::Constant { std: 0.02 }, "0.bias", FANS).iter().all(|&b| b == 0.0));
        assert_moments(&drawn(Init::Pytorch, "0.bias", FANS), 1.0 / (3.0 * 784.0), 1.8);
    }

    #[test]
    fn zeros_are_zero_and_scales_one() {
        assert!(drawn(Init::Zeros, "0.weight", FANS).iter().all(|&w| w == 0.0));
        assert!(drawn(Init::Zeros, "1.scale", FANS).iter().all(|&s| s == 1.0));
    }

    #[test]
    fn draws_depend_on_seed_and_slot_and_f32_is_the_rounded_f64() {
        let slots = slots();
        let slot = slots.find("0.weight").unwrap();
        let of = |seed, number| {
            let mut out = vec![0.0_f64; slot.len()];
            draw(Init::HeNormal, slot, FANS, seed, number, &mut out);
            out
        };
        let base = of(1, 0);
        assert_eq!(base, of(1, 0));
        assert_ne!(base, of(2, 0));
        assert_ne!(base, of(1, 1));
        let mut single = vec![0.0_f32; slot.len()];
        draw(Init::HeNormal, slot, FANS, 1, 0, &mut single);
        assert!(single.iter().zip(&base).all(|(&s, &d)| s == d as f32));
    }

    #[test]
    fn with_the_small_head_the_first_loss_is_near_ln_c() {
        // 64 rows of 256 inputs of mean square 1 through a head of 10 classes.
        let mut slots = Slots::default();
        slots.push("2.weight", &[10, 256], Role::Weight);
        let mut w = vec![0.0_f64; 2560];
        draw_head(slots.find("2.weight").unwrap(), 256, 3, 0, &mut w);
        assert_moments(&w, HEAD_FACTOR.powi(2) / 256.0, 3.0);
        let x = Draws::new(3, Purpose::Synthetic, 0, 0);
        let mut loss = 0.0;
        for row in 0..64_u64 {
            let z: Vec<f64> =
                (0..10).map(|j| (0..256).map(|i| w[j * 256 + i] * x.normal(row * 256 + i as u64)).sum()).collect();
            loss += Real::ln(z.iter().map(|&z| Real::exp(z)).sum::<f64>()) - z[row as usize % 10];
        }
        let ln_c = Real::ln(10.0);
        assert!((loss / 64.0 / ln_c - 1.0).abs() < 0.03, "{}", loss / 64.0);
    }

    #[test]
    fn the_rule_follows_the_activation() {
        assert_eq!(recommended(Some(Activation::Relu)), Init::HeNormal);
        assert_eq!(recommended(Some(Activation::Selu)), Init::LecunNormal);
        assert_eq!(recommended(Some(Activation::Tanh)), Init::XavierNormal);
        assert_eq!(recommended(None), Init::XavierNormal);
    }
}
