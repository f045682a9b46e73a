//! Many points to few. The same points give the same few, whatever machine: no random draw.

/// At most `most` of the points, at even steps through their order, the first one among them.
///
/// ```
/// use glassnet_report::plot::thin::evenly;
/// assert_eq!(evenly(&[1, 2, 3, 4, 5, 6], 3), [1, 3, 5]);
/// assert_eq!(evenly(&[1, 2], 3), [1, 2]);
/// ```
pub fn evenly<T: Copy>(items: &[T], most: usize) -> Vec<T> {
    let kept = items.len().min(most);
    (0..kept).filter_map(|k| items.get((k as u128 * items.len() as u128 / kept as u128) as usize).copied()).collect()
}

/// The points of a line that still look the same: of all that fall on one of `columns` columns of pixels the first, the
/// lowest, the highest and the last. `points` are places on the paper, in the order of the line.
pub fn line(points: &[[f64; 2]], columns: usize) -> Vec<[f64; 2]> {
    if points.len() <= 4 * columns.max(1) {
        return points.to_vec();
    }
    let mut kept = Vec::new();
    let mut rest = points;
    while let Some(first) = rest.first() {
        let column = first[0].floor();
        let length = rest.iter().take_while(|point| point[0].floor() == column).count().max(1);
        let (these, others) = rest.split_at(length);
        let by_height = |a: &usize, b: &usize| these[*a][1].total_cmp(&these[*b][1]);
        let mut places = vec![0, length - 1];
        places.extend((0..length).min_by(by_height));
        places.extend((0..length).max_by(by_height));
        places.sort_unstable();
        places.dedup();
        kept.extend(places.into_iter().map(|place| these[place]));
        rest = others;
    }
    kept
}
