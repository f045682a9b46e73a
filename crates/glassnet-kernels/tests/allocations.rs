//! After the first call with a shape, products, reductions and forks allocate nothing. Without the test harness, whose
//! threads allocate.

use glassnet_kernels::{Team, half, product, reduce};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counted;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is the system's.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTED: Counted = Counted;

fn main() {
    let (m, n, k) = (64, 200, 300);
    let (a, b, mut c) = (vec![0.5f32; m * k], vec![0.25f32; n * k], vec![0.0f32; m * n]);
    for threads in [1, 3] {
        let team = Team::new(threads);
        let mut step = || {
            product::product_nt(&team, m, n, k, &a, &b, &mut c, Some(&|_, rows| rows[0] += 1.0));
            product::product_nn(&team, m, n, k, &a, &b, &mut c, true);
            product::product_tn(&team, m, n, k, &a, &b, &mut c);
            product::sum_rows(n, &b, &mut c);
            half::product_nt(&team, m, n, k, &a, &b, &mut c, Some(&|_, rows| rows[0] += 1.0));
            half::product_nn(&team, m, n, k, &a, &b, &mut c);
            half::product_tn(&team, m, n, k, &a, &b, &mut c);
            reduce::sum(&a)
        };
        step();
        let before = ALLOCATIONS.load(Ordering::SeqCst);
        for _ in 0..10 {
            step();
        }
        assert_eq!(ALLOCATIONS.load(Ordering::SeqCst), before, "{threads} threads");
    }
}
