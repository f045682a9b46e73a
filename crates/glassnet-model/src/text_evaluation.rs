//! How well a model of text predicts a text.

use glassnet_core::{Real, Runner, Team};
use glassnet_nn::functional;
use glassnet_nn::source::Source;
use serde::Serialize;

use crate::error::ModelError;
use crate::model::Model;
use crate::windows::Windows;

/// What a text is worth to a model: the mean of -ln p over its characters (but the first), in three units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TextEvaluation {
    /// Characters that were predicted.
    pub characters: usize,
    /// Mean of -ln p, in nats.
    pub loss: f64,
    /// exp(loss): as uncertain as a fair choice among so many characters.
    pub perplexity: f64,
    /// loss / ln 2.
    pub bits_per_character: f64,
}

impl TextEvaluation {
    /// From a mean loss in nats.
    pub fn new(characters: usize, loss: f64) -> Self {
        TextEvaluation {
            characters,
            loss,
            perplexity: Real::exp(loss),
            bits_per_character: loss / std::f64::consts::LN_2,
        }
    }
}

impl Model {
    /// Evaluates a text in windows side by side: a character is predicted from those before it in its window.
    ///
    /// # Errors
    /// A model that was not trained on text, characters that it does not know, a text of less than two.
    pub fn evaluate_text(&self, text: &str, team: &Team) -> Result<TextEvaluation, ModelError> {
        let preprocess = self.text().ok_or_else(|| ModelError::Unfit {
            what: "the model was not trained on text".into(),
            hint: "give it the kind of data that it learned from",
        })?;
        let tokens = preprocess.encode(text)?;
        if tokens.len() < 2 {
            return Err(ModelError::Unfit {
                what: format!("the text has {} characters: there is none to predict", tokens.len()),
                hint: "give a text of two characters or more",
            });
        }
        let windows = Windows::side_by_side(tokens.into(), preprocess.context);
        let rows: Vec<u32> = (0..Source::<f32>::rows(&windows) as u32).collect();
        let characters = rows.iter().map(|&row| windows.labelled(row)).sum();
        let mut runner: Runner<f32> = self.runner(team.clone());
        let outputs = functional::evaluate(self.network(), &mut runner, self.parameters(), &windows, &rows);
        let loss = functional::mean_loss(self.network(), &outputs.losses, &windows as &dyn Source<f32>, &rows);
        Ok(TextEvaluation::new(characters, loss))
    }
}
