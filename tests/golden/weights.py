"""Makes tests/golden/weights.json: gradients of single samples and Fisher information by PyTorch, in float64. The tests of
src/weights compare with it.

    pip install numpy torch && python tests/golden/weights.py

Made once, with NumPy 2.4.6 and PyTorch 2.15.0. No random numbers: inputs and weights are formulas, rounded to 12 digits, and
stored in the file with everything else. Kernels are n_units × n_inputs; the order of the weights is layer after layer, kernel
row-major, then biases. Gradients are `torch.func.vmap(grad)`; the Fisher information is the sum over the classes, with the
probabilities of the network, of products of such gradients: not the Gauss-Newton form that src/weights/fisher uses.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch.func import grad, vmap

torch.set_default_dtype(torch.float64)

WIDTHS = [3, 4, 3, 3]
N_SAMPLES, N_CLASSES = 6, WIDTHS[-1]
ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "silu": torch.nn.functional.silu,
}


def twelve_digits(values):
    return torch.tensor([float(f"{value:.12g}") for value in np.ravel(values)]).reshape(np.shape(values))


X = twelve_digits([[np.sin(0.61 * (4 * s + u)) for u in range(WIDTHS[0])] for s in range(N_SAMPLES)])
CLASSES = torch.tensor([s * s % N_CLASSES for s in range(N_SAMPLES)])
LAYERS = [
    (
        twelve_digits([[1.2 * np.sin(1 + 7 * j + 3 * i + l + 0.5 * i * j) for i in range(below)] for j in range(units)]),
        twelve_digits([0.3 * np.cos(j + l) for j in range(units)]),
    )
    for l, (below, units) in enumerate(zip(WIDTHS, WIDTHS[1:]), 1)
]
WEIGHTS = torch.cat([part.reshape(-1) for layer in LAYERS for part in layer])


def log_p(weights, x, activation):
    start = 0
    for l, (kernel, bias) in enumerate(LAYERS):
        w = weights[start : start + kernel.numel()].reshape(kernel.shape)
        b = weights[start + kernel.numel() : start + kernel.numel() + len(bias)]
        start += kernel.numel() + len(bias)
        x = w @ x + b
        if l + 1 < len(LAYERS):
            x = activation(x)
    return torch.log_softmax(x, 0)


def of_activation(activation):
    def loss(weights, x, y):
        return -log_p(weights, x, activation).gather(0, y[None]).sum()

    per_sample = vmap(grad(loss), (None, 0, 0))
    fisher = torch.zeros(len(WEIGHTS), len(WEIGHTS))
    p = vmap(lambda x: log_p(WEIGHTS, x, activation).exp())(X)
    for c in range(N_CLASSES):
        g = per_sample(WEIGHTS, X, torch.full((N_SAMPLES,), c))
        fisher += g.T @ (p[:, c, None] * g) / N_SAMPLES
    return {"gradients": per_sample(WEIGHTS, X, CLASSES), "fisher": fisher}


def plain(value):
    """Numbers with 13 significant digits, tensors as lists."""
    if isinstance(value, torch.Tensor):
        value = value.tolist()
    if isinstance(value, float):
        return float(f"{value:.13g}")
    if isinstance(value, list):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def written(value, indent=""):
    """JSON with one row of numbers a line."""
    deeper = indent + " "
    if isinstance(value, dict):
        items = [f"{deeper}{json.dumps(key)}: {written(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        return "[\n" + ",\n".join(deeper + written(item, deeper) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)


def main():
    content = {
        "about": f"made by tests/golden/weights.py with PyTorch {torch.__version__.split('+')[0]} in float64",
        "x": X,
        "classes": CLASSES,
        "layers": [{"kernel": kernel, "bias": bias} for kernel, bias in LAYERS],
        "activations": {name: of_activation(activation) for name, activation in ACTIVATIONS.items()},
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(written(plain(content)) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
