//! How numbers are written: rounded to a number of significant digits, without zeros that say nothing.

/// `value` to `digits` significant digits, trailing zeros cut: 2.5999999999999996 to 10 digits is `2.6`.
///
/// Very large and very small numbers are written with an exponent.
///
/// ```
/// use glassnet_nn::inspect::number::significant;
/// assert_eq!(significant(4.199999999999999, 10), "4.2");
/// assert_eq!(significant(6.0, 10), "6");
/// assert_eq!(significant(-0.0, 10), "0");
/// assert_eq!(significant(1.25e-9, 6), "1.25e-9");
/// ```
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if !value.is_finite() {
        return value.to_string();
    }
    let digits = digits.max(1);
    let scientific = format!("{value:.*e}", digits - 1);
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-5..15).contains(&exponent) {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        trimmed(&format!("{value:.decimals$}")).to_string()
    } else {
        format!("{}e{exponent}", trimmed(mantissa))
    }
}

/// As [`significant`], with at least one decimal: a bias of -4 is `-4.0`.
pub fn with_decimal(value: f64, digits: usize) -> String {
    let text = significant(value, digits);
    if value.is_finite() && !text.contains(['.', 'e']) { text + ".0" } else { text }
}

/// A score, to three decimals.
pub fn score(value: f64) -> String {
    format!("{value:.3}")
}

/// Bytes for a person: `512 B`, `1.5 KiB`, `3.2 MiB`.
pub fn bytes(count: usize) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// A count with its thousands set apart: `235,146`.
pub fn count(value: u64) -> String {
    let plain = value.to_string();
    let mut text = String::with_capacity(plain.len() + plain.len() / 3);
    for (place, digit) in plain.chars().enumerate() {
        if place > 0 && (plain.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_right() {
        assert_eq!(significant(2.5999999999999996, 10), "2.6");
        assert_eq!(significant(1200.0, 2), "1200");
        assert_eq!(significant(-1.7000000000000002, 10), "-1.7");
        assert_eq!(significant(1e20, 10), "1e20");
        assert_eq!(significant(f64::NAN, 10), "NaN");
        assert_eq!(significant(9.9999999999999, 10), "10");
        assert_eq!(with_decimal(-4.0, 10), "-4.0");
        assert_eq!(with_decimal(0.0, 10), "0.0");
        assert_eq!(with_decimal(-0.38, 10), "-0.38");
        assert_eq!(score(0.9308615796566531), "0.931");
    }

    #[test]
    fn counts_and_bytes() {
        assert_eq!(count(235_146), "235,146");
        assert_eq!(count(9), "9");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1536), "1.5 KiB");
    }
}
