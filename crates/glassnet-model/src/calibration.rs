//! From scores to probabilities: an affine map of the logits, `z' = offset + slope z`, before softmax or sigmoid.
//!
//! *Temperature* is the case without an offset, slope = 1 / T (Guo, Pleiss, Sun, Weinberger 2017); with an offset it is Platt's
//! scaling of one logit (Platt 1999). The numbers are found on rows that the training did not see; a model without them gives
//! scores that nothing has checked as probabilities.

use serde::{Deserialize, Serialize};

use crate::file::Head;

/// `z' = offset + slope z`, in f32: one product, one sum, each rounded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Added to the one logit of two classes (a sigmoid's); 0 where there is a logit for each class.
    #[serde(default)]
    pub offset: f64,
    /// What logits are multiplied by, above 0: the order of the scores stays.
    pub slope: f64,
}

impl Calibration {
    /// Scores divided by a temperature above 0: above 1 they come nearer to one another.
    pub fn temperature(temperature: f64) -> Self {
        Calibration { offset: 0.0, slope: 1.0 / temperature }
    }

    /// Whether it can be used with that head.
    ///
    /// # Errors
    /// Which number is out of its range, or what the head has no place for.
    pub fn check(&self, head: Head) -> Result<(), String> {
        let Calibration { offset, slope } = *self;
        let (a, b) = (offset as f32, slope as f32);
        if !(b > 0.0 && b.is_finite()) {
            return Err(format!("the calibration's slope is {slope}; it must be a number above 0"));
        }
        if !a.is_finite() {
            return Err(format!("the calibration's offset is {offset}, which is not finite"));
        }
        match head {
            Head::Value => Err("a number is predicted, but a calibration is for classes".to_owned()),
            Head::Softmax if offset != 0.0 => Err(format!(
                "the calibration's offset is {offset}, but the same number added to all logits changes nothing"
            )),
            Head::Softmax | Head::Sigmoid => Ok(()),
        }
    }

    /// The calibrated logit.
    pub fn apply(&self, z: f32) -> f32 {
        z * self.slope as f32 + self.offset as f32
    }
}
