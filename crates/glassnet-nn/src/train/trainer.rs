//! The loop itself.

use glassnet_core::ops::cross_entropy::IGNORED;
use glassnet_core::slots::Slots;
use glassnet_core::{Op, Precision, Purpose, Real, Runner, StepInfo, Team};

use super::best::BestBy;
use super::error::TrainError;
use super::late::{self, LateUpdates};
use super::non_finite::{NonFinite, find_non_finite};
use super::observer::{Control, Observer, Outcome, Rows, StepReport, Stop, View};
use super::scores::scores;
use super::spec::TrainSpec;
use super::state::Standing;
use crate::functional::{evaluate, fill_at, mean_loss, total_weight, weighted_sum};
use crate::history::{Epoch, History};
use crate::metrics::Scores;
use crate::network::Network;
use crate::norm;
use crate::optimizer::{Optimizer, UpdateSizes};
use crate::schedule::Schedule;

/// A run in progress. [`Trainer::run`] does all of it; [`Trainer::step`] takes one step over given rows.
pub struct Trainer<'a, T: Real> {
    pub(super) network: &'a Network,
    pub(super) spec: TrainSpec,
    pub(super) train: Rows<'a, T>,
    valid: Option<Rows<'a, T>>,
    team: Team,
    pub(super) runner: Runner<T>,
    evaluator: Option<Runner<T>>,
    pub(super) parameters: Vec<T>,
    gradients: Vec<T>,
    pub(super) optimizer: Optimizer<T>,
    pub(super) schedule: Schedule,
    /// Courses of the factors of dropout and of weight decay.
    shares: [Schedule; 2],
    /// The network's layout with the rules' factors.
    slots: Slots,
    pub(super) sizes: UpdateSizes<T>,
    pub(super) history: History,
    pub(super) steps: u64,
    pub(super) micro_rows: usize,
    pub(super) standing: Standing<T>,
    /// Sums of blocks of the gradients' norm.
    room: Vec<f64>,
    late: Option<LateUpdates<T>>,
    keep_gradients: bool,
    /// Whether epochs are judged after a line of log-odds ([`BestBy::after_line`]).
    after_line: bool,
}

/// Gradients whose setting to 0 is worth a thread.
const ZEROS: usize = 1 << 17;

