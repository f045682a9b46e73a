"""NumPy, by hand: forward, loss, gradients, plain SGD."""

import peer

THREADS = peer.threads_of_libraries()

import numpy as np

options = peer.arguments()


def trainer(workload):
    x, y = peer.data(workload)
    draw = np.random.default_rng(1)
    sizes, batch = peer.SIZES[workload], peer.BATCH[workload]
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        weights = draw.standard_normal((inputs, outputs), dtype=np.float32) * np.float32(np.sqrt(2 / inputs))
        layers.append([weights, np.zeros(outputs, np.float32)])
    places = np.arange(batch)
    rate = np.float32(peer.RATE)

    def step():
        rows = draw.integers(0, len(x), batch)
        values, labels = [x[rows]], y[rows]
        for place, (weights, bias) in enumerate(layers):
            value = values[-1] @ weights
            value += bias
            if place + 1 < len(layers):
                np.maximum(value, 0, out=value)
            values.append(value)
        logits = values.pop()
        logits -= logits.max(axis=1, keepdims=True)
        gradient = np.exp(logits)
        sums = gradient.sum(axis=1, keepdims=True)
        loss = (np.log(sums[:, 0]) - logits[places, labels]).mean()
        gradient /= sums
        gradient[places, labels] -= 1
        gradient /= np.float32(batch)
        for place in reversed(range(len(layers))):
            weights, bias = layers[place]
            own, of_bias = values[place].T @ gradient, gradient.sum(axis=0)
            if place:
                gradient = gradient @ weights.T
                gradient *= values[place] > 0
            own *= rate
            weights -= own
            bias -= rate * of_bias
        return loss

    return [("step", 1, peer.TOGETHER.get(workload, 1), step)]


def inference():
    draw = np.random.default_rng(2)
    cases = []
    for sizes, rows in peer.INFER:
        layers = [
            (draw.random((i, o), dtype=np.float32) / np.float32(i), np.zeros(o, np.float32)) for i, o in zip(sizes, sizes[1:])
        ]
        x = draw.standard_normal((rows, sizes[0]), dtype=np.float32)

        def run(layers=layers, x=x):
            value = x
            for place, (weights, bias) in enumerate(layers):
                value = value @ weights
                value += bias
                if place + 1 < len(layers):
                    np.maximum(value, 0, out=value)
            return value

        cases.append(("-".join(map(str, sizes)) + f" x{rows}", 1, peer.together_for(run), run))
    return cases


peer.serve("NumPy", np.__version__, inference() if options.workload == "infer" else trainer(options.workload))
