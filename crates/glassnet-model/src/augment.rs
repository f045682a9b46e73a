//! Changes of training images, drawn anew in each epoch: flips, shifts and cut-outs.
//!
//! What is done to an image is a function of (seed, epoch, place of the row in the epoch), by the counter-based generator
//! of [`glassnet_core::random`]: it does not depend on batches, accumulation or threads. Sources: flips and shifts as in
//! Krizhevsky, Sutskever, Hinton (2012); cut-out: DeVries, Taylor, "Improved regularization of convolutional neural
//! networks with cutout" (2017), where the centre may lie anywhere and the square is cut off at the border.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use glassnet_core::random::{Draws, Purpose};
use glassnet_nn::nearest::nearest;
use glassnet_nn::source::Draw;
use serde::{Deserialize, Serialize};

/// What is done to training images, and never to those that are predicted or evaluated.
///
/// Its text form is a list: `flip, shift 2, cutout 8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Augmentation {
    /// Half of the images are mirrored, left for right.
    #[serde(default)]
    pub flip: bool,
    /// Images are moved by up to so many pixels in both directions, every whole number alike. What comes in from outside
    /// is 0: the mean of the channel where pixels are standardised, black where they are not.
    #[serde(default)]
    pub shift: usize,
    /// Side of a square, its centre anywhere in the image, that becomes 0 as above; 0: none.
    #[serde(default)]
    pub cutout: usize,
}

/// An augmentation that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}\n  hint: {hint}")]
pub struct BadAugmentation {
    /// What is wrong.
    pub what: String,
    /// What to write.
    pub hint: String,
}

const FORM: &str = "write what is wanted of flip, shift N and cutout N, as in \"flip, shift 2, cutout 8\"";

fn bad(what: String, hint: impl Into<String>) -> BadAugmentation {
    BadAugmentation { what, hint: hint.into() }
}

impl FromStr for Augmentation {
    type Err = BadAugmentation;

    fn from_str(text: &str) -> Result<Self, BadAugmentation> {
        let mut said = Augmentation::default();
        let mut names: Vec<&str> = Vec::new();
        for part in text.split(',') {
            let mut words = part.split_whitespace();
            let (name, number, more) = (words.next().unwrap_or(""), words.next(), words.next());
            let shown: String = part.trim().chars().take(40).collect();
            let pixels = |usual: usize| match number.map(str::parse::<usize>) {
                Some(Ok(pixels)) if pixels > 0 && more.is_none() => Ok(pixels),
                _ => {
                    let hint = format!("write {name} {usual}: a whole number of pixels, 1 or more");
                    Err(bad(format!("\"{shown}\" is no {name}"), hint))
                }
            };
            match name {
                "flip" if number.is_none() => said.flip = true,
                "flip" => return Err(bad(format!("\"{shown}\": flip takes no number"), "write flip alone")),
                "shift" => said.shift = pixels(2)?,
                "cutout" => said.cutout = pixels(8)?,
                "" => return Err(bad("a part of it is empty".to_owned(), FORM)),
                _ => {
                    let near = nearest(name, ["flip", "shift", "cutout"]);
                    let near = near.map_or(String::new(), |near| format!("did you mean {near}? "));
                    return Err(bad(format!("no change of images is called \"{shown}\""), format!("{near}{FORM}")));
                }
            }
            if names.contains(&name) {
                return Err(bad(format!("{name} is said twice"), "say it once"));
            }
            names.push(name);
        }
        Ok(said)
    }
}

impl fmt::Display for Augmentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.flip.then(|| "flip".to_owned()),
            (self.shift > 0).then(|| format!("shift {}", self.shift)),
            (self.cutout > 0).then(|| format!("cutout {}", self.cutout)),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&if parts.is_empty() { "none".to_owned() } else { parts.join(", ") })
    }
}

impl Augmentation {
    /// Whether it does nothing.
    pub fn is_none(&self) -> bool {
        *self == Augmentation::default()
    }

