#!/usr/bin/env python3
"""Makes quantile.json: the normal quantile function by SciPy, and small columns with what scikit-learn's QuantileTransformer makes of them
with the settings that TabM's authors take, in 64 bits.

Needs scikit-learn, SciPy and NumPy. Run it where it lies. Of each column:

- "values": the training rows; "new": rows that are transformed, none of them the least or the greatest of the training rows where several rows
  share that one ("tied" says which ends are);
- "wanted": scikit-learn's own output for them;
- "tied": values that end the range and that several rows share, each with its share: the mean of the normal distribution function of its output
  over 400 fits to values with the noise that the authors add. It is what our rule without noise stands for.
"""

import json
import pathlib

import numpy as np
import scipy.stats
from sklearn.preprocessing import QuantileTransformer

HERE = pathlib.Path(__file__).resolve().parent
NOISE = 1e-3
DRAWS = 400


def transformer(values):
    """As in the authors' code: quantiles by the number of rows."""
    count = max(min(len(values) // 30, 1000), 10)
    made = QuantileTransformer(output_distribution="normal", n_quantiles=count, subsample=10**9, random_state=0)
    return made.fit(values[:, None])


def with_noise(values, random):
    deviation = NOISE / max(values.std(), NOISE)
    return values + deviation * random.standard_normal(len(values))


def main():
    random = np.random.default_rng(11)
    rows = 450
    columns = {
        "normal": random.normal(3, 2, rows),
        "lognormal": np.exp(random.normal(0, 2, rows)),
        "few_rows": random.normal(0, 1, 7),
        "whole": np.floor(random.random(rows) * 5),
        "mostly_zero": np.where(random.random(rows) < 0.9, 0.0, np.exp(random.normal(5, 1, rows))),
        "hours": np.where(random.random(rows) < 0.5, 40.0, np.clip(np.round(random.normal(40, 12, rows)), 1, 99)),
        "large": random.normal(0, 1e6, rows),
    }
    made = {"normal": [], "columns": {}}
    shares = np.concatenate([np.logspace(-300, -1, 120), np.linspace(0.05, 0.95, 181), [0.075, 0.925, 1 - 1e-3, 1 - 1e-7, 1 - 1e-12]])
    made["normal"] = [[float(p), float(scipy.stats.norm.ppf(p))] for p in shares]
    for name, values in columns.items():
        values = values.round(6)
        least, greatest = values.min(), values.max()
        ends = [end for end in (least, greatest) if (values == end).sum() > 1]
        spread = greatest - least
        new = np.concatenate([values[:25], random.uniform(least - 0.1 * spread, greatest + 0.1 * spread, 25), [least, greatest]])
        # Within 1e-7 of an end scikit-learn takes the end.
        new = np.array([x for x in new if x not in ends])
        case = {"values": values.tolist(), "new": new.tolist()}
        case["wanted"] = transformer(values).transform(new[:, None])[:, 0].tolist()
        case["tied"] = []
        for end in ends:
            outputs = [transformer(with_noise(values, random)).transform([[end]])[0, 0] for _ in range(DRAWS)]
            case["tied"].append([float(end), float(np.mean(scipy.stats.norm.cdf(outputs)))])
        made["columns"][name] = case
    (HERE / "quantile.json").write_text(json.dumps(made) + "\n")


if __name__ == "__main__":
    main()
