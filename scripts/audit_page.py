"""Writes docs/audit/leaderboard.md and docs/audit/calibration.md from tables of audits.

Usage: python scripts/audit_page.py --leaderboard FOLDER… [--null FOLDER…] [--truth FOLDER…]     (needs polars)

Each FOLDER is one that `infoplane audit --out FOLDER` wrote. `--null` are audits of independent variables with permutations,
`--truth` audits with many samples; without them, calibration.md is not written.
"""

import argparse
from pathlib import Path

import polars as pl

PAGES = Path(__file__).parents[1] / "docs/audit"
LEADERBOARD = """# Leaderboard of estimators

<!-- Written by scripts/audit_page.py. -->

Errors of all estimators on the distributions of [`infoplane audit`](index.md), in bits. The error is the root mean squared
difference from the true information over the seeds. An estimator **works** on a distribution if its error is at most 0.1 bits, or at most
10 % of the true information. The median is over the distributions that have an estimate; the others have repeated values, too few
dimensions, or another kind of variables than the estimator needs. `tanh-function`, whose information is infinite, is not counted.

```sh
{commands}
```

An estimate of another quantity (for example `renyi`, `soft`, `sliced`, or a bound) is compared with I(X;Y) here all the same: the
table shows what happens if it is read as mutual information. The first row of a table is the estimator that works on the largest share of
its distributions. `decoder`, `gaussian`, `kde` and `soft` are for labels only, and are applied to fewer distributions.
**coverage** is the mean share of 95 % intervals that contain the truth.
"""
CALIBRATION = """# Calibration of estimators

<!-- Written by scripts/audit_page.py. -->

Two checks of every estimator with [`infoplane audit`](index.md): does its permutation null hold, and is it right where it should be?

## Independent variables

X and Y are independent, with {n_null} samples and 400 seeds. An estimate is **within its null** if it is neither below nor above all 39
estimates with permuted Y. This has a probability of 95 %; the standard error of a share over 400 seeds is 1.1 %. The mean estimate
shows the bias: a large estimate is no evidence of information if the null is as large.

{null}

Shares near 100 % come from ties: all samples are in cells of their own, and every permutation gives the same estimate. Then the
permutation null cannot reject anything. `neural` is not in the table, because its estimate of independent variables is often exactly 0.

## Known information

{n_truth} samples. The difference from the truth is in bits, and in standard errors of the mean over the seeds. For an estimator that is a lower
bound, the mean must not be above the truth by more than 3 standard errors.

{truth}

The biases that remain are those that the pages of the estimators name: `edge` has a bias that depends on its bandwidth;
nearest neighbours (`ksg`, `mixed-ksg`) underestimate strong dependence; a density that crosses a value with a probability
(`gao-mixture`) is underestimated by `mixed-ksg`; `lossy` is a lower bound for the distribution, but is itself estimated by `ksg`, which has a
small positive bias for labels.
"""
# Where an estimator should be right, by its source: distributions and largest dimension.
GAUSSIAN = ["gaussian-dense", "gaussian-sparse", "gaussian-pairs", "linear-network", "independent-gaussians"]
MONOTONE = ["normal-cdf", "half-cube", "asinh", "wiggly"]
DENSITY = [*GAUSSIAN, *MONOTONE, "uniform-noise-0.1", "uniform-noise-0.75", "swiss-roll"]
WITH_LABELS = ["ross-mixture", "two-gaussians", "cube-corners", "quantised-normal", "independent-labels"]
SHOULD_BE_RIGHT = {
    "copula-gaussian": (GAUSSIAN + MONOTONE, 3),
    "ksg-k-3": (DENSITY + WITH_LABELS, 1),
    "mixed-ksg-k-3": (DENSITY + WITH_LABELS + ["discrete-table", "zero-inflated-poisson", "gao-mixture", "independent-relu"], 1),
    "kozachenko-leonenko-k-2": (GAUSSIAN + MONOTONE, 1),
    "edge-bandwidth-0.5": (["gaussian-dense", "gaussian-sparse", "discrete-table", "two-gaussians"], 1),
    "binning-n-bins-30-range-run": (["discrete-table", "ross-mixture", "two-gaussians"], 1),
}
BOUNDS = ["decoder-logistic", "neural-infonce", "sliced-slice-dims-1", "lossy-n-components-1", "lossy-n-components-4"]


def summary(folders: list[Path]) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(folder / "audit_summary.parquet") for folder in folders])


def number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def table(header: str, rows: list[str]) -> str:
    columns = header.count("|") - 1
    return "\n".join([header, "|" + "---|" * columns, *rows])


def overview(rows: pl.DataFrame) -> str:
    """One line for each estimator, the best first."""
    rows = rows.filter(pl.col("truth_bits").is_not_null())
    is_right = pl.col("rmse_bits") <= pl.max_horizontal(0.1, 0.1 * pl.col("truth_bits"))
    grouped = rows.group_by("estimator").agg(
        is_right.sum().alias("right"),
        (pl.col("n_seeds") > 0).sum().alias("n"),
        (pl.col("n_seeds") + pl.col("n_failed")).max().alias("seeds"),
        pl.col("rmse_bits").median().alias("median"),
        pl.col("rmse_bits").max().alias("largest"),
        pl.col("distribution").filter(pl.col("rmse_bits").is_not_null()).sort_by(pl.col("rmse_bits").drop_nulls()).last().alias("worst"),
        pl.col("coverage").mean(),
    )
    share = (pl.col("right") / pl.col("n")).fill_nan(-1.0)
    order = grouped.sort([-share, "median", "estimator"], nulls_last=True)
    lines = []
    for row in order.to_dicts():
        worst = f"{row['largest']:.2f} (`{row['worst']}`)" if row["largest"] is not None else "–"
        cells = [f"`{row['estimator']}`", f"{row['right']} of {row['n']}", number(row["median"], ".3f"), worst]
        lines.append(f"| {' | '.join(cells)} | {number(row['coverage'], '.0%')} | {row['seeds']} |")
    return table("| estimator | works on | median error | largest error | coverage | seeds |", lines)


