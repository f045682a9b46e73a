//! The three products of a convolution where the processor reads windows from the framed image itself
//! ([`glassnet_kernels::windows`]): no patch is copied. The same chains as those of the products with patches, so the
//! same bytes.

use glassnet_kernels::product::turn;
use glassnet_kernels::windows::{self, LANES, Windows, packed_len, with_table};

use super::super::patches::Frame;
use super::super::{Forward, Pass};
use super::{Convolution, FEW, FRAME_PART, Taps, images_at_once};
use crate::{Real, Team};

/// Multiply-adds that are worth a thread, as in the products.
const PART_WORK: usize = 1 << 18;

/// Where the elements of an image that windows are read from stand.
#[derive(Debug, Clone, Copy)]
struct Layout {
    /// The frame to write; `None` where the image can be read as it is.
    frame: Option<Frame>,
    row_len: usize,
    plane: usize,
}

impl Layout {
    fn of(frame: Frame) -> Self {
        let inside = frame.framed[0] <= frame.size[0] && frame.framed[1] <= frame.size[1];
        if frame.before == [0, 0] && frame.deal == 1 && inside {
            return Layout { frame: None, row_len: frame.size[1], plane: frame.size[0] * frame.size[1] };
        }
        Layout { frame: Some(frame), row_len: frame.row_len(), plane: frame.plane() }
    }

    /// Elements of a framed image of `channels`; 0 where there is none.
    fn room(&self, channels: usize) -> usize {
        self.frame.map_or(0, |_| channels * self.plane)
    }

    /// The image with its frame, in `room` or as it is.
    fn framed<'a, T: Real>(&self, image: &'a [T], room: &'a mut [T]) -> &'a [T] {
        match self.frame {
            Some(frame) => {
                frame.write(image, room);
                room
            }
            None => image,
        }
    }
}

impl Convolution {
    fn layout(&self) -> Layout {
        Layout::of(self.frame())
    }

    fn upstream_layout(&self) -> Layout {
        Layout::of(self.upstream_frame())
    }

    /// Rows of the turned upstream gradient and of the turned weight's gradient: the output channels of a group.
    fn padded_outputs(&self) -> usize {
        (self.outputs / self.groups).div_ceil(LANES) * LANES
    }

    fn input_size(&self) -> usize {
        self.axes[0].size * self.axes[1].size
    }

    /// Whether forward reads windows. With fewer examples than threads a product with patches is split by columns.
    pub(super) fn forward_windowed<T: Real>(&self, rows: usize, team: &Team) -> bool {
        let [down, across] = &self.axes;
        let layout = self.layout();
        rows >= team.threads()
            && self.outputs / self.groups >= FEW
            && u32::try_from(self.inputs * layout.plane).is_ok()
            && windows::ready::<T>([down.positions, across.positions], down.stride * layout.row_len)
    }

    /// Whether the gradient of the input reads windows.
    pub(super) fn backward_windowed<T: Real>(&self, rows: usize, team: &Team) -> bool {
        let layout = self.upstream_layout();
        rows >= team.threads()
            && self.inputs / self.groups >= FEW
            && u32::try_from(self.outputs * layout.plane).is_ok()
            && self.remainders().all(|(ty, tx)| windows::ready::<T>([ty.places, tx.places], layout.row_len))
    }

    /// Whether the gradient of the weight reads windows.
    pub(super) fn weight_windowed<T: Real>(&self) -> bool {
        self.forward_windowed::<T>(1, &Team::single())
    }

