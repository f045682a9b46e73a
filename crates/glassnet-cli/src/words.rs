//! Words that a person chooses from.

use glassnet::nn::nearest::nearest;

/// One of some names, `_` and `-` alike.
///
/// # Errors
/// No such name: all of them, the nearest first.
pub fn one_of<T: Copy>(what: &str, text: &str, known: &[(&'static str, T)]) -> Result<T, String> {
    let wanted = text.trim().to_lowercase().replace('_', "-");
    if let Some((_, value)) = known.iter().find(|(name, _)| *name == wanted) {
        return Ok(*value);
    }
    let all: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let all_names = all.join(", ");
    let hint = match nearest(&wanted, all.iter().copied()) {
        Some(near) => format!("did you mean {near}? ({all_names})"),
        None => format!("one of {all_names}"),
    };
    Err(format!("no {what} is called \"{text}\"\n  hint: {hint}"))
}
