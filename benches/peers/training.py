"""Milliseconds per training epoch of the network 12-10-7-5-4-3-2: infoplane against NumPy and PyTorch, one thread each.

    python -m venv v && v/bin/pip install -r benches/peers/requirements.txt && v/bin/python benches/peers/training.py

Same work for all: 3277 of the 4096 patterns of 12 bits, tanh, softmax with mean cross-entropy, Adam, float32, batches
of 512 in a fixed order (the last one smaller) or the full batch. Every round measures all three, so that a change in
the load of the machine hits all; the table gives medians over 3 rounds, or as many as the argument says.
"""

import os

# One thread. The libraries read these when they are imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", VECLIB_MAXIMUM_THREADS="1")

import platform
import re
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch.nn.utils import parameters_to_vector, vector_to_parameters

torch.set_num_threads(1)

WIDTHS = [12, 10, 7, 5, 4, 3, 2]
SHAPES = list(zip(WIDTHS, WIDTHS[1:]))  # units below and units of every layer
N_TRAIN = 3277
BATCH_SIZES = [512, N_TRAIN]
LEARNING_RATE, BETA_1, BETA_2, EPSILON = 4e-4, 0.9, 0.999, 1e-8
EPOCHS_PER_REPEAT, REPEATS = 100, 15  # as in benches/training.rs

X = ((np.arange(N_TRAIN)[:, None] >> np.arange(11, -1, -1)) & 1).astype(np.float32)  # samples × bits
Y = (X.sum(axis=1) > 5).astype(np.int64)


def batches(size):
    return [slice(start, min(start + size, N_TRAIN)) for start in range(0, N_TRAIN, size)]


class NumpyNet:
    """Arrays are units × samples: NumPy's inner loops then run over many samples instead of a few units."""

    def __init__(self, batch_size):
        n_parameters = sum(below * units + units for below, units in SHAPES)
        self.parameters, self.gradient, self.m, self.v = np.zeros((4, n_parameters), np.float32)
        self.layers, self.layer_gradients = [], []  # (kernel, bias) of every layer: views into the two vectors
        ends = np.cumsum([n for below, units in SHAPES for n in (below * units, units)])[:-1]
        for flat, layers in (self.parameters, self.layers), (self.gradient, self.layer_gradients):
            parts = np.split(flat, ends)  # kernel, bias, kernel, bias, …
            for (below, units), kernel, bias in zip(SHAPES, parts[::2], parts[1::2]):
                layers.append((kernel.reshape(units, below), bias.reshape(units, 1)))
        rng = np.random.default_rng(1)
        for kernel, _ in self.layers:
            kernel[...] = rng.normal(0, kernel.shape[1] ** -0.5, kernel.shape)
        targets = np.eye(2, dtype=np.float32)[Y]
        self.batches = [(X[s].T.copy(), targets[s].T.copy()) for s in batches(batch_size)]
        self.step = 0

    def compute_gradient(self, x, targets):
        outputs = [x]
        for kernel, bias in self.layers:
            z = kernel @ outputs[-1]
            z += bias
            outputs.append(z if kernel is self.layers[-1][0] else np.tanh(z, out=z))
        p = outputs.pop()
        p -= p.max(axis=0)
        np.exp(p, out=p)
        p /= p.sum(axis=0)
        delta = (p - targets) / x.shape[1]  # the slope of the mean cross-entropy with respect to z
        for (kernel, _), (to_kernel, to_bias), t in zip(self.layers[::-1], self.layer_gradients[::-1], outputs[::-1]):
            np.matmul(delta, t.T, out=to_kernel)
            delta.sum(axis=1, keepdims=True, out=to_bias)
            if t is not x:
                delta = kernel.T @ delta
                delta *= 1 - t * t

    def epoch(self):
        for x, targets in self.batches:
            self.compute_gradient(x, targets)
            self.step += 1
            self.m += (1 - BETA_1) * (self.gradient - self.m)
            self.v += (1 - BETA_2) * (self.gradient * self.gradient - self.v)
            rate = LEARNING_RATE * (1 - BETA_2**self.step) ** 0.5 / (1 - BETA_1**self.step)
            self.parameters -= rate * self.m / (np.sqrt(self.v) + EPSILON)


