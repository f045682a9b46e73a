//! Unfolding: the matrix of patches that turns a convolution into a product. Row (channel, tap) and column (position) hold
//! what that tap sees from that position. It is never written down as a whole (it is as many times larger than the image as
//! the kernel has taps): the product asks for a panel at a time.
//!
//! Patches are cut from an image with a frame of zeros around it. With a stride along the width, the columns of the framed
//! image are dealt out by their remainder, so that what one tap sees from neighbouring positions lies side by side.

use std::ops::Range;

use glassnet_kernels::product::Filled;
use glassnet_kernels::{Kernel, vectorized};

use crate::Real;

/// How an image is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// Rows and columns of the image.
    pub size: [usize; 2],
    /// Zeros above it and to its left.
    pub before: [usize; 2],
    /// Rows and columns of the framed image; what of the image lies beyond is cut off.
    pub framed: [usize; 2],
    /// The stride that columns are dealt out for.
    pub deal: usize,
}

impl Frame {
    /// Columns of one remainder.
    pub fn dealt(&self) -> usize {
        self.framed[1].div_ceil(self.deal)
    }

    /// Elements from a row to the next.
    pub fn row_len(&self) -> usize {
        self.dealt() * self.deal
    }

    /// Elements of a channel.
    pub fn plane(&self) -> usize {
        self.framed[0] * self.row_len()
    }

    /// Writes the framed image of each channel.
    pub fn write<T: Real>(&self, image: &[T], out: &mut [T]) {
        vectorized(Write { frame: *self, image, out });
    }
}

struct Write<'a, T> {
    frame: Frame,
    image: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> Kernel for Write<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Write { frame, image, out } = self;
        let ([height, width], [top, left]) = (frame.size, frame.before);
        let rows = height.min(frame.framed[0].saturating_sub(top));
        let columns = width.min(frame.framed[1].saturating_sub(left));
        let (row_len, dealt) = (frame.row_len(), frame.dealt());
        out.fill(T::ZERO);
        for (plane, channel) in out.chunks_exact_mut(frame.plane()).zip(image.chunks_exact(height * width)) {
            for (y, row) in channel.chunks_exact(width).enumerate().take(rows) {
                let to = &mut plane[(y + top) * row_len..][..row_len];
                if frame.deal == 1 {
                    to[left..left + columns].copy_from_slice(&row[..columns]);
                    continue;
                }
                for (x, &value) in row[..columns].iter().enumerate() {
                    let at = x + left;
                    to[at % frame.deal * dealt + at / frame.deal] = value;
                }
            }
        }
    }
}

/// The patches of framed images, of each term (example) and group of channels.
#[derive(Debug)]
pub(super) struct Patches<'a, T> {
    /// Framed images, one after the other.
    pub images: &'a [T],
    /// Elements of one.
    pub image: usize,
    /// Groups of channels.
    pub groups: usize,
    /// Channels of a group.
    pub channels: usize,
    /// How they are framed.
    pub frame: Frame,
    /// What the first tap sees from the first position: its place in a channel.
    pub origin: usize,
    /// Number of taps along height and width.
    pub taps: [usize; 2],
    /// Rows or columns of the framed image from a tap to the next.
    pub tap_step: [isize; 2],
    /// Number of positions along height and width.
    pub positions: [usize; 2],
    /// Rows of the framed image from a position to the next.
    pub row_step: usize,
}

/// Columns that are planned at once.
const PLANNED: usize = 128;

/// A run of columns of one image row: they go to `to`, and come from `from` for the tap at 0.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    to: usize,
    from: usize,
    len: usize,
}

struct CopyRuns<'a, 'b, T, const W: usize> {
    patches: &'a Patches<'b, T>,
    /// Where the group's first channel begins.
    first: usize,
    rows: Range<usize>,
    runs: &'a [Run],
    out: &'a mut [T],
    step: usize,
}

impl<T: Real, const W: usize> Kernel for CopyRuns<'_, '_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let CopyRuns { patches, first, rows, runs, out, step } = self;
        let [down, across] = patches.taps;
        let (deal, dealt) = (patches.frame.deal as isize, patches.frame.dealt() as isize);
        let row_len = patches.frame.row_len() as isize;
        let plane = patches.frame.plane();
        let (mut channel, tap) = (rows.start / (down * across), rows.start % (down * across));
        let (mut i, mut j) = (tap / across, tap % across);
        for row in 0..rows.len() {
            let (y, x) = (i as isize * patches.tap_step[0], j as isize * patches.tap_step[1]);
            let x = if deal == 1 { x } else { x % deal * dealt + x / deal };
            let start = (first + channel * plane).wrapping_add_signed(y * row_len + x);
            // A whole vector is copied where a run is shorter: what is too much is overwritten by the next run or row.
            for run in runs {
                let (to, from) = (row * step + run.to, start + run.from);
                let target = out.get_mut(to..to + W);
                let source = patches.images.get(from..from + W);
                if let (Some(target), Some(source)) = (target, source) {
                    target.copy_from_slice(source);
                } else {
                    out[to..to + run.len].copy_from_slice(&patches.images[from..from + run.len]);
                }
            }
            j += 1;
            if j == across {
                (i, j) = (i + 1, 0);
            }
            if i == down {
                (channel, i) = (channel + 1, 0);
            }
        }
    }
}

impl<T: Real> Filled<T> for Patches<'_, T> {
    fn fill(&self, number: usize, rows: Range<usize>, columns: Range<usize>, out: &mut [T], step: usize) {
        let row_len = self.frame.row_len();
        let [mut down, mut across] = self.positions;
        let row_step = self.row_step * row_len;
        if row_step == across {
            // Rows follow each other without a gap: one long row.
            (down, across) = (1, across * down);
        }
        let (term, group) = (number / self.groups, number % self.groups);
        let first = term * self.image + group * self.channels * self.frame.plane() + self.origin;
        let widest = if down == 1 || across > 8 { 16 } else { 8 };
        let mut start = columns.start;
        while start < columns.end {
            let end = columns.end.min(start + PLANNED);
            let mut runs = [Run::default(); PLANNED];
            let mut count = 0;
            let mut column = start;
            let (mut y, mut x) = (column / across, column % across);
            while column < end {
                let len = (end - column).min(across - x).min(widest);
                runs[count] = Run { to: column - start, from: y * row_step + x, len };
                (count, column, x) = (count + 1, column + len, x + len);
                if x == across {
                    (y, x) = (y + 1, 0);
                }
            }
            let (rows, runs, out) = (rows.clone(), &runs[..count], &mut out[start - columns.start..]);
            if widest == 16 {
                vectorized(CopyRuns::<T, 16> { patches: self, first, rows, runs, out, step });
            } else {
                vectorized(CopyRuns::<T, 8> { patches: self, first, rows, runs, out, step });
            }
            start = end;
        }
    }
}
