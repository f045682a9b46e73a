#!/usr/bin/env python3
"""Makes tabular.json: small columns, and what pytabkit's own layers make of them (RealMLP's preprocessing), in 64 bits.

Needs pytabkit 1.7.3 (Apache-2.0), PyTorch and NumPy. Run it where it lies. Categories are ids, 0 for missing.
"""

import json
import pathlib

import numpy as np
import torch
from pytabkit.models.data.data import DictDataset, TensorInfo
from pytabkit.models.nn_models.categorical import SingleOneHotFitter
from pytabkit.models.nn_models.models import smooth_clip_func
from pytabkit.models.nn_models.pipeline import MedianCenterFactory, RobustScaleFactory

HERE = pathlib.Path(__file__).resolve().parent


def scaled(columns):
    """Median, robust scale and smooth clip of [rows, columns]."""
    data = DictDataset({"x_cont": columns}, {"x_cont": TensorInfo(feat_shape=[columns.shape[1]])})
    for factory in [MedianCenterFactory(), RobustScaleFactory()]:
        data = factory.create(data.tensor_infos).fit(data)(data)
    return smooth_clip_func(data.tensors["x_cont"])


def one_hot(ids, size):
    """The columns of a category; `size` counts id 0."""
    data = DictDataset({"x_cat": torch.as_tensor(ids)[:, None]}, {"x_cat": TensorInfo(cat_sizes=[size])})
    fitter = SingleOneHotFitter(use_missing_zero=True, bin_onoff=(1.0, 0.0), multi_onoff=(1.0, 0.0), use_1d_binary_onehot=True)
    return fitter.fit(data)(data).tensors["x_cont"].to(torch.float64)


def main():
    random = np.random.default_rng(5)
    rows = 37
    numbers = {
        "normal": random.normal(3, 2, rows),
        "lognormal": np.exp(random.normal(0, 2, rows)),
        "mostly_zero": np.where(random.random(rows) < 0.1, random.normal(0, 5, rows), 0.0),
        "whole": np.floor(random.random(rows) * 5),
        "huge": random.normal(0, 1e12, rows),
    }
    categories = {"two": (2, 3), "three": (3, 4), "eight": (8, 9), "two_with_missing": (2, 3), "one_with_missing": (1, 2)}
    made = {"rows": rows, "numbers": {}, "categories": {}}
    for name, values in numbers.items():
        wanted = scaled(torch.as_tensor(values, dtype=torch.float64)[:, None])
        made["numbers"][name] = {"values": values.tolist(), "wanted": wanted[:, 0].tolist()}
    for name, (levels, size) in categories.items():
        ids = random.integers(0 if "missing" in name else 1, levels + 1, rows)
        wanted = scaled(one_hot(ids, size))
        made["categories"][name] = {"ids": ids.tolist(), "levels": levels, "wanted": wanted.tolist()}
    (HERE / "tabular.json").write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
