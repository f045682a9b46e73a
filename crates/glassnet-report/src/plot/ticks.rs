//! Where ticks stand and what they say: multiples of 1, 2 or 5 times a power of ten; on a logarithmic axis powers of ten.

use crate::number::{grouped, trimmed};

/// One tick.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where it stands.
    pub value: f64,
    /// What it says.
    pub label: String,
}

/// Largest size of a number that is drawn: far larger ones would overflow where they are subtracted.
pub(crate) const LARGEST: f64 = 1e300;

/// The span of an axis that holds these values: finite, with a width even where all values are one, within +-1e300.
/// Without any value it is 0 to 1.
///
/// ```
/// use glassnet_report::plot::ticks::span;
/// assert_eq!(span([2.0, f64::NAN, 5.0]), (2.0, 5.0));
/// assert_eq!(span([]), (0.0, 1.0));
/// let (low, high) = span([7.0]);
/// assert!(low < 7.0 && 7.0 < high);
/// ```
pub fn span(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let finite = values.into_iter().filter(|value| value.is_finite()).map(|value| value.clamp(-LARGEST, LARGEST));
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (v.min(low), v.max(high)));
    if low > high {
        return (0.0, 1.0);
    }
    widened(low, high)
}

/// Wide enough that its ticks differ.
fn widened(low: f64, high: f64) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    if high - low > (size * 1e-9).max(1e-300) {
        return (low, high);
    }
    let room = if size < 1e-290 { 0.5 } else { size * 0.1 };
    (low - room, high + room)
}

/// Ticks of a linear axis inside [low, high], about `most` of them at the most and never more; two or more where
/// `most` is 5 or more.
///
/// ```
/// use glassnet_report::plot::ticks::linear;
/// let labels: Vec<String> = linear(0.0, 20_000.0, 6).into_iter().map(|tick| tick.label).collect();
/// assert_eq!(labels, ["0", "5,000", "10,000", "15,000", "20,000"]);
/// ```
pub fn linear(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let (low, high) = span([low, high]);
    let most = most.clamp(2, 50);
    let mut exponent = ((high - low) / most as f64).log10().floor() as i32;
    loop {
        for mantissa in [1, 2, 5] {
            let (first, last) = multiples(low, high, mantissa, exponent);
            if last - first + 1.0 <= most as f64 {
                return at_multiples(first, last, mantissa, exponent);
            }
        }
        exponent += 1;
    }
}

/// mantissa x 10^exponent x k, with one rounding where it can be: 3 x 10^-1 is 0.3.
fn multiple(k: f64, mantissa: i32, exponent: i32) -> f64 {
    let product = k * f64::from(mantissa);
    if exponent < -300 {
        return product * 1e-300 * 10f64.powi(exponent + 300);
    }
    if exponent < 0 { product / 10f64.powi(-exponent) } else { product * 10f64.powi(exponent) }
}

/// The first and last k whose multiple is inside, with room for rounding.
fn multiples(low: f64, high: f64, mantissa: i32, exponent: i32) -> (f64, f64) {
    let step = multiple(1.0, mantissa, exponent);
    ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor())
}

fn at_multiples(first: f64, last: f64, mantissa: i32, exponent: i32) -> Vec<Tick> {
    let count = (last - first + 1.0).clamp(0.0, 50.0) as usize;
    let values: Vec<f64> = (0..count).map(|k| multiple(first + k as f64, mantissa, exponent)).collect();
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let tick = |&value: &f64| Tick { value, label: label(value, largest, exponent) };
    values.iter().map(tick).collect()
}

/// With as many decimals as the step has; with an exponent where numbers are huge or tiny.
fn label(value: f64, largest: f64, exponent: i32) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let plain = largest < 1e7 && exponent >= -6;
    if plain {
        let decimals = (-exponent).max(0) as usize;
        return minus(&grouped(&format!("{value:.decimals$}")));
    }
    let digits = (value.abs().log10().floor() as i32 - exponent).clamp(0, 15) as usize;
    let text = format!("{value:.digits$e}");
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    minus(&format!("{}e{power}", trimmed(mantissa)))
}

fn minus(text: &str) -> String {
    text.replace('-', "−")
}

/// Ticks of a logarithmic axis inside [low, high], both above 0: powers of ten, with 2 and 5 between them where there is
/// room, linear ticks where it spans less than that, and every n-th power where it spans many.
///
/// ```
/// use glassnet_report::plot::ticks::logarithmic;
/// let labels: Vec<String> = logarithmic(0.001, 10.0, 6).into_iter().map(|tick| tick.label).collect();
/// assert_eq!(labels, ["0.001", "0.01", "0.1", "1", "10"]);
/// ```
pub fn logarithmic(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let most = most.clamp(2, 50);
    let (from, to) = (low.max(1e-300).log10(), high.max(1e-300).log10());
    let (first, last) = ((from - 1e-9).ceil() as i32, (to + 1e-9).floor() as i32);
    let powers = (last - first + 1).max(0) as usize;
    let tick = |mantissa: i32, exponent: i32| {
        let value = multiple(1.0, mantissa, exponent);
        Tick { value, label: power_label(value, mantissa, exponent) }
    };
    if powers > most {
        let every = powers.div_ceil(most) as i32;
        let in_step = (first..=last).filter(|exponent| exponent.rem_euclid(every) == 0);
        return in_step.map(|exponent| tick(1, exponent)).collect();
    }
    let inside = |tick: &Tick| (from - 1e-9..=to + 1e-9).contains(&tick.value.log10());
    let with = |mantissas: &'static [i32]| -> Vec<Tick> {
        let all = (first - 1..=last).flat_map(|exponent| mantissas.iter().map(move |&m| (m, exponent)));
        all.map(|(mantissa, exponent)| tick(mantissa, exponent)).filter(inside).collect()
    };
    for mantissas in [&[1, 2, 5][..], &[1, 3][..], &[1][..]] {
        let ticks = with(mantissas);
        if (3..=most).contains(&ticks.len()) {
            return ticks;
        }
    }
    if powers >= 2 { with(&[1]) } else { linear(low, high, most) }
}

fn power_label(value: f64, mantissa: i32, exponent: i32) -> String {
    if (-5..=6).contains(&exponent) {
        let decimals = (-exponent).max(0) as usize;
        grouped(&format!("{value:.decimals$}"))
    } else {
        minus(&format!("{mantissa}e{exponent}"))
    }
}
