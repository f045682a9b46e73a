//! What a model's outputs may be called: probabilities only where its calibration was seen to hold, scores everywhere else.

use glassnet::model::Model;

/// Said of a classifier that nothing has calibrated.
pub const NOT_CALIBRATED: &str = "scores, not probabilities: nothing has calibrated them";

/// `probability` or `score`.
pub fn word(model: &Model) -> &'static str {
    match model.calibration() {
        Some(calibration) if calibration.holds() => "probability",
        _ => "score",
    }
}

/// The sentence that stands with the outputs of a classifier; `None` of a regression.
pub fn note(model: &Model) -> Option<String> {
    model.classes()?;
    let Some(calibration) = model.calibration() else { return Some(NOT_CALIBRATED.to_owned()) };
    Some(match &calibration.held {
        Some(held) if held.holds => {
            format!(
                "probabilities: the calibration held on {} (ECE {:.4}, at most {:.4} would do)",
                held.on, held.ece, held.limit
            )
        }
        Some(held) => {
            format!(
                "scores, not probabilities: the calibration did not hold on {}: {}",
                held.on,
                held.reasons.join("; ")
            )
        }
        None => "scores, not probabilities: the calibration was not seen to hold on any rows".to_owned(),
    })
}
