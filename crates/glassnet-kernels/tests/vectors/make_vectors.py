"""Writes f64.txt: one line a point, `function x [y] high low`, all as the bits of an f64; the exact value is high + low.

Needs mpmath. Run: python3 make_vectors.py > f64.txt
"""
import random
import struct
from mpmath import mp, mpf, exp, expm1, log, log1p, tanh, sin, cos, erf, power

mp.prec = 400
random.seed(1)


def bits(x):
    return struct.pack(">d", x).hex()


def show(name, exact, *xs):
    high = float(exact)
    low = float(exact - mpf(high)) if abs(high) > 1e-290 and abs(high) < 1e308 else 0.0
    print(name, *(bits(x) for x in xs), bits(high), bits(low))


def signed(low, high, n):
    """Numbers whose size is spread evenly over the powers of two between low and high, of either sign."""
    return [random.choice((-1, 1)) * 2 ** random.uniform(low, high) for _ in range(n)]


near = [random.uniform(-1, 1) for _ in range(60)]
for name, f, xs in (
    ("exp", exp, [random.uniform(-707, 709) for _ in range(120)] + near + signed(-60, 3, 60)),
    ("exp_m1", expm1, [random.uniform(-45, 709) for _ in range(100)] + [random.uniform(-3, 3) for _ in range(80)] + signed(-60, 3, 60)),
    ("ln", log, [abs(x) for x in signed(-1074, 1023, 120)] + [1 + x * 0.5 for x in near] + [1 + x for x in signed(-52, -2, 60)]),
    ("ln_1p", log1p, [abs(x) for x in signed(-60, 1023, 120)] + [x * 0.99 for x in near] + signed(-60, -1, 60)),
    ("tanh", tanh, near + [2 * x for x in near] + [random.uniform(-22, 22) for _ in range(60)] + signed(-60, 4, 60)),
    ("erf", erf, near + [2 * x for x in near] + [random.uniform(-6, 6) for _ in range(100)] + signed(-60, 2, 60)),
    ("sin", sin, near + signed(-30, 20, 100) + signed(20, 1023, 100) + [k * 1.5707963267948966 for k in range(1, 40)] + [6381956970095103.0 * 2.0**797]),
    ("cos", cos, near + signed(-30, 20, 100) + signed(20, 1023, 100) + [k * 1.5707963267948966 for k in range(1, 40)] + [6381956970095103.0 * 2.0**797]),
):
    for x in xs:
        show(name, f(mpf(x)), x)
for _ in range(250):
    x = 2 ** random.uniform(-300, 300) if random.random() < 0.5 else 2 ** random.uniform(-1, 1)
    y = random.uniform(-707, 707) / float(log(mpf(x)))
    show("pow", power(mpf(x), mpf(y)), x, y)
for _ in range(50):
    x = 2 ** random.uniform(-3, 3)
    y = random.uniform(-3, 3)
    show("pow", power(mpf(x), mpf(y)), x, y)
