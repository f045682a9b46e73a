//! The page: every section only where its data is, all text escaped, something for a screen reader everywhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sample;

use glassnet_report::page::{Data, KeyFigure, ReportData, Severity, Training, render};
use sample::{HOSTILE, classifier, digits, hostile, regression};

/// (id, the part that it comes from).
const SECTIONS: [(&str, &str); 10] = [
    ("scores", "scores"),
    ("classes", "classification"),
    ("values", "regression"),
    ("importances", "importances"),
    ("rows", "explained"),
    ("data", "data"),
    ("training", "training"),
    ("network", "network"),
    ("doctor", "findings"),
    ("repeat", "repeat"),
];

/// The page as XML: its few void elements closed, the doctype off.
fn parsed(html: &str) -> String {
    let html = html.strip_prefix("<!doctype html>").expect("a doctype");
    let lines = html.lines().map(|line| match line.trim_start().starts_with("<meta ") {
        true => line.replace("\">", "\"/>"),
        false => line.to_string(),
    });
    // Only what is inside of the style is no XML text.
    lines.collect::<Vec<_>>().join("\n")
}

fn check(data: &ReportData) -> String {
    let html = render(data);
    assert_eq!(html, render(data));
    let xml = parsed(&html);
    let page = roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}\n{xml}"));
    let all = |tag: &'static str| page.descendants().filter(move |node| node.tag_name().name() == tag);
    for tag in ["script", "img", "iframe", "object", "embed", "link", "base", "form", "image", "use", "foreignObject"] {
        assert_eq!(all(tag).count(), 0, "<{tag}>");
    }
    let mut ids = std::collections::BTreeSet::new();
    for node in page.descendants() {
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on") && name != "src" && name != "style", "{name}={value}");
            assert!(name != "href" || value.starts_with('#'), "{value}");
            assert!(name != "id" || ids.insert(value.to_string()), "id {value} twice");
        }
    }
    // Every reference has its place.
    for node in page.descendants() {
        for name in ["aria-labelledby", "href"] {
            for word in node.attribute(name).unwrap_or_default().split_whitespace() {
                assert!(ids.contains(word.trim_start_matches('#')), "{name}={word}");
            }
        }
    }
    // One of each landmark; headings go down one step at a time.
    for tag in ["main", "header", "footer", "h1", "title"] {
        let count = all(tag).filter(|node| node.ancestors().all(|a| a.tag_name().name() != "svg")).count();
        assert_eq!(count, 1, "<{tag}>");
    }
    let mut level = 0;
    for node in page.descendants() {
        if let Some(of) = node.tag_name().name().strip_prefix('h').and_then(|level| level.parse::<u32>().ok()) {
            assert!(of <= level + 1, "h{of} after h{level}");
            assert!(
                node.descendants().any(|text| text.text().is_some_and(|text| !text.trim().is_empty())),
                "an empty heading"
            );
            level = of;
        }
    }
    for table in all("table") {
        assert!(table.children().any(|child| child.has_tag_name("caption")), "a table without a caption");
        for cell in table.descendants().filter(|node| node.has_tag_name("th")) {
            assert!(cell.attribute("scope").is_some());
        }
        for head in table.descendants().filter(|node| node.attribute("scope") == Some("col")) {
            assert!(head.text().is_some_and(|text| !text.is_empty()), "a column without a head in {table:?}");
        }
        let widths: std::collections::BTreeSet<usize> = table
            .descendants()
            .filter(|node| node.has_tag_name("tr"))
            .map(|line| line.children().filter(|cell| cell.is_element()).count())
            .collect();
        assert_eq!(widths.len(), 1, "lines of different lengths");
    }
    for svg in all("svg").filter(|svg| svg.parent().is_none_or(|parent| parent.tag_name().name() != "svg")) {
        assert_eq!(svg.attribute("role"), Some("img"));
        assert!(svg.parent().is_some_and(|parent| parent.has_tag_name("figure")));
        for tag in ["title", "desc"] {
            let child = svg.children().find(|child| child.tag_name().name() == tag).and_then(|child| child.text());
            assert!(child.is_some_and(|text| !text.trim().is_empty()), "{tag}");
        }
    }
    for text in page.descendants().filter(|node| node.is_text()) {
        let text = text.text().unwrap_or_default();
        for word in ["NaN", "Infinity", "null", "Some("] {
            assert!(!text.contains(word), "{text}");
        }
        assert!(!text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "inf"), "{text}");
    }
    html
}

