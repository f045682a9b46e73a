//! The text form: what it means, the canonical text, widths, and the model file's JSON.

use glassnet_nn::spec::{Activation, Init, LayerSpec, NetSpec, items, names};
use proptest::prelude::*;

fn linear(units: usize, bias: bool, init: Option<Init>) -> LayerSpec {
    LayerSpec::Linear { units, bias, init, weight: None, bias_values: None }
}

fn curve(function: Activation) -> LayerSpec {
    LayerSpec::Activation { function }
}

fn gated(hidden: usize, bias: bool, activation: Activation) -> LayerSpec {
    LayerSpec::Gated { hidden, bias, activation }
}

fn residual(layers: Vec<LayerSpec>) -> LayerSpec {
    LayerSpec::Residual { layers }
}

/// (text, input, layers, canonical text)
fn good() -> Vec<(&'static str, Option<usize>, Vec<LayerSpec>, &'static str)> {
    use Activation::*;
    let plain = LayerSpec::linear;
    let (he, uniform) = (Some(Init::HeNormal), Some(Init::XavierUniform));
    vec![
        ("", None, vec![], "linear"),
        (" \n ", None, vec![], "linear"),
        ("Linear", None, vec![], "linear"),
        ("256 relu", None, vec![plain(256), curve(Relu)], "256 relu"),
        ("256relu", None, vec![plain(256), curve(Relu)], "256 relu"),
        ("256 -> relu", Some(256), vec![curve(Relu)], "256 -> relu"),
        ("256", None, vec![plain(256)], "256"),
        ("256 linear", None, vec![plain(256)], "256"),
        ("relu", None, vec![curve(Relu)], "relu"),
        ("relu -> 256", None, vec![curve(Relu), plain(256)], "relu -> 256"),
        ("784->256 relu->10", Some(784), vec![plain(256), curve(Relu), plain(10)], "784 -> 256 relu -> 10"),
        ("784 → 10", Some(784), vec![plain(10)], "784 -> 10"),
        ("2 -> 1 sigmoid", Some(2), vec![plain(1), curve(Sigmoid)], "2 -> 1 sigmoid"),
        ("input 784 -> 10", Some(784), vec![plain(10)], "784 -> 10"),
        ("input 784", Some(784), vec![], "input 784"),
        ("linear 256 -> 10", None, vec![plain(256), plain(10)], "linear 256 -> 10"),
        ("dense 3 tanh -> 2", None, vec![plain(3), curve(Tanh), plain(2)], "3 tanh -> 2"),
        ("256 no bias -> 10", None, vec![linear(256, false, None), plain(10)], "256 no bias -> 10"),
        ("8 NO_BIAS init He relu", None, vec![linear(8, false, he), curve(Relu)], "8 relu no bias init he"),
        ("8 with bias init kaiming", None, vec![linear(8, true, he)], "8 init he"),
        ("8 init Xavier-Uniform mish", None, vec![linear(8, true, uniform), curve(Mish)], "8 mish init xavier uniform"),
        ("8 init constant", None, vec![linear(8, true, Some(Init::Constant { std: 0.02 }))], "8 init constant 0.02"),
        (
            "8 init constant 1e-3",
            None,
            vec![linear(8, true, Some(Init::Constant { std: 1e-3 }))],
            "8 init constant 0.001",
        ),
        ("8 init zeros", None, vec![linear(8, true, Some(Init::Zeros))], "8 init zeros"),
        ("8 leaky relu", None, vec![plain(8), curve(LeakyRelu { slope: 0.01 })], "8 leaky relu"),
        ("8 leaky_relu 0.2", None, vec![plain(8), curve(LeakyRelu { slope: 0.2 })], "8 leaky relu 0.2"),
        ("8 LeakyReLU .2", None, vec![plain(8), curve(LeakyRelu { slope: 0.2 })], "8 leaky relu 0.2"),
        (
            "8 leaky relu -0.5->2",
            None,
            vec![plain(8), curve(LeakyRelu { slope: -0.5 }), plain(2)],
            "8 leaky relu -0.5 -> 2",
        ),
        ("8 elu 0.5", None, vec![plain(8), curve(Elu { alpha: 0.5 })], "8 elu 0.5"),
        ("8 GELU Tanh", None, vec![plain(8), curve(GeluTanh)], "8 gelu tanh"),
        ("8 gelu -> tanh", None, vec![plain(8), curve(Gelu), curve(Tanh)], "8 gelu -> tanh"),
        ("8 swish", None, vec![plain(8), curve(Silu)], "8 silu"),
        ("8 log softmax", None, vec![plain(8), curve(LogSoftmax)], "8 log softmax"),
        ("8 log-softmax", None, vec![plain(8), curve(LogSoftmax)], "8 log softmax"),
        ("8 LogSoftMax", None, vec![plain(8), curve(LogSoftmax)], "8 log softmax"),
        ("8 log_soft max", None, vec![plain(8), curve(LogSoftmax)], "8 log softmax"),
        (
            "8 relu -> dropout 0.5",
            None,
            vec![plain(8), curve(Relu), LayerSpec::Dropout { p: 0.5 }],
            "8 relu -> dropout 0.5",
        ),
        ("dropout 0 -> Scale", None, vec![LayerSpec::Dropout { p: 0.0 }, LayerSpec::Scaling], "dropout 0 -> scale"),
        (
            "8 -> residual ( 16 relu -> 8 ) -> 1",
            Some(8),
            vec![residual(vec![plain(16), curve(Relu), plain(8)]), plain(1)],
            "8 -> residual(16 relu -> 8) -> 1",
        ),
        ("residual(8 -> 8)", None, vec![residual(vec![plain(8), plain(8)])], "residual(8 -> 8)"),
        ("residual(residual(4))", None, vec![residual(vec![residual(vec![plain(4)])])], "residual(residual(4))"),
        ("swiglu 512", None, vec![gated(512, false, Silu)], "swiglu 512"),
        ("SwiGLU 512 bias", None, vec![gated(512, true, Silu)], "swiglu 512 bias"),
        ("gated 512", None, vec![gated(512, false, Silu)], "swiglu 512"),
        ("gated 512 bias gelu", None, vec![gated(512, true, Gelu)], "gated 512 gelu bias"),
    ]
}

