//! What the pooling operations share: which elements of an axis each output looks at.

use crate::shape::Shape;

/// An image `[C, H, W]`, or a signal `[C, L]` as an image of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Image {
    pub channels: usize,
    pub size: [usize; 2],
    /// Whether it came as `[C, L]`.
    pub flat: bool,
}

impl Image {
    pub fn new(name: &str, input: &Shape) -> Result<Self, String> {
        let (channels, size, flat) = match input.0[..] {
            [channels, height, width] => (channels, [height, width], false),
            [channels, length] => (channels, [1, length], true),
            _ => {
                return Err(format!(
                    "{name} needs images [B, C, H, W] or signals [B, C, L], but its input is {input}; reshape it to channels, \
                     height and width first"
                ));
            }
        };
        if input.is_empty() {
            return Err(format!("{name} needs at least one element along each axis, but its input is {input}"));
        }
        Ok(Image { channels, size, flat })
    }

    /// Elements of a channel.
    pub fn plane(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// The output's shape in the input's form.
    pub fn shape(&self, output: [usize; 2]) -> Shape {
        if self.flat {
            Shape::from([self.channels, output[1]])
        } else {
            Shape::from([self.channels, output[0], output[1]])
        }
    }
}

/// One axis under a window that moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    pub size: usize,
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
    pub padding: usize,
    pub positions: usize,
}

impl Axis {
    /// Positions that see an element of the input through tap `tap`, in order; position i sees element
    /// `i stride + tap dilation - padding`.
    pub fn seen(&self, tap: usize) -> std::ops::Range<usize> {
        let shift = tap * self.dilation;
        let first = self.padding.saturating_sub(shift).div_ceil(self.stride);
        let end = (self.size + self.padding).saturating_sub(shift).div_ceil(self.stride).min(self.positions);
        first.min(end)..end
    }

    /// The element that `position` sees through `tap`, where that is one.
    pub fn element(&self, position: usize, tap: usize) -> Option<usize> {
        (position * self.stride + tap * self.dilation).checked_sub(self.padding).filter(|&place| place < self.size)
    }

    /// The first tap through which `position` sees an element, or `kernel`.
    pub fn first_tap(&self, position: usize) -> usize {
        self.padding.saturating_sub(position * self.stride).div_ceil(self.dilation)
    }
}

/// Attributes of a window that moves over an image; pairs are height, width.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
}

fn shown(flat: bool, [height, width]: [usize; 2]) -> String {
    if flat && height == 1 { format!("{width}") } else { format!("{height} x {width}") }
}

impl Window {
    /// The image and its axes under the window.
    pub fn over(&self, name: &str, input: &Shape) -> Result<(Image, [Axis; 2]), String> {
        let image = Image::new(name, input)?;
        let &Window { kernel, stride, padding, dilation } = self;
        let shown = |sizes| shown(image.flat, sizes);
        if [kernel, stride, dilation].as_flattened().contains(&0) {
            return Err(format!(
                "{name}'s kernel, stride and dilation must be positive, but they are {}, {} and {}",
                shown(kernel),
                shown(stride),
                shown(dilation)
            ));
        }
        if padding[0] > kernel[0] / 2 || padding[1] > kernel[1] / 2 {
            return Err(format!(
                "{name}'s padding of {} is more than half of its kernel of {} on the input {input}; use less padding or a larger \
                 kernel",
                [padding[0].to_string(), padding[1].to_string()].join(" x "),
                [kernel[0].to_string(), kernel[1].to_string()].join(" x ")
            ));
        }
        let axis = |axis: usize| -> Option<Axis> {
            let (size, padding) = (image.size[axis], padding[axis]);
            let (kernel, stride, dilation) = (kernel[axis], stride[axis], dilation[axis]);
            let spread = dilation.checked_mul(kernel - 1)?.checked_add(1)?;
            let room = padding.checked_mul(2)?.checked_add(size)?.checked_sub(spread)?;
            Some(Axis { size, kernel, stride, dilation, padding, positions: room / stride + 1 })
        };
        let (Some(down), Some(across)) = (axis(0), axis(1)) else {
            let spread = if dilation == [1, 1] { String::new() } else { format!(" with dilation {}", shown(dilation)) };
            return Err(format!(
                "{name}'s kernel of {}{spread} does not fit the input {input} with a padding of {}; use a smaller kernel",
                shown(kernel),
                shown(padding)
            ));
        };
        for axis in [down, across] {
            let blind = |&position: &usize| {
                let tap = axis.first_tap(position);
                tap >= axis.kernel || axis.element(position, tap).is_none()
            };
            if let Some(position) = (0..axis.positions).find(blind) {
                return Err(format!(
                    "position {} of {name}'s kernel of {} with dilation {} sees nothing but padding on the input {input}; use less \
                     padding or dilation",
                    position + 1,
                    shown(kernel),
                    shown(dilation)
                ));
            }
        }
        Ok((image, [down, across]))
    }
}

/// Run of an axis of `size` that output `index` of `outputs` looks at: from floor(index size / outputs) to
/// ceil((index + 1) size / outputs), PyTorch's rule.
pub(super) fn share(size: usize, outputs: usize, index: usize) -> std::ops::Range<usize> {
    index * size / outputs..((index + 1) * size).div_ceil(outputs)
}

/// The image and the output of pooling to a given size.
pub(super) fn adapt(name: &str, input: &Shape, output: [usize; 2]) -> Result<Image, String> {
    let image = Image::new(name, input)?;
    if output.contains(&0) {
        return Err(format!("{name}'s output must be positive, but it is {} x {}", output[0], output[1]));
    }
    if image.flat && output[0] != 1 {
        return Err(format!(
            "{name} gives {} x {}, but its input {input} has one axis a channel; ask for 1 x {}",
            output[0], output[1], output[1]
        ));
    }
    let countable = |size: usize, output: usize| output.checked_add(1)?.checked_mul(size)?.checked_add(output);
    if countable(image.size[0], output[0]).is_none() || countable(image.size[1], output[1]).is_none() {
        return Err(format!("{name}'s output of {} x {} from {input} is too large to count", output[0], output[1]));
    }
    Ok(image)
}

/// Elements of output that are worth a thread.
pub(super) const PART: usize = 1 << 14;
