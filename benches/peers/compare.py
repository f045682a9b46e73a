"""The workloads of `glassnet bench` beside other programs, in turn on the same machine, as a table of ratios.

    python benches/peers/compare.py --glassnet target/release/glassnet              # everything: about half an hour
    python benches/peers/compare.py --only tiny,mnist --rounds 5 --seconds 1        # a part of it
    python benches/peers/compare.py --results                                       # no measuring: the table again

It makes a virtual environment (--venv DIR; an existing one is used as it is) with NumPy, PyTorch, JAX, ONNX Runtime, ONNX and
scikit-learn, and builds the crate in benches/peers/rust with burn and candle (--no-rust leaves them out). For each workload and
number of threads every program is started and warmed up; then they work one after the other, round after round: ours, the
others, ours again. A figure is the median over the rounds of the median time of a step. Each part of a comparison replaces what
an earlier run found for the same workload and threads in the state file (--state); the table is made of all that is there.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGES = ["numpy", "torch", "jax", "onnxruntime", "onnx", "scikit-learn"]
OURS = "glassnet"
# Who does which work. The Rust peers are commands of the crate, the others scripts in python/.
PEERS = {
    "tiny": ["jax", "burn", "candle", "numpy", "pytorch"],
    "mnist": ["jax", "numpy", "pytorch", "burn", "candle", "sklearn"],
    "wide": ["jax", "numpy", "pytorch", "burn", "candle"],
    "cnn": ["pytorch"],
    "lstm": ["pytorch"],
    "gpt": ["pytorch"],
    "infer": ["onnxruntime", "numpy", "pytorch"],
}
RUST = ("burn", "candle")
PATIENCE = 300


def fail(message):
    sys.exit(f"compare.py: {message}")


def environment(folder):
    """The virtual environment's Python, with the packages; made where there is none."""
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
    found = subprocess.run([python, "-c", "import " + ", ".join(import_name(name) for name in PACKAGES)], stderr=subprocess.DEVNULL)
    if found.returncode:
        print(f"installing {', '.join(PACKAGES)}", file=sys.stderr)
        if subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES]).returncode:
            fail("the packages could not be installed; install them by hand and name their environment with --venv")
    return python


def import_name(package):
    return {"scikit-learn": "sklearn"}.get(package, package)


def crate(target):
    """The program with burn and candle."""
    print("building benches/peers/rust", file=sys.stderr)
    words = ["cargo", "build", "--release", "--features", "frameworks", "--target-dir", str(target)]
    # For this processor: the crates choose some of their instructions when they are compiled.
    flags = (os.environ.get("RUSTFLAGS", "") + " -C target-cpu=native").strip()
    done = subprocess.run(words, cwd=HERE / "rust", env={**os.environ, "RUSTFLAGS": flags})
    if done.returncode:
        fail("the crate could not be built; --no-rust leaves burn and candle out")
    return target / "release" / "peers"


class Peer:
    """A program that waits for its turn."""

    def __init__(self, name, words, threads):
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
        self.name = name
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        self.title = None

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            error = self.process.stderr.read().strip().splitlines()[-3:]
            print(f"  {self.name} gave up: {' / '.join(error)}", file=sys.stderr)
            return None
        return json.loads(line)

    def ready(self):
        said = self.line()
        self.title = said and said["ready"]
        return said is not None

    def turn(self, seconds):
        self.process.stdin.write(f"go {seconds}\n")
        self.process.stdin.flush()
        return self.line()

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()


def ours(program, workload, threads, seconds):
    """One turn of `glassnet bench`: microseconds of a step, or of a call, by case."""
    words = [program, "bench", workload, "--threads", str(threads), "--seconds", str(seconds), "--json", "--quiet"]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        fail(f"{' '.join(map(str, words))} ended with {done.returncode}")
    found = {}
    for part in json.loads(done.stdout)["workloads"]:
        if "us_per_step" in part:
            found["step"] = part["us_per_step"]
        else:
            case = part["workload"].removeprefix(f"{workload} ")
            found[f"{case} x{part['rows']}"] = part["us_per_row"] * part["rows"]
    return found


def compare(options, python, rust, workload, threads):
    """All rounds of one workload: for each case and program its figures."""
    names = [name for name in PEERS[workload] if rust or name not in RUST]
    names = [name for name in names if not options.peers or name in options.peers]
    peers = []
    for name in names:
        words = (
            [rust, name, workload]
            if name in RUST
            else [python, HERE / "python" / f"peer_{name}.py", workload, "--threads", str(threads)]
        )
        peers.append(Peer(name, words, threads))
    # One after the other, so that none is warmed up while another is.
    peers = [peer for peer in peers if peer.ready()]
    figures = {}

    def note(title, found):
        for case, micros in (found or {}).items():
            figures.setdefault(case, {}).setdefault(title, []).append(micros)

    for number in range(options.rounds):
        print(f"  {workload}, {threads} threads, round {number + 1} of {options.rounds}", file=sys.stderr)
        note(OURS, ours(options.glassnet, workload, threads, options.seconds))
        for peer in list(peers):
            found = peer.turn(options.seconds)
            if found is None:
                peers.remove(peer)
            note(peer.title, found)
    note(OURS, ours(options.glassnet, workload, threads, options.seconds))
    for peer in peers:
        peer.end()
    return figures


