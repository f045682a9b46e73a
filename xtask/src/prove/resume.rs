//! Runs that are killed: 200 times `kill -9` at a moment drawn at random while `glassnet train` works, each gone on with (and
//! often killed again) until it ends, each to the bytes of the model of the run that was not killed. Then a disk that is
//! really full: the old checkpoint stays whole. That every single call of the disk may fail, the flushes too, is
//! `glassnet-data`'s test `checkpoint`, which is run as well.
//!
//! The moments are drawn from a seed that is printed; `GLASSNET_PROVE_SEED` sets it, to draw a failure's moments again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Verdict;
use crate::run::cargo_with;

/// Kills to be proved.
const KILLS: u32 = 200;
/// Kills that must have fallen between a run's first checkpoint and its model: one before it proves only that a run begins anew.
const INSIDE: u32 = KILLS / 4;
/// Times that a run is killed at most before it may end.
const MOST: u32 = 3;

/// Longest wait before a kill is drawn up to one and a half times this, whatever else the machine does.
const LONGEST: Duration = Duration::from_secs(1);

/// What is trained: a name, what follows `train`, steps between checkpoints. Short runs with much in their state.
const RUNS: [(&str, &[&str], &str); 3] = [
    (
        "digits",
        &[
            "data/digits.csv.gz",
            "--target",
            "c65",
            "--task",
            "classify",
            "--net",
            "32 relu -> batchnorm -> dropout 0.2",
            "--batch",
            "32",
            "--epochs",
            "40",
            "--schedule",
            "plateau 1 0.5",
            "--early-stop",
            "10",
        ],
        "7",
    ),
    (
        "flights",
        &[
            "data/flights.csv.gz",
            "--target",
            "late15",
            "--task",
            "classify",
            "--valid",
            "data/flights_later.csv.gz",
            "--net",
            "16 relu",
            "--optimizer",
            "momentum",
            "--epochs",
            "2",
            "--accumulate",
            "2",
        ],
        "5",
    ),
    (
        "rhymes",
        &[
            "data/rhymes.txt",
            "--task",
            "text",
            "--net",
            "embed 12 -> gru 24 -> lstm 16",
            "--context",
            "16",
            "--batch",
            "8",
            "--streams",
            "--steps",
            "300",
            "--schedule",
            "warmup 10 -> cosine",
        ],
        "3",
    ),
];

/// A folder that goes when the proof is over.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder of the temporary files; if it cannot be removed nothing is lost.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Kills, goes on, compares; then fills a disk. Without a disk that can be filled the proof is not whole, and skipped.
///
/// # Errors
/// A model with other bytes, a run that cannot go on, too few kills inside the runs, a checkpoint that a fault of the disk or a
/// full disk damaged.
pub fn run() -> Result<Verdict, String> {
    let seed = match std::env::var("GLASSNET_PROVE_SEED") {
        Ok(text) => text.parse().map_err(|_| format!("GLASSNET_PROVE_SEED is {text}, but must be a whole number"))?,
        Err(_) => u64::from(std::process::id()),
    };
    println!("  seed of the moments: {seed} (GLASSNET_PROVE_SEED={seed} draws them again)");
    cargo_with(&["test", "--quiet", "-p", "glassnet-data", "--test", "checkpoint"], &[])?;
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "-p", "glassnet-cli"])
        .current_dir(crate::root())
        .status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("the command could not be built".into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), PathBuf::from);
    let command = crate::root().join(target).join(format!("release/glassnet{}", std::env::consts::EXE_SUFFIX));
    let home = Folder(std::env::temp_dir().join(format!("glassnet-prove-resume-{}", std::process::id())));
    std::fs::create_dir_all(&home.0).map_err(|error| error.to_string())?;
    let mut draws = Draws(seed);
    let (mut kills, mut rounds, mut unfinished, mut inside) = (0, 0, 0, 0);
    let mut wanted = Vec::new();
    for (name, arguments, _) in RUNS {
        let model = home.0.join(format!("{name}.glass"));
        let begun = Instant::now();
        finish(train(&command, arguments, &["-o", &text(&model)]))?;
        wanted.push((read(&model)?, begun.elapsed().min(LONGEST)));
    }
    while kills < KILLS {
        let which = rounds as usize % RUNS.len();
        let (name, arguments, every) = RUNS[which];
        let (model, length) = &wanted[which];
        let (folder, out) = (home.0.join("run"), home.0.join("model.glass"));
        let _ = std::fs::remove_dir_all(&folder);
        let _ = std::fs::remove_file(&out);
        let (path, file) = (text(&folder), folder.join("checkpoint.safetensors"));
        let mut begins = true;
        for _ in 0..MOST.min(KILLS - kills) {
            let more = ["-o", &text(&out), "--checkpoint", &path, "--every", every];
            let mut process = match begins {
                true => train(&command, arguments, &more),
                false => train(&command, &["--resume", &path], &[]),
            };
            let mut child = process.spawn().map_err(|error| error.to_string())?;
            // Checkpoints make the run longer; past its end there is nothing to kill.
            std::thread::sleep(length.mul_f64(1.5 * draws.next()));
            let over = child.try_wait().map_err(|error| error.to_string())?;
            child.kill().map_err(|error| error.to_string())?;
            child.wait().map_err(|error| error.to_string())?;
            if over.is_some_and(|status| !status.success()) {
                return Err(format!("{name}: a run that was not killed failed"));
            }
            // Killed before its first checkpoint a run begins anew, with the same words.
            begins = !file.exists();
            if over.is_some() {
                break;
            }
            kills += 1;
            unfinished += u32::from(folder.join("checkpoint.part").exists());
            inside += u32::from(!begins && !out.exists());
        }
        match begins {
            true => {
                let more = ["-o", &text(&out), "--checkpoint", &path, "--every", every];
                finish(train(&command, arguments, &more))?;
            }
            false => finish(train(&command, &["--resume", &path], &[]))?,
        }
        rounds += 1;
        if read(&out)? != *model {
            return Err(format!("{name}: after {kills} kills in all the model has other bytes (seed {seed})"));
        }
    }
    println!(
        "  {kills} kills in {rounds} runs ({inside} between first checkpoint and model, {unfinished} while a checkpoint was being \
         written): every model has the bytes of the run that was not killed"
    );
    if inside < INSIDE {
        return Err(format!(
            "{inside} of {kills} kills fell between first checkpoint and model, {INSIDE} must (seed {seed})"
        ));
    }
    full_disk(&command, &home.0)
}

