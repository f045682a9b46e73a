"""Optimizers, clipping, schedules, a whole small network, and the variances of the initialisations."""

import math
import warnings

import torch
import torch.nn.functional as F

import tables
import tabm
from cases import DTYPES, Draws, case, leaf

STEPS = 10
WIDTH = 17
# In this step (from 0) every gradient is zero: momentum and running averages go on, plain SGD stands still.
ZERO_STEP = 4

SGD = {"lr": 0.1, "momentum": 0.0, "dampening": 0.0, "nesterov": False, "weight_decay": 0.0}
RMSPROP = {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "centered": False, "weight_decay": 0.0}
ADAM = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}
ADAMW = ADAM | {"weight_decay": 0.01}

OPTIMIZERS = [
    ("sgd", "plain", SGD),
    ("sgd", "weight decay", SGD | {"weight_decay": 0.05}),
    ("sgd", "momentum", SGD | {"momentum": 0.9}),
    ("sgd", "momentum, weight decay", SGD | {"momentum": 0.9, "weight_decay": 0.05}),
    ("sgd", "momentum, dampening", SGD | {"momentum": 0.9, "dampening": 0.5}),
    ("sgd", "nesterov", SGD | {"momentum": 0.9, "nesterov": True}),
    ("sgd", "nesterov, weight decay", SGD | {"momentum": 0.9, "nesterov": True, "weight_decay": 0.05}),
    ("rmsprop", "default", RMSPROP),
    ("rmsprop", "momentum", RMSPROP | {"momentum": 0.9}),
    ("rmsprop", "centered", RMSPROP | {"centered": True}),
    ("rmsprop", "weight decay", RMSPROP | {"weight_decay": 0.05}),
    ("adam", "default", ADAM),
    ("adam", "betas 0.9 and 0.95", ADAM | {"beta2": 0.95, "lr": 0.01}),
    ("adam", "weight decay as L2", ADAM | {"weight_decay": 0.05, "lr": 0.01}),
    ("adamw", "default", ADAMW),
    ("adamw", "weight decay 0.1", ADAMW | {"weight_decay": 0.1, "lr": 0.01}),
]


def optimizer_of(op, attributes, parameters):
    """PyTorch's optimizer, in its plain form (one tensor after another, nothing fused)."""
    settings = dict(attributes, foreach=False)
    if op in ("adam", "adamw"):
        settings["betas"] = (settings.pop("beta1"), settings.pop("beta2"))
    return {"sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop, "adam": torch.optim.Adam,
            "adamw": torch.optim.AdamW}[op](parameters, **settings)


def optimizers():
    made = []
    for op, name, attributes in OPTIMIZERS:
        for dtype in DTYPES:
            draws = Draws(f"{op} {name}", dtype)
            weight = leaf(draws.normal(WIDTH))
            start = weight.detach().clone()
            grads = draws.normal(STEPS, WIDTH)
            grads[ZERO_STEP] = 0.0
            optimizer = optimizer_of(op, attributes, [weight])
            after = []
            for step in range(STEPS):
                weight.grad = grads[step].clone()
                optimizer.step()
                after.append(weight.detach().clone())
            made.append(case(op, name, dtype, attributes=attributes, parameters={"weight": start},
                             inputs={"grads": grads}, outputs={"after": torch.stack(after)}))
    return made


def clipping():
    made = []
    for dtype in DTYPES:
        for name, scale in [("clipped", 1.0), ("not clipped", 0.05), ("zero", 0.0)]:
            draws = Draws(f"clip_grad_norm {name}", dtype)
            grads = {"0.weight": draws.normal(3, 5, scale=scale), "0.bias": draws.normal(3, scale=scale)}
            leaves = {key: leaf(torch.zeros_like(grad)) for key, grad in grads.items()}
            for key, grad in grads.items():
                leaves[key].grad = grad.clone()
            norm = torch.nn.utils.clip_grad_norm_(list(leaves.values()), 1.0, foreach=False)
            if (norm > 1.0) != (name == "clipped"):
                raise ValueError(f"clip_grad_norm / {name}: the norm is {norm}")
            made.append(case("clip_grad_norm", name, dtype, attributes={"max_norm": 1.0}, inputs=grads,
                             outputs={"norm": norm} | {key: one.grad for key, one in leaves.items()}))
        for name, limit in [("limit 0.5", 0.5), ("limit 10", 10.0)]:
            draws = Draws(f"clip_grad_value {name}", dtype)
            grads = {"0.weight": draws.normal(3, 5), "0.bias": draws.normal(3)}
            leaves = {key: leaf(torch.zeros_like(grad)) for key, grad in grads.items()}
            for key, grad in grads.items():
                leaves[key].grad = grad.clone()
            torch.nn.utils.clip_grad_value_(list(leaves.values()), limit, foreach=False)
            made.append(case("clip_grad_value", name, dtype, attributes={"limit": limit}, inputs=grads,
                             outputs={key: one.grad for key, one in leaves.items()}))
    return made


