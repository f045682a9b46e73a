//! tanh x: x + x^3 P(x^2) below 0.625, 1 - 2 / (e^(2x) + 1) above (the split of Cephes' `tanh.c`).

use super::exp::{exp_inside32, exp_inside64};

/// tanh x; error below 1.5 ulp. Exactly 1 from 22 on.
#[inline(always)]
pub(crate) fn tanh64(x: f64) -> f64 {
    let z = x * x;
    let small = (x * z).mul_add(poly!(z; -0.3333333333333333, 0.13333333333333042, -0.05396825396789699, 0.021869488519008305, -0.008863235103240878, 0.0035921217511549622, -0.0014557754120478055, 0.0005896606577757043, -0.0002375906496055562, 9.257116129556769e-05, -3.12011014257974e-05, 6.485163482793113e-06), x);
    let t = x.abs();
    let t = if t > 22.0 { 22.0 } else { t };
    let large = 1.0 - 2.0 / (exp_inside64(2.0 * t) + 1.0);
    (if t < 0.625 { small } else { large }).copysign(x)
}

/// tanh x; error below 1.5 ulp. Exactly 1 from 10 on.
#[inline(always)]
pub(crate) fn tanh32(x: f32) -> f32 {
    let z = x * x;
    let small =
        (x * z).mul_add(poly!(z; -0.33333334, 0.13333304, -0.053959258, 0.021768918, -0.008343945, 0.0022927448), x);
    let t = x.abs();
    let t = if t > 10.0 { 10.0 } else { t };
    let large = 1.0 - 2.0 / (exp_inside32(2.0 * t) + 1.0);
    (if t < 0.625 { small } else { large }).copysign(x)
}
