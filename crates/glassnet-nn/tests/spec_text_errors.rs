//! Texts that are refused, each with the whole message as a person sees it.

use glassnet_nn::spec::NetSpec;

const BAD: &[(&str, &str)] = &[
    (
        "784 -> 256 rleu -> 10",
        r#"--net: unknown activation "rleu"
  784 -> 256 rleu -> 10
             ^^^^
did you mean relu?"#,
    ),
    (
        "256 leeky relu",
        r#"--net: unknown activation "leeky relu"
  256 leeky relu
      ^^^^^^^^^^
did you mean leaky relu?"#,
    ),
    (
        "256 banana",
        r#"--net: unknown activation "banana"
  256 banana
      ^^^^^^
one of: relu, leaky relu, elu, selu, gelu, gelu tanh, silu, mish, tanh, sigmoid, softplus, step, softmax, log softmax"#,
    ),
    (
        "rleu",
        r#"--net: unknown layer "rleu"
  rleu
  ^^^^
did you mean relu?"#,
    ),
    (
        "256 relu dropout 0.5",
        "--net: a -> is missing before dropout
  256 relu dropout 0.5
           ^^^^^^^
write -> dropout",
    ),
    (
        "residual(256 relu -> 256",
        "--net: this parenthesis is not closed
  residual(256 relu -> 256
          ^
add a ) behind the block's last layer",
    ),
    (
        "256 relu ->",
        "--net: a layer is missing behind this arrow
  256 relu ->
           ^^
take the -> out, or write the layer: ... -> 10",
    ),
    (
        "-> 256 relu",
        "--net: a layer is missing before this arrow
  -> 256 relu
  ^^
take the -> out, or write the layer: 256 relu -> ...",
    ),
    (
        "256 -> -> 10",
        "--net: a layer is missing between the arrows
  256 -> -> 10
      ^^^^^
take one -> out",
    ),
    (
        "->",
        "--net: a layer is missing before this arrow
  ->
  ^^
take the -> out, or write the layer: 256 relu -> ...",
    ),
    (
        "256, 128",
        r#"--net: unexpected character ","
  256, 128
     ^
layers are separated by ->, for instance: 256 relu -> 128 relu"#,
    ),
    (
        "0 relu",
        "--net: dense dimensions must be positive, got 0
  0 relu
  ^
give the layer one unit or more",
    ),
    (
        "784 -> 0",
        "--net: dense dimensions must be positive, got 0
  784 -> 0
         ^
give the layer one unit or more",
    ),
    (
        "-5 relu",
        "--net: dense dimensions must be positive, got -5
  -5 relu
  ^^
give the layer one unit or more",
    ),
    (
        "2.5 relu",
        "--net: 2.5 is no whole number of units
  2.5 relu
  ^^^
write a whole number",
    ),
    (
        "1e300",
        "--net: 1e300 is too large for a layer
  1e300
  ^^^^^
a layer has at most 16777216 units",
    ),
    (
        "99999999999999999999 relu",
        "--net: 99999999999999999999 is too large for a layer
  99999999999999999999 relu
  ^^^^^^^^^^^^^^^^^^^^
a layer has at most 16777216 units",
    ),
    (
        "16777217",
        "--net: 16777217 is too large for a layer
  16777217
  ^^^^^^^^
a layer has at most 16777216 units",
    ),
    (
        "dropout",
        "--net: dropout needs a probability
  dropout
  ^^^^^^^
for instance: dropout 0.5",
    ),
    (
        "dropout 1",
        "--net: a dropout probability is from 0 to below 1, got 1
  dropout 1
          ^
for instance: dropout 0.5",
    ),
    (
        "dropout 50",
        "--net: a dropout probability is from 0 to below 1, got 50
  dropout 50
          ^^
for 50 % write dropout 0.5",
    ),
    (
        "dropout -0.1",
        "--net: a dropout probability is from 0 to below 1, got -0.1
  dropout -0.1
          ^^^^
for instance: dropout 0.5",
    ),
    (
        "dropout nan",
        "--net: dropout needs a probability
  dropout nan
  ^^^^^^^
for instance: dropout 0.5",
    ),
    (
        "swiglu 512 relu",
        "--net: the gate of swiglu is SiLU
  swiglu 512 relu
             ^^^^
for another gate write gated 512 gelu; for an activation behind it write ->",
    ),
    (
        "gated 512 init he",
        "--net: gated takes no init
  gated 512 init he
            ^^^^^^^
its three linear layers are drawn to fit the gate's activation",
    ),
    (
        "gated",
        "--net: gated needs a number of units
  gated
  ^^^^^
for instance: gated 64",
    ),
    (
        "residual()",
        "--net: residual() has no layer inside
  residual()
  ^^^^^^^^^^
for instance: residual(256 relu -> 256)",
    ),
    (
        "residual 256",
        "--net: residual needs the layers of its branch in parentheses
  residual 256
  ^^^^^^^^
for instance: residual(256 relu -> 256)",
    ),
    (
        "(256)",
        "--net: a parenthesis without a name
  (256)
  ^
a block is written residual(256 relu -> 256)",
    ),
    (
        "256)",
        "--net: this parenthesis closes nothing
  256)
     ^
take the ) out",
    ),
    (
        "256 relu tanh",
        r#"--net: a second activation "tanh" in one layer
  256 relu tanh
           ^^^^
to apply both, one after the other, write -> tanh"#,
    ),
    (
        "256 no bias bias",
        "--net: the bias is said twice
  256 no bias bias
              ^^^^
keep one of the two",
    ),
    (
        "256 init",
        "--net: init needs a name
  256 init
      ^^^^
one of: xavier, xavier uniform, he, he uniform, lecun, lecun uniform, pytorch, constant, zeros",
    ),
    (
        "256 init hee",
        r#"--net: unknown initialisation "hee"
  256 init hee
           ^^^
did you mean he?"#,
    ),
    (
        "256 init constant -1",
        "--net: std must be positive, got -1
  256 init constant -1
                    ^^
for no weights write init zeros",
    ),
    (
        "256 init constant 1e999",
        "--net: 1e999 is too large
  256 init constant 1e999
                    ^^^^^
write a smaller number",
    ),
    (
        "relu 0.5",
        "--net: relu takes no number
  relu 0.5
       ^^^
for a further layer write -> 0.5",
    ),
    (
        "256 128",
        "--net: a -> is missing before 128
  256 128
      ^^^
separate layers with ->: ... -> 128",
    ),
    (
        "256 -> input 784",
        "--net: the input size comes first
  256 -> input 784
         ^^^^^
begin the text with it: input 784 -> ...",
    ),
    (
        "256 -> linear",
        "--net: linear needs a number of units
  256 -> linear
         ^^^^^^
for instance: linear 64",
    ),
    (
        "256 relu => 10",
        r#"--net: unexpected character "="
  256 relu => 10
           ^
layers are separated by ->, for instance: 256 relu -> 128 relu"#,
    ),
    (
        "50%",
        r#"--net: unexpected character "%"
  50%
    ^
write a share as a fraction: 0.5 for 50 %"#,
    ),
    (
        "256 \u{7}",
        r#"--net: unexpected character "U+0007"
  256
      ^
a network is written with words, numbers, -> and ( )"#,
    ),
    (
        "256 relu residual(3)",
        "--net: a -> is missing before residual
  256 relu residual(3)
           ^^^^^^^^
write -> residual",
    ),
    (
        "relu relu",
        "--net: a -> is missing before relu
  relu relu
       ^^^^
write -> relu",
    ),
    (
        "scale 2",
        "--net: a -> is missing before 2
  scale 2
        ^
separate layers with ->: ... -> 2",
    ),
    (
        "256 [3]",
        r#"--net: unexpected character "["
  256 [3]
      ^
a block is written residual(256 relu -> 256)"#,
    ),
    (
        "256 init he 3",
        "--net: he takes no number
  256 init he 3
              ^
for a further layer write -> 3",
    ),
    (
        "256 linear linear",
        r#"--net: a second activation "linear" in one layer
  256 linear linear
             ^^^^^^
keep one of the two"#,
    ),
    (
        "256
relu -> 
10 sigmid",
        r#"--net, line 3, column 4: unknown activation "sigmid"
  10 sigmid
     ^^^^^^
did you mean sigmoid?"#,
    ),
];

