"""Writes the pages docs/audit/leaderboard.md and docs/audit/calibration.md from the tables of audits. Needs polars.

Usage: python scripts/audit_page.py FOLDER...                             the leaderboard
       python scripts/audit_page.py --null FOLDER... --truth FOLDER...    the calibration
The pages contain the commands that made the tables.
"""

import argparse
from pathlib import Path

import polars as pl

PAGES = Path(__file__).parents[1] / "docs/audit"
KEYS = ["estimator", "distribution", "dims", "n_samples"]

LEADERBOARD = """# Leaderboard of estimators

<!-- Written by scripts/audit_page.py. -->

Errors of all estimators, with their default parameters, on the distributions of [`infoplane audit`](index.md), in bits. The error on a
distribution is the root mean squared difference from the true information over seeds. Distributions with infinite information are left out.

An estimate of another quantity (for example `renyi`, `soft`, `sliced`, `quantised`, or a bound) is compared with I(X;Y) here all the same:
the tables show what happens if it is read as mutual information. `gaussian`, `kde`, `soft` and `decoder` have estimates only if Y is a
class, so their rows are about fewer and easier distributions. Compare two rows only if they have the same number of distributions.

The calculation takes about 15 minutes of processor time. The slow estimators have no intervals, and `renyi` has fewer seeds:

```sh
infoplane audit --estimators binning,copula,decoder,edge,gaussian,kde,kozachenko-leonenko,ksg,lossy,mixed-ksg,quantised,soft \\
    --dims 1,3,10 --samples 1000 --seeds 10 --halves 20 --out outputs/audit-fast
infoplane audit --estimators neural,sliced --dims 1,3,10 --samples 1000 --seeds 10 --out outputs/audit-neural
infoplane audit --estimators renyi --dims 1,3,10 --samples 1000 --seeds 3 --out outputs/audit-renyi
python scripts/audit_page.py outputs/audit-fast outputs/audit-neural outputs/audit-renyi
```

## Where each estimator works

The distributions on which the error is at most 0.1 bits or at most 10 % of the true information, with the dimensions d. The names are
explained by `infoplane audit --list`. With 1000 samples the sampling error of `ksg` alone is about 0.05 bits.

A distribution in this list proves little if an estimate near 0 is right: the information of `independent-…` is 0, and that of `student-3`
in one dimension is 0.06 bits. `binning`, `edge`, `quantised`, `renyi` and `soft` may also be right by chance, where their upward bias and
their loss of information cancel: another number of samples or another scale gives another list.

"""

COLUMNS = """
- **seeds**: number of independent draws of each distribution.
- **works**, **too high**, **too low**: number of distributions on which the estimator works, as in the table above, and on which it does
  not, by the sign of the mean error.
- **none**: number of distributions without any estimate, for example because values repeat. `infoplane audit --all` prints the reasons.
- **median error**, **largest error**: over the distributions that have an estimate.
- **coverage**: mean over the distributions of the share of 95 % intervals that contain the truth; – means that there are no intervals.

An estimator with a small median may have few estimates, so read the numbers of distributions first.

The largest error of `neural` in one dimension is from estimates far below 0: for `student-1`, which has heavy tails, the lowest of ten is
−30 bits. That of `kozachenko-leonenko` in one dimension is `swiss-roll`, where X is a curve in the plane and has no density.
`renyi` with the orders 1 and 1.01 has no estimate of {n_renyi} of {n_renyi_all} draws, because the computation of the eigenvalues did not converge.
"""

