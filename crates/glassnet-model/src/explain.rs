//! Why the model says what it says: its output for a row as a base plus one contribution for each of the user's own columns.
//!
//! What is explained is a number `f` that contributions can add up to ([`Margins`]): of a classifier the log-odds
//! `ln p / (1 - p)` of one class, `p` being the final score (calibrated, where the model is); of a regression the value in the
//! target's unit.
//!
//! | method | base | contributions |
//! |---|---|---|
//! | [`Method::Exact`] | mean of `f` over the background's rows | Shapley values, all coalitions of columns |
//! | [`Method::Permutations`] | the same | Shapley values, estimated from antithetic permutations; their sum is exact |
//! | [`Method::Path`] | `f` of one reference row | integrated gradients; their sum is as exact as the quadrature ([`Explanation::residual`]) |
//!
//! Sources: Shapley 1953; Strumbelj and Kononenko 2014 (the estimate by permutations); Lundberg and Lee 2017 (absent columns
//! take the values of a background); Sundararajan, Taly, Yan 2017 (integrated gradients).
//!
//! An explanation depends on the model, the background, the row and the options: not on the rows that are explained with it,
//! nor on threads.

mod background;
mod columns;
mod corners;
mod importance;
mod margins;
mod path;
mod points;
mod quadrature;
mod reasons;
mod shapley;
mod slopes;

use std::sync::{Mutex, PoisonError};

use glassnet_core::Team;
use glassnet_nn::source::Source;
use serde::Serialize;

pub use background::{Background, MAX_ROWS};
pub use importance::{ColumnImportance, Importance};
pub use margins::Margins;
pub use points::{points, sigmoid};
pub use quadrature::gauss_legendre;
pub use reasons::{Direction, Reason, reasons};

use crate::error::ModelError;
use crate::model::Model;
use columns::Columns;

/// Most columns for which all coalitions are counted out.
pub const MAX_EXACT: usize = 14;

/// How contributions are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Shapley values over all coalitions of the columns.
    Exact,
    /// Shapley values estimated from antithetic permutations.
    Permutations,
    /// Integrated gradients.
    Path,
}

impl Method {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Method::Exact => "exact Shapley values",
            Method::Permutations => "Shapley values, estimated from antithetic permutations",
            Method::Path => "integrated gradients",
        }
    }
}

/// How an explanation is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Integrated gradients in place of Shapley values.
    pub fast: bool,
    /// Shapley values are exact where a row differs from each row of the background in at most so many columns (at most
    /// [`MAX_EXACT`]).
    pub exact: usize,
    /// How often each row of the background is walked from, where permutations estimate.
    pub passes: u32,
    /// Nodes of the quadrature of integrated gradients (1 to 64); at least one for each piece between edges of bins.
    pub nodes: usize,
    /// What permutations are drawn from.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { fast: false, exact: 10, passes: 1, nodes: 32, seed: 0 }
    }
}

/// One row explained: `output = base + sum of contributions + residual`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The class whose log-odds are explained; `None` for a regression.
    pub class: Option<usize>,
    /// What the model says of the background, or of the reference row.
    pub base: f64,
    /// What it says of the row.
    pub output: f64,
    /// For each of [`Model::columns`] what it adds.
    pub contributions: Vec<f64>,
    /// `output - base - contributions`, summed in the order of the columns: rounding, and the quadrature's error of
    /// integrated gradients.
    pub residual: f64,
    /// How the contributions were found.
    pub method: Method,
}

impl Explanation {
    fn new(class: Option<usize>, base: f64, output: f64, contributions: Vec<f64>, method: Method) -> Self {
        let residual = contributions.iter().fold(output - base, |rest, contribution| rest - contribution);
        Explanation { class, base, output, contributions, residual, method }
    }

    /// The final score of the base and of the output, where a class is explained.
    pub fn scores(&self) -> Option<(f64, f64)> {
        self.class.map(|_| (sigmoid(self.base), sigmoid(self.output)))
    }

    /// The contributions in percentage points of the score ([`points()`]); of a regression as they are.
    pub fn points(&self) -> Vec<f64> {
        match self.class {
            Some(_) => points(self.base, self.output, &self.contributions),
            None => self.contributions.clone(),
        }
    }

    /// The columns by the size of their contribution, the largest first; equals in their order.
    pub fn ranked(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.contributions.len()).collect();
        let size = |place: usize| self.contributions[place].abs();
        order.sort_by(|&a, &b| size(b).total_cmp(&size(a)).then(a.cmp(&b)));
        order
    }
}

/// Explains rows of one model against one background.
#[derive(Debug)]
pub struct Explainer<'a> {
    model: &'a Model,
    columns: Columns,
    options: Options,
    background: &'a Background,
    /// The model's outputs for each row of the background.
    background_outputs: Vec<f32>,
    /// The row that integrated gradients start from.
    reference: Vec<f32>,
    /// Where their line is cut.
    corners: corners::Corners,
}

