//! The doctor as an observer of a run.

use glassnet_core::{Real, Team};
use serde::{Deserialize, Serialize};

use super::baseline::baseline;
use super::finding::{Finding, Severity};
use super::gather::Look;
use super::picture::{Camera, Facts};
use super::{affine, columns, curves, first_loss, gradients, non_finite, sorted, steps, symmetric, units};
use crate::network::Network;
use crate::train::{Control, Observer, StepReport, Stop, View};

/// Steps of the first epoch after which it looks, besides the looks at epochs.
const EARLY_STEPS: [u64; 2] = [4, 32];

/// Codes that follow from rows in order of their class: each batch takes back what the one before taught.
const OF_SORTED_ROWS: [&str; 2] = ["loss-climbs", "steps-too-large"];

/// Follows a run and keeps what it finds. Each finding is told once per code and layer; a look that finds the same in more
/// than three layers tells it once, at the first of them. What explains the others comes first.
///
/// It looks before the first step, after steps 4 and 32 of the first epoch, after epochs 1, 2, 4, 8, 16, ... and the
/// last. A look runs a sample of the training rows forward and backward. The sample is so large that all looks together
/// pass 1 % of the rows that the run passes, but at least 64 and at most [`super::SAMPLE_ROWS`]: for a run that passes
/// fewer than some 40,000 rows the share is larger, and the time some milliseconds. The curves and the order of rows
/// cost nothing of note.
///
/// ```
/// use glassnet_core::Team;
/// use glassnet_nn::doctor::Doctor;
/// use glassnet_nn::{loss::LossSpec, network::Network, source::Matrix, train::{Rows, TrainSpec, Trainer}};
/// let data = Matrix::with_labels(vec![0.0_f32, 1.0, -1.0, 2.0], 1, vec![0, 1, 0, 1]);
/// let network = Network::for_data(&"linear 8".parse()?, 1, 2, Some(&LossSpec::cross_entropy()))?;
/// let rows = Rows { source: &data, rows: &[0, 1, 2, 3] };
/// let mut doctor = Doctor::new();
/// let start = network.initialise(0);
/// Trainer::new(&network, start, rows, None, TrainSpec::default(), Team::single())?.run(&mut doctor);
/// assert_eq!(doctor.findings()[0].code, "affine-side-by-side");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Doctor<T> {
    team: Team,
    columns: Vec<String>,
    camera: Option<Camera<T>>,
    facts: Option<Facts>,
    /// The first loss of the run that it goes on with.
    first: Option<f64>,
    /// Step and loss of the last look.
    last: Option<(u64, f64)>,
    findings: Vec<Finding>,
    /// Codes of findings that stand for many layers: more layers of these are no news.
    gathered: Vec<String>,
    told: usize,
}

/// What a doctor has seen so far: with it a run that goes on later ends with the findings of one that was never stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DoctorState {
    findings: Vec<Finding>,
    gathered: Vec<String>,
    /// Loss of the sampled rows before the first step.
    first: Option<f64>,
    last: Option<(u64, f64)>,
}

impl<T: Real> Default for Doctor<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Real> Doctor<T> {
    /// A doctor that has seen nothing yet and looks with one thread.
    pub fn new() -> Self {
        Doctor {
            team: Team::single(),
            columns: Vec::new(),
            camera: None,
            facts: None,
            first: None,
            last: None,
            findings: Vec::new(),
            gathered: Vec::new(),
            told: 0,
        }
    }

    /// Looks with these threads.
    pub fn with_team(mut self, team: Team) -> Self {
        self.team = team;
        self
    }

    /// Names of the prepared input columns, in order, for findings about them; without, they are numbered from 1.
    pub fn with_columns(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.columns = names.into_iter().map(Into::into).collect();
        self
    }

    /// All findings, in the order in which they were made.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What it has seen: to be kept beside a [`TrainerState`](crate::train::TrainerState) of the same moment.
    pub fn state(&self) -> DoctorState {
        DoctorState {
            findings: self.findings.clone(),
            gathered: self.gathered.clone(),
            first: self.facts.map(|facts| facts.first),
            last: self.last,
        }
    }

    /// Goes on from what another doctor had seen; what that one found counts as told.
    pub fn with_state(mut self, state: DoctorState) -> Self {
        let DoctorState { findings, gathered, first, last } = state;
        self.told = findings.len();
        (self.findings, self.gathered, self.first, self.last) = (findings, gathered, first, last);
        self
    }

    /// The findings since the last call: what an observer around this one prints after each of its calls.
    pub fn take_new(&mut self) -> &[Finding] {
        let from = std::mem::replace(&mut self.told, self.findings.len());
        &self.findings[from..]
    }

    fn keep(&mut self, found: Look, network: &Network, epoch: Option<u64>, step: u64) {
        let known = |finding: &Finding| {
            self.gathered.contains(&finding.code)
                || self.findings.iter().any(|old| old.code == finding.code && old.layer == finding.layer)
        };
        let (told, gathered) = found.tell(network, known);
        self.gathered.extend(gathered);
        for finding in told {
            let step = epoch.is_some().then_some(step);
            self.findings.push(Finding { epoch: finding.epoch.or(epoch), step: finding.step.or(step), ..finding });
        }
    }

    fn has(&self, codes: &[&str]) -> bool {
        self.findings.iter().any(|finding| codes.contains(&finding.code.as_str()))
    }

