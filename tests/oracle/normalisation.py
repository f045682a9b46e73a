"""Layer, RMS, group and batch norm: forward, backward, three optimizer steps; and the loss of sequences."""

import torch
import torch.nn.functional as F

from cases import DTYPES, Draws, case, gradients, layer_case, leaf


def affine(draws, channels, bias):
    made = {"weight": draws.uniform(-1.5, 1.5, channels)}
    if bias:
        made["bias"] = draws.normal(channels)
    return made


def layer_norm():
    made = []
    for dtype in DTYPES:
        for shape, eps, bias in [((3, 7), 1e-5, True), ((1, 5), 1e-5, True), ((2, 33), 1e-3, False),
                                 ((2, 3, 17), 1e-5, True), ((2, 2, 3, 5), 0.1, True), ((3, 1, 19), 1e-6, False),
                                 ((1, 67), 1e-5, True)]:
            name = "x".join(map(str, shape)) + f", eps {eps}" + ("" if bias else ", no bias")
            draws = Draws(f"layer_norm {name}", dtype)

            def function(inputs, parameters, buffers, labels):
                return F.layer_norm(inputs["x"], shape[-1:], parameters["weight"], parameters.get("bias"), eps)

            made.append(layer_case("layer_norm", name, dtype, function, attributes={"eps": eps, "bias": bias},
                                   inputs={"x": draws.normal(*shape, scale=2.0) + 0.5},
                                   parameters=affine(draws, shape[-1], bias)))
    return made


def rms_norm():
    made = []
    for dtype in DTYPES:
        for shape, eps in [((3, 7), 1e-5), ((1, 5), 1e-6), ((2, 33), 1e-3), ((2, 3, 17), 1e-5), ((2, 2, 3, 5), 0.1),
                           ((1, 67), 1e-5)]:
            name = "x".join(map(str, shape)) + f", eps {eps}"
            draws = Draws(f"rms_norm {name}", dtype)

            def function(inputs, parameters, buffers, labels):
                return F.rms_norm(inputs["x"], shape[-1:], parameters["weight"], eps)

            made.append(layer_case("rms_norm", name, dtype, function, attributes={"eps": eps},
                                   inputs={"x": draws.normal(*shape, scale=2.0)},
                                   parameters=affine(draws, shape[-1], False)))
    return made


def group_norm():
    made = []
    for dtype in DTYPES:
        for shape, groups, eps in [((3, 7), 1, 1e-5), ((4, 6), 2, 1e-5), ((2, 6, 5), 3, 1e-5), ((2, 4, 3, 3), 2, 1e-3),
                                   ((1, 5, 3, 7), 5, 1e-5), ((2, 3, 5), 1, 0.1), ((1, 21, 3, 1), 7, 1e-6)]:
            name = "x".join(map(str, shape)) + f", {groups} groups, eps {eps}"
            draws = Draws(f"group_norm {name}", dtype)

            def function(inputs, parameters, buffers, labels):
                return F.group_norm(inputs["x"], groups, parameters["weight"], parameters["bias"], eps)

            made.append(layer_case("group_norm", name, dtype, function, attributes={"groups": groups, "eps": eps},
                                   inputs={"x": draws.normal(*shape, scale=2.0) - 0.5},
                                   parameters=affine(draws, shape[1], True)))
    return made


def batch_norm():
    made = []
    for dtype in DTYPES:
        for shape, eps, momentum in [((5, 3), 1e-5, 0.1), ((3, 17), 1e-5, 0.1), ((3, 3, 5), 1e-3, 0.25),
                                     ((2, 5, 3, 3), 1e-5, 0.1), ((2, 9, 1, 3), 0.1, 0.9), ((1, 3, 3, 5), 1e-5, 0.01)]:
            for training in [True, False]:
                name = "x".join(map(str, shape)) + f", eps {eps}, momentum {momentum}" + (", predict" if not training else "")
                draws = Draws(f"batch_norm {name}", dtype)
                parameters = affine(draws, shape[1], True)
                buffers = {"running_mean": draws.normal(shape[1]), "running_var": draws.uniform(0.3, 2.0, shape[1])}

                def function(inputs, parameters, buffers, labels):
                    return F.batch_norm(inputs["x"], buffers["running_mean"], buffers["running_var"],
                                        parameters["weight"], parameters["bias"], training, momentum, eps)

                made.append(layer_case("batch_norm", name, dtype, function,
                                       attributes={"eps": eps, "momentum": momentum, "training": training},
                                       inputs={"x": draws.normal(*shape, scale=2.0) + 0.5}, parameters=parameters,
                                       buffers=buffers))
    return made


def all_normalisation():
    return layer_norm() + rms_norm() + group_norm() + batch_norm()


def sequence_losses():
    """Rows of logits [T, C] with a label a position; the label `ignored` does not count. One loss a row: PyTorch's mean
    over the row without class weights; with them the plain mean of its weighted position losses."""
    made = []
    for dtype in DTYPES:
        for shape, skipped, classes, smoothing in [((3, 5, 4), 0, False, 0.0), ((3, 5, 4), 5, False, 0.0),
                                                   ((1, 7, 33), 2, False, 0.1), ((2, 3, 5), 2, True, 0.0),
                                                   ((4, 6, 3), 7, True, 0.1), ((2, 1, 9), 0, True, 0.0),
                                                   ((2, 11, 65), 9, False, 0.0)]:
            rows, positions, number = shape
            name = "x".join(map(str, shape)) + f", {skipped} ignored" + (", class weights" if classes else "")
            name += f", smoothing {smoothing}" if smoothing else ""
            draws = Draws(f"sequence_cross_entropy {name}", dtype)
            x = leaf(draws.normal(*shape, scale=2.0))
            ignored = 10**6
            labels = draws.whole(number, rows, positions)
            if skipped:
                places = draws.state.permutation(rows * positions)[:skipped]
                labels.reshape(-1)[torch.tensor(places)] = ignored
            weight = draws.uniform(0.3, 3.0, number) if classes else None
            losses = []
            for z, own in zip(x, labels):
                counted = (own != ignored).sum()
                each = F.cross_entropy(z, own, weight=weight, ignore_index=ignored, label_smoothing=smoothing,
                                       reduction="none")
                losses.append(each.sum() / counted.clamp(min=1))
                if counted and not classes:
                    mean = F.cross_entropy(z, own, ignore_index=ignored, label_smoothing=smoothing)
                    torch.testing.assert_close(losses[-1], mean)
            y = torch.stack(losses)
            upstream = draws.normal(rows)
            inputs = {"x": x} | ({"class_weight": weight} if classes else {})
            made.append(case("sequence_cross_entropy", name, dtype,
                             attributes={"ignored": ignored, "label_smoothing": smoothing, "weighted": classes},
                             inputs=inputs, labels=labels, upstream=upstream, outputs={"y": y},
                             gradients=gradients((y * upstream).sum(), {"x": x})))
    return made