SCHEDULES = [
    ("step_lr", 12, {"lr": 0.1, "step_size": 3, "gamma": 0.1}),
    ("step_lr", 12, {"lr": 0.5, "step_size": 5, "gamma": 0.5}),
    ("cosine_annealing_lr", 10, {"lr": 0.1, "t_max": 10, "eta_min": 0.0}),
    ("cosine_annealing_lr", 25, {"lr": 0.3, "t_max": 25, "eta_min": 0.001}),
    ("linear_lr", 8, {"lr": 0.1, "start_factor": 1.0 / 3.0, "end_factor": 1.0, "total_iters": 5}),
    ("linear_lr", 14, {"lr": 0.2, "start_factor": 0.01, "end_factor": 1.0, "total_iters": 10}),
    ("one_cycle_lr", 19, {"max_lr": 0.1, "total_steps": 20, "pct_start": 0.3, "div_factor": 25.0, "final_div_factor": 1e4}),
    ("one_cycle_lr", 36, {"max_lr": 1.0, "total_steps": 37, "pct_start": 0.3, "div_factor": 25.0, "final_div_factor": 1e4}),
]

PLATEAUS = [
    ("default, never better", {}, [1.0] * 30),
    ("default, better now and then", {}, [1.0, 0.9, 0.8] + [0.85] * 10 + [0.7] + [0.75] * 14),
    # 0.99995 and the like are better by less than 1 part in 10,000: that is no progress.
    ("patience 2, threshold 0.0001", {"patience": 2}, [1.0, 0.99995, 0.99993, 0.99991, 0.5, 0.49999, 0.4999, 0.6, 0.7,
                                                       0.4998, 0.49978, 0.4999, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]),
    ("patience 1, factor 0.5, smallest rate 0.01", {"patience": 1, "factor": 0.5, "min_lr": 0.01}, [1.0] * 14),
    ("patience 1, cooldown 2", {"patience": 1, "cooldown": 2}, [1.0] * 14),
    ("patience 0", {"patience": 0, "factor": 0.5}, [3.0, 2.0, 2.0, 1.0, 1.5, 1.5, 0.5]),
]


def scheduled(op, attributes, optimizer):
    """PyTorch's schedule of these attributes."""
    settings = {key: value for key, value in attributes.items() if key != "lr"}
    schedule = torch.optim.lr_scheduler
    if op == "step_lr":
        return schedule.StepLR(optimizer, **settings)
    if op == "cosine_annealing_lr":
        return schedule.CosineAnnealingLR(optimizer, T_max=settings["t_max"], eta_min=settings["eta_min"])
    if op == "linear_lr":
        return schedule.LinearLR(optimizer, **settings)
    return schedule.OneCycleLR(optimizer, anneal_strategy="cos", three_phase=False, cycle_momentum=False, **settings)


def schedules():
    """lr[i] is the rate that step i runs with, counted from 0; n + 1 rates for n calls of the schedule's step."""
    made = []
    for op, count, attributes in SCHEDULES:
        optimizer = torch.optim.SGD([leaf(torch.zeros(1))], lr=attributes.get("lr", 0.1))
        schedule = scheduled(op, attributes, optimizer)
        rates = [optimizer.param_groups[0]["lr"]]
        for _ in range(count):
            optimizer.step()
            schedule.step()
            rates.append(optimizer.param_groups[0]["lr"])
        name = ", ".join(f"{key} {value:.4g}" for key, value in attributes.items())
        made.append(case(op, name, "f64", attributes=attributes, outputs={"lr": [float(rate) for rate in rates]}))
    for name, changes, metrics in PLATEAUS:
        attributes = {"lr": 0.1, "factor": 0.1, "patience": 10, "threshold": 1e-4, "cooldown": 0, "min_lr": 0.0} | changes
        optimizer = torch.optim.SGD([leaf(torch.zeros(1))], lr=attributes["lr"])
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode="min", threshold_mode="rel", **{key: value for key, value in attributes.items() if key != "lr"})
        rates = [optimizer.param_groups[0]["lr"]]
        for metric in metrics:
            schedule.step(metric)
            rates.append(optimizer.param_groups[0]["lr"])
        made.append(case("reduce_lr_on_plateau", name, "f64", attributes=attributes, inputs={"metrics": metrics},
                         outputs={"lr": rates}))
    return made


