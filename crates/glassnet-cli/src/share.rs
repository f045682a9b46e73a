//! Shares as people write them.

/// A share between 0 and 1, both excluded: `90%` or `0.9`.
///
/// # Errors
/// What a share is, in words.
pub fn share(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let (number, unit) = match text.strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 100.0),
        None => (text, 1.0),
    };
    match number.parse::<f64>().map(|number| number / unit) {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        Ok(number) if (1.0..100.0).contains(&number) => {
            Err(format!("a share lies between 0 and 1: write {text}% or 0.9"))
        }
        _ => Err("a share lies between 0 and 1, such as 10% or 0.1".to_owned()),
    }
}

/// `90 %`, `99.5 %`.
pub fn percent(share: f64) -> String {
    let text = format!("{:.1}", 100.0 * share);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_one() {
        assert_eq!(["90%", "0.9", " 90 % "].map(share), [Ok(0.9), Ok(0.9), Ok(0.9)]);
        assert!(share("90").is_err_and(|why| why.contains("90%")));
        for bad in ["0", "1", "100%", "-5%", "x", "", "NaN", "inf"] {
            assert!(share(bad).is_err(), "{bad}");
        }
        assert_eq!([0.9, 0.995, 0.5].map(percent), ["90 %", "99.5 %", "50 %"]);
    }
}
