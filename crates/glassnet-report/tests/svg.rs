//! Every plot is well-formed XML with a name and a description, whatever the data; the same data give the same bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sample;

use glassnet_report::plot::chart::Line;
use glassnet_report::plot::reliability::Bin;
use glassnet_report::plot::{Bar, Bars, Chart, Heat, Layer, Picture, Reliability, Waterfall};
use sample::{Draws, HOSTILE};

/// Values that break a naive drawing.
const STRANGE: [f64; 9] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, 1e308, -1e308, 5e-324, 1e-300];

/// Parses it, and looks for names, descriptions, scripts, outside resources and numbers that are none.
fn check(svg: &str) {
    let document = roxmltree::Document::parse(svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
    let root = document.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("role")), ("svg", Some("img")));
    for word in ["NaN", "inf", "Infinity"] {
        let shown: Vec<_> = svg.lines().filter(|line| line.contains(word) && !line.contains("<style>")).collect();
        assert!(shown.is_empty(), "{word} in {shown:?}");
    }
    let labelled = root.attribute("aria-labelledby").expect("names");
    let names: Vec<_> = labelled.split(' ').collect();
    assert_eq!(names.len(), 2);
    for (name, tag) in names.iter().zip(["title", "desc"]) {
        let element = root.children().find(|child| child.attribute("id") == Some(name)).expect("the named element");
        assert_eq!(element.tag_name().name(), tag);
        assert!(tag == "title" || element.text().is_some_and(|text| !text.trim().is_empty()), "no description");
    }
    for node in document.descendants() {
        assert!(!["script", "image", "use", "foreignObject", "a"].contains(&node.tag_name().name()), "{svg}");
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on") && !attribute.name().ends_with("href"), "{attribute:?}");
        }
    }
    // Places lie on the paper.
    let size = |name: &str| root.attribute(name).and_then(|size| size.parse::<f64>().ok()).expect("a size");
    let (width, height) = (size("width"), size("height"));
    assert!(width > 0.0 && height > 0.0 && width < 5_000.0 && height < 50_000.0);
    for node in document.descendants().filter(|node| node.has_tag_name("text")) {
        if let Some(x) = node.attribute("x") {
            let x: f64 = x.parse().expect("a place");
            assert!((-1.0..=width + 1.0).contains(&x), "text at {x} of {width}: {svg}");
        }
    }
}

fn both(picture: &impl Picture) {
    check(&picture.standalone());
    check(&picture.inline("fig1"));
    assert_eq!(picture.standalone(), picture.standalone());
}

/// One chart with every layer, of these points.
fn everything(points: Vec<[f64; 2]>, name: &str) -> Chart {
    let mut chart = Chart::new(name, name, name);
    chart.layers = vec![
        Layer::line(name, points.clone()),
        Layer::Line(Line {
            name: name.into(),
            points: points.clone(),
            markers: true,
            steps: true,
            filled: true,
            thin: true,
            ..Line::default()
        }),
        Layer::Points { name: name.into(), points: points.clone(), colour: 2 },
        Layer::Columns {
            name: name.into(),
            bars: points.iter().map(|p| [p[0], p[1], p[1], p[0]]).collect(),
            colour: 3,
        },
        Layer::Whiskers { colour: 1, spans: points.iter().map(|p| [p[0], p[1], p[0]]).collect() },
        Layer::Diagonal { name: name.into() },
        Layer::Key { name: name.into(), dash: 3 },
    ];
    for point in points.iter().take(3) {
        chart.layers.push(Layer::Mark { name: name.into(), at: *point, colour: 9 });
        chart.layers.push(Layer::Across { name: name.into(), at: point[1] });
        chart.layers.push(Layer::Upright { name: name.into(), at: point[0] });
    }
    chart
}

#[test]
fn strange_values_are_drawn_or_left_out() {
    let mut cases: Vec<Vec<[f64; 2]>> = vec![vec![], vec![[1.0, 1.0]], vec![[2.0, 3.0]; 5]];
    for a in STRANGE {
        cases.push(vec![[a, 1.0]]);
        cases.push(vec![[1.0, a]]);
        for b in STRANGE {
            cases.push(vec![[a, b], [1.0, 2.0], [b, a]]);
        }
    }
    for points in cases {
        let mut chart = everything(points, "loss");
        both(&chart);
        (chart.x.log, chart.y.log) = (true, true);
        both(&chart);
        chart.same_span = true;
        chart.x.range = Some((0.5, 1.5));
        both(&chart);
    }
}

#[test]
fn strange_bars_tables_and_sums() {
    both(&Bars::new("importances", "rise", Vec::new()));
    both(&Heat::new("confusion", Vec::new(), Vec::new()));
    both(&Reliability::default());
    both(&Waterfall::new("row", "log-odds", f64::NAN, f64::NAN));
    both(&Chart::grouped("groups", &[], &[], true, "rows"));
    for a in STRANGE {
        for b in STRANGE {
            let bar =
                |value: f64, spread: f64| Bar { name: "c".into(), value, spread: Some(spread), words: String::new() };
            both(&Bars::new("importances", "rise", vec![bar(a, b), bar(b, a), bar(1.0, b)]));
            let mut waterfall = Waterfall::new("row", "log-odds", a, b);
            waterfall.steps = vec![("x".into(), b), ("y".into(), a), ("z".into(), 1.0)];
            both(&waterfall);
            // Fewer cells than classes, too.
            both(&Heat::new("confusion", vec!["a".into(), "b".into()], vec![vec![a, b], vec![b]]));
            let bin = Bin { low: 0.0, high: 0.5, rows: a, predicted: b, observed: a };
            both(&Reliability { after: vec![bin, bin], before: vec![bin], ..Reliability::default() });
            for stacked in [true, false] {
                let groups = ["g".to_string(), "h".to_string()];
                both(&Chart::grouped("groups", &groups, &[("s".into(), vec![a, b])], stacked, "rows"));
            }
        }
    }
}

