//! Numbers at the ends of what an f64 holds, words among numbers, dates in several forms.

use crate::case::{Case, made, table, word};

pub fn cases() -> Vec<Case> {
    let numbers =
        |cell: fn(usize) -> String| made("x,big,y", 60, |row| format!("{},{},{}", row % 10, cell(row), word(row)));
    vec![
        table("numbers near 1e300", numbers(|row| format!("{}e300", row % 7))),
        table("numbers at both ends", numbers(|row| ["1.7e308", "-1.7e308", "0", "1"][row % 4].into())),
        table("numbers near 1e-300", numbers(|row| format!("{}e-300", row % 7 + 1))),
        table("denormal numbers", numbers(|row| ["5e-324", "1e-310", "0", "-5e-324"][row % 4].into())),
        table("all scales in one column", numbers(|row| ["1e300", "1e-300", "-1e308", "3", ""][row % 5].into())),
        table("one outlier", numbers(|row| if row == 7 { "1e30".into() } else { (row % 5).to_string() })),
        table("infinite", numbers(|row| if row == 7 { "inf".into() } else { row.to_string() }))
            .refused(&["row 8", "'big'", "inf"]),
        table("beyond what there is", numbers(|row| if row == 7 { "1e400".into() } else { row.to_string() }))
            .refused(&["row 8", "'big'", "1e400"]),
        table("not a number", numbers(|row| if row == 7 { "NaN".into() } else { (row % 9).to_string() }))
            .says(&["\"big\""]),
        table("a word among numbers", numbers(|row| if row == 7 { "many".into() } else { row.to_string() }))
            .refused(&["row 8 (line 9)", "'big'", "many", "--type big=category"]),
        table("numbers and words by halves", numbers(|row| if row % 2 == 0 { "many".into() } else { row.to_string() })),
        table("negative zeros", numbers(|row| ["0", "-0", "0.0", "-0.0"][row % 4].into())),
        table("whole numbers beyond 2^53", numbers(|row| (9_007_199_254_740_993_u64 + row as u64 % 5).to_string())),
        table("whole numbers of 30 digits", numbers(|row| format!("12345678901234567890123456789{}", row % 10))),
        table("leading zeros", numbers(|row| format!("{:05}", row % 7))),
        table("thousands", numbers(|row| format!("\"{},{:03}\"", row % 7 + 1, row))).refused(&[
            "row 1 (line 2)",
            "'big'",
            "written plainly",
            "--type big=category",
        ]),
        table("per cent", numbers(|row| format!("{}%", row % 7))),
        table("truth in many words", numbers(|row| ["true", "FALSE", "True", ""][row % 4].into())),
        table(
            "dates in five forms",
            made("a,b,c,d,e,y", 60, |row| {
                let (day, month, year) = (row % 28 + 1, row % 12 + 1, 2013 + row % 3);
                let clock = format!("{:02}:{:02}", row % 24, row % 60);
                format!(
                    "{year}-{month:02}-{day:02},{day:02}.{month:02}.{year},{month:02}/{day:02}/{year},\
                     {year}-{month:02}-{day:02}T{clock}:00Z,{clock},{}",
                    word(row)
                )
            }),
        ),
        table(
            "five forms in one column",
            numbers(|row| ["2013-01-05", "05.01.2013", "01/05/2013", "2013-01-05T10:00:00Z", "Jan 5"][row % 5].into()),
        ),
        table("dates that are none", numbers(|row| ["2013-02-30", "2013-13-01", "0000-00-00"][row % 3].into())),
        table(
            "weights of 0",
            made("x,w,y", 60, |row| format!("{},{},{}", row % 10, if row % 2 == 0 { 0 } else { 1 }, word(row))),
        )
        .flags(&["--weight-column", "w"]),
        table("all row weights 0", made("x,w,y", 60, |row| format!("{},0,{}", row % 10, word(row))))
            .flags(&["--weight-column", "w"])
            .refused(&["w"]),
        table(
            "a negative weight",
            made("x,w,y", 60, |row| format!("{},{},{}", row % 10, if row == 9 { -1 } else { 1 }, word(row))),
        )
        .flags(&["--weight-column", "w"])
        .refused(&["\"w\"", "row 10", "correct it"]),
        table("a weight of words", made("x,w,y", 60, |row| format!("{},heavy,{}", row % 10, word(row))))
            .flags(&["--weight-column", "w"])
            .refused(&["row 1 (line 2)", "\"w\"", "heavy"]),
        table(
            "weights of 1e300",
            made("x,w,y", 60, |row| format!("{},{},{}", row % 10, ["1e300", "1"][row % 2], word(row))),
        )
        .flags(&["--weight-column", "w"])
        .refused(&["row 1 (line 2)", "\"w\"", "from 1e-30 to 1e30"]),
        table(
            "weights of 1e-300",
            made("x,w,y", 60, |row| format!("{},{},{}", row % 10, ["1e-300", "1"][row % 2], word(row))),
        )
        .flags(&["--weight-column", "w"])
        .refused(&["row 1 (line 2)", "\"w\"", "from 1e-30 to 1e30"]),
        table(
            "weights of 1e-30 and 1e30",
            made("x,w,y", 60, |row| format!("{},{},{}", row % 10, ["1e-30", "1e30", "1"][row % 3], word(row))),
        )
        .flags(&["--weight-column", "w"]),
    ]
}

/// The same tables with one ordinary network.
pub fn plain() -> Vec<Case> {
    let plain = |case: Case| {
        let case = case.flags(&["--recipe", "plain", "--members", "1"]);
        match case.name {
            // A mean and a deviation need squares; quartiles do not.
            "numbers near 1e300" | "numbers at both ends" | "all scales in one column" => {
                case.refused(&["\"big\"", "too large to square", "divide the column"])
            }
            // The plain style takes no dates.
            "dates in five forms" => case.refused(&["no column left to learn from", "\"a\"", "--type COL=category"]),
            _ => case,
        }
    };
    cases().into_iter().map(plain).collect()
}
