//! Gauss-Legendre quadrature on [0, 1].

use glassnet_core::Real;

/// Most nodes.
pub const MAX_NODES: usize = 64;

/// Nodes and weights on [0, 1], ascending: `n` of them integrate polynomials up to degree `2 n - 1` without error. The nodes
/// are the zeros of the Legendre polynomial of degree `n`, by Newton's method from `cos(pi (i + 3/4) / (n + 1/2))` (Press et
/// al., Numerical Recipes, 4.6).
pub fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    let mut rule = Vec::with_capacity(n);
    for i in (0..n).rev() {
        let mut z = Real::cos(std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5));
        let mut slope = 1.0;
        for _ in 0..16 {
            let value;
            (value, slope) = legendre(n, z);
            let step = value / slope;
            z -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        // On [-1, 1] the weight is 2 / ((1 - z^2) P'(z)^2); half of it on [0, 1].
        rule.push((0.5 + 0.5 * z, 1.0 / ((1.0 - z * z) * slope * slope)));
    }
    rule
}

/// The Legendre polynomial of degree `n` and its slope.
fn legendre(n: usize, z: f64) -> (f64, f64) {
    let (mut before, mut value) = (0.0, 1.0);
    for k in 0..n {
        let k = k as f64;
        let next = ((2.0 * k + 1.0) * z * value - k * before) / (k + 1.0);
        (before, value) = (value, next);
    }
    (value, n as f64 * (z * value - before) / (z * z - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_up_to_degree_2n_minus_1_are_integrated() {
        for n in [1, 2, 3, 8, 20, 32, 50, 64] {
            let rule = gauss_legendre(n);
            assert_eq!(rule.len(), n);
            assert!(rule.windows(2).all(|pair| pair[0].0 < pair[1].0), "{n} nodes ascend");
            for degree in 0..2 * n {
                let integral: f64 =
                    rule.iter().map(|(x, weight)| weight * (0..degree).fold(1.0, |power, _| power * x)).sum();
                let exact = 1.0 / (degree + 1) as f64;
                assert!((integral - exact).abs() < 1e-14, "{n} nodes, degree {degree}: {integral} is not {exact}");
            }
        }
    }

    /// Abramowitz and Stegun, table 25.4, n = 3.
    #[test]
    fn three_nodes_by_hand() {
        let rule = gauss_legendre(3);
        let away = 0.774_596_669_241_483_4 / 2.0;
        for ((x, weight), (node, known)) in
            rule.iter().zip([(0.5 - away, 5.0 / 18.0), (0.5, 8.0 / 18.0), (0.5 + away, 5.0 / 18.0)])
        {
            assert!((x - node).abs() < 1e-15 && (weight - known).abs() < 1e-15, "{x} {weight}");
        }
    }
}
