//! What is understood of good files: dialects, types, missing values, lines, chunks, images, arrays.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod made;

use std::collections::BTreeSet;

use glassnet_data::{
    ColumnPlan, CsvStream, Dataset, Encoding, Header, Kind, ReadOptions, Understood, Warning, open, read_arrays,
    read_csv, read_csv_from, read_idx, read_idx_folder,
};
use glassnet_model::table::{Table, Values};
use made::{gzip, idx, npy, npy_f64, write, zip};

fn read_with(text: impl AsRef<[u8]>, options: &ReadOptions) -> (Table, Understood) {
    read_csv_from("t.csv", std::io::Cursor::new(text.as_ref().to_vec()), options).unwrap()
}

fn read(text: impl AsRef<[u8]>) -> (Table, Understood) {
    read_with(text, &ReadOptions::default())
}

fn numbers(table: &Table, name: &str) -> Vec<f64> {
    match &table.column(name).unwrap().values {
        Values::Number(values) => values.clone(),
        Values::Text(_) => panic!("{name} is text"),
    }
}

fn words(table: &Table, name: &str) -> Vec<Option<String>> {
    match &table.column(name).unwrap().values {
        Values::Text(values) => values.iter().map(|value| value.map(str::to_string)).collect(),
        Values::Number(_) => panic!("{name} is numbers"),
    }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| name.to_string()).collect()
}

#[test]
fn delimiters_and_decimal_marks() {
    for (text, delimiter, decimal_comma, values) in [
        ("a,b\n1.5,2\n", ',', false, [1.5, 2.0]),
        ("a;b\n1,5;2\n", ';', true, [1.5, 2.0]),
        ("a;b\n1.5;2\n", ';', false, [1.5, 2.0]),
        ("a\tb\n1,5\t2,25\n", '\t', true, [1.5, 2.25]),
        ("a|b\n1|2\n", '|', false, [1.0, 2.0]),
        // A comma in every row, and still no delimiter.
        ("a,x;b\n1,5;2\n", ';', true, [1.5, 2.0]),
        ("1,5;2,5\n3,5;4,5\n", ';', true, [1.5, 2.5]),
        ("Size, total\tWeight, total\n1.5\t2\n", '\t', false, [1.5, 2.0]),
        ("\"a,b\";\"c,d\"\n\"1,5\";\"2,0\"\n", ';', true, [1.5, 2.0]),
        ("a b\n1.5 2\n3 4\n", ' ', false, [1.5, 2.0]),
        // A semicolon's own convention decides where three digits leave it open.
        ("a;b\n1,500;2,250\n", ';', true, [1.5, 2.25]),
    ] {
        let (table, understood) = read(text);
        let dialect = understood.dialect.clone().unwrap();
        assert_eq!((dialect.delimiter, dialect.decimal_comma), (delimiter, decimal_comma), "{text:?}");
        let first: Vec<f64> = table.columns.iter().map(|column| numbers(&table, &column.name)[0]).collect();
        assert_eq!(first, values, "{text:?}");
    }
    // With tabs, 1,234 may as well be a thousand: it stays text unless the caller says what it is.
    let tabs = "a\tb\n1,234\t5\n12,345\t6\n";
    assert_eq!(words(&read(tabs).0, "a")[0].as_deref(), Some("1,234"));
    let said = ReadOptions { decimal_comma: Some(true), ..ReadOptions::default() };
    assert_eq!(numbers(&read_with(tabs, &said).0, "a"), [1.234, 12.345]);
    assert_eq!(words(&read("said\nyes it is\nno it was\n").0, "said")[1].as_deref(), Some("no it was"));
    // One column has no delimiter; a delimiter may be said.
    assert_eq!(numbers(&read("x\n1\n2\n").0, "x"), [1.0, 2.0]);
    let colon = ReadOptions { delimiter: Some(':'), ..ReadOptions::default() };
    assert_eq!(numbers(&read_with("a:b\n1:2\n", &colon).0, "b"), [2.0]);
}

