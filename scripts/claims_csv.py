"""Collects the verdicts on the claims of the papers in one CSV file.

Usage: python scripts/claims_csv.py outputs > docs/reproduction/claims.csv     (needs polars)

The argument is the folder that contains the experiments and sweeps, each named after its pipeline. `infoplane run` or
`infoplane verify` must have written `claims.parquet` into each of them. Numbers have as many digits as `infoplane verify` prints.
"""

import csv
import sys
import tomllib
from pathlib import Path

import polars as pl

PIPELINES = Path(__file__).parents[1] / "pipelines"
# First letters of the pipelines of each paper, in the order of the table.
PAPERS = {
    "tishby": "Shwartz-Ziv & Tishby 2017",
    "saxe": "Saxe et al. 2018",
    "mnist": "Saxe et al. 2018",
    "lorenzen": "Lorenzen et al. 2022",
    "goldfeld": "Goldfeld et al. 2019",
    "noisy-tishby": "Goldfeld et al. 2019",
    "grabauskas": "Grabauskas 2019",
}
# Column of the CSV file: column of claims.parquet.
TEXTS = {
    "experiment": "experiment",
    "claim": "claim",
    "layer": "layer",
    "published": "paper",
    "quantity": "quantity",
    "measure": "measure",
    "estimate": "estimator",
    "condition": "wanted",
}
NUMBERS = {"measured": "mean", "low": "low", "high": "high"}
VERDICT = {"runs": "n_runs", "verdict": "verdict", "reason": "reason", "registered": "registered"}
HEADER = ["paper", "figure", "pipeline", *TEXTS, *NUMBERS, *VERDICT]


def short(number: float | None) -> str:
    """A number as `infoplane verify` prints it; empty if it is missing."""
    if number is None:
        return ""
    size = abs(number)
    if size == 0:
        return "0"
    if size >= 1000:
        return f"{number:.0f}"
    if size >= 100:
        return f"{number:.1f}"
    if size >= 0.01:
        return f"{number:.3f}"
    return f"{number:.1e}".replace("e-0", "e-")


def has_claims(pipeline: Path) -> bool:
    return "expect" in tomllib.loads(pipeline.read_text())


def pipelines() -> list[tuple[str, str]]:
    """Paper and name of each pipeline that states claims of a paper."""
    return [
        (paper, path.stem)
        for prefix, paper in PAPERS.items()
        for path in sorted(PIPELINES.glob(f"{prefix}*.toml"))
        if has_claims(path)
    ]


def main(outputs: Path) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(HEADER)
    for paper, pipeline in pipelines():
        for row in pl.read_parquet(outputs / pipeline / "claims.parquet").iter_rows(named=True):
            texts = [row[column] for column in TEXTS.values()]
            numbers = [short(row[column]) for column in NUMBERS.values()]
            writer.writerow([paper, row["figure"], pipeline, *texts, *numbers, *(row[column] for column in VERDICT.values())])


main(Path(sys.argv[1]))
