//! The network that a spec makes: the shapes that the spec says, as many parameters as counted by hand and by PyTorch, and
//! the default draws.
#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

use glassnet_nn::layers::LayerInfo;
use glassnet_nn::network::Network;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::spec::shapes::RowShape;
use proptest::prelude::*;

fn built(text: &str, row: &RowShape, outputs: usize) -> Network {
    let spec = NetSpec::parse(text).unwrap_or_else(|error| panic!("{error}"));
    Network::for_rows(&spec, row, outputs, None).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Every shape that the spec says is the built layer's.
fn agree(text: &str, row: &RowShape, outputs: usize, steps: bool) {
    let spec = NetSpec::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let shapes = spec.shapes_of(Some(row), Some(outputs), steps).unwrap_or_else(|error| panic!("{error}"));
    let network = built(text, row, outputs);
    let find = |name: &str| -> &LayerInfo {
        network.layers.iter().find(|layer| layer.name == name).unwrap_or_else(|| panic!("{text}: no layer {name}"))
    };
    for shape in &shapes {
        let layer = find(&shape.name);
        // A linear layer reads all of an image: its input is the flattened one.
        let same = layer.input.0 == shape.takes || layer.linear.is_some() && layer.input.0 == [shape.input];
        assert!(same, "{text}: {} takes {:?}, built {:?}", shape.name, shape.takes, layer.input);
        assert_eq!(layer.output.0, shape.gives, "{text}: {}", shape.name);
    }
    assert_eq!(network.graph.node(network.output).shape.0, shapes.last().unwrap().gives, "{text}");
}

#[test]
fn a_spec_says_the_shapes_of_the_network() {
    let image = RowShape::of(&[3, 12, 10]);
    let sequence = RowShape::of(&[9, 4]);
    let tokens = RowShape::tokens(8, 11);
    for text in [
        "conv 32 5x5 relu -> maxpool 2 -> conv 64 3x3 same relu -> maxpool 2 -> 128 relu -> dropout 0.5",
        "conv 6 3x3 stride 2x1 padding 1 groups 3 no bias -> batchnorm -> relu -> global avgpool",
        "conv 8 3x3 same -> residual(conv 8 3x3 same relu -> batchnorm -> conv 8 3x3 same) -> relu -> residual(groupnorm 4 -> \
         residual(conv 8 1x1)) -> adaptivepool 2x3 -> flatten -> layernorm",
        "concat(conv 4 1x1, conv 4 3x3 same relu, conv 2 5x5 same, maxpool 3 stride 1 padding 1) -> slice 0 6 -> global maxpool",
        "transpose 0 2 -> avgpool 2 -> reshape 12x5 -> 7 relu -> mean",
        "reshape 36x10 -> positions -> attention 2 heads -> last",
        "flatten -> concat(40 relu, 20) -> scale -> swiglu 16 -> residual(60)",
        "conv 4 3x3 dilation 2 -> 5",
    ] {
        agree(text, &image, 10, false);
    }
    for text in [
        "lstm 6 2 layers bidirectional -> last",
        "gru 5 bidirectional -> residual(10 tanh -> rnn 10) -> mean",
        "conv1d 8 3 stride 2 -> batchnorm -> relu -> maxpool 2 -> rnn 3 relu -> last",
        "6 relu -> concat(lstm 3, gru 4, conv1d 2 3 same) -> layernorm -> flatten",
        "positions sinusoidal -> attention 2 heads 1 kv heads -> rmsnorm -> global avgpool",
        "groupnorm 2 -> adaptivepool 3 -> global maxpool",
    ] {
        agree(text, &sequence, 2, false);
    }
    for text in [
        "gpt 2 layers 4 heads 16",
        "gpt 2 layers 4 heads 16 2 kv heads rotary swiglu rmsnorm no bias tied dropout 0.1",
        "gpt 1 layers 1 heads 6 sinusoidal",
        "embed 6 -> lstm 5 2 layers -> 7 relu",
        "concat(embed 4, embed 3) -> gru 6",
        "embed 6 -> swiglu 9 -> unembed",
        "embed 4 init constant 0.1 -> gated 12 gelu bias -> 6 -> residual(scale -> 6)",
    ] {
        agree(text, &tokens, 11, true);
    }
    agree("embed 6 -> lstm 5 -> last", &tokens, 2, false);
    agree("embed 6 -> attention 3 heads -> mean -> 4 relu", &tokens, 2, false);
}

/// Trained numbers, as PyTorch counts the parameters of the same modules.
#[test]
fn parameters_are_as_many_as_counted() {
    let trained = |text: &str, row: &RowShape, outputs: usize| built(text, row, outputs).graph.slots().trained();
    let mnist = RowShape::of(&[1, 28, 28]);
    // 32 25 + 32, 64 32 25 + 64, 1024 128 + 128, 128 10 + 10
    let cnn = "conv 32 5x5 relu -> maxpool 2 -> conv 64 5x5 relu -> maxpool 2 -> 128 relu -> dropout 0.5";
    assert_eq!(trained(cnn, &mnist, 10), 832 + 51_264 + 131_200 + 1_290);
    // Groups see a part of the channels: 8 (4 / 2) 9.
    assert_eq!(
        trained("conv 8 3x3 groups 2 no bias -> global avgpool", &RowShape::of(&[4, 5, 5]), 3),
        8 * 2 * 9 + 8 * 3 + 3
    );
    assert_eq!(trained("batchnorm -> groupnorm 2 -> flatten", &RowShape::of(&[4, 2, 2]), 1), 8 + 8 + 17);
    let sequence = RowShape::of(&[9, 4]);
    // PyTorch's nn.LSTM(4, 6, 2, bidirectional=True): 4 gates of 6 units, two biases each.
    let one = |inputs: usize, units: usize, gates: usize| gates * (units * inputs + units * units + 2 * units);
    let lstm = 2 * one(4, 6, 4) + 2 * one(12, 6, 4);
    assert_eq!(trained("lstm 6 2 layers bidirectional -> last", &sequence, 2), lstm + 12 * 2 + 2);
    assert_eq!(trained("gru 6 -> last", &sequence, 2), one(4, 6, 3) + 14);
    assert_eq!(trained("rnn 6 no bias -> mean", &sequence, 2), 24 + 36 + 14);
    // nn.MultiheadAttention(4, 2): 3 4 4 + 3 4 for queries, keys and values, 4 4 + 4 out.
    assert_eq!(trained("attention 2 heads -> last", &sequence, 1), 4 * 20 + 5);
    assert_eq!(trained("attention 2 heads 1 kv heads no bias -> last", &sequence, 1), 16 + 8 + 8 + 16 + 5);
    assert_eq!(trained("rmsnorm -> layernorm -> last", &sequence, 1), 4 + 8 + 5);
    // As wide as the sequence that the layer is given, whatever the row's own shape.
    assert_eq!(trained("reshape 12x3 -> positions -> last", &RowShape::row(36), 1), 36 + 4);
    // GPT-2's count: V C + T C + L (12 C^2 + 13 C) + 2 C, and an output of its own: C V + V.
    let gpt = |v: usize, t: usize, l: usize, c: usize| v * c + t * c + l * (12 * c * c + 13 * c) + 2 * c;
    let (v, t, c) = (65, 64, 128);
    let tokens = RowShape::tokens(t, v);
    assert_eq!(trained("gpt 4 layers 4 heads 128", &tokens, v), gpt(v, t, 4, c) + c * v + v);
    assert_eq!(trained("gpt 4 layers 4 heads 128 tied", &tokens, v), gpt(v, t, 4, c));
    // GPT-2 small itself: 124,439,808 parameters, 768 of its 1,024 positions left out (a row of logits would be too long).
    let gpt2 = built("gpt 12 layers 12 heads 768 tied", &RowShape::tokens(256, 50_257), 50_257);
    assert_eq!(gpt2.graph.slots().trained() + 768 * 768, 124_439_808);
    // Llama's block: four maps without bias, three of the gated block (here 24 wide), two norms.
    let llama = trained("gpt 1 layers 2 heads 8 rotary swiglu rmsnorm no bias tied", &tokens, v);
    assert_eq!(llama, v * 8 + 4 * 64 + 3 * 8 * 24 + 3 * 8);
}

/// Mean and standard deviation of a slot's draws.
fn drawn(network: &Network, parameters: &[f64], name: &str) -> (f64, f64, Vec<f64>) {
    let slot = network.graph.slots().iter().find(|slot| slot.name == name);
    let slot = slot.unwrap_or_else(|| panic!("no slot {name}"));
    let values = parameters[slot.range()].to_vec();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, square.sqrt(), values)
}

