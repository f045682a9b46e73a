"""What all peers share: the work's sizes, the clock, and the talk with compare.py.

A peer is started once for a workload and a number of threads. It prints a line when it is ready, then waits: for each line
that it is sent ("go SECONDS") it works that long and prints one JSON line with the median microseconds of each of its cases.
So the programs of a comparison take turns, and none is measured while it starts or compiles.
"""

import argparse
import json
import os
import statistics
import sys
import time

SIZES = {"tiny": [4, 16, 3], "mnist": [784, 256, 10], "wide": [1024, 4096, 4096, 10]}
ROWS = {"tiny": 1024, "mnist": 60_000, "wide": 8_192, "cnn": 8_192, "lstm": 1_024}
BATCH = {"tiny": 32, "mnist": 128, "wide": 256, "cnn": 128, "lstm": 32, "gpt": 12}
# Steps that are timed together, where one is short.
TOGETHER = {"tiny": 100, "mnist": 5}
RATE = 0.01
INFER = [([3, 3, 1], 1), ([784, 256, 10], 1), ([784, 256, 10], 1000), ([4096, 16384, 4096], 1)]


def threads_of_libraries():
    """Before any library is imported: the number of threads that its own pools may have."""
    threads = sys.argv[sys.argv.index("--threads") + 1]
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = threads
    return int(threads)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("--threads", type=int, required=True)
    return parser.parse_args()


def data(workload):
    """Rows of normal numbers and their classes."""
    import numpy

    draw = numpy.random.default_rng(0)
    width = {"cnn": 784, "lstm": 64 * 64}.get(workload) or SIZES[workload][0]
    classes = SIZES.get(workload, [10])[-1]
    x = draw.standard_normal((ROWS[workload], width), dtype=numpy.float32)
    return x, draw.integers(0, classes, ROWS[workload])


def median_micros(work, seconds, together=1):
    """Median microseconds of a call of `work`, which is called for so many seconds; `together` calls are timed at once."""
    times = []
    begin = time.perf_counter()
    while True:
        start = time.perf_counter()
        for _ in range(together):
            work()
        end = time.perf_counter()
        times.append((end - start) / together * 1e6)
        if end - begin >= seconds and len(times) >= 3:
            return statistics.median(times)


def together_for(work, micros=200):
    """As many calls as take some hundred microseconds."""
    start = time.perf_counter()
    for _ in range(10):
        work()
    each = (time.perf_counter() - start) / 10 * 1e6
    return max(1, int(micros / max(each, 0.1)))


def serve(name, version, cases):
    """Warms up, then answers. `cases` is a list of (case, steps of a call, calls timed together, call)."""
    for _, _, _, work in cases:
        for _ in range(3):
            work()
    print(json.dumps({"ready": f"{name} {version}"}), flush=True)
    for line in sys.stdin:
        words = line.split()
        if not words or words[0] != "go":
            return
        seconds = float(words[1]) / len(cases)
        found = {}
        for case, steps, together, work in cases:
            found[case] = median_micros(work, seconds, together) / steps
        print(json.dumps(found), flush=True)
