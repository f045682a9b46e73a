//! The thread team: a handle to a few threads that fork and join together. A team of one never forks.
//!
//! A thread waits for work by spinning, then by giving way, then asleep (`team/threads.rs`); one that finds itself on its
//! caller's core moves away (`team/place.rs`). A fork allocates nothing, and waits for no thread that has not begun: its
//! caller then does that thread's parts too, so that a thread that sleeps or has no core costs little. The exception are a
//! team's first 1,000 forks, which wait for every thread with a part: each then has taken early what it takes once (its
//! buffers), and later steps allocate nothing; a thread that has no core delays those forks. A team that is already forked (from inside its own work, or from another thread) lets the second caller work alone. All with the same
//! bytes: work is split by number, never by who does it. What it costs: docs/measurements/team.md.

#[cfg(not(target_arch = "wasm32"))]
mod place;
#[cfg(not(target_arch = "wasm32"))]
mod threads;

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
    /// as it allowed; [`Team::threads`] tells. On Linux a thread of the team that finds itself on its caller's core moves to
    /// another of those that it may use (its affinity mask is set without that core); the caller is never moved. In the browser (wasm32) a team has one.
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
    /// same part goes to the same thread every time, unless that thread is late (still asleep when the caller has done its
    /// own parts) or the team is busy: then the caller does them.
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