CALIBRATION = """# Calibration of estimators

<!-- Written by scripts/audit_page.py. -->

Two measurements with the distributions of [`infoplane audit`](index.md): are estimates of independent variables within their permutation
null as often as they should be, and are estimates right where their sources say that they are?

## Independent variables

The table shows the share of draws in which the estimate is neither below nor above all 39 estimates with permuted Y. The expected share
is 38/40 = 95 %; its standard error is 1.1 % for 400 draws and 0.3 % for 4000. {n_cells} shares were measured; a share between 93 and 97 %
is within 1.8 standard errors, so about 7 % of them are outside by chance. Shares outside are bold. The table shows the dimension d
(columns) and the number of samples N; – means that there is no estimate, because the estimator is for another kind of variables or
refuses repeated values.

```sh
null=independent-gaussians,independent-labels,independent-relu
infoplane audit --estimators binning,copula,decoder,edge,gaussian,kde,kozachenko-leonenko,ksg,lossy,mixed-ksg,quantised,soft \\
    --distributions $null --dims 1,3 --samples 200 --seeds 400 --shuffles 39 --out outputs/null-fast
infoplane audit --estimators renyi --distributions $null --dims 1,3 --samples 100 --seeds 400 --shuffles 39 --out outputs/null-renyi
infoplane audit --estimators sliced --set n_slices=8 --distributions $null --dims 3 --samples 200 --seeds 400 --shuffles 39 \\
    --out outputs/null-sliced
infoplane audit --estimators edge,kde --distributions independent-gaussians,independent-labels --dims 1 --samples 200 \\
    --seeds 4000 --shuffles 39 --out outputs/null-more
```

{nulls}

\\* In at least 1 % of the draws the estimate is equal to the smallest or the largest one with permuted Y. Such an estimate counts as
within, so the share may be above 95 %. With `binning` and `quantised` nearly all samples have a cell of their own: the estimate is about
log2 N or H(Y), whatever Y is.

(4000): number of draws if it is not 400. With 400 draws, three shares in one dimension were above 97 %: `edge-bandwidth-0.25` of gaussians
(97.5 %) and labels (97.2 %), and `kde-upper-noise-variance-0.1` of labels (97.5 %). In 3600 other draws they are 94.6, 95.5 and 95.5 %:
they were above by chance.

Over all shares without \\* the mean is {mean_share}.

**What it means.** The permutation null of these estimators can be used as it is, also if the estimate itself has a large bias: the null
has the same bias. Where the shares are 100 %, the estimate contains nothing about the variables. `neural` was not measured: most of its
estimates of independent variables are exactly 0.

## Where the truth should be found

N = 5000. The table shows the distributions for which the source of an estimator says that it works. The mean over seeds should differ
from the truth by at most three standard errors (SE). Differences are in bits.

```sh
infoplane audit --estimators binning,copula,decoder,edge,gaussian,kde,ksg,lossy,mixed-ksg,quantised,soft --dims 1,3 --samples 5000 \\
    --seeds 20 --out outputs/truth-fast
infoplane audit --estimators kozachenko-leonenko --dims 1,3 --samples 5000 --seeds 10 --out outputs/truth-kl
infoplane audit --estimators neural --dims 1,3 --samples 5000 --seeds 5 --out outputs/truth-neural
infoplane audit --estimators sliced --dims 3 --samples 5000 --seeds 5 --out outputs/truth-sliced
python scripts/audit_page.py --null outputs/null-fast outputs/null-renyi outputs/null-sliced outputs/null-more \\
    --truth outputs/truth-fast outputs/truth-kl outputs/truth-neural outputs/truth-sliced
```

{truth}

The differences have these reasons:

- `ksg`, `mixed-ksg`, three dimensions on both sides: too low, by 0.08 to 0.23 bits for normal variables and their monotone functions, and
  more for uniform noise, whose density has edges ([many dimensions](../estimators/ksg.md#when-it-is-wrong)). With edges the estimate is too
  low in one dimension also, by 0.03 bits.
- `ksg`, `mixed-ksg`, three dimensions and classes, counts or corners (`cube-corners`, `quantised-normal`, `cube-in-noise`,
  `zero-inflated-poisson`): too *high*, by 0.01 to 0.035 bits. A brute-force calculation in NumPy of 20 other draws of `quantised-normal`
  is also too high, by 0.013 ± 0.004 bits.
- `mixed-ksg`, `independent-relu`, three dimensions: too *high*, by 0.12 bits, although X and Y are independent. A sample with some
  coordinates equal to 0 may have many neighbours at exactly the distance of the k-th, and these are not counted. In NumPy, the same
  calculation gives 0.11 bits, and 0.10 of them come from the 8 % of the samples with such neighbours. The permutation null has the same bias (table above), so compare the estimate with it.
- `mixed-ksg`, `gao-mixture`: a density crosses values with a probability ([its page](../estimators/mixed-ksg.md#when-it-is-wrong)).
- `kozachenko-leonenko`: the errors of the entropies do not cancel, because the joint variable has twice as many dimensions, and a class has
  fewer samples ([its page](../estimators/kozachenko-leonenko.md#when-it-is-wrong) gives the errors). Edges of the density add to them.
- `edge`: no bandwidth is right for weak and for strong dependence ([its page](../estimators/edge.md)).

## Lower bounds

The mean over seeds should be at most the truth plus three standard errors, on every distribution with an estimate. A bound may be much
too low; the [leaderboard](leaderboard.md) shows how much.

{bounds}

For `lossy`, which applies `ksg`, the exceptions are those of `ksg` in the table above: the bound holds for the distribution, not for the
estimate. `gaussian`, `kde`, `quantised`, `renyi` and `soft` estimate other quantities, so they have no truth here.
`decoder` had no estimate of {n_decoder} draws of `discrete-table`, because the classifier did not converge.
"""

