//! One array in NumPy's npy format: a magic word, a version, a header that is a Python dictionary, then the values.
//! Source: numpy.lib.format. Numbers and booleans of either byte order are read, in C and Fortran order; pickled
//! objects never are.

use crate::error::{DataError, Result};

/// The first bytes of an npy file.
pub(crate) const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// More bytes of values than are read into memory.
const MOST_BYTES: u64 = 1 << 36;

/// A named array of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Its name in the archive; an npy file's own array has the file's name without its ending.
    pub name: String,
    /// Its dimensions; empty for a single number.
    pub shape: Vec<usize>,
    /// Its values in C order (last dimension fastest). Integers beyond 2^53 are rounded; booleans are 0 and 1.
    pub values: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Type {
    Bool,
    Signed,
    Unsigned,
    Float,
}

/// What an npy header says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NpyHeader {
    kind: Type,
    width: usize,
    big_endian: bool,
    fortran: bool,
    shape: Vec<usize>,
    /// Number of values.
    count: usize,
    /// Bytes of magic word, version and header.
    pub length: usize,
}

impl NpyHeader {
    /// Bytes of all values.
    pub fn bytes(&self) -> u64 {
        self.count as u64 * self.width as u64
    }
}

fn wrong(file: &str, array: &str, problem: impl Into<String>, hint: &str) -> DataError {
    DataError::Npy { file: file.into(), array: array.into(), problem: problem.into(), hint: hint.into() }
}

const AGAIN: &str = "write it again with numpy.save or numpy.savez";

/// How many bytes the magic word, the version and the header's length take with this start of a file.
pub(crate) fn header_length(file: &str, array: &str, head: &[u8]) -> Result<usize> {
    if head.len() < 12 {
        return Err(wrong(
            file,
            array,
            format!("truncated: an npy file has at least 12 bytes, found {}", head.len()),
            AGAIN,
        ));
    }
    if &head[..6] != MAGIC {
        return Err(wrong(file, array, "not an npy array: it doesn't begin with \\x93NUMPY", AGAIN));
    }
    let length = match head[6] {
        1 => 10 + u16::from_le_bytes([head[8], head[9]]) as usize,
        2 | 3 => 12 + u32::from_le_bytes([head[8], head[9], head[10], head[11]]) as usize,
        other => return Err(wrong(file, array, format!("npy version {other} is not known"), AGAIN)),
    };
    // numpy's own headers are below 64 KiB unless they describe records, which are not read.
    if length > 1 << 20 {
        return Err(wrong(file, array, format!("its header claims {length} bytes"), AGAIN));
    }
    Ok(length)
}

/// Reads the header from the first `header_length` bytes.
pub(crate) fn parse_header(file: &str, array: &str, head: &[u8]) -> Result<NpyHeader> {
    let length = header_length(file, array, head)?;
    let start = if head[6] == 1 { 10 } else { 12 };
    let Some(text) = head.get(start..length) else {
        let problem = format!("truncated: its header has {length} bytes, found {}", head.len());
        return Err(wrong(file, array, problem, AGAIN));
    };
    let unreadable = || wrong(file, array, "its header is not as numpy writes it", AGAIN);
    let text = std::str::from_utf8(text).map_err(|_| unreadable())?;
    let descr = value_of(text, "descr").ok_or_else(unreadable)?;
    let order = value_of(text, "fortran_order").ok_or_else(unreadable)?;
    let shape_text = value_of(text, "shape").ok_or_else(unreadable)?;
    let (kind, width, big_endian) = parse_type(file, array, descr)?;
    let fortran = if order.starts_with("True") {
        true
    } else if order.starts_with("False") {
        false
    } else {
        return Err(unreadable());
    };
    let inner = shape_text.strip_prefix('(').and_then(|rest| rest.split_once(')')).ok_or_else(unreadable)?.0;
    let sizes = inner.split(',').map(|size| size.trim().trim_end_matches('L')).filter(|size| !size.is_empty());
    let shape = sizes.map(|size| size.parse::<usize>().map_err(|_| unreadable())).collect::<Result<Vec<usize>>>()?;
    if shape.len() > 32 {
        return Err(wrong(file, array, format!("it claims {} dimensions", shape.len()), AGAIN));
    }
    let count = shape.iter().try_fold(1u64, |product, size| product.checked_mul(*size as u64));
    let bytes = count.and_then(|count| count.checked_mul(width as u64)).filter(|bytes| *bytes <= MOST_BYTES);
    let (Some(count), Some(_)) = (count, bytes) else {
        let problem = format!("its shape {shape_text:?} claims more than any such file has", shape_text = shape);
        return Err(wrong(file, array, problem, AGAIN));
    };
    Ok(NpyHeader { kind, width, big_endian, fortran, shape, count: count as usize, length })
}

/// What follows `'key':` in the header.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let found = text.find(&format!("'{key}'")).or_else(|| text.find(&format!("\"{key}\"")))?;
    let rest = text.get(found + key.len() + 2..)?.trim_start();
    Some(rest.strip_prefix(':')?.trim_start())
}