#[test]
fn whole_reports() {
    for data in [classifier(), regression(), digits()] {
        let html = check(&data);
        for url in ["http:", "https:", "url(", "@import", "//cdn"] {
            let lines: Vec<_> =
                html.lines().filter(|l| l.contains(url) && !l.contains("www.w3.org/2000/svg")).collect();
            assert!(lines.is_empty(), "{lines:?}");
        }
        assert!(html.contains("prefers-color-scheme:dark") && html.contains("@media print"));
        assert!(html.contains("default-src 'none'"));
    }
}

#[test]
fn nothing_gives_a_page_all_the_same() {
    let html = check(&ReportData::default());
    assert!(html.contains("<h1>Report</h1>") && !html.contains("<nav"));
    for (id, _) in SECTIONS {
        assert!(!html.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[test]
fn a_section_stands_where_its_data_is() {
    let mut whole = classifier();
    whole.regression = regression().regression;
    let html = check(&whole);
    for (id, _) in SECTIONS {
        assert!(html.contains(&format!("<section id=\"{id}\"")) && html.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    let value = serde_json::to_value(&whole).unwrap();
    for (id, part) in SECTIONS {
        let mut without = value.clone();
        let removed = without.as_object_mut().unwrap().remove(part);
        assert!(removed.is_some(), "{part}");
        if part == "network" {
            without["costs"] = serde_json::json!([]);
        }
        let html = check(&serde_json::from_value(without).unwrap());
        assert!(!html.contains(&format!("id=\"{id}\"")) && !html.contains(&format!("href=\"#{id}\"")), "{id}");
        // And the part alone gives its section alone.
        let alone = serde_json::json!({ part: value[part] });
        let html = check(&serde_json::from_value(alone).unwrap());
        for (other, _) in SECTIONS {
            assert_eq!(html.contains(&format!("<section id=\"{other}\"")), other == id, "{other} with {part}");
        }
    }
}

#[test]
fn a_report_goes_through_json() {
    let data = classifier();
    let text = serde_json::to_string(&data).unwrap();
    assert_eq!(serde_json::from_str::<ReportData>(&text).unwrap(), data);
}

#[test]
fn hostile_text_stays_text() {
    let html = check(&hostile());
    assert!(
        !html.contains("<script") && !html.contains("</script") && !html.contains('\u{202e}') && !html.contains('\0')
    );
    assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    // The page has as many elements as the harmless one: no name became one.
    let count = |html: &str| {
        let xml = parsed(html);
        let page = roxmltree::Document::parse(&xml).unwrap();
        // A cut label has a <title> with the whole.
        page.descendants()
            .filter(|node| node.is_element() && !node.has_tag_name(("http://www.w3.org/2000/svg", "title")))
            .count()
    };
    let mut harmless = serde_json::to_value(hostile()).unwrap().to_string();
    let inner = serde_json::to_string(HOSTILE).unwrap();
    harmless = harmless.replace(inner.trim_matches('"'), "x");
    let harmless: ReportData = serde_json::from_str(&harmless).unwrap();
    assert_eq!(count(&html), count(&render(&harmless)));
}

#[test]
fn the_head_says_what_it_is() {
    let mut data = classifier();
    let html = check(&data);
    for words in [
        "The output is a probability.",
        "better than a constant guess: 0.5251",
        "<h2 id=\"careful-h\">Be careful</h2>",
        "Measured on 4,000 rows",
        "80.1 %",
    ] {
        assert!(html.contains(words), "{words}");
    }
    let head = data.head.as_mut().unwrap();
    head.output = Some(glassnet_report::page::OutputKind::Score { why: "the base rate moved from 0.2 to 0.3".into() });
    head.figures = vec![KeyFigure {
        name: "RMSE".into(),
        value: Some(2.0),
        guess: Some(1.5),
        more_is_better: Some(false),
        ..KeyFigure::default()
    }];
    head.cautions.clear();
    let html = check(&data);
    assert!(html.contains("is no probability.</strong> the base rate moved from 0.2 to 0.3."), "a score");
    assert!(html.contains("<dd class=\"worse\">no better than a constant guess: 1.5</dd>"));
    assert!(!html.contains("Be careful"));
}

#[test]
fn values_that_are_no_numbers_are_dashes() {
    let mut data = classifier();
    let classes = data.classification.as_mut().unwrap();
    classes.confusion[0][1] = f64::NAN;
    classes.roc[0].points[3] = [f64::NAN, f64::INFINITY];
    classes.roc[0].area = Some(f64::NAN);
    for line in &mut classes.thresholds.as_mut().unwrap().lines {
        line.cost = Some(f64::NAN);
        line.threshold = f64::INFINITY;
    }
    if let Some(reliability) = &mut classes.reliability {
        reliability.ece_after = Some(f64::NAN);
        for bin in &mut reliability.after {
            (bin.predicted, bin.observed) = (f64::NAN, f64::INFINITY);
        }
    }
    for member in &mut data.training.as_mut().unwrap().members {
        for epoch in &mut member.epochs {
            (epoch.train, epoch.learning_rate) = (Some(f64::NAN), Some(f64::INFINITY));
        }
    }
    for row in &mut data.explained {
        row.base = f64::NAN;
        row.contributions[0].amount = f64::INFINITY;
        row.contributions[0].points = Some(f64::NAN);
    }
    data.importances.as_mut().unwrap().columns[0].value = f64::NAN;
    data.head.as_mut().unwrap().figures[0].value = Some(f64::NAN);
    data.scores[0].lines[0].values[0] = Some(f64::NEG_INFINITY);
    data.costs[0].measured = Some(f64::NAN);
    data.regression = regression().regression;
    data.regression.as_mut().unwrap().pairs[0] = [f64::NAN, 1.0];
    data.regression.as_mut().unwrap().coverage[0].width = f64::INFINITY;
    check(&data);
    data.regression.as_mut().unwrap().pairs = vec![[3.0, 3.0]];
    check(&data);
    data.regression.as_mut().unwrap().pairs = vec![[f64::NAN, 3.0]];
    check(&data);
}

#[test]
fn lists_shorter_than_they_should_be() {
    let mut data = classifier();
    let classes = data.classification.as_mut().unwrap();
    classes.classes.push("a third".into());
    classes.distribution.as_mut().unwrap().series[0].1.truncate(3);
    data.scores[0].lines[0].values.clear();
    data.training = Some(Training::default());
    data.data = Some(Data::default());
    data.findings.as_mut().unwrap()[0].severity = Severity::Error;
    render(&data);
}

#[test]
fn a_diverging_run_gets_a_logarithmic_axis() {
    let mut training = regression().training.unwrap();
    training.members[0].epochs[0].train = Some(400.0);
    let chart = glassnet_report::page::curves(&training).unwrap();
    assert!(chart.y.log);
    training.members[0].epochs[0].train = Some(0.5);
    assert!(!glassnet_report::page::curves(&training).unwrap().y.log);
}

#[test]
fn every_contribution_of_a_wide_table_is_there() {
    let mut data = classifier();
    let row = &mut data.explained[0];
    let one = row.contributions[0].clone();
    row.contributions = (0..500)
        .map(|place| glassnet_report::page::Contribution { name: format!("column{place}."), ..one.clone() })
        .collect();
    let left = data.data.as_mut().unwrap();
    left.left_out = vec![left.left_out[0].clone(); 400];
    let html = check(&data);
    for place in 0..500 {
        assert!(html.contains(&format!("<th scope=\"row\">column{place}.</th>")), "{place}");
    }
    assert!(html.contains(">491 other columns<") && html.contains("Columns that were left out: 400"));
}