#[test]
fn every_bad_text_is_refused_with_its_message() {
    for (text, wanted) in BAD {
        let error = NetSpec::parse(text).unwrap_err().named("--net");
        assert_eq!(error.to_string(), *wanted, "the text {text:?}");
        assert!(error.advice().is_some(), "no advice for {text:?}");
    }
}

#[test]
fn a_long_line_is_cut_around_the_spot() {
    let text = format!("{}rleu -> 10", "256 relu -> ".repeat(50));
    let wanted = "unknown layer \"rleu\"
  ... -> 256 relu -> 256 relu -> 256 relu -> rleu -> 10
                                             ^^^^
did you mean relu?";
    assert_eq!(NetSpec::parse(&text).unwrap_err().to_string(), wanted);
}

#[test]
fn nesting_and_length_have_limits() {
    let deep = |depth: usize| format!("{}4{}", "residual(".repeat(depth), ")".repeat(depth));
    let net = NetSpec::parse(&deep(32)).unwrap();
    assert_eq!(net.to_string(), deep(32));
    assert_eq!(net.shapes(4, None).unwrap().len(), 33);
    let error = NetSpec::parse(&deep(33)).unwrap_err();
    assert_eq!(error.message(), "residual blocks are nested more than 32 deep");
    assert_eq!(error.span(), 32 * 9..32 * 9 + 8);
    assert!(NetSpec::parse(&"residual(".repeat(7000)).is_err());
    assert!(NetSpec::parse(&" ".repeat(64 << 10)).is_ok());
    let error = NetSpec::parse(&" ".repeat((64 << 10) + 1)).unwrap_err();
    assert_eq!(error.message(), "the text has 65537 bytes, more than 65536");
}

