//! The thread team: a handle to a few threads that fork and join together. A team of one never forks.
//!
//! Threads wait by spinning briefly, then yielding, then asleep on a condition variable. A fork allocates nothing. A
//! team that is already forked (from inside its own work, or from another thread) lets the second caller work alone,
//! with the same bytes: work is split by number, never by who does it.

use std::fmt;
#[cfg(not(target_arch = "wasm32"))]
use std::sync::Arc;

/// A handle to a team; clones share the threads, and the last one to go stops and joins them.
#[derive(Clone)]
pub struct Team {
    #[cfg(not(target_arch = "wasm32"))]
    threads: Option<Arc<threads::Threads>>,
}

impl fmt::Debug for Team {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Team").field("threads", &self.threads()).finish()
    }
}

/// A pointer that parts of a fork may carry; each part keeps to its own elements.
pub(crate) struct Shared<T>(*mut T);

// SAFETY: only an address; who dereferences it answers for disjointness, and T itself may be sent.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) fn new(slice: &mut [T]) -> Self {
        Shared(slice.as_mut_ptr())
    }

    pub(crate) fn pointer(&self) -> *mut T {
        self.0
    }
}

/// Part `part` of `parts` nearly equal runs of 0..total.
pub(crate) fn share(total: usize, parts: usize, part: usize) -> std::ops::Range<usize> {
    let (size, rest) = (total / parts, total % parts);
    let start = part * size + part.min(rest);
    start..start + size + usize::from(part < rest)
}

impl Team {
    /// A team of one: no threads are started.
    pub fn single() -> Self {
        Team {
            #[cfg(not(target_arch = "wasm32"))]
            threads: None,
        }
    }

    /// A team of `threads` (at least one), the caller included. Where the system refuses threads, the team is as large
    /// as it allowed; [`Team::threads`] tells. In the browser (wasm32) a team has one.
    pub fn new(threads: usize) -> Self {
        #[cfg(not(target_arch = "wasm32"))]
        if threads > 1 {
            return Team { threads: threads::Threads::start(threads).map(Arc::new) };
        }
        let _ = threads;
        Team::single()
    }

    /// Number of threads, the caller included.
    pub fn threads(&self) -> usize {
        #[cfg(not(target_arch = "wasm32"))]
        if let Some(threads) = &self.threads {
            return threads.count();
        }
        1
    }

    /// Calls `f(part)` once for every part of `0..parts`, spread over the threads, and returns when all are done. The
    /// same part goes to the same thread every time, unless the team is busy: then the caller does all parts in order.
    /// A panic in a part is passed on to the caller after all threads have come back.
    pub fn fork(&self, parts: usize, f: &(dyn Fn(usize) + Sync)) {
        #[cfg(not(target_arch = "wasm32"))]
        if let Some(threads) = &self.threads
            && parts > 1
            && threads.fork(parts, f)
        {
            return;
        }
        for part in 0..parts {
            f(part);
        }
    }

