"""Layers for tables by pytabkit (the code of RealMLP) and PyTorch: periodic embeddings, linear layers in NTK form, parametric
activations, scaling, embedded categories; and the bias "he+5" and the deviation that initialisation divides by, in NumPy alone."""

import numpy as np
import torch
import torch.nn.functional as F
from pytabkit.models.nn_models import activations
from pytabkit.models.nn_models.base import BiasLayer, ScaleLayer, WeightLayer
from pytabkit.models.nn_models.nn import PLREmbeddingsLayerCosBias

from cases import DTYPES, Draws, case, layer_case

# Rows, features, frequencies, width.
PERIODIC = [(1, 1, 1, 2), (3, 2, 16, 4), (17, 3, 16, 4), (35, 1, 5, 3), (5, 4, 2, 6)]
# Rows, inputs, units, whether there is a bias.
NTK = [(1, 1, 1, True), (3, 7, 5, True), (5, 16, 33, False), (33, 5, 18, True)]
# Rows, neurons.
PARAMETRIC = [(1, 1), (3, 7), (9, 17)]
CURVES = {"relu": torch.relu, "selu": torch.selu, "gelu": F.gelu, "silu": activations.swish, "mish": activations.mish,
          "tanh": torch.tanh}
# Rows, sizes of the columns, width.
CATEGORIES = [(1, (1,), 1), (7, (5,), 8), (19, (3, 12, 2), 8)]


def periodic(inputs, parameters):
    """pytabkit has one axis more in its weights, W the other way round, and puts all raw numbers behind all mixtures."""
    features, width = parameters["bias"].shape[0], parameters["bias"].shape[1] + 1
    layer = PLREmbeddingsLayerCosBias(None, parameters["frequency"].unsqueeze(1), parameters["phase"].unsqueeze(1),
                                      parameters["weight"].transpose(1, 2), parameters["bias"].unsqueeze(1), "linear",
                                      plr_use_densenet=True)
    y = layer.forward_cont(inputs["x"])
    mixed, raw = y[:, :-features], y[:, -features:]
    return torch.cat([mixed.reshape(-1, features, width - 1), raw.unsqueeze(-1)], dim=-1).flatten(1)


def ntk(inputs, parameters):
    y = WeightLayer(parameters["weight"].T, factor=1 / np.sqrt(parameters["weight"].shape[1])).forward_cont(inputs["x"])
    return BiasLayer(parameters["bias"], factor=1.0).forward_cont(y) if "bias" in parameters else y


def categories(inputs, parameters, sizes):
    """Each column by PyTorch's embedding; what is no code is 0."""
    table, first, parts = parameters["weight"], 0, []
    for column, size in enumerate(sizes):
        x = inputs["x"][:, column]
        known = torch.isfinite(x) & (x >= 0) & (x < size)
        codes = torch.where(known, x, torch.zeros_like(x)).detach().long()
        parts.append(F.embedding(codes, table[first:first + size]))
        first += size
    # The codes take no gradient; PyTorch wants to be told that they are there.
    return torch.cat(parts, dim=1) + 0 * inputs["x"].sum()


def all_layers():
    made = []
    for dtype in DTYPES:
        for rows, features, frequencies, width in PERIODIC:
            name = f"{rows} rows of {features}, {frequencies} frequencies, width {width}"
            draws = Draws(f"periodic {name}", dtype)
            bound = 1 / np.sqrt(frequencies)
            parameters = {"frequency": draws.normal(features, frequencies, scale=0.1),
                          "phase": draws.uniform(-np.pi, np.pi, features, frequencies),
                          "weight": draws.uniform(-bound, bound, features, width - 1, frequencies),
                          "bias": draws.uniform(-bound, bound, features, width - 1)}
            made.append(layer_case("periodic", name, dtype, lambda i, p, b, l: periodic(i, p),
                                   attributes={"frequencies": frequencies, "width": width},
                                   inputs={"x": draws.normal(rows, features)}, parameters=parameters))
        for rows, inputs, units, bias in NTK:
            name = f"{rows} rows, {inputs} to {units}"
            draws = Draws(f"ntk {name}", dtype)
            parameters = {"weight": draws.normal(units, inputs)}
            if bias:
                parameters["bias"] = draws.normal(units)
            made.append(layer_case("ntk", name, dtype, lambda i, p, b, l: ntk(i, p), attributes={"bias": bias},
                                   inputs={"x": draws.normal(rows, inputs)}, parameters=parameters))
        for curve, function in CURVES.items():
            for rows, width in PARAMETRIC:
                name = f"{curve}, {rows} x {width}"
                draws = Draws(f"parametric {name}", dtype)
                made.append(layer_case(
                    "parametric", name, dtype,
                    lambda i, p, b, l, f=function: activations.ParametricActivationLayer(f, p["bend"]).forward_cont(i["x"]),
                    attributes={"curve": curve}, inputs={"x": draws.normal(rows, width, scale=2.0)},
                    parameters={"bend": 1 + draws.normal(width, scale=0.5)}))
        for rows, width in PARAMETRIC:
            name = f"{rows} x {width}"
            draws = Draws(f"scaling {name}", dtype)
            made.append(layer_case("scale", name, dtype,
                                   lambda i, p, b, l: ScaleLayer(p["scale"]).forward_cont(i["x"]),
                                   inputs={"x": draws.normal(rows, width)}, parameters={"scale": draws.normal(width)}))
        for rows, sizes, width in CATEGORIES:
            name = f"{rows} rows of {sizes}, width {width}"
            draws = Draws(f"categories {name}", dtype)
            codes = draws.whole(max(sizes) + 3, rows, len(sizes)) - 1
            made.append(layer_case("categories", name, dtype, lambda i, p, b, l, s=sizes: categories(i, p, s),
                                   attributes={"sizes": list(sizes), "width": width},
                                   inputs={"x": codes.to(DTYPES[dtype])}, parameters={"weight": draws.normal(sum(sizes), width)}))
    return made


def all_initialisation():
    """What the data-driven initialisation of one layer must give for drawn weights, rows and shares: W over the population
    deviation of (1/sqrt d) x W, and b = -sum of five outputs by shares of Exp(1) draws."""
    made = []
    for rows, inputs, units in [(4, 1, 1), (50, 7, 5), (120, 17, 9)]:
        name = f"{rows} rows, {inputs} to {units}"
        state = np.random.RandomState(len(name) * 1000 + rows)
        x, weight = state.standard_normal((rows, inputs)) * 2 + 1, state.standard_normal((units, inputs))
        which = state.randint(0, rows, (units, 5))
        uniform = state.uniform(0, 1, (units, 5))
        z = x @ weight.T / np.sqrt(inputs)
        deviation = np.sqrt(((z - z.mean(axis=0)) ** 2).mean(axis=0))
        shares = -np.log1p(-uniform)
        shares /= shares.sum(axis=1, keepdims=True)
        points = (z / deviation)[which, np.arange(units)[:, None]]
        made.append(case("fit", name, "f64", inputs={"x": torch.tensor(x), "which": torch.tensor(which, dtype=torch.float64),
                                                     "uniform": torch.tensor(uniform)},
                         parameters={"weight": torch.tensor(weight)},
                         outputs={"fitted": torch.tensor(weight / deviation[:, None]),
                                  "bias": torch.tensor(-(shares * points).sum(axis=1))}))
    return made
