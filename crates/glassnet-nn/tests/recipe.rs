//! The recipe's network for tables: whatever a table lacks is left out, and every written form comes back as it was.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

use glassnet_nn::network::Network;
use glassnet_nn::recipe::{TableLayout, tabular, tabular_with};
use glassnet_nn::spec::NetSpec;

fn layout(numbers: usize, others: usize, categories: &[usize]) -> TableLayout {
    TableLayout { numbers, others, categories: categories.to_vec() }
}

/// All layouts of a table that has something.
fn layouts() -> Vec<TableLayout> {
    let mut all = Vec::new();
    for numbers in [0, 1, 6] {
        for others in [0, 1, 10] {
            for categories in [&[][..], &[12], &[12, 3, 41]] {
                all.push(layout(numbers, others, categories));
            }
        }
    }
    all.retain(|layout| layout.inputs() > 0);
    all
}

#[test]
fn every_combination_builds_and_survives_its_text_and_its_json() {
    assert_eq!(layouts().len(), 26);
    for layout in layouts() {
        for (outputs, regression) in [(2, false), (7, false), (1, true)] {
            let spec = tabular(&layout, outputs, regression);
            assert!(spec.is_full(), "{spec}");
            assert_eq!(NetSpec::parse(&spec.to_string()).unwrap(), spec, "{spec}");
            let json = serde_json::to_string(&spec).unwrap();
            assert_eq!(serde_json::from_str::<NetSpec>(&json).unwrap(), spec, "{json}");
            let shapes = spec.shapes(layout.inputs(), outputs).unwrap();
            assert_eq!(shapes.last().unwrap().output, outputs);
            let network = Network::for_data(&spec, layout.inputs(), outputs, None).unwrap();
            assert_eq!((network.inputs(), network.outputs()), (layout.inputs(), outputs));
            // 4 numbers of each number's waves and 4 of its parts, 8 of each code, the others as they are.
            let width = 8 * layout.numbers + layout.others + 8 * layout.categories.len();
            let wide = |from: usize, to: usize| (from + 1) * to;
            let embedded =
                layout.numbers * (16 + 16 + 48 + 3 + 49 + 48 * 4 + 4 + 4) + 8 * layout.categories.iter().sum::<usize>();
            let hidden = wide(width, 256) + 2 * wide(256, 256) + 3 * 256 + wide(256, outputs);
            assert_eq!(network.parameters(), embedded + width + hidden, "{spec}");
        }
    }
}

#[test]
fn what_a_table_lacks_is_left_out() {
    let text = |layout: &TableLayout| tabular_with(layout, 3, true, &[32]).to_string();
    let rest = "scale -> ntk 32 -> parametric mish -> dropout 0.15 -> ntk 3";
    assert_eq!(text(&layout(4, 0, &[])), format!("4 -> concat(periodic, piecewise 48 4) -> {rest}"));
    assert_eq!(text(&layout(0, 5, &[])), format!("5 -> {rest}"));
    assert_eq!(text(&layout(0, 0, &[9, 30])), format!("2 -> categories 9 30 -> {rest}"));
    assert_eq!(
        text(&layout(4, 5, &[])),
        format!("9 -> concat(slice 0 4 -> periodic, slice 0 4 -> piecewise 48 4, slice 4 9) -> {rest}")
    );
    assert_eq!(text(&layout(0, 5, &[9])), format!("6 -> concat(slice 0 5, slice 5 6 -> categories 9) -> {rest}"));
    let linear = tabular_with(&layout(2, 0, &[]), 1, true, &[]).to_string();
    assert_eq!(linear, "2 -> concat(periodic, piecewise 48 4) -> scale -> ntk 1");
}

#[test]
fn a_layer_for_tables_that_does_not_fit_says_what_to_change() {
    let cases = [
        ("5 -> categories 3 4 -> 1", "2 sizes", "slice 3 5 -> categories"),
        ("1 -> categories 3 4 -> 1", "2 sizes", "each of the 1 columns"),
        ("3x8x8 -> periodic -> 1", "row of numbers", "flatten"),
        ("2 -> periodic frequencies 99 -> 1", "1 to 32 frequencies", "frequencies 16"),
        ("2 -> periodic width 1 -> 1", "2 to 8 numbers", "width 4"),
        ("2 -> 4 -> parametric softmax -> 1", "does not bend softmax", "selu"),
        ("2 -> 4 -> parametric -> 1", "needs the curve", "parametric selu"),
        ("2 -> ntk 4 relu -> 1", "-> is missing before relu", "-> relu"),
        ("2 -> ntk 0 -> 1", "must be positive", "one unit"),
        ("2 -> categories -> 1", "needs", "categories 12 30"),
        ("2 -> periodic waves 3 -> 1", "setting of periodic", "frequencies"),
    ];
    for (text, message, hint) in cases {
        let error = NetSpec::parse(text).and_then(|spec| spec.shapes(None, None)).unwrap_err().to_string();
        assert!(error.contains(message) && error.contains(hint), "{text}: {error}");
    }
}
