//! Faults put into runs on purpose: the doctor names each, at its layer, with the right number.

#![allow(clippy::unwrap_used, clippy::panic)]

mod doctor_tasks;

use doctor_tasks::*;
use glassnet_core::Real;
use glassnet_nn::doctor::{Doctor, Finding, Severity};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::source::{Matrix, Targets};
use glassnet_nn::train::{Control, Observer, StepReport, Stop, TrainSpec, View};

fn has(finding: &Finding, part: &str) {
    assert!(finding.evidence.contains(part), "no \"{part}\" in: {finding}");
}

/// The number behind `before` in the evidence.
fn number(finding: &Finding, before: &str) -> f64 {
    let rest = finding.evidence.split_once(before).unwrap_or_else(|| panic!("no \"{before}\" in: {finding}")).1;
    let word = rest.trim_start().split([' ', ')', ';']).next().unwrap();
    let word = word.trim_end_matches([':', ',']).replace(',', "");
    word.parse().unwrap_or_else(|_| panic!("\"{word}\" behind \"{before}\" is no number: {finding}"))
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() <= 0.006 * b.abs(), "{a} is not {b} to three digits");
}

#[test]
fn fault_01_a_head_with_large_weights() {
    let data = blobs(64);
    let case = Case::new("2 -> 16 relu -> 3 init constant 3", ce(), &data, settings("adam", 0.01, 0, 1));
    let (findings, outcome) = case.findings();
    let finding = found(&findings, "first-loss", Some("2"));
    // Full batch: the loop's first loss is over the same rows.
    near(number(finding, "the first loss is"), outcome.history.first_loss.unwrap());
    near(number(finding, "ln 3 ="), Real::ln(3.0_f64));
    assert_eq!((finding.severity, finding.epoch, finding.step), (Severity::Warning, None, None));
}

#[test]
fn fault_02_a_target_far_from_zero() {
    let mut data = waves(64);
    let Targets::Values(y, _) = &mut data.targets else { panic!() };
    y.iter_mut().for_each(|y| *y = 50.0 + 4.0 * *y);
    let mean = f64::from(y.iter().sum::<f32>()) / 64.0;
    let (findings, _) = Case::new("16 relu", LossSpec::MeanSquared, &data, settings("adam", 0.01, 32, 2)).findings();
    let finding = found(&findings, "first-loss", None);
    near(number(finding, "(mean"), mean);
    assert!(finding.advice.contains("standardise the target"), "{finding}");
}

#[test]
fn fault_03_a_target_of_large_deviation() {
    let mut data = waves(64);
    let Targets::Values(y, _) = &mut data.targets else { panic!() };
    y.iter_mut().for_each(|y| *y *= 5000.0);
    let mean = f64::from(y.iter().sum::<f32>()) / 64.0;
    let deviation = (y.iter().map(|&y| (f64::from(y) - mean).powi(2)).sum::<f64>() / 64.0).sqrt();
    let (findings, _) = Case::new("16 relu", LossSpec::MeanSquared, &data, settings("adam", 0.01, 32, 2)).findings();
    near(number(found(&findings, "target-scale", None), "deviation is"), deviation);
}

#[test]
fn fault_04_a_learning_rate_so_large_that_the_loss_climbs() {
    let data = blobs(300);
    let (findings, _) = Case::new("16 relu", ce(), &data, settings("sgd", 20.0, 0, 30)).findings();
    let finding = found(&findings, "loss-climbs", None);
    assert!(number(finding, "climbed from") < 1.3 && number(finding, " to ") > 2.0, "{finding}");
    assert!(finding.advice.contains("--lr 2)"), "{finding}");
    assert_eq!(finding.severity, Severity::Error);
}

