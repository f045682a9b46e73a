//! Parameters as one flat buffer of slots.
//!
//! A slot is a named, shaped piece of the buffer. Gradients and an optimizer's moments have the same layout, so an
//! optimizer is one pass over memory, a checkpoint a copy, and tied weights are two nodes that name one slot.

use glassnet_kernels::Real;

/// Number of a slot in its [`Slots`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub usize);

/// What a slot holds; decay and initialisation look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A matrix, `[fan_out, fan_in]`.
    Weight,
    /// A vector added.
    Bias,
    /// A vector multiplied.
    Scale,
    /// A table of vectors, one a token or a position: `[entries, width]`.
    Table,
    /// A mean that batches have told; 0 at first. See [`Role::is_statistic`].
    RunningMean,
    /// A variance that batches have told; 1 at first.
    RunningVariance,
    /// Edges of bins in increasing order, `[features, bins + 1]`, that the training rows have told before the first step.
    Edges,
}

impl Role {
    /// Whether it is what rows have told and not trained: saved with the parameters. Its "gradient" is the change that
    /// a step asks for, which the optimizer adds as it is; norms and clipping leave it out.
    pub fn is_statistic(self) -> bool {
        matches!(self, Role::RunningMean | Role::RunningVariance | Role::Edges)
    }
}

/// One named piece of the flat buffer.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// Name in the model file: `0.weight`.
    pub name: String,
    /// Shape, row-major; it stays as it was when the slot was added.
    pub shape: Vec<usize>,
    /// What it holds.
    pub role: Role,
    /// First element in the flat buffer.
    pub offset: usize,
    /// Factor of the learning rate.
    pub lr_factor: f64,
    /// Factor of the weight decay (0 for biases and scales by default).
    pub decay_factor: f64,
    /// The product of `shape`: a step asks for it many times.
    len: usize,
}

impl Slot {
    /// Number of elements.
    pub fn len(&self) -> usize {
        debug_assert_eq!(self.len, self.shape.iter().product(), "the shape of a slot stays");
        self.len
    }

    /// Whether the slot has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its place in the flat buffer.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.len()
    }
}

/// The layout of a network's parameters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Slots {
    slots: Vec<Slot>,
    len: usize,
}

impl Slots {
    /// Adds a slot at the end of the buffer.
    pub fn push(&mut self, name: impl Into<String>, shape: &[usize], role: Role) -> SlotId {
        let slot = Slot {
            name: name.into(),
            shape: shape.to_vec(),
            role,
            offset: self.len,
            lr_factor: 1.0,
            decay_factor: if matches!(role, Role::Weight | Role::Table) { 1.0 } else { 0.0 },
            len: shape.iter().product(),
        };
        self.len += slot.len;
        self.slots.push(slot);
        SlotId(self.slots.len() - 1)
    }

    /// Number of trained parameters: all elements but statistics.
    pub fn trained(&self) -> usize {
        self.slots.iter().filter(|slot| !slot.role.is_statistic()).map(Slot::len).sum()
    }

    /// The same of some slots.
    pub fn trained_of(&self, slots: &[SlotId]) -> usize {
        slots.iter().map(|&id| self.get(id)).filter(|slot| !slot.role.is_statistic()).map(Slot::len).sum()
    }

    /// Number of elements of the flat buffer, statistics included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no parameter.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The slots in the buffer's order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Slot> {
        self.slots.iter()
    }

    /// The slot of that number.
    pub fn get(&self, id: SlotId) -> &Slot {
        &self.slots[id.0]
    }

    /// The slot of that number, to change its factors.
    pub fn get_mut(&mut self, id: SlotId) -> &mut Slot {
        &mut self.slots[id.0]
    }

    /// The slot of that name.
    pub fn find(&self, name: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.name == name)
    }

    /// The elements of a slot in a buffer of this layout (parameters, gradients or moments).
    pub fn view<'a, T: Real>(&self, id: SlotId, buffer: &'a [T]) -> &'a [T] {
        &buffer[self.get(id).range()]
    }
}
