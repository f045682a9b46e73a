//! `trace`, `inspect` and `check` by the real program; the small worked examples, number by number.
#![allow(clippy::unwrap_used, clippy::panic)]

mod known;

use known::{Folder, RISK_ROWS, glassnet, images, risk, tenfold};
use serde_json::Value;

fn trace(args: &[&str]) -> Value {
    glassnet(&[&["trace"][..], args, &["--json"]].concat()).ok().json()["trace"].clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[track_caller]
fn close(found: &[f64], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len(), "{found:?} {wanted:?}");
    for (a, b) in found.iter().zip(wanted) {
        assert!((a - b).abs() <= 1e-12, "{found:?} {wanted:?}");
    }
}

/// one_neuron and one_neuron_quiet, to the letter and to 1e-12.
#[test]
fn one_neuron() {
    let done = glassnet(&["trace", "2 -> 1 sigmoid", "--w", "0.7,0.3", "--b", "-4", "--x", "6,8"]).ok();
    let shown = "6 x 0.7 = 4.2 | 8 x 0.3 = 2.4 | bias -4.0 | z = 2.6 -> 0.931\n\
                 a score: nothing has checked it as a probability\n";
    assert_eq!((done.out.as_str(), done.err.as_str()), (shown, ""));
    let loud = trace(&["2 -> 1 sigmoid", "--w", "0.7,0.3", "--b", "-4", "--x", "6,8"]);
    let neuron = &loud["layers"][0]["neurons"][0];
    close(&[neuron["z"].as_f64().unwrap()], &[2.5999999999999996]);
    close(&numbers(&loud["scores"]["values"]), &[0.9308615796566531]);
    let products: Vec<f64> =
        neuron["products"].as_array().unwrap().iter().map(|product| product["product"].as_f64().unwrap()).collect();
    close(&products, &[4.199999999999999, 2.4]);
    let quiet = trace(&["2 -> 1 sigmoid", "--w", "0.7,0.3", "--b", "-4", "--x", "2,3"]);
    close(&numbers(&quiet["scores"]["logits"]), &[-1.7000000000000002]);
    close(&numbers(&quiet["scores"]["values"]), &[0.15446526508353467]);
}

/// neuron_relu, net_2_2_1, net_4_3_3, softmax, affine_collapse, xor.
#[test]
fn small_networks() {
    close(&numbers(&trace(&["2 -> 1 relu", "--w", "0.5,0.2", "--b", "1", "--x", "2,3"])["output"]), &[2.6]);
    close(&numbers(&trace(&["2 -> 1 relu", "--w", "0.5,-1.5", "--b", "1", "--x", "2,-1"])["output"]), &[3.5]);
    let net = ["2 -> 2 relu -> 1 sigmoid", "--w", "0.3,-0.1,0.1,0.6,0.4,0.1", "--b", "0,0,-0.5", "--x", "2,5"];
    let found = trace(&net);
    close(&numbers(&found["layers"][1]["values"]), &[0.09999999999999998, 3.2]);
    close(&numbers(&found["scores"]["values"]), &[0.4650570548417856]);
    let text = glassnet(&[&["trace"][..], &net].concat()).ok().out;
    assert!(text.contains("z = -0.14 -> 0.465"), "{text}");
    let w = "0.5,-0.3,0.7,0.1,-0.2,0.8,-0.1,0.4,0.3,-0.5,0.6,-0.2,0.4,-0.6,0.2,0.1,0.5,-0.3,-0.7,0.3,0.8";
    let b = "0.1,-0.2,0.05,0,0.1,-0.1";
    let found = trace(&["4 -> 3 relu -> 3 relu", "--w", w, "--b", b, "--x", "0.2,0.8,0.1,0.9"]);
    close(&numbers(&found["layers"][0]["values"]), &[0.12000000000000002, 0.7500000000000002, -0.4100000000000001]);
    close(&numbers(&found["layers"][2]["values"]), &[-0.40200000000000014, 0.4870000000000001, 0.041000000000000036]);
    close(&numbers(&found["output"]), &[0.0, 0.4870000000000001, 0.041000000000000036]);
    let found = trace(&["3 -> 3 softmax", "--w", "1,0,0,0,1,0,0,0,1", "--x", "2,1,0.1"]);
    close(&numbers(&found["output"]), &[0.6590011388859679, 0.24243297070471392, 0.09856589040931818]);
    let affine = ["--w", "1,-2,0.5,1,0.4,-0.8", "--b", "-0.5,0.25,0.1"];
    close(&numbers(&trace(&[&["2 -> 2 -> 1", "--x", "2,1"], &affine[..]].concat())["output"]), &[-1.9]);
    close(&numbers(&trace(&[&["2 -> 2 relu -> 1", "--x", "2,1"], &affine[..]].concat())["output"]), &[-1.7]);
    let merged = glassnet(&[&["inspect", "2 -> 2 -> 1", "--merge", "--json"], &affine[..]].concat()).ok().json();
    close(&numbers(&merged["merged"]["slots"][0][2]), &[0.0, -1.6]);
    close(&numbers(&merged["merged"]["slots"][1][2]), &[-0.30000000000000004]);
    for (x, y) in [("0,0", 0.0), ("0,1", 1.0), ("1,0", 1.0), ("1,1", 0.0)] {
        let found = trace(&["2 -> 2 relu -> 1", "--w", "1,1,1,1,1,-2", "--b", "0,-1,0", "--x", x]);
        close(&numbers(&found["output"]), &[y]);
    }
}

