//! Bad input, case by case: each gets a message that says what, where and what to do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod made;

use std::collections::BTreeSet;

use glassnet_data::{ColumnPlan, CsvStream, Encoding, Header, Kind, ReadOptions, open, read_csv_from};
use made::{gzip, idx, npy, npy_f64, write, zip};

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| name.to_string()).collect()
}

/// A table as it stands in a file, the options it is read with, and the parts that its message must have.
type Case<'a> = (&'a str, Vec<u8>, ReadOptions, &'a [&'a str]);

fn plain() -> ReadOptions {
    ReadOptions::default()
}

fn tables() -> Vec<Case<'static>> {
    let numbers = |names: &[&str]| ReadOptions { as_number: set(names), ..plain() };
    let with = |change: fn(&mut ReadOptions)| {
        let mut options = plain();
        change(&mut options);
        options
    };
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("empty", text(""), plain(), &["the file is empty", "has finished"]),
        ("only blank lines", text("\n \r\n\n"), plain(), &["the file is empty"]),
        ("only a byte order mark", b"\xef\xbb\xbf".to_vec(), plain(), &["the file is empty"]),
        ("empty gzip", gzip(b""), plain(), &["the file is empty"]),
        ("header only", text("a,b\n"), plain(), &["line 1 is a header of 2 columns", "no row follows", "--no-header"]),
        (
            "zero bytes",
            b"a,b\n1,2\n\0\x01\x02".to_vec(),
            plain(),
            &["line 3 holds a zero byte", "UTF-16", "export it as CSV"],
        ),
        ("UTF-16", b"\xff\xfea\0,\0b\0".to_vec(), plain(), &["UTF-16 text", "CSV UTF-8", "iconv"]),
        ("UTF-16 big-endian", b"\xfe\xff\0a\0,\0b".to_vec(), plain(), &["UTF-16 text"]),
        (
            "neither encoding",
            b"a,b\n1,x\n2,\x81\x8d\n".to_vec(),
            plain(),
            &["row 2 (line 3), column 'b'", "the bytes 81 8D are not UTF-8", "save the file as UTF-8"],
        ),
        (
            "both encodings",
            b"a,b\n1,\xc3\xa9\xc3\xa9\n2,\xe9\n".to_vec(),
            plain(),
            &["row 2 (line 3), column 'b'", "the bytes E9 are not UTF-8"],
        ),
        (
            "not the encoding that was named",
            b"a,b\n1,\x81\n".to_vec(),
            with(|options| options.encoding = Some(Encoding::Windows1252)),
            &["row 1 (line 2), column 'b'", "not Windows-1252"],
        ),
        ("bad header bytes", b"a,\xc3\xa9\xe9\x81\n1,2\n".to_vec(), plain(), &["the header (line 1)", "column 'c2'"]),
        (
            "quote never closed",
            text("a,b\n1,\"x\n2,y\n"),
            plain(),
            &["quote opened on line 2 is never closed", "twice"],
        ),
        ("quote never closed, one line", text("\"a,b\n1,2"), plain(), &["quote opened on line 1 is never closed"]),
        ("text after a quote", text("a,b\n1,\"x\"y\n"), plain(), &["line 2: text follows a closing quote: y", "twice"]),
        (
            "too many fields",
            text("a,b\n1,2\n3,4,5\n"),
            plain(),
            &["row 2 (line 3) has 3 fields where 2 were expected", "delimiter is comma", "double quotes"],
        ),
        (
            "too few fields after a value of two lines",
            text("a,b\r\n1,\"x\r\ny\"\r\n3\r\n"),
            plain(),
            &["row 2 (line 4) has 1 fields where 2 were expected", "empty fields"],
        ),
        (
            "a delimiter too many",
            text("a;b\n1;2;\n"),
            plain(),
            &["row 1 (line 2)", "delimiter is semicolon", "too many"],
        ),
        (
            "ragged and no header",
            text("1,2\n3,4\n\n5\n"),
            with(|options| options.header = Header::No),
            &["row 3 (line 4) has 1 fields where 2"],
        ),
        (
            "a name twice",
            text("a,b,a\n1,2,3\n"),
            plain(),
            &["columns 1 and 3 are both named 'a'", "rename", "--no-header"],
        ),
        ("a blank name's number taken", text("c2,\n1,2\n"), plain(), &["columns 1 and 2 are both named 'c2'"]),
        (
            "infinity",
            text("x,y\n1,2\n3,\"4\n\"\n5,inf\n"),
            plain(),
            &["row 3 (line 5), column 'y': 'inf' is not a finite number", "blank"],
        ),
        (
            "number too large",
            text("x\n1\n1e999\n"),
            plain(),
            &["row 2 (line 3), column 'x': '1e999' is not a finite number"],
        ),
        (
            "word in a column asked for as numbers",
            text("x,y\n1,2\nabc,3\n"),
            numbers(&["x"]),
            &["row 2 (line 3), column 'x': 'abc' is not a number", "missing-value word"],
        ),
        (
            "thousands",
            text("x;y\n1;1.234,5\n2;3,5\n"),
            numbers(&["y"]),
            &["'1.234,5' is not a number", "decimal commas"],
        ),
        (
            "thousands in quotes",
            text("x,y\n1,\"1,234\"\n"),
            numbers(&["y"]),
            &["'1,234'", "thousands separators are not read"],
        ),
        ("unit", text("x,y\n1,$5\n"), numbers(&["y"]), &["row 1 (line 2), column 'y': '$5'", "without unit"]),
        (
            "infinity asked for as a number",
            text("x,y\n1,-inf\n2,b\n"),
            numbers(&["y"]),
            &["'-inf' is not a finite number"],
        ),
        (
            "unknown to drop",
            text("late,x\n1,2\n"),
            with(|o| o.drop = set(&["lat"])),
            &["no column 'lat' (to be dropped)", "did you mean 'late'?", "late, x"],
        ),
        (
            "unknown as text",
            text("a,b\n1,2\n"),
            with(|o| o.as_text = set(&["zebra"])),
            &["no column 'zebra' (asked for as text)", "the columns are a, b"],
        ),
        ("unknown as number", text("a,b\n1,2\n"), numbers(&["q"]), &["no column 'q' (asked for as numbers)"]),
        (
            "unknown asked for",
            text("a,b\n1,2\n"),
            with(|o| o.only = Some(set(&["B"]))),
            &["no column 'B' (asked for); did you mean 'b'?"],
        ),
        (
            "all dropped",
            text("a,b\n1,2\n"),
            with(|o| o.drop = set(&["a", "b"])),
            &["no column is left of 2", "drop fewer"],
        ),
        (
            "text and number at once",
            text("a,b\n1,2\n"),
            with(|o| (o.as_text, o.as_number) = (set(&["a"]), set(&["a"]))),
            &["column 'a' is asked for both", "choose one"],
        ),
        (
            "foolish delimiter",
            text("a,b\n1,2\n"),
            with(|o| o.delimiter = Some('"')),
            &["the delimiter '\"' cannot be used"],
        ),
        (
            "comma twice",
            text("a,b\n1,2\n"),
            with(|o| (o.delimiter, o.decimal_comma) = (Some(','), Some(true))),
            &["both the delimiter and the decimal mark"],
        ),
        ("gzip cut", gzip(b"a,b\n1,2\n3,4\n")[..20].to_vec(), plain(), &["the gzip data ends too early", "gzip -t"]),
        (
            "gzip damaged",
            {
                let mut bytes = gzip(b"a,b\n1,2\n3,4\n");
                let last = bytes.len() - 6;
                bytes[last] ^= 0xff;
                bytes
            },
            plain(),
            &["the gzip data is damaged", "gzip -t"],
        ),
        (
            "junk after gzip",
            [gzip(b"a,b\n1,2\n"), b"junk and more junk".to_vec()].concat(),
            plain(),
            &["gzip data is damaged"],
        ),
    ]
}