    /// Whether it leaves something of images of this size.
    ///
    /// # Errors
    /// A shift or a cut-out of a whole side or more.
    pub fn check(&self, height: usize, width: usize) -> Result<(), BadAugmentation> {
        let side = height.min(width);
        for (name, pixels) in [("shift", self.shift), ("cutout", self.cutout)] {
            if pixels > 0 && pixels >= side {
                let what = format!("{name} {pixels} may leave nothing of images of {height} x {width} pixels");
                let hint = match side {
                    0 | 1 => format!("leave {name} out"),
                    _ => format!("write {name} with less than {side}, such as {name} {}", (side / 8).max(1)),
                };
                return Err(bad(what, hint));
            }
        }
        Ok(())
    }

    /// What happens to row `index` of a batch that stands at `at`, an image of this size.
    pub fn draw(&self, at: Draw, index: usize, height: usize, width: usize) -> Change {
        let draws = Draws::new(at.seed, Purpose::Augment, 0, at.epoch);
        // Two blocks of four words for each row: a setting takes its own words, so that it changes no other's draws.
        let place = at.position.wrapping_add(index as u64).wrapping_mul(2);
        let ([flip, down, right, _], [centre_y, centre_x, ..]) = (draws.block(place), draws.block(place + 1));
        let moved = |word: u32| below(word, 2 * self.shift + 1) as isize - self.shift as isize;
        let cut = (self.cutout > 0).then(|| {
            // An even side has one pixel more before the centre than behind it.
            let begin = |word: u32, size: usize| below(word, size) as isize - (self.cutout / 2) as isize;
            (begin(centre_y, height), begin(centre_x, width), self.cutout as isize)
        });
        Change { flip: self.flip && flip >= 1 << 31, down: moved(down), right: moved(right), cut }
    }
}

/// A whole number in [0, bound) from 32 random bits; the bias is below bound / 2^32.
fn below(word: u32, bound: usize) -> usize {
    ((u64::from(word) * bound as u64) >> 32) as usize
}

/// What is done to one image: mirrored first, then moved, then cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Whether it is mirrored, left for right.
    pub flip: bool,
    /// Lines that it is moved down by.
    pub down: isize,
    /// Columns that it is moved to the right by.
    pub right: isize,
    /// First line and column of the square that is cut out, and its side; it may reach beyond the image.
    pub cut: Option<(isize, isize, isize)>,
}

impl Change {
    /// The line of the image that comes to line `y`; `None`: it lies outside.
    pub fn line(&self, y: usize, height: usize) -> Option<usize> {
        inside(y, self.down, height)
    }

    /// The columns that something of the image comes to, and the column that comes to the first of them; from there on they
    /// follow to the right, or where it is mirrored to the left.
    pub fn columns(&self, width: usize) -> (Range<usize>, usize) {
        let moved = self.right.unsigned_abs().min(width);
        let seen = if self.right >= 0 { moved..width } else { 0..width - moved };
        let first = if self.right >= 0 { 0 } else { moved };
        let last = width.saturating_sub(1);
        (seen, if self.flip { last - first.min(last) } else { first })
    }

    /// The columns of line `y` that are cut out.
    pub fn cut_columns(&self, y: usize, width: usize) -> Range<usize> {
        let place = |x: isize| usize::try_from(x).unwrap_or(0).min(width);
        match self.cut {
            Some((top, left, side)) if (top..top + side).contains(&(y as isize)) => place(left)..place(left + side),
            _ => 0..0,
        }
    }
}

