"""PyTorch on the CPU, eager, with its fused optimizers."""

import peer

THREADS = peer.threads_of_libraries()

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

options = peer.arguments()
torch.set_num_threads(THREADS)
torch.set_num_interop_threads(1)
torch.manual_seed(0)

LAYERS, HEADS, WIDTH, CONTEXT, VOCABULARY = 4, 4, 128, 64, 65


def mlp(sizes):
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 10),
    )


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(64, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        batch, steps, _ = x.shape
        q, k, v = (
            part.view(batch, steps, HEADS, WIDTH // HEADS).transpose(1, 2)
            for part in self.qkv(self.norm1(x)).split(WIDTH, dim=2)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, steps, WIDTH))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCABULARY)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
        for block in self.blocks:
            for end in (block.out, block.down):
                nn.init.normal_(end.weight, std=0.02 / math.sqrt(2 * LAYERS))

    def forward(self, ids):
        x = self.tokens(ids) + self.positions.weight
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def step_of(model, optimizer, batch_of, clip=None):
    def step():
        x, y = batch_of()
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        return loss

    return step


def trainer(workload):
    batch = peer.BATCH[workload]
    if workload == "gpt":
        model = Gpt()
        text = torch.randint(VOCABULARY, (100_064,))

        def batch_of():
            starts = torch.randint(len(text) - CONTEXT, (batch,)).tolist()
            x = torch.stack([text[i : i + CONTEXT] for i in starts])
            return x, torch.stack([text[i + 1 : i + 1 + CONTEXT] for i in starts])

        run = lambda ids: model(ids).flatten(0, 1)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01, fused=True)

        def step():
            x, y = batch_of()
            loss = F.cross_entropy(run(x), y.flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            # As `glassnet train` does for a text.
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()

        return [("step", 1, 1, step)]
    x, y = (torch.from_numpy(part) for part in peer.data(workload))
    x = x.view({"cnn": (-1, 1, 28, 28), "lstm": (-1, 64, 64)}.get(workload, x.shape))
    model = {"cnn": cnn, "lstm": Lstm}.get(workload, lambda: mlp(peer.SIZES[workload]))()
    if workload in ("cnn", "lstm"):
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01, fused=True)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=peer.RATE, fused=True)

    def batch_of():
        rows = torch.randint(len(x), (batch,))
        return x[rows], y[rows]

    return [("step", 1, peer.TOGETHER.get(workload, 1), step_of(model, optimizer, batch_of))]


def inference():
    cases = []
    for sizes, rows in peer.INFER:
        model, x = mlp(sizes).eval(), torch.randn(rows, sizes[0])

        def run(model=model, x=x):
            with torch.inference_mode():
                return model(x)

        cases.append(("-".join(map(str, sizes)) + f" x{rows}", 1, peer.together_for(run), run))
    return cases


version = torch.__version__.split("+")[0]
peer.serve("PyTorch", version, inference() if options.workload == "infer" else trainer(options.workload))
