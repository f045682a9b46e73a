"""Reshape, flatten, transpose, concat and slice: value and gradient. Axes in the attributes are without the batch axis."""

import torch

from cases import DTYPES, Draws, layer_case

RESHAPES = [((3, 6), (2, 3)), ((2, 3, 5), (5, 3)), ((1, 7), (7, 1)), ((4, 2, 3, 5), (6, 5)), ((2, 3, 5), (15,)),
            ((3, 1), (1, 1, 1))]
FLATTENS = [(3, 7), (1, 3, 5), (2, 3, 5, 2), (5, 1, 1), (2, 2, 3, 1, 3), (3, 9, 2)]
TRANSPOSES = [((3, 3, 5), (0, 1)), ((1, 17, 19), (1, 0)), ((2, 2, 3, 5), (0, 2)), ((2, 2, 3, 5), (1, 2)),
              ((2, 5, 3, 2), (0, 1)), ((3, 2, 3, 2, 5), (3, 1)), ((2, 3, 5), (1, 1))]
CONCATS = [([(3, 7), (3, 2)], 0), ([(1, 1), (1, 3), (1, 2)], 0), ([(2, 3, 5), (2, 4, 5)], 0), ([(2, 3, 5), (2, 3, 2)], 1),
           ([(2, 2, 1, 3), (2, 2, 5, 3), (2, 2, 2, 3)], 1),
           ([(3, 2, 3, 1), (3, 2, 3, 2), (3, 2, 3, 3), (3, 2, 3, 1)], 2)]
SLICES = [((3, 7), 0, 2, 5), ((1, 5), 0, 4, 5), ((2, 5, 3), 0, 1, 4), ((2, 3, 5), 1, 0, 2), ((2, 2, 7, 3), 1, 3, 7),
          ((3, 2, 3, 5), 2, 0, 5)]


def all_shapes():
    made = []

    def add(op, name, dtype, shapes, function, attributes):
        draws = Draws(f"{op} {name}", dtype)
        inputs = {f"x{i}": draws.normal(*shape) for i, shape in enumerate(shapes)}
        made.append(layer_case(op, name, dtype, lambda i, p, b, l: function(list(i.values())), attributes=attributes,
                               inputs=inputs))

    for dtype in DTYPES:
        for shape, to in RESHAPES:
            add("reshape", f"{shape} to {to}", dtype, [shape], lambda x, to=to: x[0].reshape(x[0].shape[0], *to),
                {"shape": list(to)})
        for shape in FLATTENS:
            add("flatten", f"{shape}", dtype, [shape], lambda x: x[0].flatten(1), {})
        for shape, (a, b) in TRANSPOSES:
            add("transpose", f"{shape}, axes {a} and {b}", dtype, [shape],
                lambda x, a=a, b=b: x[0].transpose(a + 1, b + 1), {"axes": [a, b]})
        for shapes, axis in CONCATS:
            add("concat", f"{shapes} along {axis}", dtype, shapes, lambda x, axis=axis: torch.cat(x, dim=axis + 1),
                {"axis": axis, "parts": len(shapes)})
        for shape, axis, start, end in SLICES:
            add("slice", f"{shape}, {start}..{end} of axis {axis}", dtype, [shape],
                lambda x, axis=axis, start=start, end=end: x[0].narrow(axis + 1, start, end - start),
                {"axis": axis, "start": start, "end": end})
    return made
