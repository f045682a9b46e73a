//! The name that a person probably meant: unknown options, activations, columns and classes are answered with it.

/// A name without what does not count: lower case, no space, `_` or `-`.
pub fn key(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace() && *c != '_' && *c != '-').flat_map(char::to_lowercase).collect()
}

/// Longest name for which a near one is looked for, in characters.
const LONGEST: usize = 64;

/// The candidate nearest to `name`, if one is near enough to be what was meant: at most one slip (a letter too many,
/// too few, wrong, or two neighbours swapped) for every three letters. Case, spaces, `_` and `-` do not count. Of
/// equally near ones the first.
///
/// ```
/// use glassnet_nn::nearest::nearest;
///
/// assert_eq!(nearest("rleu", ["tanh", "relu"]), Some("relu"));
/// assert_eq!(nearest("price", ["tanh", "relu"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = key(name).chars().collect();
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    let allowed = (name.len() / 3).max(1);
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        let other: Vec<char> = key(candidate).chars().collect();
        if other.len().abs_diff(name.len()) > allowed {
            continue;
        }
        let slips = distance(&name, &other);
        // One slip in a name of one or two letters leaves nothing that the two have in common.
        let near = slips <= allowed && slips * 2 < name.len().max(other.len());
        if near && best.is_none_or(|(least, _)| slips < least) {
            best = Some((slips, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Edit distance with swaps of neighbours (optimal string alignment): the least number of slips from `a` to `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut two_back = vec![0; b.len() + 1];
    let mut back: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let other = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (back[j - 1] + other).min(back[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(two_back[j - 2] + 1);
            }
        }
        two_back = std::mem::replace(&mut back, row);
    }
    back[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_of_known_pairs() {
        let d = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(d("kitten", "sitting"), 3);
        assert_eq!(d("", "abc"), 3);
        assert_eq!(d("abc", ""), 3);
        assert_eq!(d("abc", "abc"), 0);
        assert_eq!(d("adma", "adam"), 1);
    }
}
