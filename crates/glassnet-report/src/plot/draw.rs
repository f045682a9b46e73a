//! A chart's layers as paths.

use super::chart::{Layer, Line};
use super::frame::{Frame, line_class};
use super::style::nth;
use super::svg::{Anchor, place, text_width};
use super::thin;
use crate::number::number;

/// Most points of a scatter that are drawn.
pub(super) const MOST_POINTS: usize = 1_500;
/// Most markers on a line.
const MOST_MARKERS: usize = 16;
/// Into how many paths the points are dealt out: that many can lie on each other and still look darker.
const SHEETS: usize = 6;

/// Draws one layer; `number` is its place, which its colour follows if it says none.
pub(super) fn layer(frame: &mut Frame, number: usize, layer: &Layer) {
    match layer {
        Layer::Line(line) => draw_line(frame, number, line),
        Layer::Points { points, colour, .. } => draw_points(frame, points, *colour),
        Layer::Columns { bars, colour, name } => draw_columns(frame, bars, *colour, name),
        Layer::Whiskers { colour, spans } => draw_whiskers(frame, *colour, spans),
        Layer::Mark { name, at, colour } => draw_mark(frame, name, *at, *colour),
        Layer::Across { name, at } => {
            let [left, _, right, _] = frame.edges();
            if let Some(y) = frame.y.at(*at).filter(|_| frame.y.holds(*at)) {
                frame.pen.line("rule", [left, y], [right, y]);
                frame.pen.label("soft small", [right - 2.0, y - 4.0], Anchor::End, name, right - left);
            }
        }
        Layer::Upright { name, at } => {
            let [left, top, right, bottom] = frame.edges();
            if let Some(x) = frame.x.at(*at).filter(|_| frame.x.holds(*at)) {
                frame.pen.line("rule", [x, top], [x, bottom]);
                let room_right = x + 6.0 + text_width(name) <= right;
                let (anchor, at) = if room_right { (Anchor::Start, x + 4.0) } else { (Anchor::End, x - 4.0) };
                frame.pen.label("soft small", [at, top + 9.0], anchor, name, right - left);
            }
        }
        Layer::Diagonal { .. } => {
            let ((x0, x1), (y0, y1)) = (frame.x.span(), frame.y.span());
            let (from, to) = (x0.max(y0), x1.min(y1));
            let ends = [from, to].map(|value| Some([frame.x.at(value)?, frame.y.at(value)?]));
            if let ([Some(from_at), Some(to_at)], true) = (ends, from < to) {
                frame.pen.line("rule", from_at, to_at);
            }
        }
        Layer::Key { .. } => {}
    }
}