/// A run on a disk of 256 KiB that something else fills up meanwhile. Skipped where no disk can be mounted.
fn full_disk(command: &Path, home: &Path) -> Result<Verdict, String> {
    let disk = home.join("disk");
    std::fs::create_dir_all(&disk).map_err(|error| error.to_string())?;
    let quiet = |program: &str, arguments: &[&str]| {
        let run = Command::new(program).args(arguments).stderr(Stdio::null()).status();
        run.is_ok_and(|status| status.success())
    };
    if !quiet("mount", &["-t", "tmpfs", "-o", "size=256k", "tmpfs", &text(&disk)]) {
        return Ok(Verdict::Skipped(
            "the full disk was not run: no small disk can be mounted here (it takes root, on Linux); the kills and the faults \
             of the disk were, and passed"
                .into(),
        ));
    }
    let result = filled(command, home, &disk);
    quiet("umount", &[&text(&disk)]);
    result.map(|()| Verdict::Proved)
}

fn filled(command: &Path, home: &Path, disk: &Path) -> Result<(), String> {
    let (name, arguments, _) = RUNS[0];
    let (whole, out) = (read(&home.join(format!("{name}.glass")))?, home.join("full.glass"));
    let folder = disk.join("run");
    let mut process = train(command, arguments, &["-o", &text(&out), "--checkpoint", &text(&folder), "--every", "1"]);
    let child = process.stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
    let file = folder.join("checkpoint.safetensors");
    let begun = Instant::now();
    while !file.exists() && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(1));
    }
    // To the last byte.
    let filler = disk.join("filler");
    let full = std::fs::write(&filler, vec![1u8; 1 << 20]).is_err();
    let ended = child.wait_with_output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    if !full || !said.contains("the disk is full") {
        return Err(format!("the disk should have been full\n{said}"));
    }
    if !ended.status.success() || read(&out)? != whole {
        return Err(format!("a full disk below the checkpoints must not end the training\n{said}"));
    }
    // The checkpoint is the last one that was written whole: the run goes on from it, still without room, and again with it.
    for freed in [false, true] {
        if freed {
            std::fs::remove_file(&filler).map_err(|error| error.to_string())?;
        }
        let _ = std::fs::remove_file(&out);
        finish(train(command, &["--resume", &text(&folder)], &[]))?;
        if read(&out)? != whole {
            return Err("resumed beside a full disk the model has other bytes".into());
        }
    }
    println!("  full disk: the run said so and went on; its last checkpoint stayed whole and leads to the same model");
    Ok(())
}

fn train(command: &Path, arguments: &[&str], more: &[&str]) -> Command {
    let mut process = Command::new(command);
    process.arg("train").args(arguments).args(more).current_dir(crate::root());
    process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    process
}

fn finish(mut process: Command) -> Result<(), String> {
    let run = process.stderr(Stdio::piped()).output().map_err(|error| error.to_string())?;
    if run.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&run.stderr).into_owned()) }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Moments to kill at, in [0, 1).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}
