//! Small tasks made by code, and a run that the doctor follows.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use glassnet_core::random::{Draws, Purpose};
use glassnet_core::{Real, Team};
use glassnet_nn::doctor::{Doctor, Finding};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::source::{Matrix, Targets};
use glassnet_nn::train::{Batch, Outcome, Rows, Silent, TrainSpec, Trainer};

pub type Data = Matrix<f32>;

/// Random numbers of a test.
pub struct Dice(Draws, u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(Draws::new(seed, Purpose::Synthetic, 0, 0), 0)
    }

    pub fn normal(&mut self) -> f64 {
        self.1 += 1;
        self.0.normal(self.1)
    }

    pub fn uniform(&mut self) -> f64 {
        self.1 += 1;
        self.0.uniform(self.1)
    }
}

/// Three clouds of deviation 1 around points 4 apart; classes in turn.
pub fn blobs(rows: usize) -> Data {
    let mut dice = Dice::new(7);
    let centres = [[-2.0, -1.2], [2.0, -1.2], [0.0, 2.3]];
    let labels: Vec<i32> = (0..rows).map(|row| (row % 3) as i32).collect();
    let x =
        labels.iter().flat_map(|&label| centres[label as usize].map(|c| (c + dice.normal()) as f32 / 2.0)).collect();
    Matrix::with_labels(x, 2, labels)
}

/// Points of a square; class 1 where the signs differ.
pub fn checkers(rows: usize) -> Data {
    let mut dice = Dice::new(8);
    let x: Vec<f32> = (0..2 * rows).map(|_| (dice.uniform() * 4.0 - 2.0) as f32).collect();
    let labels = x.chunks(2).map(|p| i32::from((p[0] > 0.0) != (p[1] > 0.0))).collect();
    Matrix::with_labels(x, 2, labels)
}

/// y = sin(2 a) + b / 2 + a little noise, inputs normal, target about standard.
pub fn waves(rows: usize) -> Data {
    let mut dice = Dice::new(9);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let (a, b) = (dice.normal(), dice.normal());
        x.extend([a as f32, b as f32]);
        y.push((Real::sin(2.0 * a) + 0.5 * b + 0.1 * dice.normal()) as f32);
    }
    Matrix::with_values(x, 2, y, 1)
}

/// Ten 8 x 8 patterns of ink in [0, 1] with noise, mostly empty at the edge, as pictures of digits are.
pub fn digits(rows: usize) -> Data {
    let mut dice = Dice::new(10);
    let patterns: Vec<Vec<f64>> = (0..10)
        .map(|_| {
            let inner = |i: usize| (1..7).contains(&(i % 8)) && (1..7).contains(&(i / 8));
            (0..64).map(|i| if inner(i) && dice.uniform() < 0.5 { 0.9 } else { 0.0 }).collect()
        })
        .collect();
    let labels: Vec<i32> = (0..rows).map(|row| (row % 10) as i32).collect();
    let mut x = Vec::new();
    for &label in &labels {
        for &ink in &patterns[label as usize] {
            // An edge pixel has ink in 1 row of 100.
            let stray = if dice.uniform() < 0.01 { 0.5 } else { 0.0 };
            let ink = if ink > 0.0 { ink + 0.15 * dice.normal() } else { stray };
            x.push(ink.clamp(0.0, 1.0) as f32);
        }
    }
    Matrix::with_labels(x, 64, labels)
}

/// Two standard columns, a flag, and a category of four as one-hot columns, one of which is rare; class 1 for 1 row in 12.
pub fn table(rows: usize) -> Data {
    let mut dice = Dice::new(11);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let (a, b, flag, kind) = (dice.normal(), dice.normal(), dice.uniform() < 0.1, dice.uniform());
        let kind = if kind < 0.01 { 3 } else { (kind * 3.0) as usize };
        x.extend([a as f32, b as f32, f32::from(u8::from(flag))]);
        x.extend((0..4).map(|k| f32::from(u8::from(k == kind))));
        let score = 2.0 * a + b * b + if flag { 1.5 } else { 0.0 } + 0.5 * dice.normal();
        y.push(f32::from(u8::from(score > 3.9)));
    }
    Matrix::with_values(x, 7, y, 1)
}

