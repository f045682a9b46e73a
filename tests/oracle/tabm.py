"""The layers of TabM and a whole small one by pytabkit (its copy of the authors' code and of rtdl_num_embeddings) and PyTorch."""

import contextlib

import numpy as np
import torch
import torch.nn.functional as F
from pytabkit.models.nn_models import rtdl_num_embeddings, tabm
from torch.func import functional_call

from cases import DTYPES, Draws, case, gradients, layer_case, leaf

# Rows, bins of each feature, width.
PIECEWISE = [(1, (1,), 1), (7, (3,), 4), (19, (5, 2, 1), 3), (9, (12, 12), 16)]
# Rows, members, inputs, outputs.
MEMBERS = [(1, 1, 1, 1), (5, 3, 7, 2), (18, 4, 17, 3)]


@contextlib.contextmanager
def made_in(dtype):
    """pytabkit makes buffers and steps of quantiles in the default type, which would round edges to f32."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def drawn_edges(draws, bins):
    """Edges of each feature in increasing order, the last repeated up to the most bins that a feature has."""
    rows = []
    for count in bins:
        widths = draws.uniform(0.3, 1.0, count + 1)
        edges = torch.cumsum(widths, 0) - widths.sum() / 2
        rows.append(torch.cat([edges, edges[-1].repeat(max(bins) - count)]))
    return torch.stack(rows)


def ple_weight(weight, bins):
    """rtdl_num_embeddings keeps a feature's last bin at the very end; weights of bins that are not there do nothing."""
    most, turned = max(bins), []
    for feature, count in enumerate(bins):
        places = list(range(count - 1)) + [most - 1] + list(range(count - 1, most - 1))
        turned.append(weight[feature][torch.tensor(np.argsort(places))])
    return torch.stack(turned)


def embedding(edges, bins, width):
    own = [edges[feature, : count + 1] for feature, count in enumerate(bins)]
    with made_in(edges.dtype):
        return rtdl_num_embeddings.PiecewiseLinearEmbeddings(own, width, activation=False, version="B")


def embedding_parameters(parameters, bins):
    return {"linear0.weight": parameters["line"], "linear0.bias": parameters["bias"],
            "linear.weight": ple_weight(parameters["weight"], bins)}


def piecewise(inputs, parameters, buffers, bins, width):
    layer = embedding(buffers["edges"], bins, width)
    return functional_call(layer, embedding_parameters(parameters, bins), (inputs["x"],)).flatten(1)


def scale(inputs, parameters):
    layer = tabm.ScaleEnsemble(*parameters["scale"].shape, init="ones")
    return functional_call(layer, {"weight": parameters["scale"]}, (inputs["x"],))


def heads(inputs, parameters):
    members, units, width = parameters["weight"].shape
    layer = tabm.NLinear(members, width, units)
    return functional_call(layer, {"weight": parameters["weight"].transpose(1, 2), "bias": parameters["bias"]}, (inputs["x"],))


def average(inputs, probabilities):
    return torch.log_softmax(inputs["x"], -1).exp().mean(1).log() if probabilities else inputs["x"].mean(1)


def all_layers():
    made = []
    for dtype in DTYPES:
        for rows, bins, width in PIECEWISE:
            name = f"{rows} rows of {bins} bins, width {width}"
            draws = Draws(f"piecewise {name}", dtype)
            features = len(bins)
            parameters = {"weight": draws.normal(features, max(bins), width), "line": draws.normal(features, width),
                          "bias": draws.normal(features, width)}
            made.append(layer_case("piecewise", name, dtype,
                                   lambda i, p, b, l, bins=bins, width=width: piecewise(i, p, b, bins, width),
                                   attributes={"bins": max(bins), "width": width},
                                   inputs={"x": draws.normal(rows, features)}, parameters=parameters,
                                   buffers={"edges": drawn_edges(draws, bins)}))
        for rows, members, width, units in MEMBERS:
            name = f"{rows} rows, {members} members, {width} to {units}"
            draws = Draws(f"members {name}", dtype)
            x, each = draws.normal(rows, width), draws.normal(rows, members, width)
            factors = {"scale": draws.normal(members, width)}
            made.append(layer_case("members", name, dtype, lambda i, p, b, l: scale({"x": i["x"][:, None]}, p),
                                   inputs={"x": x}, parameters=factors))
            made.append(layer_case("member_affine", name, dtype, lambda i, p, b, l: scale(i, p) + p["bias"],
                                   inputs={"x": each},
                                   parameters={**factors, "bias": draws.normal(members, width)}))
            made.append(layer_case("heads", name, dtype, lambda i, p, b, l: heads(i, p), inputs={"x": each},
                                   parameters={"weight": draws.normal(members, units, width),
                                               "bias": draws.normal(members, units)}))
            for probabilities in ([True, False] if units > 1 else [False]):
                made.append(layer_case("average", f"{name}, {'probabilities' if probabilities else 'values'}", dtype,
                                       lambda i, p, b, l, which=probabilities: average(i, which),
                                       attributes={"probabilities": probabilities},
                                       inputs={"x": draws.normal(rows, members, units, scale=3.0)}))
    return made


