"""Forward values and gradients of the operations: elementwise, softmax, linear, combining."""

import torch
import torch.nn.functional as F

from cases import DTYPES, SPECIAL, Draws, case, gradients, leaf

# Softplus is exact: past its threshold PyTorch returns x itself, by default from 20 on, where f64 still sees the
# difference. f64: exp(700) is finite and ln(1 + exp(-700)) is far below rounding. f32: exp overflows at 88.7, and from
# 17 on the difference is below rounding.
SOFTPLUS_THRESHOLD = {"f64": 700.0, "f32": 80.0}

# op, attributes, function of (x, dtype's name)
ELEMENTWISE = [
    ("relu", {}, lambda x, _: F.relu(x)),
    ("leaky_relu", {"slope": 0.01}, lambda x, _: F.leaky_relu(x, 0.01)),
    ("leaky_relu", {"slope": 0.2}, lambda x, _: F.leaky_relu(x, 0.2)),
    ("elu", {"alpha": 1.0}, lambda x, _: F.elu(x, 1.0)),
    ("elu", {"alpha": 0.5}, lambda x, _: F.elu(x, 0.5)),
    ("selu", {}, lambda x, _: F.selu(x)),
    ("gelu", {}, lambda x, _: F.gelu(x, approximate="none")),
    ("gelu_tanh", {}, lambda x, _: F.gelu(x, approximate="tanh")),
    ("silu", {}, lambda x, _: F.silu(x)),
    ("mish", {}, lambda x, _: F.mish(x)),
    ("tanh", {}, lambda x, _: torch.tanh(x)),
    ("sigmoid", {}, lambda x, _: torch.sigmoid(x)),
    ("softplus", {"beta": 1.0}, lambda x, dtype: F.softplus(x, 1.0, SOFTPLUS_THRESHOLD[dtype])),
]


def attribute_words(attributes):
    return "".join(f", {key} {value}" for key, value in attributes.items())


def elementwise():
    made = []
    for op, attributes, function in ELEMENTWISE:
        for dtype in DTYPES:
            for shape in [(1, 1), (3, 5), (7, 4), None]:
                name = ("kinks and extremes" if shape is None else "x".join(map(str, shape))) + attribute_words(attributes)
                draws = Draws(f"{op} {name}", dtype)
                x = torch.tensor([SPECIAL], dtype=DTYPES[dtype]) if shape is None else draws.normal(*shape, scale=2.0)
                x = leaf(x)
                upstream = draws.normal(*x.shape)
                y = function(x, dtype)
                made.append(case(op, name, dtype, attributes=attributes, inputs={"x": x}, upstream=upstream,
                                 outputs={"y": y}, gradients=gradients((y * upstream).sum(), {"x": x})))
    # The step has no gradient worth the name: forward only, 1 at zero (either sign).
    for dtype in DTYPES:
        for shape in [(1, 1), (3, 5), (7, 4), None]:
            name = "kinks and extremes" if shape is None else "x".join(map(str, shape))
            draws = Draws(f"step {name}", dtype)
            x = torch.tensor([SPECIAL], dtype=DTYPES[dtype]) if shape is None else draws.normal(*shape, scale=2.0)
            y = torch.heaviside(x, torch.ones((), dtype=DTYPES[dtype]))
            made.append(case("step", name, dtype, inputs={"x": x}, outputs={"y": y}))
    return made


SOFTMAX_EXTREMES = [[1000.0, -1000.0, 0.0, 20.0], [-1000.0, -1000.0, -1000.0, -1000.0], [88.0, -88.0, 88.0, 20.0],
                    [0.0, -0.0, 1e-8, -1e-8], [1000.0, 1000.0, 999.5, 999.0]]


def softmax():
    made = []
    for op, function in [("softmax", F.softmax), ("log_softmax", F.log_softmax)]:
        for dtype in DTYPES:
            for shape in [(1, 1), (3, 5), (2, 17), (5, 2), None]:
                name = "extremes" if shape is None else "x".join(map(str, shape))
                draws = Draws(f"{op} {name}", dtype)
                x = torch.tensor(SOFTMAX_EXTREMES, dtype=DTYPES[dtype]) if shape is None else draws.normal(*shape, scale=2.0)
                x = leaf(x)
                upstream = draws.normal(*x.shape)
                y = function(x, dim=-1)
                made.append(case(op, name, dtype, inputs={"x": x}, upstream=upstream, outputs={"y": y},
                                 gradients=gradients((y * upstream).sum(), {"x": x})))
    return made


def linear():
    made = []
    for dtype in DTYPES:
        for rows, fan_in, fan_out in [(1, 1, 1), (3, 5, 2), (7, 4, 6), (2, 17, 9)]:
            for bias in [True, False]:
                name = f"{rows} rows, {fan_in} in, {fan_out} out, {'with' if bias else 'no'} bias"
                draws = Draws(f"linear {name}", dtype)
                leaves = {"x": leaf(draws.normal(rows, fan_in)), "weight": leaf(draws.normal(fan_out, fan_in))}
                if bias:
                    leaves["bias"] = leaf(draws.normal(fan_out))
                upstream = draws.normal(rows, fan_out)
                y = F.linear(leaves["x"], leaves["weight"], leaves.get("bias"))
                made.append(case("linear", name, dtype, attributes={"bias": bias}, inputs={"x": leaves["x"]},
                                 parameters={key: leaves[key] for key in leaves if key != "x"}, upstream=upstream,
                                 outputs={"y": y}, gradients=gradients((y * upstream).sum(), leaves)))
    return made


def combine():
    made = []
    for dtype in DTYPES:
        for op, function in [("add", torch.add), ("multiply", torch.mul)]:
            for shape in [(1, 1), (3, 5), (7, 4)]:
                name = "x".join(map(str, shape))
                draws = Draws(f"{op} {name}", dtype)
                leaves = {"a": leaf(draws.normal(*shape)), "b": leaf(draws.normal(*shape))}
                upstream = draws.normal(*shape)
                y = function(leaves["a"], leaves["b"])
                made.append(case(op, name, dtype, inputs=leaves, upstream=upstream, outputs={"y": y},
                                 gradients=gradients((y * upstream).sum(), leaves)))
        for shape in [(1, 1), (3, 5), (7, 4)]:
            name = "x".join(map(str, shape))
            draws = Draws(f"scale {name}", dtype)
            leaves = {"x": leaf(draws.normal(*shape)), "scale": leaf(draws.normal(shape[1]))}
            upstream = draws.normal(*shape)
            y = leaves["x"] * leaves["scale"]
            made.append(case("scale", name, dtype, inputs={"x": leaves["x"]}, parameters={"scale": leaves["scale"]},
                             upstream=upstream, outputs={"y": y}, gradients=gradients((y * upstream).sum(), leaves)))
    return made
