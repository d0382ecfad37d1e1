"""Writes docs/audit/leaderboard.md from the table of an audit.

Usage: python scripts/audit_page.py outputs/audit     (reads audit_summary.parquet; needs polars)
"""

import sys
from pathlib import Path

import polars as pl

PAGE = Path(__file__).parents[1] / "docs/audit/leaderboard.md"
TEXT = """# Leaderboard of estimators

<!-- Written by scripts/audit_page.py. -->

Errors of all estimators on the distributions of [`infoplane audit`](index.md), in bits: {n_seeds} seeds each. The error is the root
mean squared difference from the true information. A distribution without an estimate (values repeat, too few samples) is not
counted in the median; the column **estimates** shows for how many distributions there is one.

```sh
{command}
python scripts/audit_page.py outputs/audit
```

An estimate of another quantity (for example `renyi`, `soft`, `sliced`, or a bound) is compared with I(X;Y) here all the same: the
table shows what happens if it is read as mutual information.
"""


def overview(rows: pl.DataFrame) -> str:
    """One line for each estimator, the best first."""
    lines = ["| estimator | estimates | median error | largest error | coverage | in null |", "|---|---|---|---|---|---|"]
    nulls = pl.col("truth_bits") == 0
    table = rows.group_by("estimator").agg(
        pl.col("rmse_bits").median().alias("median"),
        pl.col("rmse_bits").max().alias("largest"),
        pl.col("distribution").sort_by("rmse_bits", nulls_last=False).last().alias("worst"),
        (pl.col("n_seeds") > 0).sum().alias("n"),
        pl.len().alias("of"),
        pl.col("coverage").mean(),
        pl.col("within_null").filter(nulls).mean(),
    )
    number = lambda value, form: "–" if value is None else format(value, form)
    for row in table.sort("median", "estimator", nulls_last=True).to_dicts():
        worst = f"{number(row['largest'], '.2f')} (`{row['worst']}`)" if row["largest"] is not None else "–"
        lines.append(
            f"| `{row['estimator']}` | {row['n']} of {row['of']} | {number(row['median'], '.3f')} | {worst} "
            f"| {number(row['coverage'], '.0%')} | {number(row['within_null'], '.0%')} |"
        )
    return "\n".join(lines)


def main() -> None:
    rows = pl.read_parquet(Path(sys.argv[1]) / "audit_summary.parquet")
    n_seeds = (rows["n_seeds"] + rows["n_failed"]).max()
    dims, samples = sorted(rows["dims"].unique()), sorted(rows["n_samples"].unique())
    command = "infoplane audit --dims {} --samples {} --seeds {}".format(
        ",".join(map(str, dims)), ",".join(map(str, samples)), n_seeds
    )
    parts = [TEXT.format(n_seeds=n_seeds, command=command)]
    for n in samples:
        for d in dims:
            here = rows.filter((pl.col("dims") == d) & (pl.col("n_samples") == n))
            if here.height:
                parts.append(f"\n## {d} dimension{'s' if d > 1 else ''}, {n} samples\n\n{overview(here)}\n")
    PAGE.write_text("".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
