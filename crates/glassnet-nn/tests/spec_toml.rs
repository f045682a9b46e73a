//! The TOML form: what is read, what is refused and how, and the way back.

use std::collections::BTreeMap;

use glassnet_nn::spec::toml::{Batch, ClassWeights, RunConfig, TRAIN_KEYS, TrainConfig};
use glassnet_nn::spec::{Activation, Init, LayerSpec, NetSpec};
use proptest::prelude::*;

const WHOLE: &str = r#"
[network]
input = 2

[[network.layer]]
units = 3
activation = "leaky relu 0.2"
weight = [[0.5, -1], [1e-3, 2.0], [0x10, 0.25]]
bias_values = [0, 0.5, -0.5]

[[network.layer]]
kind = "dropout"
p = 0.25

[[network.layer]]
kind = "scale"

[[network.layer]]
kind = "residual"
net = "8 -> 3"

[[network.layer]]
kind = "residual"
[[network.layer.layer]]
kind = "gated"
hidden = 6
activation = "gelu"
bias = true

[[network.layer]]
kind = "swiglu"
hidden = 4

[[network.layer]]
kind = "tanh"

[[network.layer]]
kind = "activation"
function = "elu 0.5"

[[network.layer]]
kind = "linear"
units = 1
bias = false
init = "constant 0.1"
activation = "none"

[train]
data = "d.csv"
target = "late"
valid = "v.csv"
test = "t.csv"
validation_share = 0.1
drop = ["id", "comment"]
types = { zip = "category" }
weight_column = "w"
no_header = false
delimiter = ";"
epochs = 3
steps = 2000
context = 64
streams = true
batch = "all"
lr = 1
optimizer = "adam"
momentum = 0.9
weight_decay = 0
schedule = "cosine"
clip_norm = 1.0
clip_value = 0.5
accumulate = 2
checkpoint_activations = true
precision = "bf16"
early_stop = 5
loss = "mse"
label_smoothing = 0.1
class_weights = { yes = 2.0, no = 1 }
seed = 7
threads = 2
task = "classify"
raw = true
augment = "flip, shift 2"
shuffle = false
init = "he uniform"
merge_affine = true
out = "m.glass"
"#;

fn whole_network() -> NetSpec {
    let linear = |units, bias, init| LayerSpec::Linear { units, bias, init, weight: None, bias_values: None };
    let function = |function| LayerSpec::Activation { function };
    let gated = |hidden, bias, activation| LayerSpec::Gated { hidden, bias, activation };
    NetSpec {
        input: Some(2),
        axes: Vec::new(),
        vocabulary: None,
        lengths: false,
        layers: vec![
            LayerSpec::Linear {
                units: 3,
                bias: true,
                init: None,
                weight: Some(vec![vec![0.5, -1.0], vec![1e-3, 2.0], vec![16.0, 0.25]]),
                bias_values: Some(vec![0.0, 0.5, -0.5]),
            },
            function(Activation::LeakyRelu { slope: 0.2 }),
            LayerSpec::Dropout { p: 0.25 },
            LayerSpec::Scaling,
            LayerSpec::Residual { layers: vec![LayerSpec::linear(8), LayerSpec::linear(3)] },
            LayerSpec::Residual { layers: vec![gated(6, true, Activation::Gelu)] },
            gated(4, false, Activation::Silu),
            function(Activation::Tanh),
            function(Activation::Elu { alpha: 0.5 }),
            linear(1, false, Some(Init::Constant { std: 0.1 })),
        ],
    }
}

fn whole_train() -> TrainConfig {
    let text = |text: &str| Some(text.to_owned());
    TrainConfig {
        data: text("d.csv"),
        target: text("late"),
        valid: text("v.csv"),
        test: text("t.csv"),
        validation_share: Some(0.1),
        drop: Some(vec!["id".to_owned(), "comment".to_owned()]),
        types: Some(BTreeMap::from([("zip".to_owned(), "category".to_owned())])),
        weight_column: text("w"),
        task: text("classify"),
        raw: Some(true),
        augment: text("flip, shift 2"),
        no_header: Some(false),
        delimiter: text(";"),
        epochs: Some(3),
        steps: Some(2000),
        context: Some(64),
        streams: Some(true),
        batch: Some(Batch::All),
        lr: Some(1.0),
        optimizer: text("adam"),
        momentum: Some(0.9),
        weight_decay: Some(0.0),
        schedule: text("cosine"),
        clip_norm: Some(1.0),
        clip_value: Some(0.5),
        shuffle: Some(false),
        init: text("he uniform"),
        merge_affine: Some(true),
        accumulate: Some(2),
        checkpoint_activations: Some(true),
        precision: text("bf16"),
        early_stop: Some(5),
        loss: text("mse"),
        label_smoothing: Some(0.1),
        class_weights: Some(ClassWeights::ByName(BTreeMap::from([("no".to_owned(), 1.0), ("yes".to_owned(), 2.0)]))),
        seed: Some(7),
        threads: Some(2),
        out: text("m.glass"),
    }
}

