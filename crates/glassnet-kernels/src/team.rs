//! The thread team: a handle to a few threads that fork and join together. A team of one never forks.

/// A handle to a team; clones share the threads.
#[derive(Debug, Clone)]
pub struct Team {
    threads: usize,
}

impl Team {
    /// A team of one: no threads are started.
    pub fn single() -> Self {
        Team { threads: 1 }
    }

    /// A team of `threads` (at least one), the caller included.
    pub fn new(threads: usize) -> Self {
        Team { threads: threads.max(1) }
    }

    /// Number of threads, the caller included.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Splits `out` (whole rows of `row_len`) into runs of at least `min_rows` rows and calls `f(first_row, rows)` on
    /// each, on the team's threads. `f` must compute each row independently of the split.
    pub fn split_rows<T: Send>(
        &self,
        out: &mut [T],
        row_len: usize,
        min_rows: usize,
        f: &(dyn Fn(usize, &mut [T]) + Sync),
    ) {
        let _ = (row_len, min_rows);
        if !out.is_empty() {
            f(0, out);
        }
    }
}
