//! What the convolutions of one and two axes share: shape rule, forward, backward, reference. Along one axis, `[C, L]` is
//! an image `[C, 1, L]`.
//!
//! Forward is a product for each example and group: weight `[channels / groups, K]` times patches `[K, positions]`, with K =
//! (C / groups) kh kw, so an element is one chain of fused multiply-adds in the order (channel, kernel row, kernel column);
//! a zero of the padding takes part. The bias is added after the chain.
//!
//! Gradient of the input: also a product, of the turned weight with patches of the upstream gradient. An element is one
//! chain in the order (output channel, kernel row, kernel column) over the taps that reach it, and no patch is folded back.
//! With a stride, each remainder of the input's row and column has taps of its own and is a product of its own; no
//! multiplication is wasted on zeros between.
//!
//! Gradient of the weight: a sum over (example, position). Each example runs in blocks of 1,024 positions, one chain a block
//! from +0, blocks added in the order of (example, position) to what the gradient holds.
//! Gradient of the bias: an example's positions are a row, summed in 16 lanes joined by the tree 8-4-2-1; these sums
//! are added in the order of examples.

mod windowed;

use glassnet_kernels::product::{product_nn_filled, product_nt_filled};
use glassnet_kernels::{Kernel, reduce, vectorized};

use super::direct::{self, FEW};
use super::padding::Padding;
use super::patches::{Frame, Patches};
use super::{Backward, Cost, Forward, Operands, Pass, SlotSpec};
use crate::shape::Shape;
use crate::slots::Role;
use crate::{Real, Team};

/// Attributes of a convolution, by axis: height, width.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes {
    pub channels: usize,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: Padding<2>,
    pub dilation: [usize; 2],
    pub groups: usize,
    pub bias: bool,
}

/// One axis of the image under the kernel.
#[derive(Debug, Clone, Copy)]
struct Axis {
    size: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    positions: usize,
}

/// The taps that reach the places `remainder + stride * i` of an axis: tap `first + step * j` from position
/// `i + reach + reach_step * j`.
#[derive(Debug, Clone, Copy)]
struct Taps {
    first: usize,
    step: usize,
    count: usize,
    places: usize,
    reach: isize,
    reach_step: isize,
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

impl Axis {
    /// Extent of the framed input that the kernel sees.
    fn framed(&self) -> usize {
        (self.positions - 1) * self.stride + (self.kernel - 1) * self.dilation + 1
    }

    fn taps(&self, remainder: usize) -> Taps {
        let step = self.stride / common_divisor(self.stride, self.dilation);
        let place = remainder + self.before;
        let reaches = |tap: &usize| place % self.stride == tap * self.dilation % self.stride;
        let first = (0..step.min(self.kernel)).find(reaches);
        let reach = |tap: usize| (place as isize - (tap * self.dilation) as isize) / self.stride as isize;
        Taps {
            first: first.unwrap_or(0),
            step,
            count: first.map_or(0, |first| (self.kernel - 1 - first) / step + 1),
            places: (self.size - remainder).div_ceil(self.stride),
            reach: first.map_or(0, reach),
            reach_step: -((step * self.dilation / self.stride) as isize),
        }
    }

    /// Remainders that occur.
    fn remainders(&self) -> usize {
        self.stride.min(self.size)
    }

    /// Zeros before the upstream gradient, and its extent with them, so that every tap finds its position or a zero.
    fn upstream(&self) -> (usize, usize) {
        let (mut least, mut most) = (0, 0);
        for taps in (0..self.remainders()).map(|remainder| self.taps(remainder)).filter(|taps| taps.count > 0) {
            least = least.min(taps.reach + (taps.count as isize - 1) * taps.reach_step);
            most = most.max(taps.places as isize - 1 + taps.reach);
        }
        (least.unsigned_abs(), (most - least) as usize + 1)
    }
}

/// A convolution with all sizes known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Convolution {
    /// Channels of the input.
    inputs: usize,
    /// Channels of the output.
    outputs: usize,
    groups: usize,
    axes: [Axis; 2],
    bias: bool,
}

/// `5 x 3`, or of an image of one row `3`.
fn extent(flat: bool, [height, width]: [usize; 2]) -> String {
    if flat { format!("{width}") } else { format!("{height} x {width}") }
}

