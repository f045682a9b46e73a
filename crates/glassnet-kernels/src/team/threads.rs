//! The threads of a team: each has a desk with one state, and a fork puts its work on as many desks as it has parts.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::place::{self, Cores};

/// How long a thread without work spins: longer than most stretches of a training step that one thread works alone.
/// To be woken costs 25 to 90 us on a virtual machine (docs/measurements/team.md).
const SPIN: Duration = Duration::from_micros(200);

/// How long it then gives way to whoever wants its core, looking in between, before it sleeps: the rows of a step that
/// come from a large file, an evaluation's last rows, the lines that are written at the end of an epoch.
const GIVE_WAY: Duration = Duration::from_millis(2);

/// Looks between two looks at the clock.
const LOOKS: u32 = 64;

/// Looks of a caller that waits for its threads' ends before it begins to give way: some tens of microseconds.
const PATIENCE: u32 = 2_000;

/// Forks of a new team in which every thread is waited for: what it takes once (a buffer of its own for the panels of a
/// product) it has taken when the work repeats itself, and the steps after the first few allocate nothing.
const FIRST: u32 = 1_000;

/// The thread has nothing to do and is awake.
const IDLE: u32 = 0;
/// Work lies there; nobody has begun it. The thread or the caller of the fork takes it, whoever comes first.
const POSTED: u32 = 1;
/// The thread is at it.
const TAKEN: u32 = 2;
/// The thread has nothing to do and sleeps: who posts must wake it.
const ASLEEP: u32 = 3;
/// The thread must end.
const STOP: u32 = 4;

/// What lies between a thread and its callers, on cache lines of its own: one line goes over with the work, one comes back.
#[repr(align(128))]
struct Desk {
    state: AtomicU32,
    /// The work that is posted.
    job: UnsafeCell<Option<Job>>,
}

#[derive(Clone, Copy)]
struct Job {
    f: *const (dyn Fn(usize) + Sync),
    parts: usize,
    count: usize,
    /// The caller's core, if it is known.
    core: Option<usize>,
}

/// What the threads see.
struct Board {
    /// Taken by the caller of a fork.
    busy: AtomicBool,
    /// Of thread number 1 and up.
    desks: Vec<Desk>,
    /// Forks so far, up to [`FIRST`].
    forks: AtomicU32,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// With fewer cores than threads, a spinning thread keeps the one it waits for from running.
    spins: bool,
}

// SAFETY: `job` is written only by the holder of `busy` while the desk is neither POSTED nor TAKEN; it is published by the
// release that makes the desk POSTED, and read by the desk's thread only while it has made it TAKEN.
unsafe impl Sync for Desk {}
// SAFETY: the pointer in `job` is to a Sync closure.
unsafe impl Send for Desk {}

pub(super) struct Threads {
    board: Arc<Board>,
    handles: Vec<JoinHandle<()>>,
    count: usize,
}

