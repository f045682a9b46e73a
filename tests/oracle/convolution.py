"""Convolutions and poolings: forward, backward, three steps."""

import warnings

import torch.nn.functional as F

from cases import DTYPES, Draws, layer_case

# name, input [B, C, H, W], output channels, kernel, settings; "same" is a padding.
CONV2D = [
    ("plain", [2, 1, 5, 6], 2, [3, 3], {}),
    ("same, even kernel", [1, 3, 5, 7], 2, [3, 4], {"padding": "same"}),
    ("stride 2 3, padding", [2, 2, 5, 7], 3, [3, 5], {"stride": [2, 3], "padding": [1, 2]}),
    ("stride larger than kernel, no bias", [2, 2, 7, 5], 2, [2, 1], {"stride": [3, 2], "bias": False}),
    ("two groups", [2, 4, 3, 5], 6, [3, 2], {"groups": 2, "padding": [1, 0]}),
    ("depthwise, stride 2", [2, 3, 6, 5], 3, [3, 3], {"groups": 3, "stride": [2, 1], "padding": [1, 1]}),
    ("depthwise, two each, no bias", [1, 3, 3, 5], 6, [3, 3], {"groups": 3, "padding": "same", "bias": False}),
    ("dilation", [1, 1, 9, 8], 2, [3, 3], {"dilation": [2, 3], "stride": [1, 2], "padding": [2, 1]}),
    ("dilation and stride share a factor", [1, 2, 9, 9], 2, [3, 3], {"dilation": [2, 2], "stride": [4, 2], "padding": [3, 3]}),
    ("same, dilation", [1, 2, 5, 4], 3, [3, 2], {"padding": "same", "dilation": [2, 3]}),
    ("1 x 1", [3, 5, 3, 1], 7, [1, 1], {}),
    ("5 x 5 same", [1, 2, 6, 7], 3, [5, 5], {"padding": "same"}),
    ("padding wider than the kernel", [2, 1, 2, 3], 2, [2, 2], {"padding": [3, 2]}),
    ("whole image", [3, 2, 4, 3], 2, [4, 3], {}),
]

CONV1D = [
    ("plain", [2, 1, 9], 2, [3], {}),
    ("same, even kernel", [2, 3, 7], 2, [4], {"padding": "same"}),
    ("stride 2, padding", [2, 2, 11], 3, [5], {"stride": [2], "padding": [2]}),
    ("two groups, stride 3, no bias", [2, 4, 10], 2, [2], {"groups": 2, "stride": [3], "bias": False}),
    ("depthwise, dilation 2", [2, 3, 8], 6, [3], {"groups": 3, "padding": [1], "dilation": [2]}),
    ("kernel 1", [2, 5, 3], 3, [1], {}),
    ("same, dilation 3", [1, 2, 13], 2, [3], {"padding": "same", "dilation": [3]}),
    ("long", [2, 1, 35], 2, [7], {"stride": [3], "padding": [3]}),
]

# name, input, kernel, settings
MAX_POOL = [
    ("2 x 2", [3, 2, 4, 6], [2, 2], {}),
    ("2 x 2, odd size", [2, 1, 5, 7], [2, 2], {}),
    ("3 x 3, stride 2, padding 1", [1, 2, 7, 9], [3, 3], {"stride": [2, 2], "padding": [1, 1]}),
    ("3 x 2, stride 1", [2, 2, 5, 5], [3, 2], {"stride": [1, 1]}),
    ("stride 3 1, padding", [2, 1, 8, 5], [2, 3], {"stride": [3, 1], "padding": [0, 1]}),
    ("dilation", [2, 1, 6, 9], [2, 2], {"stride": [1, 2], "dilation": [2, 3], "padding": [1, 1]}),
    ("one axis", [3, 3, 11], [1, 3], {"stride": [1, 2]}),
    ("one axis, padding, dilation", [2, 2, 13], [1, 4], {"stride": [1, 3], "padding": [0, 2], "dilation": [1, 2]}),
    ("ties", [2, 2, 6, 6], [3, 3], {"stride": [2, 2], "padding": [1, 1]}),
]

AVG_POOL = [
    ("2 x 2", [3, 2, 4, 6], [2, 2], {}),
    ("2 x 2, odd size", [2, 1, 5, 7], [2, 2], {}),
    ("3 x 3, stride 2, padding 1", [1, 2, 7, 9], [3, 3], {"stride": [2, 2], "padding": [1, 1]}),
    ("the same, padding not counted", [1, 2, 7, 9], [3, 3], {"stride": [2, 2], "padding": [1, 1], "count_padding": False}),
    ("stride 1 3, padding not counted", [2, 2, 5, 5], [2, 3], {"stride": [1, 3], "padding": [0, 1], "count_padding": False}),
    ("one axis", [3, 3, 11], [1, 3], {"stride": [1, 2], "padding": [0, 1]}),
    ("one axis, padding not counted", [2, 2, 13], [1, 4], {"stride": [1, 1], "padding": [0, 2], "count_padding": False}),
]