impl Convolution {
    /// The convolution of `[channels, height, width]`; `input` is what the user knows it as, `flat` whether it has one axis.
    pub fn new(
        of: &Attributes,
        [inputs, height, width]: [usize; 3],
        input: &Shape,
        flat: bool,
    ) -> Result<Self, String> {
        let Attributes { channels, kernel, stride, padding, dilation, groups, bias } = *of;
        let shown = |sizes| extent(flat, sizes);
        if [channels, groups, kernel[0], kernel[1], stride[0], stride[1], dilation[0], dilation[1]].contains(&0) {
            return Err(format!(
                "channels, kernel, stride, dilation and groups must be positive, but they are {channels}, {}, {}, {} and {groups}",
                shown(kernel),
                shown(stride),
                shown(dilation)
            ));
        }
        if inputs == 0 || height == 0 || width == 0 {
            return Err(format!("the input {input} has no element; a convolution needs at least one along each axis"));
        }
        if inputs % groups != 0 || channels % groups != 0 {
            return Err(format!(
                "{groups} groups must divide the {inputs} channels of the input {input} and the {channels} channels of the \
                 output; choose a number of groups that divides both"
            ));
        }
        if padding == Padding::Same && stride != [1, 1] {
            return Err(format!(
                "padding `same` keeps the size and needs stride 1, but the stride is {}; give the padding as a number",
                shown(stride)
            ));
        }
        let axis = |axis: usize, size: usize| -> Option<Result<Axis, usize>> {
            let (kernel, stride, dilation) = (kernel[axis], stride[axis], dilation[axis]);
            let (before, after) = padding.around(axis, kernel, dilation)?;
            let padded = size.checked_add(before)?.checked_add(after)?;
            let spread = dilation.checked_mul(kernel - 1)?.checked_add(1)?;
            // Far from where sums of a few such sizes overflow.
            if padded.max(spread).max(stride) > isize::MAX as usize / 16 {
                return None;
            }
            Some(match padded.checked_sub(spread) {
                Some(room) => Ok(Axis { size, kernel, stride, dilation, before, positions: room / stride + 1 }),
                None => Err(spread),
            })
        };
        let too_large = || {
            format!(
                "a kernel of {} with {channels} channels on the input {input} needs more memory than can be addressed; use \
                 smaller sizes",
                shown(kernel)
            )
        };
        let (Some(down), Some(across)) = (axis(0, height), axis(1, width)) else { return Err(too_large()) };
        let (Ok(down), Ok(across)) = (down, across) else {
            let zeros = match padding {
                Padding::Zeros(zeros) => zeros,
                Padding::Same => [0, 0],
            };
            let spread = [dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1];
            let spread = if spread == kernel { String::new() } else { format!(" (spread to {})", shown(spread)) };
            return Err(format!(
                "a kernel of {}{spread} does not fit the input {input}, which is {} with its padding; use a smaller kernel \
                 or more padding",
                shown(kernel),
                shown([height + 2 * zeros[0], width + 2 * zeros[1]])
            ));
        };
        let made = Convolution { inputs, outputs: channels, groups, axes: [down, across], bias };
        if made.countable() { Ok(made) } else { Err(too_large()) }
    }

    /// Whether all that is kept for one example can be counted.
    fn countable(&self) -> bool {
        let product = |sizes: &[usize]| {
            sizes.iter().try_fold(64usize, |all, &size| all.checked_mul(size)).is_some_and(|all| all < usize::MAX / 64)
        };
        let [down, across] = &self.axes;
        let framed =
            |axis: &Axis| axis.positions.saturating_mul(axis.stride).saturating_add(axis.kernel * axis.dilation);
        product(&[self.inputs, framed(down), framed(across).saturating_add(across.stride)])
            && product(&[self.outputs, self.inputs, down.kernel, across.kernel])
            && product(&[self.outputs, down.positions, across.positions])
            && product(&[self.outputs, down.upstream().1, across.upstream().1])
    }

    /// Shape of the output.
    pub fn output(&self) -> [usize; 3] {
        [self.outputs, self.axes[0].positions, self.axes[1].positions]
    }

    /// Weight and bias; a `flat` weight has no axis for the height.
    pub fn slots(&self, flat: bool) -> Vec<SlotSpec> {
        let [down, across] = &self.axes;
        let mut shape = vec![self.outputs, self.inputs / self.groups, down.kernel, across.kernel];
        if flat {
            shape.remove(2);
        }
        let mut slots = vec![SlotSpec { name: "weight", shape, role: Role::Weight }];
        if self.bias {
            slots.push(SlotSpec { name: "bias", shape: vec![self.outputs], role: Role::Bias });
        }
        slots
    }