#[test]
fn fault_05_a_learning_rate_so_small_that_nothing_moves() {
    let data = blobs(300);
    let (findings, outcome) = Case::new("16 relu", ce(), &data, settings("sgd", 1e-7, 32, 4)).findings();
    let finding = found(&findings, "steps-too-small", None);
    let ratios = &outcome.history.epochs[1].update_ratios;
    let most = ratios[0].unwrap().max(ratios[2].unwrap());
    near(number(finding, "by at most"), most);
    assert!(finding.advice.contains("larger learning rate"), "{finding}");
    assert_eq!(finding.epoch, Some(2));
}

#[test]
fn fault_06_relus_with_large_negative_biases() {
    let data = blobs(300);
    let start = |network: &Network, parameters: &mut [f32]| {
        let bias = network.graph.slots().find("0.bias").unwrap();
        parameters[bias.range()][..14].fill(-50.0);
    };
    let case = Case { start: Some(start), ..Case::new("16 relu", ce(), &data, settings("adam", 0.01, 32, 3)) };
    let (findings, _) = case.findings();
    let finding = found(&findings, "dead-units", Some("1"));
    has(finding, "14 of 16 units are dead (gave 0 for all ");
    assert_eq!((finding.severity, finding.layer_kind.as_deref()), (Severity::Warning, Some("relu")));
}

#[test]
fn fault_07_relus_that_a_huge_step_killed() {
    let data = digits(600);
    let (findings, _) = Case::new("32 relu", ce(), &data, settings("adam", 30.0, 32, 4)).findings();
    let finding = found(&findings, "dead-units", Some("1"));
    let dead = number(finding, "");
    assert!(dead > 16.0 && dead <= 32.0 && finding.step.is_some(), "{finding}");
    has(finding, "of 32 units are dead");
    assert!(finding.advice.contains("--lr 3)"), "{finding}");
}

#[test]
fn fault_08_tanh_units_at_their_bounds_by_large_weights() {
    let data = blobs(300);
    let case = Case::new("8 tanh init constant 200", ce(), &data, settings("sgd", 0.001, 32, 2));
    let (findings, _) = case.findings();
    let finding = found(&findings, "saturated-units", Some("1"));
    has(finding, "8 of 8 units are saturated (within 0.02 of -1 or 1");
    assert_eq!(finding.layer_kind.as_deref(), Some("tanh"));
}

#[test]
fn fault_09_sigmoid_units_at_their_bounds_by_large_inputs() {
    let mut data = blobs(300);
    data.x.iter_mut().for_each(|x| *x *= 3000.0);
    let (findings, _) = Case::new("8 sigmoid", ce(), &data, settings("sgd", 0.001, 32, 2)).findings();
    has(found(&findings, "saturated-units", Some("1")), "of 8 units are saturated (within 0.01 of 0 or 1");
    assert!(number(found(&findings, "columns-scale", None), "has deviation") > 2000.0);
}

#[test]
fn fault_10_no_gradient_behind_a_step() {
    let data = blobs(300);
    let (findings, _) = Case::new("12 step", ce(), &data, settings("sgd", 0.1, 32, 3)).findings();
    let finding = found(&findings, "zero-gradients", Some("0"));
    has(finding, "all 24 weights have a gradient of exactly 0");
    assert!(finding.advice.contains("instead of step"), "{finding}");
    assert!(findings.iter().all(|f| f.layer.as_deref() != Some("2")), "the head learns: {findings:?}");
}

#[test]
fn fault_11_all_weights_zero() {
    let data = blobs(300);
    let (findings, _) = Case::new("16 relu init zeros", ce(), &data, settings("adam", 0.01, 32, 3)).findings();
    let finding = found(&findings, "symmetric-weights", Some("0"));
    has(finding, "16 of 16 units have equal weights and equal gradients");
    assert_eq!((finding.severity, finding.step), (Severity::Error, Some(1)));
}

