//! Text that goes on: one token after the other, each drawn from the scores of what came before.
//!
//! The network sees a *window* of at most `context` tokens. When the window is full its older half is dropped and what is
//! left becomes the new window, whose first token stands at position 0 again. With the key-value cache (and the carry of
//! recurrent layers) each token is computed once; without, the whole window is computed again for each token. Both give the
//! same bytes, because an element of a result does not depend on what else is computed with it.
//!
//! A draw is a function of (seed, number of the token): the same seed gives the same text.

use std::sync::Arc;

use glassnet_core::random::{Draws, Purpose as Stream};
use glassnet_core::{NodeId, Plan, Purpose, Real, Request, Runner, StepInfo, Team};
use glassnet_nn::network::Network;

use crate::error::ModelError;
use crate::model::Model;

/// How the next token is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Logits are divided by it: below 1 the likely gets likelier; 0 takes the likeliest always.
    pub temperature: f64,
    /// Only so many of the likeliest tokens; `None`: all.
    pub top_k: Option<usize>,
    /// Only the likeliest tokens that have this share together; `None`: all.
    pub top_p: Option<f64>,
    /// The seed of the draws.
    pub seed: u64,
}

impl Default for Sampling {
    /// Temperature 1, all tokens, seed 0: the model as it is.
    fn default() -> Self {
        Sampling { temperature: 1.0, top_k: None, top_p: None, seed: 0 }
    }
}

impl Sampling {
    /// The probability of each token: softmax of `logits / temperature`, then what `top_k` and `top_p` leave, made to add to
    /// 1. Ties go to the smaller token. In f64.
    pub fn probabilities(&self, logits: &[f32]) -> Vec<f64> {
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]).then(a.cmp(&b)));
        let mut p = vec![0.0; logits.len()];
        let Some(&first) = order.first() else { return p };
        if self.temperature == 0.0 {
            p[first] = 1.0;
            return p;
        }
        order.truncate(self.top_k.unwrap_or(order.len()).max(1));
        let top = f64::from(logits[first]);
        let weight = |token: usize| Real::exp((f64::from(logits[token]) - top) / self.temperature);
        let total: f64 = order.iter().map(|&token| weight(token)).sum();
        if let Some(share) = self.top_p {
            let mut kept = 0;
            let mut sum = 0.0;
            for &token in &order {
                kept += 1;
                sum += weight(token);
                if sum >= share * total {
                    break;
                }
            }
            order.truncate(kept);
        }
        let total: f64 = order.iter().map(|&token| weight(token)).sum();
        for &token in &order {
            p[token] = weight(token) / total;
        }
        p
    }

    /// Draws token number `place` of the text.
    fn draw(&self, logits: &[f32], place: u64) -> i32 {
        let p = self.probabilities(logits);
        let u = Draws::new(self.seed, Stream::Sample, 0, 0).uniform(place);
        let mut sum = 0.0;
        let mut last = 0;
        for (token, &share) in p.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            sum += share;
            last = token;
            if u < sum {
                break;
            }
        }
        last as i32
    }
}

/// A text under way.
#[derive(Debug)]
pub struct Generator<'m> {
    model: &'m Model,
    runner: Runner<f32>,
    input: NodeId,
    logits: NodeId,
    cached: bool,
    context: usize,
    vocabulary: usize,
    /// Tokens since the window's beginning.
    window: Vec<i32>,
    /// Tokens of the window that the runner's state holds.
    held: usize,
    drawn: u64,
}

impl Model {
    /// Begins a text. `cached` keeps keys, values and carries from token to token.
    ///
    /// # Errors
    /// A model that was not trained on text.
    pub fn generator(&self, cached: bool, team: Team) -> Result<Generator<'_>, ModelError> {
        let unfit = || ModelError::Unfit {
            what: "the model was not trained on text, so it cannot go on with one".into(),
            hint: "train one: glassnet train text.txt --task text",
        };
        let text = self.text().ok_or_else(unfit)?;
        let broken = |error: String| ModelError::File { what: error, hint: "train the model again".into() };
        let decoder = match cached {
            true => Some(self.network().decoder().ok_or_else(unfit)?.map_err(|error| broken(error.to_string()))?),
            false => None,
        };
        let network: &Network = decoder.as_ref().unwrap_or(self.network());
        let request = Request {
            purpose: Purpose::Predict,
            rows: 1,
            backward_from: None,
            outputs: vec![network.logits],
            training: false,
            checkpoint: false,
        };
        let mut runner = Runner::new(Arc::new(Plan::new(&network.graph, request)), team);
        runner.set_rows(1);
        Ok(Generator {
            model: self,
            runner,
            input: network.x,
            logits: network.logits,
            cached,
            context: text.context,
            vocabulary: text.vocabulary(),
            window: Vec::with_capacity(text.context),
            held: 0,
            drawn: 0,
        })
    }
}