/// Labels that nothing tells, on ten normal columns.
pub fn noise(rows: usize) -> Data {
    let mut dice = Dice::new(12);
    let x = (0..10 * rows).map(|_| dice.normal() as f32).collect();
    let labels = (0..rows).map(|_| i32::from(dice.uniform() < 0.5)).collect();
    Matrix::with_labels(x, 10, labels)
}

/// Rows in the order of their class.
pub fn sorted(data: &Data) -> Vec<u32> {
    let Targets::Labels(labels) = &data.targets else { panic!("labels only") };
    let mut rows: Vec<u32> = (0..labels.len() as u32).collect();
    rows.sort_by_key(|&row| labels[row as usize]);
    rows
}

pub fn ce() -> LossSpec {
    LossSpec::cross_entropy()
}

pub fn bce() -> LossSpec {
    LossSpec::BinaryCrossEntropy { positive_weight: 1.0 }
}

pub fn outputs(data: &Data) -> usize {
    match &data.targets {
        Targets::Labels(labels) => labels.iter().max().map_or(1, |&most| most as usize + 1),
        Targets::Values(_, width) => *width,
        Targets::None => 1,
    }
}

/// Settings by optimizer, learning rate, batch (0: all) and epochs.
pub fn settings(optimizer: &str, lr: f64, batch: usize, epochs: u64) -> TrainSpec {
    let batch = if batch == 0 { Batch::All } else { Batch::Rows(batch) };
    TrainSpec { optimizer: optimizer.parse().unwrap(), lr, batch, epochs, seed: 3, ..TrainSpec::default() }
}

/// A run: a fifth of the rows validates where `validate` says so.
pub struct Case<'a> {
    pub net: &'a str,
    pub loss: LossSpec,
    pub data: &'a Data,
    pub spec: TrainSpec,
    pub validate: bool,
    pub order: Option<Vec<u32>>,
    pub start: Option<fn(&Network, &mut [f32])>,
}

impl<'a> Case<'a> {
    pub fn new(net: &'a str, loss: LossSpec, data: &'a Data, spec: TrainSpec) -> Self {
        Case { net, loss, data, spec, validate: false, order: None, start: None }
    }

    pub fn network(&self) -> Network {
        Network::for_data(&self.net.parse().unwrap(), self.data.width, outputs(self.data), Some(&self.loss)).unwrap()
    }

    pub fn run(&self, doctor: Option<&mut Doctor<f32>>) -> Outcome<f32> {
        let network = self.network();
        let all = self.data.x.len() / self.data.width;
        let rows = self.order.clone().unwrap_or_else(|| (0..all as u32).collect());
        let (train, valid) = rows.split_at(if self.validate { all - all / 5 } else { all });
        let part = |rows| Rows { source: self.data, rows };
        let mut parameters = network.initialise(self.spec.seed);
        if let Some(start) = self.start {
            start(&network, &mut parameters);
        }
        let valid = self.validate.then(|| part(valid));
        let trainer =
            Trainer::new(&network, parameters, part(train), valid, self.spec.clone(), Team::single()).unwrap();
        match doctor {
            Some(doctor) => trainer.run(doctor),
            None => trainer.run(&mut Silent),
        }
    }

    pub fn findings(&self) -> (Vec<Finding>, Outcome<f32>) {
        let mut doctor = Doctor::new();
        let outcome = self.run(Some(&mut doctor));
        (doctor.findings().to_vec(), outcome)
    }
}

/// The only finding with this code and layer.
pub fn found<'a>(findings: &'a [Finding], code: &str, layer: Option<&str>) -> &'a Finding {
    let mut with = findings.iter().filter(|f| f.code == code && f.layer.as_deref() == layer);
    let all = || findings.iter().map(|f| format!("{} {:?}: {f}", f.code, f.layer)).collect::<Vec<_>>().join("\n");
    let first = with.next().unwrap_or_else(|| panic!("no {code} at {layer:?} among:\n{}", all()));
    assert!(with.next().is_none(), "{code} is told twice:\n{}", all());
    first
}
