"""Losses: the loss of each row, the mean (with class weights and row weights as PyTorch divides them), and gradients.

The loss of a row of mse, l1, huber and bce_with_logits is the mean over the row's K outputs. The loss of a row of
cross_entropy carries its class weight.
"""

import torch
import torch.nn.functional as F

from cases import DTYPES, Draws, case, gradients, leaf


def finish(op, name, dtype, *, x, inputs, attributes=None, labels=None, rows, mean, weights, draws, row_weight=None,
           extra_outputs=None):
    """One case. `rows` are the losses of the rows, `mean` is PyTorch's own reduction='mean' (None where PyTorch has
    none: row weights), `weights` is what each row adds to the denominator."""
    share = torch.ones_like(rows) if row_weight is None else row_weight
    ours = (share * rows).sum() / (share * weights).sum()
    if mean is None:
        mean = ours
    elif not torch.allclose(mean, ours, rtol=1e-5 if dtype == "f32" else 1e-13, atol=0):
        raise ValueError(f"{op} / {name}: PyTorch's mean {mean} is not sum of rows / sum of weights {ours}")
    upstream = draws.normal(*rows.shape)
    made = gradients(mean, {"x_of_mean": x}) | gradients((rows * upstream).sum(), {"x_of_rows": x})
    inputs = {"x": x} | inputs | ({} if row_weight is None else {"row_weight": row_weight})
    outputs = {"rows": rows, "mean": mean, "denominator": (share * weights).sum()} | (extra_outputs or {})
    return case(op, name, dtype, attributes=attributes, inputs=inputs, labels=labels, upstream=upstream,
                outputs=outputs, gradients=made)


REGRESSION = [
    ("mse", {}, lambda x, t, r: F.mse_loss(x, t, reduction=r)),
    ("l1", {}, lambda x, t, r: F.l1_loss(x, t, reduction=r)),
    ("huber", {"delta": 1.0}, lambda x, t, r: F.huber_loss(x, t, delta=1.0, reduction=r)),
    ("huber", {"delta": 0.5}, lambda x, t, r: F.huber_loss(x, t, delta=0.5, reduction=r)),
]

# x - target: 0, both sides of the deltas and exactly on them, and far out.
REGRESSION_KINKS = [[0.0, 0.5, -0.5], [1.0, -1.0, 0.25], [-0.25, 20.0, -20.0], [1000.0, -1000.0, 0.0]]


def regression():
    made = []
    for op, attributes, function in REGRESSION:
        words = "".join(f", {key} {value}" for key, value in attributes.items())
        for dtype in DTYPES:
            for shape, weighted in [((1, 1), False), ((5, 3), False), ((7, 1), False), (None, False), ((5, 3), True)]:
                name = "kinks and extremes" if shape is None else "x".join(map(str, shape))
                name += words + (", row weights" if weighted else "")
                draws = Draws(f"{op} {name}", dtype)
                if shape is None:
                    x = torch.tensor(REGRESSION_KINKS, dtype=DTYPES[dtype])
                    target = torch.zeros_like(x)
                else:
                    x, target = draws.normal(*shape, scale=1.5), draws.normal(*shape)
                x = leaf(x)
                row_weight = draws.uniform(0.2, 3.0, x.shape[0]) if weighted else None
                rows = function(x, target, "none").mean(dim=1)
                made.append(finish(op, name, dtype, x=x, inputs={"target": target}, attributes=attributes, rows=rows,
                                   mean=None if weighted else function(x, target, "mean"),
                                   weights=torch.ones_like(rows), draws=draws, row_weight=row_weight))
    return made


EXTREME_LOGITS = [[1000.0, -1000.0, 0.0], [1000.0, -1000.0, 0.0], [-1000.0, -1000.0, -1000.0], [88.0, -88.0, 20.0],
                  [0.0, 0.0, 0.0]]
EXTREME_LABELS = [0, 1, 2, 1, 0]


