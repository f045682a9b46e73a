//! Bad input, by the real program: each case has its exit code and the words of its message, with the place (file, row
//! and line, column or layer) and a hint. After each the folder holds what it held before, stdout is empty and nothing
//! panicked.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../made/mod.rs"]
mod made;

mod arrays;
mod case;
mod ends;
mod explained;
mod headers;
mod models;
mod networks;
mod pictures;
mod predicting;
mod settings;
mod tables;
mod texts;
mod traced;
mod words;

use std::collections::BTreeSet;

use case::Case;

fn all() -> Vec<Case> {
    [
        tables::text(),
        tables::values(),
        tables::columns(),
        settings::flags(),
        settings::columns(),
        networks::texts(),
        networks::configs(),
        arrays::idx(),
        arrays::numpy(),
        pictures::folders(),
        pictures::flags(),
        words::vectors(),
        words::sums(),
        texts::training(),
        texts::going_on(),
        texts::shapes(),
        models::foreign(),
        models::damaged(),
        headers::edited(),
        predicting::columns(),
        predicting::flags(),
        traced::cases(),
        explained::cases(),
        ends::places(),
    ]
    .concat()
}

#[test]
fn there_are_many_and_each_has_its_name() {
    let all = all();
    let names: BTreeSet<&str> = all.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), all.len(), "two cases have one name");
    assert!(all.len() >= 340, "{}", all.len());
}

macro_rules! groups {
    ($($name:ident: $($cases:path),+;)+) => {
        $(#[test]
        fn $name() {
            case::check(stringify!($name), &[$($cases()),+].concat());
        })+
    };
}

groups! {
    bad_tables: tables::text, tables::values, tables::columns;
    bad_settings: settings::flags, settings::columns;
    bad_networks_and_configs: networks::texts, networks::configs;
    bad_images_and_arrays: arrays::idx, arrays::numpy;
    bad_pictures: pictures::folders, pictures::flags;
    bad_words: words::vectors, words::sums;
    bad_texts: texts::training, texts::going_on, texts::shapes;
    bad_model_files: models::foreign, models::damaged, headers::edited;
    bad_rows_to_predict: predicting::columns, predicting::flags;
    bad_things_to_trace: traced::cases;
    bad_things_to_explain: explained::cases;
    bad_places_to_write: ends::places;
}