impl<'a, T: Real> Trainer<'a, T> {
    /// Takes all the memory that the run needs.
    ///
    /// # Errors
    /// Settings out of range, no rows, rows that do not fit the network.
    pub fn new(
        network: &'a Network,
        parameters: Vec<T>,
        train: Rows<'a, T>,
        valid: Option<Rows<'a, T>>,
        spec: TrainSpec,
        team: Team,
    ) -> Result<Self, TrainError> {
        spec.check()?;
        let checked = spec.optimizer.checked()?;
        let objective = network.objective.as_ref().ok_or(TrainError::NoLoss)?;
        if train.rows.is_empty() {
            return Err(TrainError::NoRows);
        }
        let shape = &network.graph.node(network.logits).shape;
        let classes = if objective.loss.takes_labels() { shape.last() } else { shape.len() };
        let labels = network.graph.node(objective.target).shape.len().max(1);
        if spec.streams && spec.accumulate > 1 {
            return Err(TrainError::Streams);
        }
        let positions = |node: &&glassnet_core::Node| matches!(node.op, Op::Positions(_));
        if let Some(node) = network.graph.nodes().iter().find(positions).filter(|_| spec.streams) {
            return Err(TrainError::Positions { layer: node.layer.clone(), context: network.inputs() });
        }
        if spec.precision == Precision::Bf16 && T::NAME != f32::NAME {
            return Err(TrainError::Precision { precision: spec.precision, computation: T::NAME });
        }
        let valid = valid.filter(|valid| !valid.rows.is_empty());
        if parameters.len() != network.parameters() {
            return Err(TrainError::Parameters { wanted: network.parameters(), found: parameters.len() });
        }
        if valid.is_none() && spec.early.can_stop() {
            return Err(TrainError::NeedsValidation("early stopping"));
        }
        if valid.is_none() && matches!(spec.schedule.shape, crate::schedule::Shape::Plateau { .. }) {
            return Err(TrainError::NeedsValidation("the plateau schedule"));
        }
        if !spec.best_by.suits(network) {
            return Err(TrainError::BestBy(spec.best_by.name()));
        }
        for (name, schedule) in [("dropout", spec.dropout_schedule), ("weight decay", spec.decay_schedule)] {
            if matches!(schedule.shape, crate::schedule::Shape::Plateau { .. }) {
                return Err(TrainError::Plateau(name));
            }
        }
        let parts = [("training", Some(train)), ("validation", valid)];
        for (name, part) in parts.into_iter().filter_map(|(name, part)| part.map(|part| (name, part))) {
            if let Some(&row) = part.rows.iter().find(|&&row| row as usize >= part.source.rows()) {
                return Err(TrainError::NoSuchRow { part: name, row: u64::from(row) + 1, rows: part.source.rows() });
            }
            if part.source.width() != network.inputs() {
                return Err(TrainError::Width { wanted: network.inputs(), found: part.source.width() });
            }
            let (found, wanted) = match objective.loss.takes_labels() {
                true => (part.source.labels_width(), labels),
                false => (part.source.target_width(), classes),
            };
            let found = if part.source.has_targets() { found } else { 0 };
            if found != wanted {
                return Err(TrainError::Targets { part: name, wanted, found });
            }
            let sum = total_weight(network, part.source, part.rows);
            if sum.is_nan() || sum <= 0.0 {
                return Err(TrainError::Weights { part: name, sum });
            }
            if !objective.loss.takes_labels() {
                continue;
            }
            if part.source.labels_below(classes) == Some(true) {
                continue;
            }
            let mut of_row = vec![0; labels];
            for &row in part.rows {
                part.source.labels(row, &mut of_row);
                let outside = |label: &&i32| **label < 0 || **label as usize >= classes;
                if let Some(&label) = of_row.iter().filter(|label| **label != IGNORED).find(outside) {
                    return Err(TrainError::Label { row: row + 1, label, classes });
                }
            }
        }
        let micro_rows = spec.batch_rows(train.rows.len());
        let late = late::nodes(network, &spec);
        let plan = match late.is_empty() {
            true => network.plan_in(spec.precision, Purpose::Train, micro_rows, spec.checkpoint_activations),
            false => network.plan_late(micro_rows, &late),
        };
        let runner = Runner::new(plan, team.clone());
        let evaluator = valid.map(|_| Runner::new(network.evaluation_plan(network.evaluation_rows()), team.clone()));
        let slots = spec.factors.apply(&network.graph);
        let late = LateUpdates::new(&slots, &runner, &team);
        let steps_per_epoch = spec.steps_per_epoch(train.rows.len());
        let epochs = spec.whole_epochs(train.rows.len());
        let set = |course, base| {
            let schedule = Schedule::new(course, base, steps_per_epoch, epochs)?;
            Ok::<_, TrainError>(match spec.steps {
                Some(steps) => schedule.with_total(steps),
                None => schedule,
            })
        };
        let schedule = set(spec.schedule, spec.lr)?;
        let shares = [set(spec.dropout_schedule, 1.0)?, set(spec.decay_schedule, 1.0)?];
        let mut sizes = UpdateSizes::new(&slots);
        sizes.before(&parameters);
        Ok(Trainer {
            network,
            train,
            valid,
            team,
            runner,
            evaluator,
            gradients: vec![T::ZERO; parameters.len()],
            optimizer: Optimizer::new(checked, &slots),
            schedule,
            shares,
            sizes,
            history: History::new(slots.iter().map(|slot| slot.name.clone())),
            steps: 0,
            micro_rows,
            standing: Standing::new(spec.early),
            room: vec![0.0; norm::room(&slots)],
            slots,
            late,
            keep_gradients: true,
            after_line: valid.is_some_and(|valid| spec.best_by.after_line(network, train, valid)),
            parameters,
            spec,
        })
    }

