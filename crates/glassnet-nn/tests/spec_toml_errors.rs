//! TOMLs that are refused, each with the whole message as a person sees it.

use glassnet_nn::spec::toml::RunConfig;

const BAD: &[(&str, &str)] = &[
    (
        "[train]
epoch = 5",
        r#"run.toml, line 2, column 1: unknown key "epoch" in [train]
  epoch = 5
  ^^^^^
did you mean epochs?"#,
    ),
    (
        r#"[train]
epochs = "ten""#,
        r#"run.toml, line 2, column 10: epochs must be a whole number of at least 1, got the string "ten"
  epochs = "ten"
           ^^^^^
for instance: epochs = 20"#,
    ),
    (
        "[train]
epochs = 0",
        "run.toml, line 2, column 10: epochs must be a whole number of at least 1, got 0
  epochs = 0
           ^
for instance: epochs = 20",
    ),
    (
        "[train]
epochs = 2.5",
        "run.toml, line 2, column 10: epochs must be a whole number of at least 1, got 2.5
  epochs = 2.5
           ^^^
for instance: epochs = 20",
    ),
    (
        "[train]
lr = 0",
        "run.toml, line 2, column 6: lr must be a number above 0, got 0
  lr = 0
       ^
for instance: lr = 0.1",
    ),
    (
        "[train]
lr = nan",
        "run.toml, line 2, column 6: lr must be a number above 0, got nan
  lr = nan
       ^^^
for instance: lr = 0.1",
    ),
    (
        r#"[train]
batch = "some""#,
        r#"run.toml, line 2, column 9: batch must be a whole number of at least 1, got the string "some"; or write "all"
  batch = "some"
          ^^^^^^
for instance: batch = 128"#,
    ),
    (
        "[train]
batch = 0",
        r#"run.toml, line 2, column 9: batch must be a whole number of at least 1, got 0; or write "all"
  batch = 0
          ^
for instance: batch = 128"#,
    ),
    (
        "[train]
seed = -1",
        "run.toml, line 2, column 8: seed must be a whole number that is not negative, got -1
  seed = -1
         ^^
for instance: seed = 7",
    ),
    (
        r#"[train]
drop = "id""#,
        r#"run.toml, line 2, column 8: drop must be an array of strings, got the string "id"
  drop = "id"
         ^^^^
for instance: drop = ["id", "comment"]"#,
    ),
    (
        r#"[train]
drop = ["id", 5]"#,
        r#"run.toml, line 2, column 8: drop item 2 must be a string in quotes, got 5
  drop = ["id", 5]
         ^^^^^^^^^
for instance: drop = ["id", "comment"]"#,
    ),
    (
        r#"[train]
class_weights = "balance""#,
        r#"run.toml, line 2, column 17: class_weights must be "balanced", a list or a table, got the string "balance"
  class_weights = "balance"
                  ^^^^^^^^^
for instance: class_weights = "balanced""#,
    ),
    (
        "[train]
class_weights = { a = -1 }",
        r#"run.toml, line 2, column 17: class_weights "a" must be a number that is not negative, got -1
  class_weights = { a = -1 }
                  ^^^^^^^^^^
for instance: class_weights = "balanced""#,
    ),
    (
        "[train]
types = { zip = 3 }",
        r#"run.toml, line 2, column 9: types "zip" must be a string in quotes, got 3
  types = { zip = 3 }
          ^^^^^^^^^^^
for instance: types = { zip = "category" }"#,
    ),
    (
        "lr = 0.1",
        r#"run.toml: unknown key "lr" in the file
  lr = 0.1
  ^^
lr belongs under [train]"#,
    ),
    (
        r#"net = "3""#,
        r#"run.toml: unknown key "net" in the file
  net = "3"
  ^^^
net belongs under [network]"#,
    ),
    (
        "[trian]
lr = 1",
        r#"run.toml, line 1, column 2: unknown key "trian" in the file
  [trian]
   ^^^^^
did you mean train?"#,
    ),
    (
        "[train]
lr = ",
        "run.toml, line 2, column 6: this is no TOML: string values must be quoted, expected literal string
  lr =
       ^
a line is `key = value`, each key once, text in quotes; a section begins with [train] or [network]",
    ),
    (
        "[train]
lr = 1
lr = 2",
        "run.toml, line 3, column 1: this is no TOML: duplicate key
  lr = 2
  ^^
a line is `key = value`, each key once, text in quotes; a section begins with [train] or [network]",
    ),
    (
        "train = 5",
        "run.toml: [train] must be a table, got 5
  train = 5
          ^
write [train] on a line of its own, and its keys below",
    ),
    (
        "[train]
momentum = 1.0",
        "run.toml, line 2, column 12: momentum must be from 0 to below 1, got 1.0
  momentum = 1.0
             ^^^
for instance: momentum = 0.9",
    ),
    (
        "[train]
banana = 1",
        r#"run.toml, line 2, column 1: unknown key "banana" in [train]
  banana = 1
  ^^^^^^
known keys: data, target, valid, test, validation_share, drop, types, weight_column, task, raw, augment, no_header, delimiter, epochs, steps, context, streams, batch, lr, optimizer, momentum, weight_decay, schedule, clip_norm, clip_value, shuffle, init, merge_affine, accumulate, checkpoint_activations, precision, early_stop, loss, label_smoothing, class_weights, seed, threads, out"#,
    ),
    (
        r#"[train]
target = """#,
        r#"run.toml, line 2, column 10: target must not be empty
  target = ""
           ^^
for instance: target = "late""#,
    ),
    (
        "[train]
label_smoothing = 1.5",
        "run.toml, line 2, column 19: label_smoothing must be from 0 to below 1, got 1.5
  label_smoothing = 1.5
                    ^^^
for instance: label_smoothing = 0.1",
    ),
    (
        "[train]
threads = 99999999999999999999",
        "run.toml, line 2, column 11: threads must be a whole number of at least 1, got 99999999999999999999
  threads = 99999999999999999999
            ^^^^^^^^^^^^^^^^^^^^
for instance: threads = 4",
    ),
    (
        r#"[network]
net = "784 -> 256 rleu -> 10""#,
        r#"run.toml, line 2, column 19: unknown activation "rleu"
  net = "784 -> 256 rleu -> 10"
                    ^^^^
did you mean relu?"#,
    ),
    (
        r#"[network]
net = "784 -> \u0032 rleu -> 10""#,
        r#"run.toml, line 2, column 7: unknown activation "rleu"
  net = "784 -> \u0032 rleu -> 10"
        ^^^^^^^^^^^^^^^^^^^^^^^^^^
did you mean relu?"#,
    ),
    (
        "[network]
net = 5",
        "run.toml, line 2, column 7: net must be a string in quotes, got 5
  net = 5
        ^
write it as text: in quotes",
    ),
    (
        "[network]
",
        r#"run.toml, line 1, column 1: [network] names no layer
  [network]
  ^^^^^^^^^
for instance: net = "784 -> 256 relu -> 10""#,
    ),
    (
        r#"[network]
net="3"
layer=[]"#,
        "run.toml, line 3, column 7: [network] has both net and layer
  layer=[]
        ^^
keep one of the two: the text form, or the layers one by one",
    ),
    (
        r#"[network]
input = 3
net = "3 -> 1""#,
        "run.toml, line 2, column 9: the input size is said twice, in input and in net
  input = 3
          ^
take input = ... out",
    ),
    (
        r#"[network]
input = 0
net = "1""#,
        "run.toml, line 2, column 9: dense dimensions must be positive, got 0
  input = 0
          ^
give the layer one unit or more",
    ),
    (
        "[network]
input = 2
[[network.layer]]
units = 1
weight = [[0.7, 0.3, 1.0]]",
        "run.toml, line 5, column 10: layer 0: the given weights have shape [1, 3], the layer needs [1, 2]
  weight = [[0.7, 0.3, 1.0]]
           ^^^^^^^^^^^^^^^^^
give one row for each of the 1 units, one number in it for each input",
    ),
    (
        r#"[network]
input = 2
[[network.layer]]
units = 3
activation = "relu"
[[network.layer]]
weight = [[1, 2, 3], [1, 2]]"#,
        "run.toml, line 7, column 10: layer 2: row 2 of the given weights has 2 numbers, row 1 has 3
  weight = [[1, 2, 3], [1, 2]]
           ^^^^^^^^^^^^^^^^^^^
the layer's weight is [2, 3]: one row for each unit, one number in it for each input",
    ),
    (
        "[network]
input = 2
[[network.layer]]
units = 3
weight = [[1, 2, 3], [1, 2, 3]]",
        "run.toml, line 5, column 10: layer 0: the given weights have shape [2, 3], the layer needs [3, 2]
  weight = [[1, 2, 3], [1, 2, 3]]
           ^^^^^^^^^^^^^^^^^^^^^^
give one row for each of the 3 units, one number in it for each input; turn it over: rows are units, columns are inputs",
    ),
    (
        "[network]
[[network.layer]]
units = 1
weight = [[0.7, nan]]",
        "run.toml, line 4, column 17: layer 0: weight row 1, column 2 must be a finite number, got nan
  weight = [[0.7, nan]]
                  ^^^
give finite numbers",
    ),
    (
        "[network]
[[network.layer]]
units = 2
bias_values = [1.0]",
        "run.toml, line 4, column 15: layer 0: the given biases have shape [1], the layer needs [2]
  bias_values = [1.0]
                ^^^^^
give one number for each of the 2 units",
    ),
    (
        "[network]
[[network.layer]]
units = 1
bias = false
bias_values = [1.0]",
        "run.toml, line 5, column 15: layer 0: biases are given for a layer without bias
  bias_values = [1.0]
                ^^^^^
take bias = false out",
    ),
    (
        "[network]
[[network.layer]]
units = 1
bias = [1.0]",
        "run.toml, line 4, column 8: bias must be true or false, got an array
  bias = [1.0]
         ^^^^^
given biases are written bias_values = [...]",
    ),
    (
        r#"[network]
[[network.layer]]
kind = "liner""#,
        r#"run.toml, line 3, column 8: unknown kind "liner"
  kind = "liner"
         ^^^^^^^
did you mean linear?"#,
    ),
    (
        r#"[network]
[[network.layer]]
kind = "dropout"
p = 1"#,
        "run.toml, line 4, column 5: p must be a probability from 0 to below 1, got 1
  p = 1
      ^
for instance: p = 0.5",
    ),
    (
        r#"[network]
[[network.layer]]
kind = "dropout""#,
        r#"run.toml, line 3, column 1: layer 0 needs p
  kind = "dropout"
  ^^^^
for instance: p = 0.5"#,
    ),
    (
        r#"[network]
[[network.layer]]
activation = "relu""#,
        r#"run.toml, line 3, column 1: layer 0 says no kind
  activation = "relu"
  ^^^^^^^^^^
kind is one of linear, activation, dropout, scale, residual, gated, swiglu, or an activation's name"#,
    ),
    (
        r#"[network]
[[network.layer]]
units = 256
activation = "rleu""#,
        r#"run.toml, line 4, column 15: unknown activation "rleu"
  activation = "rleu"
                ^^^^
did you mean relu?"#,
    ),
    (
        r#"[network]
[[network.layer]]
units = 256
init = "hee""#,
        r#"run.toml, line 4, column 9: unknown initialisation "hee"
  init = "hee"
          ^^^
did you mean he?"#,
    ),
    (
        r#"[network]
[[network.layer]]
units = "256""#,
        r#"run.toml, line 3, column 9: a number of units is wanted, got the string "256"
  units = "256"
          ^^^^^
write a whole number without quotes"#,
    ),
    (
        "[network]
[[network.layer]]
units = 0",
        "run.toml, line 3, column 9: dense dimensions must be positive, got 0
  units = 0
          ^
give the layer one unit or more",
    ),
    (
        "[network]
[[network.layer]]
units = 2
unit = 1",
        r#"run.toml, line 4, column 1: unknown key "unit" in layer 0
  unit = 1
  ^^^^
did you mean units?"#,
    ),
    (
        r#"[network]
input = 4
[[network.layer]]
kind = "residual"
net = "8 relu -> 5""#,
        r#"run.toml, line 4, column 1: layer 0: the residual block takes 4 and its branch gives 5; x + f(x) needs equal widths
  kind = "residual"
  ^^^^
end the branch with 4: residual(... -> 4), or put -> 5 before the block"#,
    ),
    (
        r#"[network]
[[network.layer]]
kind = "residual""#,
        r#"run.toml, line 3, column 1: layer 0 needs the layers of its branch, once
  kind = "residual"
  ^^^^
for instance: net = "256 relu -> 256""#,
    ),
    (
        "[network]
layer = 5",
        "run.toml, line 2, column 9: layer must be an array of tables, got 5
  layer = 5
          ^
each layer begins with [[network.layer]]",
    ),
    (
        "[network]
[[network.layer]]
units = 1
weight = [1, 2]",
        "run.toml, line 4, column 11: weight row 1 must be an array of numbers, got 1
  weight = [1, 2]
            ^
for instance: weight = [[0.7, 0.3]]",
    ),
    (
        "[network]
[[network.layer]]
units = 1
weight = 1",
        "run.toml, line 4, column 10: weight must be an array of rows, got 1
  weight = 1
           ^
for instance: weight = [[0.7, 0.3]]",
    ),
    (
        r#"[network]
[[network.layer]]
units = 1
weight = [[1]]
init="he""#,
        r#"run.toml, line 5, column 6: layer 0 has both given weights and an init
  init="he"
       ^^^^
keep one of the two"#,
    ),
    (
        r#"[network]
net = "8 -> residual(4 relu -> 5) -> 1""#,
        r#"run.toml, line 2, column 7: layer 0: the residual block takes 8 and its branch gives 5; x + f(x) needs equal widths
  net = "8 -> residual(4 relu -> 5) -> 1"
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
end the branch with 8: residual(... -> 8), or put -> 5 before the block"#,
    ),
    (
        "[network]
layer = [{}]",
        "run.toml, line 2, column 10: layer 0 says no kind
  layer = [{}]
           ^^
kind is one of linear, activation, dropout, scale, residual, gated, swiglu, or an activation's name",
    ),
    (
        "[network]
layer = [3]",
        r#"run.toml, line 2, column 10: layer 0 must be a table, got 3
  layer = [3]
           ^
for instance: { kind = "linear", units = 256 }"#,
    ),
    (
        "[network]\n[[network.layer]]\nkind = 5",
        "run.toml, line 3, column 8: kind must be a string in quotes, got 5
  kind = 5
         ^
for instance: kind = \"linear\"",
    ),
    (
        "[network]\n[[network.layer]]\nunits = 5\nbias = 1",
        "run.toml, line 4, column 8: bias must be true or false, got 1
  bias = 1
         ^
for instance: bias = false",
    ),
    (
        "[network]\n[[network.layer]]\nkind = \"banana\"",
        "run.toml, line 3, column 8: unknown kind \"banana\"
  kind = \"banana\"
         ^^^^^^^^
kind is one of linear, activation, dropout, scale, residual, gated, swiglu, or an activation's name",
    ),
];

#[test]
fn every_bad_toml_is_refused_with_its_message() {
    for (text, wanted) in BAD {
        let error = RunConfig::parse(text).unwrap_err().named("run.toml");
        assert_eq!(error.to_string(), *wanted, "the TOML {text:?}");
        assert!(error.advice().is_some(), "no advice for {text:?}");
    }
}
