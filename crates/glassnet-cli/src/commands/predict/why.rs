//! The reasons of rows, in words.

use glassnet::core::Team;
use glassnet::model::Model;
use glassnet::model::explain::{Explainer, Options, Reason, reasons};
use glassnet::model::file::Features;
use glassnet::nn::source::{Matrix, Source, Targets};

use super::chunks::Chunk;
use crate::error::CliError;
use crate::row;

/// What gives reasons.
pub struct Why<'a> {
    model: &'a Model,
    explainer: Explainer<'a>,
    class: Option<usize>,
    most: usize,
    team: Team,
}

/// A row's values, for each of the model's columns, as they stand in the file.
pub type RowValues = Vec<Option<String>>;

impl<'a> Why<'a> {
    /// For the class's score; `None`: the second of two classes, of more the predicted one.
    ///
    /// # Errors
    /// A model without columns; a model file without training rows to compare with.
    pub fn new(model: &'a Model, path: &str, class: Option<usize>, most: usize, team: Team) -> Result<Self, CliError> {
        let usage = |what: String, hint: &str| Err(CliError::Usage(format!("{what}\n  hint: {hint}")));
        if !matches!(model.document().preprocess, Features::Table(_)) {
            return usage(
                "--reasons go by the columns of a table, but this model learned from images".into(),
                "leave --reasons out",
            );
        }
        let Some(background) = model.background() else {
            let hint = "train it again without --no-background, or explain with rows of your own: glassnet explain MODEL DATA --all \
                        --background ROWS.csv";
            return usage(format!("--reasons: {path} holds no training rows to compare with"), hint);
        };
        let explainer = Explainer::new(model, background, Options::default())?;
        Ok(Why { model, explainer, class, most, team })
    }

    /// The reasons of a chunk's rows.
    pub fn chunk(&self, chunk: &Chunk) -> Result<Vec<Vec<Reason>>, CliError> {
        let values: Vec<RowValues> = (0..chunk.rows.len()).map(|place| chunk.values(self.model, place)).collect();
        self.explain(&*chunk.encoded, &chunk.rows, &values)
    }

    /// The reasons of rows that were kept: their inputs one after the other.
    pub fn kept(&self, inputs: Vec<f32>, values: &[RowValues]) -> Result<Vec<Vec<Reason>>, CliError> {
        let width = self.model.document().network.inputs;
        let rows: Vec<u32> = (0..values.len() as u32).collect();
        let source = Matrix { x: inputs, width, targets: Targets::None, weights: Vec::new() };
        self.explain(&source, &rows, values)
    }

    fn explain(
        &self,
        source: &dyn Source<f32>,
        rows: &[u32],
        values: &[RowValues],
    ) -> Result<Vec<Vec<Reason>>, CliError> {
        let explanations = self.explainer.explain(source, rows, self.class, &self.team)?;
        let one = |(explanation, values)| reasons(self.model, explanation, values, self.most);
        Ok(explanations.iter().zip(values.iter().map(Vec::as_slice)).map(one).collect())
    }
}

impl Chunk {
    /// A row's values as they stand in the file.
    pub fn values(&self, model: &Model, place: usize) -> RowValues {
        let at = self.rows.get(place).map_or(0, |&row| row as usize);
        let value = |name: &str| self.table.as_ref().and_then(|table| row::raw(table, name, at));
        model.columns().into_iter().map(value).collect()
    }
}
