//! What a convolution sees beyond the edge of its input: zeros, so many, or as many as keep the size.

/// Zeros around an input of `D` axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding<const D: usize> {
    /// So many before and as many after, along each axis.
    Zeros([usize; D]),
    /// As many as keep the size, with stride 1 only: dilation * (kernel - 1) in all, half of it (rounded down) before, the
    /// rest after, as PyTorch has it.
    Same,
}

impl<const D: usize> Padding<D> {
    /// Zeros before and after along axis `axis`, or `None` where they cannot be counted.
    pub(crate) fn around(self, axis: usize, kernel: usize, dilation: usize) -> Option<(usize, usize)> {
        match self {
            Padding::Zeros(zeros) => Some((zeros[axis], zeros[axis])),
            Padding::Same => {
                let total = dilation.checked_mul(kernel.checked_sub(1)?)?;
                Some((total / 2, total - total / 2))
            }
        }
    }
}