    /// Lets [`Trainer::step`] use up the gradients of large weights as they are made, where that is faster: what
    /// [`Trainer::gradients`] has in their place is then of an earlier step, or 0. Everything else is the same, byte for byte.
    /// [`Trainer::run`] asks its observer instead.
    pub fn without_gradients(mut self) -> Self {
        self.keep_gradients = false;
        self
    }

    /// The parameters now.
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// The training runner, whose plan says what a step does and takes.
    pub fn runner(&self) -> &Runner<T> {
        &self.runner
    }

    /// The gradients of the last step.
    pub fn gradients(&self) -> &[T] {
        &self.gradients
    }

    /// Bytes of parameters, gradients, moments, arenas: what a run takes besides the data.
    pub fn memory(&self) -> usize {
        let evaluator = self.evaluator.as_ref().map_or(0, |runner| {
            let memory = runner.plan().memory::<T>();
            memory.arena + memory.labels
        });
        // Two copies more: the best epoch's parameters and those that updates are measured against.
        self.runner.plan().memory::<T>().total()
            + evaluator
            + self.late.as_ref().map_or(0, LateUpdates::memory)
            + self.optimizer.memory(self.network.graph.slots())
            + 2 * self.parameters.len() * T::BYTES
    }

    fn view(&self) -> View<'_, T> {
        View {
            network: self.network,
            parameters: &self.parameters,
            gradients: &self.gradients,
            train: self.train,
            valid: self.valid,
            spec: &self.spec,
            history: &self.history,
            standing: self,
        }
    }

    /// What the step at hand is told.
    fn info(&self, epoch: u32, position: u64, denominator: f64) -> StepInfo {
        let dropout = self.shares[0].rate(self.steps);
        StepInfo { seed: self.spec.seed, epoch, position, denominator, time: 0, dropout }
    }

    /// Loss and gradients of `rows` (more than a micro-batch are accumulated, in order) at the place `position` of epoch
    /// `epoch` (from 0). Returns the mean loss; the gradients are in [`Trainer::gradients`].
    fn accumulate(&mut self, rows: &[u32], epoch: u32, position: u64, denominator: f64) -> f64 {
        self.team.split_rows(&mut self.gradients, 1, ZEROS, &|_, gradients| gradients.fill(T::ZERO));
        let losses = self.network.objective.as_ref().map(|objective| objective.lowered().0);
        let mut loss = 0.0;
        let mut place = position;
        // Of streams every row has come as far as the steps before took it.
        let windows = if self.spec.streams { position / self.micro_rows as u64 } else { 0 };
        let time = windows as usize * self.network.inputs();
        for micro in rows.chunks(self.micro_rows) {
            let info = StepInfo { time, ..self.info(epoch, place, denominator) };
            fill_at(self.network, &mut self.runner, self.train.source, micro, &info);
            self.runner.forward(&self.parameters, &info);
            let values = losses.and_then(|losses| self.runner.value(losses)).unwrap_or(&[]);
            loss = weighted_sum(self.network, values, self.train.source, micro, loss);
            self.runner.backward(&self.parameters, &mut self.gradients, &info);
            place += micro.len() as u64;
        }
        loss / denominator
    }

    /// Loss and norm of a step of one micro-batch whose large weights are updated as their gradients are made. Nothing where
    /// some value or gradient may not be finite: nothing has changed then, and the plain way finds out.
    fn late_step(&mut self, rows: &[u32], info: &StepInfo, lr: f64, measure: bool) -> Option<(f64, f64)> {
        let (late, slots) = (self.late.as_mut()?, &self.slots);
        late.clear(&mut self.gradients);
        fill_at(self.network, &mut self.runner, self.train.source, rows, info);
        self.runner.forward(&self.parameters, info);
        let losses = self.network.objective.as_ref().and_then(|objective| self.runner.value(objective.lowered().0));
        let loss = weighted_sum(self.network, losses.unwrap_or(&[]), self.train.source, rows, 0.0) / info.denominator;
        self.runner.backward_but_late(&self.parameters, &mut self.gradients, info);
        if !loss.is_finite() || !late.surely_finite(&self.team, &self.runner, &self.gradients) {
            return None;
        }
        if measure {
            self.sizes.before(&self.parameters);
        }
        let (optimizer, parameters) = (&mut self.optimizer, &mut self.parameters);
        let norm = late.step(&self.team, slots, &self.runner, optimizer, parameters, &self.gradients, lr);
        Some((loss, norm))
    }

    /// One optimizer step over `rows`. Allocates nothing while all is finite.
    ///
    /// # Errors
    /// The first non-finite value of loss and gradients; parameters and moments are as before the step.
    pub fn step(&mut self, rows: &[u32], epoch: u32, position: u64) -> Result<StepReport, NonFinite> {
        self.measured_step(rows, epoch, position, false)
    }

    fn measured_step(
        &mut self,
        rows: &[u32],
        epoch: u32,
        position: u64,
        measure: bool,
    ) -> Result<StepReport, NonFinite> {
        let lr = self.schedule.rate(self.steps);
        self.optimizer.set_decay_share(self.shares[1].rate(self.steps));
        // A batch in which every row weighs 0 says nothing: no loss, no step.
        let weight = total_weight(self.network, self.train.source, rows);
        let empty = weight == 0.0;
        let (mut loss, mut gradient_norm) = (0.0, 0.0);
        let mut done = None;
        if !empty && !self.keep_gradients && rows.len() <= self.micro_rows {
            let info = self.info(epoch, position, weight);
            done = self.late_step(rows, &info, lr, measure);
        }
        if let Some(done) = done {
            (loss, gradient_norm) = done;
        } else if !empty {
            loss = self.accumulate(rows, epoch, position, weight);
            gradient_norm = self.spec.clip.apply_by(&self.team, &self.slots, &mut self.gradients, &mut self.room);
            if !loss.is_finite() || !gradient_norm.is_finite() {
                return Err(self.first_non_finite(rows, epoch, position));
            }
        }
        if measure && done.is_none() {
            self.sizes.before(&self.parameters);
        }
        if !empty && done.is_none() {
            self.optimizer.step_by(&self.team, &self.slots, &mut self.parameters, &self.gradients, lr);
        }
        if measure {
            // An epoch never ends on weights that are not finite: those from before the step are kept in `sizes`.
            if self.parameters.iter().any(|value| !value.is_finite()) {
                self.steps += 1;
                return Err(self.first_non_finite(rows, epoch, position));
            }
            self.sizes.after(&self.slots, &self.parameters);
        }
        self.steps += 1;
        Ok(StepReport {
            epoch: u64::from(epoch) + 1,
            step: self.steps,
            total_steps: self.schedule.total(),
            rows_done: position as usize + rows.len(),
            rows: self.spec.order(self.train.rows.len()).epoch_rows(self.train.rows.len()),
            loss,
            weight,
            gradient_norm,
            lr,
        })
    }

    fn first_non_finite(&self, rows: &[u32], epoch: u32, position: u64) -> NonFinite {
        let denominator = total_weight(self.network, self.train.source, rows);
        let (number, step) = (u64::from(epoch) + 1, self.steps + 1);
        let mut place = position;
        for micro in rows.chunks(self.micro_rows) {
            let info = self.info(epoch, place, denominator);
            let (network, source) = (self.network, self.train.source);
            let (parameters, precision) = (&self.parameters, self.spec.precision);
            let found = find_non_finite(network, parameters, source, micro, &info, &self.team, number, step, precision);
            if let Some(found) = found {
                return found;
            }
            place += micro.len() as u64;
        }
        // Each gradient is finite, only their norm or sum is not.
        NonFinite {
            place: super::Place::Gradient,
            layer: "all layers together".into(),
            value: "inf".into(),
            row: None,
            epoch: number,
            step,
        }
    }

    /// Loss, scores and what the best epoch is chosen by, of the validation rows at the present parameters.
    fn validate(&mut self) -> Option<(f64, Scores, f64)> {
        let (valid, evaluator) = (self.valid?, self.evaluator.as_mut()?);
        let outputs = evaluate(self.network, evaluator, &self.parameters, valid.source, valid.rows);
        let loss = mean_loss(self.network, &outputs.losses, valid.source, valid.rows);
        let scores = scores(self.network, &outputs, valid);
        let metric = self.spec.best_by.of(self.after_line, self.network, &outputs, valid, loss, &scores);
        Some((loss, scores, metric))
    }

    /// Runs all epochs, or until patience, the observer or a non-finite value ends it.
    pub fn run(mut self, observer: &mut dyn Observer<T>) -> Outcome<T> {
        let begun = match self.standing.restored {
            true => observer.resume(&self.view()),
            false => observer.start(&self.view()),
        };
        let stop = if begun == Control::Stop { Stop::Asked } else { self.epochs(observer) };
        // The run ends inside an epoch: where no best epoch is kept, the weights are no epoch's.
        let inside = self.standing.position > 0 && self.standing.position < self.standing.rows;
        if (inside || matches!(stop, Stop::NonFinite(_))) && self.standing.best.is_none() {
            self.history.best_epoch = None;
        }
        if let Some(best) = self.standing.best.take() {
            self.parameters = best;
        } else if self.parameters.iter().any(|value| !value.is_finite()) {
            self.parameters.copy_from_slice(self.sizes.kept());
        }
        observer.end(&stop, &self.view());
        Outcome { parameters: self.parameters, history: self.history, stop }
    }

    fn epochs(&mut self, observer: &mut dyn Observer<T>) -> Stop {
        if self.standing.over {
            return Stop::Early { epoch: self.standing.epoch };
        }
        let mut order: Vec<u32> = self.train.rows.to_vec();
        let order_of = self.spec.order(order.len());
        let source = self.train.source;
        let length = |row: u32| source.length(row);
        let length: Option<&dyn Fn(u32) -> usize> = self.network.lengths.is_some().then_some(&length);
        let batch = self.micro_rows.saturating_mul(self.spec.accumulate);
        for epoch in self.standing.epoch..self.spec.whole_epochs(order.len()) {
            let epoch_number = u32::try_from(epoch).unwrap_or(u32::MAX);
            order_of.fill(self.train.rows, epoch_number, length, &mut order);
            // A run of so many steps ends in the middle of its last epoch.
            if let Some(steps) = self.spec.steps {
                let before = self.steps - self.standing.position.div_ceil(batch) as u64;
                let left = usize::try_from(steps.saturating_sub(before)).unwrap_or(usize::MAX);
                order.truncate(left.saturating_mul(batch));
            }
            self.standing.rows = order.len();
            // A run that goes on does so in the middle of an epoch.
            for rows in order[self.standing.position.min(order.len())..].chunks(batch) {
                let position = self.standing.position;
                let last = position + rows.len() == order.len();
                self.keep_gradients = observer.reads_gradients(self.steps + 1);
                let report = match self.measured_step(rows, epoch_number, position as u64, last) {
                    Ok(report) => report,
                    Err(found) => return Stop::NonFinite(found),
                };
                self.standing.add(&report, rows.len());
                self.history.first_loss.get_or_insert(report.loss);
                if observer.step(&report, &self.view()) == Control::Stop {
                    return Stop::Asked;
                }
            }
            let validation = self.validate();
            self.history.epochs.push(Epoch {
                epoch: epoch + 1,
                steps: self.steps,
                learning_rate: self.standing.lr,
                train_loss: self.standing.loss / self.standing.weight,
                valid_loss: validation.map(|(loss, ..)| loss),
                metric: validation.map(|(.., metric)| metric).filter(|_| self.spec.best_by != BestBy::Loss),
                train: Scores::default(),
                valid: validation.map(|(_, scores, _)| scores).unwrap_or_default(),
                gradient_norm: self.standing.norm,
                update_ratios: self.sizes.ratios().to_vec(),
            });
            match validation {
                Some((loss, _, metric)) => {
                    self.schedule.observe(loss);
                    if self.standing.observe(metric, &self.parameters) {
                        self.history.best_epoch = Some(epoch + 1);
                    }
                }
                None => self.history.best_epoch = Some(epoch + 1),
            }
            self.standing.close();
            if observer.epoch(&self.view()) == Control::Stop {
                return Stop::Asked;
            }
            if self.standing.over {
                return Stop::Early { epoch: epoch + 1 };
            }
        }
        Stop::Finished
    }
}
