//! The numbers and texts that are trained on: a function of the place, so that they are the same on every machine and in
//! every run.

use glassnet::core::Team;
use glassnet::core::random::{Draws, Purpose};
use glassnet::nn::source::Matrix;

/// Streams of draws of one purpose.
const FEATURES: u32 = 1;
const LABELS: u32 = 2;
const TEXT: u32 = 3;

/// Numbers that a thread draws at a time.
const PART: usize = 4_096;

/// Normal numbers, none of which is 0: a product with zeros may be quicker than with others.
pub fn normal(numbers: &mut [f32], team: &Team) {
    let draws = Draws::new(0, Purpose::Synthetic, FEATURES, 0);
    team.split_rows(numbers, 1, PART, &|first, part| {
        for (place, x) in part.iter_mut().enumerate() {
            let drawn = draws.normal((first + place) as u64) as f32;
            *x = if drawn == 0.0 { 1.0 } else { drawn };
        }
    });
}

/// Rows of normal numbers, each with a class drawn at random.
pub fn rows(rows: usize, width: usize, classes: usize, team: &Team) -> Matrix<f32> {
    let mut x = vec![0.0; rows * width];
    normal(&mut x, team);
    let draws = Draws::new(0, Purpose::Synthetic, LABELS, 0);
    let labels = (0..rows as u64).map(|row| draws.below(row, classes as u64) as i32).collect();
    Matrix::with_labels(x, width, labels)
}

/// A text of `characters` characters drawn from the first `classes` ones from '!' on.
pub fn text(characters: usize, classes: usize) -> String {
    let draws = Draws::new(0, Purpose::Synthetic, TEXT, 0);
    (0..characters as u64).map(|place| char::from(b'!' + draws.below(place, classes as u64) as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_normal_without_zeros_and_do_not_depend_on_threads() {
        let (mut one, mut two) = (vec![0.0f32; 20_000], vec![0.0f32; 20_000]);
        normal(&mut one, &Team::single());
        normal(&mut two, &Team::new(2));
        assert_eq!(one, two);
        assert!(one.iter().all(|x| *x != 0.0));
        let mean = one.iter().sum::<f32>() / 20_000.0;
        let square = one.iter().map(|x| x * x).sum::<f32>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (square - 1.0).abs() < 0.05, "{mean} {square}");
    }

    #[test]
    fn a_text_has_all_its_characters_and_rows_all_their_classes() {
        let mut seen: Vec<char> = text(2_000, 65).chars().collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((seen.len(), seen[0], seen[64]), (65, '!', 'a'));
        let rows = rows(100, 2, 3, &Team::single());
        assert!((0..3).all(|class| rows.targets == rows.targets && labels(&rows).contains(&class)));
    }

    fn labels(rows: &Matrix<f32>) -> &[i32] {
        match &rows.targets {
            glassnet::nn::source::Targets::Labels(labels) => labels,
            _ => &[],
        }
    }
}