#[test]
fn fault_12_units_that_start_equal_stay_equal() {
    let data = checkers(200);
    let start = |network: &Network, parameters: &mut [f32]| {
        // Units 2 to 6 as unit 1, in what they read and in what reads them.
        let slots = network.graph.slots();
        let (weight, head) = (slots.find("0.weight").unwrap().range(), slots.find("2.weight").unwrap().range());
        parameters[weight][..12].fill(0.25);
        parameters[head].chunks_mut(8).for_each(|row| row[..6].fill(0.05));
    };
    let case = Case { start: Some(start), ..Case::new("8 tanh", ce(), &data, settings("adam", 0.01, 32, 3)) };
    let (findings, _) = case.findings();
    let finding = found(&findings, "symmetric-weights", Some("0"));
    has(finding, "6 of 8 units");
    assert_eq!(finding.severity, Severity::Warning);
}

#[test]
fn fault_13_columns_of_very_different_scale() {
    let mut data = blobs(300);
    data.x.chunks_mut(2).for_each(|row| row[1] *= 5000.0);
    let case = Case::new("8 relu", ce(), &data, settings("adam", 0.001, 32, 2));
    let mut doctor = Doctor::new().with_columns(["age", "income"]);
    case.run(Some(&mut doctor));
    let finding = found(doctor.findings(), "columns-scale", None);
    has(finding, "input column \"income\" has deviation");
    has(finding, "column \"age\" only");
    let times = number(finding, "only ").recip() * number(finding, "has deviation");
    near(number(finding, ": "), times);
}

#[test]
fn fault_14_a_column_of_years() {
    let mut data = blobs(300);
    data.x.chunks_mut(2).for_each(|row| row[0] = 2005.0 + 8.0 * row[0]);
    let (findings, _) = Case::new("8 relu", ce(), &data, settings("adam", 0.001, 32, 2)).findings();
    let finding = found(&findings, "columns-scale", None);
    near(number(finding, "input column 1 has mean"), 2005.0);
}

#[test]
fn fault_15_linear_layers_side_by_side() {
    let data = digits(300);
    let case = Case::new("linear 80 -> 40 relu", ce(), &data, settings("adam", 0.003, 32, 2));
    let (findings, _) = case.findings();
    let finding = found(&findings, "affine-side-by-side", Some("0"));
    has(finding, "layers 0 (linear 80) and 1 (linear 40)");
    has(finding, "from 64 to 40");
    assert!(findings.len() == 1 && finding.advice.contains("\"80 relu\""), "{findings:?}");
    // Neither dropout nor a scale bends anything; the hidden form's head counts. A narrow middle may be meant.
    let net = "16 relu -> linear 16 -> dropout 0.1 -> scale";
    let (findings, _) = Case { net, ..case }.findings();
    has(found(&findings, "affine-side-by-side", Some("2")), "layers 2 (linear 16) and 5 (linear 10)");
    let case = Case::new("linear 4 -> 40 relu", ce(), &data, settings("adam", 0.003, 32, 2));
    assert_eq!(found(&case.findings().0, "affine-side-by-side", Some("0")).severity, Severity::Note);
}

#[test]
fn fault_16_rows_sorted_by_class_and_not_shuffled() {
    let data = blobs(300);
    let spec = TrainSpec { shuffle: false, ..settings("adam", 0.01, 16, 4) };
    let case = Case { order: Some(sorted(&data)), ..Case::new("16 relu", ce(), &data, spec) };
    let (findings, _) = case.findings();
    let finding = found(&findings, "sorted-rows", None);
    has(finding, "the 300 rows stand in 3 runs of one class each (a random order has about 201)");
    assert!(finding.advice.contains("leave out --no-shuffle"), "{finding}");
    // Steps so large that each class undoes the one before: shuffled the loss climbs by itself, sorted it follows.
    let spec = TrainSpec { shuffle: true, ..settings("sgd", 20.0, 16, 4) };
    let shuffled = Case { spec: spec.clone(), order: Some(sorted(&data)), ..Case::new("16 relu", ce(), &data, spec) };
    assert!(shuffled.findings().0.iter().any(|finding| finding.code == "loss-climbs"));
    let case = Case { spec: TrainSpec { shuffle: false, ..shuffled.spec.clone() }, ..shuffled };
    let (findings, _) = case.findings();
    found(&findings, "sorted-rows", None);
    assert!(findings.iter().all(|f| f.code != "loss-climbs" && f.code != "steps-too-large"), "{findings:?}");
}

