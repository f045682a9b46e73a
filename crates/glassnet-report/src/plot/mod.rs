//! Plots as SVG, drawn by hand.
//!
//! | file | what |
//! |---|---|
//! | [`chart`] | what a plot with two axes is made of: lines, points, columns, whiskers, marks, reference lines |
//! | `draw` | how its layers become paths |
//! | [`ticks`] | places of ticks at nice numbers, linear and logarithmic, and their words |
//! | [`scale`] | from values to places |
//! | `frame` | axes, grid, legend |
//! | [`thin`] | many points to few, the same ones every time |
//! | [`bars`] | horizontal bars: importances |
//! | [`waterfall`] | base + contributions = output |
//! | [`heat`] | a confusion table |
//! | [`reliability`] | predicted against observed, with a count below each bin |
//! | [`style`] | colours for light, dark and print, dashes |
//! | `svg` | elements, escaped |
//!
//! A plot is a [`Picture`]: [`Picture::inline`] for a page that has [`style::VARIABLES`] and [`style::PLOTS`] once,
//! [`Picture::standalone`] for a file of its own. Both have a role, a title and a description for those who cannot see it.
//!
//! ```
//! use glassnet_report::plot::{Chart, Layer, Picture};
//! let mut chart = Chart::new("Loss", "epoch", "loss");
//! chart.layers.push(Layer::line("validation", vec![[1.0, 0.7], [2.0, 0.5], [3.0, 0.45]]));
//! let svg = chart.standalone();
//! assert!(svg.starts_with("<svg xmlns=") && svg.contains("role=\"img\"") && svg.contains("<title"));
//! ```

pub mod bars;
pub mod chart;
mod draw;
mod frame;
pub mod heat;
pub mod reliability;
pub mod scale;
pub mod style;
pub(crate) mod svg;
pub mod thin;
pub mod ticks;
pub mod waterfall;

pub use bars::{Bar, Bars};
pub use chart::{Axis, Chart, Layer};
pub use heat::Heat;
pub use reliability::Reliability;
pub use waterfall::Waterfall;

use crate::escape::escape;

/// What was drawn: elements without the `<svg>` around them.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) body: String,
}

/// Something that can be drawn.
pub trait Picture {
    /// Its name, for people and screen readers. Not escaped.
    fn title(&self) -> String;

    /// What it shows, in words, for those who cannot see it. Not escaped.
    fn description(&self) -> String;

    /// Draws it; `titled` says whether its name stands above it.
    fn draw(&self, titled: bool) -> Drawn;

    /// For a page that has the styles. `id` is a name that nothing else on the page has: letters, digits and `-`.
    fn inline(&self, id: &str) -> String {
        let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        self.element(&self.draw(false), &id, "")
    }

    /// A file of its own, with its style and its name above it.
    fn standalone(&self) -> String {
        let drawn = self.draw(true);
        let style = format!("<style>{}{}</style>\n", style::VARIABLES, style::PLOTS);
        let paper = format!(
            "<rect class=\"paper\" x=\"0\" y=\"0\" width=\"{}\" height=\"{}\"/>\n",
            svg::place(drawn.width),
            svg::place(drawn.height)
        );
        self.element(&drawn, "plot", &format!("{style}{paper}")) + "\n"
    }

    /// The element with its names.
    #[doc(hidden)]
    fn element(&self, drawn: &Drawn, id: &str, before: &str) -> String {
        let (width, height) = (svg::place(drawn.width), svg::place(drawn.height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"gn\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\n<title id=\"{id}-t\">{}</title>\n\
             <desc id=\"{id}-d\">{}</desc>\n{before}{}</svg>",
            escape(&self.title()),
            escape(&self.description()),
            drawn.body
        )
    }
}