def best(rows: pl.DataFrame) -> str:
    """The estimators with the smallest errors for each distribution."""
    rows = rows.filter(pl.col("truth_bits").is_not_null() & pl.col("rmse_bits").is_not_null())
    lines = []
    for (name, truth), group in rows.group_by("distribution", "truth_bits", maintain_order=True):
        first = group.sort("rmse_bits", "estimator").head(3)
        names = ", ".join(f"`{e}` {error:.3f}" for e, error in first.select("estimator", "rmse_bits").iter_rows())
        lines.append(f"| `{name}` | {truth:.3f} | {names} |")
    return table("| distribution | truth | smallest errors |", lines)


def nulls(rows: pl.DataFrame) -> str:
    """The share of estimates within their null, for each estimator and kind of independent variables."""
    rows = rows.filter(pl.col("within_null").is_not_null() & (pl.col("truth_bits") == 0)).with_columns(
        (pl.col("distribution").str.strip_prefix("independent-") + ", d = " + pl.col("dims").cast(pl.String)).alias("case")
    )
    cases = rows["case"].unique(maintain_order=True).sort().to_list()
    lines = []
    for (name,), group in rows.group_by("estimator", maintain_order=True):
        found = {row["case"]: f"{row['within_null']:.1%} ({row['mean_bits']:.2f})" for row in group.to_dicts()}
        lines.append(f"| `{name}` | {' | '.join(found.get(case, '–') for case in cases)} |")
    return "Share within the null (mean estimate in bits):\n\n" + table(f"| estimator | {' | '.join(cases)} |", lines)


def truths(rows: pl.DataFrame) -> str:
    """The bias where an estimator should be right, and the largest excess of a bound."""
    rows = rows.filter((pl.col("n_seeds") > 1) & pl.col("bias_bits").is_not_null())
    rows = rows.with_columns((pl.col("bias_bits") / (pl.col("std_bits") / pl.col("n_seeds").sqrt())).alias("z"))
    lines = []
    for name, (distributions, most) in SHOULD_BE_RIGHT.items():
        wanted = (pl.col("estimator") == name) & pl.col("distribution").is_in(distributions) & (pl.col("dims") <= most)
        group = rows.filter(wanted)
        if group.is_empty():
            continue
        outside = group.filter(pl.col("z").abs() > 3).sort(pl.col("bias_bits").abs(), descending=True)
        listed = ", ".join(
            f"`{row['distribution']}` d = {row['dims']}: {row['bias_bits']:+.3f} of {row['truth_bits']:.2f}" for row in outside.to_dicts()
        )
        lines.append(f"| `{name}` | {group.height - outside.height} of {group.height} | {listed or '–'} |")
    for name in BOUNDS:
        group = rows.filter(pl.col("estimator") == name)
        if group.is_empty():
            continue
        above = group.filter(pl.col("z") > 3).sort("bias_bits", descending=True)
        listed = ", ".join(
            f"`{row['distribution']}` d = {row['dims']}: {row['bias_bits']:+.3f} of {row['truth_bits']:.2f}" for row in above.to_dicts()
        )
        lines.append(f"| `{name}` (lower bound) | {group.height - above.height} of {group.height} | {listed or '–'} |")
    return table("| estimator | within 3 standard errors | the others: bias in bits |", lines)


def numbers(values: pl.Series) -> str:
    return ",".join(map(str, sorted(values.unique())))


def command(folder: Path) -> str:
    rows = summary([folder])
    families = ",".join(rows["family"].unique(maintain_order=True))
    n_seeds = (rows["n_seeds"] + rows["n_failed"]).max()
    return f"infoplane audit --estimators {families} --dims {numbers(rows['dims'])} --samples {numbers(rows['n_samples'])} --seeds {n_seeds}"


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("leaderboard", "null", "truth"):
        parser.add_argument(f"--{name}", nargs="+", type=Path, default=[])
    given = parser.parse_args()
    if given.leaderboard:
        rows = summary(given.leaderboard)
        parts = [LEADERBOARD.format(commands="\n".join(map(command, given.leaderboard)))]
        for n in sorted(rows["n_samples"].unique()):
            for d in sorted(rows["dims"].unique()):
                here = rows.filter((pl.col("dims") == d) & (pl.col("n_samples") == n))
                if here.height:
                    title = f"{d} dimension{'s' if d > 1 else ''}, {n} samples"
                    parts.append(f"\n## {title}\n\n{overview(here)}\n\nBest estimators by distribution:\n\n{best(here)}\n")
        (PAGES / "leaderboard.md").write_text("".join(parts), encoding="utf-8")
    if given.null and given.truth:
        null, truth = summary(given.null), summary(given.truth)
        text = CALIBRATION.format(
            null=nulls(null), truth=truths(truth), n_null=numbers(null["n_samples"]).replace(",", " or "), n_truth=numbers(truth["n_samples"])
        )
        (PAGES / "calibration.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
