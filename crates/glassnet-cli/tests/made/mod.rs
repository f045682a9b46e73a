//! The real command, run in a folder of its own, and small data made there.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder that goes when the test is over.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("glassnet-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Names of what lies in the folder.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_glassnet"));
        command.args(arguments).current_dir(&self.0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::from(self.command(arguments).output().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a run left.
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Run {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Run {
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.out, self.err))
    }

    pub fn fails(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in\n{}", self.err);
        }
        self
    }
}

/// Numbers that look random and are the same everywhere.
pub struct Numbers(pub u64);

impl Numbers {
    /// In [0, 1).
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 31) as f64
    }
}

/// Orders: `late` is yes where `amount > 50`, but the other way round in the US; `days` is a line of both.
pub fn orders(rows: usize, seed: u64) -> String {
    let mut numbers = Numbers(seed);
    let mut text = String::from("order,amount,country,express,days,late\n");
    for row in 0..rows {
        let amount = numbers.next() * 100.0;
        let country = ["de", "fr", "us"][(numbers.next() * 3.0) as usize];
        let express = numbers.next() < 0.5;
        let days = 2.0 + amount / 20.0 - if express { 1.5 } else { 0.0 };
        let late = (amount > 50.0) != (country == "us");
        let word = |yes: bool| if yes { "yes" } else { "no" };
        text += &format!("o{row:05},{amount:.2},{country},{},{days:.3},{}\n", word(express), word(late));
    }
    text
}

/// The name of IDX files: two kinds of 4 x 4 images, bright above or bright below.
pub fn idx_folder(folder: &Path, part: &str, rows: usize, seed: u64) {
    let mut numbers = Numbers(seed);
    let mut images = vec![0, 0, 8, 3];
    for size in [rows as u32, 4, 4] {
        images.extend(size.to_be_bytes());
    }
    let mut labels = vec![0, 0, 8, 1];
    labels.extend((rows as u32).to_be_bytes());
    for _ in 0..rows {
        let label = u8::from(numbers.next() < 0.5);
        labels.push(label);
        for pixel in 0..16 {
            let bright = (pixel < 8) == (label == 0);
            images.push((numbers.next() * 100.0) as u8 + if bright { 120 } else { 0 });
        }
    }
    std::fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
    std::fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
}

/// A PNG of 8 bits without compression: grey, or with three channels pixel by pixel.
pub fn png(width: u32, height: u32, channels: usize, values: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    for line in values.chunks(width as usize * channels) {
        lines.push(0);
        lines.extend(line);
    }
    let (mut a, mut b) = (1u32, 0u32);
    for &byte in &lines {
        a = (a + u32::from(byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let size = lines.len() as u16;
    let stored = [&[0x78, 1, 1][..], &size.to_le_bytes(), &(!size).to_le_bytes(), &lines, &(b << 16 | a).to_be_bytes()];
    let colour = if channels == 1 { 0 } else { 2 };
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, colour, 0, 0, 0]];
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", header.concat()), (b"IDAT", stored.concat()), (b"IEND", Vec::new())] {
        let chunk = [&kind[..], &data].concat();
        bytes.extend((data.len() as u32).to_be_bytes());
        bytes.extend(&chunk);
        bytes.extend(crc(&chunk).to_be_bytes());
    }
    bytes
}

/// Photographs of 4 x 4 pixels in two classes: `day` is bright above and blue, `night` is bright below and red.
pub fn photos(folder: &Path, each: usize, seed: u64) {
    let mut numbers = Numbers(seed);
    for (class, name) in ["day", "night"].into_iter().enumerate() {
        std::fs::create_dir_all(folder.join(name)).unwrap();
        for image in 0..each {
            let pixel = |at: usize, numbers: &mut Numbers| {
                let bright = if (at < 8) == (class == 0) { 120 } else { 0 };
                let mut colour = [0, 0, 0].map(|_| (numbers.next() * 60.0) as u8 + bright);
                colour[if class == 0 { 2 } else { 0 }] += 70;
                colour
            };
            let values: Vec<u8> = (0..16).flat_map(|at| pixel(at, &mut numbers)).collect();
            std::fs::write(folder.join(name).join(format!("{image:03}.png")), png(4, 4, 3, &values)).unwrap();
        }
    }
}

/// An .npy of f64.
pub fn npy(shape: &[usize], values: &[f64]) -> Vec<u8> {
    let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let shape = format!("({}{})", sizes.join(", "), if shape.len() == 1 { "," } else { "" });
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// An uncompressed zip of these files.
pub fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in files {
        let offset = bytes.len() as u32;
        let mut fields = Vec::new();
        fields.extend([20, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        fields.extend(crc(data).to_le_bytes());
        fields.extend((data.len() as u32).to_le_bytes());
        fields.extend((data.len() as u32).to_le_bytes());
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend([0, 0]);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&fields);
        bytes.extend(name.as_bytes());
        bytes.extend(data);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&fields);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, size, count) = (bytes.len() as u32, directory.len() as u32, files.len() as u16);
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\x00\x00\x00\x00");
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

pub fn crc(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in data {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}