fn check(name: &str, message: &str, file: &str, parts: &[&str]) {
    for part in parts.iter().chain(&[file, "Hint: "]) {
        assert!(message.contains(part), "{name}: '{part}' is not in: {message}");
    }
    assert!(!message.contains('\n'), "{name}: one line: {message}");
}

#[test]
fn bad_tables() {
    let cases = tables();
    assert!(cases.len() >= 35, "{}", cases.len());
    for (name, bytes, options, parts) in cases {
        let error = read_csv_from("bad.csv", std::io::Cursor::new(bytes), &options).expect_err(name);
        check(name, &error.to_string(), "bad.csv", parts);
    }
}

#[test]
fn what_the_stream_says_is_what_the_whole_says() {
    // All that does not need types to be inferred comes out of the stream with the same words.
    let inferred = ["infinity", "number too large", "infinity asked for as a number"];
    for (name, bytes, options, _) in tables() {
        if inferred.contains(&name) {
            continue;
        }
        let whole = read_csv_from("bad.csv", std::io::Cursor::new(bytes.clone()), &options).expect_err(name);
        let stream = CsvStream::from_reader("bad.csv", std::io::Cursor::new(bytes), &options).and_then(|mut stream| {
            while stream.next_chunk(1)?.is_some() {}
            Ok(())
        });
        assert_eq!(stream.expect_err(name), whole, "{name}");
    }
}