#[test]
fn good_texts_mean_what_they_say() {
    for (text, input, layers, canonical) in good() {
        let wanted = NetSpec { input, layers, ..NetSpec::default() };
        assert_eq!(text.parse::<NetSpec>().as_ref(), Ok(&wanted), "{text:?}");
        assert_eq!(wanted.to_string(), canonical, "{text:?}");
        assert_eq!(wanted.is_full(), input.is_some());
        assert_eq!(NetSpec::parse(canonical), Ok(wanted), "{canonical:?}");
    }
}

#[test]
fn every_name_of_the_tables_is_read() {
    for name in names::activation_names() {
        for text in [name.to_uppercase(), name.replace(' ', "_"), name.replace(' ', "-"), name.replace(' ', "")] {
            assert_eq!(NetSpec::parse(&text), NetSpec::parse(name), "{text}");
            assert_eq!(NetSpec::parse(&text).unwrap().layers.len(), 1);
        }
    }
    for name in names::init_names() {
        let net = NetSpec::parse(&format!("3 init {name} relu")).unwrap();
        assert!(matches!(net.layers[0], LayerSpec::Linear { init: Some(_), .. }), "{name}");
        assert_eq!(net.layers.len(), 2, "{name}");
    }
    for row in items::ITEMS {
        assert!(NetSpec::parse(row.syntax).is_ok(), "{}", row.syntax);
        for name in [row.name].iter().chain(row.aliases) {
            assert!(row.syntax.starts_with(row.name));
            let text = row.syntax.replacen(row.name, name, 1);
            assert_eq!(NetSpec::parse(&text), NetSpec::parse(row.syntax), "{text}");
        }
    }
}

#[test]
fn widths_are_known_layer_by_layer() {
    let net =
        NetSpec::parse("784 -> 256 leaky relu 0.2 no bias -> residual(gated 9 -> 256) -> dropout 0.5 -> 10").unwrap();
    let shapes = net.shapes(784, 10).unwrap();
    let shown: Vec<String> = shapes
        .iter()
        .map(|layer| format!("{} | {} | {} -> {}", layer.name, layer.text, layer.input, layer.output))
        .collect();
    let wanted = [
        "0 | 256 no bias | 784 -> 256",
        "1 | leaky relu 0.2 | 256 -> 256",
        "2 | residual(swiglu 9 -> 256) | 256 -> 256",
        "2.0 | swiglu 9 | 256 -> 256",
        "2.1 | 256 | 256 -> 256",
        "3 | dropout 0.5 | 256 -> 256",
        "4 | 10 | 256 -> 10",
    ];
    assert_eq!(shown, wanted);
    assert_eq!(net.shapes(None, None).unwrap(), shapes);
    assert_eq!(net.output(), Some(10));
}