    /// A look after some steps. `ended` says that it is at an epoch's end.
    fn look(&mut self, view: &View<'_, T>, epoch: u64, step: u64, ended: bool) {
        let Some(facts) = self.facts else { return };
        // Equal units explain why a layer is dead or gets no gradient; those and gradients that vanish explain why nothing
        // moves, and a loss that climbs says already that steps are too large.
        let stuck = ["symmetric-weights", "zero-gradients", "dead-units", "loss-climbs", "vanishing-gradients"];
        let (symmetric, explained) = (self.has(&stuck[..1]), self.has(&stuck));
        let Some(picture) = self.camera.as_mut().and_then(|camera| camera.look(view, step)) else { return };
        self.last = Some((step, picture.loss));
        let mut found = Look::default();
        steps::climbing(&picture, &facts, &mut found);
        if !symmetric {
            units::dead(&picture, &mut found);
        }
        units::saturated(&picture, &facts, &mut found);
        let closed = ["dead-units", "saturated-units"];
        if !explained
            && !self.findings.iter().any(|finding| closed.contains(&finding.code.as_str()))
            && !found.has(&closed)
        {
            gradients::zero(&picture, &facts, &mut found);
        }
        if ended {
            let total = view.spec.steps_per_epoch(view.train.rows.len()).saturating_mul(view.spec.epochs);
            let explained = explained || found.has(&stuck);
            steps::sizes(&picture, &facts, view.history, total, explained, &mut found);
        }
        if self.has(&["sorted-rows"]) {
            found.forget(&OF_SORTED_ROWS);
        }
        self.keep(found, view.network, Some(epoch), step);
    }
}

/// Looks of a run of so many epochs: before it, at early steps, at epochs that are powers of two, and at its end.
fn looks(epochs: u64) -> u64 {
    3 + EARLY_STEPS.len() as u64 + u64::from(epochs.max(1).ilog2())
}

impl<T: Real> Observer<T> for Doctor<T> {
    fn start(&mut self, view: &View<'_, T>) -> Control {
        self.camera = Camera::new(view, looks(view.spec.epochs), &self.team);
        self.facts = None;
        let mut found = Look::default();
        affine::look(view, &mut found);
        sorted::look(view, &mut found);
        if let Some(camera) = &mut self.camera {
            columns::look(view.train, &camera.rows, &self.columns, &mut found);
            let baseline = baseline(view.network, view.train.source, &camera.rows);
            if let (Some(baseline), Some(picture)) = (baseline, camera.look(view, 0)) {
                let facts = Facts { baseline, first: picture.loss };
                self.facts = Some(facts);
                first_loss::look(&picture, &facts, &mut found);
                units::dead(&picture, &mut found);
                units::saturated(&picture, &facts, &mut found);
                gradients::flow(&picture, &mut found);
            }
        }
        self.keep(found, view.network, None, 0);
        Control::Continue
    }

    fn resume(&mut self, view: &View<'_, T>) -> Control {
        self.camera = Camera::new(view, looks(view.spec.epochs), &self.team);
        let rows = self.camera.as_ref().map_or(&[][..], |camera| &camera.rows);
        // The data has not changed: only what was measured on the first weights had to be kept.
        let baseline = self.first.and_then(|_| baseline(view.network, view.train.source, rows));
        self.facts = baseline.zip(self.first).map(|(baseline, first)| Facts { baseline, first });
        Control::Continue
    }

    fn step(&mut self, report: &StepReport, view: &View<'_, T>) -> Control {
        if report.step == 1 {
            let mut found = Look::default();
            symmetric::look(view, &mut found);
            self.keep(found, view.network, Some(report.epoch), report.step);
        }
        // The last step of an epoch is looked at with the epoch.
        if report.epoch == 1 && report.rows_done < report.rows && EARLY_STEPS.contains(&report.step) {
            self.look(view, report.epoch, report.step, false);
        }
        Control::Continue
    }

    fn reads_gradients(&self, step: u64) -> bool {
        step == 1
    }

    fn epoch(&mut self, view: &View<'_, T>) -> Control {
        let Some(epoch) = view.history.epochs.last() else { return Control::Continue };
        let mut found = Look::default();
        if let Some(facts) = &self.facts {
            curves::overfit(view, facts, &mut found);
        }
        self.keep(found, view.network, Some(epoch.epoch), epoch.steps);
        if epoch.epoch.is_power_of_two() || epoch.epoch == view.spec.epochs {
            self.look(view, epoch.epoch, epoch.steps, true);
        }
        Control::Continue
    }

    fn end(&mut self, stop: &Stop, view: &View<'_, T>) {
        let last = view.history.epochs.last();
        let (epoch, step) = last.map_or((None, 0), |last| (Some(last.epoch), last.steps));
        let mut found = Look::default();
        match stop {
            Stop::NonFinite(value) => found.push(non_finite::finding(value, view.network, view.spec)),
            Stop::Finished | Stop::Early { .. } if self.findings.iter().all(|f| f.severity == Severity::Note) => {
                // The last epoch of a run that finished was looked at; one that patience ended, not always.
                let seen = self.last.filter(|(seen, _)| *seen == step).map(|(_, loss)| loss);
                let look = |camera: &mut Camera<T>| camera.look(view, step).map(|picture| picture.loss);
                let loss = seen.or_else(|| self.camera.as_mut().and_then(look));
                if let (Some(facts), Some(loss)) = (self.facts, loss) {
                    curves::underfit(view, loss, &facts, &mut found);
                }
            }
            Stop::Finished | Stop::Early { .. } | Stop::Asked => {}
        }
        self.keep(found, view.network, epoch, step);
    }
}