#[test]
fn bad_values_and_columns_of_a_stream() {
    let open = |text: &'static str| CsvStream::from_reader("in.csv", text.as_bytes(), &ReadOptions::default()).unwrap();
    let number = |name: &str| ColumnPlan { name: name.into(), kind: Kind::Number };

    let mut stream = open("age,weight\n1,2\n3,x\n5,6\n");
    let error = stream.plan(&[number("agge"), number("height"), number("weight")]).unwrap_err().to_string();
    check(
        "missing",
        &error,
        "in.csv",
        &["missing columns: 'agge' (did you mean 'age'?), 'height'", "it has age, weight"],
    );

    stream.plan(&[number("weight")]).unwrap();
    assert_eq!(stream.next_chunk(1).unwrap().unwrap().rows, 1);
    let error = stream.next_chunk(1).unwrap_err().to_string();
    check("word", &error, "in.csv", &["row 2 (line 3), column 'weight': 'x' is not a number"]);
    assert_eq!(stream.next_chunk(1).unwrap(), None);

    let mut stream = open("x\n1\n-Infinity\n");
    stream.plan(&[number("x")]).unwrap();
    let error = stream.next_chunk(10).unwrap_err().to_string();
    check("infinity", &error, "in.csv", &["row 2 (line 3), column 'x': '-Infinity' is not a finite number"]);
}

#[test]
fn a_stream_names_bytes_and_quotes_far_into_the_file() {
    let mut text = "id,x\n".to_string();
    for row in 0..60_000 {
        text.push_str(&format!("{row},plain words\n"));
    }
    let read = |end: &[u8]| {
        let bytes = [text.as_bytes(), end].concat();
        let mut stream =
            CsvStream::from_reader("far.csv", std::io::Cursor::new(bytes), &ReadOptions::default()).unwrap();
        loop {
            if let Err(error) = stream.next_chunk(1000).map(|chunk| assert!(chunk.is_some())) {
                return error.to_string();
            }
        }
    };
    check("zero", &read(b"1,\0\n"), "far.csv", &["line 60002 holds a zero byte"]);
    check("quote", &read(b"1,\"\n"), "far.csv", &["quote opened on line 60002"]);
    check("bytes", &read(b"1,\x81\n"), "far.csv", &["row 60001 (line 60002), column 'x'", "81"]);
}

