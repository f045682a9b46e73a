"""Calibration where nothing moves: the default on nine tenths of flights' training months, judged on a random tenth of them.

    python3 benches/tables/tenth.py [--glassnet PATH] [--data ../shared/data/flights] [--seed 1] [--train ARGUMENT ...]

The tenth is drawn by the seed and takes no part in training, in the choice of the epoch or in the calibration (the command sets its own
validation rows aside). ECE in 15 bins before and after the calibration, log-loss and AUC are `glassnet evaluate`'s.
Needs nothing but Python and the command.
"""

import argparse
import json
import pathlib
import random
import tempfile
import time

from weekly import TARGET, rows_of, run, write

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--glassnet", default=ROOT / "target/release/glassnet")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data/flights")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--train", nargs=argparse.REMAINDER, default=[], help="more for glassnet train, at the end")
    args = parser.parse_args()
    header, rows = rows_of(args.data / "train.csv.gz")
    order = list(range(len(rows)))
    random.Random(args.seed).shuffle(order)
    held = len(rows) // 10
    with tempfile.TemporaryDirectory() as folder:
        learn, tenth, model = (pathlib.Path(folder, name) for name in ("learn.csv", "tenth.csv", "flights.glass"))
        write(tenth, header, [rows[i] for i in sorted(order[:held])])
        write(learn, header, [rows[i] for i in sorted(order[held:])])
        begin = time.perf_counter()
        run(args.glassnet, "train", learn, "--target", TARGET, "--seed", args.seed, "-o", model, "--quiet", *args.train)
        seconds = time.perf_counter() - begin
        said = json.loads(run(args.glassnet, "evaluate", model, tenth, "--json"))
    print(f"{len(rows) - held:,} rows to learn from, {held:,} held out, trained in {seconds:.0f} s")
    before = said["before"]
    print(f"ECE {before['ece']:.4f} before, {said['ece']:.4f} after the calibration; log-loss {said['log_loss']:.4f}, AUC {said['auc']:.4f}")
    print(said["note"])


if __name__ == "__main__":
    main()
