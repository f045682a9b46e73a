//! How numbers are shown to people. A value that is not finite is a dash: nothing here prints NaN or an infinity.

/// What stands where there is no number.
pub const NONE: &str = "–";

/// A score or an amount: four significant digits, without zeros that say nothing; an exponent where it is huge or tiny.
///
/// ```
/// use glassnet_report::number::number;
/// assert_eq!([0.0, 0.86291, 551.61, 12_345.6, 1.5e-7].map(number), ["0", "0.8629", "551.6", "12,346", "1.5e-7"]);
/// assert_eq!(number(f64::NAN), "–");
/// ```
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return NONE.into();
    }
    if size == 0.0 {
        return "0".into();
    }
    if !(1e-4..1e9).contains(&size) {
        // The exponent's form rounds to four digits and drops a tail of zeros by being read back.
        let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
        return format!("{rounded:e}");
    }
    let before = size.log10().floor() as i32;
    let decimals = (3 - before).clamp(0, 7) as usize;
    grouped(trimmed(&format!("{value:.decimals$}")))
}

/// The same with its sign: `+0.31`, `-0.2`, `0`.
pub fn signed(value: f64) -> String {
    let text = number(value);
    if value > 0.0 && value.is_finite() { format!("+{text}") } else { text }
}

/// A count with a comma before every three digits.
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// A sum of row weights: a count where it is whole, else as a number.
pub fn weight(value: f64) -> String {
    if (0.0..1e15).contains(&value) && value.fract() == 0.0 { count(value as u64) } else { number(value) }
}

/// A share in percent: `12.3 %`, `0.04 %`.
///
/// ```
/// use glassnet_report::number::percent;
/// assert_eq!([0.0, 0.123, 0.99951, 0.0004, 1.0].map(percent), ["0 %", "12.3 %", "99.95 %", "0.04 %", "100 %"]);
/// ```
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return NONE.into();
    }
    let value = 100.0 * share;
    if value.abs() >= 1e6 {
        return format!("{} %", number(value));
    }
    let edge = value.abs().min((100.0 - value).abs());
    let decimals = if edge < 1.0 && edge > 0.0 { 2 } else { 1 };
    format!("{} %", trimmed(&format!("{value:.decimals$}")))
}

/// Percentage points with a sign: `+4.1`.
pub fn points(share: f64) -> String {
    if !share.is_finite() {
        return NONE.into();
    }
    if share.abs() >= 1e4 {
        return signed(100.0 * share);
    }
    let text = format!("{:.1}", 100.0 * share);
    match text.as_str() {
        "-0.0" | "0.0" => "0.0".into(),
        _ if share > 0.0 => format!("+{text}"),
        _ => text,
    }
}

/// Bytes in powers of 1,000: `812 B`, `3.4 kB`.
pub fn bytes(value: f64) -> String {
    if !value.is_finite() {
        return NONE.into();
    }
    let mut value = value.max(0.0);
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.5 {
            let decimals = usize::from(unit != "B" && value < 99.95);
            return format!("{value:.decimals$} {unit}");
        }
        value /= 1_000.0;
    }
    if value < 1e6 { format!("{value:.1} TB") } else { format!("{} TB", number(value)) }
}

/// A time: `12 ms`, `0.4 s`, `3 min 5 s`, `2 h 10 min`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    match seconds {
        s if !s.is_finite() => NONE.into(),
        s if s < 0.095 => format!("{:.0} ms", s.max(0.0) * 1_000.0),
        s if s < 9.95 => format!("{s:.1} s"),
        _ if whole < 120 => format!("{whole} s"),
        _ if whole < 7_200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", count(whole / 3_600), whole % 3_600 / 60),
    }
}

/// Without zeros at the end of the decimals.
pub(crate) fn trimmed(text: &str) -> &str {
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    if text == "-0" { "0" } else { text }
}

/// Commas between the thousands of a plain decimal number.
pub(crate) fn grouped(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, decimals) = rest.split_once('.').map_or((rest, None), |(whole, decimals)| (whole, Some(decimals)));
    let mut out = String::from(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(decimals) = decimals {
        out.push('.');
        out.push_str(decimals);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown() {
        assert_eq!([1e12, -0.5, 99.999, 1e-4, 100.0].map(number), ["1e12", "-0.5", "100", "0.0001", "100"]);
        assert_eq!([0.31, -0.2, 0.0].map(signed), ["+0.31", "-0.2", "0"]);
        assert_eq!([999, 1_000, 1_234_567].map(count), ["999", "1,000", "1,234,567"]);
        assert_eq!([3.0, 2.5].map(weight), ["3", "2.5"]);
        assert_eq!([0.041, -0.5, -0.00001].map(points), ["+4.1", "-50.0", "0.0"]);
        assert_eq!([812.0, 3_400.0, 99_950.0, 1.2e8].map(bytes), ["812 B", "3.4 kB", "100 kB", "120 MB"]);
        assert_eq!([0.012, 0.4, 185.0, 7_800.0].map(duration), ["12 ms", "0.4 s", "3 min 5 s", "2 h 10 min"]);
    }

    #[test]
    fn what_is_no_number_is_a_dash() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for show in [number, signed, weight, percent, points, bytes, duration] {
                assert_eq!(show(value), NONE);
            }
        }
    }
}
