"""The weekly loop on flights: what recalibrating every week on the last four weeks is worth.

    python3 benches/tables/weekly.py [--glassnet PATH] [--data ../shared/data/flights] [--model MODEL] [--train ARGUMENT ...]

A model is trained on January to September and calibrated on October (or MODEL is taken, trained on those). Then November and December
are gone through week by week, as they would have come: at the beginning of a week the model is calibrated again on the 28 days
before it, then it scores the week. The scores of all weeks together are held beside those of the model that was never
calibrated again: ECE in 15 bins, log-loss, and the mean score beside the share that was late. Nothing is tuned on these rows.
Needs nothing but Python and the command.
"""

import argparse
import csv
import datetime
import gzip
import io
import json
import math
import pathlib
import subprocess
import tempfile

TARGET = "late15"


def rows_of(path):
    with gzip.open(path, "rt", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        return header, list(reader)


def day(header, row):
    year, month, number = (int(row[header.index(name)]) for name in ("year", "month", "day"))
    return datetime.date(year, month, number)


def write(path, header, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def scores(glassnet, model, data):
    reader = csv.reader(io.StringIO(run(glassnet, "predict", model, data)))
    header = next(reader)
    place = next(i for i, name in enumerate(header) if name in ("probability_1", "score_1"))
    return [float(row[place]) for row in reader]


def figures(said, happened):
    bins = [[0, 0.0, 0.0] for _ in range(15)]
    for p, y in zip(said, happened):
        one = bins[min(14, int(p * 15))]
        one[0] += 1
        one[1] += p
        one[2] += y
    ece = sum(abs(p - y) for _, p, y in bins) / len(said)
    clip = [min(max(p, 1e-15), 1 - 1e-15) for p in said]
    loss = -sum(math.log(p if y else 1 - p) for p, y in zip(clip, happened)) / len(said)
    return {"rows": len(said), "ece": ece, "log_loss": loss, "mean": sum(said) / len(said), "late": sum(happened) / len(said)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--glassnet", default="target/release/glassnet")
    parser.add_argument("--data", default="../shared/data/flights")
    parser.add_argument("--model", help="a model of January to September, calibrated on October")
    parser.add_argument("--days", type=int, default=28, help="days that are calibrated on")
    parser.add_argument("--train", nargs=argparse.REMAINDER, default=[], help="more for glassnet train")
    args = parser.parse_args()
    data = pathlib.Path(args.data)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="weekly-"))
    model = args.model
    if model is None:
        model = folder / "flights.glass"
        run(args.glassnet, "train", data / "train.csv.gz", "--valid", data / "valid.csv.gz", "--target", TARGET, "--type", f"{TARGET}=category",
            "-o", model, *args.train)
    header, october = rows_of(data / "valid.csv.gz")
    _, later = rows_of(data / "test.csv.gz")
    target = header.index(TARGET)
    known = sorted(((day(header, row), row) for row in october + later), key=lambda pair: pair[0])
    first, last = day(header, later[0]), day(header, later[-1])
    still, again, happened, weeks = [], [], [], []
    while first <= last:
        until = min(first + datetime.timedelta(days=7), last + datetime.timedelta(days=1))
        week = [row for date, row in known if first <= date < until]
        before = [row for date, row in known if first - datetime.timedelta(days=args.days) <= date < first]
        write(folder / "week.csv", header, week)
        write(folder / "before.csv", header, before)
        truth = [int(row[target]) for row in week]
        fitted = folder / "again.glass"
        run(args.glassnet, "recalibrate", model, folder / "before.csv", "-o", fitted)
        a, b = scores(args.glassnet, model, folder / "week.csv"), scores(args.glassnet, fitted, folder / "week.csv")
        weeks.append({"from": str(first), "still": figures(a, truth), "again": figures(b, truth)})
        print(f"{first}  {len(week):6} rows   ECE {weeks[-1]['still']['ece']:.4f} -> {weeks[-1]['again']['ece']:.4f}", flush=True)
        still += a
        again += b
        happened += truth
        first = until
    whole = {"still": figures(still, happened), "again": figures(again, happened)}
    cut = 1 - whole["again"]["ece"] / whole["still"]["ece"]
    by_week = [sum(week[way]["ece"] * week[way]["rows"] for week in weeks) / len(happened) for way in ("still", "again")]
    print(json.dumps({"all": whole, "ece_cut": cut, "mean_of_weeks": by_week}, indent=1))
    if cut < 1 / 3:
        raise SystemExit("recalibrating cut the calibration error by less than a third")


if __name__ == "__main__":
    main()