    /// Length of a chain of forward.
    fn depth(&self) -> usize {
        self.inputs / self.groups * self.axes[0].kernel * self.axes[1].kernel
    }

    fn positions(&self) -> usize {
        self.axes[0].positions * self.axes[1].positions
    }

    fn weights(&self) -> usize {
        self.outputs * self.depth()
    }

    pub fn cost(&self) -> Cost {
        let product = self.product_cost();
        let bias = if self.bias { (self.outputs * self.positions()) as u64 } else { 0 };
        Cost { forward: product + bias, backward: 2 * product + bias }
    }

    /// Of one of its three products: the value, the gradient of the weights, the gradient of the input.
    pub fn product_cost(&self) -> u64 {
        2 * (self.weights() * self.positions()) as u64
    }

    fn frame(&self) -> Frame {
        let [down, across] = &self.axes;
        Frame {
            size: [down.size, across.size],
            before: [down.before, across.before],
            framed: [down.framed(), across.framed()],
            deal: across.stride,
        }
    }

    /// The patches of framed inputs.
    fn patches<'a, T>(&self, images: &'a [T]) -> Patches<'a, T> {
        let ([down, across], frame) = (&self.axes, self.frame());
        Patches {
            images,
            image: self.inputs * frame.plane(),
            groups: self.groups,
            channels: self.inputs / self.groups,
            frame,
            origin: 0,
            taps: [down.kernel, across.kernel],
            tap_step: [down.dilation as isize, across.dilation as isize],
            positions: [down.positions, across.positions],
            row_step: down.stride,
        }
    }

    fn upstream_frame(&self) -> Frame {
        let [down, across] = &self.axes;
        let ((top, height), (left, width)) = (down.upstream(), across.upstream());
        Frame { size: [down.positions, across.positions], before: [top, left], framed: [height, width], deal: 1 }
    }

    /// Room for the gradient of an input: the framed upstream gradient, and the product of one remainder.
    fn input_room(&self) -> usize {
        let [down, across] = &self.axes;
        let strided = down.stride > 1 || across.stride > 1;
        let product = if strided { down.taps(0).places * across.taps(0).places } else { 0 };
        self.outputs * self.upstream_frame().plane() + self.inputs / self.groups * product
    }

    pub fn scratch(&self, pass: Pass) -> usize {
        let image = self.inputs * self.frame().plane();
        let patches = match pass {
            Pass::Forward | Pass::Predict => image,
            Pass::Backward => self.weights() + self.input_room().max(image * images_at_once(image)),
        };
        patches.max(self.windowed_scratch(pass))
    }

    pub fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (x, weight) = (io.inputs[0], io.parameters[0]);
        let bias = if self.bias { Some(io.parameters[1]) } else { None };
        let (frame, positions, depth) = (self.frame(), self.positions(), self.depth());
        let channels = self.outputs / self.groups;
        let row = self.inputs * frame.size[0] * frame.size[1];
        let room = self.inputs * frame.plane();
        if self.forward_windowed::<T>(io.rows, io.context.team) {
            return self.windowed_forward(io);
        }
        each_example(io.context.team, io.output, self.outputs * positions, io.scratch, room, &|team, e, y, room| {
            frame.write(&x[e * row..][..row], room);
            let patches = self.patches(room);
            for (group, y) in y.chunks_exact_mut(channels * positions).enumerate() {
                let weight = &weight[group * channels * depth..][..channels * depth];
                product(team, [channels, positions, depth], weight, &patches, group, y);
                if let Some(bias) = bias {
                    vectorized(AddBias { bias: &bias[group * channels..][..channels], positions, rows: y });
                }
                if let Some(curve) = io.curve {
                    curve.apply_in_place(y);
                }
            }
        });
    }

    pub fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let (team, upstream) = (io.context.team, io.upstream);
        if let Some(dx) = &mut io.input_gradients[0] {
            if self.backward_windowed::<T>(io.rows, team) {
                self.windowed_input_gradient(team, upstream, io.parameters[0], dx, io.scratch);
            } else {
                self.input_gradient(team, upstream, io.parameters[0], dx, io.scratch);
            }
        }
        let (x, dw) = (io.inputs[0], &mut *io.parameter_gradients[0]);
        if self.weight_windowed::<T>() {
            self.windowed_weight_gradient(team, io.rows, x, upstream, dw, io.scratch);
        } else {
            self.weight_gradient(team, io.rows, x, upstream, dw, io.scratch);
        }
        if self.bias {
            let (rows, positions) = (io.rows, self.positions());
            let min = SUM_PART.div_ceil((rows * positions).max(1));
            team.split_rows(io.parameter_gradients[1], 1, min, &|first, sums| {
                for example in upstream.chunks_exact(self.outputs * positions) {
                    for (channel, sum) in sums.iter_mut().enumerate() {
                        *sum += reduce::sum(&example[(first + channel) * positions..][..positions]);
                    }
                }
            });
        }
    }

    fn weight_gradient<T: Real>(
        &self,
        team: &Team,
        rows: usize,
        x: &[T],
        upstream: &[T],
        dw: &mut [T],
        scratch: &mut [T],
    ) {
        let (frame, positions) = (self.frame(), self.positions());
        let row = self.inputs * frame.size[0] * frame.size[1];
        let image = self.inputs * frame.plane();
        let at_once = (scratch.len() / image.max(1)).max(1);
        for start in (0..rows).step_by(at_once) {
            let count = at_once.min(rows - start);
            let images = &mut scratch[..count * image];
            team.split_rows(images, image, FRAME_PART.div_ceil(image), &|first, images| {
                for (i, framed) in images.chunks_exact_mut(image).enumerate() {
                    frame.write(&x[(start + first + i) * row..][..row], framed);
                }
            });
            let patches = self.patches(images);
            let upstream = &upstream[start * self.outputs * positions..][..count * self.outputs * positions];
            let channels = self.outputs / self.groups;
            product_nt_filled(team, count, self.groups, channels, self.depth(), positions, upstream, &patches, dw);
        }
    }

    fn input_gradient<T: Real>(&self, team: &Team, upstream: &[T], weight: &[T], dx: &mut [T], scratch: &mut [T]) {
        let (turned, scratch) = scratch.split_at_mut(self.weights());
        self.turn(weight, turned);
        let turned = &*turned;
        let [down, across] = &self.axes;
        let frame = self.upstream_frame();
        let (size, channels) = (down.size * across.size, self.inputs / self.groups);
        let (row, strided) = (self.outputs * self.positions(), down.stride > 1 || across.stride > 1);
        let room = self.input_room();
        each_example(team, dx, self.inputs * size, scratch, room, &|team, e, dx, room| {
            let (framed, room) = room.split_at_mut(self.outputs * frame.plane());
            frame.write(&upstream[e * row..][..row], framed);
            let mut turned = turned;
            for (ry, rx) in (0..down.remainders()).flat_map(|ry| (0..across.remainders()).map(move |rx| (ry, rx))) {
                let (ty, tx) = (down.taps(ry), across.taps(rx));
                let depth = self.outputs / self.groups * ty.count * tx.count;
                let positions = ty.places * tx.places;
                let [top, left] = frame.before.map(|zeros| zeros as isize);
                let origin = if depth > 0 {
                    (ty.reach + top) as usize * frame.row_len() + (tx.reach + left) as usize
                } else {
                    0
                };
                let patches = Patches {
                    images: framed,
                    image: 0,
                    groups: self.groups,
                    channels: self.outputs / self.groups,
                    frame,
                    origin,
                    taps: [ty.count, tx.count],
                    tap_step: [ty.reach_step, tx.reach_step],
                    positions: [ty.places, tx.places],
                    row_step: 1,
                };
                for (group, dx) in dx.chunks_exact_mut(channels * size).enumerate() {
                    let weight = &turned[group * channels * depth..];
                    if !strided {
                        product(team, [channels, positions, depth], weight, &patches, group, dx);
                        continue;
                    }
                    let room = &mut room[..channels * positions];
                    product(team, [channels, positions, depth], weight, &patches, group, room);
                    for (to, from) in dx.chunks_exact_mut(size).zip(room.chunks_exact(positions)) {
                        for (i, from) in from.chunks_exact(tx.places).enumerate() {
                            let to = &mut to[(ry + i * down.stride) * across.size + rx..];
                            for (to, &from) in to.iter_mut().step_by(across.stride).zip(from) {
                                *to = from;
                            }
                        }
                    }
                }
                turned = &turned[self.inputs * depth..];
            }
        });
    }

    /// The weight as the gradient of the input reads it: for each remainder, group and channel of the input, its taps in the
    /// order (output channel, kernel row, kernel column).
    fn turn<T: Real>(&self, weight: &[T], turned: &mut [T]) {
        let [down, across] = &self.axes;
        let (channels, outputs) = (self.inputs / self.groups, self.outputs / self.groups);
        let (kh, kw) = (down.kernel, across.kernel);
        let mut out = turned.iter_mut();
        for (ry, rx) in (0..down.remainders()).flat_map(|ry| (0..across.remainders()).map(move |rx| (ry, rx))) {
            let (ty, tx) = (down.taps(ry), across.taps(rx));
            for (group, channel) in (0..self.groups).flat_map(|g| (0..channels).map(move |c| (g, c))) {
                for output in group * outputs..(group + 1) * outputs {
                    let kernel = &weight[(output * channels + channel) * kh * kw..][..kh * kw];
                    for y in (0..ty.count).map(|i| ty.first + i * ty.step) {
                        for x in (0..tx.count).map(|j| tx.first + j * tx.step) {
                            if let Some(to) = out.next() {
                                *to = kernel[y * kw + x];
                            }
                        }
                    }
                }
            }
        }
    }

    pub fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (x, weight) = (operands.inputs[0], operands.parameters[0]);
        let [down, across] = &self.axes;
        let (per_group, outputs) = (self.inputs / self.groups, self.outputs / self.groups);
        let mut y = Vec::new();
        for image in x.chunks(self.inputs * down.size * across.size) {
            for output in 0..self.outputs {
                for (oy, ox) in (0..down.positions).flat_map(|oy| (0..across.positions).map(move |ox| (oy, ox))) {
                    let mut sum = if self.bias { operands.parameters[1][output] } else { 0.0 };
                    for channel in 0..per_group {
                        for (ky, kx) in (0..down.kernel).flat_map(|ky| (0..across.kernel).map(move |kx| (ky, kx))) {
                            let row = (oy * down.stride + ky * down.dilation).checked_sub(down.before);
                            let column = (ox * across.stride + kx * across.dilation).checked_sub(across.before);
                            let (Some(row), Some(column)) = (row, column) else { continue };
                            if row < down.size && column < across.size {
                                let from = output / outputs * per_group + channel;
                                sum += image[(from * down.size + row) * across.size + column]
                                    * weight[((output * per_group + channel) * down.kernel + ky) * across.kernel + kx];
                            }
                        }
                    }
                    y.push(sum);
                }
            }
        }
        y
    }
}