#[test]
fn fault_17_a_linear_model_on_a_checkerboard_underfits() {
    let data = checkers(400);
    let case = Case { validate: true, ..Case::new("linear", ce(), &data, settings("adam", 0.01, 32, 20)) };
    let (findings, outcome) = case.findings();
    let finding = found(&findings, "underfit", None);
    let guess = number(finding, "constant guess's");
    assert!((0.67..0.6945).contains(&guess), "{finding}");
    has(finding, "after 20 epochs");
    assert!(finding.advice.contains("64 relu") && outcome.stop == Stop::Finished, "{finding}");
}

#[test]
fn fault_17_where_a_wider_network_would_not_help_the_columns_are_doubted() {
    // Columns that are the same for every row: nothing beats a constant guess.
    let mut data = noise(300);
    data.x.fill(0.5);
    let underfit = |net: &str| {
        let (findings, _) = Case::new(net, ce(), &data, settings("adam", 0.003, 32, 8)).findings();
        found(&findings, "underfit", None).clone()
    };
    let finding = underfit("64 tanh");
    assert!(finding.advice.contains("whether the columns say anything about the target"), "{finding}");
    assert!(!finding.evidence.contains("parameters"), "{finding}");
    let finding = underfit("100 tanh -> 100 tanh");
    has(&finding, "the network has 11,402 parameters for 300 training rows");
    assert!(finding.advice.contains("whether the columns say anything about the target"), "{finding}");
    assert!(underfit("2 tanh").advice.contains("wider or deeper"));
    assert!(underfit("linear").advice.contains("a hidden layer"));
}

/// Thirty layers with one fault give a few findings: the first layer, how many, and the worst.
#[test]
fn deep_networks_give_few_findings() {
    let data = blobs(300);
    let net = vec!["8 relu"; 30].join(" -> ");
    let start = |network: &Network, parameters: &mut [f32]| {
        for (place, layer) in network.layers.iter().filter(|layer| layer.linear.is_some()).enumerate() {
            let bias = network.graph.slots().get(layer.slots[1]).range();
            // Layer 20 (the eleventh) is dead in all its units, those behind it in seven of eight.
            match place {
                0..10 => {}
                10 => parameters[bias].fill(-50.0),
                11..30 => {
                    parameters[bias.clone()].fill(-50.0);
                    parameters[bias][0] = 50.0;
                }
                _ => {}
            }
        }
    };
    let case = Case { start: Some(start), ..Case::new(&net, ce(), &data, settings("adam", 0.001, 32, 8)) };
    let (findings, _) = case.findings();
    let finding = found(&findings, "dead-units", Some("21"));
    has(finding, "20 of 30 layers (21, 23, 25, ...): worst in layer 21, 8 of 8 units are dead (gave 0 for all ");
    assert_eq!((finding.severity, finding.layer_kind.as_deref()), (Severity::Error, Some("relu")));
    assert!(findings.len() <= 3, "{findings:#?}");

    let sigmoid = vec!["8 sigmoid init constant 0.1"; 30].join(" -> ");
    let (findings, _) = Case::new(&sigmoid, ce(), &data, settings("adam", 0.001, 32, 8)).findings();
    found(&findings, "vanishing-gradients", Some("0"));
    assert_eq!(findings.len(), 1, "{findings:#?}");

    let zeros = vec!["8 sigmoid init zeros"; 30].join(" -> ");
    let (findings, _) = Case::new(&zeros, ce(), &data, settings("adam", 0.001, 32, 8)).findings();
    let finding = found(&findings, "symmetric-weights", Some("0"));
    has(finding, "29 of 30 layers (0, 2, 4, ...): as in layer 0, 8 of 8 units have equal weights");
    assert_eq!(findings[0], *finding, "the cause comes first");
    assert!(findings.len() <= 2, "{findings:#?}");

    let tanh = vec!["8 tanh init constant 9"; 30].join(" -> ");
    let (findings, _) = Case::new(&tanh, ce(), &data, settings("sgd", 0.001, 32, 8)).findings();
    let finding = found(&findings, "saturated-units", Some("3"));
    has(finding, "of 30 layers (3, 5, 7, ...): worst in layer ");
    assert_eq!(findings.len(), 1, "no gradient comes through them, which is no news: {findings:#?}");
}