NORMAL = "gaussian-dense gaussian-sparse gaussian-pairs normal-cdf half-cube asinh wiggly linear-network independent-gaussians".split()
CLASSES = "quantised-normal two-gaussians cube-corners ross-mixture independent-labels".split()
UNIFORM = ["uniform-noise-0.1", "uniform-noise-0.75"]
# For each family: the distributions for which its source says that it is right.
RIGHT = {
    "ksg": NORMAL + UNIFORM + CLASSES,
    "mixed-ksg": NORMAL + UNIFORM + CLASSES + "gao-mixture zero-inflated-poisson discrete-table cube-in-noise independent-relu".split(),
    "copula": NORMAL + ["independent-labels"],
    "kozachenko-leonenko": NORMAL + UNIFORM + CLASSES,
    "edge": ["discrete-table", "gaussian-dense", "gaussian-pairs"],
    "binning": ["discrete-table"],
}
BOUNDS = ["decoder", "lossy", "neural", "sliced"]
# At most three standard errors.
N_ERRORS = 3


def table(heads: list[str], lines: list[list[object]]) -> str:
    """A table in Markdown."""
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)


def number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form).replace("-", "−")


def summaries(folders: list[Path]) -> pl.DataFrame:
    """The summaries of several audits, one below the other."""
    return pl.concat([pl.read_parquet(folder / "audit_summary.parquet") for folder in folders])


def names(rows: pl.DataFrame) -> str:
    """The distributions with their dimensions: `asinh` 1, 3."""
    grouped = rows.group_by("distribution").agg(pl.col("dims").unique().sort()).sort("distribution")
    return "; ".join(f"`{name}` {', '.join(map(str, dims))}" for name, dims in grouped.iter_rows()) or "–"


def with_outcome(rows: pl.DataFrame) -> pl.DataFrame:
    """A column `outcome`: works, too high, too low or none."""
    error, limit = pl.col("rmse_bits"), pl.max_horizontal(0.1, 0.1 * pl.col("truth_bits"))
    side = pl.when(pl.col("bias_bits") > 0).then(pl.lit("too high")).otherwise(pl.lit("too low"))
    outcome = pl.when(error.is_null()).then(pl.lit("none")).when(error <= limit).then(pl.lit("works")).otherwise(side)
    return rows.with_columns(outcome=outcome)


def overview(rows: pl.DataFrame) -> str:
    """One line for each estimator, the best first."""
    outcomes = ["works", "too high", "too low", "none"]
    found = rows.group_by("estimator").agg(
        *[(pl.col("outcome") == outcome).sum().alias(outcome) for outcome in outcomes],
        (pl.col("n_seeds") + pl.col("n_failed")).max().alias("seeds"),
        pl.col("rmse_bits").median().alias("median"),
        pl.col("rmse_bits").max().alias("largest"),
        pl.col("distribution").sort_by("rmse_bits", nulls_last=False).last().alias("worst"),
        pl.col("coverage").mean(),
    )
    lines = []
    for row in found.sort("median", "estimator", nulls_last=True).to_dicts():
        largest = "–" if row["largest"] is None else f"{row['largest']:.2f} (`{row['worst']}`)"
        counts = [row[outcome] for outcome in outcomes]
        numbers = [number(row["median"], ".3f"), largest, number(row["coverage"], ".0%")]
        lines.append([f"`{row['estimator']}`", row["seeds"], *counts, *numbers])
    return table(["estimator", "seeds", *outcomes, "median error", "largest error", "coverage"], lines)


def leaderboard(folders: list[Path]) -> str:
    every = summaries(folders)
    eigenvalues = every.filter(estimator="renyi-order-1")
    notes = COLUMNS.format(n_renyi=eigenvalues["n_failed"].sum(), n_renyi_all=(eigenvalues["n_failed"] + eigenvalues["n_seeds"]).sum())
    rows = with_outcome(every.filter(pl.col("truth_bits").is_not_null()))
    good = rows.filter(outcome="works")
    lines = []
    for (estimator,), here in rows.group_by("estimator", maintain_order=True):
        mine = good.filter(estimator=estimator)
        lines.append([f"`{estimator}`", f"{mine.height} of {here.height}", names(mine)])
    parts = [LEADERBOARD, table(["estimator", "works on", "distributions, dimensions"], sorted(lines)), "\n\n## Errors\n", notes]
    for (n, d), here in rows.sort("n_samples", "dims").group_by("n_samples", "dims", maintain_order=True):
        parts.append(f"\n## {d} dimension{'s' if d > 1 else ''}, {n} samples\n\n{overview(here)}\n")
    return "".join(parts)