/// Elements of a bias gradient's sum that are worth a thread.
const SUM_PART: usize = 1 << 15;

/// Elements of framed images that are worth a thread.
const FRAME_PART: usize = 1 << 14;

/// Framed images that each thread keeps for the weight's gradient: some, so that threads seldom wait for each other.
fn images_at_once(image: usize) -> usize {
    (1usize << 16).checked_div(image).unwrap_or(1).clamp(1, 16)
}

/// `y[m, n] = weight[m, k] patches[k, n]` for group `group`, whichever way is faster: the bytes are the same.
fn product<T: Real>(
    team: &Team,
    [m, n, k]: [usize; 3],
    weight: &[T],
    patches: &Patches<'_, T>,
    group: usize,
    y: &mut [T],
) {
    if m < FEW && k > 0 {
        direct::product(weight, patches, group, y);
    } else {
        product_nn_filled(team, m, n, k, weight, patches, group, y);
    }
}

/// The work on one example: team, number, its row of the result, room.
type EachExample<'a, T> = dyn Fn(&Team, usize, &mut [T], &mut [T]) + Sync + 'a;

/// `f(team, example, row, room)` for each row of `out`: examples are spread over the threads, or, where there are fewer than
/// threads, each gets the whole team.
fn each_example<T: Real>(
    team: &Team,
    out: &mut [T],
    row_len: usize,
    scratch: &mut [T],
    room: usize,
    f: &EachExample<'_, T>,
) {
    if out.len() / row_len.max(1) < team.threads() {
        for (e, row) in out.chunks_exact_mut(row_len).enumerate() {
            f(team, e, row, &mut scratch[..room]);
        }
        return;
    }
    let single = Team::single();
    team.split_with_room(out, row_len, scratch, room, &|first, rows, room| {
        for (i, row) in rows.chunks_exact_mut(row_len).enumerate() {
            f(&single, first + i, row, room);
        }
    });
}

struct AddBias<'a, T> {
    bias: &'a [T],
    positions: usize,
    rows: &'a mut [T],
}

impl<T: Real> Kernel for AddBias<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (row, &bias) in self.rows.chunks_exact_mut(self.positions).zip(self.bias) {
            for y in row {
                *y += bias;
            }
        }
    }
}
