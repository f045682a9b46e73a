"""The character-level GPT of tinyshakespeare: PyTorch and glassnet with the same settings, in one table.

    python benches/peers/gpt_shakespeare.py                        # PyTorch alone, JSON
    python benches/peers/gpt_shakespeare.py --glassnet PATH        # both, JSON and a Markdown table

The data is <shared>/data/shakespeare/input.txt.gz: --data FILE, or the folder in GLASSNET_SHARED, or ../shared beside the
repository. The first 90 % of the characters train, the rest validates. Settings: nanoGPT's for a CPU (README.md), below.
"""

import argparse
import gzip
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

LAYERS, HEADS, WIDTH, CONTEXT = 4, 4, 128, 64
BATCH, STEPS, WARMUP = 12, 2000, 100
LR, LEAST_LR = 1e-3, 1e-4
BETAS, EPSILON, DECAY, CLIP = (0.9, 0.99), 1e-8, 0.1, 1.0
TRAIN_SHARE = 0.9

# ----------------------------------------------------------------------------------------------------------------------
# The flags of `glassnet train` that say the settings above. {file} and {model} are filled in. Keep them beside the
# constants: whatever differs makes the table worthless.
GLASSNET_FLAGS = [
    "train", "{file}",
    "--task", "text",
    "--net", f"gpt {LAYERS} layers {HEADS} heads {WIDTH}",
    "--context", f"{CONTEXT}",
    "--batch", f"{BATCH}",
    "--steps", f"{STEPS}",
    "--optimizer", f"adamw {BETAS[0]} {BETAS[1]}",
    "--lr", f"{LR}",
    "--weight-decay", f"{DECAY}",
    "--schedule", f"warmup {WARMUP} -> cosine {LEAST_LR / LR}",
    "--clip-norm", f"{CLIP}",
    "--validation-share", f"{1 - TRAIN_SHARE:.1f}",
    "--json",
    "--out", "{model}",
]
# Where the loss (nats per character) and the seconds of training stand in its JSON.
GLASSNET_LOSS = ("valid", "loss")
GLASSNET_SECONDS = ("measured", "seconds")
# ----------------------------------------------------------------------------------------------------------------------


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        batch, time_steps, _ = x.shape
        heads = lambda part: part.view(batch, time_steps, HEADS, WIDTH // HEADS).transpose(1, 2)
        q, k, v = (heads(part) for part in self.qkv(self.norm1(x)).split(WIDTH, dim=2))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, time_steps, WIDTH))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    """Learned positions, pre-LN blocks, a last norm, a head that is not tied to the table of characters."""

    def __init__(self, vocabulary):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, vocabulary)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)
        # The ends of residual branches are smaller by the root of their number.
        for block in self.blocks:
            for end in (block.out, block.down):
                nn.init.normal_(end.weight, std=0.02 / math.sqrt(2 * LAYERS))

    def forward(self, ids):
        x = self.tokens(ids) + self.positions.weight[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def learning_rate(step):
    """From 0 (not included) in WARMUP steps to LR, then along a cosine to LEAST_LR."""
    if step < WARMUP:
        return LR * (step + 1) / WARMUP
    share = (step - WARMUP) / (STEPS - WARMUP)
    return LEAST_LR + 0.5 * (LR - LEAST_LR) * (1 + math.cos(math.pi * share))


@torch.no_grad()
def validate(model, ids):
    """Mean loss over all windows of CONTEXT characters that do not overlap; a shorter rest counts too."""
    total, count = 0.0, 0
    whole = (len(ids) - 1) // CONTEXT
    x, y = (ids[i : i + whole * CONTEXT].view(whole, CONTEXT) for i in (0, 1))
    pieces = list(zip(x.split(256), y.split(256)))
    if (len(ids) - 1) % CONTEXT:
        pieces.append((ids[None, whole * CONTEXT : -1], ids[None, whole * CONTEXT + 1 :]))
    for x, y in pieces:
        total += F.cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="sum").item()
        count += y.numel()
    return total / count


