//! The text form of the layers beyond the plain network: what every spelling means, and the way back by text, JSON, TOML.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

use glassnet_nn::spec::norm::{EPS, MOMENTUM};
use glassnet_nn::spec::{
    Activation, Cell, ImageLayer, Init, LayerSpec, NetSpec, NormLayer, Padding, Pooling, PositionKind, ReorderLayer,
    SequenceLayer, TableLayer, items, names,
};
use proptest::prelude::*;

fn curve(function: Activation) -> LayerSpec {
    LayerSpec::Activation { function }
}

/// A convolution with nothing said.
fn conv(channels: usize, kernel: [usize; 2]) -> ImageLayer {
    ImageLayer::Conv {
        channels,
        kernel,
        stride: [1, 1],
        padding: Padding::Zeros([0, 0]),
        dilation: [1, 1],
        groups: 1,
        bias: true,
        init: None,
    }
}

fn pool(pooling: Pooling, kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> LayerSpec {
    LayerSpec::Image(ImageLayer::Pool { pooling, kernel, stride, padding })
}

fn recurrent(cell: Cell, units: usize, layers: usize, bidirectional: bool, bias: bool) -> LayerSpec {
    LayerSpec::Sequence(SequenceLayer::Recurrent { cell, units, layers, bidirectional, bias })
}

fn attention(heads: usize, kv_heads: usize, causal: bool, rotary: bool, bias: bool, init: Option<Init>) -> LayerSpec {
    LayerSpec::Sequence(SequenceLayer::Attention { heads, kv_heads, causal, rotary, bias, init })
}

fn embed(width: usize, init: Option<Init>) -> LayerSpec {
    LayerSpec::Sequence(SequenceLayer::Embedding { width, init })
}

/// (text, layers, canonical text)
fn good() -> Vec<(&'static str, Vec<LayerSpec>, &'static str)> {
    use LayerSpec::{Image, Norm, Reorder, Sequence, Table};
    let he = Some(Init::HeNormal);
    let full = ImageLayer::Conv {
        channels: 8,
        kernel: [3, 5],
        stride: [2, 1],
        padding: Padding::Zeros([0, 2]),
        dilation: [1, 3],
        groups: 4,
        bias: false,
        init: he,
    };
    let same = ImageLayer::Conv {
        channels: 8,
        kernel: [3, 3],
        stride: [1, 1],
        padding: Padding::Same,
        dilation: [1, 1],
        groups: 1,
        bias: true,
        init: None,
    };
    let along = |stride, padding, dilation, groups, bias| {
        let init = None;
        Image(ImageLayer::Conv1d { channels: 8, kernel: 3, stride, padding, dilation, groups, bias, init })
    };
    let zeros = Padding::Zeros([0, 0]);
    vec![
        ("conv 8 3x5", vec![Image(conv(8, [3, 5]))], "conv 8 3x5"),
        ("Conv2D 8 3", vec![Image(conv(8, [3, 3]))], "conv 8 3x3"),
        ("conv 8 3×3", vec![Image(conv(8, [3, 3]))], "conv 8 3x3"),
        ("conv 8 3X3 ReLU", vec![Image(conv(8, [3, 3])), curve(Activation::Relu)], "conv 8 3x3 relu"),
        (
            "conv 8 3x5 leaky relu 0.2 groups 4 without bias init kaiming dilation 1x3 pad 0x2 stride 2x1",
            vec![Image(full), curve(Activation::LeakyRelu { slope: 0.2 })],
            "conv 8 3x5 stride 2x1 padding 0x2 dilation 1x3 groups 4 no bias init he leaky relu 0.2",
        ),
        ("conv 8 3x3 same", vec![Image(same.clone())], "conv 8 3x3 same"),
        ("conv 8 3x3 padding same", vec![Image(same.clone())], "conv 8 3x3 same"),
        ("conv 8 3x3 same-padding with bias", vec![Image(same)], "conv 8 3x3 same"),
        ("conv 8 3x3 valid", vec![Image(conv(8, [3, 3]))], "conv 8 3x3"),
        ("conv 8 3x3 no padding", vec![Image(conv(8, [3, 3]))], "conv 8 3x3"),
        ("conv 8 3x3 padding 0", vec![Image(conv(8, [3, 3]))], "conv 8 3x3"),
        ("conv1d 8 3", vec![along(1, zeros, 1, 1, true)], "conv1d 8 3"),
        (
            "conv1d 8 3 stride 2 padding 1 dilation 2 groups 2 no bias relu",
            vec![along(2, Padding::Zeros([1, 1]), 2, 2, false), curve(Activation::Relu)],
            "conv1d 8 3 stride 2 padding 1 dilation 2 groups 2 no bias relu",
        ),
        ("Conv1D 8 3 same", vec![along(1, Padding::Same, 1, 1, true)], "conv1d 8 3 same"),
        ("maxpool 2", vec![pool(Pooling::Max, [2, 2], [2, 2], [0, 0])], "maxpool 2"),
        ("Max Pool2d 3x2", vec![pool(Pooling::Max, [3, 2], [3, 2], [0, 0])], "maxpool 3x2"),
        (
            "max_pool 3 stride 2 padding 1",
            vec![pool(Pooling::Max, [3, 3], [2, 2], [1, 1])],
            "maxpool 3 stride 2 padding 1",
        ),
        ("average pool 3 padding 0x1", vec![pool(Pooling::Average, [3, 3], [3, 3], [0, 1])], "avgpool 3 padding 0x1"),
        ("adaptivepool 7x5", vec![Image(ImageLayer::AdaptivePool { output: [7, 5] })], "adaptivepool 7x5"),
        ("global average pool", vec![Image(ImageLayer::GlobalPool { pooling: Pooling::Average })], "global avgpool"),
        ("GlobalMaxPool", vec![Image(ImageLayer::GlobalPool { pooling: Pooling::Max })], "global maxpool"),
        ("BatchNorm2d", vec![Norm(NormLayer::Batch { eps: EPS, momentum: MOMENTUM })], "batchnorm"),
        (
            "batchnorm eps 1e-3 momentum 0.01",
            vec![Norm(NormLayer::Batch { eps: 1e-3, momentum: 0.01 })],
            "batchnorm momentum 0.01 eps 0.001",
        ),
        ("group norm 4 eps 1e-6", vec![Norm(NormLayer::Group { groups: 4, eps: 1e-6 })], "groupnorm 4 eps 0.000001"),
        ("LayerNorm", vec![Norm(NormLayer::Layer { eps: EPS })], "layernorm"),
        ("RMSNorm eps 1e-6", vec![Norm(NormLayer::Rms { eps: 1e-6 })], "rmsnorm eps 0.000001"),
        ("embedding 64", vec![embed(64, None)], "embed 64"),
        (
            "embed 64 init constant 0.1",
            vec![embed(64, Some(Init::Constant { std: 0.1 }))],
            "embed 64 init constant 0.1",
        ),
        ("embed 4 -> unembed", vec![embed(4, None), Sequence(SequenceLayer::Unembedding)], "embed 4 -> unembed"),
        ("positions", vec![Sequence(SequenceLayer::Positions { kind: PositionKind::Learned })], "positions"),
        (
            "position sine",
            vec![Sequence(SequenceLayer::Positions { kind: PositionKind::Sinusoidal })],
            "positions sinusoidal",
        ),
        ("attention 4 heads", vec![attention(4, 4, false, false, true, None)], "attention 4 heads"),
        ("self-attention heads 4", vec![attention(4, 4, false, false, true, None)], "attention 4 heads"),
        ("attention 1 head causal", vec![attention(1, 1, true, false, true, None)], "attention 1 heads causal"),
        (
            "attention 8 heads rotary no bias 2 kv_heads causal init he",
            vec![attention(8, 2, true, true, false, he)],
            "attention 8 heads 2 kv heads causal rotary no bias init he",
        ),
        ("rnn 5", vec![recurrent(Cell::Rnn, 5, 1, false, true)], "rnn 5"),
        ("RNN 5 tanh", vec![recurrent(Cell::Rnn, 5, 1, false, true)], "rnn 5"),
        ("rnn 5 relu 2 layers", vec![recurrent(Cell::RnnRelu, 5, 2, false, true)], "rnn 5 relu 2 layers"),
        (
            "LSTM 128 layers 2 both directions no bias",
            vec![recurrent(Cell::Lstm, 128, 2, true, false)],
            "lstm 128 2 layers bidirectional no bias",
        ),
        (
            "gru 9 1 layer -> relu",
            vec![recurrent(Cell::Gru, 9, 1, false, true), curve(Activation::Relu)],
            "gru 9 -> relu",
        ),
        ("last", vec![Sequence(SequenceLayer::Last)], "last"),
        ("mean over time", vec![Sequence(SequenceLayer::MeanOverTime)], "mean"),
        ("Flatten", vec![Reorder(ReorderLayer::Flatten)], "flatten"),
        ("reshape 4x7x2", vec![Reorder(ReorderLayer::Reshape { shape: vec![4, 7, 2] })], "reshape 4x7x2"),
        ("reshape 56", vec![Reorder(ReorderLayer::Reshape { shape: vec![56] })], "reshape 56"),
        ("transpose 2 0", vec![Reorder(ReorderLayer::Transpose { axes: [2, 0] })], "transpose 2 0"),
        ("periodic", vec![Table(TableLayer::Periodic { frequencies: 16, width: 4 })], "periodic"),
        (
            "Periodic frequencies 8 width 3",
            vec![Table(TableLayer::Periodic { frequencies: 8, width: 3 })],
            "periodic frequencies 8 width 3",
        ),
        ("categories 12 30", vec![Table(TableLayer::Categories { sizes: vec![12, 30], width: 8 })], "categories 12 30"),
        (
            "categories 12 width 4",
            vec![Table(TableLayer::Categories { sizes: vec![12], width: 4 })],
            "categories 12 width 4",
        ),
        ("ntk 256", vec![Table(TableLayer::Ntk { units: 256, bias: true })], "ntk 256"),
        ("ntk 9 no bias", vec![Table(TableLayer::Ntk { units: 9, bias: false })], "ntk 9 no bias"),
        ("parametric selu", vec![Table(TableLayer::Parametric { function: Activation::Selu })], "parametric selu"),
        ("piecewise", vec![Table(TableLayer::Piecewise { bins: 48, width: 16 })], "piecewise 48 16"),
        ("PLE 8 4", vec![Table(TableLayer::Piecewise { bins: 8, width: 4 })], "piecewise 8 4"),
        ("members 32", vec![Table(TableLayer::Members { members: 32 })], "members 32"),
        (
            "shared 512 relu",
            vec![Table(TableLayer::Shared { units: 512 }), curve(Activation::Relu)],
            "shared 512 -> relu",
        ),
        ("heads 2", vec![Table(TableLayer::Heads { units: 2 })], "heads 2"),
        ("average", vec![Table(TableLayer::Average { probabilities: false })], "average"),
        ("average values", vec![Table(TableLayer::Average { probabilities: false })], "average"),
        ("Average probabilities", vec![Table(TableLayer::Average { probabilities: true })], "average probabilities"),
        ("slice 0 16", vec![Reorder(ReorderLayer::Slice { start: 0, end: 16 })], "slice 0 16"),
        (
            "parallel(3 relu->2, mish ,concat(4,5))",
            vec![LayerSpec::Concat {
                branches: vec![
                    vec![LayerSpec::linear(3), curve(Activation::Relu), LayerSpec::linear(2)],
                    vec![curve(Activation::Mish)],
                    vec![LayerSpec::Concat { branches: vec![vec![LayerSpec::linear(4)], vec![LayerSpec::linear(5)]] }],
                ],
            }],
            "concat(3 relu -> 2, mish, concat(4, 5))",
        ),
    ]
}

#[test]
fn every_spelling_means_what_it_says() {
    let good = good();
    for (text, layers, canonical) in &good {
        let wanted = NetSpec { layers: layers.clone(), ..NetSpec::default() };
        assert_eq!(NetSpec::parse(text).as_ref(), Ok(&wanted), "{text:?}");
        assert_eq!(wanted.to_string(), *canonical, "{text:?}");
        assert_eq!(NetSpec::parse(canonical), Ok(wanted), "{canonical:?}");
    }
    for row in items::ITEMS.iter().skip(6) {
        let there = good.iter().any(|(_, _, canonical)| canonical.contains(row.name));
        assert!(there || ["gpt", "input", "tokens"].contains(&row.name), "{} is not in the test", row.name);
    }
}

#[test]
fn inputs_have_shapes() {
    let net = NetSpec::parse("3x32x32 -> flatten").unwrap();
    assert_eq!((net.input, &net.axes[..], net.vocabulary), (Some(3072), &[3, 32, 32][..], None));
    assert_eq!(net.input_shape(), Some(vec![3, 32, 32]));
    assert_eq!(NetSpec::parse("input 3X32x32 -> flatten").unwrap(), net);
    let net = NetSpec::parse("tokens 64 vocabulary 65 -> embed 4").unwrap();
    assert_eq!((net.input, &net.axes[..], net.vocabulary), (Some(64), &[][..], Some(65)));
    assert_eq!(NetSpec::parse("Tokens 64 of 65 -> embed 4").unwrap(), net);
    assert_eq!(net.to_string(), "tokens 64 vocabulary 65 -> embed 4");
}

#[test]
fn gpt_is_written_out() {
    let text = |gpt: &str| NetSpec::parse(gpt).unwrap().to_string();
    let plain = "embed 8 init constant 0.02 -> positions -> \
                 residual(layernorm -> attention 2 heads causal init constant 0.02) -> \
                 residual(layernorm -> 32 gelu init constant 0.02 -> 8 init constant 0.02) -> layernorm";
    assert_eq!(text("gpt 1 layers 2 heads 8"), plain);
    assert_eq!(text("transformer layer 1 head 2 8"), plain);
    let modern = "embed 8 init constant 0.02 -> dropout 0.1 -> \
                  residual(rmsnorm -> attention 2 heads 1 kv heads causal rotary no bias init constant 0.02 -> dropout 0.1) -> \
                  residual(rmsnorm -> swiglu 24 -> dropout 0.1) -> rmsnorm -> unembed";
    assert_eq!(text("gpt 1 layers 2 heads 1 kv heads 8 rotary no bias swiglu rmsnorm tied dropout 0.1"), modern);
    assert!(text("gpt 1 layers 2 heads 8 sinusoidal").contains("-> positions sinusoidal ->"));
    let deep = NetSpec::parse("gpt 4 layers 4 heads 128").unwrap();
    assert_eq!(deep.layers.len(), 2 + 2 * 4 + 1);
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![1..10usize, 1..=1usize << 24]
}

fn sides() -> impl Strategy<Value = [usize; 2]> {
    [size(), size()]
}

fn zeros() -> impl Strategy<Value = [usize; 2]> {
    [0..5usize, 0..5usize]
}

fn share() -> impl Strategy<Value = f64> {
    prop_oneof![Just(EPS), 1e-300..1.0f64]
}

fn activation() -> impl Strategy<Value = Activation> {
    (0..names::ACTIVATIONS.len(), -10.0..10.0f64).prop_map(|(at, number)| (names::ACTIVATIONS[at].make)(number))
}

fn init() -> impl Strategy<Value = Option<Init>> {
    proptest::option::of(
        (0..names::INITS.len(), 1e-300..1e300f64).prop_map(|(at, number)| (names::INITS[at].make)(number)),
    )
}

fn image() -> impl Strategy<Value = ImageLayer> {
    let padding = || prop_oneof![Just(Padding::Same), zeros().prop_map(Padding::Zeros)];
    let along = || prop_oneof![Just(Padding::Same), (0..5usize).prop_map(|steps| Padding::Zeros([steps, steps]))];
    let pooling = || prop_oneof![Just(Pooling::Max), Just(Pooling::Average)];
    prop_oneof![
        (size(), sides(), sides(), padding(), sides(), size(), any::<bool>(), init()).prop_map(
            |(channels, kernel, stride, padding, dilation, groups, bias, init)| {
                ImageLayer::Conv { channels, kernel, stride, padding, dilation, groups, bias, init }
            }
        ),
        (size(), size(), size(), along(), size(), size(), any::<bool>(), init()).prop_map(
            |(channels, kernel, stride, padding, dilation, groups, bias, init)| {
                ImageLayer::Conv1d { channels, kernel, stride, padding, dilation, groups, bias, init }
            }
        ),
        (pooling(), sides(), sides(), zeros()).prop_map(|(pooling, kernel, stride, padding)| ImageLayer::Pool {
            pooling,
            kernel,
            stride,
            padding
        }),
        sides().prop_map(|output| ImageLayer::AdaptivePool { output }),
        pooling().prop_map(|pooling| ImageLayer::GlobalPool { pooling }),
    ]
}

fn sequence() -> impl Strategy<Value = SequenceLayer> {
    let cell = prop_oneof![Just(Cell::Rnn), Just(Cell::RnnRelu), Just(Cell::Lstm), Just(Cell::Gru)];
    let kind = prop_oneof![Just(PositionKind::Learned), Just(PositionKind::Sinusoidal)];
    prop_oneof![
        (size(), init()).prop_map(|(width, init)| SequenceLayer::Embedding { width, init }),
        Just(SequenceLayer::Unembedding),
        kind.prop_map(|kind| SequenceLayer::Positions { kind }),
        (size(), size(), [any::<bool>(), any::<bool>(), any::<bool>()], init()).prop_map(
            |(heads, kv_heads, [causal, rotary, bias], init)| {
                SequenceLayer::Attention { heads, kv_heads, causal, rotary, bias, init }
            }
        ),
        (cell, size(), 1..=64usize, any::<bool>(), any::<bool>()).prop_map(
            |(cell, units, layers, bidirectional, bias)| {
                SequenceLayer::Recurrent { cell, units, layers, bidirectional, bias }
            }
        ),
        Just(SequenceLayer::Last),
        Just(SequenceLayer::MeanOverTime),
    ]
}

fn layer() -> impl Strategy<Value = LayerSpec> {
    let norm = prop_oneof![
        (share(), 0.0..=1.0f64).prop_map(|(eps, momentum)| NormLayer::Batch { eps, momentum }),
        (size(), share()).prop_map(|(groups, eps)| NormLayer::Group { groups, eps }),
        share().prop_map(|eps| NormLayer::Layer { eps }),
        share().prop_map(|eps| NormLayer::Rms { eps }),
    ];
    let reorder = prop_oneof![
        Just(ReorderLayer::Flatten),
        proptest::collection::vec(size(), 1..=6).prop_map(|shape| ReorderLayer::Reshape { shape }),
        [0..6usize, 0..6usize].prop_map(|axes| ReorderLayer::Transpose { axes }),
        (0..100usize, 1..100usize).prop_map(|(start, more)| ReorderLayer::Slice { start, end: start + more }),
    ];
    let leaf = prop_oneof![
        image().prop_map(LayerSpec::Image),
        sequence().prop_map(LayerSpec::Sequence),
        norm.prop_map(LayerSpec::Norm),
        reorder.prop_map(LayerSpec::Reorder),
        size().prop_map(LayerSpec::linear),
        activation().prop_map(curve),
        (size(), any::<bool>(), activation()).prop_map(|(hidden, bias, activation)| LayerSpec::Gated {
            hidden,
            bias,
            activation
        }),
        Just(LayerSpec::Scaling),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = || proptest::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            list().prop_map(|layers| LayerSpec::Residual { layers }),
            proptest::collection::vec(list(), 2..=4).prop_map(|branches| LayerSpec::Concat { branches }),
        ]
    })
}

