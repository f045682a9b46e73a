//! Curves of runs.

use glassnet::report::page::{Training, curves, learning_rate};
use glassnet::report::plot::Chart;

use super::{Args, Kind};
use crate::error::CliError;
use crate::runs::{Curves, Run};

/// Most curves with colours of their own.
const MOST: usize = 7;

/// The chart of the runs, and the name of its kind.
pub(super) fn chart(args: &Args) -> Result<(&'static str, Chart), CliError> {
    let of_tables = [
        ("-x", args.x.is_some()),
        ("-y", !args.y.is_empty()),
        ("--by", args.by.is_some()),
        ("--stacked", args.stacked),
    ];
    if let Some((flag, _)) = of_tables.iter().find(|(_, given)| *given) {
        return Err(CliError::Usage(format!(
            "{flag}: {} is a run, which has no columns\n  hint: leave {flag} out, or give a table",
            args.files.first().map_or("this", String::as_str)
        )));
    }
    let runs = args.files.iter().map(|path| Run::read(path)).collect::<Result<Vec<_>, _>>()?;
    let mut what = Curves::LOSS;
    let mut loss = shared_loss(&runs).unwrap_or_else(|| "loss".into());
    let name = match args.kind {
        None | Some(Kind::Loss) => "loss",
        Some(Kind::LearningRate) => "learning-rate",
        Some(Kind::Accuracy) => {
            what = Curves { train: |epoch| epoch.train.accuracy, valid: |epoch| epoch.valid.accuracy };
            loss = "accuracy".into();
            "accuracy"
        }
        Some(Kind::GradientNorm) => {
            what = Curves { train: |epoch| Some(epoch.gradient_norm), valid: |_| None };
            loss = "largest norm of the gradients".into();
            "gradient-norm"
        }
        Some(_) => {
            return Err(CliError::Usage(
                "--kind: this kind is for tables, and these are runs\n  hint: loss, accuracy, learning-rate, gradient-norm".into(),
            ));
        }
    };
    let members: usize = runs.iter().map(|run| run.histories.len()).sum();
    let members = match members <= MOST {
        true => runs.iter().flat_map(|run| run.members(&what)).collect(),
        false => runs.iter().map(|run| run.one(&what)).collect(),
    };
    let training = Training { loss, members, ended: String::new(), guess: None };
    let chart = match name {
        "learning-rate" => learning_rate(&training),
        _ => curves(&training),
    };
    let Some(mut chart) = chart else {
        return Err(CliError::Data(format!(
            "{}: the history has no {name} that is a finite number\n  hint: another --kind: loss, accuracy, learning-rate, gradient-norm",
            args.files.join(", ")
        )));
    };
    chart.title = match (name, runs.as_slice()) {
        ("loss", [run]) => format!("{}: loss by epoch", run.name),
        ("loss", _) => "Loss by epoch".into(),
        (name, [run]) => format!("{}: {} by epoch", run.name, name.replace('-', " ")),
        (name, _) => format!("{} by epoch", name.replace('-', " ")),
    };
    Ok((name, chart))
}

/// The loss that all runs were trained with.
fn shared_loss(runs: &[Run]) -> Option<String> {
    let first = runs.first()?.loss()?;
    runs.iter().all(|run| run.loss().as_deref() == Some(first.as_str())).then_some(first)
}
