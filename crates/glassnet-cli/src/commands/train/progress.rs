//! Progress on stderr: a bar where a person looks on, a plain line an epoch where not; and the ear for Ctrl-C.

use std::time::{Duration, Instant};

use glassnet::nn::doctor::Doctor;
use glassnet::nn::history::Epoch;
use glassnet::nn::train::{Control, Observer, StepReport, Stop, View};
use indicatif::{ProgressBar, ProgressStyle};

use super::checkpoint::Checkpoints;
use super::interrupt::Interrupt;
use crate::error::CliError;
use crate::numbers::{duration, loss, number, thousands};

/// More epochs than this, and not every one has a line in a run of the tabular recipe, whose epochs are all run.
const MANY_EPOCHS: u64 = 32;

/// Watches a run.
pub struct Progress {
    /// Not every epoch has a line.
    pub sparse: bool,
    quiet: bool,
    bar: Option<ProgressBar>,
    pub interrupt: Interrupt,
    /// Where the run's state is kept.
    pub checkpoints: Option<Checkpoints>,
    /// Why the run cannot even begin.
    pub failure: Option<CliError>,
    /// Looks on and says what is wrong.
    pub doctor: Doctor<f32>,
    start: Instant,
    epoch_start: Instant,
    drawn: Instant,
    loss: f64,
    steps: u64,
    total_steps: u64,
    /// Steps that were done before this process, and rows of their last epoch.
    before: u64,
    rows_before: usize,
    /// Time of the whole run.
    pub elapsed: Duration,
}

