//! Placing buffers in the arena: two buffers may share memory when they are never alive at the same step.

/// A buffer with the first and last step at which it is alive.
#[derive(Debug, Clone)]
pub(super) struct Buffer {
    pub width: usize,
    pub per_batch: bool,
    pub size: usize,
    pub first: usize,
    pub last: usize,
    pub offset: usize,
}

/// Buffers start at multiples of this many elements (64 bytes of f32).
const ALIGN: usize = 16;

/// Gives each buffer an offset, largest first, at the lowest place that is free during its life; returns the arena's length.
/// Largest first wastes little: small buffers fill the gaps that large ones leave (Pisarchyk & Lee 2020, greedy by size).
pub(super) fn place(buffers: &mut [Buffer]) -> usize {
    let mut order: Vec<usize> = (0..buffers.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(buffers[i].size), i));
    let mut placed: Vec<usize> = Vec::new();
    let mut length = 0;
    for &current in &order {
        let (first, last, size) = (buffers[current].first, buffers[current].last, buffers[current].size);
        let mut busy: Vec<(usize, usize)> = placed
            .iter()
            .map(|&i| &buffers[i])
            .filter(|other| other.first <= last && first <= other.last)
            .map(|other| (other.offset, other.offset + other.size))
            .collect();
        busy.sort_unstable();
        let mut offset = 0;
        for (start, end) in busy {
            if offset + size <= start {
                break;
            }
            offset = offset.max(end.next_multiple_of(ALIGN));
        }
        buffers[current].offset = offset;
        length = length.max(offset + size);
        placed.push(current);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(size: usize, first: usize, last: usize) -> Buffer {
        Buffer { width: size, per_batch: false, size, first, last, offset: 0 }
    }

    #[test]
    fn buffers_alive_together_never_overlap() {
        let mut buffers: Vec<Buffer> =
            (0..40).map(|i| buffer(1 + (i * 37) % 90, (i * 7) % 20, (i * 7) % 20 + (i * 3) % 9)).collect();
        let length = place(&mut buffers);
        for (i, a) in buffers.iter().enumerate() {
            assert!(a.offset + a.size <= length);
            for b in &buffers[i + 1..] {
                let together = a.first <= b.last && b.first <= a.last;
                let overlap = a.offset < b.offset + b.size && b.offset < a.offset + a.size;
                assert!(!(together && overlap), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn memory_is_used_again() {
        let mut buffers: Vec<Buffer> = (0..10).map(|i| buffer(64, i, i + 1)).collect();
        assert_eq!(place(&mut buffers), 128);
    }
}
