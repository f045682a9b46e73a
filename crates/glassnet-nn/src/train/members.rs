//! Several networks trained side by side, one on each thread: the members of an ensemble, the folds of a bag.
//!
//! A member is a run of its own, with its own seed, rows and observer; nothing is shared but the data, so that its weights are the bytes that it
//! would have alone, whatever the number of threads. Several small networks train faster side by side than one after the other on
//! all threads: their steps are too short to be shared.
//!
//! ```
//! use glassnet_nn::train::members::{Member, seed, train};
//! use glassnet_nn::train::{Rows, Silent, TrainSpec};
//! use glassnet_nn::{loss::LossSpec, network::Network, source::Matrix};
//!
//! let data = Matrix::with_labels(vec![0.0_f32, 1.0, -1.0, 2.0], 1, vec![0, 1, 0, 1]);
//! let network = Network::for_data(&"8 relu".parse()?, 1, 2, Some(&LossSpec::cross_entropy()))?;
//! let rows = Rows { source: &data, rows: &[0, 1, 2, 3] };
//! let member = |number| Member {
//!     network: &network,
//!     train: rows,
//!     valid: None,
//!     spec: TrainSpec { epochs: 2, seed: seed(7, number), ..TrainSpec::default() },
//!     state: None,
//! };
//! let members: Vec<_> = (0..3).map(member).collect();
//! let initial = |_: usize, member: &Member<'_, f32>| member.network.initialise(member.spec.seed);
//! let one = train(&members, 1, &initial, &|_| Silent)?;
//! let two = train(&members, 2, &initial, &|_| Silent)?;
//! assert!(one.iter().zip(&two).all(|(a, b)| a.outcome == b.outcome));
//! assert_ne!(one[0].outcome.parameters, one[1].outcome.parameters);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use glassnet_core::{Real, Team};

use super::observer::{Control, Observer, Outcome, Rows, StepReport, Stop, View};
use super::state::{RestoreError, TrainerState};
use super::{TrainError, TrainSpec, Trainer};
use crate::network::Network;

/// The seed of member `number` (from 0) of an ensemble with seed `base`: `base + number` (after the largest number comes 0). The first member is the
/// network that would be trained alone.
pub fn seed(base: u64, number: usize) -> u64 {
    base.wrapping_add(number as u64)
}

/// One run.
pub struct Member<'a, T: Real> {
    /// The network; members may have one in common.
    pub network: &'a Network,
    /// The training rows.
    pub train: Rows<'a, T>,
    /// The validation rows.
    pub valid: Option<Rows<'a, T>>,
    /// The settings, the seed among them.
    pub spec: TrainSpec,
    /// Where the run goes on from, if it was begun before.
    pub state: Option<TrainerState<'a, T>>,
}

/// What a member leaves: how it ended, and who watched it.
#[derive(Debug)]
pub struct Trained<T, O> {
    /// Its weights, history and why it ended.
    pub outcome: Outcome<T>,
    /// Its observer.
    pub observer: O,
}

/// A member that cannot begin.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("member {member}: {why}")]
pub struct MemberError {
    /// Its number, from 1.
    pub member: usize,
    /// Why.
    pub why: Why,
}

/// Why a member cannot begin.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Why {
    /// Its network, rows or settings.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The state that it shall go on from.
    #[error(transparent)]
    Restore(#[from] RestoreError),
}

/// Passes everything on, and one observer's wish to stop to all members.
struct Together<'s, O> {
    own: O,
    stop: &'s AtomicBool,
}

impl<O> Together<'_, O> {
    fn heard(&self, control: Control) -> Control {
        if control == Control::Stop {
            self.stop.store(true, Ordering::Relaxed);
        }
        if self.stop.load(Ordering::Relaxed) { Control::Stop } else { Control::Continue }
    }
}

impl<T, O: Observer<T>> Observer<T> for Together<'_, O> {
    fn start(&mut self, view: &View<'_, T>) -> Control {
        let control = self.own.start(view);
        self.heard(control)
    }

    fn resume(&mut self, view: &View<'_, T>) -> Control {
        let control = self.own.resume(view);
        self.heard(control)
    }

    fn step(&mut self, report: &StepReport, view: &View<'_, T>) -> Control {
        let control = self.own.step(report, view);
        self.heard(control)
    }

    fn epoch(&mut self, view: &View<'_, T>) -> Control {
        let control = self.own.epoch(view);
        self.heard(control)
    }

    fn reads_gradients(&self, step: u64) -> bool {
        self.own.reads_gradients(step)
    }

    fn end(&mut self, stop: &Stop, view: &View<'_, T>) {
        self.own.end(stop, view);
    }
}

/// Trains all members, at most `threads` of them at a time, and gives what they leave in their order. Where there are fewer members than threads each
/// has a team of `threads / members`.
///
/// `initial` makes a member's first weights, `observer` its observer, each on the thread that trains the member. Where one observer asks to stop, all
/// members stop at their next step; one that had not begun ends with its first weights and [`Stop::Asked`].
///
/// # Errors
/// The first member (in their order) that cannot begin; it keeps the others from going on.
pub fn train<'a, T, O>(
    members: &[Member<'a, T>],
    threads: usize,
    initial: &(dyn Fn(usize, &Member<'a, T>) -> Vec<T> + Sync),
    observer: &(dyn Fn(usize) -> O + Sync),
) -> Result<Vec<Trained<T, O>>, MemberError>
where
    T: Real,
    O: Observer<T> + Send,
{
    let threads = threads.max(1);
    let workers = threads.min(members.len());
    let team_size = if members.len() >= threads { 1 } else { threads / members.len().max(1) };
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let one = |number: usize, member: &Member<'a, T>| -> Result<Trained<T, O>, Why> {
        let team = if team_size == 1 { Team::single() } else { Team::new(team_size) };
        let Member { network, train, valid, spec, .. } = member;
        let mut trainer = Trainer::new(network, initial(number, member), *train, *valid, spec.clone(), team)?;
        if let Some(state) = &member.state {
            trainer.restore(state)?;
        }
        let mut together = Together { own: observer(number), stop: &stop };
        let outcome = trainer.run(&mut together);
        Ok(Trained { outcome, observer: together.own })
    };
    let work = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(member) = members.get(number) else { return done };
            let found = one(number, member);
            if found.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            done.push((number, found));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(found) => done.extend(found),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(number, found)| found.map_err(|why| MemberError { member: number + 1, why })).collect()
}
