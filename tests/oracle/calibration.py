"""Calibration and the metrics of probabilities, by scikit-learn; the temperature by SciPy."""

import warnings

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn import metrics
from sklearn.calibration import _sigmoid_calibration, calibration_curve
from sklearn.isotonic import IsotonicRegression

from cases import SEED, case

ROWS = 240


def draws(number):
    return np.random.RandomState((SEED + number) % 2**32)


def binary(number, ties):
    """Log-odds that are too sure, rows' classes (both at either end), weights. With ties few scores come often."""
    state = draws(number)
    truth = state.standard_normal(ROWS)
    y = (state.uniform(size=ROWS) < 1 / (1 + np.exp(-truth))).astype(int)
    z = 2.5 * truth + 0.7 * state.standard_normal(ROWS) + 0.4
    if ties:
        z = np.round(z * 2) / 2
    low, high = np.argmin(z), np.argmax(z)
    y[low], y[high] = 1, 0
    return z, y, np.round(state.uniform(0.25, 3.0, ROWS), 3)


def temperature():
    made = []
    for classes in [2, 5]:
        for weighted in [False, True]:
            state = draws(classes)
            labels = state.randint(0, classes, ROWS)
            z = 2.0 * state.standard_normal((ROWS, classes))
            z[np.arange(ROWS), labels] += 2.0
            weight = np.round(state.uniform(0.25, 3.0, ROWS), 3) if weighted else np.ones(ROWS)

            def loss(u):
                return -np.average(log_softmax(np.exp(u) * z, axis=1)[np.arange(ROWS), labels], weights=weight)

            found = minimize_scalar(loss, bounds=(-16, 16), method="bounded", options={"xatol": 1e-11})
            name = f"{classes} classes{', weighted' if weighted else ''}"
            made.append(case("temperature", name, "f64", inputs={"logits": z, "weight": weight}, labels=labels,
                             outputs={"beta": float(np.exp(found.x)), "loss": float(found.fun)}))
    return made


def two_classes():
    made = []
    for ties in [False, True]:
        for weighted in [False, True]:
            z, y, weight = binary(17 + ties, ties)
            weight = weight if weighted else np.ones(ROWS)
            p = 1 / (1 + np.exp(-z))
            name = ("ties" if ties else "no ties") + (", weighted" if weighted else "")
            inputs = {"score": z, "weight": weight}

            slope, offset = _sigmoid_calibration(z, y, weight)
            made.append(case("affine", name, "f64", inputs=inputs, labels=y, outputs={"a": -offset, "b": -slope}))

            isotonic = IsotonicRegression(out_of_bounds="clip").fit(z, y, weight)
            places = np.linspace(z.min() - 1, z.max() + 1, 97)
            made.append(case("isotonic", name, "f64", inputs=inputs | {"places": places}, labels=y,
                             outputs={"x": isotonic.X_thresholds_, "y": isotonic.y_thresholds_,
                                      "p": isotonic.predict(places)}))

            fpr, tpr, thresholds = metrics.roc_curve(y, z, sample_weight=weight, drop_intermediate=False)
            precision, recall, cuts = metrics.precision_recall_curve(y, z, sample_weight=weight)
            outputs = {"brier": metrics.brier_score_loss(y, p, sample_weight=weight),
                       "log_loss": metrics.log_loss(y, p, sample_weight=weight),
                       "auc": metrics.roc_auc_score(y, z, sample_weight=weight),
                       "average_precision": metrics.average_precision_score(y, z, sample_weight=weight),
                       # The first threshold is infinite, the last point of the other curve has none.
                       "fpr": fpr, "tpr": tpr, "roc_thresholds": thresholds[1:],
                       "precision": precision[:-1].copy(), "recall": recall[:-1].copy(), "pr_thresholds": cuts.copy()}
            if not weighted:
                observed, predicted = calibration_curve(y, p, n_bins=15, strategy="uniform")
                outputs |= {"observed": observed, "predicted": predicted}
            made.append(case("binary_metrics", name, "f64", inputs=inputs, labels=y, outputs=outputs))
    return made


def many_classes():
    state = draws(5)
    labels = state.randint(0, 4, ROWS)
    z = 1.5 * state.standard_normal((ROWS, 4))
    z[np.arange(ROWS), labels] += 1.5
    p = np.exp(log_softmax(z, axis=1))
    outputs = {"brier": metrics.brier_score_loss(labels, p, scale_by_half=False), "log_loss": metrics.log_loss(labels, p)}
    top = p.argmax(axis=1)
    confidence, right = p.max(axis=1), (top == labels).astype(float)
    observed, predicted = calibration_curve(right, confidence, n_bins=15, strategy="uniform")
    outputs |= {"observed": observed, "predicted": predicted}
    regression = {"target": state.standard_normal(ROWS), "predicted": state.standard_normal(ROWS)}
    pinball = [metrics.mean_pinball_loss(regression["target"], regression["predicted"], alpha=a) for a in [0.1, 0.5, 0.9]]
    return [case("class_metrics", "4 classes", "f64", inputs={"logits": z}, labels=labels, outputs=outputs),
            case("pinball", "levels 0.1, 0.5, 0.9", "f64", inputs=regression, outputs={"loss": pinball})]


def all_calibration():
    """File name -> cases."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {"calibration": temperature() + two_classes() + many_classes()}
