//! On which core a thread runs. A thread that is woken by its caller may be put on the caller's own core, and then waits
//! until that has done its part; it moves to any of its other cores instead, by an affinity mask without that core. Which
//! cores are its own is asked anew each time: a mask that somebody else has set meanwhile is kept to (the very mask of its last move aside,
//! which it takes for its own). Only the team's own
//! threads are ever moved, and only then: who calls is the program's own business. Elsewhere than on Linux nothing is known and nobody moves.

/// The core of this thread, if it is known.
#[cfg(target_os = "linux")]
pub(super) fn core() -> Option<usize> {
    // SAFETY: takes nothing and touches no memory of ours.
    usize::try_from(unsafe { libc::sched_getcpu() }).ok()
}

/// The cores that a thread has left.
#[cfg(target_os = "linux")]
#[derive(Default)]
pub(super) struct Cores {
    /// The last move: the mask that was found, and the one that was set.
    moved: Option<(libc::cpu_set_t, libc::cpu_set_t)>,
}

#[cfg(target_os = "linux")]
impl Cores {
    /// The cores that this thread may use now: the mask that the system tells, but where that is still the one of the last
    /// move, the mask from before it. Nothing where the system does not tell (more cores than the set can name).
    fn own(&self) -> Option<libc::cpu_set_t> {
        // SAFETY: a set of bits, all of them 0.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: 0 is this thread; the set is as large as we say.
        let answer = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) };
        let found = (answer == 0).then_some(set)?;
        match &self.moved {
            // SAFETY: reads both sets only.
            Some((before, after)) if unsafe { libc::CPU_EQUAL(&found, after) } => Some(*before),
            _ => Some(found),
        }
    }

    /// Moves this thread to one of its cores other than `core`, where it has another. A refusal changes nothing.
    pub(super) fn leave(&mut self, core: usize) {
        let Some(own) = self.own().filter(|_| core < 8 * size_of::<libc::cpu_set_t>()) else { return };
        let mut set = own;
        // SAFETY: the set has a bit for the core, as checked above.
        unsafe { libc::CPU_CLR(core, &mut set) };
        // SAFETY: reads the set only.
        if unsafe { libc::CPU_COUNT(&set) } > 0 {
            // SAFETY: 0 is this thread; the set is as large as we say, and only read.
            let answer = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) };
            if answer == 0 {
                self.moved = Some((own, set));
            }
        }
    }
}

/// The core of this thread, if it is known.
#[cfg(not(target_os = "linux"))]
pub(super) fn core() -> Option<usize> {
    None
}

/// The cores that a thread has left: none here.
#[cfg(not(target_os = "linux"))]
#[derive(Default)]
pub(super) struct Cores;

#[cfg(not(target_os = "linux"))]
impl Cores {
    /// Nobody moves here.
    pub(super) fn leave(&mut self, _core: usize) {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_leaves_a_core_if_it_has_another() {
        std::thread::spawn(|| {
            let mut cores = Cores::default();
            let (Some(own), Some(first)) = (cores.own(), core()) else {
                panic!("the system tells neither cores nor core");
            };
            // SAFETY: reads the set only.
            let count = unsafe { libc::CPU_COUNT(&own) };
            cores.leave(first);
            if count > 1 {
                assert_ne!(core(), Some(first));
                // The cores are those that it began with, so the way back is open.
                let second = core().unwrap();
                cores.leave(second);
                assert_ne!(core(), Some(second));
                // A mask of somebody else's is kept to: with one core there is nowhere to go.
                // SAFETY: a set of bits, all of them 0, and one that it has room for.
                let mut one: libc::cpu_set_t = unsafe { std::mem::zeroed() };
                // SAFETY: as above.
                unsafe { libc::CPU_SET(second, &mut one) };
                // SAFETY: 0 is this thread; the set is as large as we say.
                let set = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const one) };
                assert_eq!(set, 0);
                cores.leave(second);
                assert_eq!(core(), Some(second));
            } else {
                assert_eq!(core(), Some(first));
            }
            cores.leave(usize::MAX);
        })
        .join()
        .unwrap();
    }
}
