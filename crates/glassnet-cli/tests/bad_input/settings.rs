//! Settings that cannot be, by flags.

use crate::case::{Case, case};
use crate::tables::table;

/// `train t.csv --target y` with more arguments.
pub fn train(name: &'static str, more: &[&str], says: &[&'static str], hint: &'static str) -> Case {
    let arguments = [&["train", "t.csv", "--target", "y"], more].concat();
    case(name, &arguments, 2, says, hint).with("t.csv", table())
}

/// Numbers and names of the training.
pub fn flags() -> Vec<Case> {
    vec![
        train("lr 0", &["--lr", "0"], &["--lr: 0 must be a number above 0"], "0.001 is usual"),
        train("lr below 0", &["--lr", "-0.1"], &["--lr: -0.1"], "0.001 is usual"),
        train("lr nan", &["--lr", "nan"], &["--lr: NaN"], "0.001 is usual"),
        train("lr inf", &["--lr", "inf"], &["--lr: inf"], "0.001 is usual"),
        train("lr a word", &["--lr", "fast"], &["'fast'", "--lr"], "--help"),
        train("batch 0", &["--batch", "0"], &["--batch", "0 rows makes no step"], "1 or more, or all"),
        train("batch below 0", &["--batch=-3"], &["--batch", "-3"], "128"),
        train("batch a fraction", &["--batch", "1.5"], &["--batch", "1.5"], "128"),
        train("epochs 0", &["--epochs", "0"], &["--epochs", "0 epochs train nothing"], "1 or more"),
        train(
            "epochs without end",
            &["--epochs", "18446744073709551615"],
            &["--epochs: 18446744073709551615"],
            "Ctrl-C",
        ),
        train("class weights of 0", &["--class-weights", "0,0"], &["--class-weights: all weights are 0"], "balanced"),
        train("epochs a word", &["--epochs", "ten"], &["--epochs", "\"ten\""], "whole number"),
        train("accumulate 0", &["--accumulate", "0"], &["--accumulate: 0"], "1 or more"),
        train("threads 0", &["--threads", "0"], &["--threads: 0"], "every core"),
        train(
            "more threads than any machine has",
            &["--threads", "100000000"],
            &["--threads: 100000000"],
            "every core",
        ),
        train("an unknown optimizer", &["--optimizer", "adma"], &["--optimizer", "adma"], "did you mean \"adam\"?"),
        train(
            "an unknown schedule",
            &["--schedule", "cosin"],
            &["--schedule", "no schedule is called \"cosin\""],
            "did you mean \"cosine\"?",
        ),
        train("an unknown loss", &["--loss", "mea"], &["--loss", "\"mea\""], "did you mean mae?"),
        train("an unknown initialisation", &["--init", "he_norml"], &["--init", "he_norml"], "did you mean he normal?"),
        train("an unknown flag", &["--epoch", "3"], &["--epoch"], "--epochs"),
        train("momentum for adam", &["--momentum", "0.9"], &["adam has no momentum"], "hint"),
        train(
            "momentum 1",
            &["--optimizer", "sgd", "--momentum", "1"],
            &["--momentum: 1 must be from 0"],
            "0.9 is usual",
        ),
        train(
            "weight decay below 0",
            &["--weight-decay", "-1"],
            &["--weight-decay: -1 must be a number of 0 or more"],
            "0.01 is usual",
        ),
        train("clip 0", &["--clip-norm", "0"], &["--clip-norm: 0"], "1 is usual"),
        train("clip both ways", &["--clip-norm", "1", "--clip-value", "1"], &["--clip-norm", "--clip-value"], "--help"),
        train("smoothing 1", &["--label-smoothing", "1"], &["--label-smoothing: 1"], "0.1 is usual"),
        train("smoothing nan", &["--label-smoothing", "nan"], &["--label-smoothing: NaN"], "0.1 is usual"),
        train("all rows for validation", &["--validation-share", "1"], &["--validation-share: 1"], "0.2 keeps a fifth"),
        train("a share below 0", &["--validation-share=-0.2"], &["--validation-share: -0.2"], "0.2 keeps a fifth"),
        train(
            "to stop early without validation",
            &["--validation-share", "0", "--early-stop", "3"],
            &["--early-stop", "no validation rows"],
            "--valid FILE",
        ),
        train("patience 0", &["--early-stop", "0"], &["--early-stop"], "or off"),
        train("a seed below 0", &["--seed=-1"], &["'-1'", "--seed"], "--help"),
    ]
}

/// Columns and classes.
pub fn columns() -> Vec<Case> {
    let targeted = |name, target: &[&str], says: &[&'static str], hint| {
        case(name, &[&["train", "t.csv"], target].concat(), 2, says, hint).with("t.csv", table())
    };
    vec![
        targeted("no target said", &[], &["which column is to be predicted?", "x, kind, y"], "add --target COL"),
        targeted(
            "a target that is not there",
            &["--target", "kinds"],
            &["t.csv has no column 'kinds'"],
            "did you mean kind?",
        ),
        case("no data said", &["train"], 2, &["there is no data to train on"], "glassnet train DATA --target COL"),
        train("to drop what is not there", &["--drop", "knd"], &["--drop", "'knd'"], "did you mean kind?"),
        train("to drop the target", &["--drop", "y"], &["--drop: 'y' is the target"], "leave it out"),
        train("a type of what is not there", &["--type", "knd=number"], &["'knd'"], "did you mean 'kind'?"),
        train("a type that there is not", &["--type", "x=nummer"], &["--type", "\"nummer\""], "did you mean number?"),
        train("a type without a name", &["--type", "x"], &["--type", "\"x\""], "zip=category"),
        train("weights not there", &["--weight-column", "knd"], &["--weight-column", "'knd'"], "did you mean kind?"),
        train(
            "weights of no class",
            &["--class-weights", "maybe=2"],
            &["--class-weights", "no class \"maybe\"", "no, yes"],
            "yes=2,no=1",
        ),
        train(
            "too many class weights",
            &["--class-weights", "1,2,3"],
            &["3 weights", "2 classes", "no, yes"],
            "balanced",
        ),
        train("a class weight below 0", &["--class-weights", "yes=-2"], &["--class-weights", "\"-2\""], "0 or more"),
        train("a class weight that is a word", &["--class-weights", "yes=lots"], &["\"lots\""], "balanced"),
        train("class weights of a number", &["--target", "x", "--class-weights", "balanced"], &["--target"], "--help"),
        train(
            "a loss of numbers",
            &["--loss", "mse"],
            &["--loss mse is for numbers, but the target is a class"],
            "--task regress",
        ),
        train("a task that there is not", &["--task", "classfy"], &["--task", "classfy"], "did you mean classify?"),
        train(
            "two kinds of decimals",
            &["--decimal-comma", "--decimal-point"],
            &["--decimal-comma", "--decimal-point"],
            "--help",
        ),
        train(
            "a delimiter of three letters",
            &["--delimiter", "abc"],
            &["--delimiter", "abc"],
            "comma, semicolon, tab",
        ),
        train("an encoding not read", &["--encoding", "utf-16"], &["--encoding", "utf-16"], "windows-1252"),
        train(
            "a test from standard input",
            &["--test", "-"],
            &["--test", "standard input"],
            "write the rows to a file",
        ),
        case("an unknown command", &["trian", "t.csv"], 2, &["'trian'"], "'train'"),
    ]
}
