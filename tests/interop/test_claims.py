"""What `infoplane verify` says of claims, against SciPy on the tables of estimates."""

import json

import polars as pl
import pytest
from conftest import pipeline
from scipy import stats

PIPELINE = pipeline(runs=6, epochs=30, record="{ log_spaced = 12 }") + """[[estimate]]
estimator = "binning"
n_edges = 30
"""

# Measure, and the same computed from the values of a run and its epochs.
MEASURES = {
    '"start"': lambda t, _: t[0],
    '"end"': lambda t, _: t[-1],
    '"peak"': lambda t, _: t.max(),
    '"drop"': lambda t, _: t.max() - t[-1],
    '"rise"': lambda t, _: t[-1] - t[0],
    "{ change = [2, 30] }": lambda t, epochs: t[-1] - t[epochs.index(2)],
    "{ first_above = 0.02 }": lambda t, epochs: epochs[[i > 0.02 for i in t].index(True)],
}
# What is claimed, and whether an interval is wholly so, wholly not so.
WANTED = {
    "above = 0.05": (lambda low, high: low > 0.05, lambda low, high: high <= 0.05),
    "below = 0.3": (lambda low, high: high < 0.3, lambda low, high: low >= 0.3),
    "near = 0.2\nwithin = 0.15": (lambda low, high: low >= 0.05 and high <= 0.35, lambda low, high: low > 0.35 or high < 0.05),
}
LAYERS = [1, 2, 3]


def claim(measure, wanted):
    return f"""[[expect]]
figure = "Fig. 1"
claim = "it is so"
estimate = "binning-n-edges-30"
quantity = "i_ty"
layer = "all"
measure = {measure}
{wanted}
"""


@pytest.fixture(scope="module")
def experiment(tmp_path_factory, in_folder):
    folder = tmp_path_factory.mktemp("claims")
    (folder / "p.toml").write_text(PIPELINE + "".join(claim(measure, wanted) for measure in MEASURES for wanted in WANTED))
    infoplane = in_folder(folder)
    infoplane.ok("run p.toml")
    return folder, infoplane


def test_intervals_and_verdicts_are_those_of_scipy(experiment):
    folder, _ = experiment
    claims = pl.read_parquet(folder / "outputs/p/claims.parquet")
    estimates = pl.read_parquet(folder / "outputs/p/estimates/binning-n-edges-30/*.parquet")
    epochs = sorted(estimates["epoch"].unique())
    expected = [(measure, wanted, layer) for measure in MEASURES for wanted in WANTED for layer in LAYERS]
    assert claims.height == len(expected)
    for row, (measure, wanted, layer) in zip(claims.iter_rows(named=True), expected):
        of_layer = estimates.filter(pl.col("layer") == layer).sort("run", "step")
        trajectories = of_layer.group_by("run", maintain_order=True).agg("i_ty_bits")["i_ty_bits"]
        numbers = [MEASURES[measure](values, epochs) for values in trajectories]
        assert row["layer"] == layer and row["n_runs"] == len(numbers) == 6
        mean, error = sum(numbers) / 6, stats.sem(numbers)
        # Equal numbers have no interval; six different runs on one side decide by the sign test.
        are_equal = max(numbers) - min(numbers) <= 1e-12 * max(map(abs, numbers))
        low, high = (mean, mean) if are_equal else stats.t.interval(0.95, 5, loc=mean, scale=error)
        # Sums in another order; SciPy's quantile and ours agree to ten digits.
        assert row["mean"] == pytest.approx(mean, abs=1e-9)
        assert (row["low"], row["high"]) == ((None, None) if are_equal else pytest.approx((low, high), abs=1e-9))
        holds, fails = WANTED[wanted]
        verdict = "holds" if holds(low, high) else "fails" if fails(low, high) else "undecided"
        # Runs that are equal at every snapshot are no different runs.
        if are_equal and len({tuple(values) for values in trajectories}) < 6:
            verdict = "undecided"
        assert row["verdict"] == verdict, row


def test_json_and_parquet_say_the_same(experiment):
    folder, infoplane = experiment
    said = json.loads(infoplane.ok("verify outputs/p --pipeline p.toml --json"))
    assert said == pl.read_parquet(folder / "outputs/p/claims.parquet").to_dicts()
