//! The guide's page comes from the register: it names every operation and shows every curve.

use glassnet_core::Op;
use glassnet_core::ops::guide::{instances, markdown, pictures};

#[test]
fn the_table_names_every_registered_operation() {
    let page = markdown();
    for name in Op::names() {
        let lines = page.lines().filter(|line| line.starts_with(&format!("| `{name}` |"))).count();
        assert_eq!(lines, 1, "lines of {name}");
    }
    let names: Vec<&str> = instances().iter().map(|op| op.card().name).collect();
    assert_eq!(names, Op::names(), "an operation's file has the name that its card says");
}

#[test]
fn a_row_of_the_table_has_six_cells_and_none_is_empty() {
    let rows: Vec<String> =
        markdown().lines().filter(|line| line.starts_with("| `")).map(|line| line.replace("\\|", "!")).collect();
    assert_eq!(rows.len(), Op::names().len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 6, "{row}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
    }
}

#[test]
fn every_curve_has_a_picture_with_two_lines() {
    let (page, pictures) = (markdown(), pictures());
    assert_eq!(
        pictures.len(),
        Op::names().iter().filter(|&name| page.contains(&format!("(curves/{name}.svg)"))).count()
    );
    assert_eq!(pictures.len(), Op::curves().len());
    for (file, svg) in pictures {
        assert!(page.contains(&format!("(curves/{file})")), "{file}");
        assert_eq!(svg.matches("fill=\"none\"").count(), 2, "{file}: function and derivative");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{file}");
        assert!(svg.len() > 5000 && svg.ends_with("</svg>\n"), "{file}");
    }
}