#[test]
fn bad_files() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| write(folder.path(), name, bytes);
    let images = idx(&[2, 3, 4]);
    let mut cases: Vec<(&str, String, &[&str])> = vec![
        ("a wrong magic", put("a-images-idx3-ubyte", b"\0\0\x08\x09abcdefgh"), &["zero byte"]),
        (
            "images cut",
            put("b-images", &images[..30]),
            &["truncated: expected 24 bytes of values (2 x 3 x 4), found 14"],
        ),
        (
            "images cut in gzip",
            put("b2.gz", &gzip(&images[..30])),
            &["expected 24 bytes of values (2 x 3 x 4), found 14"],
        ),
        ("header cut", put("c-images", &images[..9]), &["truncated: its header has 16 bytes, found 9"]),
        ("too long", put("d-images", &[&images[..], b"x"].concat()), &["bytes follow the last value", "expected 24"]),
        (
            "a dimension of 0",
            put("e-images", &[0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
            &["a dimension is 0", "0 x 1 x 1", "dimensions must be positive"],
        ),
        (
            "dimensions overflow",
            put("f-images", &[&[0, 0, 8, 4][..], &[0xff; 16]].concat()),
            &["4294967295 x 4294967295", "claims"],
        ),
        (
            "a big claim",
            put("g.gz", &gzip(&[0, 0, 8, 3, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0])),
            &["expected 4294967296", "found 0"],
        ),
        ("floats", put("h-images", &[0, 0, 0x0d, 1, 0, 0, 0, 1, 0, 0, 0, 0]), &["IDX type 0D", "as bytes 0-255"]),
        ("labels alone", put("labels-idx1-ubyte", &idx(&[5])), &["images have 3 dimensions", "found [5]"]),
        (
            "a missing file",
            folder.path().join("b-image").to_string_lossy().into_owned(),
            &["there is no such file", "did you mean 'b-images'?"],
        ),
        (
            "npy cut",
            put("a.npy", &npy_f64("(3,)", &[1.0, 2.0])),
            &["truncated: expected 24 bytes of values (shape [3]), found 16", "numpy.save"],
        ),
        (
            "npy too long",
            put("b.npy", &npy_f64("(1,)", &[1.0, 2.0])),
            &["bytes follow the last value: expected 8", "found 16"],
        ),
        ("npy objects", put("c.npy", &npy("'|O'", false, "(1,)", b"")), &["pickled Python objects", "astype"]),
        ("npy text", put("d.npy", &npy("'<U5'", false, "(1,)", &[0; 20])), &["text (<U5)"]),
        ("npy records", put("e.npy", &npy("[('a', '<f8')]", false, "(1,)", &[0; 8])), &["records of several fields"]),
        (
            "npy overflow",
            put("f.npy", &npy("'<f8'", false, "(4294967295, 4294967295, 8)", b"")),
            &["claims more than any such file has"],
        ),
        (
            "npy header claim",
            put("g.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xffabcd"),
            &["its header claims 4294967307 bytes"],
        ),
        (
            "npy cut in its header",
            put("h.npy", b"\x93NUMPY\x01\x00\x76\x00{'descr'"),
            &["its header has 128 bytes, found 18"],
        ),
        ("npy version", put("i.npy", b"\x93NUMPY\x09\x00\x76\x00{'descr'"), &["npy version 9 is not known"]),
        ("npy header", put("j.npy", &npy("'<f8'", false, "3", b"")), &["its header is not as numpy writes it"]),
        ("npy by name only", put("k.npy", b"a,b\n1,2\n"), &["neither npy nor npz"]),
        (
            "npy of three dimensions",
            put("l.npy", &npy_f64("(1, 1, 1)", &[1.0])),
            &["its shape [1, 1, 1] makes no table", "[rows, columns]"],
        ),
        (
            "npy without rows",
            put("m.npy", &npy_f64("(0, 2)", &[])),
            &["its shape [0, 2] has a 0", "dimensions must be positive"],
        ),
        (
            "npy infinity",
            put("n.npy", &npy_f64("(2, 2)", &[1.0, 2.0, 3.0, f64::INFINITY])),
            &["row 2, column 'x2': 'inf' is not a finite number"],
        ),
        ("an empty npy", put("o.npy", b""), &["the file is empty"]),
        (
            "npz of different rows",
            put(
                "a.npz",
                &zip(&[("X.npy", npy_f64("(2, 1)", &[1.0, 2.0])), ("y.npy", npy_f64("(3,)", &[1.0; 3]))], true),
            ),
            &["array 'y': 3 rows, but array 'X' has 2"],
        ),
        (
            "npz with a name twice",
            put("b.npz", &zip(&[("X.npy", npy_f64("(1,)", &[1.0])), ("x.npy", npy_f64("(1,)", &[1.0]))], false)),
            &["columns 1 and 2 are both named 'x'"],
        ),
        (
            "npz without arrays",
            put("c.npz", &zip(&[("readme.txt", b"hello".to_vec())], false)),
            &["holds no .npy arrays"],
        ),
        (
            "npz cut",
            put("d.npz", &zip(&[("x.npy", npy_f64("(1,)", &[1.0]))], false)[..150]),
            &["truncated: the archive's list of files is missing"],
        ),
        (
            "npz damaged",
            put("e.npz", &{
                let mut bytes = zip(&[("x.npy", npy_f64("(1,)", &[1.0]))], false);
                bytes[35 + 128 + 3] ^= 1;
                bytes
            }),
            &["array 'x.npy'", "CRC-32"],
        ),
        (
            "a spreadsheet",
            put("a.xlsx", &zip(&[("xl/workbook.xml", b"x".to_vec())], false)),
            &["a spreadsheet", "export the sheet as CSV UTF-8"],
        ),
        ("an old workbook", put("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1"), &["an old Excel workbook"]),
        ("Parquet", put("a.parquet", b"PAR1abc"), &["this is a Parquet file, which is not read", "to_csv"]),
        ("zstd", put("a.csv.zst", b"\x28\xb5\x2f\xfdabc"), &["zstd data", "unzstd"]),
        ("JSON", put("a.json", b"{\"a\": 1}"), &["JSON", "write it as CSV"]),
        ("a pickle", put("a.pkl", b"\x80\x04abc"), &["a Python pickle", "never read"]),
    ];
    let dir = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    std::fs::create_dir(dir("nothing")).unwrap();
    cases.push(("an empty folder", dir("nothing"), &["holds nothing that is read (it is empty)", "give one file"]));
    put("tables/train.csv", b"a\n1\n");
    cases.push(("a folder of tables", dir("tables"), &["holds nothing that is read (it has train.csv)"]));
    put("nolabels/train-images-idx3-ubyte", &images);
    cases.push(("no labels", dir("nolabels"), &["there is no file of labels", "train-labels-idx1-ubyte"]));
    put("count/train-images-idx3-ubyte", &images);
    put("count/train-labels-idx1-ubyte.gz", &gzip(&idx(&[3])));
    cases.push((
        "another number of labels",
        dir("count"),
        &["train-labels", "3 labels, but", "has 2 images", "same set"],
    ));
    put("size/train-images-idx3-ubyte", &images);
    put("size/train-labels-idx1-ubyte", &idx(&[2]));
    put("size/t10k-images-idx3-ubyte", &idx(&[2, 4, 4]));
    put("size/t10k-labels-idx1-ubyte", &idx(&[2]));
    cases.push(("test images of another size", dir("size"), &["test images are 4 x 4 x 1, training images 3 x 4 x 1"]));
    put("text/train-images-idx3-ubyte", b"hello world");
    put("text/train-labels-idx1-ubyte", &idx(&[2]));
    cases.push(("text for images", dir("text"), &["not an IDX file: it begins with 68 65 6C 6C", "00 00 08 03"]));
    for (name, path, parts) in cases {
        let error = open(&path, &ReadOptions::default()).expect_err(name).to_string();
        let file = if name.ends_with("labels") && name.starts_with("another") { "count" } else { path.as_str() };
        check(name, &error, file, parts);
    }
}
