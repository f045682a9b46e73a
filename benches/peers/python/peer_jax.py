"""JAX on the CPU: one compiled step with its buffers given back, or where a step is short hundreds of them in one scan."""

import os

import peer

THREADS = peer.threads_of_libraries()
if THREADS == 1:
    # XLA's own pool has no other setting that holds for all of it.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ["JAX_PLATFORMS"] = "cpu"

import functools

import jax
import jax.numpy as jnp
import numpy as np

options = peer.arguments()
SCAN = 1000


def parameters(sizes):
    draw = np.random.default_rng(1)
    return [
        (
            jnp.asarray(draw.standard_normal((i, o), dtype=np.float32) * np.float32(np.sqrt(2 / i))),
            jnp.zeros(o, jnp.float32),
        )
        for i, o in zip(sizes, sizes[1:])
    ]


def loss(layers, x, y):
    for weights, bias in layers[:-1]:
        x = jax.nn.relu(x @ weights + bias)
    logits = x @ layers[-1][0] + layers[-1][1]
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1).mean()


def trainer(workload):
    x, y = peer.data(workload)
    x, y = jnp.asarray(x), jnp.asarray(y.astype(np.int32))
    batch = peer.BATCH[workload]
    draw = np.random.default_rng(1)
    state = {"layers": parameters(peer.SIZES[workload])}

    def one(layers, rows, x, y):
        value, gradients = jax.value_and_grad(loss)(layers, x[rows], y[rows])
        return jax.tree.map(lambda p, g: p - peer.RATE * g, layers, gradients), value

    if workload == "tiny":

        @functools.partial(jax.jit, donate_argnums=0)
        def many(layers, rows, x, y):
            return jax.lax.scan(lambda layers, rows: one(layers, rows, x, y), layers, rows)

        def call():
            rows = draw.integers(0, len(x), (SCAN, batch), dtype=np.int32)
            state["layers"], values = many(state["layers"], rows, x, y)
            values.block_until_ready()

        return [("step", SCAN, 1, call)]
    compiled = jax.jit(one, donate_argnums=0)

    def call():
        rows = draw.integers(0, len(x), batch, dtype=np.int32)
        state["layers"], value = compiled(state["layers"], rows, x, y)
        value.block_until_ready()

    return [("step", 1, peer.TOGETHER.get(workload, 1), call)]


peer.serve("JAX", jax.__version__, trainer(options.workload))
