//! Elements of the page: tables, figures, paragraphs, all text escaped.

use crate::escape::escape;
use crate::plot::Picture;
use crate::plot::thin::evenly;

/// Most lines of a table of numbers beside a plot.
const MOST_LINES: usize = 120;

/// A paragraph; nothing for no words.
pub(super) fn paragraph(words: &str) -> String {
    if words.trim().is_empty() { String::new() } else { format!("<p>{}</p>\n", escape(words)) }
}

/// A list; nothing for no items.
pub(super) fn list(class: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items: String = items.iter().map(|item| format!("<li>{}</li>\n", escape(item))).collect();
    format!("<ul class=\"{class}\">\n{items}</ul>\n")
}

/// A table: the first column names the lines, the others are numbers unless they are said to be words.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) heads: Vec<(String, Kind)>,
    pub(super) lines: Vec<Vec<String>>,
    /// Class of each line; may be shorter.
    pub(super) classes: Vec<&'static str>,
    /// All lines are shown however many they are: they add up, or are looked up by name.
    pub(super) whole: bool,
}

/// What a column of a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The names of the lines.
    Name,
    Number,
    Words,
}

impl Table {
    pub(super) fn new(caption: impl Into<String>, heads: &[(&str, Kind)]) -> Self {
        let heads = heads.iter().map(|(head, kind)| (head.to_string(), *kind)).collect();
        Table { caption: caption.into(), heads, ..Table::default() }
    }

    /// Adds a line.
    pub(super) fn line(&mut self, cells: Vec<String>) {
        self.lines.push(cells);
    }

    /// Adds a line with a class.
    pub(super) fn line_of(&mut self, class: &'static str, cells: Vec<String>) {
        self.classes.resize(self.lines.len(), "");
        self.classes.push(class);
        self.lines.push(cells);
    }

    /// The table in a box that scrolls sideways where it is too wide, and can be reached by the keyboard for that.
    pub(super) fn html(&self) -> String {
        let mut out = format!(
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{0}\"><table>\n<caption>{0}</caption>\n<thead><tr>",
            escape(&self.caption)
        );
        for (head, kind) in &self.heads {
            let class = if *kind == Kind::Number { " class=\"n\"" } else { "" };
            out += &format!("<th scope=\"col\"{class}>{}</th>", escape(head));
        }
        out += "</tr></thead>\n<tbody>\n";
        for (place, cells) in self.lines.iter().enumerate() {
            let class = self.classes.get(place).copied().unwrap_or_default();
            out += &if class.is_empty() { "<tr>".to_string() } else { format!("<tr class=\"{class}\">") };
            for (cell, (_, kind)) in cells.iter().zip(&self.heads) {
                out += &match kind {
                    Kind::Name => format!("<th scope=\"row\">{}</th>", escape(cell)),
                    Kind::Number => format!("<td class=\"n\">{}</td>", escape(cell)),
                    Kind::Words => format!("<td class=\"w\">{}</td>", escape(cell)),
                };
            }
            out += "</tr>\n";
        }
        out + "</tbody></table></div>\n"
    }

    /// The same folded away below a line to click on; of many lines an even choice.
    pub(super) fn folded(&self) -> String {
        if self.lines.is_empty() {
            return String::new();
        }
        let mut table = self.clone();
        let places: Vec<usize> = (0..self.lines.len()).collect();
        if places.len() > MOST_LINES && !self.whole {
            let mut kept = evenly(&places, MOST_LINES - 1);
            kept.extend(places.last().filter(|last| kept.last() != Some(last)));
            table.lines = kept.iter().filter_map(|&place| self.lines.get(place).cloned()).collect();
            table.classes.clear();
            table.caption += &format!(" ({} of {} lines)", table.lines.len(), self.lines.len());
        }
        format!(
            "<details class=\"numbers\"><summary>The numbers: {}</summary>\n{}</details>\n",
            escape(&self.caption),
            table.html()
        )
    }
}

/// Numbers the figures, so that each has names of its own.
#[derive(Debug, Default)]
pub(super) struct Figures {
    drawn: usize,
}

impl Figures {
    /// A plot with its name, what it says in words, and its numbers in a table.
    pub(super) fn figure(&mut self, picture: &impl Picture, words: &str, table: Option<&Table>) -> String {
        self.drawn += 1;
        let id = format!("fig{}", self.drawn);
        format!(
            "<figure>\n<figcaption><h3>{}</h3>{}</figcaption>\n{}\n{}</figure>\n",
            escape(&picture.title()),
            paragraph(words),
            picture.inline(&id),
            table.map(Table::folded).unwrap_or_default()
        )
    }
}

/// A part of the page with its heading.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) heading: &'static str,
    pub(super) body: String,
}

impl Section {
    /// None where it has no body.
    pub(super) fn new(id: &'static str, heading: &'static str, body: String) -> Option<Self> {
        (!body.trim().is_empty()).then_some(Section { id, heading, body })
    }

    pub(super) fn html(&self) -> String {
        let Section { id, heading, body } = self;
        format!(
            "<section id=\"{id}\" aria-labelledby=\"{id}-h\">\n<h2 id=\"{id}-h\">{heading}</h2>\n{body}</section>\n"
        )
    }
}

/// Figures side by side where there is room; nothing for none.
pub(super) fn grid(figures: &str) -> String {
    if figures.is_empty() { String::new() } else { format!("<div class=\"grid\">\n{figures}</div>\n") }
}
