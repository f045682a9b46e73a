//! Networks that are refused: every message of `layer_errors.txt`, as a person sees it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

use glassnet_nn::spec::NetSpec;
use glassnet_nn::spec::shapes::RowShape;

/// Blocks of `DATA | NETWORK` and the message. DATA is what a row is (`784`, `1x28x28`, `t8` for 8 tokens out of 65, `-` for
/// nothing known), the outputs that the target needs, and `s` where it has a value for each time step.
const ERRORS: &str = include_str!("layer_errors.txt");

fn row(text: &str) -> Option<RowShape> {
    match text.strip_prefix('t') {
        _ if text == "-" => None,
        Some(steps) => Some(RowShape::tokens(steps.parse().unwrap(), 65)),
        None => Some(RowShape::of(&text.split('x').map(|size| size.parse().unwrap()).collect::<Vec<_>>())),
    }
}

#[test]
fn every_bad_network_is_refused_with_its_message() {
    let blocks: Vec<&str> = ERRORS.trim_end().split("\n\n").collect();
    assert_eq!(blocks.len(), 143, "the list of errors changed");
    let mut wrong = String::new();
    for block in blocks {
        let (head, wanted) = block.split_once('\n').unwrap();
        let (data, text) = head.split_once(" | ").unwrap();
        let mut words = data.split(' ');
        let row = row(words.next().unwrap());
        let outputs = words.next().map(|outputs| outputs.parse().unwrap());
        let steps = words.next() == Some("s");
        let found = match NetSpec::parse(text).and_then(|net| net.shapes_of(row.as_ref(), outputs, steps)) {
            Ok(_) => "it is not refused".to_owned(),
            Err(error) => {
                assert!(error.advice().is_some(), "no advice for {text:?}");
                error.to_string()
            }
        };
        if found != wanted {
            wrong += &format!("{head}\n{found}\n\n");
        }
    }
    assert!(wrong.is_empty(), "these are other messages:\n{wrong}");
}

#[test]
fn nesting_has_a_limit_in_every_block() {
    let deep = |depth: usize| format!("{}4{}", "concat(3, ".repeat(depth), ")".repeat(depth));
    let net = NetSpec::parse(&deep(32)).unwrap();
    assert_eq!(net.to_string(), deep(32));
    assert_eq!(net.shapes(4, None).unwrap()[0].output, 32 * 3 + 4);
    assert_eq!(NetSpec::parse(&deep(33)).unwrap_err().message(), "concat blocks are nested more than 32 deep");
    let mixed = format!("{}4{}", "residual(concat(3, ".repeat(17), "))".repeat(17));
    assert!(NetSpec::parse(&mixed).unwrap_err().message().contains("nested more than 32 deep"));
    assert!(NetSpec::parse(&"concat(".repeat(9000)).is_err());
}

/// A model file holds a spec as JSON, and what the text form refuses can stand in it.
#[test]
fn a_spec_from_elsewhere_is_checked_too() {
    let message = |layer: &str, input: &str| {
        let json = format!(r#"{{{input},"layers":[{layer}]}}"#);
        let net: NetSpec = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
        net.shapes_of(None, None, false).unwrap_err().message().to_owned()
    };
    let sequence = r#""input":6,"axes":[3,2]"#;
    let lstm = |units: &str, layers: &str| {
        format!(
            r#"{{"kind":"sequence","layer":"recurrent","cell":"lstm","units":{units},"layers":{layers},"bidirectional":false,"bias":true}}"#
        )
    };
    assert_eq!(
        message(&lstm("4", "18446744073709551615"), sequence),
        "layer 0: a recurrent network has 1 to 64 layers, got 18446744073709551615"
    );
    assert_eq!(message(&lstm("4", "0"), sequence), "layer 0: a recurrent network has 1 to 64 layers, got 0");
    assert_eq!(
        message(&lstm("18446744073709551615", "1"), sequence),
        "layer 0: 18446744073709551615 is too large for a layer"
    );
    assert_eq!(message(&lstm("0", "1"), sequence), "layer 0: dense dimensions must be positive, got 0");
    assert_eq!(message(r#"{"kind":"concat","branches":[]}"#, sequence), "layer 0: concat joins 2 to 4 branches, got 0");
    assert_eq!(message(r#"{"kind":"scaling"}"#, r#""input":5,"axes":[3,2]"#), "an input of 5 numbers is no row of 3x2");
    assert_eq!(
        message(r#"{"kind":"scaling"}"#, r#""input":0,"axes":[0,2]"#),
        "dense dimensions must be positive, got 0"
    );
    let huge = "18446744073709551615";
    let conv = format!(
        r#"{{"kind":"image","layer":"conv","channels":{huge},"kernel":[{huge},{huge}],"stride":[{huge},{huge}],"padding":{{"zeros":[{huge},{huge}]}},"dilation":[{huge},{huge}],"groups":{huge},"bias":true}}"#
    );
    let image = r#""input":64,"axes":[1,8,8]"#;
    assert!(message(&conv, image).contains("groups must divide"));
    let conv = conv.replace(&format!("\"groups\":{huge}"), "\"groups\":1");
    assert!(message(&conv, image).contains("more memory than can be addressed"));
    let pool = format!(
        r#"{{"kind":"image","layer":"pool","pooling":"max","kernel":[{huge},{huge}],"stride":[{huge},{huge}],"padding":[{huge},{huge}]}}"#
    );
    assert!(message(&pool, image).contains("has more than 2^24 elements"));
    let adaptive = format!(r#"{{"kind":"image","layer":"adaptive_pool","output":[{huge},{huge}]}}"#);
    assert!(message(&adaptive, image).starts_with("layer 0: "));
    let heads = format!(
        r#"{{"kind":"sequence","layer":"attention","heads":{huge},"kv_heads":{huge},"causal":true,"rotary":true,"bias":true}}"#
    );
    assert!(message(&heads, sequence).contains("heads do not divide the width 2"));
}
