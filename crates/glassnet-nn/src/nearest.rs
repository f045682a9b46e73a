//! The name that a person probably meant: for hints in errors.

/// The name among `names` that is closest to `word` in edits (insert, delete, replace, swap of neighbours), case aside;
/// `None` where even the closest differs in more than half of its letters. The first of equals wins.
///
/// ```
/// use glassnet_nn::nearest::nearest;
/// assert_eq!(nearest("cosin", &["constant", "cosine", "step"]), Some("cosine"));
/// assert_eq!(nearest("xyz", &["constant", "cosine", "step"]), None);
/// ```
pub fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    let mut best: Option<(usize, &'a str)> = None;
    for &name in names {
        let letters: Vec<char> = name.to_lowercase().chars().collect();
        let edits = distance(&word, &letters);
        let near = 2 * edits <= word.len().max(letters.len());
        if near && best.is_none_or(|(fewest, _)| edits < fewest) {
            best = Some((edits, name));
        }
    }
    best.map(|(_, name)| name)
}

/// Optimal string alignment distance, by rows of the usual table.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_of_known_pairs() {
        let d = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(d("kitten", "sitting"), 3);
        assert_eq!(d("", "abc"), 3);
        assert_eq!(d("abc", "abc"), 0);
        assert_eq!(d("adma", "adam"), 1);
    }
}