#[test]
fn headers() {
    for (text, header, names) in [
        ("a,b\n1,2\n", true, "a b"),
        ("1,2\n3,4\n", false, "c1 c2"),
        ("1,2\n", false, "c1 c2"),
        ("NA,2\n3,4\n", false, "c1 c2"),
        ("red,1\nblue,2\n", false, "c1 c2"),
        ("colour,size\nred,1\n", true, "colour size"),
        ("colour,shape\nred,round\n", true, "colour shape"),
        ("red,round\nred,square\nblue,round\n", false, "c1 c2"),
        (" a , \n1,2\n", true, "a c2"),
        ("\"a\",\"b\"\n1,2\n", true, "a b"),
        ("id,2019,2020\n7,1,2\n", true, "id 2019 2020"),
    ] {
        let (table, understood) = read(text);
        assert_eq!(understood.dialect.unwrap().header, header, "{text:?}");
        let found: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(found.join(" "), names, "{text:?}");
    }
    let forced = |header| ReadOptions { header, ..ReadOptions::default() };
    assert_eq!(read_with("1,2\n3,4\n", &forced(Header::Yes)).0.columns[1].name, "2");
    let (table, _) = read_with("a,b\n1,2\n", &forced(Header::No));
    assert_eq!((table.rows, words(&table, "c2")[0].as_deref()), (2, Some("b")));
}

#[test]
fn encodings_and_line_ends() {
    let e = Some("caf\u{e9}".to_string());
    for (bytes, encoding, bom, line_end) in [
        ("n,x\n1,caf\u{e9}\n".as_bytes().to_vec(), Encoding::Utf8, false, "LF"),
        ("\u{feff}n,x\r\n1,caf\u{e9}\r\n".as_bytes().to_vec(), Encoding::Utf8, true, "CRLF"),
        (b"n,x\r1,caf\xe9\r".to_vec(), Encoding::Windows1252, false, "CR"),
        (b"n,x\n1,caf\xe9".to_vec(), Encoding::Windows1252, false, "LF"),
    ] {
        let (table, understood) = read(&bytes);
        let dialect = understood.dialect.unwrap();
        assert_eq!((dialect.encoding, dialect.bom, dialect.line_end), (encoding, bom, line_end));
        assert_eq!(table.columns[0].name, "n");
        assert_eq!(words(&table, "x"), std::slice::from_ref(&e));
        assert_eq!(read(gzip(&bytes)).0, table);
    }
    let said = ReadOptions { encoding: Some(Encoding::Windows1252), ..ReadOptions::default() };
    assert_eq!(words(&read_with("n,x\n1,\u{e9}\n", &said).0, "x")[0].as_deref(), Some("\u{c3}\u{a9}"));
}

#[test]
fn missing_words_are_counted() {
    let (table, understood) = read("n,t\n1,a\nNA,?\n , -\nnan,b\n\"\",None\n");
    assert_eq!(numbers(&table, "n").iter().filter(|value| value.is_nan()).count(), 4);
    assert_eq!(words(&table, "t"), [Some("a".into()), None, None, Some("b".into()), None]);
    let counts: Vec<(&str, u64)> = understood.columns[0].missing_words.iter().map(|(w, c)| (w.as_str(), *c)).collect();
    assert_eq!((understood.columns[0].missing, counts), (4, vec![("", 2), ("NA", 1), ("nan", 1)]));
    let said = ReadOptions { missing: Some(vec!["-9".into()]), ..ReadOptions::default() };
    let (table, _) = read_with("n,t\n-9,NA\n2,\n", &said);
    assert!(numbers(&table, "n")[0].is_nan());
    assert_eq!(words(&table, "t"), [Some("NA".into()), None]);
}

#[test]
fn types_can_be_asked_for_and_columns_left_out() {
    let options = ReadOptions { as_text: set(&["zip"]), drop: set(&["b"]), ..ReadOptions::default() };
    let (table, understood) = read_with("zip,a,b\n01234,1,x\n00501,2,y\n", &options);
    assert_eq!(words(&table, "zip"), [Some("01234".into()), Some("00501".into())]);
    assert_eq!((table.columns.len(), understood.ignored.as_slice()), (2, &["b".to_string()][..]));
    assert!(understood.columns[0].asked && !understood.columns[1].asked);
    let only = ReadOptions { only: Some(set(&["b", "a"])), ..ReadOptions::default() };
    let (table, _) = read_with("zip,a,b\n01234,1,x\n", &only);
    assert_eq!((table.columns[0].name.as_str(), table.columns[1].name.as_str()), ("a", "b"));
}

