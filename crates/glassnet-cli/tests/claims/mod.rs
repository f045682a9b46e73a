//! Claims, whose chance of being late is known, and models of them by the real command.
#![allow(dead_code)]

use super::made::{Folder, Numbers};

/// Rows of claims: late with the chance sigmoid(shift - 1 + (amount - 50) / 15, and 1 more in region c). `paid` is 100 + 3 amount and up to 30 on
/// either side.
pub fn claims(rows: usize, seed: u64, shift: f64) -> String {
    let mut numbers = Numbers(seed);
    let mut text = String::from("claim,amount,age,region,office,paid,late\n");
    for row in 0..rows {
        let amount = numbers.next() * 100.0;
        let age = 18.0 + (numbers.next() * 60.0).floor();
        let region = ["a", "b", "c"][(numbers.next() * 3.0) as usize];
        let office = ["north", "south", "west"][(numbers.next() * 2.1) as usize];
        let z = shift - 1.0 + (amount - 50.0) / 15.0 + if region == "c" { 1.0 } else { 0.0 };
        let late = numbers.next() < 1.0 / (1.0 + (-z).exp());
        let paid = 100.0 + 3.0 * amount + 60.0 * (numbers.next() - 0.5);
        let late = if late { "yes" } else { "no" };
        text += &format!("c{row:05},{amount:.2},{age},{region},{office},{paid:.2},{late}\n");
    }
    text
}

/// A folder with `train.csv` and `new.csv` (as in training), `moved.csv` and `later.csv` (more are late).
pub fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("train.csv", claims(3000, 1, 0.0));
    folder.write("new.csv", claims(1500, 2, 0.0));
    folder.write("moved.csv", claims(1500, 3, 1.2));
    folder.write("later.csv", claims(1500, 4, 1.2));
    folder
}

/// `late.glass`: calibrated scores of late.
pub fn train_late(folder: &Folder) -> serde_json::Value {
    let train = ["train", "train.csv", "--target", "late", "--drop", "claim,paid,office", "-o", "late.glass", "--json"];
    let how = ["--net", "8 tanh", "--epochs", "25", "--calibration", "affine"];
    folder.run(&[&train[..], &how].concat()).ok().json()
}

/// `paid.glass`: a number with its intervals.
pub fn train_paid(folder: &Folder) -> serde_json::Value {
    let train = ["train", "train.csv", "--target", "paid", "--drop", "claim,late,office", "-o", "paid.glass", "--json"];
    let how = ["--net", "8 tanh", "--epochs", "25", "--calibration", "auto"];
    folder.run(&[&train[..], &how].concat()).ok().json()
}