/// Deviations of many draws: a mean within 4 sqrt(1/n) deviations, a deviation within 4 sqrt(1/(2n)) of its own, which a
/// right draw misses once in 16,000 times; the seed is fixed.
fn has_deviation(network: &Network, parameters: &[f64], name: &str, wanted: f64) {
    let (mean, std, values) = drawn(network, parameters, name);
    let count = values.len() as f64;
    assert!(mean.abs() < 4.0 * wanted / count.sqrt(), "{name}: mean {mean}");
    assert!((std / wanted - 1.0).abs() < 4.0 / (2.0 * count).sqrt(), "{name}: deviation {std}, not {wanted}");
}

fn are(network: &Network, parameters: &[f64], name: &str, wanted: f64) {
    assert!(drawn(network, parameters, name).2.iter().all(|value| *value == wanted), "{name}");
}

#[test]
fn the_default_draws_have_the_stated_deviations() {
    let text =
        "conv 40 3x3 groups 2 relu -> conv 30 3x3 -> batchnorm -> groupnorm 5 -> conv 20 1x1 init constant 0.3 -> 50";
    let net = built(text, &RowShape::of(&[4, 9, 9]), 10);
    let parameters = net.initialise::<f64>(3);
    let check = |name: &str, wanted: f64| has_deviation(&net, &parameters, name, wanted);
    // He: 2 / fan_in of (4 / 2) channels times 9; Xavier: 2 / (fan_in + fan_out) where no curve follows.
    check("0.weight", (2.0 / 18.0_f64).sqrt());
    check("2.weight", (2.0 / (40.0 * 9.0 + 30.0 * 9.0_f64)).sqrt());
    check("5.weight", 0.3);
    are(&net, &parameters, "0.bias", 0.0);
    are(&net, &parameters, "3.weight", 1.0);
    are(&net, &parameters, "3.bias", 0.0);
    are(&net, &parameters, "3.running_mean", 0.0);
    are(&net, &parameters, "3.running_var", 1.0);
    are(&net, &parameters, "4.weight", 1.0);

    let net = built("embed 40 -> positions -> lstm 30 -> layernorm -> rmsnorm", &RowShape::tokens(50, 60), 60);
    let parameters = net.initialise::<f64>(4);
    has_deviation(&net, &parameters, "0.weight", 1.0);
    has_deviation(&net, &parameters, "1.weight", 0.02);
    // PyTorch's: uniform in +-1/sqrt(units), so a deviation of 1/sqrt(3 units), biases too.
    let bound = 1.0 / 30.0_f64.sqrt();
    for slot in net.graph.slots().iter().filter(|slot| slot.name.starts_with("2.")) {
        let (_, std, values) = drawn(&net, &parameters, &slot.name);
        assert!(values.iter().all(|value| value.abs() <= bound), "{}", slot.name);
        assert!(
            (std * 3.0_f64.sqrt() / bound - 1.0).abs() < 4.0 / (values.len() as f64).sqrt(),
            "{}: {std}",
            slot.name
        );
    }
    are(&net, &parameters, "3.weight", 1.0);
    are(&net, &parameters, "3.bias", 0.0);
    are(&net, &parameters, "4.weight", 1.0);
}