fn parse_type(file: &str, array: &str, descr: &str) -> Result<(Type, usize, bool)> {
    let unsupported = |what: &str| {
        let problem = format!("its values are {what}, which is not read");
        wrong(file, array, problem, "store numbers or booleans: array.astype('float64')")
    };
    if descr.starts_with('[') {
        return Err(unsupported("records of several fields"));
    }
    let quote = descr.chars().next().filter(|mark| matches!(mark, '\'' | '"'));
    let word = quote.and_then(|mark| descr[1..].split_once(mark)).map(|(word, _)| word);
    let word = word.ok_or_else(|| wrong(file, array, "its header names no type", AGAIN))?;
    let (order, rest) = match word.chars().next() {
        Some(mark @ ('<' | '>' | '|' | '=')) => (mark, &word[1..]),
        _ => ('=', word),
    };
    let kind = match rest {
        "b1" | "?" => (Type::Bool, 1),
        "i1" => (Type::Signed, 1),
        "i2" => (Type::Signed, 2),
        "i4" => (Type::Signed, 4),
        "i8" => (Type::Signed, 8),
        "u1" => (Type::Unsigned, 1),
        "u2" => (Type::Unsigned, 2),
        "u4" => (Type::Unsigned, 4),
        "u8" => (Type::Unsigned, 8),
        "f2" => (Type::Float, 2),
        "f4" => (Type::Float, 4),
        "f8" => (Type::Float, 8),
        _ => {
            return Err(unsupported(&match rest.chars().next() {
                Some('U' | 'S' | 'a') => format!("text ({})", crate::error::short(word)),
                Some('O') => "pickled Python objects (|O)".to_string(),
                Some('c') => format!("complex numbers ({})", crate::error::short(word)),
                Some('M' | 'm') => format!("dates ({})", crate::error::short(word)),
                _ => format!("of type '{}'", crate::error::short(word)),
            }));
        }
    };
    Ok((kind.0, kind.1, order == '>'))
}

/// Turns the bytes of values into an array. `bytes` must have [`NpyHeader::bytes`] bytes.
pub(crate) fn decode(file: &str, name: &str, header: &NpyHeader, bytes: &[u8]) -> Result<Array> {
    let (claim, found) = (header.bytes(), bytes.len() as u64);
    if found != claim {
        let what = if found < claim { "truncated" } else { "bytes follow the last value" };
        let problem = format!("{what}: expected {claim} bytes of values (shape {:?}), found {found}", header.shape);
        return Err(wrong(file, name, problem, AGAIN));
    }
    let mut values: Vec<f64> = bytes.chunks_exact(header.width).map(|chunk| value(header, chunk)).collect();
    if header.fortran && header.shape.len() > 1 {
        values = to_c_order(&values, &header.shape);
    }
    Ok(Array { name: name.to_string(), shape: header.shape.clone(), values })
}

fn value(header: &NpyHeader, chunk: &[u8]) -> f64 {
    let mut bits = 0u64;
    for (place, byte) in chunk.iter().enumerate() {
        let shift = if header.big_endian { chunk.len() - 1 - place } else { place };
        bits |= u64::from(*byte) << (8 * shift);
    }
    match (header.kind, header.width) {
        (Type::Bool, _) => f64::from(u8::from(bits != 0)),
        (Type::Unsigned, _) => bits as f64,
        (Type::Signed, 1) => f64::from(bits as u8 as i8),
        (Type::Signed, 2) => f64::from(bits as u16 as i16),
        (Type::Signed, 4) => f64::from(bits as u32 as i32),
        (Type::Signed, _) => bits as i64 as f64,
        (Type::Float, 2) => half(bits as u16),
        (Type::Float, 4) => f64::from(f32::from_bits(bits as u32)),
        (Type::Float, _) => f64::from_bits(bits),
    }
}

/// A half-precision number: 1 sign bit, 5 exponent bits (bias 15), 10 bits of fraction.
fn half(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    let size = match (bits >> 10) & 0x1f {
        0 => fraction / 16384.0,
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        // Exact: a power of two written as an f64's bits.
        exponent => (1.0 + fraction) * f64::from_bits((u64::from(exponent) + 1023 - 15) << 52),
    };
    if bits >> 15 == 1 { -size } else { size }
}

fn to_c_order(values: &[f64], shape: &[usize]) -> Vec<f64> {
    // In Fortran order the first dimension is fastest: its stride is 1, the next one's the first's size, and so on.
    let mut strides = vec![1usize; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    let mut place = vec![0usize; shape.len()];
    let mut from = 0;
    let mut ordered = Vec::with_capacity(values.len());
    while ordered.len() < values.len() {
        ordered.push(values[from]);
        for axis in (0..shape.len()).rev() {
            place[axis] += 1;
            from += strides[axis];
            if place[axis] < shape[axis] {
                break;
            }
            from -= strides[axis] * shape[axis];
            place[axis] = 0;
        }
    }
    ordered
}

/// Reads one array from all bytes of an npy file.
pub(crate) fn from_bytes(file: &str, name: &str, bytes: &[u8]) -> Result<Array> {
    let header = parse_header(file, name, bytes)?;
    decode(file, name, &header, bytes.get(header.length..).unwrap_or(&[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision() {
        for (bits, value) in
            [(0x3c00, 1.0), (0xc000, -2.0), (0x7bff, 65504.0), (0x0001, 5.960464477539063e-8), (0x3555, 0.333251953125)]
        {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7e00).is_nan() && half(0xfc00) == f64::NEG_INFINITY);
    }

    #[test]
    fn fortran_order_becomes_c_order() {
        // a[i][j] = 10 i + j, shape 2 x 3, written column by column.
        assert_eq!(to_c_order(&[0., 10., 1., 11., 2., 12.], &[2, 3]), [0., 1., 2., 10., 11., 12.]);
        // a[i][j][k] = 100 i + 10 j + k, shape 2 x 2 x 2.
        assert_eq!(
            to_c_order(&[0., 100., 10., 110., 1., 101., 11., 111.], &[2, 2, 2]),
            [0., 1., 10., 11., 100., 101., 110., 111.]
        );
    }
}
