//! SVG elements as text: numbers with at most two decimals, everything from outside escaped.

use crate::escape::escape;
use crate::number::trimmed;

/// Where text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A place or size in pixels. One that is not finite cannot come from a scale; it would be 0.
pub(crate) fn place(value: f64) -> String {
    if !value.is_finite() {
        return "0".into();
    }
    trimmed(&format!("{value:.1}")).to_string()
}

/// About how wide text is at 13 pixels, without a font at hand: a little more than most fonts take.
pub(crate) fn text_width(text: &str) -> f64 {
    let wide = |letter: char| match letter {
        'i' | 'l' | 'j' | 't' | 'f' | 'r' | '.' | ',' | ':' | ';' | '|' | '\'' | '(' | ')' | ' ' | '-' => 0.36,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '<' | '>' | '=' | '+' | '~' | '#' | '&' | '−' | '…' => 0.9,
        '\u{fffd}' => 1.05,
        'A'..='Z' => 0.7,
        letter if u32::from(letter) >= 0x2e80 => 1.05,
        _ => 0.61,
    };
    13.0 * text.chars().map(wide).sum::<f64>()
}

/// The longest beginning of a text that is at most `most` pixels wide, with an ellipsis where it was cut. Not escaped.
pub(crate) fn fit(text: &str, most: f64) -> String {
    let mut letters = text.chars().count().min(200);
    loop {
        let short = crate::escape::shorten(text, letters);
        if letters <= 2 || text_width(&short) <= most {
            return short;
        }
        letters -= 1;
    }
}

/// Elements in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pen {
    pub(crate) out: String,
}

impl Pen {
    pub(crate) fn line(&mut self, class: &str, from: [f64; 2], to: [f64; 2]) {
        let [x1, y1, x2, y2] = [from[0], from[1], to[0], to[1]].map(place);
        self.out += &format!("<path class=\"{class}\" d=\"M{x1} {y1}L{x2} {y2}\"/>\n");
    }

    /// A rectangle that shows `hint` (not escaped) where a pointer rests on it.
    pub(crate) fn rect(&mut self, class: &str, corner: [f64; 2], size: [f64; 2], hint: &str) {
        self.rect_with(class, corner, size, "", hint);
    }

    /// The same with further attributes, which are ours and not escaped.
    pub(crate) fn rect_with(&mut self, class: &str, corner: [f64; 2], size: [f64; 2], more: &str, hint: &str) {
        let [x, y, width, height] = [corner[0], corner[1], size[0].max(0.0), size[1].max(0.0)].map(place);
        let start = format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{more}");
        match hint {
            "" => self.out += &format!("{start}/>\n"),
            hint => self.out += &format!("{start}><title>{}</title></rect>\n", escape(hint)),
        }
    }

    pub(crate) fn path(&mut self, class: &str, d: &str) {
        if !d.is_empty() {
            self.out += &format!("<path class=\"{class}\" d=\"{d}\"/>\n");
        }
    }

    pub(crate) fn text(&mut self, class: &str, at: [f64; 2], anchor: Anchor, text: &str) {
        self.text_with(class, at, anchor, "", text, "");
    }

    /// Text with further attributes (ours), which shows `hint` where a pointer rests on it.
    pub(crate) fn text_with(&mut self, class: &str, at: [f64; 2], anchor: Anchor, more: &str, text: &str, hint: &str) {
        let [x, y] = at.map(place);
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let title = if hint.is_empty() { String::new() } else { format!("<title>{}</title>", escape(hint)) };
        self.out += &format!("<text{class} x=\"{x}\" y=\"{y}\"{anchor}{more}>{title}{}</text>\n", escape(text));
    }

    /// A label that is cut to `most` pixels and keeps its whole text for a pointer that rests on it.
    pub(crate) fn label(&mut self, class: &str, at: [f64; 2], anchor: Anchor, text: &str, most: f64) {
        let short = fit(text, most);
        let hint = if short == text { "" } else { text };
        self.text_with(class, at, anchor, "", &short, hint);
    }

    /// The shape of series `nth` (1 to 7) around a place: colour is not the only difference.
    pub(crate) fn marker(&mut self, nth: usize, at: [f64; 2], size: f64) {
        let d = marker_path(nth, at, size);
        self.path(&format!("mark f{nth}"), &d);
    }
}

/// Circle, square, triangle, diamond, triangle on its tip, a long bar, a wide bar.
fn marker_path(nth: usize, [x, y]: [f64; 2], r: f64) -> String {
    let p = |dx: f64, dy: f64| format!("{} {}", place(x + dx * r), place(y + dy * r));
    match nth {
        1 => {
            let r = place(r);
            format!("M{}a{r} {r} 0 1 0 .01 0z", p(0.0, -1.0))
        }
        2 => format!("M{}L{}L{}L{}z", p(-0.9, -0.9), p(0.9, -0.9), p(0.9, 0.9), p(-0.9, 0.9)),
        3 => format!("M{}L{}L{}z", p(0.0, -1.2), p(1.1, 0.9), p(-1.1, 0.9)),
        4 => format!("M{}L{}L{}L{}z", p(0.0, -1.3), p(1.3, 0.0), p(0.0, 1.3), p(-1.3, 0.0)),
        5 => format!("M{}L{}L{}z", p(0.0, 1.2), p(1.1, -0.9), p(-1.1, -0.9)),
        6 => format!("M{}L{}L{}L{}z", p(-0.5, -1.3), p(0.5, -1.3), p(0.5, 1.3), p(-0.5, 1.3)),
        _ => format!("M{}L{}L{}L{}z", p(-1.3, -0.5), p(1.3, -0.5), p(1.3, 0.5), p(-1.3, 0.5)),
    }
}

/// A share for an opacity: three decimals.
pub(crate) fn place_fine(share: f64) -> String {
    trimmed(&format!("{:.3}", if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 })).to_string()
}