impl Generator<'_> {
    /// Adds tokens to what the text is so far. A full window drops its older half.
    pub fn feed(&mut self, tokens: &[i32]) {
        for &token in tokens {
            if self.window.len() == self.context {
                let kept = (self.context / 2).max(1).min(self.context - 1);
                self.window.drain(..self.context - kept);
                self.held = 0;
            }
            self.window.push(token);
        }
    }

    /// The logits of the next token; nothing where nothing was fed.
    pub fn logits(&mut self) -> &[f32] {
        let Some(last) = self.window.len().checked_sub(1) else { return &[] };
        if self.cached {
            while self.held < self.window.len() {
                self.runner.labels_mut(self.input).fill(self.window[self.held]);
                let info = StepInfo { time: self.held, ..StepInfo::default() };
                self.runner.forward(self.model.parameters(), &info);
                self.held += 1;
            }
            return self.runner.value(self.logits).unwrap_or(&[]);
        }
        let tokens = self.runner.labels_mut(self.input);
        tokens[..=last].copy_from_slice(&self.window);
        tokens[last + 1..].fill(-1);
        self.runner.forward(self.model.parameters(), &StepInfo::default());
        let all = self.runner.value(self.logits).unwrap_or(&[]);
        all.get(last * self.vocabulary..(last + 1) * self.vocabulary).unwrap_or(&[])
    }

    /// Draws the next token and adds it to the text; `None` where nothing was fed, or where a logit is not finite.
    pub fn next_token(&mut self, sampling: &Sampling) -> Option<i32> {
        let place = self.drawn;
        let logits = self.logits();
        if logits.is_empty() || logits.iter().any(|logit| !logit.is_finite()) {
            return None;
        }
        let token = sampling.draw(logits, place);
        self.drawn += 1;
        self.feed(&[token]);
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 4] = [0.0, 2.0, 1.0, 2.0];

    fn near(found: Vec<f64>, wanted: [f64; 4]) {
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
        }
    }

    #[test]
    fn temperature_sharpens_and_zero_takes_the_first_of_the_likeliest() {
        let (e1, e2) = (Real::exp(-1.0f64), Real::exp(-2.0f64));
        let sum = 2.0 + e1 + e2;
        near(Sampling::default().probabilities(&LOGITS), [e2 / sum, 1.0 / sum, e1 / sum, 1.0 / sum]);
        let (h1, h2) = (Real::exp(-2.0f64), Real::exp(-4.0f64));
        let sum = 2.0 + h1 + h2;
        let sharp = Sampling { temperature: 0.5, ..Sampling::default() };
        near(sharp.probabilities(&LOGITS), [h2 / sum, 1.0 / sum, h1 / sum, 1.0 / sum]);
        let greedy = Sampling { temperature: 0.0, ..Sampling::default() };
        near(greedy.probabilities(&LOGITS), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn top_k_and_top_p_leave_the_likeliest() {
        let k = Sampling { top_k: Some(2), ..Sampling::default() };
        near(k.probabilities(&LOGITS), [0.0, 0.5, 0.0, 0.5]);
        // The two likeliest have 0.798 together.
        let p = Sampling { top_p: Some(0.79), ..Sampling::default() };
        near(p.probabilities(&LOGITS), [0.0, 0.5, 0.0, 0.5]);
        let p = Sampling { top_p: Some(0.0), ..Sampling::default() };
        near(p.probabilities(&LOGITS), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn draws_come_as_often_as_their_probability_says() {
        let sampling = Sampling { seed: 3, ..Sampling::default() };
        let p = sampling.probabilities(&LOGITS);
        let mut counts = [0.0; 4];
        let n = 20_000;
        for place in 0..n {
            counts[sampling.draw(&LOGITS, place) as usize] += 1.0;
        }
        for (count, p) in counts.iter().zip(p) {
            let error = (p * (1.0 - p) / n as f64).sqrt();
            assert!((count / n as f64 - p).abs() < 5.0 * error, "{counts:?}");
        }
    }
}
