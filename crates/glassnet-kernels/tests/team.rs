//! The thread team: every row once, panics passed on, nested and concurrent use, threads joined.

use glassnet_kernels::Team;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn every_row_is_visited_once_by_any_team() {
    for threads in [1, 2, 3, 4, 7] {
        let team = Team::new(threads);
        assert_eq!(team.threads(), threads);
        for rows in [0, 1, 2, 3, 5, 64, 101] {
            for min_rows in [0, 1, 10, 1000] {
                let mut out = vec![0usize; rows * 3];
                team.split_rows(&mut out, 3, min_rows, &|first, part| {
                    assert!(part.len() % 3 == 0 && !part.is_empty());
                    for (i, row) in part.chunks_exact_mut(3).enumerate() {
                        row.iter_mut().for_each(|x| *x += first + i + 1);
                    }
                });
                let expected: Vec<usize> = (0..rows).flat_map(|r| [r + 1; 3]).collect();
                assert_eq!(out, expected);
            }
        }
        team.split_rows(&mut Vec::<f32>::new(), 0, 1, &|_, _| panic!("no rows, no call"));
    }
}

#[test]
fn many_forks_in_a_row_and_after_pauses() {
    let team = Team::new(4);
    let total = AtomicUsize::new(0);
    for i in 0..20_000 {
        team.fork(5, &|part| {
            total.fetch_add(part + 1, Ordering::Relaxed);
        });
        if i % 2_000 == 0 {
            // Long enough for the threads to fall asleep.
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
    assert_eq!(total.into_inner(), 20_000 * 15);
}

#[test]
fn a_panic_in_any_part_reaches_the_caller_and_the_team_goes_on() {
    let team = Team::new(3);
    for bad in 0..3 {
        let result = catch_unwind(AssertUnwindSafe(|| team.fork(3, &|part| assert!(part != bad, "part {part}"))));
        let panic = result.unwrap_err();
        assert_eq!(panic.downcast_ref::<String>(), Some(&format!("part {bad}")));
        let count = AtomicUsize::new(0);
        team.fork(3, &|_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(count.into_inner(), 3);
    }
}

#[test]
fn nested_and_concurrent_use_works_alone() {
    let team = Team::new(3);
    let count = AtomicUsize::new(0);
    team.fork(6, &|_| {
        team.fork(4, &|_| {
            count.fetch_add(1, Ordering::Relaxed);
        })
    });
    assert_eq!(count.load(Ordering::Relaxed), 24);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let (team, count) = (team.clone(), &count);
            scope.spawn(move || {
                for _ in 0..2_000 {
                    team.fork(4, &|_| {
                        count.fetch_add(1, Ordering::Relaxed);
                    });
                }
            });
        }
    });
    assert_eq!(count.into_inner(), 24 + 3 * 2_000 * 4);
}

#[test]
fn teams_come_and_go() {
    for i in 0..200 {
        let team = Team::new(2 + i % 4);
        let clone = team.clone();
        drop(team);
        let mut out = [0u8; 9];
        clone.split_rows(&mut out, 1, 1, &|_, part| part.fill(1));
        assert_eq!(out, [1; 9]);
    }
}
