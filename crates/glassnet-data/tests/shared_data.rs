//! The readers on the real sets, where they lie beside the repository (or where GLASSNET_SHARED says).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use glassnet_data::{ColumnPlan, CsvStream, Dataset, Kind, ReadOptions, open, read_arrays, read_csv, read_idx_folder};
use glassnet_model::table::Values;

/// The path of a shared file; `None`, with a printed word, where it is absent.
fn shared(name: &str) -> Option<String> {
    let root = std::env::var_os("GLASSNET_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join(name);
    if path.exists() {
        return Some(path.to_string_lossy().into_owned());
    }
    println!("skipped: {name} is not there");
    None
}

#[test]
fn flights() {
    let Some(path) = shared("data/flights/train.csv.gz") else { return };
    let (table, understood) = read_csv(&path, &ReadOptions::default()).unwrap();
    println!("{understood}");
    assert_eq!((table.rows, table.columns.len()), (244_737, 33));
    assert_eq!((understood.rows, understood.hash.len()), (244_737, 64));
    assert!(understood.gzip && understood.warnings.is_empty());
    assert_eq!(table.place(244_736), "row 244737 (line 244738)");
    let kind = |name: &str| understood.columns.iter().find(|column| column.name == name).unwrap().kind;
    assert_eq!((kind("late15"), kind("carrier"), kind("wind_gust")), (Kind::Number, Kind::Text, Kind::Number));

    // The stream gives the same values, in chunks, from the same bytes.
    let mut stream = CsvStream::open(&path, &ReadOptions::default()).unwrap();
    let plan = [("temp", Kind::Number), ("carrier", Kind::Text), ("year", Kind::Ignore)];
    stream.plan(&plan.map(|(name, kind)| ColumnPlan { name: name.into(), kind })).unwrap();
    let mut row = 0;
    while let Some(chunk) = stream.next_chunk(50_000).unwrap() {
        assert_eq!(chunk.first_row as usize, row + 1);
        for name in ["carrier", "temp"] {
            match (&chunk.column(name).unwrap().values, &table.column(name).unwrap().values) {
                (Values::Number(some), Values::Number(all)) => {
                    let all = all[row..row + chunk.rows].iter();
                    assert!(some.iter().zip(all).all(|(a, b)| a.to_bits() == b.to_bits()));
                }
                (Values::Text(some), Values::Text(all)) => {
                    assert!(some.iter().eq(all.iter().skip(row).take(chunk.rows)))
                }
                other => panic!("{other:?}"),
            }
        }
        row += chunk.rows;
    }
    assert_eq!(row, table.rows);
    assert_eq!(stream.understood().hash, understood.hash);
}

#[test]
fn digits_have_no_header() {
    let Some(path) = shared("data/digits/digits.csv.gz") else { return };
    let (table, understood) = read_csv(&path, &ReadOptions::default()).unwrap();
    assert_eq!((table.rows, table.columns.len()), (1797, 65));
    assert!(!understood.dialect.unwrap().header);
    assert_eq!(table.columns[64].name, "c65");
    assert_eq!(table.place(0), "row 1 (line 1)");
}

#[test]
fn other_tables() {
    for (name, rows, columns, text) in [
        ("data/adult/train.csv.gz", None, 15, 9),
        ("data/california/train.csv.gz", None, 9, 0),
        ("data/diamonds/diamonds.csv.gz", Some(53_940), 10, 3),
    ] {
        let Some(path) = shared(name) else { continue };
        let Dataset::Table { table, understood } = open(&path, &ReadOptions::default()).unwrap() else {
            panic!("{name}")
        };
        assert_eq!(table.columns.len(), columns, "{understood}");
        assert!(rows.is_none_or(|rows| rows == table.rows), "{understood}");
        let found = understood.columns.iter().filter(|column| column.kind == Kind::Text).count();
        assert_eq!(found, text, "{understood}");
        assert!(understood.dialect.unwrap().header);
    }
}

#[test]
fn mnist() {
    let Some(path) = shared("data/mnist") else { return };
    let folder = read_idx_folder(&path).unwrap();
    let test = folder.test.unwrap();
    assert_eq!(
        (folder.train.rows, folder.train.height, folder.train.width, folder.train.channels),
        (60_000, 28, 28, 1)
    );
    assert_eq!((folder.train.labels.len(), test.rows, test.labels.len()), (60_000, 10_000, 10_000));
    assert_eq!((&folder.train.labels[..3], &test.labels[..3]), (&[5, 0, 4][..], &[7, 2, 1][..]));
    // The usual mean over all training pixels, 0.1307.
    let sum: u64 = folder.train.pixels.iter().map(|pixel| u64::from(*pixel)).sum();
    assert!((sum as f64 / 255.0 / folder.train.pixels.len() as f64 - 0.1307).abs() < 5e-5);
}

#[test]
fn blobs() {
    let Some(path) = shared("golden/blobs_4_16_3.npz") else { return };
    let arrays = read_arrays(&path).unwrap();
    let shapes: Vec<(&str, &[usize])> =
        arrays.arrays.iter().map(|array| (array.name.as_str(), &array.shape[..])).collect();
    assert_eq!(shapes[..3], [("X", &[1024, 4][..]), ("y", &[1024]), ("W1", &[4, 16])]);
    assert_eq!(arrays.get("losses").unwrap().values.len(), 2000);
    assert!(arrays.get("batches").unwrap().values.iter().all(|row| (0.0..1024.0).contains(row)));
    // Arrays of different lengths make no table, and the message says which.
    let error = arrays.to_table().unwrap_err().to_string();
    assert!(error.contains("array 'W1': 4 rows, but array 'y' has 1024"), "{error}");
}