def whole(dtype, classes):
    """A whole TabM: what it gives for some rows, the mean of its members' losses, and the gradient of that. The parameters are
    named as this project names them."""
    rows, bins, width, members, hidden = 11, (4, 2, 4), 3, 3, 6
    outputs = classes or 1
    draws = Draws(f"tabm {classes}", dtype)
    inputs = len(bins) * width
    edges = drawn_edges(draws, bins)
    ours = {"0.weight": draws.normal(len(bins), max(bins), width), "0.line": draws.normal(len(bins), width),
            "0.bias": draws.normal(len(bins), width), "1.scale": draws.normal(members, inputs)}
    for place, fan_in in [(2, inputs), (4, hidden)]:
        if place > 2:
            ours[f"{place}.in.scale"] = draws.normal(members, fan_in)
        ours[f"{place}.linear.weight"] = draws.normal(hidden, fan_in, scale=fan_in**-0.5)
        ours[f"{place}.out.scale"] = draws.normal(members, hidden)
        ours[f"{place}.out.bias"] = draws.normal(members, hidden)
    ours["6.weight"], ours["6.bias"] = draws.normal(members, outputs, hidden), draws.normal(members, outputs)
    ours = {name: leaf(value) for name, value in ours.items()}
    with made_in(DTYPES[dtype]):
        model = tabm.Model(
            n_num_features=len(bins), cat_cardinalities=[], n_classes=classes or None,
            backbone={"type": "MLP", "n_blocks": 2, "d_block": hidden, "dropout": 0.0}, arch_type="tabm", k=members,
            bins=[edges[feature, : count + 1] for feature, count in enumerate(bins)],
            num_embeddings={"type": "PiecewiseLinearEmbeddings", "d_embedding": width, "activation": False, "version": "B"})
    embedded = embedding_parameters({name[2:]: value for name, value in ours.items() if name[0] == "0"}, bins)
    named = {f"num_module.{name}": value for name, value in embedded.items()}
    for block, place in enumerate([2, 4]):
        layer = f"backbone.blocks.{block}.0"
        named[f"{layer}.r"] = ours["1.scale" if place == 2 else f"{place}.in.scale"]
        named[f"{layer}.weight"], named[f"{layer}.s"] = ours[f"{place}.linear.weight"], ours[f"{place}.out.scale"]
        named[f"{layer}.bias"] = ours[f"{place}.out.bias"]
    named["output.weight"], named["output.bias"] = ours["6.weight"].transpose(1, 2), ours["6.bias"]
    missing = set(dict(model.named_parameters())) ^ set(named)
    if missing:
        raise ValueError(f"parameters are missing: {missing}")
    x = draws.normal(rows, len(bins))
    z = functional_call(model, named, (x,))
    if classes:
        labels, target = draws.whole(classes, rows), None
        loss = F.cross_entropy(z.flatten(0, 1), labels.repeat_interleave(members))
        given = torch.softmax(z, -1).mean(1).log()
        joint = F.cross_entropy(given, labels, reduction="none")
    else:
        labels, target = None, draws.normal(rows, 1)
        loss = F.mse_loss(z.flatten(0, 1), target.repeat_interleave(members, dim=0))
        given = z.mean(1)
        joint = ((given - target) ** 2)[:, 0]
    layers = (f"{len(bins)} -> piecewise {max(bins)} {width} -> members {members} -> shared {hidden} relu -> shared {hidden} relu"
              f" -> heads {outputs} -> average{' probabilities' if classes else ''}")
    inputs = {"x": x} if target is None else {"x": x, "target": target}
    return case("tabm", f"{classes or 'no'} classes", dtype, attributes={"layers": layers}, inputs=inputs, labels=labels,
                parameters={**ours, "0.edges": edges}, outputs={"y": given, "loss": loss, "joint": joint},
                gradients=gradients(loss, ours))


def all_edges():
    """The edges of bins by rtdl_num_embeddings: quantiles of each column, each once."""
    made = []
    for rows, bins, distinct in [(40, 8, 0), (500, 48, 0), (300, 16, 7), (60, 5, 2)]:
        name = f"{rows} rows, {bins} bins, {distinct or 'all'} distinct"
        draws = Draws(f"edges {name}", "f64")
        x = draws.normal(rows, 3) if distinct == 0 else draws.whole(distinct, rows, 3).to(torch.float64)
        with made_in(torch.float64):
            found = rtdl_num_embeddings.compute_bins(x, n_bins=bins)
        edges = [torch.cat([own, own[-1].repeat(bins + 1 - len(own))]) for own in found]
        made.append(case("edges", name, "f64", attributes={"bins": bins}, inputs={"x": x},
                         outputs={"edges": torch.stack(edges)}))
    return made


def all_tabm():
    networks = [whole(dtype, classes) for dtype in DTYPES for classes in (0, 2, 5)]
    return {"tabm": all_layers() + networks + all_edges()}