def network():
    """3-5-4-2 with tanh and relu, cross-entropy, ten steps of SGD with momentum."""
    made = []
    rows = 6
    for dtype in DTYPES:
        draws = Draws("network 3-5-4-2", dtype)
        model = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 4), torch.nn.ReLU(),
                                    torch.nn.Linear(4, 2)).to(DTYPES[dtype])
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(draws.normal(*parameter.shape, scale=0.6))
        start = {key: value.clone() for key, value in model.state_dict().items()}
        x = draws.normal(STEPS, rows, 3)
        labels = draws.whole(2, STEPS, rows)
        attributes = {"lr": 0.1, "momentum": 0.9, "rows": rows, "steps": STEPS, "layers": "3, 5 tanh, 4 relu, 2"}
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, foreach=False)
        losses = []
        first = {}
        for step in range(STEPS):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[step]), labels[step])
            loss.backward()
            if step == 0:
                first = {key: value.grad.clone() for key, value in model.named_parameters()}
            optimizer.step()
            losses.append(loss.detach())
        made.append(case("network", "3-5-4-2", dtype, attributes=attributes, inputs={"x": x}, parameters=start,
                         labels=labels, outputs={"losses": torch.stack(losses)} | model.state_dict(), gradients=first))
    return made


# The tabular recipe's optimizer on a small network: rate and decay follow their courses, parts have factors of their own.
RECIPE = {"lr": 0.04, "decay": 0.02, "beta1": 0.9, "beta2": 0.95, "eps": 1e-8, "rows": 6, "steps": 30,
          "layers": "3 -> 7 tanh -> layernorm -> 3", "factors": "layer_norm=6:6,bias=0.1:0"}


def coslog4(t):
    return (1 - math.cos(2 * math.pi * math.log2(1 + 15 * t))) / 2


def flat_cos(t):
    return (1 + math.cos(math.pi * (max(1, 2 * t) - 1))) / 2


def recipe_step(optimizer, loss_of, factors, t):
    """One step at the share t of the training; the loss before it."""
    optimizer.zero_grad()
    loss = loss_of()
    loss.backward()
    for group in optimizer.param_groups:
        rate, decay = factors.get(group["name"], (1.0, 1.0))
        group["lr"] = RECIPE["lr"] * coslog4(t) * rate
        with torch.no_grad():
            shrink = RECIPE["decay"] * flat_cos(t) * RECIPE["lr"] * coslog4(t)
            group["params"][0].mul_(1 - shrink * rate**2 * decay**2)
    optimizer.step()
    return loss.detach()


def recipe():
    made = []
    for dtype in DTYPES:
        draws = Draws("recipe", dtype)
        model = torch.nn.Sequential(torch.nn.Linear(3, 7), torch.nn.Tanh(), torch.nn.LayerNorm(7), torch.nn.Linear(7, 3))
        model = model.to(draws.dtype)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(draws.normal(*parameter.shape, scale=0.6))
        start = {key: value.clone() for key, value in model.state_dict().items()}
        steps, rows = RECIPE["steps"], RECIPE["rows"]
        x, labels = draws.normal(steps, rows, 3), draws.whole(3, steps, rows)
        # (factor of the rate, factor of the decay) as RealMLP has them: the shrinking takes the square of both.
        factors = {"2.weight": (6.0, 1.0)} | {f"{layer}.bias": (0.1, 0.0) for layer in [0, 2, 3]}
        groups = [{"params": [value], "name": key} for key, value in model.named_parameters()]
        optimizer = torch.optim.Adam(groups, lr=0.0, betas=(0.9, 0.95), eps=1e-8, foreach=False)
        losses = []
        for step in range(steps):
            losses.append(recipe_step(optimizer, lambda: F.cross_entropy(model(x[step]), labels[step]), factors, step / steps))
        made.append(case("recipe", "3-7-3", dtype, attributes=RECIPE, inputs={"x": x}, parameters=start, labels=labels,
                         outputs={"losses": torch.stack(losses)} | model.state_dict()))
    return made


# The recipe's own network, small: numbers as waves and by parts, factors of columns, NTK form, bent curves.
WHOLE = RECIPE | {"layers": "3 -> concat(periodic frequencies 5 width 3, piecewise 6 4) -> scale -> ntk 7 -> parametric selu -> ntk 3",
                  "factors": "bias=0.1:0,scale=6:6,parametric=0.1:0.1,periodic=0.1:0.1,piecewise=0.1:0.1"}


