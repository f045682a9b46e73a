//! The report of a run: one HTML page that needs nothing besides itself.
//!
//! [`ReportData`] is plain data with every part optional; [`render`] makes the page. It has no script and asks for nothing
//! from elsewhere (its own policy forbids both), reads well in print, in the dark and on a phone, and can be walked
//! with a screen reader: landmarks, headings in order, captions, row and column headings, a description of each plot,
//! and the numbers of each plot in a table that unfolds.
//!
//! | file | what |
//! |---|---|
//! | `data`, `results` | what a page is made of |
//! | `head` | the key figures |
//! | `classes`, `values` | how good: classifier, regression |
//! | `reasons` | importances, explained rows |
//! | `run` | data, training, network, findings, how to repeat it |
//! | `html`, `style` | elements, look |

mod classes;
mod data;
mod head;
mod html;
mod reasons;
mod results;
mod run;
mod style;
mod values;

pub use data::{
    Column, Cost, Data, EpochLine, Head, KeyFigure, LayerLine, LeftOut, Member, Network, OutputKind, Part, Repeat,
    ReportData, ScoreLine, ScoreTable, Training, Unit,
};
pub use glassnet_nn::doctor::{Finding, Severity};
pub use results::{
    Classification, Contribution, Coverage, Curve, Distribution, Explained, Importance, Importances, Regression,
    ReliabilityData, ThresholdLine, Thresholds,
};
pub use run::{curves, learning_rate};

use crate::escape::escape;
use crate::plot::style::{PLOTS, VARIABLES};
use html::{Figures, Section};

/// The page. The same data give the same bytes.
pub fn render(data: &ReportData) -> String {
    let mut figures = Figures::default();
    let sections: Vec<Section> = [
        head::scores(&data.scores),
        data.classification.as_ref().and_then(|classes| classes::section(classes, &mut figures)),
        data.regression.as_ref().and_then(|values| values::section(values, &mut figures)),
        data.importances.as_ref().and_then(|importances| reasons::importances(importances, &mut figures)),
        reasons::explained(&data.explained, &mut figures),
        data.data.as_ref().and_then(|data| run::data(data, &mut figures)),
        data.training.as_ref().and_then(|training| run::training(training, &mut figures)),
        run::network(data.network.as_ref(), &data.costs),
        data.findings.as_ref().and_then(|findings| run::findings(findings)),
        data.repeat.as_ref().and_then(run::repeat),
    ]
    .into_iter()
    .flatten()
    .collect();
    let title = if data.title.trim().is_empty() { "Report" } else { &data.title };
    let links: String =
        sections.iter().map(|s| format!("<li><a href=\"#{}\">{}</a></li>\n", s.id, s.heading)).collect();
    let nav = match links.as_str() {
        "" => String::new(),
        links => format!("<nav aria-label=\"Sections\">\n<ul>\n{links}</ul>\n</nav>\n"),
    };
    let body: String = sections.iter().map(Section::html).collect();
    let made_by = data.made_by.as_deref().map_or(String::new(), |by| format!("Made by {}. ", escape(by)));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         base-uri 'none'; form-action 'none'\">\n\
         <title>{title}</title>\n<style>\n{VARIABLES}\n{PLOTS}\n{page}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#content\">To the content</a>\n\
         <header>\n<p class=\"eyebrow\">Report of a trained model</p>\n<h1>{title}</h1>\n{head}</header>\n{nav}\
         <main id=\"content\">\n{body}</main>\n\
         <footer>\n<p>{made_by}This page holds all that it shows: no script, nothing from elsewhere.</p>\n</footer>\n\
         </body>\n</html>\n",
        title = escape(title),
        page = style::PAGE,
        head = data.head.as_ref().map(head::head).unwrap_or_default(),
    )
}
