"""Prints the polynomial coefficients of src/math: Chebyshev fits at 100 digits, rounded to f64 and f32.

Needs mpmath. Run: python3 coefficients.py
"""
import struct
from mpmath import mp, mpf, chebyfit, exp, atanh, tanh, erf, erfc, sin, cos, sqrt

mp.dps = 100


def shortest(c, fmt):
    value = struct.unpack(fmt, struct.pack(fmt, float(c)))[0]
    for digits in range(1, 18):
        text = f"{value:.{digits}g}"
        if struct.unpack(fmt, struct.pack(fmt, float(text)))[0] == value:
            value = float(text)
            break
    text = repr(value)
    return text if "." in text or "e" in text else text + ".0"


def smooth(f):
    """f with its removable singularity at 0 filled by a nearby value."""
    return lambda z: f(z) if abs(z) > mpf(10) ** -20 else f(mpf(10) ** -20)


def show(name, f, interval, n, fmt):
    poly, error = chebyfit(smooth(f), interval, n, error=True)
    print(f"{name}: {n} terms, absolute error {mp.nstr(error, 3)}")
    print("    " + ", ".join(shortest(c, fmt) for c in reversed(poly)))


R = mpf("0.3466")
Z = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2 * mpf("1.0001")
T = mpf("0.625") ** 2
Q = (mp.pi / 4 * mpf("1.0001")) ** 2
for fmt, terms in (("<d", (11, 7, 12, 13, 18, 6, 6)), ("<f", (6, 4, 6, 7, 8, 0, 0))):
    print("f64" if fmt == "<d" else "f32")
    top = 6 if fmt == "<d" else 4
    k = mpf(2)
    qa, qb = (1 - k) / (1 + k), (top - k) / (top + k)
    show("exp: (e^r - 1 - r) / r^2", lambda r: (exp(r) - 1 - r) / r**2, [-R, R], terms[0], fmt)
    show("ln: (2 atanh(s) - 2s) / s^3 in s^2", lambda z: (2 * atanh(sqrt(z)) / sqrt(z) - 2) / z, [0, Z], terms[1], fmt)
    show("tanh: (tanh(x) - x) / x^3 in x^2", lambda z: (tanh(sqrt(z)) / sqrt(z) - 1) / z, [0, T], terms[2], fmt)
    show("erf: erf(x) / x - 1 in x^2", lambda z: erf(sqrt(z)) / sqrt(z) - 1, [0, 1], terms[3], fmt)
    tail = lambda q: (lambda t: exp(t * t) * erfc(t))(k * (1 + q) / (1 - q))
    show("erfc: exp(t^2) erfc(t) in (t - 2) / (t + 2)", tail, [qa, qb], terms[4], fmt)
    if fmt == "<f":
        continue  # f32's sin, cos and pow go through f64
    show("sin: (sin(r) - r) / r^3 in r^2", lambda z: (sin(sqrt(z)) / sqrt(z) - 1) / z, [0, Q], terms[5], fmt)
    show("cos: (cos(r) - 1 + r^2/2) / r^4 in r^2", lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2, [0, Q], terms[6], fmt)
    power = lambda z: (2 * atanh(sqrt(z)) / sqrt(z) - 2 - 2 * z / 3) / z**2
    show("pow: (2 atanh(s) - 2s - 2s^3/3) / s^5 in s^2", power, [0, Z], 8, fmt)

print("2/pi, 64 bits a word, most significant first (binary point before the first word)")
mp.prec = 1600
value = 2 / mp.pi
words = []
for _ in range(20):
    value *= 2**64
    word = int(mp.floor(value))
    value -= word
    words.append(f"0x{word:016x}")
print("    " + ", ".join(words))
mp.dps = 100
for name, c in (("ln 2", mp.ln(2)), ("pi / 2", mp.pi / 2), ("2 / 3", mpf(2) / 3)):
    parts = []
    for _ in range(3):
        parts.append(float(c))
        c -= mpf(float(c))
    print(name, [repr(p) for p in parts])
