//! Small data, models with weights that are known, and the real program.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use glassnet::data::{Dataset, ReadOptions, open};
use glassnet::model::fit::{ClassWeights, FitOptions, Prepared};
use glassnet::model::standardise::Standardise;
use glassnet::model::target::TaskChoice;
use glassnet::nn::inspect::parameters_from_flat;
use glassnet::nn::spec::NetSpec;

/// A folder that goes away with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("glassnet-inspectors-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_string()
    }

    pub fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }

    /// Every name in it, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What the program did.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Done {
    /// The JSON object on stdout.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// Fails with this code, and says all of these.
    pub fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.err.starts_with("error: "), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is missing in {}", self.err);
        }
    }
}

pub fn glassnet(args: &[&str]) -> Done {
    glassnet_with(args, b"")
}

pub fn glassnet_with(args: &[&str], stdin: &[u8]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_glassnet"));
    let piped = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let bytes = stdin.to_vec();
    let feeder = std::thread::spawn(move || {
        // The program may end before it has read everything.
        let _ = input.write_all(&bytes);
    });
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    Done {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A model of the data at `path` with these weights.
pub fn model(path: &str, target: &str, net: &str, w: &[f64], b: &[f64], to: &str) -> String {
    let options = FitOptions {
        target: target.into(),
        task: (target == "y").then_some(TaskChoice::Regress),
        overrides: Default::default(),
        weight_column: None,
        standardise: Standardise::Yes,
        validation_share: None,
        seed: 0,
        class_weights: ClassWeights::Equal,
        ..FitOptions::new(target)
    };
    let prepared = match open(path, &ReadOptions::default()).unwrap() {
        Dataset::Table { table, .. } => Prepared::table(table, None, &options).unwrap(),
        Dataset::Images { train, .. } => Prepared::images(train, None, &options).unwrap(),
    };
    let headed = prepared.network(&NetSpec::parse(net).unwrap(), None, 0.0).unwrap();
    let parameters = parameters_from_flat::<f32>(&headed.network, w, b).unwrap();
    let mut model = prepared.model(&headed, parameters).unwrap();
    model.document_mut().provenance.seed = 7;
    model.document_mut().provenance.data_hash = "sha256:00ff".into();
    std::fs::write(to, model.to_bytes().unwrap()).unwrap();
    to.to_string()
}

/// The worked example delay_risk_report: means 5, deviations 2, known weights; monitor or review.
pub fn risk(folder: &Folder) -> String {
    let header = "route disruption,backlog,weather severity,queue\n";
    let data = folder.write("risk_train.csv", &format!("{header}3,3,3,monitor\n7,7,7,review\n"));
    let w = [0.8, 0.3, 0.4, -0.2, 0.9, 0.5, 0.4, -0.1, 0.7, 0.9, 0.7, 0.6];
    model(&data, "queue", "3 -> 3 relu -> 1", &w, &[0.0, -0.2, 0.1, -0.3], &folder.path("risk.glass"))
}

/// Its three rows.
pub const RISK_ROWS: &str = "id,backlog,route disruption,weather severity\nA-104,3,2,1\nB-208,7,8,9\nC-311,9,5,4\n";

/// A regression that has learned `y = 10 x`, whatever the carrier.
pub fn tenfold(folder: &Folder) -> String {
    let data = folder.write("tenfold_train.csv", "x,carrier,y\n1,AA,10\n2,UA,20\n3,AA,30\n4.5,UA,45\n");
    model(&data, "y", "linear", &[1.0, 0.0, 0.0, 0.0], &[0.0], &folder.path("tenfold.glass"))
}

/// Images of 2 x 2 pixels in three classes, by which pixel is bright; a folder with training and test images.
pub fn images(folder: &Folder) -> (String, String) {
    let idx = |shape: &[u32], bytes: &[u8]| {
        let mut file = vec![0, 0, 8, shape.len() as u8];
        shape.iter().for_each(|size| file.extend(size.to_be_bytes()));
        file.extend(bytes);
        file
    };
    let pixels = [[255u8, 0, 0, 0], [0, 255, 0, 0], [0, 0, 255, 0]];
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(Path::new(&folder.0).join(name), bytes).unwrap();
    write("train-images-idx3-ubyte", idx(&[3, 2, 2], pixels.as_flattened()));
    write("train-labels-idx1-ubyte", idx(&[3], &[0, 1, 2]));
    write("t10k-images-idx3-ubyte", idx(&[2, 2, 2], pixels[1..].as_flattened()));
    write("t10k-labels-idx1-ubyte", idx(&[2], &[1, 0]));
    let path = folder.0.to_str().unwrap().to_string();
    let w = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let glass = model(&path, "label", "linear", &w, &[0.0; 3], &folder.path("images.glass"));
    (path, glass)
}