    /// Splits `out` (whole rows of `row_len`) into runs of at least `min_rows` rows and calls `f(first_row, rows)` on
    /// each, on the team's threads. `f` must compute each row independently of the split. Elements after the last whole
    /// row are left alone.
    pub fn split_rows<T: Send>(
        &self,
        out: &mut [T],
        row_len: usize,
        min_rows: usize,
        f: &(dyn Fn(usize, &mut [T]) + Sync),
    ) {
        let Some(rows) = out.len().checked_div(row_len) else {
            return;
        };
        debug_assert_eq!(rows * row_len, out.len());
        let parts = (rows / min_rows.max(1)).clamp(1, self.threads());
        if rows == 0 {
            return;
        }
        if parts == 1 {
            return f(0, &mut out[..rows * row_len]);
        }
        let start = Shared::new(out);
        self.fork(parts, &|part| {
            let range = share(rows, parts, part);
            // SAFETY: the shares of 0..rows are disjoint and within `out`, which is borrowed until the fork returns.
            let rows = unsafe {
                std::slice::from_raw_parts_mut(start.pointer().add(range.start * row_len), range.len() * row_len)
            };
            f(range.start, rows);
        });
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod threads {
    use std::any::Any;
    use std::cell::UnsafeCell;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Arc, Condvar, Mutex, PoisonError};
    use std::thread::{self, JoinHandle};

    /// Turns of a waiting thread before it yields, and yields before it sleeps: some tens of microseconds, longer
    /// than the pause between two forks of a training step.
    const SPINS: usize = 2_000;
    const YIELDS: usize = 100;

    #[derive(Clone, Copy)]
    struct Job {
        f: *const (dyn Fn(usize) + Sync),
        parts: usize,
    }

    /// What the threads see.
    struct Board {
        /// Taken by the caller of a fork.
        busy: AtomicBool,
        /// Number of forks so far; the job below belongs to it.
        round: AtomicUsize,
        job: UnsafeCell<Option<Job>>,
        /// Threads that have not finished the round.
        working: AtomicUsize,
        stop: AtomicBool,
        sleepers: AtomicUsize,
        door: Mutex<()>,
        bell: Condvar,
        panic: Mutex<Option<Box<dyn Any + Send>>>,
        spins: usize,
        count: AtomicUsize,
    }

    // SAFETY: `job` is written only by the holder of `busy` while `working` is 0, published by the release of `round`,
    // and read by the threads only between that and their release of `working`.
    unsafe impl Sync for Board {}
    // SAFETY: the pointer in `job` is to a Sync closure.
    unsafe impl Send for Board {}

    pub(super) struct Threads {
        board: Arc<Board>,
        handles: Vec<JoinHandle<()>>,
    }

    impl Threads {
        pub(super) fn start(count: usize) -> Option<Self> {
            // With fewer cores than threads, a spinning thread keeps the one it waits for from running.
            let cores = thread::available_parallelism().map_or(1, |n| n.get());
            let board = Arc::new(Board {
                busy: AtomicBool::new(false),
                round: AtomicUsize::new(0),
                job: UnsafeCell::new(None),
                working: AtomicUsize::new(0),
                stop: AtomicBool::new(false),
                sleepers: AtomicUsize::new(0),
                door: Mutex::new(()),
                bell: Condvar::new(),
                panic: Mutex::new(None),
                spins: if count <= cores { SPINS } else { 0 },
                count: AtomicUsize::new(1),
            });
            let mut handles = Vec::with_capacity(count - 1);
            for number in 1..count {
                let board = board.clone();
                let builder = thread::Builder::new().name(format!("glassnet-{number}"));
                match builder.spawn(move || board.serve(number)) {
                    Ok(handle) => handles.push(handle),
                    Err(_) => break,
                }
            }
            if handles.is_empty() {
                return None;
            }
            board.count.store(handles.len() + 1, Ordering::SeqCst);
            Some(Threads { board, handles })
        }

        pub(super) fn count(&self) -> usize {
            self.handles.len() + 1
        }

        /// False if the team is busy: nothing has been done then.
        pub(super) fn fork(&self, parts: usize, f: &(dyn Fn(usize) + Sync)) -> bool {
            let board = &*self.board;
            if board.busy.swap(true, Ordering::Acquire) {
                return false;
            }
            // SAFETY: only the lifetime is changed. The pointer is used by the threads before they count themselves
            // out of `working`, and this function does not leave, not even by a panic, before `working` is 0.
            let f_static: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(f) };
            // SAFETY: `busy` is ours and `working` is 0, so no thread reads the job.
            unsafe { *board.job.get() = Some(Job { f: f_static, parts }) };
            board.working.store(self.handles.len(), Ordering::Relaxed);
            board.round.fetch_add(1, Ordering::SeqCst);
            if board.sleepers.load(Ordering::SeqCst) > 0 {
                drop(board.door.lock().unwrap_or_else(PoisonError::into_inner));
                board.bell.notify_all();
            }
            let own = catch_unwind(AssertUnwindSafe(|| run(f, parts, 0, self.count())));
            let mut turns = 0;
            while board.working.load(Ordering::Acquire) > 0 {
                pause(&mut turns, board.spins);
            }
            let theirs = board.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
            board.busy.store(false, Ordering::Release);
            if let Some(panic) = own.err().or(theirs) {
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

    fn pause(turns: &mut usize, spins: usize) {
        if *turns < spins {
            std::hint::spin_loop();
        } else {
            thread::yield_now();
        }
        *turns += 1;
    }

    impl Board {
        fn serve(&self, number: usize) {
            let mut seen = 0;
            while self.wait(&mut seen) {
                // SAFETY: the round was published after the job, which stays until this thread leaves `working`.
                if let Some(job) = unsafe { *self.job.get() } {
                    // SAFETY: as above; the caller of the fork keeps the closure alive until `working` is 0.
                    let f = unsafe { &*job.f };
                    let count = self.count.load(Ordering::SeqCst);
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(f, job.parts, number, count))) {
                        *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
                    }
                }
                self.working.fetch_sub(1, Ordering::Release);
            }
        }

        /// Waits for the round after `seen`; false if the team is to stop.
        fn wait(&self, seen: &mut usize) -> bool {
            let news = |order| self.round.load(order) != *seen || self.stop.load(order);
            let mut turns = 0;
            while !news(Ordering::Acquire) {
                if turns < self.spins + YIELDS {
                    pause(&mut turns, self.spins);
                    continue;
                }
                let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
                // The caller raises `round`, then looks at `sleepers`; this is the other way about, so one sees the other.
                self.sleepers.fetch_add(1, Ordering::SeqCst);
                while !news(Ordering::SeqCst) {
                    door = self.bell.wait(door).unwrap_or_else(PoisonError::into_inner);
                }
                self.sleepers.fetch_sub(1, Ordering::SeqCst);
            }
            if self.stop.load(Ordering::Acquire) {
                return false;
            }
            // At most one round ahead: the next needs this thread to leave `working`.
            *seen = self.round.load(Ordering::Acquire);
            true
        }
    }

    impl Drop for Threads {
        fn drop(&mut self) {
            self.board.stop.store(true, Ordering::SeqCst);
            drop(self.board.door.lock().unwrap_or_else(PoisonError::into_inner));
            self.board.bell.notify_all();
            for handle in self.handles.drain(..) {
                // A thread catches the panics of its work, so that it ends well.
                let _ = handle.join();
            }
        }
    }
}