#[test]
fn branches_of_a_gpt_end_in_smaller_draws() {
    let net = built("gpt 3 layers 2 heads 32", &RowShape::tokens(16, 20), 20);
    let parameters = net.initialise::<f64>(5);
    let check = |name: &str, wanted: f64| has_deviation(&net, &parameters, name, wanted);
    check("0.weight", 0.02);
    // Six branches: the last linear layer of each is drawn with 0.02 / sqrt(2 6).
    let end = 0.02 / 12.0_f64.sqrt();
    for branch in [2, 4, 6] {
        check(&format!("{branch}.1.query.weight"), 0.02);
        check(&format!("{branch}.1.value.weight"), 0.02);
        check(&format!("{branch}.1.out.weight"), end);
        check(&format!("{}.1.weight", branch + 1), 0.02);
        check(&format!("{}.3.weight", branch + 1), end);
    }
    let net = built(
        "conv 8 3x3 same -> residual(conv 16 3x3 same relu -> conv 8 3x3 same init constant 0.1)",
        &RowShape::of(&[8, 5, 5]),
        2,
    );
    let parameters = net.initialise::<f64>(6);
    has_deviation(&net, &parameters, "1.0.weight", (2.0 / 72.0_f64).sqrt());
    has_deviation(&net, &parameters, "1.2.weight", 0.1 / 2.0_f64.sqrt());
}