def machine():
    """What the processor calls itself, its cores and widest instructions."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    fields = dict(part for line in text.splitlines() if len(part := [half.strip() for half in line.split(":", 1)]) == 2)
    flags = fields.get("flags", "").split()
    isa = next((name for flag, name in [("avx512_bf16", "AVX-512 with BF16"), ("avx512f", "AVX-512"), ("avx2", "AVX2")] if flag in flags), "")
    name = fields.get("model name", platform.processor() or platform.machine())
    family = f" (family {fields['cpu family']}, model {fields['model']})" if "cpu family" in fields else ""
    return f"{name}{family}, {os.cpu_count()} cores, {isa or platform.machine()}"


def shown(micros):
    if micros < 1:
        return f"{micros * 1000:.0f} ns"
    if micros < 1000:
        return f"{micros:.3g} us"
    return f"{micros / 1000:.3g} ms"


def tables(state):
    """For each number of threads: a row for each case, ours first, then each peer with its ratio to ours."""
    lines = []
    for threads in sorted({part["threads"] for part in state}):
        lines += [
            f"## {threads} thread{'s' if threads != 1 else ''}", "",
            "| work | glassnet | nearest peer | the others | rounds |",
            "|---|---|---|---|---|",
        ]
        of_threads = [part for part in state if part["threads"] == threads]
        for part in sorted(of_threads, key=lambda part: list(PEERS).index(part["workload"])):
            for case, programs in part["figures"].items():
                medians = {title: statistics.median(found) for title, found in programs.items()}
                own = medians.pop(OURS)
                others = sorted(medians.items(), key=lambda found: found[1])
                cells = [f"{title} {shown(micros)}: **{micros / own:.2f}**" for title, micros in others]
                name = part["workload"] if case == "step" else f"{part['workload']} {case}"
                spread = programs[OURS]
                lines.append(
                    f"| {name} | {shown(own)} ({shown(min(spread))} to {shown(max(spread))}) | {cells[0] if cells else ''} "
                    f"| {'; '.join(cells[1:])} | {part['rounds']} x {part['seconds']:g} s |"
                )
        lines.append("")
    return "\n".join(lines)


BEGIN, END = "<!-- compare.py begins -->", "<!-- compare.py ends -->"


def results(path, state, text):
    """Puts the table between its marks in results.md; what else stands there stays."""
    machines = sorted({part["machine"] for part in state})
    days = sorted({part["day"] for part in state})
    own = "\n".join([
        BEGIN, "",
        f"`python benches/peers/compare.py`, {' and '.join(days)}, on {'; '.join(machines)}. Times are of a training step, or of a "
        "call; in brackets the lowest and the highest of our rounds; the bold number is the peer's time over ours (above 1: ours is "
        "quicker).", "", text, END,
    ])
    old = path.read_text(encoding="utf-8") if path.exists() else "# Results\n"
    if BEGIN in old:
        before, rest = old.split(BEGIN, 1)
        new = before + own + rest.split(END, 1)[1]
    else:
        new = old.rstrip() + "\n\n# Beside NumPy, PyTorch, JAX, ONNX Runtime, scikit-learn, burn and candle\n\n" + own + "\n"
    path.write_text(new, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    split = lambda text: [word for word in text.split(",") if word]
    parser.add_argument("--glassnet", default=str(ROOT / "target" / "release" / "glassnet"), help="our command")
    parser.add_argument("--only", type=split, default=list(PEERS), metavar="A,B", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--peers", type=split, default=None, metavar="A,B", help="only these peers")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn")
    parser.add_argument("--venv", type=Path, default=ROOT / "target" / "peers-venv")
    parser.add_argument("--rust-target", type=Path, default=HERE / "rust" / "target", help="where the crate is built")
    parser.add_argument("--no-rust", action="store_true", help="without burn and candle")
    parser.add_argument("--no-build", action="store_true", help="take the crate's program as it is")
    parser.add_argument("--prepare", action="store_true", help="install and build, then end")
    parser.add_argument("--state", type=Path, default=ROOT / "target" / "peers.json", help="what was found so far")
    parser.add_argument("--fresh", action="store_true", help="forget what was found so far")
    parser.add_argument("--results", action="store_true", help="measure nothing; the table of what was found so far")
    parser.add_argument("--write", action="store_true", help="put the table into results.md")
    options = parser.parse_args()
    unknown = [name for name in options.only if name not in PEERS]
    if unknown:
        fail(f"no workload is called {', '.join(unknown)}; there are {', '.join(PEERS)}")
    state = json.loads(options.state.read_text()) if options.state.exists() and not options.fresh else []
    if not options.results:
        if not options.prepare and not shutil.which(options.glassnet):
            fail(f"there is no {options.glassnet}; build it with cargo build --release, or name it with --glassnet")
        python = environment(options.venv.absolute())
        rust = None
        if not options.no_rust:
            program = options.rust_target.absolute() / "release" / "peers"
            rust = program if options.no_build and program.exists() else crate(options.rust_target.absolute())
        if options.prepare:
            return
        for workload in options.only:
            for threads in options.threads:
                figures = compare(options, python, rust, workload, threads)
                state = [part for part in state if (part["workload"], part["threads"]) != (workload, threads)]
                state.append({
                    "workload": workload, "threads": threads, "figures": figures, "rounds": options.rounds,
                    "seconds": options.seconds, "machine": machine(), "day": datetime.date.today().isoformat(),
                })
                options.state.parent.mkdir(parents=True, exist_ok=True)
                options.state.write_text(json.dumps(state, indent=1))
    text = tables(state)
    print(text)
    if options.write:
        results(HERE / "results.md", state, text)


if __name__ == "__main__":
    main()