#[test]
fn hostile_names_stay_text() {
    let points = vec![[0.0, 1.0], [1.0, 2.0], [2.0, 1.5]];
    both(&everything(points, HOSTILE));
    let names = vec![HOSTILE.to_string(); 3];
    both(&Heat::new(HOSTILE, names.clone(), vec![vec![1.0; 3]; 3]));
    both(&Chart::grouped(HOSTILE, &names, &[(HOSTILE.into(), vec![1.0, 2.0, 3.0])], false, HOSTILE));
    let bar = Bar { name: HOSTILE.into(), value: 1.0, spread: None, words: HOSTILE.into() };
    both(&Bars::new(HOSTILE, HOSTILE, vec![bar]));
    let mut waterfall = Waterfall::new(HOSTILE, HOSTILE, 0.5, 1.5);
    waterfall.steps.push((HOSTILE.into(), 1.0));
    both(&waterfall);
    let svg = waterfall.standalone();
    let document = roxmltree::Document::parse(&svg).expect("xml");
    let title = document.descendants().find(|node| node.has_tag_name("title")).and_then(|node| node.text());
    assert!(title.is_some_and(|title| title.starts_with("<script>alert('x')</script>")), "{title:?}");
    // An id cannot leave its attribute.
    check(&waterfall.inline("a\" onload=\"x"));
}

#[test]
fn a_line_goes_through_its_points() {
    let mut chart = Chart::new("line", "x", "y");
    (chart.x.range, chart.y.range) = (Some((0.0, 10.0)), Some((0.0, 1.0)));
    chart.layers.push(Layer::line("y", vec![[0.0, 0.0], [5.0, 0.5], [10.0, 1.0], [f64::NAN, 1.0], [10.0, 0.0]]));
    let svg = chart.standalone();
    let document = roxmltree::Document::parse(&svg).expect("xml");
    let line = document.descendants().find(|node| node.attribute("class").is_some_and(|c| c.starts_with("line")));
    let d = line.and_then(|node| node.attribute("d")).expect("a line");
    // A gap breaks it: one run of three points, and the lonely fourth is a marker.
    let places: Vec<f64> = d.split(['M', 'L', ' ']).filter_map(|place| place.parse().ok()).collect();
    let [x0, y0, x1, y1, x2, y2] = places[..] else { panic!("{d}") };
    assert!((2.0 * x1 - x0 - x2).abs() <= 0.21 && (2.0 * y1 - y0 - y2).abs() <= 0.21, "{d}");
    assert!(x0 < x2 && y0 > y2);
    assert_eq!(svg.matches("class=\"mark f1\"").count(), 1);
}

#[test]
fn many_points_become_few_and_it_says_so() {
    let mut draws = Draws(1);
    let points: Vec<[f64; 2]> = (0..100_000).map(|_| [draws.next(), draws.normal()]).collect();
    let mut chart = Chart::new("points", "x", "y");
    chart.layers.push(Layer::Points { name: String::new(), points: points.clone(), colour: 0 });
    let svg = chart.standalone();
    check(&svg);
    assert!(svg.contains("1,500 of 100,000 points"), "{}", chart.description());
    assert!(svg.len() < 60_000, "{}", svg.len());
    let mut line = Chart::new("line", "x", "y");
    line.layers.push(Layer::line("", (0..100_000).map(|i| [f64::from(i), points[i as usize][1]]).collect()));
    let thinned = line.standalone();
    check(&thinned);
    assert!(thinned.len() < 60_000, "{}", thinned.len());
}

#[test]
fn a_line_with_few_points_in_a_column_keeps_its_extremes() {
    use glassnet_report::plot::thin;
    let points: Vec<[f64; 2]> =
        (0..10_000).map(|i| [f64::from(i) / 100.0, if i == 7_777 { 1e3 } else { f64::from(i % 7) }]).collect();
    let kept = thin::line(&points, 100);
    assert!(kept.len() <= 4 * 101 && kept.contains(&points[7_777]));
    assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
}

#[test]
fn confusion_cells_say_row_and_column() {
    let heat = Heat::new("c", vec!["cat".into(), "dog".into()], vec![vec![3.0, 1.0], vec![0.0, 4.0]]);
    let svg = heat.standalone();
    assert!(svg.contains("true cat, predicted dog: 1 (25 % of the row)"), "{svg}");
    assert_eq!(
        heat.description(),
        "Of 4 rows of cat, 75 % were predicted as such. Of 4 rows of dog, 100 % were predicted as such."
    );
}

#[test]
fn a_waterfall_ends_where_its_sum_does() {
    let mut waterfall = Waterfall::new("row", "log-odds", -1.0, 0.5);
    waterfall.steps = vec![("a = 1".into(), 2.0), ("b = 2".into(), -0.5)];
    assert_eq!(waterfall.description(), "log-odds: base -1; a = 1 +2; b = 2 -0.5; output 0.5.");
    both(&waterfall);
}