#[test]
fn what_is_probably_a_mistake_is_a_warning() {
    let mut text = "x,empty\n".to_string();
    for row in 1..=40 {
        text.push_str(if row == 12 { "abc,\n" } else { "1.5,\n" });
    }
    let (_, understood) = read(&text);
    assert_eq!(
        understood.warnings,
        [
            Warning::MostlyNumbers {
                column: "x".into(),
                row: 12,
                line: 13,
                value: "abc".into(),
                others: 1,
                numbers: 39
            },
            Warning::NoValues { column: "empty".into() },
        ]
    );
    let words = understood.to_string();
    assert!(words.contains("39 of its values are numbers, 1 is not, the first 'abc' in row 12 (line 13)"), "{words}");
    // 90 % of numbers, or fewer than 20 values, are no evidence.
    assert!(read(format!("x\n{}{}", "1\n".repeat(36), "a\n".repeat(4))).1.warnings.is_empty());
    assert!(read(format!("x\n{}{}", "1\n".repeat(18), "a\n")).1.warnings.is_empty());
    // Thousands separators are never read silently.
    let (_, understood) = read("x,y\n1,1\n2,\"1,234\"\n");
    let notation =
        Warning::OtherNotation { column: "y".into(), row: 2, line: 3, value: "1,234".into(), others: 1, numbers: 1 };
    assert_eq!((understood.columns[1].kind, understood.warnings), (Kind::Text, vec![notation]));
    // Among words, inf is a word.
    assert_eq!(read("x,y\na,1\ninf,2\n").1.columns[0].kind, Kind::Text);
}

#[test]
fn quotes_and_lines() {
    let (table, understood) = read("a,b\r\n1,\"x, \"\"y\"\"\r\nz\"\r\n\r\n2,5\" pipe\r\n\"3\" ,w\r\n");
    assert!(understood.dialect.unwrap().quotes);
    assert_eq!(words(&table, "b"), ["x, \"y\"\r\nz", "5\" pipe", "w"].map(|word| Some(word.to_string())));
    assert_eq!(numbers(&table, "a"), [1.0, 2.0, 3.0]);
    assert_eq!(table.lines, [2, 5, 6]);
    assert_eq!(table.place(1), "row 2 (line 5)");
}

#[test]
fn the_splitter_and_the_csv_crate_agree() {
    // Tables of all 6-letter texts over these letters would take long; a counter in base 7 picks 40,000 of 9 letters.
    let letters = [b'a', b'1', b',', b',', b'\n', b'"', b' '];
    let (mut same, mut refused) = (0, 0);
    for case in 0..40_000u64 {
        let mut code = case.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
        let mut text = Vec::new();
        for _ in 0..9 {
            text.push(letters[(code % 7) as usize]);
            code /= 7;
        }
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&text[..]);
        let theirs: Vec<csv::StringRecord> = reader.records().map(|record| record.unwrap()).collect();
        let options = ReadOptions {
            header: Header::No,
            delimiter: Some(','),
            missing: Some(Vec::new()),
            as_text: theirs.first().map(|row| (1..=row.len()).map(|n| format!("c{n}")).collect()).unwrap_or_default(),
            ..ReadOptions::default()
        };
        let Ok((table, _)) = read_csv_from("t.csv", std::io::Cursor::new(text.clone()), &options) else {
            refused += 1;
            continue;
        };
        // Blanks after a closing quote are the one thing that is read otherwise.
        if text.windows(2).any(|pair| pair == b"\" ") {
            continue;
        }
        assert_eq!(table.rows, theirs.len(), "{:?}", String::from_utf8_lossy(&text));
        for (column, values) in table.columns.iter().enumerate() {
            let Values::Text(values) = &values.values else { panic!("text was asked for") };
            for (row, value) in values.iter().enumerate() {
                let blank = theirs[row][column].trim().is_empty();
                assert_eq!(value, (!blank).then_some(&theirs[row][column]), "{:?}", String::from_utf8_lossy(&text));
            }
        }
        same += 1;
    }
    assert!(same > 5_000 && refused > 5_000, "{same} {refused}");
}

