"""Vectors of tokens, positions and attention: embedding, unembedding, positions, rotary positions, attention."""

import torch
import torch.nn.functional as F

from cases import DTYPES, Draws, layer_case


def embedding_cases(dtype):
    # rows, steps (None: one token a row), entries, width
    for rows, steps, entries, width in [(1, None, 1, 1), (5, None, 3, 7), (3, 1, 4, 2), (4, 7, 5, 3), (2, 19, 11, 3),
                                        (5, 3, 2, 9)]:
        name = f"{rows} rows of {'one token' if steps is None else f'{steps} tokens'}, {entries} x {width}"
        draws = Draws(f"embedding {name}", dtype)
        tokens = draws.whole(entries, *([rows] if steps is None else [rows, steps]))
        yield layer_case("embedding", name, dtype, lambda _, p, __, labels: F.embedding(labels, p["weight"]),
                         attributes={"entries": entries, "width": width},
                         parameters={"weight": draws.normal(entries, width)}, labels=tokens)


def unembedding_cases(dtype):
    for *axes, entries in [(1, 1, 1), (3, 7, 5), (4, 9, 13), (2, 3, 4, 7), (5, 1, 3, 2), (1, 2, 2, 3, 4)]:
        name = f"{axes} to {entries}"
        draws = Draws(f"unembedding {name}", dtype)
        yield layer_case("unembedding", name, dtype, lambda i, p, _, __: F.linear(i["x"], p["weight"]),
                         attributes={"entries": entries}, inputs={"x": draws.normal(*axes)},
                         parameters={"weight": draws.normal(entries, axes[-1])})


def sinusoids(steps, width, dtype):
    """Vaswani et al. 2017, computed in f64."""
    place = torch.arange(steps, dtype=torch.float64)[:, None]
    column = torch.arange(width)
    angle = place / 10000.0 ** ((column - column % 2).to(torch.float64) / width)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos()).to(DTYPES[dtype])


def positions_cases(dtype):
    for rows, steps, width, capacity in [(1, 1, 1, 1), (3, 5, 4, 5), (2, 7, 3, 11), (3, 3, 9, 4), (1, 23, 3, 25),
                                         (5, 2, 9, 2)]:
        for kind in ["learned", "sinusoidal"]:
            name = f"{kind}, {rows} x {steps} x {width} of {capacity}"
            draws = Draws(f"positions {name}", dtype)
            learned = kind == "learned"

            def function(inputs, parameters, _buffers, _labels):
                table = parameters["weight"][:steps] if learned else sinusoids(steps, width, dtype)
                return inputs["x"] + table

            yield layer_case("positions", name, dtype, function, attributes={"kind": kind, "capacity": capacity},
                             inputs={"x": draws.normal(rows, steps, width)},
                             parameters={"weight": draws.normal(capacity, width)} if learned else None)


def rotary_cases(dtype):
    for rows, steps, heads, d, base in [(1, 1, 1, 2, 10000.0), (3, 5, 2, 4, 10000.0), (2, 5, 3, 6, 500.0),
                                        (2, 3, 1, 18, 10000.0), (1, 17, 2, 2, 10000.0), (5, 2, 5, 10, 1e6)]:
        name = f"{rows} x {steps}, {heads} heads of {d}, base {base:g}"
        draws = Draws(f"rotary {name}", dtype)

        def function(inputs, _parameters, _buffers, _labels):
            x = inputs["x"].view(rows, steps, heads, d)
            rates = base ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
            angles = torch.arange(steps, dtype=torch.float64)[:, None] * rates
            angles = torch.cat([angles, angles], -1)[:, None, :]
            half = torch.cat([-x[..., d // 2:], x[..., :d // 2]], -1)
            return (x * angles.cos().to(x.dtype) + half * angles.sin().to(x.dtype)).reshape(rows, steps, heads * d)

        yield layer_case("rotary", name, dtype, function, attributes={"heads": heads, "base": base},
                         inputs={"x": draws.normal(rows, steps, heads * d)})


def attention_cases(dtype):
    # rows, queries, keys, heads, key heads, width of a head, width of a value, causal, mask
    sizes = [
        (1, 1, 1, 1, 1, 1, 1, False, "none"),
        (3, 5, 7, 2, 2, 3, 2, False, "none"),
        (2, 7, 7, 3, 3, 4, 4, True, "none"),
        (2, 6, 6, 4, 2, 3, 5, True, "none"),
        (2, 5, 3, 3, 1, 2, 3, True, "none"),
        (1, 69, 69, 1, 1, 3, 2, True, "none"),
        (1, 3, 131, 2, 1, 2, 3, False, "none"),
        (5, 4, 6, 2, 2, 3, 3, False, "lengths"),
        (4, 7, 7, 2, 1, 2, 1, True, "lengths"),
        (2, 3, 70, 1, 1, 3, 2, False, "lengths"),
        (2, 5, 4, 2, 2, 3, 2, False, "given"),
        (3, 6, 6, 2, 1, 2, 3, True, "given"),
    ]
    for rows, queries, keys, heads, kv_heads, d, dv, causal, mask in sizes:
        name = f"{rows} x {queries} x {keys}, {heads} of {kv_heads} heads of {d} and {dv}, {'causal, ' if causal else ''}mask {mask}"
        draws = Draws(f"attention {name}", dtype)
        inputs = {"q": draws.normal(rows, queries, heads * d), "k": draws.normal(rows, keys, kv_heads * d),
                  "v": draws.normal(rows, keys, kv_heads * dv)}
        labels = None
        if mask == "lengths":
            # 0 (the whole row is masked), all, more than there are, and draws between.
            labels = torch.cat([torch.tensor([0, keys, keys + 1]), draws.whole(keys + 1, rows)])[-rows:]
            labels = labels if rows > 2 else torch.tensor([0, 66])
            labels[0] = 0
        if mask == "given":
            inputs["mask"] = draws.whole(2, rows, queries, keys).to(DTYPES[dtype]) * 2.5
            inputs["mask"][0, 1] = 0

        def function(inputs, _parameters, _buffers, labels):
            def split(x, heads, width):
                return x.view(rows, -1, heads, width).transpose(1, 2)

            q = split(inputs["q"], heads, d)
            k = split(inputs["k"], kv_heads, d).repeat_interleave(heads // kv_heads, 1)
            v = split(inputs["v"], kv_heads, dv).repeat_interleave(heads // kv_heads, 1)
            seen = torch.ones(rows, 1, queries, keys, dtype=torch.bool)
            if causal:
                seen = seen.tril()
            if mask == "lengths":
                seen = seen & (torch.arange(keys) < labels[:, None])[:, None, None, :]
            if mask == "given":
                seen = seen & (inputs["mask"] != 0)[:, None]
            # A query that sees nothing gives 0. PyTorch's NaN would spoil the gradients, so that such a query sees all and
            # its result is taken out.
            some = seen.any(-1, keepdim=True)
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen | ~some) * some
            y = y.transpose(1, 2).reshape(rows, queries, heads * dv)
            return y + 0.0 * inputs["mask"].sum() if mask == "given" else y

        yield layer_case("attention", name, dtype, function, inputs=inputs, labels=labels,
                         attributes={"heads": heads, "kv_heads": kv_heads, "causal": causal, "mask": mask})


def attention():
    return [one for dtype in DTYPES for one in attention_cases(dtype)]


def tokens():
    makers = [embedding_cases, unembedding_cases, positions_cases, rotary_cases]
    return [one for dtype in DTYPES for make in makers for one in make(dtype)]


def all_attention():
    return {"attention": attention(), "embedding": tokens()}
