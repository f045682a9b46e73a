"""Exact Shapley values by the `shap` package (shap.explainers.Exact), of a small network computed by NumPy in float64.

    python explain.py > explain.json

Weights are multiples of 1/64, so that float32 holds them. What is explained is the log-odds of the last class.
"""

import json
import math

import numpy as np
import shap

MISSING = 1e9  # stands for a missing number: shap compares values, and NaN is not equal to itself
LEVELS = ["a", "b", "c"]
ROWS, BACKGROUND = 40, list(range(16))
EXPLAINED = [0, 20, 21, 22, 23, 24, 30, 39]

draws = np.random.default_rng(20)
raw = np.zeros((ROWS, 4))
raw[:, 0] = np.round(draws.normal(3.0, 2.0, ROWS), 2)
raw[:, 1] = np.round(draws.uniform(-50.0, 250.0, ROWS), 1)
raw[draws.uniform(size=ROWS) < 0.2, 1] = MISSING
raw[:, 2] = np.round(draws.exponential(10.0, ROWS), 2)
raw[:, 3] = draws.integers(0, 4, ROWS)  # 3 is a missing category


def moments(values):
    values = values[values != MISSING]
    return values.mean(), values.std()


MOMENTS = [moments(raw[:, column]) for column in range(3)]


def encode(rows):
    out = np.zeros((len(rows), 8))
    for place, column in ((0, 0), (1, 1), (3, 2)):
        mean, deviation = MOMENTS[column]
        missing = rows[:, column] == MISSING
        out[:, place] = np.where(missing, 0.0, (rows[:, column] - mean) / deviation)
    out[:, 2] = rows[:, 1] == MISSING
    out[np.arange(len(rows)), 4 + rows[:, 3].astype(int)] = 1.0
    return out


def weights(*shape):
    return np.round(draws.normal(0.0, 0.8, shape) * 64) / 64


cases = []
for classes in (2, 3):
    w1, b1, w2, b2 = weights(5, 8), weights(5), weights(classes, 5), weights(classes)

    def margin(rows, w1=w1, b1=b1, w2=w2, b2=b2):
        z = np.tanh(encode(np.asarray(rows)) @ w1.T + b1) @ w2.T + b2
        return z[:, -1] - np.log(np.exp(z[:, :-1]).sum(axis=1))

    masker = shap.maskers.Independent(raw[BACKGROUND], max_samples=len(BACKGROUND))
    explanation = shap.explainers.Exact(margin, masker)(raw[EXPLAINED])
    cases.append(
        {
            "classes": classes,
            "parameters": [float(v) for part in (w1, b1, w2, b2) for v in part.ravel()],
            "base": float(np.ravel(explanation.base_values)[0]),
            "outputs": [float(v) for v in margin(raw[EXPLAINED])],
            "contributions": explanation.values.tolist(),
        }
    )
    assert math.isclose(cases[-1]["base"], margin(raw[BACKGROUND]).mean(), rel_tol=1e-12)

number = lambda value: None if value == MISSING else float(value)
print(
    json.dumps(
        {
            "source": f"shap {shap.__version__}, shap.explainers.Exact",
            "numbers": [[number(v) for v in raw[:, column]] for column in range(3)],
            "words": [(LEVELS + [""])[int(v)] for v in raw[:, 3]],
            "background": BACKGROUND,
            "explained": EXPLAINED,
            "cases": cases,
        },
        indent=1,
    )
)
