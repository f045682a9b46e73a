//! `train --checkpoint-activations`: less memory, said before it begins, and the same model.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use made::{Folder, orders};

/// 30 residual blocks of width 32, the way the text form writes them.
fn deep() -> String {
    format!("32 relu -> {}", vec!["residual(32 relu -> 32)"; 30].join(" -> "))
}

#[test]
fn the_forecast_tells_what_it_saves_and_the_model_is_the_same() {
    let folder = Folder::new("checkpoint");
    folder.write("orders.csv", orders(400, 1));
    let net = deep();
    let base = ["train", "orders.csv", "--target", "late", "--net", &net, "--epochs", "2", "--batch", "64"];
    let kept = folder.run(&[&base[..], &["-o", "kept.glass"]].concat()).ok();
    assert!(!kept.err.contains("of a forward pass more"), "{}", kept.err);
    let again = folder.run(&[&base[..], &["-o", "again.glass", "--checkpoint-activations"]].concat()).ok();
    let line =
        again.err.lines().find(|line| line.starts_with("activations ")).unwrap_or_else(|| panic!("{}", again.err));
    assert!(line.contains(" instead of ") && line.ends_with("of a forward pass more"), "{line}");
    let file = |name: &str| std::fs::read(folder.path(name)).unwrap();
    assert!(file("kept.glass") == file("again.glass"), "the model files are not the same bytes");

    // In a config file, as JSON.
    folder.write("run.toml", "[train]\ncheckpoint_activations = true\n");
    let more = ["--config", "run.toml", "--json", "-o", "third.glass"];
    let value = folder.run(&[&base[..], &more].concat()).ok().json();
    let forecast = &value["forecast"];
    let number = |value: &serde_json::Value| value.as_f64().unwrap_or_else(|| panic!("{forecast}"));
    let (with, without) =
        (number(&forecast["activation_bytes"]), number(&forecast["checkpoint"]["activation_bytes_without"]));
    assert!(without > 2.0 * with, "{forecast}");
    let more = number(&forecast["checkpoint"]["more_forward_passes"]);
    assert!(more > 0.5 && more < 1.0, "{more}");
    assert!(file("kept.glass") == file("third.glass"));

    let value = folder.run(&[&base[..], &["--json", "-o", "kept.glass"]].concat()).ok().json();
    assert_eq!(number(&value["forecast"]["activation_bytes"]), without);
    assert!(value["forecast"].get("checkpoint").is_none());
}

#[test]
fn a_network_that_is_too_shallow_is_told_so() {
    let folder = Folder::new("shallow");
    folder.write("orders.csv", orders(100, 1));
    let run = folder
        .run(&[
            "train",
            "orders.csv",
            "--target",
            "late",
            "--net",
            "linear",
            "--epochs",
            "1",
            "--checkpoint-activations",
        ])
        .ok();
    assert!(run.err.contains("saves nothing here: the network is too shallow"), "{}", run.err);
}