#[test]
fn fault_18_a_large_network_on_little_noise_overfits() {
    let data = noise(150);
    let case = Case { validate: true, ..Case::new("64 relu", ce(), &data, settings("adam", 0.01, 16, 40)) };
    let (findings, outcome) = case.findings();
    let finding = found(&findings, "overfit", None);
    let best = outcome.history.best().unwrap();
    near(number(finding, "rose from"), best.valid_loss.unwrap());
    has(finding, &format!("(epoch {})", best.epoch));
    let seen = finding.epoch.unwrap() as usize;
    near(number(finding, "training loss fell from"), best.train_loss);
    has(finding, &format!("(epoch {seen}) while"));
    assert!(finding.advice.contains("--early-stop 3"), "{finding}");
}

/// In waves (the recipe for tables) a run is not cut: fewer epochs are told, and the doctor does not send to another recipe.
#[test]
fn fault_18_in_waves_fewer_epochs() {
    let data = noise(150);
    let mut waves = settings("adam", 0.02, 16, 60);
    waves.schedule = "coslog4".parse().unwrap();
    let (findings, outcome) = Case { validate: true, ..Case::new("64 relu", ce(), &data, waves) }.findings();
    let finding = found(&findings, "overfit", None);
    let best = outcome.history.best().unwrap().epoch;
    let fewer = (2 * best).min(finding.epoch.unwrap() - 1);
    assert!(finding.advice.contains(&format!("fewer epochs (--epochs {fewer})")), "{finding}");
    assert!(!finding.advice.contains("early"), "{finding}");
}

#[test]
fn fault_19_nan_in_the_data() {
    let mut data = blobs(300);
    data.x[2 * 123] = f32::NAN;
    let (findings, outcome) = Case::new("8 relu", ce(), &data, settings("adam", 0.01, 16, 2)).findings();
    let Stop::NonFinite(stop) = &outcome.stop else { panic!("{:?}", outcome.stop) };
    let finding = found(&findings, "non-finite", None);
    has(finding, "the input x became NaN");
    has(finding, &format!("step {}", stop.step));
    assert!(finding.severity == Severity::Error && finding.advice.contains("missing values"), "{finding}");
}

#[test]
fn fault_20_steps_that_overflow() {
    let data = waves(64);
    let case = Case::new("4 relu -> 4 relu", LossSpec::MeanSquared, &data, settings("sgd", 1e6, 0, 200));
    let (findings, outcome) = case.findings();
    let Stop::NonFinite(stop) = &outcome.stop else { panic!("{:?}", outcome.stop) };
    let non_finite: Vec<_> = findings.iter().filter(|f| f.code == "non-finite").collect();
    let [finding] = non_finite.as_slice() else { panic!("{findings:?}") };
    let layer = finding.layer.as_deref();
    has(finding, &format!("became {}", stop.value));
    assert!(
        layer.is_some_and(|layer| stop.layer == layer || stop.layer.starts_with(&format!("{layer}."))),
        "{finding} {stop:?}"
    );
    assert_eq!(finding.step, Some(stop.step));
    assert!(finding.advice.contains("--lr 1"), "{finding}");
}

