//! `cargo xtask guide`: the pages of docs/guide that come from the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use glassnet_core::ops::guide::{markdown, pictures};

/// Folder of the curves' pictures, below the guide's.
const CURVES: &str = "curves";

/// Writes the pages, or with `--check` compares them.
///
/// # Errors
/// An unknown argument, a file that cannot be read or written, or, when checking, files that differ.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err(format!("the only argument is --check, but there is {}", arguments.join(" "))),
    };
    let guide = crate::root().join("docs/guide");
    let pages = pages();
    let stale = stale_pictures(&guide, &pages)?;
    if check {
        let differs =
            |(path, text): &&(PathBuf, String)| fs::read_to_string(guide.join(path)).ok().as_ref() != Some(text);
        let mut wrong: Vec<&Path> = pages.iter().filter(differs).map(|(path, _)| path.as_path()).collect();
        wrong.extend(stale.iter().map(PathBuf::as_path));
        if wrong.is_empty() {
            return Ok(());
        }
        let list: Vec<String> = wrong.iter().map(|path| format!("  docs/guide/{}", path.display())).collect();
        return Err(format!("not what the code says:\n{}\nrun cargo xtask guide and commit", list.join("\n")));
    }
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let curves = guide.join(CURVES);
    fs::create_dir_all(&curves).map_err(|error| failed(&curves, error))?;
    for (path, text) in &pages {
        let path = guide.join(path);
        fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    for path in stale {
        let path = guide.join(path);
        fs::remove_file(&path).map_err(|error| failed(&path, error))?;
    }
    println!("wrote {} files to docs/guide", pages.len());
    Ok(())
}

/// All generated files, by their path in docs/guide.
fn pages() -> Vec<(PathBuf, String)> {
    let mut pages = vec![(PathBuf::from("operations.md"), markdown())];
    pages.extend(pictures().into_iter().map(|(file, svg)| (Path::new(CURVES).join(file), svg)));
    pages
}

/// Pictures of curves that are no longer registered.
fn stale_pictures(guide: &Path, pages: &[(PathBuf, String)]) -> Result<BTreeSet<PathBuf>, String> {
    let folder = guide.join(CURVES);
    if !folder.exists() {
        return Ok(BTreeSet::new());
    }
    let mut stale = BTreeSet::new();
    for entry in fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let name = entry.map_err(|error| format!("{}: {error}", folder.display()))?.file_name();
        let path = Path::new(CURVES).join(name);
        if !pages.iter().any(|(known, _)| *known == path) {
            stale.insert(path);
        }
    }
    Ok(stale)
}