def run_pytorch(text, seed):
    """Trains and validates; gives a row of the table."""
    torch.manual_seed(seed)
    characters = sorted(set(text))
    number = {character: i for i, character in enumerate(characters)}
    ids = torch.tensor([number[character] for character in text])
    cut = int(TRAIN_SHARE * len(ids))
    train, valid = ids[:cut], ids[cut:]
    model = Gpt(len(characters))
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    others = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=LR, betas=BETAS, eps=EPSILON)
    begin = time.perf_counter()
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        starts = torch.randint(len(train) - CONTEXT, (BATCH,)).tolist()
        x = torch.stack([train[i : i + CONTEXT] for i in starts])
        y = torch.stack([train[i + 1 : i + 1 + CONTEXT] for i in starts])
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        if step % 200 == 0:
            print(f"step {step}: loss {loss.item():.3f}", file=sys.stderr)
    seconds = time.perf_counter() - begin
    return {
        "program": f"PyTorch {torch.__version__}",
        "threads": torch.get_num_threads(),
        "seed": seed,
        "parameters": sum(p.numel() for p in model.parameters()),
        "validation_loss": validate(model, valid),
        "seconds": seconds,
        "ms_per_step": 1000 * seconds / STEPS,
    }


def run_glassnet(program, file, threads, seed):
    """Runs the command; gives a row of the table."""

    def find(value, path):
        for key in path:
            if not isinstance(value, dict) or key not in value:
                sys.exit(f"glassnet's JSON has no {'.'.join(path)}: see GLASSNET_LOSS and GLASSNET_SECONDS above")
            value = value[key]
        return value

    with tempfile.TemporaryDirectory() as folder:
        model = str(Path(folder) / "shakespeare.glass")
        flags = [flag.format(file=file, model=model) for flag in GLASSNET_FLAGS]
        flags += ["--threads", str(threads), "--seed", str(seed)]
        done = subprocess.run([program, *flags], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{program} {' '.join(flags)}\nended with {done.returncode}; are the flags right? See GLASSNET_FLAGS")
    answer = json.loads(done.stdout)
    seconds = find(answer, GLASSNET_SECONDS)
    return {
        "program": "glassnet",
        "threads": threads,
        "seed": seed,
        "parameters": answer.get("parameters"),
        "validation_loss": find(answer, GLASSNET_LOSS),
        "seconds": seconds,
        "ms_per_step": 1000 * seconds / STEPS,
    }


def table(rows):
    """The rows in Markdown."""
    lines = [
        "| program | seed | threads | parameters | validation loss (nats per character) | seconds | ms per step |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['program']} | {row['seed']} | {row['threads']} | {row['parameters']:,} "
            f"| {row['validation_loss']:.4f} | {row['seconds']:.1f} | {row['ms_per_step']:.1f} |"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="the text, .gz or plain")
    parser.add_argument("--glassnet", metavar="PATH", help="the command to compare with")
    parser.add_argument("--threads", type=int, default=2, help="of both programs (default 2)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="one run of each program for each, in turn")
    options = parser.parse_args()
    here = Path(__file__).resolve().parents[2]
    shared = Path(os.environ.get("GLASSNET_SHARED", here.parent / "shared"))
    file = Path(options.data) if options.data else shared / "data" / "shakespeare" / "input.txt.gz"
    if not file.is_file():
        sys.exit(f"there is no {file}; name it with --data, or its folder's parent in GLASSNET_SHARED")
    raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    torch.set_num_threads(options.threads)
    rows = []
    # In turn, so that whatever else the machine does falls on both.
    for seed in options.seeds:
        rows.append(run_pytorch(raw.decode("utf-8"), seed))
        if options.glassnet:
            rows.append(run_glassnet(options.glassnet, str(file), options.threads, seed))
    print(json.dumps({"rows": rows, "machine": platform.machine(), "cores": os.cpu_count()}, indent=1))
    if options.glassnet:
        print("\n" + table(rows))


if __name__ == "__main__":
    main()