    fn remainders(&self) -> impl Iterator<Item = (Taps, Taps)> + '_ {
        let [down, across] = &self.axes;
        (0..down.remainders())
            .flat_map(move |ry| (0..across.remainders()).map(move |rx| (down.taps(ry), across.taps(rx))))
    }

    pub(super) fn windowed_scratch(&self, pass: Pass) -> usize {
        let (layout, upstream) = (self.layout(), self.upstream_layout());
        match pass {
            Pass::Forward | Pass::Predict => {
                self.groups * packed_len(self.outputs / self.groups, self.depth()) + layout.room(self.inputs)
            }
            Pass::Backward => {
                let image = self.weight_room();
                let sums = self.groups * self.depth() * self.padded_outputs();
                let packed: usize = self.remainders().map(|(ty, tx)| self.packed_remainder(&ty, &tx)).sum();
                let input = self.weights() + packed + self.input_product() + upstream.room(self.outputs);
                input.max(sums + image * images_at_once(image))
            }
        }
    }

    /// Room for an example in the gradient of the weight: the framed image and the turned upstream gradient.
    fn weight_room(&self) -> usize {
        self.layout().room(self.inputs) + self.groups * self.positions() * self.padded_outputs()
    }

    /// Room for the product of one remainder.
    fn input_product(&self) -> usize {
        let [down, across] = &self.axes;
        let strided = down.stride > 1 || across.stride > 1;
        if strided { self.inputs / self.groups * down.taps(0).places * across.taps(0).places } else { 0 }
    }

    fn packed_remainder(&self, ty: &Taps, tx: &Taps) -> usize {
        let depth = self.outputs / self.groups * ty.count * tx.count;
        self.groups * packed_len(self.inputs / self.groups, depth)
    }

    /// Places of the taps of a group, in the order of the weight's row.
    fn tap_places(&self, layout: &Layout, table: &mut [u32]) {
        let [down, across] = &self.axes;
        let deal = layout.frame.map_or(1, |frame| frame.deal);
        let dealt = layout.row_len / deal;
        let mut places = table.iter_mut();
        for channel in 0..self.inputs / self.groups {
            for i in 0..down.kernel {
                for (x, place) in (0..across.kernel).map(|j| j * across.dilation).zip(&mut places) {
                    let x = x % deal * dealt + x / deal;
                    *place = (channel * layout.plane + i * down.dilation * layout.row_len + x) as u32;
                }
            }
        }
    }

    pub(super) fn windowed_forward<T: Real>(&self, io: Forward<'_, T>) {
        let (x, weight) = (io.inputs[0], io.parameters[0]);
        let bias = if self.bias { Some(io.parameters[1]) } else { None };
        let (layout, positions, depth) = (self.layout(), self.positions(), self.depth());
        let [down, across] = &self.axes;
        let (inputs, outputs) = (self.inputs / self.groups, self.outputs / self.groups);
        let row = self.inputs * self.input_size();
        let each = packed_len(outputs, depth);
        let (packed, rooms) = io.scratch.split_at_mut(self.groups * each);
        for (weight, packed) in weight.chunks_exact(outputs * depth).zip(packed.chunks_exact_mut(each)) {
            windows::pack(outputs, depth, weight, packed);
        }
        let packed = &*packed;
        let at = ([down.positions, across.positions], down.stride * layout.row_len);
        let room = layout.room(self.inputs);
        let curve = io.curve;
        io.context.team.split_with_room(io.output, self.outputs * positions, rooms, room, &|first, y, room| {
            with_table(depth, |table| {
                self.tap_places(&layout, table);
                for (e, y) in y.chunks_exact_mut(self.outputs * positions).enumerate() {
                    let image = layout.framed(&x[(first + e) * row..][..row], room);
                    for (group, y) in y.chunks_exact_mut(outputs * positions).enumerate() {
                        let image = &image[group * inputs * layout.plane..][..inputs * layout.plane];
                        let windows = Windows::new(image, table, at.0, at.1);
                        let bias = bias.map(|bias| &bias[group * outputs..][..outputs]);
                        windows::product(outputs, &packed[group * each..][..each], &windows, bias, y);
                    }
                    if let Some(curve) = curve {
                        curve.apply_in_place(y);
                    }
                }
            });
        });
    }

    pub(super) fn windowed_input_gradient<T: Real>(
        &self,
        team: &Team,
        upstream: &[T],
        weight: &[T],
        dx: &mut [T],
        scratch: &mut [T],
    ) {
        let (turned, scratch) = scratch.split_at_mut(self.weights());
        self.turn(weight, turned);
        let (inputs, outputs) = (self.inputs / self.groups, self.outputs / self.groups);
        let all: usize = self.remainders().map(|(ty, tx)| self.packed_remainder(&ty, &tx)).sum();
        let (packed, rooms) = scratch.split_at_mut(all);
        let (mut from, mut to) = (&*turned, &mut packed[..]);
        let mut most = 0;
        for (ty, tx) in self.remainders() {
            let depth = outputs * ty.count * tx.count;
            most += depth;
            for _ in 0..self.groups {
                let (weight, rest) = from.split_at(inputs * depth);
                let (packed, room) = to.split_at_mut(packed_len(inputs, depth));
                windows::pack(inputs, depth, weight, packed);
                (from, to) = (rest, room);
            }
        }
        let packed = &*packed;
        let layout = self.upstream_layout();
        let row = self.outputs * self.positions();
        let product_room = self.input_product();
        let room = product_room + layout.room(self.outputs);
        let example = self.inputs * self.input_size();
        team.split_with_room(dx, example, rooms, room, &|first, dx, room| {
            let (product, room) = room.split_at_mut(product_room.min(room.len()));
            with_table(most, |table| {
                self.upstream_places(&layout, table);
                for (e, dx) in dx.chunks_exact_mut(example).enumerate() {
                    let upstream = layout.framed(&upstream[(first + e) * row..][..row], room);
                    self.windowed_example(&layout, upstream, packed, table, dx, product);
                }
            });
        });
    }

    /// Places of the taps of each remainder, one after the other, for one group.
    fn upstream_places(&self, layout: &Layout, table: &mut [u32]) {
        let [top, left] = self.upstream_frame().before.map(|zeros| zeros as isize);
        let mut places = table.iter_mut();
        for (ty, tx) in self.remainders() {
            for channel in 0..self.outputs / self.groups {
                for i in 0..ty.count as isize {
                    let y = ty.reach + top + i * ty.reach_step;
                    for (j, place) in (0..tx.count as isize).zip(&mut places) {
                        let x = tx.reach + left + j * tx.reach_step;
                        *place = (channel * layout.plane + y as usize * layout.row_len + x as usize) as u32;
                    }
                }
            }
        }
    }

    /// The gradient of one example's input.
    fn windowed_example<T: Real>(
        &self,
        layout: &Layout,
        upstream: &[T],
        mut packed: &[T],
        mut table: &[u32],
        dx: &mut [T],
        room: &mut [T],
    ) {
        let [down, across] = &self.axes;
        let (inputs, outputs, size) = (self.inputs / self.groups, self.outputs / self.groups, self.input_size());
        let strided = down.stride > 1 || across.stride > 1;
        for (number, (ty, tx)) in self.remainders().enumerate() {
            let (ry, rx) = (number / across.remainders(), number % across.remainders());
            let (taps, rest) = table.split_at(outputs * ty.count * tx.count);
            table = rest;
            let positions = ty.places * tx.places;
            for (group, dx) in dx.chunks_exact_mut(inputs * size).enumerate() {
                let image = &upstream[group * outputs * layout.plane..][..outputs * layout.plane];
                let windows = Windows::new(image, taps, [ty.places, tx.places], layout.row_len);
                let (weight, rest) = packed.split_at(packed_len(inputs, taps.len()));
                packed = rest;
                if !strided {
                    windows::product(inputs, weight, &windows, None, dx);
                    continue;
                }
                let room = &mut room[..inputs * positions];
                windows::product(inputs, weight, &windows, None, room);
                for (to, from) in dx.chunks_exact_mut(size).zip(room.chunks_exact(positions)) {
                    for (i, from) in from.chunks_exact(tx.places).enumerate() {
                        let to = &mut to[(ry + i * down.stride) * across.size + rx..];
                        for (to, &from) in to.iter_mut().step_by(across.stride).zip(from) {
                            *to = from;
                        }
                    }
                }
            }
        }
    }

    pub(super) fn windowed_weight_gradient<T: Real>(
        &self,
        team: &Team,
        rows: usize,
        x: &[T],
        upstream: &[T],
        dw: &mut [T],
        scratch: &mut [T],
    ) {
        let [down, across] = &self.axes;
        let (layout, positions, depth) = (self.layout(), self.positions(), self.depth());
        let (inputs, outputs, padded) = (self.inputs / self.groups, self.outputs / self.groups, self.padded_outputs());
        let (row, upstream_row) = (self.inputs * self.input_size(), self.outputs * positions);
        let (sums, rooms) = scratch.split_at_mut(self.groups * depth * padded);
        for (sums, dw) in sums.chunks_exact_mut(depth * padded).zip(dw.chunks_exact(outputs * depth)) {
            turn(dw, depth, outputs, padded, sums);
        }
        let (framed, room) = (layout.room(self.inputs), self.weight_room());
        let at_once = (rooms.len() / room.max(1)).max(1);
        for start in (0..rows).step_by(at_once) {
            let count = at_once.min(rows - start);
            let rooms = &mut rooms[..count * room];
            team.split_rows(rooms, room, FRAME_PART.div_ceil(room), &|first, rooms| {
                for (e, room) in rooms.chunks_exact_mut(room).enumerate() {
                    let e = start + first + e;
                    let (image, turned) = room.split_at_mut(framed);
                    layout.framed(&x[e * row..][..row], image);
                    let upstream = &upstream[e * upstream_row..][..upstream_row];
                    let groups = upstream.chunks_exact(outputs * positions);
                    for (upstream, turned) in groups.zip(turned.chunks_exact_mut(positions * padded)) {
                        turn(upstream, positions, outputs, padded, turned);
                    }
                }
            });
            let rooms = &*rooms;
            let min = PART_WORK.div_ceil(count * positions * padded);
            team.split_rows(sums, padded, min, &|first, sums| {
                with_table(depth, |table| {
                    self.tap_places(&layout, table);
                    let (mut tap, mut sums) = (first, sums);
                    while !sums.is_empty() {
                        // The run may begin and end in the middle of a group.
                        let (group, from) = (tap / depth, tap % depth);
                        let taps = (depth - from).min(sums.len() / padded);
                        let (own, rest) = sums.split_at_mut(taps * padded);
                        (tap, sums) = (tap + taps, rest);
                        for (e, room) in rooms.chunks_exact(room).enumerate() {
                            let image = match layout.frame {
                                Some(_) => &room[..framed],
                                None => &x[(start + e) * row..][..row],
                            };
                            let image = &image[group * inputs * layout.plane..][..inputs * layout.plane];
                            let turned = &room[framed + group * positions * padded..][..positions * padded];
                            let at = [down.positions, across.positions];
                            let taps = &table[from..from + taps];
                            let windows = Windows::new(image, taps, at, down.stride * layout.row_len);
                            windows::add_upstream(padded, turned, &windows, own);
                        }
                    }
                });
            });
        }
        for (sums, dw) in sums.chunks_exact(depth * padded).zip(dw.chunks_exact_mut(outputs * depth)) {
            turn(sums, padded, depth, depth, dw);
        }
    }
}
