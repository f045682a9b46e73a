//! How numbers are shown to people.

/// A count with a comma before every three digits: `12,345`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes: `812 B`, `3.4 kB`, `120 MB` (powers of 1,000).
pub fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.5 {
            return if unit == "B" || value >= 99.95 {
                format!("{value:.0} {unit}")
            } else {
                format!("{value:.1} {unit}")
            };
        }
        value /= 1_000.0;
    }
    format!("{value:.1} TB")
}

/// A time: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    match seconds {
        s if !s.is_finite() => "?".into(),
        s if s < 0.095 => format!("{:.0} ms", s * 1_000.0),
        s if s < 9.95 => format!("{s:.1} s"),
        _ if whole < 120 => format!("{whole} s"),
        _ if whole < 7_200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

/// A score or error: four digits after the point, or four significant ones where it is large or tiny.
pub fn number(value: f64) -> String {
    match value.abs() {
        x if !x.is_finite() => value.to_string(),
        0.0 => "0".into(),
        x if x < 1e-3 => format!("{value:.3e}"),
        x if x < 100.0 => format!("{value:.4}"),
        x if x < 100_000.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    }
}

/// A loss in a column of them: four digits after the point, with an exponent from a million on.
pub fn loss(value: f64) -> String {
    if value.abs() >= 1e6 { format!("{value:.4e}") } else { format!("{value:.4}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([812, 3_400, 99_950, 120_000_000].map(bytes), ["812 B", "3.4 kB", "100 kB", "120 MB"]);
        assert_eq!(
            [0.012, 0.4, 12.3, 185.0, 7_800.0].map(duration),
            ["12 ms", "0.4 s", "12 s", "3 min 5 s", "2 h 10 min"]
        );
        assert_eq!([0.51234, 999_999.0, 1.5e30].map(loss), ["0.5123", "999999.0000", "1.5000e30"]);
        assert_eq!([0.0, 0.5, 0.00012, 1234.5].map(number), ["0", "0.5000", "1.200e-4", "1234.50"]);
    }
}
