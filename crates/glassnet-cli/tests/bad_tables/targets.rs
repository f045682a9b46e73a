//! Targets that are constant, blank, rare, huge, or of thousands of classes.

use crate::case::{Case, made, table, word};

pub fn cases() -> Vec<Case> {
    let target = |rows: usize, cell: fn(usize) -> String| {
        made("x,kind,y", rows, |row| format!("{},{},{}", row % 10, ["a", "b", "c"][row % 3], cell(row)))
    };
    vec![
        table("a constant class", target(60, |_| "yes".into())).refused(&[
            "\"y\"",
            "only one class",
            "check the column",
        ]),
        table("a constant number", target(60, |_| "2.5".into())).refused(&["y"]),
        table("no target at all", target(60, |_| String::new())).refused(&["y"]),
        table("one target alone", target(60, |row| if row == 5 { "yes".into() } else { String::new() }))
            .refused(&["y"]),
        table(
            "every third target missing",
            target(90, |row| if row % 3 == 0 { String::new() } else { word(row).into() }),
        ),
        table(
            "numbers with missing targets",
            target(90, |row| if row % 3 == 0 { String::new() } else { format!("{}.5", row % 10) }),
        ),
        table("one in a thousand", target(1_001, |row| if row == 500 { "yes".into() } else { "no".into() })),
        table("two in two thousand", target(2_002, |row| if row % 1_001 == 500 { "yes".into() } else { "no".into() }))
            .flags(&["--epochs", "1"]),
        table("a class of one row", target(60, |row| if row == 7 { "maybe".into() } else { word(row).into() })),
        table("2,000 classes", target(4_000, |row| format!("class {}", row % 2_000))).refused(&[
            "\"y\"",
            "2000 different values",
            "--task regress",
        ]),
        table("a class for each row", target(60, |row| format!("name {row}")))
            .refused(&["each of the 60 rows", "class of its own"]),
        table("classes of other scripts", target(60, |row| ["はい", "\"nein, danke\"", "🛩️"][row % 3].into())),
        table("classes that differ in blanks", target(60, |row| ["yes", " yes"][row % 2].into())),
        table("truth as the target", target(60, |row| (word(row) == "yes").to_string())),
        table("a target near 1e300", target(60, |row| format!("{}e300", row % 10)))
            .flags(&["--task", "regress"])
            .refused(&["\"y\"", "from 0 to 9e300", "larger unit"]),
        table("a target near 1e30", target(60, |row| format!("{}e30", row % 10))).flags(&["--task", "regress"]),
        table("a target near 1e-30", target(60, |row| format!("{}e-30", row % 10 + 1))),
        table("a target near 1e-300", target(60, |row| format!("{}e-300", row % 10 + 1))).refused(&[
            "\"y\"",
            "1e-300",
            "smaller unit",
        ]),
        table("a target of both ends", target(60, |row| ["1.7e308", "-1.7e308", "0.5"][row % 3].into())).refused(&[
            "\"y\"",
            "1.7e308",
            "larger unit",
        ]),
        table("an infinite target", target(60, |row| if row == 7 { "inf".into() } else { format!("{row}.5") }))
            .refused(&["y", "inf"]),
        table(
            "one outlier of the target",
            target(60, |row| if row == 7 { "1e12".into() } else { format!("{}.5", row % 10) }),
        ),
        table("a target beyond 2^53", target(60, |row| (9_007_199_254_740_993_u64 + row as u64).to_string()))
            .refused(&["\"y\"", "seven digits", "subtract"]),
        table(
            "a word among the target's numbers",
            target(60, |row| if row == 7 { "late".into() } else { format!("{row}.5") }),
        )
        .refused(&["row 8", "'y'", "late"]),
        table("words as a number", target(60, |row| word(row).into())).flags(&["--task", "regress"]).refused(&["y"]),
        table("numbers as classes", target(60, |row| format!("{}.5", row % 4))).flags(&["--task", "classify"]),
        table("one value but for one row", target(200, |row| if row == 60 { "3.5".into() } else { "2.5".into() }))
            .flags(&["--task", "regress"]),
        table("dates", target(60, |row| format!("2013-01-{:02}", row % 28 + 1))),
    ]
}
