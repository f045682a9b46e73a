//! Matrix products of bfloat16 numbers with sums in f32, in a fixed order. Matrices are row-major slices of f32.
//!
//! The operands are rounded to bfloat16 ([`round`]: 8 significant bits, the range of f32) as they are packed; memory
//! keeps f32. An element of a product is one chain from +0 in increasing pairs of k: of each pair (k, k + 1) the odd
//! element first, then the even one, an odd last element paired with zero ([`step`]). Each half is one fused
//! multiply-add, and a result below the normal numbers becomes zero. That is what the instruction VDPBF16PS does
//! (AVX512-BF16); processors without it compute the same bytes with fused multiply-adds, slowly.
//!
//! As in [`crate::product`] a sum over examples (`product_tn`) runs in blocks of [`BLOCK`] rows, one chain a block, blocks
//! added in order in f32 to what the destination holds; tiles, panels, threads and instruction sets leave the bytes alone.
//! [`mod@reference`] has the definition in plain loops.

mod driver;
mod number;
mod pack;
#[cfg(target_arch = "x86_64")]
mod pack_x86;
mod peak;
pub mod reference;
mod room;
mod tile;

use crate::Team;
use crate::lanes::{Isa, current};
use crate::product::{BLOCK, Finish};
use driver::{Left, Product, Right};
pub use number::{round, step};
pub use peak::Peak;

/// Elements of finished rows that are worth a thread.
const FINISH_PART: usize = 1 << 14;

/// How the chains are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// With VDPBF16PS.
    Instruction,
    /// With fused multiply-adds of an instruction set.
    Emulated(Isa),
}

/// Whether the processor has AVX512-BF16, with what it builds on.
fn has_instruction() -> bool {
    #[cfg(target_arch = "x86_64")]
    let there = Isa::Avx512.available() && is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    let there = false;
    there
}

impl Way {
    /// The fastest way that an instruction set allows.
    fn of(isa: Isa) -> Self {
        if isa == Isa::Avx512 && has_instruction() { Way::Instruction } else { Way::Emulated(isa) }
    }
}

/// Whether the products here run on the processor's own instruction; else they are emulated, with the same bytes.
pub fn accelerated() -> bool {
    Way::of(current()) == Way::Instruction
}

/// `c[m,n] = a[m,k] b[n,k]^T`, then `finish` once on every row: a linear layer's forward pass.
///
/// # Panics
/// Where a slice holds fewer elements than that.
#[allow(clippy::too_many_arguments)]
pub fn product_nt(
    team: &Team,
    m: usize,
    n: usize,
    k: usize,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    finish: Option<&Finish<f32>>,
) {
    let product = Product { m, n, k, a, left: Left::Rows, b, right: Right::Columns };
    let parts = driver::run(Way::of(current()), team, &product, c);
    let Some(finish) = finish else { return };
    let c = &mut c[..m * n];
    if c.is_empty() {
        return;
    }
    if parts > 1 {
        team.split_rows(c, n, FINISH_PART.div_ceil(n), finish);
    } else {
        finish(0, c);
    }
}

/// `c[m,n] = a[m,k] b[k,n]`: the gradient of a linear layer's input.
///
/// # Panics
/// Where a slice holds fewer elements than that.
pub fn product_nn(team: &Team, m: usize, n: usize, k: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    let product = Product { m, n, k, a, left: Left::Rows, b, right: Right::Rows };
    driver::run(Way::of(current()), team, &product, c);
}

/// `c[m,n] += a[k,m]^T b[k,n]`, k summed in blocks of [`BLOCK`]: the gradient of a linear layer's weight.
///
/// # Panics
/// Where a slice holds fewer elements than that.
pub fn product_tn(team: &Team, m: usize, n: usize, k: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    let product = Product { m, n, k, a, left: Left::Columns, b, right: Right::Rows };
    driver::run(Way::of(current()), team, &product, c);
}
