"""Makes tests/golden/networks.json: what PyTorch says of optimisers, schedules, activations, losses, batch normalisation,
fake quantisation and penalties, in float64. The tests of src/nn compare our f32 with it.

    pip install numpy torch && python tests/golden/networks.py

Made once, with NumPy 2.4.6 and PyTorch 2.15.0. No random numbers: inputs and initial weights are formulas, rounded to f32,
and stored in the file with everything else, so that the tests need no formula. Every kernel is n_units × n_inputs, every
batch n_samples × n_units.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

torch.set_default_dtype(torch.float64)


def as_f32(values):
    """The nearest f32, in float64: the tests read exactly these numbers."""
    return torch.from_numpy(np.asarray(values, np.float64).astype(np.float32).astype(np.float64))


def gradients(value, *variables):
    return torch.autograd.grad(value, variables)


# --- Optimisers and schedules -------------------------------------------------------------------------------------------

WIDTHS = [4, 6, 5, 3]
N_SAMPLES, BATCH_SIZE, N_STEPS = 24, 8, 100
LOSS_EVERY = 10

X = as_f32([[np.sin(0.61 * (4 * s + u)) for u in range(4)] for s in range(N_SAMPLES)])
CLASSES = torch.tensor([int(x[0] + x[1] > -0.5) + int(x[0] + x[1] > 0.5) for x in X])


def initial_layers():
    """Kernel and bias of the layers 1, 2, 3."""
    return [
        (
            as_f32([[0.5 * np.sin(1 + 7 * j + 3 * i + layer) for i in range(below)] for j in range(units)]),
            as_f32([0.05 * np.cos(j + layer) for j in range(units)]),
        )
        for layer, (below, units) in enumerate(zip(WIDTHS, WIDTHS[1:]), 1)
    ]


def cross_entropy(parameters, samples):
    t = X[samples].to(parameters[0].dtype)
    for kernel, bias in zip(parameters[:-2:2], parameters[1:-2:2]):
        t = torch.tanh(functional.linear(t, kernel, bias))
    return functional.cross_entropy(functional.linear(t, *parameters[-2:]), CLASSES[samples])


class AdamOfTensorFlow1:
    """w -= lr·√(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε): ε is added before the bias correction, unlike in torch.optim.Adam."""

    def __init__(self, parameters, lr, betas, eps):
        self.parameters, self.lr, self.betas, self.eps = parameters, lr, betas, eps
        self.moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]
        self.t = 0

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.t += 1
        beta_1, beta_2 = self.betas
        rate = self.lr * (1 - beta_2**self.t) ** 0.5 / (1 - beta_1**self.t)
        for p, (m, v) in zip(self.parameters, self.moments):
            m += (1 - beta_1) * (p.grad - m)
            v += (1 - beta_2) * (p.grad**2 - v)
            p -= rate * m / (v.sqrt() + self.eps)


OPTIMISERS = {
    "sgd": (torch.optim.SGD, {"lr": 0.1}),
    "momentum": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
    "nesterov": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "adam": (torch.optim.Adam, {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8}),
    # The gradients here are so small that where ε is added changes the weights by 8e-5 in 100 steps even at 1e-8; not at 1e-13.
    "adam_tiny_epsilon": (torch.optim.Adam, {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-13}),
    "adam_tensorflow": (AdamOfTensorFlow1, {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8}),
    "adam_tensorflow_large_epsilon": (AdamOfTensorFlow1, {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-3}),
    "rmsprop": (torch.optim.RMSprop, {"lr": 0.005, "alpha": 0.99, "eps": 1e-8}),
}


def trained(optimiser, arguments, dtype, scheduler=None, n_steps=N_STEPS):
    """The parameters after `n_steps`, the loss of all samples every 10 steps, the rate of every epoch."""
    parameters = [p.to(dtype, copy=True).requires_grad_() for layer in initial_layers() for p in layer]
    optimiser = optimiser(parameters, **arguments)
    scheduler = scheduler and scheduler(optimiser)
    losses, rates = [], []
    n_batches = N_SAMPLES // BATCH_SIZE
    for step in range(n_steps + 1):
        if step % LOSS_EVERY == 0:
            losses.append(cross_entropy(parameters, slice(None)).item())
        if step == n_steps:
            break
        if scheduler and step % n_batches == 0:
            if step:
                scheduler.step()
            rates += scheduler.get_last_lr()
        start = step % n_batches * BATCH_SIZE
        optimiser.zero_grad()
        cross_entropy(parameters, slice(start, start + BATCH_SIZE)).backward()
        optimiser.step()
    return [p.detach() for p in parameters], losses, rates


def layers(parameters):
    return [{"kernel": kernel, "bias": bias} for kernel, bias in zip(parameters[::2], parameters[1::2])]


def run(*settings):
    exact, losses, rates = trained(*settings[:2], torch.float64, *settings[2:])
    single, _, _ = trained(*settings[:2], torch.float32, *settings[2:])
    return {
        "layers": layers(exact),
        "losses": losses,
        **({"rates": rates} if rates else {}),
        # How far PyTorch's own f32 strays: what a tolerance can be.
        "largest_difference_of_torch_f32": max((a - b).abs().max().item() for a, b in zip(exact, single)),
    }


def optimisers():
    return {
        "about": "100 steps of 4-6-5-3, tanh, softmax with mean cross-entropy; batches are samples 0-7, 8-15, 16-23, 0-7, …; "
        "losses: mean cross-entropy of all 24 samples after 0, 10, …, 100 steps; layers: after 100 steps",
        "widths": WIDTHS,
        "batch_size": BATCH_SIZE,
        "n_steps": N_STEPS,
        "x": X,
        "classes": CLASSES,
        "initial": [{"kernel": kernel, "bias": bias} for kernel, bias in initial_layers()],
        "runs": {
            name: {"of": f"{optimiser.__name__}({arguments})", **run(optimiser, arguments)}
            for name, (optimiser, arguments) in OPTIMISERS.items()
        },
    }


N_EPOCHS = 40
SCHEDULES = {
    "step": ("StepLR", {"step_size": 10, "gamma": 0.5}),
    "exponential": ("ExponentialLR", {"gamma": 0.97}),
    "cosine": ("CosineAnnealingLR", {"T_max": N_EPOCHS, "eta_min": 0.0}),
    "warm_up": ("LinearLR", {"start_factor": 1 / 5, "end_factor": 1.0, "total_iters": 4}),
}


def schedules():
    def scheduled(name, arguments):
        def made(optimiser):
            return getattr(torch.optim.lr_scheduler, name)(optimiser, **arguments)

        return run(torch.optim.SGD, {"lr": 0.1}, made, N_EPOCHS * N_SAMPLES // BATCH_SIZE)

    return {
        "about": "the network, batches and samples of `optimisers` for 40 epochs, SGD from lr 0.1; rates: that of every epoch; "
        "warm-up of 5 epochs: lr·min(1, (e + 1)/5) for e = 0, 1, …; layers and losses as in `optimisers`, after 120 steps",
        "n_epochs": N_EPOCHS,
        "learning_rate": 0.1,
        "runs": {key: {"of": f"{name}({kw})", **scheduled(name, kw)} for key, (name, kw) in SCHEDULES.items()},
    }


# --- Activations --------------------------------------------------------------------------------------------------------

ACTIVATIONS = {
    "tanh": (torch.tanh, []),
    "relu": (torch.relu, [0]),
    "leaky_relu": (lambda z: functional.leaky_relu(z, 0.01), [0]),
    "elu": (lambda z: functional.elu(z, 1.0), [0]),
    "sigmoid": (torch.sigmoid, []),
    "softsign": (functional.softsign, []),
    "softplus": (functional.softplus, []),
    "hardtanh": (functional.hardtanh, [-1, 1]),
    "relu6": (functional.relu6, [0, 6]),
    "silu": (functional.silu, []),
}


def activations():
    functions = {}
    for name, (function, kinks) in ACTIVATIONS.items():
        around = [kink + side for kink in kinks for side in (-0.5, 0, 0.5)]
        z = as_f32(sorted({*np.round(np.linspace(-6, 6, 41), 6), *around})).requires_grad_()
        value = function(z)
        functions[name] = {"kinks": kinks, "z": z, "value": value, "derivative": gradients(value.sum(), z)[0]}
    return {"about": "derivative at a kink: PyTorch's choice", "functions": functions}


# --- Losses -------------------------------------------------------------------------------------------------------------

# The last sample saturates: its value must be finite and its gradient exact.
LOGITS = as_f32([[0.3, -1.2, 0.8], [2.1, 0.0, -0.7], [-0.4, -0.4, 1.5], [3.2, 2.9, -4.1], [-40.0, 35.0, 2.0]])
CLASS = torch.tensor([0, 2, 1, 1, 0])
ONE_HOT = functional.one_hot(CLASS, 3).double()
REAL = as_f32([[0.5, -1.5, 0.25], [1.75, 0.125, 0.0], [-2.0, 0.75, 1.0], [3.0, -0.5, 0.625], [-30.0, 20.0, 1.0]])


def losses():
    forms = {
        "softmax_cross_entropy": (lambda z: functional.cross_entropy(z, CLASS), ONE_HOT),
        "sigmoid_cross_entropy": (
            lambda z: functional.binary_cross_entropy_with_logits(z, ONE_HOT, reduction="sum") / len(z),
            ONE_HOT,
        ),
        "softmax_squared_error": (lambda z: functional.mse_loss(z.softmax(1), ONE_HOT), ONE_HOT),
        "sigmoid_squared_error": (lambda z: functional.mse_loss(z.sigmoid(), ONE_HOT), ONE_HOT),
        "linear_squared_error": (lambda z: functional.mse_loss(z, REAL), REAL),
    }
    values = {}
    for name, (loss, targets) in forms.items():
        z = LOGITS.clone().requires_grad_()
        value = loss(z)
        values[name] = {"targets": targets, "value": value, "gradient": gradients(value, z)[0]}
    return {
        "about": "cross-entropy in nats: mean over samples, sum over units; squared error: mean over samples and units; "
        "gradient with respect to the logits",
        "logits": LOGITS,
        "losses": values,
    }


# --- Batch normalisation ------------------------------------------------------------------------------------------------


def batch_normalisation():
    n, units, epsilon, momentum = 24, 5, 1e-3, 0.99

    def batch(phase):
        return [[np.sin(phase + 0.7 * s + 1.9 * u) * (1 + 0.5 * u) + 0.3 * u for u in range(units)] for s in range(n)]

    def moved(running, values):
        return momentum * running + (1 - momentum) * values

    batches = [as_f32(batch(phase)).requires_grad_() for phase in (0.0, 1.3)]
    gamma = as_f32([0.5 + 0.3 * u for u in range(units)]).requires_grad_()
    beta = as_f32([0.1 * u - 0.2 for u in range(units)]).requires_grad_()
    upstream = as_f32([[np.cos(0.4 * s - 1.1 * u) for u in range(units)] for s in range(n)])
    running_mean, running_variance = torch.zeros(units), torch.ones(units)
    steps = []
    for x in batches:
        mean, variance = x.mean(0), x.var(0, correction=0)
        y = gamma * (x - mean) / (variance + epsilon).sqrt() + beta
        torch.testing.assert_close(y, functional.batch_norm(x, None, None, gamma, beta, True, 0.0, epsilon))
        running_mean = moved(running_mean, mean.detach())
        # PyTorch moves it by the unbiased variance, Keras by the biased one.
        running_variance = moved(running_variance, variance.detach())
        dx, dgamma, dbeta = gradients((upstream * y).sum(), x, gamma, beta)
        steps.append(
            {
                "x": x,
                "y": y,
                "gradient_x": dx,
                "gradient_gamma": dgamma,
                "gradient_beta": dbeta,
                "running_mean": running_mean,
                "running_variance": running_variance,
            }
        )
    x = batches[0].detach()
    inference = functional.batch_norm(x, running_mean, running_variance, gamma, beta, False, 0.0, epsilon)
    return {
        "about": "y = gamma·(x − mean)/√(variance + epsilon) + beta with the biased variance of the batch; gradients of Σ upstream·y; "
        "running ← momentum·running + (1 − momentum)·batch from 0 and 1, with the biased variance as in Keras; "
        "inference: the first batch by the running statistics after both",
        "epsilon": epsilon,
        "momentum": momentum,
        "gamma": gamma,
        "beta": beta,
        "upstream": upstream,
        "batches": steps,
        "inference": inference,
    }


# --- Fake quantisation --------------------------------------------------------------------------------------------------


def fake_quantised(n_bits, low, high):
    """As fake_quant_with_min_max_args of TensorFlow: the range is nudged so that 0 is one of its levels."""
    top = 2**n_bits - 1
    scale = (high - low) / top
    zero_point = int(np.floor(min(max(-low / scale, 0), top) + 0.5))
    nudged_low, nudged_high = -zero_point * scale, (top - zero_point) * scale
    x = as_f32([*np.linspace(low - 0.6, high + 0.6, 60), low, high, 0.0]).sort().values
    # Away from ties, and from the ends of the range, where f32 and float64 may differ. (Ties: TensorFlow rounds them up.)
    place = (x - nudged_low) / scale
    at_end = ((place - 0).abs() < 0.05) | ((place - top).abs() < 0.05)
    tie = ((place - place.floor() - 0.5).abs() < 0.05) & (place > 0) & (place < top)
    x = x[~(tie | at_end) | (x == 0)]
    value = torch.floor((x.clamp(nudged_low, nudged_high) - nudged_low) / scale + 0.5) * scale + nudged_low
    inside = (x >= nudged_low) & (x <= nudged_high)

    z = x.clone().requires_grad_()
    by_torch = torch.fake_quantize_per_tensor_affine(z.float(), scale, zero_point, 0, top).double()
    torch.testing.assert_close(by_torch, value, rtol=0, atol=1e-6)
    # PyTorch lets the gradient pass for half a level beyond the ends, TensorFlow does not.
    passes = gradients(by_torch.sum(), z)[0] != 0
    beyond = torch.maximum(nudged_low - x, x - nudged_high)
    assert torch.equal(passes[(beyond <= 0) | (beyond > scale / 2)], inside[(beyond <= 0) | (beyond > scale / 2)])
    return {
        "n_bits": n_bits,
        "low": low,
        "high": high,
        "scale": scale,
        "zero_point": zero_point,
        "nudged_low": nudged_low,
        "nudged_high": nudged_high,
        "x": x,
        "value": value,
        "gradient_passes": inside.int(),
    }


def fake_quantisation():
    return {
        "about": "levels nudged_low + k·scale, k = 0 … 2^n_bits − 1, one of them 0; gradient 1 where nudged_low ≤ x ≤ nudged_high, else 0",
        "cases": [fake_quantised(b, *ends) for b in (4, 8) for ends in ((-1.0, 1.0), (0.0, 6.0), (-0.3, 2.1))],
    }


# --- Penalties ----------------------------------------------------------------------------------------------------------


def penalties():
    factor = 0.01
    forms = {
        "l1": lambda w: factor * w.abs().sum(),
        "l2": lambda w: factor * (w**2).sum(),
        "orthonormal": lambda w: factor
        * ((w @ w.T - torch.eye(len(w))) if w.shape[0] <= w.shape[1] else (w.T @ w - torch.eye(w.shape[1]))).square().sum(),
    }
    kernels = []
    for units, inputs in ((3, 5), (5, 3)):
        kernel = as_f32([[0.7 * np.sin(1 + 2.3 * j + 1.7 * i) for i in range(inputs)] for j in range(units)])
        of = {}
        for name, penalty in forms.items():
            w = kernel.clone().requires_grad_()
            value = penalty(w)
            of[name] = {"value": value, "gradient": gradients(value, w)[0]}
        kernels.append({"kernel": kernel, "penalties": of})
    return {
        "about": "l1: λ·Σ|w|; l2: λ·Σw²; orthonormal: λ·‖W·Wᵀ − 1‖², the sum of squares, of the Gram matrix of the rows where "
        "n_units ≤ n_inputs, else λ·‖Wᵀ·W − 1‖²; W is n_units × n_inputs",
        "factor": factor,
        "kernels": kernels,
    }


# --- The file -----------------------------------------------------------------------------------------------------------


def plain(value):
    """Numbers with 12 significant digits, tensors as lists."""
    if isinstance(value, torch.Tensor):
        value = value.tolist()
    if isinstance(value, float):
        assert np.isfinite(value)
        return float(f"{value:.12g}")
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


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
    parts = [optimisers, schedules, activations, losses, batch_normalisation, fake_quantisation, penalties]
    content = {
        "about": f"made by tests/golden/networks.py with PyTorch {torch.__version__.split('+')[0]} in float64",
        **{part.__name__: part() for part in parts},
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(written(plain(content)) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