impl Progress {
    /// `draws`: a person looks at stderr.
    pub fn new(draws: bool, quiet: bool, interrupt: Interrupt, doctor: Doctor<f32>) -> Self {
        let bar = draws.then(|| {
            let bar = ProgressBar::new(0);
            // A template that is a literal of ours; should it not parse, the default bar does.
            let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            let template = if colour { "{bar:30.cyan/dim} {msg}" } else { "{bar:30} {msg}" };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        let now = Instant::now();
        Progress {
            sparse: false,
            quiet,
            bar,
            interrupt,
            checkpoints: None,
            failure: None,
            doctor,
            start: now,
            epoch_start: now,
            drawn: now,
            loss: f64::NAN,
            steps: 0,
            total_steps: 0,
            before: 0,
            rows_before: 0,
            elapsed: Duration::ZERO,
        }
    }

    /// A line on stderr, above the bar where there is one.
    pub fn line(&self, text: &str) {
        use std::io::Write;
        match &self.bar {
            _ if self.quiet => {}
            Some(bar) => bar.println(text),
            None => {
                // A closed stderr must not end the run.
                let _ = writeln!(std::io::stderr(), "{text}");
            }
        }
    }

    /// Prints lines as [`Progress::line`] does, from any thread.
    pub fn lines(&self) -> impl Fn(&str) + Sync + use<> {
        use std::io::Write;
        let (quiet, bar) = (self.quiet, self.bar.clone());
        move |text: &str| match &bar {
            _ if quiet => {}
            Some(bar) => bar.println(text),
            None => {
                let _ = writeln!(std::io::stderr(), "{text}");
            }
        }
    }

    fn left(&self) -> String {
        let done = self.steps.saturating_sub(self.before);
        if done == 0 {
            return "?".into();
        }
        let each = self.start.elapsed().as_secs_f64() / done as f64;
        duration(each * self.total_steps.saturating_sub(self.steps) as f64)
    }

    /// Tells what the doctor found, and whether to go on.
    fn control(&mut self, doctor: Control) -> Control {
        let new: Vec<String> = self.doctor.take_new().iter().map(ToString::to_string).collect();
        for finding in new {
            self.line(&finding);
        }
        if self.interrupt.asked() { Control::Stop } else { doctor }
    }

    /// Writes a checkpoint. Where that fails the run goes on: the last checkpoint is whole, and the model is not lost.
    fn keep(&mut self, view: &View<'_, f32>) {
        let Some(checkpoints) = &mut self.checkpoints else { return };
        if let Err(error) = checkpoints.write(view, &self.doctor)
            && let Some(trouble) = checkpoints.trouble(&error)
        {
            self.line(&trouble);
        }
    }

    /// Sets clock and bar before the first step of this process.
    fn begin(&mut self, view: &View<'_, f32>) {
        let now = Instant::now();
        (self.start, self.epoch_start, self.drawn) = (now, now, now);
        let rows = view.train.rows.len();
        self.total_steps = view.spec.steps.unwrap_or(view.spec.steps_per_epoch(rows).saturating_mul(view.spec.epochs));
        if let Some(bar) = &self.bar {
            bar.set_length(self.total_steps);
        }
    }

    /// One epoch in a line.
    fn epoch_line(&self, epoch: &Epoch, epochs: u64, rows: usize) -> String {
        let width = epochs.to_string().len();
        let mut text = format!("epoch {:>width$}/{epochs}  loss {}", epoch.epoch, loss(epoch.train_loss));
        if let Some(valid) = epoch.valid_loss {
            text += &format!("  valid {}", loss(valid));
        }
        if let Some(accuracy) = epoch.valid.accuracy {
            text += &format!("  accuracy {accuracy:.4}");
        }
        // In the target's unit, as all scores are.
        if let Some(rmse) = epoch.valid.rmse {
            text += &format!("  rmse {}", number(rmse));
        }
        let seconds = self.epoch_start.elapsed().as_secs_f64();
        let rate = (rows as f64 / seconds.max(1e-9)) as u64;
        text += &format!("  lr {}  {} rows/s", rate_text(epoch.learning_rate), thousands(rate));
        if epoch.epoch < epochs {
            text += &format!("  {} left", self.left());
        }
        text
    }
}

/// A learning rate in few digits.
fn rate_text(lr: f64) -> String {
    if lr >= 1e-4 {
        format!("{:.6}", lr).trim_end_matches('0').trim_end_matches('.').to_string()
    } else {
        format!("{lr:.2e}")
    }
}

impl Observer<f32> for Progress {
    fn start(&mut self, view: &View<'_, f32>) -> Control {
        self.begin(view);
        let doctor = self.doctor.start(view);
        let control = self.control(doctor);
        // Said now, not after an hour: a folder that cannot be written to.
        if let Some(checkpoints) = &mut self.checkpoints
            && let Err(error) = checkpoints.write(view, &self.doctor)
        {
            self.failure = Some(error);
            return Control::Stop;
        }
        control
    }

    fn resume(&mut self, view: &View<'_, f32>) -> Control {
        self.begin(view);
        let state = view.state();
        (self.steps, self.before, self.rows_before) = (state.steps(), state.steps(), state.rows_done());
        let doctor = self.doctor.resume(view);
        self.control(doctor)
    }

    fn step(&mut self, report: &StepReport, view: &View<'_, f32>) -> Control {
        self.steps = report.step;
        // A mean of the last fifty steps or so: one batch's loss jumps about.
        self.loss = if self.loss.is_nan() { report.loss } else { 0.98 * self.loss + 0.02 * report.loss };
        if let Some(bar) = &self.bar
            && (self.drawn.elapsed() > Duration::from_millis(80) || report.step == report.total_steps)
        {
            self.drawn = Instant::now();
            let rate = report.rows_done.saturating_sub(self.rows_before) as f64
                / self.epoch_start.elapsed().as_secs_f64().max(1e-9);
            bar.set_position(report.step);
            let valid = view.history.epochs.last().and_then(|epoch| epoch.valid_loss);
            let valid = valid.map_or(String::new(), |valid| format!("  valid {}", loss(valid)));
            bar.set_message(format!(
                "epoch {}/{}  loss {}{valid}  {} rows/s  {} left",
                report.epoch,
                view.spec.whole_epochs(view.train.rows.len()),
                loss(self.loss),
                thousands(rate as u64),
                self.left()
            ));
        }
        let doctor = self.doctor.step(report, view);
        let control = self.control(doctor);
        if let Some(checkpoints) = &self.checkpoints
            && (control == Control::Stop || checkpoints.due_after_step(report.step))
        {
            self.keep(view);
        }
        control
    }

    fn reads_gradients(&self, step: u64) -> bool {
        self.doctor.reads_gradients(step)
    }

    fn epoch(&mut self, view: &View<'_, f32>) -> Control {
        if let Some(epoch) = view.history.epochs.last() {
            let rows = view.train.rows.len();
            let epochs = view.spec.whole_epochs(rows);
            let done = view.spec.rows_of_epoch(rows).saturating_sub(std::mem::take(&mut self.rows_before));
            // Of many short epochs some are enough to see the course.
            let every = if epochs > MANY_EPOCHS && self.sparse { epochs.div_ceil(MANY_EPOCHS / 2) } else { 1 };
            if epoch.epoch.is_multiple_of(every) || epoch.epoch == epochs || epoch.epoch == 1 {
                self.line(&self.epoch_line(epoch, epochs, done));
            }
        }
        let doctor = self.doctor.epoch(view);
        let control = self.control(doctor);
        if let Some(checkpoints) = &self.checkpoints {
            let state = view.state();
            let last = state.is_over() || state.epochs() >= view.spec.whole_epochs(view.train.rows.len());
            if last || control == Control::Stop || checkpoints.due_after_epoch() {
                self.keep(view);
            }
        }
        self.epoch_start = Instant::now();
        control
    }

    fn end(&mut self, stop: &Stop, view: &View<'_, f32>) {
        self.elapsed = self.start.elapsed();
        self.doctor.end(stop, view);
        self.control(Control::Continue);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