/// Places of the points on the paper, in runs without a gap.
fn runs(frame: &Frame, points: &[[f64; 2]]) -> Vec<Vec<[f64; 2]>> {
    let mut runs = vec![Vec::new()];
    for point in points {
        match (frame.x.at(point[0]), frame.y.at(point[1])) {
            (Some(x), Some(y)) => runs.last_mut().map(|run| run.push([x, y])).unwrap_or_default(),
            _ if runs.last().is_some_and(|run: &Vec<_>| !run.is_empty()) => runs.push(Vec::new()),
            _ => {}
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

fn draw_line(frame: &mut Frame, number: usize, line: &Line) {
    let [left, _, right, bottom] = frame.edges();
    let runs: Vec<Vec<[f64; 2]>> =
        runs(frame, &line.points).iter().map(|run| thin::line(run, (right - left) as usize)).collect();
    let (mut d, mut area) = (String::new(), String::new());
    let floor = frame.y.inside(0.0).unwrap_or(bottom);
    for run in &runs {
        let [first, .., last] = run.as_slice() else { continue };
        let mut part = String::new();
        let mut before: Option<[f64; 2]> = None;
        for [x, y] in run {
            match before {
                None => part += &format!("M{} {}", place(*x), place(*y)),
                Some(_) if line.steps => part += &format!("H{}V{}", place(*x), place(*y)),
                Some(_) => part += &format!("L{} {}", place(*x), place(*y)),
            }
            before = Some([*x, *y]);
        }
        if line.filled {
            area += &format!("{part}V{}H{}z", place(floor), place(first[0].min(last[0])));
        }
        d += &part;
    }
    let colour = nth(line.colour.unwrap_or(number));
    frame.pen.path(&format!("area f{colour}"), &area);
    frame.pen.path(&line_class(line, number), &d);
    let all: Vec<[f64; 2]> = runs.iter().flatten().copied().collect();
    let lonely = runs.iter().filter(|run| run.len() == 1).flatten().copied();
    // A run of one point has no line to see.
    let marked: Vec<[f64; 2]> = if line.markers { thin::evenly(&all, MOST_MARKERS) } else { lonely.collect() };
    for at in marked.into_iter().take(4 * MOST_MARKERS) {
        frame.pen.marker(colour, at, if line.thin { 3.0 } else { 4.0 });
    }
}

fn draw_points(frame: &mut Frame, points: &[[f64; 2]], colour: usize) {
    let places: Vec<[f64; 2]> =
        points.iter().filter_map(|point| Some([frame.x.at(point[0])?, frame.y.at(point[1])?])).collect();
    let kept = thin::evenly(&places, MOST_POINTS);
    for sheet in 0..SHEETS {
        let mut d = String::new();
        for [x, y] in kept.iter().skip(sheet).step_by(SHEETS) {
            // A line without length has round ends: a dot.
            d += &format!("M{} {}h0", place(*x), place(*y));
        }
        frame.pen.path(&format!("dots s{}", nth(colour)), &d);
    }
}

fn draw_columns(frame: &mut Frame, bars: &[[f64; 4]], colour: usize, name: &str) {
    let named = if name.is_empty() { String::new() } else { format!("{name}: ") };
    for &[x0, x1, y0, y1] in bars {
        let places = [frame.x.inside(x0), frame.x.inside(x1), frame.y.inside(y0), frame.y.inside(y1)];
        let [Some(x0), Some(x1), Some(from), Some(to)] = places else { continue };
        let (left, right, top, bottom) = (x0.min(x1), x0.max(x1), from.min(to), from.max(to));
        if bottom - top > 0.0 {
            let hint = format!("{named}{}", number(y1 - y0));
            let class = if right - left < 3.0 { format!("f{}", nth(colour)) } else { format!("bar f{}", nth(colour)) };
            frame.pen.rect(&class, [left, top], [right - left, bottom - top], &hint);
        }
    }
}

fn draw_whiskers(frame: &mut Frame, colour: usize, spans: &[[f64; 3]]) {
    let mut d = String::new();
    for &[x, low, high] in spans {
        if let (Some(x), Some(low), Some(high)) = (frame.x.at(x), frame.y.inside(low), frame.y.inside(high)) {
            d += &format!("M{} {}V{}", place(x), place(low), place(high));
        }
    }
    frame.pen.path(&format!("line thin s{}", nth(colour)), &d);
}

fn draw_mark(frame: &mut Frame, name: &str, at: [f64; 2], colour: usize) {
    let [left, top, right, bottom] = frame.edges();
    let (Some(x), Some(y)) = (frame.x.at(at[0]), frame.y.at(at[1])) else { return };
    if !frame.x.holds(at[0]) || !frame.y.holds(at[1]) {
        return;
    }
    if !name.is_empty() {
        frame.pen.line("rule", [x, top], [x, bottom]);
        let room_right = x + 8.0 + text_width(name) <= right;
        let (anchor, word) = if room_right { (Anchor::Start, x + 5.0) } else { (Anchor::End, x - 5.0) };
        frame.pen.label("small strong", [word, top + 9.0], anchor, name, right - left);
    }
    let r = 4.5;
    let d = format!("M{} {}a{r} {r} 0 1 0 .01 0z", place(x), place(y - r));
    frame.pen.path(&format!("ring s{}", nth(colour)), &d);
}