#[test]
fn every_key_and_kind_is_read() {
    let run = RunConfig::parse(WHOLE).unwrap();
    assert_eq!(run.network, Some(whole_network()));
    assert_eq!(run.train, whole_train());
    for key in TRAIN_KEYS {
        assert!(WHOLE.contains(&format!("\n{} = ", key.name)), "{} is not in the test", key.name);
    }
}

#[test]
fn what_is_written_reads_back() {
    let whole = RunConfig::new(Some(whole_network()), whole_train());
    let again = RunConfig::parse(&whole.to_toml()).unwrap();
    assert_eq!((again.network, again.train), (whole.network, whole.train));

    let net = NetSpec::parse("256 relu -> residual(256 no bias)").unwrap();
    let odd = "a \"quote\", a \\, a\ttab,\na line, \u{7f} and \u{1}".to_owned();
    let train = TrainConfig {
        target: Some(odd),
        batch: Some(Batch::Rows(128)),
        class_weights: Some(ClassWeights::InOrder(vec![0.5, 1e-9, 1e300])),
        lr: Some(1e-5),
        seed: Some(u64::MAX),
        ..TrainConfig::default()
    };
    let run = RunConfig::new(Some(net), train);
    let again = RunConfig::parse(&run.to_toml()).unwrap();
    assert_eq!((again.network, again.train), (run.network, run.train));

    let empty = RunConfig::parse("").unwrap();
    assert_eq!(
        (empty.network.clone(), empty.train.clone(), empty.to_toml()),
        (None, TrainConfig::default(), String::new())
    );
}

#[test]
fn given_weights_at_the_deepest_nesting_read_back() {
    let weight = Some(vec![vec![1.0]]);
    let mut layers = vec![LayerSpec::Linear { units: 1, bias: true, init: None, weight, bias_values: None }];
    for _ in 0..32 {
        layers = vec![LayerSpec::Residual { layers }];
    }
    let run = RunConfig::new(Some(NetSpec { input: Some(1), layers, ..NetSpec::default() }), TrainConfig::default());
    assert_eq!(RunConfig::parse(&run.to_toml()).unwrap().network, run.network);
}

#[test]
fn every_example_is_read() {
    for key in TRAIN_KEYS {
        let text = format!("[train]\n{} = {}\n", key.name, key.example);
        let run = RunConfig::parse(&text).unwrap_or_else(|error| panic!("{error}"));
        assert_ne!(run.train, TrainConfig::default(), "{text}");
    }
}

#[test]
fn a_setting_that_the_caller_refuses_is_pointed_at() {
    let run = RunConfig::parse("[network]\nnet = \"8 relu\"\n[train]\noptimizer = \"adm\"\n").unwrap();
    let error = run.error_at("optimizer", "unknown optimizer \"adm\"").did_you_mean(Some("adam")).named("run.toml");
    let wanted = "run.toml, line 4, column 13: unknown optimizer \"adm\"
  optimizer = \"adm\"
              ^^^^^
did you mean adam?";
    assert_eq!(error.to_string(), wanted);
    assert_eq!(run.error_at("net", "x").line_and_column(), (2, 7));
    assert_eq!(run.error_at("lr", "x").line_and_column(), (1, 1));
}

#[test]
fn a_text_with_line_breaks_is_pointed_into() {
    let run = "[network]\nnet = \"\"\"\n784 ->\n  256 rleu ->\n  10\n\"\"\"\n";
    let wanted = "line 4, column 7: unknown activation \"rleu\"
    256 rleu ->
        ^^^^
did you mean relu?";
    assert_eq!(RunConfig::parse(run).unwrap_err().to_string(), wanted);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in "(\\[train\\]|\\[network\\]|\\[\\[network.layer\\]\\]|net|layer|units|kind|weight|=|\n|\"|1|nan|relu|drop|\\[|\\]|\\{|\\}|->| |é){0,40}") {
        if let Err(error) = RunConfig::parse(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn a_cut_or_changed_toml_never_panics(at in 0..WHOLE.len(), with in any::<char>()) {
        let mut text = WHOLE.to_owned();
        text.replace_range(at..at + 1, &with.to_string());
        for text in [&text[..], &WHOLE[..at]] {
            if let Err(error) = RunConfig::parse(text) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}