ADAPTIVE = [("1 x 1", [3, 2, 4, 5], [1, 1]), ("2 x 3 of 5 x 7", [2, 2, 5, 7], [2, 3]), ("7 x 7 of 3 x 4", [2, 1, 3, 4], [7, 7]),
            ("3 x 2 of 3 x 8", [1, 3, 3, 8], [3, 2]), ("4 x 1 of 9 x 3", [1, 1, 9, 3], [4, 1]), ("one axis", [3, 2, 11], [1, 4]),
            ("one axis, longer", [2, 2, 3], [1, 8])]

GLOBAL = [[3, 2, 4, 5], [2, 3, 7], [1, 1, 1, 1], [1, 3, 33, 1], [2, 7, 3, 3], [3, 2, 2, 3, 3]]


def convolutions(op, function, given):
    made = []
    for name, shape, channels, kernel, settings in given:
        ones = [1] * len(kernel)
        settings = {"stride": ones, "padding": [0] * len(kernel), "dilation": ones, "groups": 1, "bias": True} | settings
        attributes = {"channels": channels, "kernel": kernel} | settings

        def layer(inputs, parameters, _buffers, _labels, settings=settings):
            return function(inputs["x"], parameters["weight"], parameters.get("bias"), settings["stride"], settings["padding"],
                            settings["dilation"], settings["groups"])

        for dtype in DTYPES:
            draws = Draws(f"{op} {name}", dtype)
            x = draws.normal(*shape)
            parameters = {"weight": draws.normal(channels, shape[1] // settings["groups"], *kernel, scale=0.3)}
            if settings["bias"]:
                parameters["bias"] = draws.normal(channels)
            made.append(layer_case(op, name, dtype, layer, attributes=attributes, inputs={"x": x}, parameters=parameters))
    return made


def pooling_case(op, name, shape, attributes, function):
    made = []
    for dtype in DTYPES:
        x = Draws(f"{op} {name}", dtype).normal(*shape)
        if name == "ties":
            x = x.round()
        made.append(layer_case(op, name, dtype, lambda inputs, *_: function(inputs["x"]), attributes=attributes, inputs={"x": x}))
    return made


def pooling():
    made = []
    for name, shape, kernel, settings in MAX_POOL:
        s = {"stride": kernel, "padding": [0, 0], "dilation": [1, 1]} | settings
        # PyTorch's 1-d form is the same on an image of one row; its own function sees the same numbers.
        if len(shape) == 4:
            pool = lambda x, k=kernel, s=s: F.max_pool2d(x, k, s["stride"], s["padding"], s["dilation"])
        else:
            pool = lambda x, k=kernel, s=s: F.max_pool1d(x, k[1], s["stride"][1], s["padding"][1], s["dilation"][1])
        made += pooling_case("max_pool", name, shape, {"kernel": kernel} | s, pool)
    for name, shape, kernel, settings in AVG_POOL:
        s = {"stride": kernel, "padding": [0, 0], "count_padding": True} | settings
        if len(shape) == 4:
            pool = lambda x, k=kernel, s=s: F.avg_pool2d(x, k, s["stride"], s["padding"], False, s["count_padding"])
        else:
            pool = lambda x, k=kernel, s=s: F.avg_pool1d(x, k[1], s["stride"][1], s["padding"][1], False, s["count_padding"])
        made += pooling_case("avg_pool", name, shape, {"kernel": kernel} | s, pool)
    for name, shape, output in ADAPTIVE:
        flat = len(shape) == 3
        for op, pool in [("adaptive_avg_pool", F.adaptive_avg_pool1d if flat else F.adaptive_avg_pool2d),
                         ("adaptive_max_pool", F.adaptive_max_pool1d if flat else F.adaptive_max_pool2d)]:
            wanted = output[1] if flat else output
            made += pooling_case(op, name, shape, {"output": output}, lambda x, pool=pool, wanted=wanted: pool(x, wanted))
    for shape in GLOBAL:
        for kind, pool in [("average", lambda x: x.flatten(2).mean(2)), ("max", lambda x: x.flatten(2).max(2).values)]:
            made += pooling_case("global_pool", "x".join(map(str, shape)) + f" {kind}", shape, {"kind": kind}, pool)
    return made


def all_convolution():
    """File name -> cases."""
    with warnings.catch_warnings():
        # PyTorch pads a copy where `same` needs more zeros after than before, and says so.
        warnings.filterwarnings("ignore", message="Using padding='same'")
        convolution = convolutions("conv2d", F.conv2d, CONV2D) + convolutions("conv1d", F.conv1d, CONV1D)
    return {"convolution": convolution, "pooling": pooling()}
