//! Networks and settings files that cannot be.

use crate::case::{Case, case};
use crate::settings::train;
use crate::tables::table;

/// By `--net`.
pub fn texts() -> Vec<Case> {
    let mut cases = vec![
        train("an unknown activation", &["--net", "25 rleu"], &["--net", "rleu", "^^^^"], "did you mean relu?"),
        train("a dimension of 0", &["--net", "0 relu"], &["--net", "dense dimensions must be positive", "^"], "0 relu"),
        train(
            "a dimension of 0 further on",
            &["--net", "8 relu -> 0"],
            &["--net", "dense dimensions must be positive", "            ^"],
            "one unit or more",
        ),
        train("a dimension below 0", &["--net=-4 relu"], &["--net", "-4"], "^"),
        train("a dimension of half a unit", &["--net", "2.5 relu"], &["--net", "2.5"], "^"),
        train("a network too large", &["--net", "99999999999999999999"], &["--net", "99999999999999999999"], "^"),
        train(
            "sizes that overflow",
            &["--net", "4000000000 -> 4000000000"],
            &["--net", "4000000000 is too large", "^^^"],
            "at most",
        ),
        train(
            "an arrow too many",
            &["--net", "8 relu -> -> 4"],
            &["--net", "a layer is missing", "^^^^^"],
            "take one -> out",
        ),
        train("inputs that the data has not", &["--net", "9 -> 4 relu -> 2"], &["--net", "9 inputs", "^"], "4"),
        train("outputs that the classes have not", &["--net", "4 -> 4 relu -> 5"], &["--net", "5", "2", "^"], "2"),
        train(
            "a residual that changes the width",
            &["--net", "8 relu -> residual(4 relu)"],
            &["--net", "residual", "8", "4", "^"],
            "8",
        ),
        train("dropout of all", &["--net", "8 relu -> dropout 1"], &["--net", "dropout", "1", "^"], "0.5"),
        train("bce for a network of three", &["--net", "4 -> 4 relu -> 3", "--loss", "bce"], &["--net", "3", "^"], "1"),
        train(
            "cross-entropy for one output",
            &["--net", "4 -> 1", "--loss", "cross-entropy"],
            &["--loss cross-entropy", "ends in 1"],
            "end it in 2",
        ),
    ];
    if cfg!(target_os = "linux") {
        let large = "1000000 relu -> 1000000 relu";
        let inspect = ["inspect", "1000000 -> 1000000"];
        cases.push(case(
            "more weights than memory to inspect",
            &inspect,
            2,
            &["NET", "this machine has"],
            "fewer units",
        ));
        cases.push(train("more weights than memory", &["--net", large], &["--net", "this machine has"], "fewer units"));
    }
    cases
}

/// `train t.csv --config run.toml`.
fn config(name: &'static str, toml: impl Into<Vec<u8>>, says: &[&'static str], hint: &'static str) -> Case {
    let says = [&["run.toml"], says].concat();
    case(name, &["train", "t.csv", "--target", "y", "--config", "run.toml"], 2, &says, hint)
        .with("t.csv", table())
        .with("run.toml", toml)
}

/// By `--config`.
pub fn configs() -> Vec<Case> {
    vec![
        case(
            "no such config",
            &["train", "t.csv", "--config", "rn.toml"],
            2,
            &["--config", "rn.toml", "no such file"],
            "did you mean 'run.toml'?",
        )
        .with("t.csv", table())
        .with("run.toml", ""),
        case(
            "a config that is a folder",
            &["train", "t.csv", "--config", "run.toml"],
            2,
            &["--config", "run.toml", "a folder"],
            "hint",
        )
        .with("t.csv", table())
        .with("run.toml/", ""),
        config("a config in UTF-16", &b"\xff\xfe[\0t\0"[..], &["not UTF-8"], "hint"),
        config("broken TOML", "[train\nlr = 1", &["line 1", "^"], "]"),
        config(
            "an unknown key",
            "[train]\nepoch = 3\n",
            &["line 2, column 1", "unknown key \"epoch\"", "^^^^^"],
            "did you mean epochs?",
        ),
        config(
            "an unknown section",
            "[training]\nepochs = 3\n",
            &["line 1, column 2", "training", "^"],
            "known keys: network, train",
        ),
        config(
            "a word for a number",
            "[train]\nepochs = \"ten\"\n",
            &["line 2, column 10", "the string \"ten\"", "^^^^^"],
            "epochs = 20",
        ),
        config("a key twice", "[train]\nlr = 1\nlr = 2\n", &["line 3", "lr", "^"], "duplicate"),
        config("lr 0 in a config", "[train]\nlr = 0\n", &["line 2, column 6", "above 0", "^"], "lr = 0.1"),
        config(
            "an unknown optimizer in a config",
            "[train]\noptimizer = \"adma\"\n",
            &["line 2, column 13", "adma", "^^^^"],
            "adam",
        ),
        config(
            "an unknown activation in a config",
            "[network]\nnet = \"8 rleu\"\n",
            &["line 2", "rleu", "^^^^"],
            "did you mean relu?",
        ),
        config(
            "given weights of another shape",
            "[network]\ninput = 4\n[[network.layer]]\nunits = 2\nweight = [[0.7, 0.3, 1.0]]\n",
            &["line 5, column 10", "layer 0", "[1, 3]", "[2, 4]", "^"],
            "one row for each of the 2 units",
        ),
        config(
            "given weights with a NaN",
            "[network]\ninput = 2\n[[network.layer]]\nunits = 1\nweight = [[0.7, nan]]\n",
            &["line 5, column 17", "row 1, column 2", "finite", "^^^"],
            "give finite numbers",
        ),
        config(
            "given weights with a short row",
            "[network]\ninput = 2\n[[network.layer]]\nunits = 2\nweight = [[1, 2], [1]]\n",
            &["line 5", "row 2 of the given weights has 1 number", "^"],
            "one number in it for each input",
        ),
    ]
}