def cross_entropy_case(dtype, shape, *, smoothing=0.0, classes=False, row_weights=False, soft=False, split=None):
    words = ["extremes" if shape is None else f"{shape[0]} rows, {shape[1]} classes"]
    words += ["soft labels"] if soft else []
    words += ["class weights"] if classes else []
    words += [f"label smoothing {smoothing}"] if smoothing else []
    words += ["row weights"] if row_weights else []
    words += [f"micro-batches of {split} and {shape[0] - split}"] if split else []
    name = ", ".join(words)
    draws = Draws(f"cross_entropy {name}", dtype)
    x = torch.tensor(EXTREME_LOGITS, dtype=DTYPES[dtype]) if shape is None else draws.normal(*shape, scale=2.0)
    x = leaf(x)
    count, number = x.shape
    labels, inputs = None, {}
    if soft:
        target = F.softmax(draws.normal(count, number), dim=1)
        inputs["target"] = target
    else:
        target = labels = torch.tensor(EXTREME_LABELS) if shape is None else draws.whole(number, count)
    class_weight = draws.uniform(0.3, 3.0, number) if classes else None
    if classes:
        inputs["class_weight"] = class_weight
    row_weight = draws.uniform(0.2, 3.0, count) if row_weights else None

    def loss(x, target, reduction):
        return F.cross_entropy(x, target, weight=class_weight, label_smoothing=smoothing, reduction=reduction)

    rows = loss(x, target, "none")
    # PyTorch divides by the class weights of the labels, smoothed or not; with soft labels by the number of rows.
    weights = class_weight[labels] if classes and not soft else torch.ones_like(rows)
    attributes = {"label_smoothing": smoothing}
    extra = None
    if split:
        attributes["first_micro_batch"] = split
        share = torch.ones_like(rows) if row_weight is None else row_weight
        parts = [slice(0, split), slice(split, count)]
        extra = {"micro_sums": torch.stack([(share * rows)[part].sum() for part in parts]),
                 "micro_denominators": torch.stack([(share * weights)[part].sum() for part in parts])}
    return finish("cross_entropy", name, dtype, x=x, inputs=inputs, attributes=attributes, labels=labels, rows=rows,
                  mean=None if row_weights else loss(x, target, "mean"), weights=weights, draws=draws,
                  row_weight=row_weight, extra_outputs=extra)


def cross_entropy():
    made = []
    for dtype in DTYPES:
        for soft in [False, True]:
            for shape in [(1, 2), (5, 3), (7, 10)]:
                made.append(cross_entropy_case(dtype, shape, soft=soft))
                made.append(cross_entropy_case(dtype, shape, soft=soft, classes=True))
            made.append(cross_entropy_case(dtype, (3, 1), soft=soft))
            made.append(cross_entropy_case(dtype, (5, 3), soft=soft, row_weights=True))
            made.append(cross_entropy_case(dtype, (5, 3), soft=soft, classes=True, row_weights=True))
            made.append(cross_entropy_case(dtype, (5, 3), soft=soft, smoothing=0.1))
            made.append(cross_entropy_case(dtype, (5, 3), soft=soft, classes=True, smoothing=0.1))
        for shape in [(1, 2), (7, 10)]:
            made.append(cross_entropy_case(dtype, shape, smoothing=0.1))
            made.append(cross_entropy_case(dtype, shape, classes=True, smoothing=0.1))
        made.append(cross_entropy_case(dtype, (5, 3), classes=True, smoothing=0.1, row_weights=True))
        made.append(cross_entropy_case(dtype, None))
        made.append(cross_entropy_case(dtype, None, classes=True))
        made.append(cross_entropy_case(dtype, None, smoothing=0.1))
        made.append(cross_entropy_case(dtype, (7, 4), split=5))
        made.append(cross_entropy_case(dtype, (7, 4), classes=True, split=5))
        made.append(cross_entropy_case(dtype, (7, 4), classes=True, row_weights=True, split=2))
    return made


EXTREME_BCE = [[1000.0, 0.0], [1000.0, 1.0], [-1000.0, 0.0], [-1000.0, 1.0], [88.0, 0.0], [-88.0, 1.0], [20.0, 1.0],
               [-20.0, 0.0], [0.0, 1.0], [-0.0, 0.0], [1e-8, 0.5], [1000.0, 0.5]]


def bce_with_logits():
    made = []
    for dtype in DTYPES:
        for shape, soft in [((1, 1), False), ((7, 1), False), ((5, 3), False), ((5, 3), True), (None, False)]:
            for positive in [False, True]:
                for weighted in [False, True]:
                    if weighted and (shape != (5, 3) or soft):
                        continue
                    words = ["extremes" if shape is None else "x".join(map(str, shape))]
                    words += (["soft targets"] if soft else []) + (["positive weights"] if positive else [])
                    words += ["row weights"] if weighted else []
                    name = ", ".join(words)
                    draws = Draws(f"bce_with_logits {name}", dtype)
                    if shape is None:
                        pairs = torch.tensor(EXTREME_BCE, dtype=DTYPES[dtype])
                        x, target = pairs[:, :1], pairs[:, 1:]
                    else:
                        x = draws.normal(*shape, scale=2.0)
                        target = draws.uniform(0.0, 1.0, *shape) if soft else draws.whole(2, *shape).to(DTYPES[dtype])
                    x = leaf(x)
                    pos_weight = draws.uniform(0.3, 4.0, x.shape[1]) if positive else None
                    row_weight = draws.uniform(0.2, 3.0, x.shape[0]) if weighted else None

                    def loss(reduction):
                        return F.binary_cross_entropy_with_logits(x, target, pos_weight=pos_weight, reduction=reduction)

                    rows = loss("none").mean(dim=1)
                    inputs = {"target": target} | ({"pos_weight": pos_weight} if positive else {})
                    made.append(finish("bce_with_logits", name, dtype, x=x, inputs=inputs, rows=rows,
                                       mean=None if weighted else loss("mean"), weights=torch.ones_like(rows),
                                       draws=draws, row_weight=row_weight))
    return made


def all_losses():
    return regression() + cross_entropy() + bce_with_logits()