#[test]
fn the_hidden_form_gets_the_datas_output() {
    let linear = NetSpec::parse("linear").unwrap().shapes(4, 3).unwrap();
    assert_eq!((linear.len(), linear[0].input, linear[0].output, linear[0].text.as_str()), (1, 4, 3, "output"));
    let net = NetSpec::parse("5 relu -> residual(5)").unwrap().shapes(4, 3).unwrap();
    let last = net.last().unwrap();
    assert_eq!((last.name.as_str(), last.input, last.output), ("3", 5, 3));
    assert_eq!(NetSpec::parse("relu").unwrap().output(), None);
}

#[test]
fn a_spec_from_elsewhere_is_checked_too() {
    let message = |layer| {
        let net = NetSpec { input: Some(2), layers: vec![layer], ..NetSpec::default() };
        net.shapes(None, None).unwrap_err().message().to_owned()
    };
    assert_eq!(message(LayerSpec::linear(0)), "layer 0: dense dimensions must be positive, got 0");
    assert_eq!(
        message(gated(usize::MAX, false, Activation::Silu)),
        format!("layer 0: {} is too large for a layer", usize::MAX)
    );
    assert_eq!(
        message(LayerSpec::Dropout { p: f64::NAN }),
        "layer 0: a dropout probability is from 0 to below 1, got NaN"
    );
    assert_eq!(message(curve(Activation::Elu { alpha: f64::INFINITY })), "layer 0: elu inf: its number must be finite");
    assert_eq!(message(residual(vec![])), "layer 0: residual() has no layer inside");
    let given = |weight: Vec<Vec<f64>>| LayerSpec::Linear {
        units: 1,
        bias: true,
        init: None,
        weight: Some(weight),
        bias_values: None,
    };
    assert_eq!(message(given(vec![])), "layer 0: the given weights have shape [0, 0], the layer needs [1, 2]");
    assert_eq!(message(given(vec![vec![1.0, f64::NAN]])), "layer 0: the given weight in row 1, column 2 is NaN");
    let mut layer = LayerSpec::Scaling;
    for _ in 0..33 {
        layer = residual(vec![layer]);
    }
    assert_eq!(message(layer), "residual blocks are nested more than 32 deep");
    let none = NetSpec { input: Some(0), layers: vec![], ..NetSpec::default() };
    assert_eq!(none.shapes(None, None).unwrap_err().message(), "dense dimensions must be positive, got 0");
}

/// The model file keeps a spec as this JSON: files that were written must stay readable.
#[test]
fn the_json_of_the_model_file_stays() {
    let text = "2 -> 3 leaky relu 0.2 no bias init constant 0.02 -> dropout 0.5 -> scale -> \
                residual(3 gelu tanh init he uniform -> 3) -> gated 4 relu -> 1 sigmoid";
    let mut net = NetSpec::parse(text).unwrap();
    if let Some(LayerSpec::Linear { weight, bias_values, .. }) = net.layers.iter_mut().rev().nth(1) {
        (*weight, *bias_values) = (Some(vec![vec![0.5, 1.0, -1.5]]), Some(vec![0.25]));
    }
    let json = concat!(
        r#"{"input":2,"layers":["#,
        r#"{"kind":"linear","units":3,"bias":false,"init":{"constant":{"std":0.02}}},"#,
        r#"{"kind":"activation","function":{"leaky_relu":{"slope":0.2}}},"#,
        r#"{"kind":"dropout","p":0.5},{"kind":"scaling"},"#,
        r#"{"kind":"residual","layers":[{"kind":"linear","units":3,"init":"he_uniform"},"#,
        r#"{"kind":"activation","function":"gelu_tanh"},{"kind":"linear","units":3}]},"#,
        r#"{"kind":"gated","hidden":4,"bias":false,"activation":"relu"},"#,
        r#"{"kind":"linear","units":1,"weight":[[0.5,1.0,-1.5]],"bias_values":[0.25]},"#,
        r#"{"kind":"activation","function":"sigmoid"}]}"#,
    );
    assert_eq!(serde_json::to_string(&net).unwrap(), json);
    assert_eq!(serde_json::from_str::<NetSpec>(json).unwrap(), net);
    assert!(net.has_given_weights());
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.01), Just(1.0), -10.0..10.0f64, any::<f64>().prop_filter("finite", |value| value.is_finite())]
}

