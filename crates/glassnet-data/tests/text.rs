//! Texts and word vectors: what is read, what is written, what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod made;

use glassnet_data::{WordVectors, read_text, read_word_vectors};
use made::{gzip, write};

#[test]
fn a_text_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let text = "To be,\r\nor not — to be\n";
    let plain = read_text(&write(folder.path(), "a.txt", text.as_bytes())).unwrap();
    assert_eq!((plain.text.as_str(), plain.gzip, plain.hash.len()), (text, false, 64));
    let zipped = read_text(&write(folder.path(), "a.txt.gz", &gzip(text.as_bytes()))).unwrap();
    assert_eq!((zipped.text, zipped.gzip, zipped.hash), (plain.text, true, plain.hash));
    let marked = read_text(&write(folder.path(), "b.txt", b"\xef\xbb\xbfabc")).unwrap();
    assert_eq!(marked.text, "abc");
}

#[test]
fn bad_texts() {
    let folder = tempfile::tempdir().unwrap();
    let cut = gzip(b"some text that is long enough to be cut");
    for (name, bytes, parts) in [
        ("empty", b"".to_vec(), &["the file is empty"][..]),
        ("empty but for its mark", b"\xef\xbb\xbf".to_vec(), &["the file is empty"]),
        ("a bad byte", b"ab\ncd\xff\n".to_vec(), &["byte 5 (on line 2) is 0xff, which is not UTF-8", "iconv"]),
        ("a cut letter", b"ab\xe2\x80".to_vec(), &["byte 2 (on line 1) is 0xe2"]),
        ("UTF-16", b"\xff\xfea\0".to_vec(), &["UTF-16", "iconv"]),
        ("cut gzip", cut[..20].to_vec(), &["Hint: fetch or compress the file again"]),
    ] {
        let path = write(folder.path(), "t.txt", &bytes);
        let error = read_text(&path).expect_err(name).to_string();
        for part in [parts, &[path.as_str(), "Hint: "]].concat() {
            assert!(error.contains(part), "{name}: no {part:?} in {error}");
        }
    }
    assert!(read_text("no/such.txt").unwrap_err().to_string().contains("there is no such file"));
}

fn vectors(bytes: &[u8]) -> Result<glassnet_data::WordVectorFile, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "v.txt", bytes);
    read_word_vectors(&path).map_err(|error| error.to_string())
}

fn known(words: &[&str], vectors: &[f32], width: usize) -> WordVectors {
    WordVectors { words: words.iter().map(ToString::to_string).collect(), vectors: vectors.to_vec(), width }
}

#[test]
fn word_vectors_in_every_spelling() {
    let wanted = known(&["the", "king"], &[0.5, -1.25e-3, 3.0, 0.25], 2);
    for text in [
        "the 0.5 -1.25e-3\nking 3 0.25\n",
        "the 0.5 -0.00125\r\nking 3 .25",
        "2 2\nthe 0.5 -1.25e-3 \nking 3 0.25 \n",
        "\u{feff}the\t0.5\t-1.25e-3\n\nking  3 0.25\n\n",
    ] {
        let found = vectors(text.as_bytes()).unwrap();
        assert_eq!((found.vectors, found.duplicates), (wanted.clone(), 0), "{text:?}");
    }
    assert_eq!(vectors(&gzip(b"the 0.5 -1.25e-3\nking 3 0.25\n")).unwrap().vectors, wanted);
    let twice = vectors(b"a 1 2\nb 3 4\na 5 6\na 7 8\n").unwrap();
    assert_eq!((twice.vectors, twice.duplicates), (known(&["a", "b"], &[1.0, 2.0, 3.0, 4.0], 2), 2));
    // One number a word: the first line is no header unless it says so.
    assert_eq!(vectors(b"7 5\nb 3\n").unwrap().vectors, known(&["7", "b"], &[5.0, 3.0], 1));
    assert_eq!(vectors(b"1 1\nb 3\n").unwrap().vectors, known(&["b"], &[3.0], 1));
    // Lines longer than what is read at a time.
    let long: String = (0..2_000).map(|row| format!("w{row}{}\n", format!(" 0.{row}").repeat(20))).collect();
    let found = vectors(long.as_bytes()).unwrap().vectors;
    assert_eq!((found.words.len(), found.width, found.find("w1999")), (2_000, 20, Some(1_999)));
    assert_eq!((found.vector(1_999).unwrap(), found.vector(2_000)), (&[0.1999; 20][..], None));
}

#[test]
fn bad_word_vectors() {
    for (text, parts) in [
        (&b""[..], &["the file is empty"][..]),
        (b"\n \n", &["the file is empty"]),
        (b"5 3\n", &["line 1: no word follows the first line"]),
        (b"the\n", &["line 1: 'the' stands alone, without numbers"]),
        (b"the 1 2\nking 1\n", &["line 2: 'king' has 1 numbers, but the first word has 2", "is the file whole?"]),
        (b"the 1 2\n\nking 1 2 3\n", &["line 3: 'king' has 3 numbers"]),
        (b"2 3\nthe 1 2\n", &["line 2: 'the' has 2 numbers, but the first word has 1"]),
        (b"the 1 2\nking 1 x2\n", &["line 2: number 2 of 'king' is 'x2', no finite number", "king 0.1"]),
        (b"the 1 nan\n", &["line 1: number 2 of 'the' is 'nan'"]),
        (b"the 1 1e60\n", &["line 1: number 2 of 'the' is '1e60'"]),
        (b"the 1 2\n 3 4\n", &["line 2: it begins with a blank"]),
        (b"the 1 2\n\xff\xfe 3 4\n", &["line 2: byte 1 of it is 0xff, which is not UTF-8", "binary file of word2vec"]),
        (b"New York 1 2\n", &["line 1: number 1 of 'New' is 'York'"]),
    ] {
        let error = vectors(text).expect_err(&String::from_utf8_lossy(text));
        for part in [parts, &["v.txt: ", "Hint: "]].concat() {
            assert!(error.contains(part), "{:?}: no {part:?} in {error}", String::from_utf8_lossy(text));
        }
    }
    assert!(vectors(&b"x".repeat(5 << 20)).unwrap_err().contains("line 1: it is longer than"));
}

#[test]
fn what_is_written_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.txt");
    let made = known(&["é", "a\\b", "12"], &[0.1, -0.0, f32::MIN_POSITIVE, 1.0 / 3.0, f32::MAX, -7.0], 2);
    made.write(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("é 0.1 -0\na\\b 0.000000000000"), "{text}");
    let found = read_word_vectors(path.to_str().unwrap()).unwrap().vectors;
    assert_eq!(found.to_text(), Ok(text));
    assert_eq!(found, made);
    for (words, vectors, width, part) in [
        (&["a b"][..], &[1.0f32][..], 1, "the word \"a b\" is empty, or has a blank"),
        (&[""], &[1.0], 1, "the word \"\" is empty"),
        (&["\n"], &[1.0], 1, "the word \"\\n\""),
        (&["a"], &[f32::NAN], 1, "the vector of \"a\" has a number that is not finite"),
        (&["a"], &[1.0, 2.0], 1, "1 words of 1 numbers each have 2 numbers"),
        (&["a"], &[], 0, "1 words of 0 numbers"),
    ] {
        let error = known(words, vectors, width).write(folder.path().join("bad.txt")).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("hint: "), "{error}");
    }
    assert!(!folder.path().join("bad.txt").exists());
}
