//! On which core a thread runs. A thread that is woken by its caller may be put on the caller's own core, and then waits
//! until that has done its part; it moves to any of its other cores instead. Only the team's own threads are ever moved,
//! and only then: who calls is the program's own business. Elsewhere than on Linux nothing is known and nobody moves.

/// The core of this thread, if it is known.
#[cfg(target_os = "linux")]
pub(super) fn core() -> Option<usize> {
    // SAFETY: takes nothing and touches no memory of ours.
    usize::try_from(unsafe { libc::sched_getcpu() }).ok()
}

/// The cores that a thread may use.
#[cfg(target_os = "linux")]
pub(super) struct Cores(libc::cpu_set_t);

#[cfg(target_os = "linux")]
impl Cores {
    /// Those of this thread; nothing where the system does not tell (more cores than the set can name).
    pub(super) fn own() -> Option<Self> {
        // SAFETY: a set of bits, all of them 0.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: 0 is this thread; the set is as large as we say.
        let answer = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) };
        (answer == 0).then_some(Cores(set))
    }

    /// Moves this thread to one of its cores other than `core`, where it has another. A refusal changes nothing.
    pub(super) fn leave(&self, core: usize) {
        let mut set = self.0;
        if core >= 8 * size_of::<libc::cpu_set_t>() {
            return;
        }
        // SAFETY: the set has a bit for the core, as checked above.
        unsafe { libc::CPU_CLR(core, &mut set) };
        // SAFETY: reads the set only.
        if unsafe { libc::CPU_COUNT(&set) } > 0 {
            // SAFETY: 0 is this thread; the set is as large as we say, and only read.
            unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) };
        }
    }
}

/// The core of this thread, if it is known.
#[cfg(not(target_os = "linux"))]
pub(super) fn core() -> Option<usize> {
    None
}

/// The cores that a thread may use.
#[cfg(not(target_os = "linux"))]
pub(super) struct Cores;

#[cfg(not(target_os = "linux"))]
impl Cores {
    /// Those of this thread: not known here.
    pub(super) fn own() -> Option<Self> {
        None
    }

    /// Nobody moves here.
    pub(super) fn leave(&self, _core: usize) {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_leaves_a_core_if_it_has_another() {
        std::thread::spawn(|| {
            let (Some(cores), Some(first)) = (Cores::own(), core()) else {
                panic!("the system tells neither cores nor core");
            };
            // SAFETY: reads the set only.
            let count = unsafe { libc::CPU_COUNT(&cores.0) };
            cores.leave(first);
            if count > 1 {
                assert_ne!(core(), Some(first));
                // The set is the one it began with, so the way back is open.
                let second = core().unwrap();
                cores.leave(second);
                assert_ne!(core(), Some(second));
            } else {
                assert_eq!(core(), Some(first));
            }
            cores.leave(usize::MAX);
        })
        .join()
        .unwrap();
    }
}