fn any_activation() -> impl Strategy<Value = Activation> {
    (0..names::ACTIVATIONS.len(), any_number()).prop_map(|(at, number)| (names::ACTIVATIONS[at].make)(number))
}

fn any_init() -> impl Strategy<Value = Init> {
    (0..names::INITS.len(), 1e-300..1e300f64).prop_map(|(at, number)| (names::INITS[at].make)(number))
}

fn any_layer() -> impl Strategy<Value = LayerSpec> {
    let leaf = prop_oneof![
        (1..=1usize << 24, any::<bool>(), proptest::option::of(any_init()))
            .prop_map(|(units, bias, init)| linear(units, bias, init)),
        (1..1000usize).prop_map(LayerSpec::linear),
        any_activation().prop_map(curve),
        (0.0..1.0f64).prop_map(|p| LayerSpec::Dropout { p }),
        Just(LayerSpec::Scaling),
        (1..=1usize << 24, any::<bool>(), any_activation())
            .prop_map(|(hidden, bias, curve)| gated(hidden, bias, curve)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| proptest::collection::vec(inner, 1..4).prop_map(residual))
}

fn any_net() -> impl Strategy<Value = NetSpec> {
    (proptest::option::of(1..=1usize << 24), proptest::collection::vec(any_layer(), 0..6))
        .prop_map(|(input, layers)| NetSpec { input, layers, ..NetSpec::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_canonical_text_parses_back(net in any_net()) {
        let text = net.to_string();
        let again = NetSpec::parse(&text);
        prop_assert_eq!(again.as_ref(), Ok(&net), "{}", text);
        prop_assert_eq!(again.unwrap().to_string(), text);
        prop_assert_eq!(serde_json::from_str::<NetSpec>(&serde_json::to_string(&net).unwrap()).unwrap(), net);
    }

    #[test]
    fn shapes_have_one_entry_a_layer_or_an_error_that_points(net in any_net(), input in 1..100usize) {
        fn count(layers: &[LayerSpec]) -> usize {
            layers.iter().map(|layer| match layer {
                LayerSpec::Residual { layers } => 1 + count(layers),
                _ => 1,
            }).sum()
        }
        let data = net.input.unwrap_or(input);
        match net.shapes(data, None) {
            Ok(shapes) => prop_assert_eq!(shapes.len(), count(&net.layers)),
            Err(error) => {
                prop_assert!(error.span().end > error.span().start, "{}", error);
                prop_assert!(error.advice().is_some());
            }
        }
    }

    #[test]
    fn no_words_make_it_panic(text in "(->|→| |\\(|\\)|residual|256|0|-1|2.5|1e9|relu|leaky|dropout|no|bias|init|he|linear|input|gated|swiglu|x|\n|,|-|_|\\.|e|é|0.5){0,30}") {
        if let Err(error) = NetSpec::parse(&text) {
            let span = error.span();
            prop_assert!(text.get(span).is_some());
            prop_assert!(error.to_string().contains('^'));
        }
    }

    #[test]
    fn no_characters_make_it_panic(text in any::<String>()) {
        if let Err(error) = NetSpec::parse(&text) {
            prop_assert!(error.to_string().contains('^'));
        }
    }
}

/// A model file holds the spec as JSON: whatever the text form can say comes back from it.
#[test]
fn every_item_goes_to_json_and_back() {
    let more = [
        "positions sinusoidal",
        "gpt 2 layers 4 heads 2 kv heads 16 rotary swiglu rmsnorm tied no bias dropout 0.1",
        "gpt 1 layers 2 heads 8 sinusoidal",
        "rnn 4 relu 2 layers bidirectional no bias",
        "conv 4 3x5 stride 2 dilation 2 groups 2 no bias init he",
        "1x28x28 -> maxpool 2 -> 10",
        "tokens 8 vocabulary 5 -> embed 4 init constant 0.1 -> attention 2 heads causal rotary",
    ];
    let items = glassnet_nn::spec::items::ITEMS.iter().map(|item| item.syntax);
    for text in items.chain(more) {
        let spec = NetSpec::parse(text).unwrap();
        let json = serde_json::to_string(&spec).unwrap();
        let read: NetSpec = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{text}: {error}\n{json}"));
        assert_eq!(read, spec, "{text}");
    }
}
