//! A curve and its derivative as a small picture in SVG.

use std::fmt::Write;

use crate::ops::{Backward, Context, Forward, Op};
use crate::{Shape, Team};

/// Pixels of one unit.
const UNIT: f64 = 40.0;
/// The part of the plane that is shown.
const X: (f64, f64) = (-4.0, 4.0);
const Y: (f64, f64) = (-2.0, 4.0);
/// Points a unit. The distance is a power of two, so that 0 is one of them.
const POINTS: f64 = 32.0;
/// A rise between neighbours that no slope shown here explains: the function jumps, and the line is broken there.
const JUMP: f64 = 0.25;

/// The picture of a curve; of any other operation a picture without lines.
pub fn svg(op: &Op) -> String {
    let (width, height) = ((X.1 - X.0) * UNIT, (Y.1 - Y.0) * UNIT);
    let name = op.card().name;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<title>{name} and its derivative, x from {} to {}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
        X.0, X.1
    );
    grid(&mut out);
    let (x, value, derivative) = sample(op);
    line(&mut out, &x, &derivative, "stroke=\"#d1495b\" stroke-width=\"2\" stroke-dasharray=\"6 4\"");
    line(&mut out, &x, &value, "stroke=\"#1d4e89\" stroke-width=\"2.5\"");
    let _ = write!(
        out,
        "<text x=\"12\" y=\"22\" fill=\"#1d4e89\" font-weight=\"bold\">{name}</text>\n\
         <text x=\"12\" y=\"40\" fill=\"#d1495b\">derivative</text>\n</svg>\n"
    );
    out
}

/// Lines at whole numbers, the axes darker, and a few numbers.
fn grid(out: &mut String) {
    let mut rule = |from: (f64, f64), to: (f64, f64), axis: bool| {
        let colour = if axis { "#7a7a7a" } else { "#e3e3e3" };
        let (a, b) = (place(from.0, from.1), place(to.0, to.1));
        let _ = writeln!(out, "<path d=\"M{a} L{b}\" stroke=\"{colour}\"/>");
    };
    let whole = |(low, high): (f64, f64)| (low as i32..=high as i32).map(f64::from);
    whole(X).for_each(|x| rule((x, Y.0), (x, Y.1), x == 0.0));
    whole(Y).for_each(|y| rule((X.0, y), (X.1, y), y == 0.0));
    for (x, y, dx, dy, text) in
        [(-2.0, 0.0, -8.0, 15.0, "-2"), (2.0, 0.0, -4.0, 15.0, "2"), (0.0, 2.0, -13.0, 5.0, "2")]
    {
        let (x, y) = ((x - X.0) * UNIT + dx, (Y.1 - y) * UNIT + dy);
        let _ = writeln!(out, "<text x=\"{x}\" y=\"{y}\" fill=\"#7a7a7a\">{text}</text>");
    }
}

/// Pixels of a point, to a hundredth: the last bit of a function does not show in the file.
fn place(x: f64, y: f64) -> String {
    // Adding 0 turns -0 into 0.
    let round = |pixels: f64| (pixels * 100.0).round() / 100.0 + 0.0;
    format!("{} {}", round((x - X.0) * UNIT), round((Y.1 - y) * UNIT))
}

/// One path, broken where the function jumps.
fn line(out: &mut String, x: &[f64], y: &[f64], style: &str) {
    let mut path = String::new();
    let mut last = f64::INFINITY;
    for (&x, &y) in x.iter().zip(y) {
        let command = if (y - last).abs() > JUMP { 'M' } else { 'L' };
        let _ = write!(path, "{command}{} ", place(x, y));
        last = y;
    }
    let _ = writeln!(out, "<path d=\"{}\" fill=\"none\" {style}/>", path.trim_end());
}

/// Places, values and derivatives, as a plan would compute them.
fn sample(op: &Op) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    if !op.is_curve() {
        return (Vec::new(), Vec::new(), Vec::new());
    }
    let count = ((X.1 - X.0) * POINTS) as usize + 1;
    let x: Vec<f64> = (0..count).map(|i| X.0 + i as f64 / POINTS).collect();
    let (mut value, mut derivative) = (vec![0.0; count], vec![0.0; count]);
    let team = Team::single();
    let context = Context {
        team: &team,
        training: false,
        seed: 0,
        epoch: 0,
        position: 0,
        denominator: 1.0,
        node: 0,
        time: 0,
        dropout: 1.0,
        precision: crate::Precision::F32,
    };
    op.forward(Forward {
        rows: 1,
        shapes: &[Shape::row(x.len())],
        inputs: &[&x],
        labels: &[],
        parameters: &[],
        output: &mut value,
        saved: &mut [],
        curve: None,
        state: &mut [],
        scratch: &mut [],
        context: &context,
    });
    op.backward(Backward {
        rows: 1,
        shapes: &[Shape::row(x.len())],
        inputs: &[&x],
        labels: &[],
        parameters: &[],
        output: &value,
        saved: &[],
        upstream: &vec![1.0; count],
        input_gradients: &mut [Some(&mut derivative)],
        parameter_gradients: &mut [],
        scratch: &mut [],
        context: &context,
    });
    (x, value, derivative)
}