fn net() -> impl Strategy<Value = NetSpec> {
    let input = prop_oneof![
        Just((vec![], None)),
        size().prop_map(|size| (vec![size], None)),
        proptest::collection::vec(1..10usize, 2..=6).prop_map(|shape| (shape, None)),
        (size(), size()).prop_map(|(steps, vocabulary)| (vec![steps], Some(vocabulary))),
    ];
    (input, proptest::collection::vec(layer(), 1..6)).prop_map(|((shape, vocabulary), layers)| {
        let mut net = NetSpec { layers, ..NetSpec::default() };
        if !shape.is_empty() {
            net.set_input(&shape, vocabulary);
        }
        net
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_canonical_text_and_the_json_read_back(net in net()) {
        let text = net.to_string();
        let again = NetSpec::parse(&text);
        prop_assert_eq!(again.as_ref(), Ok(&net), "{}", text);
        prop_assert_eq!(again.unwrap().to_string(), text);
        let mut net = net;
        net.lengths = true;
        prop_assert_eq!(serde_json::from_str::<NetSpec>(&serde_json::to_string(&net).unwrap()).unwrap(), net);
    }

    /// The TOML holds the text, whatever stands in it; widths that do not fit are its errors, with a place.
    #[cfg(feature = "toml")]
    #[test]
    fn the_toml_reads_back(net in net()) {
        use glassnet_nn::spec::toml::{RunConfig, TrainConfig};
        let fits = net.input.is_none() || net.shapes_of(None, None, false).is_ok();
        match RunConfig::parse(&RunConfig::new(Some(net.clone()), TrainConfig::default()).to_toml()) {
            Ok(run) => prop_assert_eq!(run.network, Some(net)),
            Err(error) => {
                prop_assert!(error.to_string().contains('^'));
                prop_assert!(!fits || net.input.is_none(), "{}", error);
            }
        }
    }

    #[test]
    fn no_words_make_it_panic(text in "(->|→| |\\(|\\)|,|residual|concat|conv|conv1d|5x5|3x|1x28x28|2|0|65|-1|99999999999|16777216x16777216|stride|same|padding|dilation|groups|maxpool|global avgpool|batchnorm|eps|1e-5|momentum|groupnorm|layernorm|embed|unembed|positions|sinusoidal|attention|heads|kv|causal|rotary|lstm|rnn|layers|bidirectional|last|mean|gpt|tied|dropout|flatten|reshape|transpose|slice|tokens|vocabulary|input|relu|init|he|no|bias|x|é|\n){0,30}") {
        match NetSpec::parse(&text) {
            Err(error) => {
                prop_assert!(text.get(error.span()).is_some());
                prop_assert!(error.to_string().contains('^'));
            }
            Ok(net) => {
                if let Err(error) = net.shapes_of(None, Some(3), false) {
                    prop_assert!(error.to_string().contains('^') && error.advice().is_some());
                }
            }
        }
    }
}

#[cfg(feature = "toml")]
#[test]
fn a_layer_of_a_toml_is_written_as_text() {
    use glassnet_nn::spec::toml::RunConfig;
    let toml = "[network]\ninput = \"1x28x28\"\n[[network.layer]]\nnet = \"conv 32 5x5\"\n[[network.layer]]\nkind = \"relu\"\n\
                [[network.layer]]\nnet = \"maxpool 2 -> flatten\"\n[[network.layer]]\nunits = 10\n";
    let net = RunConfig::parse(toml).unwrap().network.unwrap();
    assert_eq!(net.to_string(), "1x28x28 -> conv 32 5x5 relu -> maxpool 2 -> flatten -> 10");
    let toml = "[network]\ninput = \"tokens 8 vocabulary 5\"\n[[network.layer]]\nnet = \"embed 4 -> lstm 3\"\n";
    let net = RunConfig::parse(toml).unwrap().network.unwrap();
    assert_eq!(net.to_string(), "tokens 8 vocabulary 5 -> embed 4 -> lstm 3");
    let error = RunConfig::parse("[network]\n[[network.layer]]\nnet = \"conv 32\"\n").unwrap_err().to_string();
    assert!(error.starts_with("line 3, column 8: conv needs the size of its filters"), "{error}");
}