#[test]
fn a_stream_gives_what_the_whole_gives() {
    let mut text = "id;x;name\r\n".to_string();
    for row in 0..30_000 {
        text.push_str(&format!("{row};{},5;\"n\u{e9} {}\"\r\n", row % 97, row % 11));
        if row % 1000 == 0 {
            text.push_str("\r\n");
        }
    }
    let (whole, understood) = read(&text);
    let bytes = gzip(text.as_bytes());
    let mut stream = CsvStream::from_reader("t.csv", std::io::Cursor::new(bytes), &ReadOptions::default()).unwrap();
    assert_eq!(stream.columns(), ["id", "x", "name"]);
    let kinds = [("name", Kind::Text), ("x", Kind::Number), ("id", Kind::Number)];
    stream.plan(&kinds.map(|(name, kind)| ColumnPlan { name: name.into(), kind })).unwrap();
    let mut row = 0;
    while let Some(chunk) = stream.next_chunk(777).unwrap() {
        for at in 0..chunk.rows {
            assert_eq!(chunk.place(at), whole.place(row + at));
        }
        for name in ["id", "x"] {
            assert_eq!(numbers(&chunk, name), numbers(&whole, name)[row..row + chunk.rows]);
        }
        assert_eq!(chunk.columns[2].name, "name");
        assert_eq!(words(&chunk, "name"), words(&whole, "name")[row..row + chunk.rows]);
        row += chunk.rows;
    }
    assert_eq!(row, 30_000);
    let streamed = stream.understood();
    assert_eq!((&streamed.hash, streamed.bytes, streamed.rows), (&understood.hash, understood.bytes, 30_000));
    assert_eq!(streamed.dialect, understood.dialect);
}