class TorchNet:
    def __init__(self, batch_size):
        layers = [module for shape in SHAPES for module in (torch.nn.Linear(*shape), torch.nn.Tanh())]
        self.net = torch.nn.Sequential(*layers[:-1])  # softmax is part of cross_entropy
        vector_to_parameters(torch.tensor(NumpyNet(batch_size).parameters), self.net.parameters())  # the same start
        # fused=True is faster here than the default
        self.optimiser = torch.optim.Adam(self.net.parameters(), LEARNING_RATE, (BETA_1, BETA_2), EPSILON, fused=True)
        self.batches = [(torch.from_numpy(X)[s], torch.from_numpy(Y)[s]) for s in batches(batch_size)]

    def compute_gradient(self, x, y):
        self.optimiser.zero_grad()
        torch.nn.functional.cross_entropy(self.net(x), y).backward()

    def epoch(self):
        for x, y in self.batches:
            self.compute_gradient(x, y)
            self.optimiser.step()


def check_same_work(size):
    """NumPy and PyTorch agree on the gradient of every batch, then on the parameters after 10 epochs."""
    ours, theirs = NumpyNet(size), TorchNet(size)
    for batch, torch_batch in zip(ours.batches, theirs.batches, strict=True):
        ours.compute_gradient(*batch)
        theirs.compute_gradient(*torch_batch)
        gradient = parameters_to_vector(p.grad for p in theirs.net.parameters())
        np.testing.assert_allclose(ours.gradient, gradient.numpy(), rtol=1e-4, atol=1e-6)
    for net in 10 * [ours, theirs]:
        net.epoch()
    trained = parameters_to_vector(theirs.net.parameters()).detach().numpy()
    np.testing.assert_allclose(ours.parameters, trained, rtol=0, atol=1e-4)  # they move by 4e-3 or more


def milliseconds_per_epoch(net):
    times = []
    for _ in range(1 + REPEATS):
        start = time.perf_counter()
        for _ in range(EPOCHS_PER_REPEAT):
            net.epoch()
        times.append((time.perf_counter() - start) * 1e3 / EPOCHS_PER_REPEAT)
    return median(times[1:])  # the first repeat warms up


def infoplane(*options):
    command = ["cargo", "bench", "--quiet", "--bench", "training", "--no-default-features", *options]
    root = Path(__file__).resolve().parents[2]
    printed = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [float(ms) for ms in re.findall(r"batch \w+: ([\d.]+) ms", printed)]


def main():
    n_rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for size in BATCH_SIZES:
        check_same_work(size)
    infoplane("--no-run")  # compiles

    peers = {
        "infoplane": infoplane,
        "NumPy": lambda: [milliseconds_per_epoch(NumpyNet(size)) for size in BATCH_SIZES],
        "PyTorch": lambda: [milliseconds_per_epoch(TorchNet(size)) for size in BATCH_SIZES],
    }
    results = {name: [] for name in peers}
    for _ in range(n_rounds):
        for name, measure in peers.items():
            results[name].append(measure())
            print(name, *(f"{ms:.3f}" for ms in results[name][-1]), file=sys.stderr)

    cpuinfo = Path("/proc/cpuinfo")  # Linux; elsewhere Python's own, vaguer answer
    cpu = re.search(r"model name\s*: (.+)", cpuinfo.read_text() if cpuinfo.exists() else "")
    print(cpu[1] if cpu else platform.processor(), end="; ")
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, PyTorch {torch.__version__}\n")
    print("| implementation | batch 512, ms | full batch, ms | times slower, batch 512 | times slower, full batch |")
    print("|---|---|---|---|---|")
    medians = {name: np.median(result, axis=0) for name, result in results.items()}
    for name, ms in medians.items():
        slower = ms / medians["infoplane"]
        print(f"| {name} | {ms[0]:.3f} | {ms[1]:.3f} | {slower[0]:.2g} | {slower[1]:.2g} |")


if __name__ == "__main__":
    main()