def null_table(folders: list[Path]) -> tuple[str, int, str]:
    """The shares within the null, the number of shares, and the mean of those without ties."""
    rows = pl.concat([pl.read_parquet(folder / "audit.parquet") for folder in folders])
    rows = rows.filter((pl.col("truth_bits") == 0) & pl.col("estimate_bits").is_not_null())
    value, low, high = (pl.col(name) for name in ("estimate_bits", "null_bits_low", "null_bits_high"))
    inside, ties = value.is_between(low, high), (value == low) | (value == high)
    # Seeds that two folders have in common are the same draws.
    cells = rows.unique([*KEYS, "seed"]).group_by(KEYS).agg(pl.len().alias("n"), inside.mean().alias("share"), ties.mean().alias("ties"))
    columns = cells.select("distribution", "dims").unique().sort("distribution", "dims").rows()
    lines = []
    for (estimator, n_samples), here in cells.sort("estimator").group_by("estimator", "n_samples", maintain_order=True):
        texts = []
        for distribution, dims in columns:
            cell = here.filter(distribution=distribution, dims=dims).to_dicts()
            if not cell:
                texts.append("–")
                continue
            share, n = cell[0]["share"], cell[0]["n"]
            text = f"{100 * share:.1f}"
            text = text if 0.93 <= share <= 0.97 else f"**{text}**"
            texts.append(text + (" \\*" if cell[0]["ties"] >= 0.01 else "") + (f" ({n})" if n > 400 else ""))
        lines.append([f"`{estimator}`", n_samples, *texts])
    heads = [f"{distribution.removeprefix('independent-')}, d = {dims}" for distribution, dims in columns]
    mean = cells.filter(pl.col("ties") < 0.01)["share"].mean()
    return table(["estimator", "N", *[f"{head} (%)" for head in heads]], lines), cells.height, f"{100 * mean:.1f} %"


def differences(rows: pl.DataFrame) -> str:
    texts = []
    for row in rows.sort("dims", "distribution").to_dicts():
        texts.append(f"`{row['distribution']}` {row['dims']}: {number(row['bias_bits'], '+.3f')} ({abs(row['n_errors']):.0f} SE)")
    return "; ".join(texts) or "–"


def compared(folders: list[Path]) -> tuple[str, str]:
    """The table of estimates that should be right, and the table of bounds."""
    rows = summaries(folders).filter((pl.col("n_seeds") > 2) & pl.col("truth_bits").is_not_null())
    standard_error = pl.col("std_bits") / pl.col("n_seeds").sqrt()
    # Estimates that are all equal to the truth have no standard error.
    n_errors = pl.when(pl.col("bias_bits") == 0).then(0.0).otherwise(pl.col("bias_bits") / standard_error)
    rows = rows.with_columns(n_errors=n_errors)
    right, bounds = [], []
    for (family, estimator), here in rows.sort("estimator").group_by("family", "estimator", maintain_order=True):
        seeds = (here["n_seeds"] + here["n_failed"]).max()
        if family in RIGHT:
            mine = here.filter(pl.col("distribution").is_in(RIGHT[family]))
            outside = mine.filter(pl.col("n_errors").abs() > N_ERRORS)
            inside = mine.filter(pl.col("n_errors").abs() <= N_ERRORS)
            right.append([f"`{estimator}`", seeds, f"{inside.height} of {mine.height}", names(inside), differences(outside)])
        if family in BOUNDS:
            above = here.filter(pl.col("n_errors") > N_ERRORS)
            bounds.append([f"`{estimator}`", seeds, f"{here.height - above.height} of {here.height}", differences(above)])
    heads = ["estimator", "seeds", "right", "right on, dimensions", "not right on, dimension: difference"]
    return table(heads, right), table(["estimator", "seeds", "below", "above on, dimension: difference"], bounds)


def calibration(nulls: list[Path], truths: list[Path]) -> str:
    null_text, n_cells, mean_share = null_table(nulls)
    truth, bounds = compared(truths)
    decoder = summaries(truths).filter(family="decoder", distribution="discrete-table")
    numbers = {"n_cells": n_cells, "mean_share": mean_share, "n_decoder": decoder["n_failed"].sum()}
    return CALIBRATION.format(nulls=null_text, truth=truth, bounds=bounds, **numbers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help="audits for the leaderboard")
    parser.add_argument("--null", nargs="+", type=Path, default=[], help="audits of independent variables with shuffles")
    parser.add_argument("--truth", nargs="+", type=Path, default=[], help="audits with many samples")
    arguments = parser.parse_args()
    if bool(arguments.null) != bool(arguments.truth) or not (arguments.folders or arguments.null):
        parser.error("give folders for the leaderboard, or both --null and --truth for the calibration")
    if arguments.folders:
        (PAGES / "leaderboard.md").write_text(leaderboard(arguments.folders), encoding="utf-8")
    if arguments.null:
        (PAGES / "calibration.md").write_text(calibration(arguments.null, arguments.truth), encoding="utf-8")


if __name__ == "__main__":
    main()
