//! Validation rows, groups and times that do not go with the table.

use crate::case::{Case, made, rows, table, word};

pub fn cases() -> Vec<Case> {
    let grouped =
        |cell: fn(usize) -> String| made("x,who,y", 80, |row| format!("{},{},{}", row % 10, cell(row), word(row)));
    let given = ["--valid", "v.csv"];
    vec![
        table("validation rows without an input", rows(60))
            .with("v.csv", made("x,y", 20, |row| format!("{},{}", row % 10, word(row))))
            .flags(&given)
            .refused(&["v.csv", "kind"]),
        table("validation rows without the target", rows(60))
            .with("v.csv", made("x,kind", 20, |row| format!("{},a", row % 10)))
            .flags(&given)
            .refused(&["v.csv", "y"]),
        table("validation rows with more columns, in another order", rows(60))
            .with("v.csv", made("y,more,kind,x", 20, |row| format!("{},1,a,{}", word(row), row % 10)))
            .flags(&given),
        table("validation rows of other levels", rows(60))
            .with("v.csv", made("x,kind,y", 20, |row| format!("{},never seen {row},{}", row % 10, word(row))))
            .flags(&given),
        table("validation rows of words for numbers", rows(60))
            .with("v.csv", made("x,kind,y", 20, |row| format!("many,a,{}", word(row))))
            .flags(&given)
            .refused(&["v.csv", "'x'", "many"]),
        table("a class that validation alone has", rows(60))
            .with("v.csv", made("x,kind,y", 20, |row| format!("{},a,{}", row % 10, ["yes", "maybe"][row % 2])))
            .flags(&given)
            .refused(&["v.csv", "maybe"]),
        table("validation of one class", rows(60))
            .with("v.csv", made("x,kind,y", 20, |row| format!("{},a,yes", row % 10)))
            .flags(&given),
        table("validation of one row", rows(60)).with("v.csv", "x,kind,y\n1,a,no\n").flags(&given),
        table("validation of blank targets", rows(60))
            .with("v.csv", made("x,kind,y", 20, |row| format!("{},a,", row % 10)))
            .flags(&given)
            .refused(&["v.csv"]),
        table("one group", grouped(|_| "same".into())).flags(&["--group", "who"]).refused(&["who", "group"]),
        table("a group for each row", grouped(|row| format!("w{row}"))).flags(&["--group", "who"]),
        table(
            "groups that are blank",
            grouped(|row| if row % 2 == 0 { String::new() } else { format!("w{}", row % 7) }),
        )
        .flags(&["--group", "who"]),
        table("the target as the group", grouped(|row| format!("w{row}"))).flags(&["--group", "y"]).refused(&[
            "\"y\"",
            "group",
            "more groups",
        ]),
        table("a group that is no column", grouped(|row| format!("w{row}")))
            .flags(&["--group", "whom"])
            .misused(&["whom", "who"]),
        table("a time of words", grouped(|row| format!("w{row}"))).flags(&["--time", "who"]).refused(&["who"]),
        table("one time", grouped(|_| "2013-01-01".into())).flags(&["--time", "who"]).refused(&["who"]),
        table("two times", grouped(|row| ["2013-01-01", "2013-01-02"][row % 2].into()))
            .flags(&["--time", "who"])
            .refused(&["who"]),
        table("times that are blank", grouped(|row| if row % 3 == 0 { String::new() } else { row.to_string() }))
            .flags(&["--time", "who"]),
        table(
            "a class that the earliest rows alone have",
            made("x,day,y", 80, |row| format!("{},{row},{}", row % 10, if row < 20 { "early" } else { word(row) })),
        )
        .flags(&["--time", "day"]),
        table(
            "a class that the latest rows alone have",
            made("x,day,y", 80, |row| format!("{},{row},{}", row % 10, if row >= 70 { "late" } else { word(row) })),
        )
        .flags(&["--time", "day"]),
        table(
            "one class in the earliest rows",
            made("x,day,y", 80, |row| format!("{},{row},{}", row % 10, if row >= 60 { "late" } else { "early" })),
        )
        .flags(&["--time", "day"]),
        table(
            "a number that is constant in the earliest rows",
            made("x,day,y", 80, |row| format!("{},{row},{}", row % 10, if row < 60 { 1.5 } else { row as f64 + 0.5 })),
        )
        .flags(&["--time", "day", "--task", "regress"])
        .refused(&["\"y\" is 1.5", "nothing to learn"]),
        table("five folds of ten rows", rows(10)).flags(&["--best", "--members", "5"]).misused(&["--members"]),
    ]
}
