//! The guide's page on the text form says what the code does: its lists are the tables, its examples are read.

use glassnet_nn::spec::{NetSpec, items};

const PAGE: &str = include_str!("../../../docs/guide/net-text-form.md");

/// The page on what the layers are for.
const LAYERS: &str = include_str!("../../../docs/guide/layers.md");

/// The blocks that are fenced with this word.
fn blocks(page: &'static str, word: &str) -> Vec<&'static str> {
    let fence = format!("\n```{word}\n");
    page.split(&fence).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

/// `text`, or `text  =  what it is read as`.
#[test]
fn every_example_means_what_the_page_says() {
    let blocks = [blocks(PAGE, "net"), blocks(LAYERS, "net")].concat();
    let lines: Vec<&str> = blocks.into_iter().flat_map(str::lines).collect();
    assert!(lines.len() >= 24, "the page lost its examples");
    for line in lines {
        let (text, meaning) = line.split_once("  =  ").unwrap_or((line, line));
        let net = NetSpec::parse(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(net.to_string(), meaning.trim(), "{line}");
    }
}

/// The text, then the message.
#[test]
fn every_error_is_the_one_shown() {
    let errors = blocks(PAGE, "error");
    assert!(errors.len() >= 4, "the page lost its errors");
    for block in errors {
        let (text, message) = block.split_once('\n').unwrap();
        let text = text.strip_prefix("--net \"").and_then(|text| text.strip_suffix('"')).unwrap();
        let error = NetSpec::parse(text).and_then(|net| net.shapes(None, None)).unwrap_err().named("--net");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn the_lists_are_the_tables() {
    let list = items::guide();
    assert!(PAGE.contains(&list), "put this into the page:\n{list}");
    let grammar: String = include_str!("../src/spec/text.rs")
        .lines()
        .skip_while(|line| !line.starts_with("//! net        ="))
        .take_while(|line| !line.starts_with("//! ```"))
        .map(|line| format!("{}\n", line.trim_start_matches("//! ")))
        .collect();
    assert!(grammar.lines().count() > 10 && PAGE.contains(&grammar), "put this into the page:\n{grammar}");
}

#[cfg(feature = "toml")]
#[test]
fn the_tomls_are_read_and_the_keys_are_the_table() {
    use glassnet_nn::spec::toml::{RunConfig, guide};

    let tomls = blocks(PAGE, "toml");
    assert!(tomls.len() >= 2, "the page lost its TOMLs");
    for text in tomls {
        let run = RunConfig::parse(text).unwrap_or_else(|error| panic!("{error}"));
        let again = RunConfig::parse(&run.to_toml()).unwrap();
        assert_eq!((again.network, again.train), (run.network, run.train));
    }
    assert!(PAGE.contains(&guide()), "put this into the page:\n{}", guide());
}