/// Pieces of a network; some of them fit each other.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("conv 4 3x3"),
        Just("conv 6 3x3 same relu"),
        Just("conv 4 2x2 stride 2 groups 2"),
        Just("conv1d 4 3"),
        Just("conv1d 6 2 stride 2 relu"),
        Just("maxpool 2"),
        Just("avgpool 3 stride 1 padding 1"),
        Just("adaptivepool 2"),
        Just("global avgpool"),
        Just("batchnorm"),
        Just("groupnorm 2"),
        Just("layernorm"),
        Just("rmsnorm"),
        Just("embed 4"),
        Just("embed 6"),
        Just("unembed"),
        Just("positions"),
        Just("attention 2 heads"),
        Just("attention 2 heads 1 kv heads rotary"),
        Just("lstm 4"),
        Just("gru 3 bidirectional 2 layers"),
        Just("last"),
        Just("mean"),
        Just("flatten"),
        Just("reshape 6x6"),
        Just("reshape 2x3x6"),
        Just("transpose 0 1"),
        Just("slice 0 2"),
        Just("4"),
        Just("6 relu"),
        Just("swiglu 5"),
        Just("dropout 0.5"),
        Just("scale"),
        Just("softmax"),
    ]
    .prop_map(str::to_owned);
    let chain = |of: BoxedStrategy<String>| proptest::collection::vec(of, 1..4).prop_map(|pieces| pieces.join(" -> "));
    piece.boxed().prop_recursive(2, 8, 3, move |inner| {
        prop_oneof![
            2 => chain(inner.clone()),
            1 => chain(inner.clone()).prop_map(|inside| format!("residual({inside})")),
            1 => (chain(inner.clone()), chain(inner)).prop_map(|(a, b)| format!("concat({a}, {b})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A spec is refused before anything is built exactly when the network cannot be built.
    #[test]
    fn the_spec_refuses_what_cannot_be_built(pieces in proptest::collection::vec(pieces(), 1..4), which in 0..4usize) {
        let row = [RowShape::row(36), RowShape::of(&[6, 6]), RowShape::of(&[2, 3, 6]), RowShape::tokens(6, 5)][which].clone();
        // A first number would be the input.
        let text = format!("linear {}", pieces.join(" -> "));
        let text = if NetSpec::parse(&text).is_ok() { text } else { pieces.join(" -> ") };
        let spec = NetSpec::parse(&text);
        prop_assume!(spec.as_ref().is_ok_and(|spec| spec.input.is_none()));
        let spec = spec.unwrap();
        let network = Network::for_rows(&spec, &row, 5, None);
        // What comes out is the data's business here: either kind of target will do.
        let shapes = match spec.shapes_of(Some(&row), Some(5), true) {
            Err(_) => spec.shapes_of(Some(&row), Some(5), false),
            shapes => shapes,
        };
        match (shapes, network) {
            (Ok(shapes), Ok(network)) => {
                prop_assert_eq!(&network.graph.node(network.output).shape.0, &shapes.last().unwrap().gives, "{}", text);
                for shape in &shapes {
                    let layer = network.layers.iter().find(|layer| layer.name == shape.name);
                    prop_assert_eq!(&layer.unwrap().output.0, &shape.gives, "{}: {}", text, shape.name);
                }
            }
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => prop_assert!(false, "{text} on {row:?}: only the builder refuses: {error}"),
            (Err(error), Ok(_)) => prop_assert!(false, "{text} on {row:?}: only the spec refuses: {error}"),
        }
    }
}
