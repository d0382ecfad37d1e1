"""Estimates of a real recording, computed again: by plain NumPy in f64 with other formulas than the program's, and by
DuckDB's `entropy`. (infomeasure, another library of entropies, brings 350 MB with numba and llvmlite.)
"""

from types import SimpleNamespace

import duckdb
import numpy as np
import polars as pl
import pytest

PIPELINE = """seed = 5
runs = 2
[data]
name = "tishby"
train_fraction = 0.85
[network]
hidden = [8, 5, 3]
activation = "tanh"
[training]
optimiser = "adam"
learning_rate = 1e-2
batch = 512
epochs = 40
[record]
epochs = { list = [0, 40] }
steps = { windows = [[271, 273]] }
"""
# What is estimated, in the words of a pipeline.
BINNING = """
n_edges = [3, 30, 256]
n_edges = 30, spacing = "tanh"
n_edges = 30, precision = "f64"
bin_width = [0.07, 0.5]
bin_width = 0.07, precision = "f64"
n_bins = 30, range = ["unit", "layer", "run", "all-runs"]
n_quantiles = 30
exact = true
n_edges = 30, bias = ["miller-madow", "jackknife"]
n_edges = 30, samples = ["train", "test"]
n_edges = 30, pool = ["windows", "runs"]
n_edges = 30, per_unit = true
"""
OTHERS = """
quantised: bits = [2, 8]
kde: noise_variance = [0.001, 0.1], precision = ["f32", "f64"]
kde: noise_variance = 0.01, relative = true, precision = ["f32", "f64"]
gaussian: noise_variance = [0.001, 0.1]
"""
LINES = [f"binning: {line}" for line in BINNING.strip().splitlines()] + OTHERS.strip().splitlines()
ALSO = (
    "estimate binning outputs/p --n-quantiles 30 --low -1.000001",
    "estimate quantised outputs/p --pool windows",
)

RUNS, LAYERS, LAST_STEP, WINDOW = ["r0000", "r0001"], [1, 2, 3, 4], 280, [271, 272, 273]

# Two sums of 4096 terms of at most 12 bits in another order; the programs differ by some 1e-14 of them.
DISCRETE = 1e-9
# Two of 4096 samples that come to share a cell change an entropy by 2/4096 bits: spreads of nearly full cells are coarse.
STEP_OF_ENTROPY = 2 / 4096


def in_tables(line):
    name, given = line.split(": ", 1)
    return "\n".join(["[[estimate]]", f'estimator = "{name}"', *split(given)])


def split(given):
    """`a = 1, b = [2, 3]` by its commas outside of brackets."""
    parts, depth = [""], 0
    for letter in given:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


@pytest.fixture(scope="module")
def experiment(tmp_path_factory, in_folder):
    """A recording with its estimates: T by run, layer and step, what is known of the samples, the tables."""
    folder = tmp_path_factory.mktemp("estimators")
    infoplane = in_folder(folder)
    infoplane.ok("data make tishby")
    (folder / "p.toml").write_text("\n".join([PIPELINE, *map(in_tables, LINES)]))
    infoplane.ok("record p.toml")
    infoplane.ok("estimate pipeline p.toml")
    for line in ALSO:
        infoplane.ok(line)
    infoplane.ok("check outputs/p")
    root = folder / "outputs/p"
    t = {}
    for layer in LAYERS:
        files = f"{root}/recording/activations/layer={layer}/*/*.parquet"
        rows = pl.read_parquet(files, hive_partitioning=True)
        for (run, step), of_snapshot in rows.group_by("run", "step"):
            t[run, layer, step] = of_snapshot.sort("sample")["t"].to_numpy()
    samples = pl.read_parquet(root / "recording/samples.parquet").sort("sample")
    split = pl.read_parquet(root / "recording/splits/*/*.parquet", hive_partitioning=True).sort("run", "sample")
    return SimpleNamespace(
        root=root,
        t=t,
        y=samples["y"].to_numpy(),
        is_train={run: split.filter(run=run)["split"].to_numpy() == "train" for run in RUNS},
        rows=pl.read_parquet(root / "estimates/*/*.parquet", hive_partitioning=False),
        units=pl.read_parquet(root / "unit_estimates/*/*.parquet", hive_partitioning=False),
    )


