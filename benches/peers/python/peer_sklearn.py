"""scikit-learn's MLPClassifier, a batch at a time, plain SGD."""

import peer

THREADS = peer.threads_of_libraries()

import warnings

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

options = peer.arguments()
warnings.simplefilter("ignore")
x, y = peer.data(options.workload)
batch = peer.BATCH[options.workload]
model = MLPClassifier(
    tuple(peer.SIZES[options.workload][1:-1]), solver="sgd", alpha=0.0, batch_size=batch, learning_rate_init=peer.RATE,
    momentum=0.0, nesterovs_momentum=False, shuffle=False,
)
draw = np.random.default_rng(1)
classes = np.arange(peer.SIZES[options.workload][-1])


def step():
    rows = draw.integers(0, len(x), batch)
    model.partial_fit(x[rows], y[rows], classes=classes)


peer.serve("scikit-learn", sklearn.__version__, [("step", 1, 1, step)])
