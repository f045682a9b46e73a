//! Tables as people have them, by the real program with its default recipe: each ends in a good model, whose every number in `predict`,
//! `evaluate` and `explain` is finite, or in a refusal with its exit code, the name of what is wrong and a hint. Nothing panics.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../made/mod.rs"]
mod made;

mod case;
mod columns;
mod forged;
mod new_rows;
mod parts;
mod sizes;
mod targets;
mod values;
mod writing;

use std::collections::BTreeSet;

use case::Case;

fn all() -> Vec<Case> {
    [sizes::cases(), columns::cases(), values::cases(), targets::cases(), parts::cases(), writing::cases()].concat()
}

#[test]
fn there_are_many_and_each_has_its_name() {
    let all = all();
    let names: BTreeSet<&str> = all.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), all.len(), "two cases have one name");
    assert!(all.len() >= 60, "{}", all.len());
}

macro_rules! groups {
    ($($name:ident: $cases:path;)+) => {
        $(#[test]
        fn $name() {
            case::check(stringify!($name), &$cases());
        })+
    };
}

groups! {
    tables_of_odd_sizes: sizes::cases;
    columns_that_say_little: columns::cases;
    values_at_the_ends_of_what_there_is: values::cases;
    the_same_with_the_plain_recipe: values::plain;
    targets_that_are_hard: targets::cases;
    parts_that_do_not_fit: parts::cases;
    files_that_are_written_oddly: writing::cases;
}