#[test]
fn fault_21_a_deep_network_whose_gradients_explode() {
    let data = blobs(300);
    let net = "16 relu init constant 6 -> 16 relu init constant 6 -> 16 relu init constant 6 -> 16 relu init constant 6 -> 16 relu init constant 6 -> 16 relu";
    let (findings, _) = Case::new(net, ce(), &data, settings("sgd", 1e-9, 32, 1)).findings();
    let finding = found(&findings, "exploding-gradients", Some("0"));
    assert!(number(finding, "rms") > 1e4 * number(finding, "here,"), "{finding}");
}

#[test]
fn fault_22_a_deep_network_whose_gradients_vanish() {
    let data = blobs(300);
    let layers: Vec<&str> = vec!["16 sigmoid"; 12];
    let (findings, _) = Case::new(&layers.join(" -> "), ce(), &data, settings("adam", 0.001, 32, 1)).findings();
    let finding = found(&findings, "vanishing-gradients", Some("0"));
    assert!(number(finding, "rms") < 1e-5 * number(finding, "here,"), "{finding}");
    has(finding, "at layer 22 (linear 16)");
}

#[test]
fn fault_23_steps_as_large_as_the_weights() {
    let data = noise(200);
    let (findings, _) = Case::new("16 tanh", ce(), &data, settings("sgd", 0.3, 2, 10)).findings();
    let finding = found(&findings, "steps-too-large", Some("2"));
    assert!(number(finding, "its weights by") > 0.1, "{finding}");
}

/// Another observer around the doctor hears of findings as they come, each once.
#[test]
fn findings_are_told_as_they_come() {
    struct Desk(Doctor<f32>, Vec<(String, u64)>, u64);
    impl Desk {
        fn hear(&mut self) {
            let step = self.2;
            self.1.extend(self.0.take_new().iter().map(|f| (f.code.clone(), step)));
        }
    }
    impl Observer<f32> for Desk {
        fn start(&mut self, view: &View<'_, f32>) -> Control {
            let control = self.0.start(view);
            self.hear();
            control
        }
        fn step(&mut self, report: &StepReport, view: &View<'_, f32>) -> Control {
            self.2 = report.step;
            let control = self.0.step(report, view);
            self.hear();
            control
        }
        fn epoch(&mut self, view: &View<'_, f32>) -> Control {
            let control = self.0.epoch(view);
            self.hear();
            control
        }
        fn end(&mut self, stop: &Stop, view: &View<'_, f32>) {
            self.0.end(stop, view);
            self.hear();
        }
    }
    let data = blobs(300);
    let case = Case::new("linear 8 -> 16 relu init zeros", ce(), &data, settings("adam", 0.01, 32, 3));
    let network = case.network();
    let rows: Vec<u32> = (0..300).collect();
    let part = glassnet_nn::train::Rows { source: &data, rows: &rows };
    let mut desk = Desk(Doctor::new(), Vec::new(), 0);
    let (start, team) = (network.initialise(0), glassnet_core::Team::single());
    glassnet_nn::train::Trainer::new(&network, start, part, None, case.spec.clone(), team).unwrap().run(&mut desk);
    assert_eq!(desk.1, [("affine-side-by-side".to_string(), 0), ("symmetric-weights".to_string(), 1)]);
    assert_eq!(desk.0.findings().len(), 2);
    assert!(desk.0.take_new().is_empty());
}

/// One row has no deviation, no shares and no order.
#[test]
fn a_single_row_is_no_trouble() {
    let data = Matrix::with_values(vec![0.5_f32, 1.0], 2, vec![1.0], 1);
    let (findings, _) = Case::new("3 tanh", LossSpec::MeanSquared, &data, settings("sgd", 0.1, 0, 2)).findings();
    assert!(findings.is_empty(), "{findings:?}");
}
