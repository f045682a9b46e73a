//! Where the packed operands lie: each thread's own memory, grown once.

use std::cell::RefCell;

/// A cache line, so that panels start at one.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u32; 16]);

/// Pairs in a cache line.
const LINE: usize = 16;

thread_local! {
    static ROOM: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with this thread's room for at least `left` and `right` pairs and so many `sums`, what they hold left from
/// before.
pub(super) fn with_room(left: usize, right: usize, sums: usize, f: impl FnOnce(&mut [u32], &mut [u32], &mut [f32])) {
    ROOM.with_borrow_mut(|lines| {
        let left_lines = left.div_ceil(LINE);
        let right_lines = right.div_ceil(LINE);
        let needed = left_lines + right_lines + sums.div_ceil(LINE);
        if lines.len() < needed {
            lines.resize(needed, Line([0; LINE]));
        }
        let (a, b) = lines.split_at_mut(left_lines);
        let (b, sums) = b.split_at_mut(right_lines);
        f(flat(a), flat(b), flat(sums));
    });
}

/// A number of 32 bits, any of which are valid.
trait Plain {}
impl Plain for u32 {}
impl Plain for f32 {}

fn flat<T: Plain>(lines: &mut [Line]) -> &mut [T] {
    // SAFETY: a line is sixteen numbers of 32 bits, with nothing between one and the next, and any bits are one.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<T>(), lines.len() * LINE) }
}