#[test]
fn what_was_understood_is_said_in_words_and_as_json() {
    let (_, understood) = read(gzip(b"a;b\n1,5;x\nNA;y\n"));
    let words = understood.to_string();
    for part in [
        "t.csv: CSV (gzip), 2 rows, 2 columns",
        "header on the first line, delimiter semicolon, decimal comma, no quotes, UTF-8, lines end with LF",
        "numbers (1): a",
        "text (1): b",
        "missing values: a 1 ('NA')",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let json = serde_json::to_value(&understood).unwrap();
    assert_eq!(json["dialect"]["delimiter"], ";");
    assert_eq!(json["dialect"]["encoding"], "UTF-8");
    assert_eq!(json["columns"][0]["missing_words"]["NA"], 1);
    assert_eq!(json["columns"][1]["kind"], "text");
    // sha256sum of the unzipped bytes.
    assert_eq!(json["hash"], "2096810920b2a4c18d9a0eb6240feda0712fb447b2e5547c312e6209eda3c119");
}

#[test]
fn files_and_gzip_of_several_members() {
    let folder = tempfile::tempdir().unwrap();
    let parts = [gzip(b"a,b\n1,2\n"), gzip(b"3,4\n")].concat();
    // The bytes say that it is gzip, not the name.
    let path = write(folder.path(), "data.csv", &parts);
    let (table, understood) = read_csv(&path, &ReadOptions::default()).unwrap();
    assert_eq!((numbers(&table, "b"), understood.gzip), (vec![2.0, 4.0], true));
    let Dataset::Table { table: opened, .. } = open(&path, &ReadOptions::default()).unwrap() else { panic!() };
    assert_eq!(opened, table);
}

#[test]
fn idx_folders_and_files() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "train-images-idx3-ubyte.gz", &gzip(&idx(&[3, 2, 4])));
    write(folder.path(), "train-labels-idx1-ubyte", &idx(&[3]));
    let path = folder.path().to_string_lossy().into_owned();
    let read = read_idx_folder(&path).unwrap();
    assert_eq!((read.train.rows, read.train.height, read.train.width, read.train.channels), (3, 2, 4, 1));
    assert_eq!((read.train.pixels[23], read.train.labels.as_slice()), (23, &[0, 1, 2][..]));
    assert!(read.test.is_none());
    let hash = read.hash;

    write(folder.path(), "t10k-images.idx3-ubyte", &idx(&[1, 2, 4]));
    write(folder.path(), "t10k-labels.idx1-ubyte.gz", &gzip(&idx(&[1])));
    let Dataset::Images { train, test, hash: other, .. } = open(&path, &ReadOptions::default()).unwrap() else {
        panic!()
    };
    assert_eq!((train.rows, test.unwrap().labels.as_slice()), (3, &[0][..]));
    assert_ne!(hash, other);

    let single = folder.path().join("train-images-idx3-ubyte.gz").to_string_lossy().into_owned();
    let Dataset::Images { train, test: None, .. } = open(&single, &ReadOptions::default()).unwrap() else { panic!() };
    assert_eq!((train.rows, train.labels.len()), (3, 0), "its labels have another name");
    assert_eq!(read_idx(&single).unwrap().shape, [3, 2, 4]);
    let single = write(folder.path(), "t10k-images-idx3-ubyte", &idx(&[1, 2, 2, 3]));
    write(folder.path(), "t10k-labels-idx1-ubyte", &idx(&[1]));
    let Dataset::Images { train, .. } = open(&single, &ReadOptions::default()).unwrap() else { panic!() };
    assert_eq!((train.channels, train.labels.len()), (3, 1));
    // Pixel by pixel in the file, channel by channel in memory.
    assert_eq!(train.pixels, [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
}

#[test]
fn arrays_of_every_type() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = |values: &[&[u8]]| values.concat();
    for (descr, values) in [
        ("'|b1'", bytes(&[&[1], &[0]])),
        ("'|i1'", bytes(&[&1i8.to_le_bytes(), &0i8.to_le_bytes()])),
        ("'|u1'", bytes(&[&[1], &[0]])),
        ("'<i2'", bytes(&[&1i16.to_le_bytes(), &0i16.to_le_bytes()])),
        ("'>u2'", bytes(&[&1u16.to_be_bytes(), &0u16.to_be_bytes()])),
        ("'>i4'", bytes(&[&1i32.to_be_bytes(), &0i32.to_be_bytes()])),
        ("'<u4'", bytes(&[&1u32.to_le_bytes(), &0u32.to_le_bytes()])),
        ("'<i8'", bytes(&[&1i64.to_le_bytes(), &0i64.to_le_bytes()])),
        ("'>u8'", bytes(&[&1u64.to_be_bytes(), &0u64.to_be_bytes()])),
        ("'<f2'", bytes(&[&0x3c00u16.to_le_bytes(), &[0, 0]])),
        ("'>f4'", bytes(&[&1f32.to_be_bytes(), &0f32.to_be_bytes()])),
        ("'>f8'", bytes(&[&1f64.to_be_bytes(), &0f64.to_be_bytes()])),
    ] {
        let path = write(folder.path(), "a.npy", &npy(descr, false, "(2,)", &values));
        let arrays = read_arrays(&path).unwrap();
        assert_eq!((&arrays.arrays[0].shape[..], &arrays.arrays[0].values[..]), (&[2][..], &[1.0, 0.0][..]), "{descr}");
        assert_eq!(arrays.arrays[0].name, "a");
    }
    let path = write(folder.path(), "n.npy", &npy("'<i2'", false, "(1,)", &(-5i16).to_le_bytes()));
    assert_eq!(read_arrays(&path).unwrap().arrays[0].values, [-5.0]);
    let fortran = npy("'|u1'", true, "(2, 3)", &[1, 4, 2, 5, 3, 6]);
    let path = write(folder.path(), "f.npy", &fortran);
    assert_eq!(read_arrays(&path).unwrap().arrays[0].values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn arrays_as_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let entries = [
        ("X.npy", npy_f64("(2, 3)", &[1.0, 2.0, f64::NAN, 4.0, 5.0, 6.0])),
        ("y.npy", npy("'|b1'", false, "(2,)", &[0, 1])),
        ("W.npy", npy_f64("(2, 1)", &[7.0, 8.0])),
    ];
    for deflate in [false, true] {
        let path = write(folder.path(), "a.npz", &zip(&entries, deflate));
        let options = ReadOptions { drop: set(&["x2"]), as_text: set(&["y"]), ..ReadOptions::default() };
        let Dataset::Table { table, understood } = open(&path, &options).unwrap() else { panic!() };
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!((table.rows, names.as_slice()), (2, &["x1", "x3", "y", "w"][..]));
        assert!(numbers(&table, "x3")[0].is_nan());
        assert_eq!((numbers(&table, "x1"), words(&table, "y")[1].as_deref()), (vec![1.0, 4.0], Some("1")));
        assert_eq!((understood.format, understood.columns[1].missing), ("npz", 1));
        assert_eq!(table.place(1), "row 2");
    }
    let path = write(folder.path(), "whatever.npy", &npy_f64("(1, 2)", &[1.0, 2.0]));
    let Dataset::Table { table, .. } = open(&path, &ReadOptions::default()).unwrap() else { panic!() };
    assert_eq!(table.columns[1].name, "x2");
    let zipped = write(folder.path(), "a.npy.gz", &gzip(&npy_f64("(1, 2)", &[1.0, 2.0])));
    let Dataset::Table { table, understood } = open(&zipped, &ReadOptions::default()).unwrap() else { panic!() };
    assert_eq!((numbers(&table, "x2"), understood.gzip), (vec![2.0], true));
}
