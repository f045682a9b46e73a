//! Damaged input never panics: every truncation, and thousands of flipped bytes, of a small file of every format.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod made;

use glassnet_data::{CsvStream, ReadOptions, open, read_csv_from};
use made::{gzip, idx, npy_f64, write, zip};

/// A small generator (Marsaglia's xorshift); the seeds are the cases' numbers.
struct Damage(u64);

impl Damage {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below
    }
}

#[test]
fn damaged_files_never_panic() {
    let table = b"id;x;name\r\n1;1,5;\"a \"\"b\"\"\r\nc\"\r\n2;NA;caf\xe9\r\n3;inf;d\r\n".to_vec();
    let arrays = [("X.npy", npy_f64("(2, 2)", &[1.0, 2.0, 3.0, 4.0])), ("y.npy", npy_f64("(2,)", &[0.0, 1.0]))];
    let samples = [
        ("a.csv", table.clone()),
        ("b.csv.gz", gzip(&table)),
        ("c-images-idx3-ubyte", idx(&[2, 3, 2])),
        ("d-images-idx3-ubyte.gz", gzip(&idx(&[2, 3, 2]))),
        ("e.npy", npy_f64("(2, 2)", &[1.0, 2.0, 3.0, 4.0])),
        ("f.npz", zip(&arrays, false)),
        ("g.npz", zip(&arrays, true)),
    ];
    let folder = tempfile::tempdir().unwrap();
    let (mut read, mut refused) = (0, 0);
    let mut try_it = |name: &str, bytes: &[u8]| {
        let path = write(folder.path(), name, bytes);
        match open(&path, &ReadOptions::default()) {
            Ok(_) => read += 1,
            Err(error) => {
                assert!(error.to_string().contains("Hint: "), "{error}");
                refused += 1;
            }
        }
    };
    for (name, bytes) in &samples {
        for length in 0..bytes.len() {
            try_it(name, &bytes[..length]);
        }
        for seed in 1..=200u64 {
            let mut damage = Damage(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let mut bytes = bytes.clone();
            for _ in 0..=damage.next(4) {
                let at = damage.next(bytes.len());
                bytes[at] = match damage.next(4) {
                    0 => 0,
                    1 => 0xff,
                    2 => bytes[at] ^ (1 << damage.next(8)),
                    _ => damage.next(256) as u8,
                };
            }
            try_it(name, &bytes);
        }
    }
    assert!(read > 100 && refused > 1000, "{read} read, {refused} refused");
}

#[test]
fn random_bytes_never_panic_and_stream_and_whole_agree() {
    let letters = "aab1123456,,;\n\n\n\"\r.-eN\u{e9} ".as_bytes();
    let (mut good, mut bad) = (0, 0);
    for seed in 1..=4000u64 {
        let mut damage = Damage(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let length = 1 + damage.next(40);
        let bytes: Vec<u8> = (0..length).map(|_| letters[damage.next(letters.len())]).collect();
        let whole = read_csv_from("r.csv", std::io::Cursor::new(bytes.clone()), &ReadOptions::default());
        let stream = CsvStream::from_reader("r.csv", std::io::Cursor::new(bytes.clone()), &ReadOptions::default());
        let mut rows = 0;
        let streamed = stream.and_then(|mut stream| {
            while let Some(chunk) = stream.next_chunk(2)? {
                rows += chunk.rows;
            }
            Ok(())
        });
        if whole.is_ok() {
            good += 1
        } else {
            bad += 1
        }
        if let Ok((table, _)) = &whole {
            assert_eq!((Ok(()), table.rows), (streamed, rows), "{:?}", String::from_utf8_lossy(&bytes));
        }
    }
    assert!(good > 300 && bad > 300, "{good} {bad}");
    println!("{good} {bad}");
}
