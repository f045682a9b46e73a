"""Tables: `glassnet train` with its defaults beside LightGBM, XGBoost, CatBoost, scikit-learn's MLP and pytabkit's RealMLP-TD with theirs.

    python benches/peers/tables.py --seeds 1 2 3 --write                         # everything: some hours
    python benches/peers/tables.py --only adult,california --programs glassnet,lightgbm --seeds 1
    python benches/peers/tables.py --results --write                             # no training: the table of what was found

The data is adult, california, diamonds and flights in the folder that GLASSNET_SHARED names (without it: `shared` beside the
repository). Adult, California and flights come in train, valid and test; diamonds is split 64/16/20 at random by the seed. Every program
gets the training rows to learn from, and the validation rows if it takes some (RealMLP and glassnet choose the epoch and calibrate with
them); nothing is tuned. **This script alone reads the test rows**, once for each program and seed.

Programs that take no text get one-hot columns and standardised numbers, missing numbers filled by the mean (scikit-learn); the others get
categories as pandas categories. `time_hour` of flights repeats year, month, day and hour and is left out for the peers; glassnet is given
the file as it is. Seconds are those of fitting (glassnet: of the whole command, reading, scoring and writing included), the programs one after the
other, each with --threads threads.

What was found is kept in --state, figure by figure, so a long comparison can be made in parts.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

warnings.filterwarnings("ignore")

ROOT = pathlib.Path(__file__).resolve().parents[2]
TASKS = {"adult": ("income", "class"), "california": ("MedHouseVal", "number"), "diamonds": ("price", "number"), "flights": ("late15", "class")}
PROGRAMS = ["glassnet", "glassnet-one", "glassnet-best", "lightgbm", "xgboost", "catboost", "sklearn", "realmlp"]
NAMES = {
    "glassnet": "glassnet (4 members)", "glassnet-one": "glassnet, one member", "glassnet-best": "glassnet --best", "lightgbm": "LightGBM",
    "xgboost": "XGBoost", "catboost": "CatBoost", "sklearn": "scikit-learn MLP", "realmlp": "pytabkit RealMLP-TD",
}


def shared():
    return pathlib.Path(os.environ.get("GLASSNET_SHARED", ROOT.parent / "shared")) / "data"


def parts(name, seed):
    """The three parts as data frames."""
    import numpy as np
    import pandas as pd

    folder = shared() / name
    if name != "diamonds":
        return [pd.read_csv(folder / f"{part}.csv.gz") for part in ("train", "valid", "test")]
    whole = pd.read_csv(folder / "diamonds.csv.gz")
    order = np.random.default_rng(seed).permutation(len(whole))
    first, second = int(0.64 * len(whole)), int(0.8 * len(whole))
    return [whole.iloc[rows] for rows in (order[:first], order[first:second], order[second:])]


def scores(task, truth, predicted):
    """Accuracy, log-loss and AUC of the second class's probability, or RMSE."""
    import numpy as np
    from sklearn.metrics import log_loss, roc_auc_score

    if task == "number":
        return {"rmse": float(np.sqrt(np.mean((np.asarray(truth, float) - predicted) ** 2)))}
    p = np.clip(predicted, 1e-15, 1 - 1e-15)
    bins = np.minimum((p * 15).astype(int), 14)
    ece = sum(abs(p[bins == b].mean() - truth[bins == b].mean()) * (bins == b).mean() for b in range(15) if (bins == b).any())
    return {
        "accuracy": float(np.mean((p > 0.5) == truth)), "log_loss": float(log_loss(truth, p)),
        "auc": float(roc_auc_score(truth, p)), "ece": float(ece),
    }


