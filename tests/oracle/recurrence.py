"""Recurrent layers: nn.RNN, nn.LSTM, nn.GRU, one layer and one direction as layer cases, a stack of two layers in both
directions as a whole; and what reads a vector off a sequence."""

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from cases import DTYPES, Draws, case, gradients, layer_case, leaf

# name, B, T, F, units, options
CASES = [
    ("one step", 1, 1, 1, 1, {}),
    ("plain", 3, 5, 2, 2, {}),
    ("odd sizes", 2, 7, 3, 5, {}),
    ("no bias", 2, 4, 3, 2, {"bias": False}),
    ("initial state", 2, 3, 2, 2, {"initial": True}),
    ("reverse", 2, 4, 2, 3, {"reverse": True}),
    ("lengths", 4, 5, 1, 2, {"lengths": [2, 5, 1, 4]}),
    ("reverse, lengths, initial state", 3, 5, 2, 2, {"reverse": True, "lengths": [3, 1, 5], "initial": True}),
]
KINDS = [("rnn", "tanh", 1), ("rnn", "relu", 1), ("lstm", None, 4), ("gru", None, 3)]
MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def run(module, weights, x, state, lengths):
    """The module on these weights, in place of its own; with lengths by packed sequences."""
    module._flat_weights = weights
    if lengths is None:
        return module(x, state)[0]
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(module(packed, state)[0], batch_first=True, total_length=x.shape[1])[0]


def turned(x, lengths):
    """Each row from its own end; padding stays where it is."""
    time = torch.arange(x.shape[1]).expand(x.shape[0], -1)
    length = torch.full((x.shape[0],), x.shape[1]) if lengths is None else lengths
    place = torch.where(time < length[:, None], length[:, None] - 1 - time, time)
    return x.gather(1, place[:, :, None].expand_as(x))


def layers():
    made = []
    for op, curve, gates in KINDS:
        for name, rows, time, features, units, options in CASES:
            options = {"bias": True, "reverse": False, "initial": False, "lengths": None} | options
            for dtype in DTYPES:
                full = f"{curve}, {name}" if curve else name
                draws = Draws(f"{op} {full}", dtype)
                inputs = {"x": draws.normal(rows, time, features)}
                parameters = {"weight_ih": draws.normal(gates * units, features, scale=0.6),
                              "weight_hh": draws.normal(gates * units, units, scale=0.6)}
                if options["bias"]:
                    parameters["bias_ih"] = draws.normal(gates * units, scale=0.5)
                    parameters["bias_hh"] = draws.normal(gates * units, scale=0.5)
                if options["initial"]:
                    inputs["h0"] = draws.normal(rows, units)
                    if op == "lstm":
                        inputs["c0"] = draws.normal(rows, units)
                lengths = None if options["lengths"] is None else torch.tensor(options["lengths"])
                settings = {"nonlinearity": curve} if curve else {}
                module = MODULES[op](features, units, bias=options["bias"], batch_first=True, **settings)

                def function(inputs, parameters, _buffers, labels, module=module, options=options):
                    x, state = inputs["x"], None
                    if "h0" in inputs:
                        state = tuple(inputs[key][None] for key in ("h0", "c0") if key in inputs)
                        state = state if len(state) == 2 else state[0]
                    if options["reverse"]:
                        x = turned(x, labels)
                    y = run(module, list(parameters.values()), x, state, labels)
                    return turned(y, labels) if options["reverse"] else y

                attributes = {"units": units, "bias": options["bias"], "reverse": options["reverse"],
                              "initial": options["initial"], "lengths": lengths is not None}
                if curve:
                    attributes["activation"] = curve
                made.append(layer_case(op, full, dtype, function, attributes=attributes, inputs=inputs,
                                       parameters=parameters, labels=lengths))
    return made


def stacks():
    """nn.LSTM with two layers in both directions. Parameters have PyTorch's names."""
    made = []
    rows, time, features, units = 3, 4, 2, 2
    for name, lengths in [("two layers, both directions", None), ("with lengths", torch.tensor([2, 4, 1]))]:
        for dtype in DTYPES:
            draws = Draws(f"lstm_stack {name}", dtype)
            module = torch.nn.LSTM(features, units, num_layers=2, bidirectional=True, batch_first=True)
            shapes = {key: value.shape for key, value in module.named_parameters()}
            parameters = {key: leaf(draws.normal(*shapes[key], scale=0.6)) for key in module._flat_weights_names}
            inputs = {"x": leaf(draws.normal(rows, time, features))}
            y = run(module, list(parameters.values()), inputs["x"], None, lengths)
            upstream = draws.normal(*y.shape)
            made.append(case("lstm_stack", name, dtype, attributes={"units": units}, inputs=inputs, parameters=parameters,
                             labels=lengths, upstream=upstream, outputs={"y": y},
                             gradients=gradients((y * upstream).sum(), {**inputs, **parameters})))
    return made


def reductions():
    """A vector off a sequence: at its last live position, at its first, the mean of the live ones."""
    made = []
    sizes = [("one", 1, 1, 1, None), ("all", 3, 5, 7, None), ("wide", 1, 3, 17, None),
             ("lengths", 4, 5, 3, [2, 5, 1, 4]), ("one row", 1, 6, 2, [4]), ("sorted", 5, 7, 1, [7, 6, 3, 3, 1])]
    functions = {
        "last": lambda x, lengths: x[torch.arange(len(x)), lengths - 1],
        "first": lambda x, lengths: x[:, 0],
        "mean_over_time": lambda x, lengths: torch.stack([row[:n].mean(0) for row, n in zip(x, lengths.tolist())]),
    }
    for op, function in functions.items():
        for name, rows, time, width, lengths in sizes:
            if op == "first":
                lengths = None
            for dtype in DTYPES:
                x = Draws(f"{op} {name}", dtype).normal(rows, time, width)
                labels = None if lengths is None else torch.tensor(lengths)
                of_all = torch.full((rows,), time) if labels is None else labels
                made.append(layer_case(op, name, dtype, lambda i, p, b, l, f=function, n=of_all: f(i["x"], n),
                                       attributes={"lengths": labels is not None}, inputs={"x": x}, labels=labels))
    return made


def all_recurrence():
    return {"recurrence": layers() + stacks() + reductions()}
