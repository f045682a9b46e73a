//! Files are written whole or not at all.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use glassnet_data::write::{check_writable, write_atomic};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("glassnet-writing-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn names(&self) -> Vec<String> {
        std::fs::read_dir(&self.0).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_file_is_made_and_replaced() {
    let folder = Folder::new("made");
    let path = folder.0.join("m.glass");
    check_writable(&path).unwrap();
    assert!(folder.names().is_empty(), "looking leaves nothing");
    write_atomic(&path, b"one").unwrap();
    write_atomic(&path, b"two and more").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"two and more");
    assert_eq!(folder.names(), ["m.glass"]);
}

#[test]
fn places_that_are_none() {
    let folder = Folder::new("none");
    let file = folder.0.join("file");
    std::fs::write(&file, b"x").unwrap();
    let cases: [(&Path, &str); 4] = [
        (&folder.0, "it is a folder"),
        (&folder.0.join("no/m.glass"), "there is no folder"),
        (&file.join("m.glass"), "there is no folder"),
        (Path::new(""), "this names no file"),
    ];
    for (path, words) in cases {
        for error in [write_atomic(path, b"x").unwrap_err(), check_writable(path).unwrap_err()] {
            assert!(error.to_string().contains(words) && error.to_string().contains("hint"), "{error}");
        }
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"x");
    let long = folder.0.join("n".repeat(300));
    let error = write_atomic(&long, b"x").unwrap_err().to_string();
    assert!(error.contains("cannot write"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_stay_and_permissions_are_kept() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("links");
    let (real, link) = (folder.0.join("real.glass"), folder.0.join("link.glass"));
    std::fs::write(&real, b"old").unwrap();
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    write_atomic(&link, b"new").unwrap();
    assert!(link.is_symlink());
    assert_eq!(std::fs::read(&real).unwrap(), b"new");
    assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
    let error = write_atomic("/dev/full", b"x").unwrap_err().to_string();
    assert!(error.contains("no ordinary file"), "{error}");
}

/// A folder that may not be written to; root may write anywhere, and then there is nothing to see.
#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_to() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("locked");
    std::fs::set_permissions(&folder.0, std::fs::Permissions::from_mode(0o500)).unwrap();
    let path = folder.0.join("m.glass");
    if std::fs::write(folder.0.join("probe"), b"x").is_ok() {
        eprintln!("skipped: this user may write anywhere");
    } else {
        let error = write_atomic(&path, b"x").unwrap_err().to_string();
        assert!(error.contains("permission denied") && error.contains("hint"), "{error}");
    }
    std::fs::set_permissions(&folder.0, std::fs::Permissions::from_mode(0o700)).unwrap();
}
