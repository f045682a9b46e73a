//! Where bytes come from: a file, standard input or memory, unzipped where they are gzip (known by its first two
//! bytes, whatever the name says), hashed as they pass.

use std::fs::File;
use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::error::{DataError, Result};

/// What messages call standard input.
pub(crate) const STDIN: &str = "standard input";

/// How many bytes are looked at before anything is decided.
pub(crate) const PREFIX: usize = 256 * 1024;

/// A source of bytes with a name for messages.
pub(crate) struct Input {
    pub name: String,
    pub gzip: bool,
    reader: Box<dyn Read + Send>,
    hasher: Sha256,
    bytes: u64,
}

impl Input {
    /// Opens `path`; `-` is standard input.
    pub fn open(path: &str) -> Result<Self> {
        if path == "-" {
            return Self::new(STDIN, std::io::stdin());
        }
        let file = File::open(path).map_err(|error| DataError::from_io(path, false, &error))?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(DataError::Folder { file: path.to_string(), found: "a file was expected".into() });
        }
        Self::new(path, file)
    }

    /// Bytes from any reader.
    pub fn new(name: &str, reader: impl Read + Send + 'static) -> Result<Self> {
        let mut reader = reader;
        let magic = read_up_to(&mut reader, 2).map_err(|error| DataError::from_io(name, false, &error))?;
        let gzip = magic == [0x1f, 0x8b];
        let whole = Cursor::new(magic).chain(reader);
        let reader: Box<dyn Read + Send> = if gzip {
            Box::new(MultiGzDecoder::new(std::io::BufReader::with_capacity(1 << 16, whole)))
        } else {
            Box::new(whole)
        };
        Ok(Input { name: name.to_string(), gzip, reader, hasher: Sha256::new(), bytes: 0 })
    }

    /// Reads into `buffer`; 0 at the end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            match self.reader.read(buffer) {
                Ok(count) => {
                    self.hasher.update(&buffer[..count]);
                    self.bytes += count as u64;
                    return Ok(count);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(DataError::from_io(&self.name, self.gzip, &error)),
            }
        }
    }

    /// Reads until `data` holds `limit` bytes or the source ends; true at its end.
    pub fn fill(&mut self, data: &mut Vec<u8>, limit: usize) -> Result<bool> {
        let mut block = vec![0; (1 << 16).min(limit.max(1))];
        while data.len() < limit {
            let want = block.len().min(limit - data.len());
            let count = self.read(&mut block[..want])?;
            if count == 0 {
                return Ok(true);
            }
            data.extend_from_slice(&block[..count]);
        }
        Ok(false)
    }

    /// SHA-256 of the (unzipped) bytes read so far, in hexadecimal.
    pub fn hash(&self) -> String {
        self.hasher.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Number of (unzipped) bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

fn read_up_to(reader: &mut impl Read, count: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// SHA-256 of hashes one after another: the hash of a set of files.
pub(crate) fn hash_of(hashes: &[String]) -> String {
    let mut hasher = Sha256::new();
    for hash in hashes {
        hasher.update(hash.as_bytes());
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
