//! Size of the updates against the weights, slot by slot: the evidence for steps too large or too small.

use glassnet_core::slots::Slots;
use glassnet_kernels::Real;

use crate::norm::sum_of_squares;

/// rms(update) / rms(weight) per slot, over one step or several. About 1e-3 is healthy for weights; far above, steps
/// are too large; far below, too small.
///
/// Measured on demand: [`UpdateSizes::before`] keeps a copy of the parameters, [`UpdateSizes::after`] compares. The copy
/// is allocated once, here; neither call allocates.
#[derive(Debug, Clone)]
pub struct UpdateSizes<T> {
    kept: Vec<T>,
    ratios: Vec<Option<f64>>,
}

impl<T: Real> UpdateSizes<T> {
    /// Room for parameters of that layout.
    pub fn new(slots: &Slots) -> Self {
        UpdateSizes { kept: vec![T::ZERO; slots.len()], ratios: vec![None; slots.iter().len()] }
    }

    /// Keeps the parameters as they are before the step.
    ///
    /// # Panics
    /// If `parameters` has not the length of the layout.
    pub fn before(&mut self, parameters: &[T]) {
        self.kept.copy_from_slice(parameters);
    }

    /// The ratios of what has changed since [`UpdateSizes::before`], in the slots' order. `None` for a statistic, and for
    /// a slot that was all zero (a fresh bias), where there is nothing to compare with.
    ///
    /// # Panics
    /// If `parameters` has not the length of the layout.
    pub fn after(&mut self, slots: &Slots, parameters: &[T]) -> &[Option<f64>] {
        assert_eq!(parameters.len(), self.kept.len(), "parameters are a flat buffer of the layout");
        for (ratio, slot) in self.ratios.iter_mut().zip(slots.iter()) {
            let old = &mut self.kept[slot.range()];
            let weight = sum_of_squares(old);
            for (old, &new) in old.iter_mut().zip(&parameters[slot.range()]) {
                *old = new - *old;
            }
            let update = sum_of_squares(old);
            *ratio = (weight > 0.0 && !slot.role.is_statistic()).then(|| (update / weight).sqrt());
        }
        // The copy now holds differences; make it good for a second `after`.
        self.kept.copy_from_slice(parameters);
        &self.ratios
    }

    /// The parameters that were kept last: those from before the last measured step until [`UpdateSizes::after`], then
    /// those from after it.
    pub fn kept(&self) -> &[T] {
        &self.kept
    }

    /// Takes up what [`UpdateSizes::kept`] and [`UpdateSizes::ratios`] gave.
    ///
    /// # Panics
    /// If `kept` has not the length of the layout.
    pub(crate) fn restore(&mut self, kept: &[T], ratios: impl IntoIterator<Item = Option<f64>>) {
        self.kept.copy_from_slice(kept);
        for (own, ratio) in self.ratios.iter_mut().zip(ratios) {
            *own = ratio;
        }
    }

    /// The ratios that were measured last.
    pub fn ratios(&self) -> &[Option<f64>] {
        &self.ratios
    }
}
