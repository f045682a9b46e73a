"""What every group of vectors shares: the draws, the shape of a case, and the file that it is written to."""

import json
import zlib

import numpy as np
import torch

SEED = 20240607
DTYPES = {"f64": torch.float64, "f32": torch.float32}

# Kinks, both zeros, both sides of rounding to zero, and the places where exp overflows or vanishes.
SPECIAL = [0.0, -0.0, 1e-8, -1e-8, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 20.0, -20.0, 88.0, -88.0, 1000.0, -1000.0]


class Draws:
    """Random numbers that depend on the seed and on a name only, so that adding a case changes no other case.

    RandomState is NumPy's frozen generator: its numbers stay the same in every version. Both dtypes of a case start
    from the same f64 draws, rounded once for f32.
    """

    def __init__(self, name, dtype):
        self.state = np.random.RandomState((SEED + zlib.crc32(name.encode())) % 2**32)
        self.dtype = DTYPES[dtype]

    def normal(self, *shape, scale=1.0):
        return torch.tensor(self.state.standard_normal(shape) * scale, dtype=self.dtype)

    def uniform(self, low, high, *shape):
        return torch.tensor(self.state.uniform(low, high, shape), dtype=self.dtype)

    def whole(self, count, *shape):
        """Whole numbers 0 <= n < count."""
        return torch.tensor(self.state.randint(0, count, shape), dtype=torch.int64)


def leaf(tensor):
    """A tensor that gradients are wanted for, cut from whatever made it."""
    return tensor.detach().clone().requires_grad_(True)


def gradients(scalar, leaves):
    """d scalar / d leaf for each named leaf, by PyTorch."""
    return dict(zip(leaves, torch.autograd.grad(scalar, list(leaves.values()), retain_graph=True)))


def case(op, name, dtype, *, attributes=None, inputs=None, parameters=None, labels=None, upstream=None, outputs=None,
         gradients=None):
    """One case as it is written: flat row-major arrays, and a shape for each of them."""
    shapes = {}

    def flat(group):
        arrays = {}
        for key, value in (group or {}).items():
            tensor = value.detach() if isinstance(value, torch.Tensor) else torch.tensor(value, dtype=torch.float64)
            if not torch.isfinite(tensor).all():
                raise ValueError(f"{op} / {name} / {dtype}: {key} is not finite, and JSON can't hold it")
            shape = list(tensor.shape)
            if shapes.setdefault(key, shape) != shape:
                raise ValueError(f"{op} / {name} / {dtype}: two arrays called {key} differ in shape")
            # f32 values become the f64 of the same value: nothing is rounded on the way to the file.
            arrays[key] = tensor.to(torch.float64).reshape(-1).tolist()
        return arrays

    made = {"op": op, "name": name, "dtype": dtype, "attributes": attributes or {}}
    made["inputs"] = flat(inputs)
    made["parameters"] = flat(parameters)
    if labels is not None:
        shapes["labels"] = list(labels.shape)
        made["labels"] = labels.reshape(-1).tolist()
    if upstream is not None:
        made["upstream"] = flat({"upstream": upstream})["upstream"]
    made["outputs"] = flat(outputs)
    # A gradient has the shape of what it is the gradient of.
    made["gradients"] = flat(gradients)
    made["shapes"] = shapes
    return made


def layer_case(op, name, dtype, function, *, attributes=None, inputs=None, parameters=None, buffers=None, labels=None):
    """Forward, backward and three steps of SGD (rate 0.01, momentum 0.9) on sum(y * upstream) for one layer.

    `function(inputs, parameters, buffers, labels)` gives y; buffers (running statistics) it changes in place. Besides y
    the outputs hold `NAME_after` for each parameter and buffer: its value after the three steps. The gradients and y are
    those of the first step.
    """
    inputs = {key: leaf(value) for key, value in (inputs or {}).items()}
    parameters = {key: leaf(value) for key, value in (parameters or {}).items()}
    start = {key: value.detach().clone() for key, value in {**parameters, **(buffers or {})}.items()}
    buffers = {key: value.detach().clone() for key, value in (buffers or {}).items()}
    y = function(inputs, parameters, buffers, labels)
    upstream = Draws(f"{op} {name} upstream", dtype).normal(*y.shape)
    first, of_first = y.detach().clone(), gradients((y * upstream).sum(), {**inputs, **parameters})
    after = {}
    if parameters or buffers:
        optimizer = torch.optim.SGD(list(parameters.values()), lr=0.01, momentum=0.9) if parameters else None
        for step in range(3):
            if step > 0:
                y = function(inputs, parameters, buffers, labels)
            if optimizer:
                optimizer.zero_grad()
                (y * upstream).sum().backward()
                optimizer.step()
        after = {f"{key}_after": value.detach().clone() for key, value in {**parameters, **buffers}.items()}
    return case(op, name, dtype, attributes=attributes, inputs=inputs, parameters=start, labels=labels, upstream=upstream,
                outputs={"y": first, **after}, gradients=of_first)


def write(path, cases):
    """Writes one group, one case a line, numbers in the shortest form that reads back as the same f64."""
    seen = set()
    for one in cases:
        key = (one["op"], one["name"], one["dtype"])
        if key in seen:
            raise ValueError(f"two cases are called {key}")
        seen.add(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        head = {"made_by": "tests/oracle/make_vectors.py", "torch": torch.__version__.split("+")[0], "seed": SEED}
        file.write(json.dumps(head)[:-1] + ', "cases": [\n')
        file.write(",\n".join(json.dumps(one, allow_nan=False, separators=(",", ":")) for one in cases))
        file.write("\n]}\n")
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size:,} bytes")
