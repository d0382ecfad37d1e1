"""Renews the tables of docs/reproduction/twelve-estimators.md.

Usage: python scripts/twelve_page.py     (needs polars; run it in the folder that contains `outputs`)

Reads `compression.parquet` and the estimates of the experiments twelve-tishby, twelve-saxe and twelve-mnist, and the output
of `infoplane audit --like … --json` in outputs/twelve-NAME*.json. The page names the commands.
"""

import json
import re
from pathlib import Path

import polars as pl

PAGE = Path(__file__).parents[1] / "docs/reproduction/twelve-estimators.md"
NETWORKS = ["tishby", "saxe", "mnist"]
WORDS = {
    "compresses": "**yes**",
    "does not compress": "no",
    "undecided": "undecided",
    "cannot tell (saturated)": "saturated",
    "contradicted (checks)": "contradicted",
}


def audited(name):
    """The largest error of I(T;Y) in the audit: the smallest and the largest value over the settings of a family, in bits."""
    rows = []
    for path in sorted(Path("outputs").glob(f"twelve-{name}*.json")):
        rows += json.loads(path.read_text())["estimates"]
    if not rows:
        return {}
    rows = pl.DataFrame(rows, infer_schema_length=None)
    largest = rows.group_by("family", "estimator").agg(pl.col("rmse_bits").max())
    found = largest.drop_nulls().group_by("family").agg(low=pl.col("rmse_bits").min(), high=pl.col("rmse_bits").max())
    form = lambda low, high: f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
    return {family: form(low, high) for family, low, high in found.iter_rows()}


def table(name):
    """One row per estimate, one column per layer: the verdict and the compression of I(X;T) in bits."""
    folder = Path("outputs") / f"twelve-{name}"
    rows = pl.read_parquet(folder / "compression.parquet")
    estimates = pl.read_parquet(folder / "estimates/*/*.parquet", hive_partitioning=False, missing_columns="insert")
    layers = sorted(estimates["layer"].unique())
    errors = audited(name)
    verdicts = {(row["estimator"], row["layer"]): row for row in rows.to_dicts()}
    head = ["estimate", *(f"layer {layer}" for layer in layers[:-1]), "output", "audit: error of I(T;Y)"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    refusals = {}
    for estimator, family in sorted(estimates.select("estimator", "family").unique().iter_rows()):
        of_this = estimates.filter(estimator=estimator)
        cells = []
        for layer in layers:
            here = of_this.filter(layer=layer)
            row = verdicts.get((estimator, layer))
            failures = here["failure"].drop_nulls()
            if len(failures) > 0:
                refusals.setdefault(re.sub(r"^\d+ of", "n of", failures[0]), set()).add(f"`{family}`")
                cells.append(f"refuses {len(failures)} of {here.height}")
            elif here["i_xt_bits"].null_count() == here.height:
                cells.append("no I(X;T)")
            elif row is None or row["compression_bits_mean"] is None:
                cells.append("–")
            else:
                bits = f"{row['compression_bits_mean']:.2f}".replace("-", "−")
                cells.append(f"{WORDS[row['verdict']]} {bits}")
        lines.append("| " + " | ".join([f"`{estimator}`", *cells, errors.get(family, "–")]) + " |")
    reasons = [f"- {', '.join(sorted(families))}: {text}" for text, families in sorted(refusals.items())]
    return "\n".join(lines) + ("\n\nReasons of the refusals:\n\n" + "\n".join(reasons) if reasons else "")


def main():
    page = PAGE.read_text()
    for name in NETWORKS:
        place = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if (Path("outputs") / f"twelve-{name}/compression.parquet").exists():
            page = place.sub(lambda found: f"{found[1]}\n{table(name)}\n\n{found[2]}", page)
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
