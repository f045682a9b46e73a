//! One case, and what holds for every one.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::made::{Folder, Run};

/// Something bad, and what the program must say to it.
#[derive(Clone)]
pub struct Case {
    pub name: &'static str,
    /// Files that are there before, by path; a name that ends in / is a folder.
    pub files: Vec<(String, Vec<u8>)>,
    pub arguments: Vec<String>,
    pub code: i32,
    /// Words of the message: what and where.
    pub says: Vec<&'static str>,
    /// Words of the message: what to do.
    pub hint: &'static str,
}

/// `glassnet ARGUMENTS`, with no files yet.
pub fn case(name: &'static str, arguments: &[&str], code: i32, says: &[&'static str], hint: &'static str) -> Case {
    let arguments = arguments.iter().map(ToString::to_string).collect();
    Case { name, files: Vec::new(), arguments, code, says: says.to_vec(), hint }
}

impl Case {
    /// With another exit code.
    pub fn coded(mut self, code: i32) -> Self {
        self.code = code;
        self
    }

    /// With this file in the folder.
    pub fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_string(), bytes.into()));
        self
    }
}

/// Every file and folder below a folder, with its bytes.
fn everything(folder: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if path.is_dir() {
                found.insert(name, None);
                open.push(path);
            } else {
                found.insert(name, Some(std::fs::read(&path).unwrap()));
            }
        }
    }
    found
}

/// What is wrong with the program's answer; nothing where it is right.
pub fn faults(run: &Run, code: i32, says: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    if run.code != Some(code) {
        faults.push(format!("exit code {:?}, not {code}", run.code));
    }
    faults
        .extend(says.iter().filter(|words| !run.err.contains(**words)).map(|words| format!("does not say {words:?}")));
    if !run.err.contains("error: ") {
        faults.push("no error on stderr".into());
    }
    if run.err.contains("panicked") || run.err.contains("RUST_BACKTRACE") {
        faults.push("it panicked".into());
    }
    if !run.out.is_empty() {
        faults.push(format!("stdout is not empty: {}", run.out));
    }
    faults
}

/// Runs every case in a folder of its own, and tells all that went wrong.
pub fn check(group: &str, cases: &[Case]) {
    let mut report = String::new();
    let mut wrong = 0;
    for case in cases {
        let folder = Folder::new(&format!("bad-{group}"));
        for (name, bytes) in &case.files {
            let path = folder.path(name);
            if name.ends_with('/') {
                std::fs::create_dir_all(path).unwrap();
                continue;
            }
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let before = everything(&folder.0);
        let arguments: Vec<&str> = case.arguments.iter().map(String::as_str).collect();
        let run = folder.run(&arguments);
        let mut faults = faults(&run, case.code, &[&case.says[..], &[case.hint]].concat());
        let after = everything(&folder.0);
        if after != before {
            let names: Vec<&String> = after.keys().collect();
            faults.push(format!("the folder changed; it holds {names:?}"));
        }
        if !faults.is_empty() {
            wrong += 1;
            let (name, faults) = (case.name, faults.join("\n  "));
            report += &format!("\n{name}: glassnet {}\n  {faults}\nstderr:\n{}", arguments.join(" "), run.err);
        }
    }
    assert!(wrong == 0, "{wrong} of {} cases\n{report}", cases.len());
}

/// The process id as `kill` takes it.
pub fn interrupt(id: u32) {
    assert!(Command::new("kill").args(["-INT", &id.to_string()]).status().unwrap().success());
}
