//! Word vectors that cannot be read, and sums of words that cannot be.

use crate::case::{Case, case};

const GOOD: &str = "king 1 0\nqueen 0 1\nman 1 1\n";

/// Files.
pub fn vectors() -> Vec<Case> {
    let file = |name, bytes: &[u8], says: &[&'static str], hint| {
        case(name, &["words", "v.txt", "king"], 3, says, hint).with("v.txt", bytes)
    };
    vec![
        file("ragged vectors", b"king 1 0\nqueen 0\n", &["v.txt: line 2: 'queen' has 1 numbers"], "is the file whole?"),
        file(
            "a vector of words",
            b"king 1 0\nqueen 0 x\n",
            &["line 2: number 2 of 'queen' is 'x'"],
            "a line is a word",
        ),
        file("a vector without end", b"king 1 inf\n", &["line 1: number 2 of 'king' is 'inf'"], "a line is a word"),
        file("no vectors", b"", &["v.txt: the file is empty"], "Hint: "),
        file("a header of vectors alone", b"5 3\n", &["v.txt: line 1: no word follows"], "a line is a word"),
        file(
            "binary vectors",
            b"2 3\nking \xff\xfe\x00\n",
            &["line 2: byte 6 of it is 0xff"],
            "binary file of word2vec",
        ),
        case(
            "vectors that are not there",
            &["words", "w.txt", "king"],
            3,
            &["w.txt: there is no such file"],
            "check the path",
        ),
    ]
}

/// Sums.
pub fn sums() -> Vec<Case> {
    let sum = |name, arguments: &[&str], says: &[&'static str], hint| {
        case(name, &[&["words", "v.txt"], arguments].concat(), 2, says, hint).with("v.txt", GOOD)
    };
    vec![
        sum("an unknown word", &["king - quen"], &["v.txt: there is no word 'quen' among 3"], "did you mean 'queen'?"),
        sum("an unknown word to be near to", &["--near", "zzz"], &["there is no word 'zzz'"], "capitals"),
        sum("words without a sign", &["king man"], &["no sign between king and man"], "as in \"king - man + woman\""),
        sum("signs without a word", &["king - + man"], &["- and + stand side by side"], "as in"),
        sum("a sum without its end", &["king -"], &["no word follows the last -"], "as in"),
        sum("an empty sum", &[""], &["there is no word"], "as in"),
        sum(
            "signs without blanks",
            &["king-man+queen"],
            &["there is no word 'king-man+queen'"],
            "blanks on both sides",
        ),
        sum(
            "words that cancel out",
            &["king - king"],
            &["v.txt: nothing is left of \"king - king\""],
            "do not cancel out",
        ),
        sum("nothing to look for", &[], &["there is nothing to look for"], "--near WORD"),
        sum("no word to be near to", &["--near", " "], &["--near: there is no word"], "--near frog"),
        sum("a sum and a word", &["king", "--near", "man"], &["cannot be used with"], "--help"),
        sum("no answers at all", &["king", "--top", "0"], &["--top"], "--help"),
    ]
}
