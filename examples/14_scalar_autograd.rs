//! The smallest complete autograd: numbers that remember what they were made from. It is enough to learn XOR. The test
//! `scalar_autograd` holds it against the engine on random expressions.

use std::cell::RefCell;
use std::error::Error;
use std::io::Write;
use std::ops::{Add, Mul};

use glassnet::core::Real;
use glassnet::core::random::{Draws, Purpose};

/// A number, and how fast it moves when each number that it was made from does: (place of that one, slope).
pub struct Node(f64, Vec<(usize, f64)>);

/// All numbers in the order in which they were made: whatever a number was made from stands before it.
#[derive(Default)]
pub struct Tape(RefCell<Vec<Node>>);

/// One of them: its tape and its place there.
#[derive(Clone, Copy)]
pub struct Value<'t>(&'t Tape, pub usize);

impl Tape {
    /// A number made from nothing: an input or a weight.
    pub fn leaf(&self, value: f64) -> Value<'_> {
        self.push(value, vec![])
    }

    fn push(&self, value: f64, from: Vec<(usize, f64)>) -> Value<'_> {
        let mut nodes = self.0.borrow_mut();
        nodes.push(Node(value, from));
        Value(self, nodes.len() - 1)
    }

    /// The gradient of `end` by every number, by the chain rule from the end of the tape to its beginning. When a number
    /// is reached, all that was made from it has been: its gradient is complete and can be handed on.
    pub fn backward(&self, end: Value<'_>) -> Vec<f64> {
        let nodes = self.0.borrow();
        let mut gradients = vec![0.0; nodes.len()];
        gradients[end.1] = 1.0;
        for place in (0..=end.1).rev() {
            for &(source, slope) in &nodes[place].1 {
                gradients[source] += slope * gradients[place]; // += : a number that is used twice has two gradients
            }
        }
        gradients
    }
}

impl<'t> Value<'t> {
    /// What it is.
    pub fn value(self) -> f64 {
        self.0.0.borrow()[self.1].0
    }

    /// A function of one number: its value and its slope there.
    fn curve(self, value: f64, slope: f64) -> Self {
        self.0.push(value, vec![(self.1, slope)])
    }

    /// e^x, which is its own slope.
    pub fn exp(self) -> Self {
        let y = Real::exp(self.value());
        self.curve(y, y)
    }

    /// Of a positive number; its slope is 1 / x.
    pub fn ln(self) -> Self {
        self.curve(Real::ln(self.value()), 1.0 / self.value())
    }

    /// x^n; its slope is n x^(n-1).
    pub fn pow(self, n: f64) -> Self {
        self.curve(Real::pow(self.value(), n), n * Real::pow(self.value(), n - 1.0))
    }

    /// Its slope is 1 - tanh^2.
    pub fn tanh(self) -> Self {
        let y = Real::tanh(self.value());
        self.curve(y, 1.0 - y * y)
    }

    /// The positive part.
    pub fn relu(self) -> Self {
        self.curve(self.value().max(0.0), f64::from(self.value() > 0.0))
    }

    /// 1 / (1 + e^-x). Made of what stands above, it needs no derivative of its own.
    pub fn sigmoid(self) -> Self {
        ((self * self.0.leaf(-1.0)).exp() + self.0.leaf(1.0)).pow(-1.0)
    }

    /// ln(1 + e^x).
    pub fn softplus(self) -> Self {
        (self.exp() + self.0.leaf(1.0)).ln()
    }
}

impl<'t> Add for Value<'t> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.0.push(self.value() + other.value(), vec![(self.1, 1.0), (other.1, 1.0)])
    }
}

impl<'t> Mul for Value<'t> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        // When x moves, x y moves by y; when y moves, by x.
        self.0.push(self.value() * other.value(), vec![(self.1, other.value()), (other.1, self.value())])
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

/// 2 -> 4 tanh -> 1 on a row: unit u has weights 3u and 3u + 1 and bias 3u + 2; the last five are the output's.
fn network<'t>(w: &[Value<'t>], x: [f64; 2]) -> Value<'t> {
    let [a, b] = x.map(|x| w[0].0.leaf(x));
    (0..4).fold(w[16], |sum, u| sum + w[12 + u] * (w[3 * u] * a + w[3 * u + 1] * b + w[3 * u + 2]).tanh())
}

/// The lesson; what it prints goes to `out`.
pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    // At x = 0.5, y = -2. By hand the gradients are y + 1 - tanh(x)^2 and x.
    let tape = Tape::default();
    let (x, y) = (tape.leaf(0.5), tape.leaf(-2.0));
    let z = x * y + x.tanh();
    let gradients = tape.backward(z);
    writeln!(out, "x y + tanh(x) = {:.4}, by x {:.4}, by y {:.4}\n", z.value(), gradients[x.1], gradients[y.1])?;

    let mut weights: Vec<f64> = (0..17).map(|i| Draws::new(1, Purpose::Init, 0, 0).normal(i)).collect();
    let rows = [([0.0, 0.0], 0.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], 0.0)];
    for epoch in 0..=250 {
        // Each pass makes its numbers anew: 17 weights, then all that is made from them, to the loss.
        let tape = Tape::default();
        let w: Vec<Value> = weights.iter().map(|&weight| tape.leaf(weight)).collect();
        let errors = rows.map(|(x, y)| network(&w, x) + tape.leaf(-y));
        let loss = errors.into_iter().fold(tape.leaf(0.0), |sum, e| sum + e.pow(2.0)) * tape.leaf(0.25);
        if epoch % 50 == 0 {
            writeln!(out, "epoch {epoch:>3}: loss {:.6} from {} numbers", loss.value(), tape.0.borrow().len())?;
            writeln!(out, "  {:.3?}, wanted {:?}", rows.map(|(x, _)| network(&w, x).value()), rows.map(|(_, y)| y))?;
        }
        let gradients = tape.backward(loss);
        weights.iter_mut().zip(&gradients).for_each(|(weight, gradient)| *weight -= 0.2 * gradient);
    }
    Ok(())
}