def places(experiment, estimator, table="rows"):
    """The rows of one estimator, of which there are some."""
    found = getattr(experiment, table).filter(estimator=estimator)
    assert len(found) and found["failure"].null_count() == len(found), estimator
    return found.to_dicts()


# The cells of T by every rule, with NumPy.


def cells_of(codes):
    """The number of every row's cell."""
    return np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)


def by_edges(n, dtype):
    edges = np.linspace(-1, 1, n).astype(dtype)
    return lambda t, **_: np.digitize(t.astype(dtype), edges)


def by_width(width, dtype):
    return lambda t, **_: np.floor(t.astype(dtype) / dtype(width))


def equal_bins(t, low, high, n):
    """`n` bins from `low` to `high`, the last one closed."""
    low, high = np.float64(low), np.float64(high)
    edges = np.linspace(low, high, n + 1)
    return np.minimum(np.digitize(t.astype(np.float64), edges) - 1, n - 1)


def by_unit(t, **_):
    return np.stack([equal_bins(column, column.min(), column.max(), 30) for column in t.T], axis=1)


def by_range(t, all_t=None, **_):
    values = [t] if all_t is None else all_t
    return equal_bins(t, min(v.min() for v in values), max(v.max() for v in values), 30)


def over_run(t, experiment, run):
    return by_range(t, [of for (r, _, _), of in experiment.t.items() if r == run])


def over_all_runs(t, experiment, **_):
    return by_range(t, list(experiment.t.values()))