fn inside(place: usize, moved: isize, size: usize) -> Option<usize> {
    usize::try_from(place as isize - moved).ok().filter(|from| *from < size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form() {
        let all = Augmentation { flip: true, shift: 2, cutout: 8 };
        assert_eq!(" flip,shift 2 , cutout 8".parse(), Ok(all));
        assert_eq!(all.to_string().parse(), Ok(all));
        assert_eq!("shift 1".parse(), Ok(Augmentation { shift: 1, ..Augmentation::default() }));
        assert_eq!(Augmentation::default().to_string(), "none");
        for (text, what, hint) in [
            ("", "empty", "shift N"),
            ("flip,", "empty", "shift N"),
            ("flop", "no change of images is called \"flop\"", "did you mean flip?"),
            ("flip 2", "flip takes no number", "flip alone"),
            ("shift", "\"shift\" is no shift", "shift 2"),
            ("shift 0", "is no shift", "1 or more"),
            ("shift -1", "is no shift", "1 or more"),
            ("cutout 2 3", "is no cutout", "cutout 8"),
            ("flip, flip", "flip is said twice", "once"),
        ] {
            let error = text.parse::<Augmentation>().unwrap_err();
            assert!(error.what.contains(what) && error.hint.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn sizes() {
        let of = |shift, cutout| Augmentation { flip: true, shift, cutout };
        assert_eq!(of(3, 3).check(4, 9), Ok(()));
        assert!(of(4, 0).check(4, 9).unwrap_err().to_string().contains("shift 4 may leave nothing of images of 4 x 9"));
        assert!(of(0, 9).check(9, 9).unwrap_err().to_string().contains("cutout 9"));
        assert_eq!(of(0, 0).check(1, 1), Ok(()));
    }

    #[test]
    fn draws_are_a_function_of_seed_epoch_and_place() {
        let all = Augmentation { flip: true, shift: 3, cutout: 4 };
        let at = |seed, epoch, position| Draw { seed, epoch, position };
        assert_eq!(all.draw(at(1, 2, 10), 5, 9, 7), all.draw(at(1, 2, 15), 0, 9, 7));
        let of = |at: Draw| (0..40).map(|row| all.draw(at, row, 9, 7)).collect::<Vec<_>>();
        assert_ne!(of(at(1, 2, 0)), of(at(1, 3, 0)));
        assert_ne!(of(at(1, 2, 0)), of(at(2, 2, 0)));
        // A setting changes no other's draws.
        let flip = Augmentation { flip: true, ..Augmentation::default() };
        for row in 0..40 {
            let (some, more) = (flip.draw(at(1, 0, 0), row, 9, 7), all.draw(at(1, 0, 0), row, 9, 7));
            assert_eq!((some.flip, some.down, some.right, some.cut), (more.flip, 0, 0, None));
        }
    }

    #[test]
    fn all_shifts_and_half_the_flips() {
        let all = Augmentation { flip: true, shift: 2, cutout: 3 };
        let n = 20_000;
        let (mut flips, mut downs, mut rights, mut tops) = (0, [0; 5], [0; 5], [0; 9]);
        for row in 0..n {
            let change = all.draw(Draw::default(), row, 9, 7);
            flips += usize::from(change.flip);
            downs[(change.down + 2) as usize] += 1;
            rights[(change.right + 2) as usize] += 1;
            let (top, left, side) = change.cut.unwrap();
            assert_eq!(side, 3);
            assert!((-1..6).contains(&left), "{left}");
            tops[(top + 1) as usize] += 1;
        }
        // Five deviations of a binomial count.
        let near = |count: usize, share: f64| {
            (count as f64 - n as f64 * share).abs() < 5.0 * (n as f64 * share * (1.0 - share)).sqrt()
        };
        assert!(near(flips, 0.5), "{flips}");
        assert!(downs.iter().chain(&rights).all(|&count| near(count, 0.2)), "{downs:?} {rights:?}");
        assert!(tops.iter().all(|&count| near(count, 1.0 / 9.0)), "{tops:?}");
    }

    #[test]
    fn lines_and_columns_by_hand() {
        let change = Change { flip: true, down: 1, right: -1, cut: Some((-1, 1, 2)) };
        assert_eq!((0..3).map(|y| change.line(y, 3)).collect::<Vec<_>>(), [None, Some(0), Some(1)]);
        // Moved one to the left after mirroring: columns 3 2 1 0 become 2 1 0 nothing.
        assert_eq!(change.columns(4), (0..3, 2));
        assert_eq!((change.cut_columns(0, 4), change.cut_columns(0, 2)), (1..3, 1..2));
        assert!(change.cut_columns(1, 4).is_empty());
        assert!(Change { cut: Some((0, -3, 2)), ..change }.cut_columns(0, 4).is_empty());
        // Without mirroring, to the left and to the right: 1 2 3 nothing; nothing 0 1 2.
        let plain = Change { flip: false, ..change };
        assert_eq!(plain.columns(4), (0..3, 1));
        assert_eq!(Change { right: 1, ..plain }.columns(4), (1..4, 0));
        assert_eq!(Change { right: 1, ..change }.columns(4), (1..4, 3));
        assert!([-9, 9].map(|right| Change { right, ..change }.columns(4).0.is_empty()).iter().all(|&empty| empty));
    }
}