def peer(program, name, seed, threads):
    """Trains one of the others."""
    import numpy as np
    import pandas as pd

    target, task = TASKS[name]
    frames = [frame.drop(columns=[column for column in ("time_hour",) if column in frame]) for frame in parts(name, seed)]
    y = [frame.pop(target) for frame in frames]
    if task == "class":
        classes = sorted(y[0].unique())
        y = [(column == classes[1]).astype(int).to_numpy() for column in y]
    else:
        y = [column.to_numpy(float) for column in y]
    texts = [column for column in frames[0] if frames[0][column].dtype == object or str(frames[0][column].dtype).startswith("str")]
    for column in texts:
        levels = sorted(frames[0][column].dropna().unique())
        for frame in frames:
            frame[column] = pd.Categorical(frame[column], categories=levels)
    train, valid, test = frames
    begin = time.perf_counter()
    if program == "lightgbm":
        import lightgbm

        model = (lightgbm.LGBMClassifier if task == "class" else lightgbm.LGBMRegressor)(random_state=seed, n_jobs=threads, verbose=-1)
        model.fit(train, y[0])
    elif program == "xgboost":
        import xgboost

        kind = xgboost.XGBClassifier if task == "class" else xgboost.XGBRegressor
        model = kind(random_state=seed, n_jobs=threads, enable_categorical=True, tree_method="hist")
        model.fit(train, y[0])
    elif program == "catboost":
        import catboost

        for frame in frames:
            for column in texts:
                frame[column] = frame[column].astype(object).where(frame[column].notna(), "missing").astype(str)
        kind = catboost.CatBoostClassifier if task == "class" else catboost.CatBoostRegressor
        model = kind(random_seed=seed, thread_count=threads, verbose=False, cat_features=texts, allow_writing_files=False)
        model.fit(train, y[0])
    elif program == "sklearn":
        from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
        from sklearn.impute import SimpleImputer
        from sklearn.neural_network import MLPClassifier, MLPRegressor
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        numbers = [column for column in train if column not in texts]
        few = [column for column in texts if train[column].nunique() <= 1000]
        before = ColumnTransformer([
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), numbers),
            ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32), few),
        ])
        if task == "class":
            model = make_pipeline(before, MLPClassifier(random_state=seed))
        else:
            model = make_pipeline(before, TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler()))
        model.fit(train, y[0])
    elif program == "realmlp":
        import torch
        from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

        torch.set_num_threads(threads)
        kind = RealMLP_TD_Classifier if task == "class" else RealMLP_TD_Regressor
        model = kind(random_state=seed, device="cpu", n_threads=threads, n_cv=1)
        model.fit(train, y[0], valid, y[1], cat_col_names=texts)
    seconds = time.perf_counter() - begin
    predicted = model.predict_proba(test)[:, 1] if task == "class" else model.predict(test)
    return {**scores(task, y[2], np.asarray(predicted, float)), "seconds": seconds}