/// (text, the data's input, the data's output, message)
const MISFITS: &[(&str, Option<usize>, Option<usize>, &str)] = &[
    (
        "784 -> 256 relu -> 10",
        Some(785),
        Some(10),
        "the network takes 784 inputs, but the data gives 785
  784 -> 256 relu -> 10
  ^^^
write 785 -> ..., or name only the hidden layers (a first number without activation is the input size; `linear 784` is a layer)",
    ),
    (
        "784 -> 256 relu -> 10 softmax",
        Some(784),
        Some(3),
        "the network gives 10 outputs, but the data needs 3
  784 -> 256 relu -> 10 softmax
                     ^^^^^^^^^^
end the network with a linear layer of 3: ... -> 3",
    ),
    (
        "256 relu",
        None,
        Some(3),
        "the input size is not known
  256 relu
  ^
write it first: 784 -> 256 relu -> 10",
    ),
    (
        "64 relu -> residual(128 relu -> 32)",
        Some(5),
        Some(3),
        "layer 2: the residual block takes 64 and its branch gives 32; x + f(x) needs equal widths
  64 relu -> residual(128 relu -> 32)
             ^^^^^^^^^^^^^^^^^^^^^^^^
end the branch with 64: residual(... -> 64), or put -> 32 before the block",
    ),
    (
        "5 -> residual(residual(4) -> 5)",
        None,
        None,
        "layer 0.0: the residual block takes 5 and its branch gives 4; x + f(x) needs equal widths
  5 -> residual(residual(4) -> 5)
                ^^^^^^^^^^^
end the branch with 5: residual(... -> 5), or put -> 4 before the block",
    ),
];

#[test]
fn every_misfit_names_the_layer_and_both_numbers() {
    for (text, input, output, wanted) in MISFITS {
        let error = NetSpec::parse(text).unwrap().shapes(*input, *output).unwrap_err();
        assert_eq!(error.to_string(), *wanted, "the network {text:?}");
    }
}
