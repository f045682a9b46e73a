//! A forged header cannot make much memory of few bytes. Alone in its program: the peak is the whole program's.
#![allow(clippy::unwrap_used)]

use glassnet_model::Model;

/// The most memory that the program has had, in bytes; `None` where the system does not say.
fn peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<usize>().ok().map(|kilobytes| kilobytes * 1024)
}

#[test]
fn a_forged_header_stays_small() {
    let zeros = "0,".repeat(10_000_000);
    let forged = [
        format!("{{\"x\":[{zeros}0]}}"),
        format!("{{\"x\":{{\"dtype\":\"F32\",\"data_offsets\":[0,0],\"shape\":[{zeros}0]}}}}"),
        format!("{{\"__metadata__\":{{\"x\":[{zeros}0]}}}}"),
        format!("{{\"__metadata__\":{{\"glassnet\":\"{{\\\"format_version\\\":1,\\\"schema\\\":[{zeros}0]}}\"}}}}"),
    ];
    for header in forged {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        let before = peak();
        let error = Model::from_bytes(&bytes).unwrap_err().to_string();
        let Some((before, after)) = before.zip(peak()) else {
            println!("skipped: this system does not say how much memory a program has had");
            return;
        };
        // The text of the document once, and once more while it is unescaped into a growing buffer.
        assert!(after - before < 4 * bytes.len(), "{} bytes more for {} ({error})", after - before, bytes.len());
    }
}