def whole_recipe():
    made = []
    for dtype in DTYPES:
        draws = Draws("whole recipe", dtype)
        start = {"0.0.0.frequency": draws.normal(3, 5, scale=0.5), "0.0.0.phase": draws.uniform(-math.pi, math.pi, 3, 5),
                 "0.0.0.weight": draws.normal(3, 2, 5, scale=0.4), "0.0.0.bias": draws.normal(3, 2, scale=0.4),
                 "0.1.0.edges": torch.linspace(-1.5, 1.5, 7, dtype=draws.dtype).repeat(3, 1) * torch.tensor([[1.0], [0.5], [1.25]], dtype=draws.dtype),
                 "0.1.0.weight": draws.normal(3, 6, 4, scale=0.3), "0.1.0.line": draws.normal(3, 4, scale=0.4),
                 "0.1.0.bias": draws.normal(3, 4, scale=0.4), "1.scale": draws.uniform(0.5, 1.5, 21),
                 "2.weight": draws.normal(7, 21), "2.bias": draws.normal(7), "3.bend": draws.uniform(0.5, 1.2, 7),
                 "4.weight": draws.normal(3, 7), "4.bias": draws.normal(3)}
        edges = start["0.1.0.edges"]
        learned = {name: value.clone().requires_grad_() for name, value in start.items() if name != "0.1.0.edges"}
        steps, rows = WHOLE["steps"], WHOLE["rows"]
        x, labels = draws.normal(steps, rows, 3), draws.whole(3, steps, rows)

        def of(layer):
            return {name.removeprefix(layer + "."): value for name, value in learned.items() if name.startswith(layer + ".")}

        def logits(x):
            waves, parts = tables.periodic({"x": x}, of("0.0.0")), tabm.piecewise({"x": x}, of("0.1.0"), {"edges": edges}, [6] * 3, 4)
            z = tables.ntk({"x": torch.cat([waves, parts], 1) * learned["1.scale"]}, of("2"))
            return tables.ntk({"x": z + learned["3.bend"] * (torch.selu(z) - z)}, of("4"))

        # As RealMLP has them for its own parts; numbers by parts as its waves.
        factors = {"1.scale": (6.0, 1.0), "2.bias": (0.1, 0.0), "4.bias": (0.1, 0.0), "3.bend": (0.1, 1.0)}
        factors |= {name: (0.1, 1.0) for name in learned if name.startswith("0.")}
        groups = [{"params": [value], "name": name} for name, value in learned.items()]
        optimizer = torch.optim.Adam(groups, lr=0.0, betas=(0.9, 0.95), eps=1e-8, foreach=False)
        losses = []
        for step in range(steps):
            losses.append(recipe_step(optimizer, lambda: F.cross_entropy(logits(x[step]), labels[step]), factors, step / steps))
        made.append(case("recipe", "whole", dtype, attributes=WHOLE, inputs={"x": x}, parameters=start, labels=labels,
                         outputs={"losses": torch.stack(losses), "0.1.0.edges": edges} | {name: value.detach() for name, value in learned.items()}))
    return made


def initialisation():
    """Variances as derived, for a weight of [256, 784]. Each is held against a large sample of PyTorch's own."""
    fan_in, fan_out = 784, 256
    init = torch.nn.init
    xavier, he, he_out, default = 2 / (fan_in + fan_out), 2 / fan_in, 2 / fan_out, 1 / (3 * fan_in)
    table = [
        ("xavier_normal", "gain 1", xavier, init.xavier_normal_),
        ("xavier_uniform", "gain 1", xavier, init.xavier_uniform_),
        ("kaiming_normal", "fan in, relu", he, lambda w: init.kaiming_normal_(w, nonlinearity="relu")),
        ("kaiming_uniform", "fan in, relu", he, lambda w: init.kaiming_uniform_(w, nonlinearity="relu")),
        ("kaiming_normal", "fan out, relu", he_out, lambda w: init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu")),
        ("kaiming_uniform", "fan out, relu", he_out, lambda w: init.kaiming_uniform_(w, mode="fan_out", nonlinearity="relu")),
        ("linear_default", "weight", default, lambda w: w.copy_(torch.nn.Linear(fan_in, fan_out).weight)),
        ("linear_default", "bias", default, lambda w: w[:, 0].copy_(torch.nn.Linear(fan_in, fan_out).bias)),
    ]
    torch.manual_seed(1)
    made = []
    for op, name, variance, fill in table:
        uniform = op in ("xavier_uniform", "kaiming_uniform", "linear_default")
        with torch.no_grad():
            samples = []
            for _ in range(400 if name == "bias" else 2):
                weight = torch.zeros(fan_out, fan_in)
                fill(weight)
                samples.append(weight[:, 0] if name == "bias" else weight.reshape(-1))
            seen = torch.cat(samples).double().var().item()
        if abs(seen / variance - 1) > 0.02:
            raise ValueError(f"{op} / {name}: derived {variance}, PyTorch's sample has {seen}")
        outputs = {"variance": variance} | ({"bound": math.sqrt(3 * variance)} if uniform else {"std": math.sqrt(variance)})
        made.append(case(op, name, "f64", attributes={"fan_in": fan_in, "fan_out": fan_out}, outputs=outputs))
    return made


def all_training():
    """File name -> cases."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {"optimizers": optimizers(), "clipping": clipping(), "schedules": schedules(), "network": network(),
                "recipe": recipe() + whole_recipe(),
                "initialisation": initialisation()}