impl<'a> Explainer<'a> {
    /// Prepares to explain: the background goes through the network once.
    ///
    /// # Errors
    /// A model of images or text; a background of another model; options out of their range.
    pub fn new(model: &'a Model, background: &'a Background, options: Options) -> Result<Self, ModelError> {
        let columns = Columns::of(model)?;
        background.fits(model)?;
        let unfit = |what: String, hint| Err(ModelError::Unfit { what, hint });
        if options.exact > MAX_EXACT {
            let hint = "take fewer; beyond it permutations estimate, and their sum is exact too";
            return unfit(format!("{} columns are too many to count all coalitions out", options.exact), hint);
        }
        if options.passes == 0 {
            return unfit("0 passes through the background explain nothing".into(), "give 1 or more");
        }
        if !(1..=quadrature::MAX_NODES).contains(&options.nodes) {
            return unfit(format!("{} nodes for a path", options.nodes), "give 1 to 64; 32 do for most networks");
        }
        let mut margins = Margins::new(model, Team::single());
        let mut background_outputs = Vec::new();
        margins.scores(background.values(), &mut background_outputs);
        let reference = columns.reference(background);
        let corners = corners::Corners::of(model);
        Ok(Explainer { model, columns, options, background, background_outputs, reference, corners })
    }

    /// The reference row of integrated gradients, encoded: the mean of the background's numbers, its most frequent categories.
    pub fn reference(&self) -> &[f32] {
        &self.reference
    }

    /// Explains encoded rows, in their order. `class` is the class whose log-odds are explained; `None` takes the second of
    /// two classes, and of more the one that is predicted for the row.
    ///
    /// # Errors
    /// Rows that were encoded for another model, a row beyond them, no such class.
    pub fn explain(
        &self,
        source: &dyn Source<f32>,
        rows: &[u32],
        class: Option<usize>,
        team: &Team,
    ) -> Result<Vec<Explanation>, ModelError> {
        self.model.encoded_here(source)?;
        if let Some(&row) = rows.iter().find(|&&row| row as usize >= source.rows()) {
            let what = "rows of the table (a row to explain is beyond it)";
            return Err(ModelError::Size { what, expected: row as usize + 1, found: source.rows() });
        }
        let classes = self.model.classes().map_or(0, <[String]>::len);
        if let Some(class) = class.filter(|&class| class >= classes) {
            return Err(ModelError::Unfit {
                what: format!("the model has no class number {class} (from 0): it has {classes} classes"),
                hint: "name one of its classes; a model of numbers has none",
            });
        }
        let parts = team.threads().min(rows.len());
        // One row, or few: the threads share each batch. Many: each takes rows of its own. The bytes are the same.
        if parts < 2 || parts < team.threads() {
            let mut worker = self.worker(team.clone());
            return Ok(rows.iter().map(|&row| self.one(&mut worker, source, row, class)).collect());
        }
        let done: Vec<Mutex<Vec<Explanation>>> = (0..parts).map(|_| Mutex::default()).collect();
        team.fork(parts, &|part| {
            let mut worker = self.worker(Team::single());
            let own = rows.iter().skip(part).step_by(parts);
            let explained: Vec<Explanation> = own.map(|&row| self.one(&mut worker, source, row, class)).collect();
            *done[part].lock().unwrap_or_else(PoisonError::into_inner) = explained;
        });
        let mut parts_done: Vec<_> = done
            .into_iter()
            .map(|part| part.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter())
            .collect();
        Ok((0..rows.len()).filter_map(|place| parts_done[place % parts].next()).collect())
    }

    fn worker(&self, team: Team) -> Worker<'a> {
        let slopes = self.options.fast.then(|| slopes::Slopes::new(self.model, team.clone(), self.options.nodes));
        Worker { margins: Margins::new(self.model, team), slopes }
    }

    fn one(&self, worker: &mut Worker<'a>, source: &dyn Source<f32>, row: u32, class: Option<usize>) -> Explanation {
        let mut x = vec![0.0; source.width()];
        source.features(&[row], &mut x);
        let mut scores = Vec::new();
        worker.margins.scores(&x, &mut scores);
        let class = self.model.classes().map(|_| class.unwrap_or_else(|| margins::explained(&scores)));
        let output = margins::margin(&scores, class);
        let Worker { margins, slopes } = worker;
        if let Some(slopes) = slopes {
            let path = path::Path { columns: &self.columns, corners: &self.corners, reference: &self.reference, x: &x };
            let nodes = self.options.nodes;
            let (base, contributions) = path.contributions(margins, slopes, nodes, class, output);
            return Explanation::new(class, base, output, contributions, Method::Path);
        }
        let per_row = self.model.outputs().max(1);
        let bases: Vec<f64> =
            self.background_outputs.chunks(per_row).map(|scores| margins::margin(scores, class)).collect();
        let base = bases.iter().sum::<f64>() / bases.len() as f64;
        let game = shapley::Game {
            columns: &self.columns,
            background: self.background.values(),
            bases: &bases,
            x: &x,
            output,
            options: &self.options,
        };
        let mut ask = |rows: &[f32], out: &mut Vec<f64>| margins.margins(rows, class, out);
        let (contributions, method) = game.contributions(&mut ask);
        Explanation::new(class, base, output, contributions, method)
    }
}

/// What one thread explains with.
struct Worker<'a> {
    margins: Margins<'a>,
    slopes: Option<slopes::Slopes<'a>>,
}