impl Threads {
    pub(super) fn start(count: usize) -> Option<Self> {
        let cores = thread::available_parallelism().map_or(1, |n| n.get());
        let board = Arc::new(Board {
            busy: AtomicBool::new(false),
            desks: (1..count).map(|_| Desk { state: AtomicU32::new(IDLE), job: UnsafeCell::new(None) }).collect(),
            forks: AtomicU32::new(0),
            panic: Mutex::new(None),
            spins: count <= cores,
        });
        let mut handles = Vec::with_capacity(count - 1);
        if cores == 1 {
            // The caller is as fast alone.
            return Some(Threads { board, handles, count });
        }
        for number in 1..count {
            let board = board.clone();
            let builder = thread::Builder::new().name(format!("glassnet-{number}"));
            match builder.spawn(move || board.serve(number)) {
                Ok(handle) => handles.push(handle),
                Err(_) => break,
            }
        }
        let count = handles.len() + 1;
        (count > 1).then_some(Threads { board, handles, count })
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// False if the team is busy, or has one core: nothing has been done then.
    pub(super) fn fork(&self, parts: usize, f: &(dyn Fn(usize) + Sync)) -> bool {
        let board = &*self.board;
        if self.handles.is_empty() || board.busy.swap(true, Ordering::Acquire) {
            return false;
        }
        let count = self.count;
        // Only the holder of `busy` writes it.
        let forks = board.forks.load(Ordering::Relaxed);
        board.forks.store((forks + 1).min(FIRST), Ordering::Relaxed);
        // SAFETY: only the lifetime is changed. The pointer is used by a thread only while its desk is TAKEN, and this
        // function does not leave, not even by a panic, before every desk is neither POSTED nor TAKEN.
        let f_static: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(f) };
        let job = Job { f: f_static, parts, count, core: place::core() };
        // Threads without a part are left in peace.
        let helpers = &self.handles[..self.handles.len().min(parts - 1)];
        for (desk, handle) in board.desks.iter().zip(helpers) {
            // SAFETY: `busy` is ours and the desk is neither POSTED nor TAKEN, so its thread does not read the job.
            unsafe { *desk.job.get() = Some(job) };
            if desk.state.swap(POSTED, Ordering::AcqRel) == ASLEEP {
                handle.thread().unpark();
            }
        }
        let mut panic = catch_unwind(AssertUnwindSafe(|| run(f, parts, 0, count))).err();
        for (number, (desk, _)) in board.desks.iter().zip(helpers).enumerate() {
            let desk = &desk.state;
            if forks == FIRST && desk.compare_exchange(POSTED, IDLE, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                // It has not even begun: it was asleep, or has no core. Waiting for it would take longer.
                let late = catch_unwind(AssertUnwindSafe(|| run(f, parts, number + 1, count)));
                panic = panic.or(late.err());
                continue;
            }
            let mut looks = 0;
            while matches!(desk.load(Ordering::Acquire), POSTED | TAKEN) {
                if board.spins && looks < PATIENCE {
                    std::hint::spin_loop();
                    looks += 1;
                } else {
                    thread::yield_now();
                }
            }
        }
        let theirs = board.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        board.busy.store(false, Ordering::Release);
        if let Some(panic) = panic.or(theirs) {
            resume_unwind(panic);
        }
        true
    }
}

/// The parts of one thread.
fn run(f: &(dyn Fn(usize) + Sync), parts: usize, number: usize, count: usize) {
    for part in (number..parts).step_by(count) {
        f(part);
    }
}

impl Board {
    fn serve(&self, number: usize) {
        let Desk { state: desk, job } = &self.desks[number - 1];
        let mut cores = Cores::default();
        while self.wait(desk) {
            if desk.compare_exchange(POSTED, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_err() {
                continue;
            }
            // SAFETY: the desk is TAKEN, so the job was published to us and stays until we put the desk down.
            if let Some(job) = unsafe { *job.get() } {
                if self.spins
                    && job.core.is_some()
                    && let Some(core) = place::core()
                    && job.core == Some(core)
                {
                    cores.leave(core);
                }
                // SAFETY: as above; the caller of the fork keeps the closure alive until the desk is put down.
                let f = unsafe { &*job.f };
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(f, job.parts, number, job.count))) {
                    *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
                }
            }
            desk.store(IDLE, Ordering::Release);
        }
    }

    /// Waits until work is posted (it may be gone again by the time that we look); false if the thread is to end.
    fn wait(&self, desk: &AtomicU32) -> bool {
        let mut begin = None;
        loop {
            for _ in 0..LOOKS {
                match desk.load(Ordering::Acquire) {
                    POSTED => return true,
                    STOP => return false,
                    _ => std::hint::spin_loop(),
                }
            }
            let waited = begin.get_or_insert_with(Instant::now).elapsed();
            if self.spins && waited < SPIN {
                continue;
            }
            if self.spins && waited < GIVE_WAY {
                thread::yield_now();
            } else if desk.compare_exchange(IDLE, ASLEEP, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                while desk.load(Ordering::Acquire) == ASLEEP {
                    thread::park();
                }
                begin = None;
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        for (desk, handle) in self.board.desks.iter().zip(&self.handles) {
            desk.state.store(STOP, Ordering::Release);
            handle.thread().unpark();
        }
        for handle in self.handles.drain(..) {
            // A thread catches the panics of its work, so that it ends well.
            let _ = handle.join();
        }
    }
}
