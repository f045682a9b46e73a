//! The little of zip that npz needs: the list of entries, stored or deflated, checked by size and CRC-32.
//!
//! Own code: an npz is a plain archive, and every size that it claims must be held against the file before it is
//! believed. Source: PKWARE's APPNOTE 6.3, sections 4.3 and 4.5.3 (zip64).

use std::io::Read;

use crate::error::{DataError, Result};

/// Deflate can't shrink data by more than this; an entry that claims more is lying about its size.
const MOST_DEFLATION: u64 = 1032;

/// One entry of an archive.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub name: String,
    method: u16,
    encrypted: bool,
    crc: u32,
    packed: u64,
    /// Its size, unpacked, as claimed.
    size: u64,
    offset: u64,
}

fn wrong(file: &str, entry: &str, problem: impl Into<String>) -> DataError {
    DataError::Npy {
        file: file.into(),
        array: entry.into(),
        problem: problem.into(),
        hint: "write it again with numpy.savez or numpy.savez_compressed".into(),
    }
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    Some(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// The archive's entries in its order.
pub(crate) fn entries(file: &str, bytes: &[u8]) -> Result<Vec<Entry>> {
    let (mut at, end, count) = directory(bytes)
        .ok_or_else(|| wrong(file, "", "truncated: the archive's list of files is missing at its end"))?;
    let damaged = || wrong(file, "", "the archive's list of files is damaged");
    let mut entries = Vec::new();
    for _ in 0..count {
        if at >= end {
            break;
        }
        let (entry, next) = entry(bytes, at).ok_or_else(damaged)?;
        entries.push(entry);
        at = next;
    }
    if entries.len() as u64 != count {
        return Err(damaged());
    }
    Ok(entries)
}

/// Where the central directory starts and ends, and its number of entries.
fn directory(bytes: &[u8]) -> Option<(usize, usize, u64)> {
    // The end record has 22 bytes and a comment of at most 65,535.
    let from = bytes.len().saturating_sub(22 + 65_535);
    let record = memchr::memmem::rfind(&bytes[from..], b"PK\x05\x06")? + from;
    let mut count = number(bytes, record + 10, 2)?;
    let mut size = number(bytes, record + 12, 4)?;
    let mut offset = number(bytes, record + 16, 4)?;
    if (count == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff)
        && let Some(locator) = record.checked_sub(20)
        && bytes[locator..].starts_with(b"PK\x06\x07")
    {
        let wide = usize::try_from(number(bytes, locator + 8, 8)?).ok()?;
        if !bytes.get(wide..)?.starts_with(b"PK\x06\x06") {
            return None;
        }
        count = number(bytes, wide.checked_add(32)?, 8)?;
        size = number(bytes, wide.checked_add(40)?, 8)?;
        offset = number(bytes, wide.checked_add(48)?, 8)?;
    }
    let end = offset.checked_add(size).filter(|end| *end <= bytes.len() as u64)?;
    Some((offset as usize, end as usize, count))
}

/// The entry of the central directory at `at`, and where the next one is.
fn entry(bytes: &[u8], at: usize) -> Option<(Entry, usize)> {
    if !bytes.get(at..)?.starts_with(b"PK\x01\x02") {
        return None;
    }
    let (name, extra, comment) =
        (number(bytes, at + 28, 2)? as usize, number(bytes, at + 30, 2)? as usize, number(bytes, at + 32, 2)? as usize);
    let mut entry = Entry {
        name: String::from_utf8_lossy(bytes.get(at + 46..at + 46 + name)?).into_owned(),
        method: number(bytes, at + 10, 2)? as u16,
        encrypted: number(bytes, at + 8, 2)? & 1 == 1,
        crc: number(bytes, at + 16, 4)? as u32,
        packed: number(bytes, at + 20, 4)?,
        size: number(bytes, at + 24, 4)?,
        offset: number(bytes, at + 42, 4)?,
    };
    // zip64's extra field (id 1) holds, in this order, those that are all ones above.
    let extras = bytes.get(at + 46 + name..at + 46 + name + extra)?;
    let mut place = 0;
    while let (Some(id), Some(length)) = (number(extras, place, 2), number(extras, place + 2, 2)) {
        if id == 1 {
            let mut field = place + 4;
            for wide in [&mut entry.size, &mut entry.packed, &mut entry.offset] {
                if *wide == 0xffff_ffff {
                    *wide = number(extras, field, 8)?;
                    field += 8;
                }
            }
        }
        place += 4 + length as usize;
    }
    Some((entry, at + 46 + name + extra + comment))
}

/// Unpacks an entry; its size and CRC-32 are checked.
pub(crate) fn unpack(file: &str, bytes: &[u8], entry: &Entry) -> Result<Vec<u8>> {
    let name = &entry.name;
    if entry.encrypted {
        return Err(wrong(file, name, "it is encrypted"));
    }
    let damaged = || wrong(file, name, "truncated or damaged: the archive says that more bytes follow than there are");
    let at = usize::try_from(entry.offset).map_err(|_| damaged())?;
    if !bytes.get(at..).is_some_and(|rest| rest.starts_with(b"PK\x03\x04")) {
        return Err(wrong(file, name, "damaged: the archive points to where no file begins"));
    }
    let (skip, extra) =
        (number(bytes, at + 26, 2).ok_or_else(damaged)?, number(bytes, at + 28, 2).ok_or_else(damaged)?);
    let start = at + 30 + skip as usize + extra as usize;
    let end = usize::try_from(entry.packed).ok().and_then(|packed| start.checked_add(packed)).ok_or_else(damaged)?;
    let packed = bytes.get(start..end).ok_or_else(damaged)?;
    let unpacked = match entry.method {
        0 => packed.to_vec(),
        8 if entry.size > entry.packed.saturating_mul(MOST_DEFLATION).saturating_add(64) => {
            return Err(wrong(
                file,
                name,
                format!("damaged: it claims {} bytes, packed in {}", entry.size, entry.packed),
            ));
        }
        8 => {
            let mut unpacked = Vec::new();
            let mut reader = flate2::read::DeflateDecoder::new(packed).take(entry.size.saturating_add(1));
            reader.read_to_end(&mut unpacked).map_err(|_| wrong(file, name, "damaged: it cannot be unpacked"))?;
            unpacked
        }
        other => return Err(wrong(file, name, format!("it is packed by zip method {other}, which is not read"))),
    };
    if unpacked.len() as u64 != entry.size {
        let problem = format!("damaged: expected {} bytes, found {}", entry.size, unpacked.len());
        return Err(wrong(file, name, problem));
    }
    let mut crc = flate2::Crc::new();
    crc.update(&unpacked);
    if crc.sum() != entry.crc {
        return Err(wrong(file, name, "damaged: its check sum (CRC-32) doesn't fit"));
    }
    Ok(unpacked)
}