/// The first step of gradient_descent: loss, gradients, old - lr x grad = new.
#[test]
fn one_step_of_gradient_descent() {
    // The example has W as [inputs, units]; here a row is a unit.
    let w = "0.04967141530112327,0.15230298564080255,0.15792128155073915,0.05425600435859647,\
             -0.013826430117118467,-0.023415337472333597,0.07674347291529088,-0.046341769281246226,\
             0.06476885381006925,-0.023413695694918055,-0.04694743859349521,-0.04657297535702569";
    let args = ["4 -> 3 relu", "--w", w, "--x", "1,2,3,2.5", "--y", "0,0,0", "--step", "0.01"];
    let found = trace(&args);
    close(&numbers(&found["layers"][0]["values"]), &[0.9636812421314369, 0.05371889048097141, -0.2393332917528167]);
    close(&[found["loss"]["value"].as_f64().unwrap()], &[0.3105224185434986]);
    let gradients: Vec<f64> = found["layers"][0]["gradient"]["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|chain| chain["gradient"].as_f64().unwrap())
        .collect();
    // Unit by unit: its weights, then its bias.
    let units = [
        [0.6424541614209579, 1.2849083228419158, 1.9273624842628738, 1.6061354035523947, 0.6424541614209579],
        [0.035812593653980936, 0.07162518730796187, 0.10743778096194281, 0.08953148413495234, 0.035812593653980936],
        [0.0; 5],
    ];
    close(&gradients, units.as_flattened());
    let updates = found["step"]["slots"][0]["updates"].as_array().unwrap();
    let new: Vec<f64> = updates.iter().map(|update| update["new"].as_f64().unwrap()).collect();
    close(&new[..4], &[0.04324687368691369, 0.1394539024123834, 0.1386476567081104, 0.038194650323072524]);
    close(&[found["step"]["again"]["loss"].as_f64().unwrap()], &[0.22877307905055397]);
    let text = glassnet(&[&["trace"][..], &args].concat()).ok().out;
    assert!(text.contains("0.weight[0][0]: 0.0496714 - 0.01 x 0.642454 = 0.0432469"), "{text}");
}

#[test]
fn drawn_weights_are_said_and_toml_gives_its_own() {
    let folder = Folder::new();
    let text = |seed: &str| glassnet(&["trace", "2 -> 2 tanh -> 1", "--x", "0,1", "--seed", seed]).ok().out;
    assert!(text("3").starts_with("weights drawn from seed 3; --w and --b give others\n"));
    assert_ne!(text("3").replace("seed 3", ""), text("4").replace("seed 4", ""));
    let toml = "[network]\ninput = 2\n[[network.layer]]\nunits = 1\nactivation = \"sigmoid\"\nweight = [[0.7, 0.3]]\nbias_values = [-4.0]\n";
    let toml = folder.write("neuron.toml", toml);
    let done = glassnet(&["trace", &toml, "--x", "6,8"]).ok();
    assert!(done.out.starts_with("6 x 0.7 = 4.2 | 8 x 0.3 = 2.4 | bias -4.0 | z = 2.6 -> 0.931\n"), "{}", done.out);
    let json = glassnet(&["inspect", &toml, "--json"]).ok().json();
    assert_eq!((json["weights"].as_str(), json["summary"]["parameters"].as_u64()), (Some("given"), Some(3)));
    assert_eq!(json["summary"]["weights"][0]["mean"].as_f64().unwrap(), f64::from((0.7f32 + 0.3) / 2.0));
}

#[test]
fn a_row_of_the_data_through_a_model() {
    let folder = Folder::new();
    let (model, data) = (risk(&folder), folder.write("new.csv", RISK_ROWS));
    let done = glassnet(&["trace", &model, &data, "--row", "2"]).ok();
    for line in [
        "new.csv, row 2 (line 3)",
        "route disruption  8  ->  1.5   (8 - 5) / 2",
        "1.5 x 0.8 = 1.2 | 1 x 0.3 = 0.3 | 2 x 0.4 = 0.8 | bias 0.0 | z = 2.3 -> 2.3",
        "queue: monitor 0.019 | review 0.981 -> review",
        "a score: nothing has checked it as a probability",
    ] {
        assert!(done.out.contains(line), "{line:?} is missing in\n{}", done.out);
    }
    let json = glassnet(&["trace", &model, &data, "--row", "2", "--y", "review", "--json"]).ok().json();
    assert_eq!(json["trace"]["precision"], "f32");
    assert_eq!(json["row"]["columns"][0]["raw"], "8");
    assert!((json["trace"]["loss"]["value"].as_f64().unwrap() + 0.9811090380629609f64.ln()).abs() < 1e-6);
    glassnet(&["trace", &model, &data, "--row", "4"]).fails(3, &["no row 4", "it has 3 rows"]);
    glassnet(&["trace", &model, &data, "--y", "reviews"]).fails(2, &["no such class", "monitor, review"]);
    glassnet(&["trace", &model, &data, "--step", "0.1"]).fails(2, &["target"]);
    // A regression: the row's own target, standardised, and the value in its unit.
    let model = tenfold(&folder);
    let data = folder.write("ten.csv", "x,carrier,y\n7,ZZ,70\n,AA,\n");
    let text = glassnet(&["trace", &model, &data]).ok().out;
    assert!(text.contains("target: y is 70, standardised") && text.contains(" = 70\n"), "{text}");
    assert!(text.contains("no category with an input of its own: unknown"), "{text}");
    let text = glassnet(&["trace", &model, &data, "--row", "2"]).ok().out;
    assert!(text.contains("missing: as if it were the mean") && !text.contains("loss"), "{text}");
    let text = glassnet(&["trace", &model, &data, "--forward"]).ok().out;
    assert!(!text.contains("loss"), "{text}");
    let (data, model) = images(&folder);
    let text = glassnet(&["trace", &model, &data, "--part", "train", "--row", "2"]).ok().out;
    assert!(text.contains("image 2 of the training images\n    @@\n") && text.contains("-> 1\n"), "{text}");
}

#[test]
fn inspect_says_what_a_model_is() {
    let folder = Folder::new();
    let done = glassnet(&["inspect", &risk(&folder), "--batch", "64", "--plan"]).ok();
    for words in [
        "a model (format 1) that predicts queue: 2 classes (monitor, review)",
        "3 -> 3 relu -> 1",
        "memory for 64 rows at once, f32",
        "backlog           mean 5, deviation 2",
        "data      sha256:00ff",
        "seed      7",
        "plan to train with up to 64 rows",
        "plan to predict with up to 64 rows",
        "0.weight",
    ] {
        assert!(done.out.contains(words), "{words:?} is missing in\n{}", done.out);
    }
    let json = glassnet(&["inspect", "784 -> 256 relu -> 128 relu -> 10", "--optimizer", "sgd", "--json"]).ok().json();
    assert_eq!(json["summary"]["parameters"], 235_146);
    assert_eq!(json["summary"]["training"]["moments"], 0);
    assert!(json["model"].is_null() && json["weights"] == "not given");
    let (_, model) = images(&folder);
    assert!(
        glassnet(&["inspect", &model]).ok().out.contains("images of 2 x 2 pixels; a pixel becomes (pixel - 63.75) / ")
    );
}

#[test]
fn check_compares_gradients() {
    let folder = Folder::new();
    let model = risk(&folder);
    let header = "route disruption,backlog,weather severity,queue\n";
    let data = folder.write("test.csv", &format!("{header}2,3,1,monitor\n8,7,9.5,review\n5.5,9,4,review\n1,1,1,\n"));
    let json = glassnet(&["check", &model, &data, "--json"]).ok().json();
    assert_eq!(
        (json["passed"].as_bool(), json["rows"].as_u64(), json["compared"].as_u64()),
        (Some(true), Some(3), Some(16))
    );
    let json = glassnet(&["check", &model, &data, "--rows", "2", "--json"]).ok().json();
    assert_eq!(json["rows"], 2);
    let text = glassnet(&["check", "3 -> swiglu 5 -> 3"]).ok().out;
    assert!(
        text.contains("rows drawn from seed 0, loss cross_entropy") && text.contains("passed: worst is "),
        "{text}"
    );
    glassnet(&["check", "2 -> 4 tanh -> 1", "--x", "0.5,-1", "--y", "1"]).ok();
    let done = glassnet(&["check", "1 -> 1 relu", "--w", "0", "--b", "0", "--x", "1", "--y", "1", "--json"]);
    done.fails(7, &["the check failed: nothing could be compared", "on a kink"]);
    assert_eq!((done.json()["passed"].as_bool(), done.json()["compared"].as_u64()), (Some(false), Some(0)));
    let done = glassnet(&["check", "2 -> 1", "--w", "1e200,1", "--x", "1e200,1", "--y", "0"]);
    done.fails(7, &["the check failed: the gradient of 0.weight[0][0] is inf", "the loss itself is not finite"]);
    glassnet(&["check", "2 -> 3", "--x", "1,2", "--y", "7"]).fails(2, &["class number from 0 to 2"]);
    let (data, model) = images(&folder);
    glassnet(&["check", &model, &data, "--part", "train"]).ok();
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let folder = Folder::new();
    let x = ["--x", "1,2"];
    let net = |net: &str| glassnet(&[&["trace", net][..], &x].concat());
    net("2 -> 3 rleu -> 1").fails(2, &["unknown activation \"rleu\"", "       ^^^^", "did you mean relu?"]);
    net("4 relu").fails(2, &["the input size is not known", "784 -> 256 relu -> 10"]);
    net("2 -> 0 relu -> 1").fails(2, &["dense dimensions must be positive"]);
    net("nosuch.glass").fails(4, &["nosuch.glass", "no such model file"]);
    net("no/such.toml").fails(2, &["no/such.toml", "no such file"]);
    net(&folder.write("empty.toml", "[train]\nepochs = 3\n")).fails(2, &["empty.toml", "no [network]"]);
    net(&folder.write("bad.toml", "[network]\nnet = \"2 -> 3 rleu\"\n"))
        .fails(2, &["bad.toml, line 2", "did you mean relu?"]);
    net(&folder.write("words.txt", "hello")).fails(4, &["words.txt", "not a readable model file"]);
    net("3 -> 1").fails(2, &["reads 3 numbers", "has 2"]);
    let more = |more: &[&str]| glassnet(&[&["trace", "2 -> 1"][..], more].concat());
    more(&[]).fails(2, &["no row to trace", "--x 1,2"]);
    more(&["--x", "1,2", "--w", "1", "--b", "0"]).fails(2, &["--w, --b: layer 0 needs 2 weights"]);
    more(&["--x", "1,2", "--w", "1,inf"]).fails(2, &["not finite"]);
    more(&["--x", "1,2", "--y", "no"]).fails(2, &["--y: \"no\" is no finite number"]);
    more(&["--x", "1,2", "--layer", "9"]).fails(2, &["no layer \"9\""]);
    more(&["--x", "1,2", "--y", "1", "--step", "-1"]).fails(2, &["learning rate must be a positive number"]);
    more(&[&folder.write("t.csv", "a,b\n1,2\n")]).fails(2, &["only a model knows", "--x"]);
    glassnet(&["inspect", "2 -> 1", "--optimizer", "adamm"]).fails(2, &["adam"]);
    for command in ["evaluate", "predict", "inspect", "trace", "check"] {
        assert!(glassnet(&[command, "--help"]).ok().out.contains("Examples:"), "{command}");
    }
}