def by_quantiles(low):
    def codes(t, **_):
        first = t.min() if low is None else low
        unique = np.unique(t)
        unique = unique[unique.astype(np.float64) != first]
        edges = [first, *(unique[k * len(unique) // 30] for k in range(30)), unique[-1]]
        return np.digitize(t.astype(np.float64), np.array(edges, np.float64))

    return codes


def by_tanh(t, **_):
    return np.digitize(t.astype(np.float64), np.tanh(np.linspace(-50, 50, 30)))


def by_levels(bits):
    def codes(t, **_):
        t = t.astype(np.float64)
        return np.rint((t - t.min()) * (2**bits - 1) / (t.max() - t.min()))

    return codes


RULES = {
    "binning-n-edges-3": by_edges(3, np.float32),
    "binning-n-edges-30": by_edges(30, np.float32),
    "binning-n-edges-256": by_edges(256, np.float32),
    "binning-n-edges-30-f64": by_edges(30, np.float64),
    "binning-n-edges-30-spacing-tanh": by_tanh,
    "binning-bin-width-0.07": by_width(0.07, np.float32),
    "binning-bin-width-0.5": by_width(0.5, np.float32),
    "binning-bin-width-0.07-f64": by_width(0.07, np.float64),
    "binning-n-bins-30": by_range,
    "binning-n-bins-30-range-unit": by_unit,
    "binning-n-bins-30-range-run": over_run,
    "binning-n-bins-30-range-all-runs": over_all_runs,
    "binning-n-quantiles-30": by_quantiles(None),
    "binning-n-quantiles-30-low--1.000001": by_quantiles(-1.000001),
    "binning-exact": lambda t, **_: t,
    "quantised-bits-2": by_levels(2),
    "quantised-bits-8": by_levels(8),
}


def plug_in(cells):
    p = np.unique(cells, return_counts=True)[1] / len(cells)
    return -(p * np.log2(p)).sum()


def with_duckdb(cells):
    duckdb.register("samples", pl.DataFrame({"cell": np.asarray(cells, np.int64)}).to_arrow())
    return duckdb.sql("SELECT entropy(cell) FROM samples").fetchall()[0][0]


def miller_madow(cells):
    n_cells = len(np.unique(cells))
    return plug_in(cells) + (n_cells - 1) / (2 * len(cells)) / np.log(2)


def jackknife(cells):
    """N H minus (N − 1) times the mean entropy without one sample, which all samples of a cell share."""
    counts = np.unique(cells, return_counts=True)[1]
    n, h_left = len(cells), 0.0
    for count, n_cells in zip(*np.unique(counts, return_counts=True)):
        # One cell with this count loses a sample.
        left = counts.astype(float)
        left[np.flatnonzero(counts == count)[0]] -= 1
        p = left[left > 0] / (n - 1)
        h_left += n_cells * count / n * -(p * np.log2(p)).sum()
    return n * plug_in(cells) - (n - 1) * h_left


def information(a, b, entropy=plug_in):
    joint = cells_of(np.stack([a, b], axis=1))
    return entropy(a) + entropy(b) - entropy(joint)


@pytest.mark.parametrize("estimator", RULES)
def test_every_code_has_the_entropies_that_numpy_and_duckdb_find(experiment, estimator):
    for row in places(experiment, estimator):
        t = experiment.t[row["run"], row["layer"], row["step"]]
        cells = cells_of(RULES[estimator](t, experiment=experiment, run=row["run"]))
        assert row["n_codes"] == len(np.unique(cells))
        assert row["i_xt_bits"] == pytest.approx(plug_in(cells), abs=DISCRETE)
        assert row["i_ty_bits"] == pytest.approx(information(cells, experiment.y), abs=DISCRETE)
        if row["step"] == LAST_STEP:
            assert row["i_xt_bits"] == pytest.approx(with_duckdb(cells), abs=DISCRETE)
            assert row["i_ty_bits"] == pytest.approx(information(cells, experiment.y, with_duckdb), abs=DISCRETE)


@pytest.mark.parametrize("correction", [miller_madow, jackknife])
def test_corrections_are_those_of_all_three_entropies(experiment, correction):
    for row in places(experiment, f"binning-n-edges-30-{correction.__name__.replace('_', '-')}"):
        cells = cells_of(RULES["binning-n-edges-30"](experiment.t[row["run"], row["layer"], row["step"]]))
        assert row["i_xt_bits"] == pytest.approx(correction(cells), abs=DISCRETE)
        assert row["i_ty_bits"] == pytest.approx(information(cells, experiment.y, correction), abs=DISCRETE)


def test_the_layer_above_is_compared_with_the_code_of_the_one_below(experiment):
    rule = RULES["binning-n-edges-30"]
    for row in places(experiment, "binning-n-edges-30"):
        if row["layer"] == LAYERS[-1]:
            assert row["i_tt_bits"] is None
            continue
        below, above = (cells_of(rule(experiment.t[row["run"], row["layer"] + up, row["step"]])) for up in (0, 1))
        assert row["i_tt_bits"] == pytest.approx(information(below, above), abs=DISCRETE)


def test_the_null_is_what_shuffled_labels_give(experiment):
    rng, n_shuffles = np.random.default_rng(1), 100
    orders = [rng.permutation(len(experiment.y)) for _ in range(n_shuffles)]
    for row in places(experiment, "binning-n-edges-30"):
        if row["step"] != LAST_STEP:
            continue
        cells = cells_of(RULES["binning-n-edges-30"](experiment.t[row["run"], row["layer"], row["step"]]))
        shuffled = [information(cells, experiment.y[order]) for order in orders]
        error = np.std(shuffled, ddof=1) * np.sqrt(1 / row["n_shuffles"] + 1 / n_shuffles)
        # Four standard errors of eight differences leave 5e-4 for chance, and the seeds are fixed.
        assert abs(row["i_ty_null_bits_mean"] - np.mean(shuffled)) < 4 * error + STEP_OF_ENTROPY
        # Every row has a different input, so I(X;T) does not change when the inputs are shuffled.
        assert (row["i_xt_null_bits_mean"], row["i_xt_null_bits_std"]) == (row["i_xt_bits"], 0)


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_selection_takes_the_samples_of_its_run(experiment, split):
    for row in places(experiment, f"binning-n-edges-30-samples-{split}"):
        is_meant = experiment.is_train[row["run"]] == (split == "train")
        t = experiment.t[row["run"], row["layer"], row["step"]][is_meant]
        cells = cells_of(RULES["binning-n-edges-30"](t))
        assert row["n_samples"] == is_meant.sum()
        assert row["i_xt_bits"] == pytest.approx(plug_in(cells), abs=DISCRETE)
        assert row["i_ty_bits"] == pytest.approx(information(cells, experiment.y[is_meant]), abs=DISCRETE)
        assert row["i_xt_ceiling_bits"] == pytest.approx(min(np.log2(len(t)), t.shape[1] * np.log2(31)))


def check_pooled(experiment, row, snapshots, rule):
    """`snapshots` are the T that were put together: T is a random function of X."""
    n = len(experiment.y)
    cells = cells_of(rule(np.concatenate(snapshots)))
    x, y = np.tile(np.arange(n), len(snapshots)), np.tile(experiment.y, len(snapshots))
    # H(T|X) by its definition: in the mean over the inputs, the entropy of the cells that this input went to.
    h_t_given_x = np.mean([plug_in(cells[i::n]) for i in range(n)])
    assert row["n_pooled"] == len(snapshots) and row["n_samples"] == len(snapshots) * n
    assert row["h_t_given_x_bits"] == pytest.approx(h_t_given_x, abs=DISCRETE)
    assert row["i_xt_bits"] == pytest.approx(plug_in(cells) - h_t_given_x, abs=DISCRETE)
    assert row["i_ty_bits"] == pytest.approx(information(cells, y), abs=DISCRETE)
    # The inputs are shuffled ten times here, and five times by infoplane.
    rng = np.random.default_rng(2)
    shuffled = [information(cells, x[rng.permutation(len(x))]) for _ in range(10)]
    error = np.std(shuffled, ddof=1) * np.sqrt(1 / row["n_shuffles"] + 1 / 10)
    # Five of them, as the error is itself known from ten values only.
    assert abs(row["i_xt_null_bits_mean"] - np.mean(shuffled)) < 5 * error + STEP_OF_ENTROPY


@pytest.mark.parametrize("estimator", ["binning-n-edges-30-pool-windows", "quantised-bits-8-pool-windows"])
def test_a_window_is_random_given_the_input(experiment, estimator):
    rule = RULES[estimator.removesuffix("-pool-windows")]
    for row in places(experiment, estimator):
        assert (row["step"], row["randomness"]) == (WINDOW[-1], "window")
        snapshots = [experiment.t[row["run"], row["layer"], step] for step in WINDOW]
        check_pooled(experiment, row, snapshots, rule)


def test_pooled_runs_are_random_given_the_input(experiment):
    for row in places(experiment, "binning-n-edges-30-pool-runs"):
        assert (row["run"], row["randomness"]) == ("pooled", "runs")
        if row["step"] == LAST_STEP:
            snapshots = [experiment.t[run, row["layer"], row["step"]] for run in RUNS]
            check_pooled(experiment, row, snapshots, RULES["binning-n-edges-30"])


def test_units_are_estimated_by_themselves(experiment):
    for row in places(experiment, "binning-n-edges-30", "units"):
        t = experiment.t[row["run"], row["layer"], row["step"]][:, [row["unit"]]]
        cells = cells_of(RULES["binning-n-edges-30"](t))
        assert row["i_xt_bits"] == pytest.approx(plug_in(cells), abs=DISCRETE)
        assert row["i_ty_bits"] == pytest.approx(information(cells, experiment.y), abs=DISCRETE)


# Estimators with noise.


def squared_distances(t):
    """‖t_i − t_j‖² as it is written: by differences, without a Gram matrix."""
    squares = np.zeros((len(t), len(t)))
    for unit in t.astype(np.float64).T:
        squares += (unit[:, None] - unit[None, :]) ** 2
    return squares


def kde(squares, y, bound, variance):
    """−⟨log2 (1/N) Σ_j exp(−a D_ij)⟩ for I(X;T), and minus the same within the classes for I(T;Y), in bits."""
    kernel = np.exp(squares * {"upper": -1 / (2 * variance), "lower": -1 / (8 * variance)}[bound])
    is_same_class = y[:, None] == y[None, :]
    density_of_class = (kernel * is_same_class).sum(axis=1) / is_same_class.sum(axis=1)
    i_xt = -np.log2(kernel.mean(axis=1)).mean()
    return i_xt, i_xt + np.log2(density_of_class).mean()


# f64: distances by a product instead of by differences lose some 1e-15 / v of the exponent. f32: distances are right to some
# 1e-7, exponents to 1e-7 / 2v = 1e-4, with either sign: the mean of 4096 logarithms loses the root of 4096 times less.
KDE_TOLERANCES = {"-f64": 1e-10, "": 1e-5}


@pytest.mark.parametrize("layer", LAYERS)
def test_kernel_sums_are_those_of_the_formula(experiment, layer):
    t = experiment.t["r0000", layer, LAST_STEP]
    squares = squared_distances(t)
    relative = 0.01 * t.astype(np.float64).var(axis=0).mean()
    for bound in ("upper", "lower"):
        for variance, name in (0.001, "0.001"), (0.1, "0.1"), (relative, "0.01-relative"):
            i_xt, i_ty = kde(squares, experiment.y, bound, variance)
            for suffix, tolerance in KDE_TOLERANCES.items():
                rows = places(experiment, f"kde-{bound}-noise-variance-{name}{suffix}")
                (row,) = (r for r in rows if (r["run"], r["layer"], r["step"]) == ("r0000", layer, LAST_STEP))
                assert row["i_xt_bits"] == pytest.approx(i_xt, abs=tolerance)
                assert row["i_ty_bits"] == pytest.approx(i_ty, abs=tolerance)
                noise = t.shape[1] / 2 * np.log2(2 * np.pi * np.e * variance)
                assert row["h_t_given_x_bits"] == pytest.approx(noise, abs=1e-9)


def gaussian_i_xt(t, variance):
    covariance = np.atleast_2d(np.cov(t, rowvar=False))
    noisy = covariance + variance * np.eye(len(covariance))
    i_xt = (np.linalg.slogdet(noisy)[1] - len(covariance) * np.log(variance)) / 2
    a = np.linalg.solve(noisy, covariance)
    return (i_xt + (np.trace(a) ** 2 + np.trace(a @ a)) / (4 * (len(t) - 1))) / np.log(2)


@pytest.mark.parametrize("variance", [0.001, 0.1])
def test_gaussian_information_is_a_determinant(experiment, variance):
    for row in places(experiment, f"gaussian-noise-variance-{variance}"):
        t = experiment.t[row["run"], row["layer"], row["step"]].astype(np.float64)
        i_xt = gaussian_i_xt(t, variance)
        of_classes = [np.mean(experiment.y == y) * gaussian_i_xt(t[experiment.y == y], variance) for y in (0, 1)]
        assert row["i_xt_bits"] == pytest.approx(i_xt, abs=1e-9)
        assert row["i_ty_bits"] == pytest.approx(i_xt - sum(of_classes), abs=1e-9)


def test_fano_is_judged_by_the_accuracy_of_the_recording(experiment):
    """Two classes: I(T;Y) ≥ H(Y) − h(accuracy), of all samples."""
    checks = pl.read_parquet(experiment.root / "checks.parquet")
    checks = checks.filter(estimator="binning-n-edges-3", check="fano", step=LAST_STEP)
    epochs = pl.read_parquet(experiment.root / "recording/epochs/*/*.parquet", hive_partitioning=True)
    bounds = []
    for run in RUNS:
        fit = epochs.filter(run=run, step=LAST_STEP).to_dicts()[0]
        share = experiment.is_train[run].mean()
        right = fit["accuracy_train"] * share + fit["accuracy_test"] * (1 - share)
        bounds.append(plug_in(experiment.y) + right * np.log2(right) + (1 - right) * np.log2(1 - right))
    assert len(checks) == len(LAYERS)
    for row in checks.to_dicts():
        i_ty = [r["i_ty_bits"] for r in places(experiment, "binning-n-edges-3") if matches(r, row)]
        n_violated = sum(value < bound - 0.01 for value, bound in zip(i_ty, bounds, strict=True))
        assert (row["n_runs"], row["n_found"]) == (len(RUNS), n_violated)
        assert min(abs(row["bound"] - bound) for bound in bounds) < 1e-9


def matches(estimate, check):
    return (estimate["layer"], estimate["step"]) == (check["layer"], check["step"])