def ours(program, name, seed, threads, glassnet):
    """Trains with the command."""
    import numpy as np
    import pandas as pd

    target, task = TASKS[name]
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for frame, part in zip(parts(name, seed), ("train", "valid", "test")):
            path = pathlib.Path(folder, f"{part}.csv")
            if name == "diamonds":
                frame.to_csv(path, index=False)
            else:
                import gzip
                import shutil

                with gzip.open(shared() / name / f"{part}.csv.gz") as packed, open(path, "wb") as plain:
                    shutil.copyfileobj(packed, plain)
            paths.append(path)
        model, out = pathlib.Path(folder, "model.glass"), pathlib.Path(folder, "scores.csv")
        extra = {"glassnet": [], "glassnet-one": ["--members", "1"], "glassnet-best": ["--best"]}[program]
        command = [glassnet, "train", paths[0], "--target", target, "--valid", paths[1], "--seed", str(seed), "--threads", str(threads), "-o", model]
        begin = time.perf_counter()
        subprocess.run([str(word) for word in [*command, *extra, "--quiet"]], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - begin
        subprocess.run([glassnet, "predict", str(model), str(paths[2]), "-o", str(out), "--quiet"], check=True)
        said, truth = pd.read_csv(out), pd.read_csv(paths[2])[target]
        if task == "number":
            return {**scores(task, truth, said["prediction"].to_numpy()), "seconds": seconds}
        second = sorted(truth.unique())[1]
        column = next(column for column in said if column in (f"score_{second}", f"probability_{second}"))
        return {**scores(task, (truth == second).astype(int).to_numpy(), said[column].to_numpy()), "seconds": seconds}


def table(state):
    """The results as Markdown."""
    lines = []
    for name, (_, task) in TASKS.items():
        found = {key.split(":")[1]: {} for key in state if key.startswith(name + ":")}
        if not found:
            continue
        for key, value in state.items():
            data, program, seed = key.split(":")
            if data == name:
                found[program][seed] = value
        columns = ["rmse"] if task == "number" else ["accuracy", "log_loss", "auc", "ece"]
        lines += [f"## {name}", "", "| program | seeds | " + " | ".join(columns) + " | seconds |", "|---|---|" + "---|" * (len(columns) + 1)]
        for program in PROGRAMS:
            runs = list(found.get(program, {}).values())
            if not runs:
                continue
            cells = [f"{statistics.mean(run[column] for run in runs):.4f}" if name != "diamonds" else f"{statistics.mean(run[column] for run in runs):.1f}" for column in columns]
            seconds = [run["seconds"] for run in runs if "seconds" in run]
            lines.append(f"| {NAMES[program]} | {len(runs)} | " + " | ".join(cells) + f" | {f'{statistics.median(seconds):.0f}' if seconds else '-'} |")
        lines.append("")
    return "\n".join(lines)


def machine():
    """The processor's name and the number of cores."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--glassnet", default=str(ROOT / "target/release/glassnet"))
    parser.add_argument("--only", default=",".join(TASKS))
    parser.add_argument("--programs", default=",".join(PROGRAMS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--state", default=str(ROOT / "target/peers-tables.json"))
    parser.add_argument("--untimed", action="store_true", help="keep no seconds: other programs are running")
    parser.add_argument("--again", action="store_true", help="also what was found already")
    parser.add_argument("--results", action="store_true", help="train nothing")
    parser.add_argument("--write", action="store_true", help="put the table into tables.md")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        # In a process of its own: threads are set before anything is loaded, and memory goes back.
        name, program, seed = args.one.split(":")
        run = ours(program, name, int(seed), args.threads, args.glassnet) if program.startswith("glassnet") else peer(program, name, int(seed), args.threads)
        print(json.dumps(run))
        return
    path = pathlib.Path(args.state)
    state = json.loads(path.read_text()) if path.exists() else {}
    threads = {name: str(args.threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    for seed in [] if args.results else args.seeds:
        for name in args.only.split(","):
            for program in args.programs.split(","):
                key = f"{name}:{program}:{seed}"
                if key in state and not args.again:
                    continue
                command = [sys.executable, __file__, "--one", key, "--threads", str(args.threads), "--glassnet", args.glassnet]
                done = subprocess.run(command, env={**os.environ, **threads}, stdout=subprocess.PIPE, text=True)
                if done.returncode:
                    print(f"{key}: failed", file=sys.stderr)
                    continue
                state[key] = json.loads(done.stdout.strip().splitlines()[-1])
                if args.untimed:
                    del state[key]["seconds"]
                print(key, {name: round(value, 4) for name, value in state[key].items()}, flush=True)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(state, indent=1, sort_keys=True))
    text = table(state)
    print(text)
    if args.write:
        head = (
            f"# Tables, beside other programs\n\n`python benches/peers/tables.py --seeds {' '.join(map(str, args.seeds))} --write`, on "
            f"{machine()}, {args.threads} threads. Test rows; means over the seeds, seconds the median of the runs that had the machine to themselves. What each column is, and what each program "
            "is given, stands at the top of the script.\n\n"
        )
        (ROOT / "benches/peers/tables.md").write_text(head + text)


if __name__ == "__main__":
    main()
