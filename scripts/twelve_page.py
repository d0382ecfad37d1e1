"""Writes the tables of docs/reproduction/twelve-estimators.md, between its markers.

Usage: python scripts/twelve_page.py INFOPLANE FOLDER     (needs polars)

INFOPLANE is the program, FOLDER has the experiments `twelve-tishby` and `twelve-mnist` that `infoplane run` made.
"""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl

PAGE = Path(__file__).parents[1] / "docs/reproduction/twelve-estimators.md"
MARKERS = "<!-- tables: begin -->", "<!-- tables: end -->"
NETWORKS = [
    ("twelve-tishby/activation-tanh", "tanh on Tishby's task (Shwartz-Ziv & Tishby)", "5"),
    ("twelve-tishby/activation-relu", "ReLU on Tishby's task (Saxe et al.)", "5"),
    ("twelve-mnist", "ReLU on MNIST", "3"),
]
# Draws of each audit; the slow estimators have fewer.
SEEDS = {"neural": 1, "renyi": 1}


def audit(program: str, experiment: Path, layer: str, families: list[str]) -> dict[str, str]:
    """For each estimator of I(T;Y), its largest error at the shape of the layer, in bits, or how often it gives no estimate."""
    worst = {}
    for seeds in sorted({SEEDS.get(family, 5) for family in families}):
        names = [family for family in families if SEEDS.get(family, 5) == seeds]
        call = [program, "audit", "--like", experiment, "--layer", layer, "--estimators", ",".join(names)]
        call += ["--seeds", str(seeds), "--halves", "0", "--json"]
        done = subprocess.run(call, capture_output=True, text=True)
        if done.returncode != 0:
            worst |= {name: done.stderr.strip().splitlines()[-1] for name in names}
            continue
        for row in json.loads(done.stdout)["estimates"]:
            worst.setdefault(row["estimator"], []).append(row["rmse_bits"])
    return {name: found if isinstance(found, str) else "no estimate" if None in found else f"{max(found):.2f}" for name, found in worst.items()}


def cell(row: dict | None) -> str:
    """The verdict on a layer and the fall of I(X;T) from its peak; – without I(X;T)."""
    if row is None or row["compression_bits_mean"] is None:
        return "–"
    return f"{row['verdict']} ({row['compression_bits_mean']:.2f})"


def network(program: str, outputs: Path, name: str, title: str, layer: str) -> str:
    """The table of one network."""
    folder = outputs / name
    rows = pl.read_parquet(folder / "compression.parquet").with_columns(pl.col("layer").cast(pl.String))
    layers = rows["layer"].unique(maintain_order=True).to_list()
    estimators = rows.select("estimator", "family").unique(maintain_order=True)
    audited = audit(program, folder, layer, estimators["family"].unique(maintain_order=True).to_list())
    plane = pl.read_parquet(folder / "summary.parquet").with_columns(pl.col("layer").cast(pl.String))
    lines = []
    for estimator, family in estimators.iter_rows():
        found = {row["layer"]: row for row in rows.filter(estimator=estimator).to_dicts()}
        cells = [cell(found.get(of)) for of in layers]
        end = plane.filter((pl.col("estimator") == estimator) & (pl.col("layer") == layer)).sort("step").tail(1)
        i_ty = end["i_ty_bits_mean"].item() if end.height else None
        null = end["i_ty_null_bits_mean"].item() if end.height else None
        numbers = [f"{i_ty:.2f}" if i_ty is not None else "–", f"{null:.2f}" if null is not None else "–"]
        same = {name: text for name, text in audited.items() if name == estimator}
        of_family = [text for name, text in audited.items() if name.startswith(family)]
        error = same.get(estimator) or (min(of_family) if of_family else "–")
        lines.append(f"| `{estimator}` | {' | '.join(cells)} | {' | '.join(numbers)} | {error} |")
    heads = [f"layer {of}" for of in layers]
    header = f"| estimator | {' | '.join(heads)} | I(T;Y), layer {layer} | shuffled | error in the audit |"
    return f"### {title}\n\n{header}\n|{'---|' * (header.count('|') - 1)}\n" + "\n".join(lines) + "\n"


def main(program: str, outputs: Path) -> None:
    tables = [network(program, outputs, *row) for row in NETWORKS if (outputs / row[0]).is_dir()]
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(MARKERS[0])
    after = rest.split(MARKERS[1])[1]
    PAGE.write_text(before + MARKERS[0] + "\n\n" + "\n".join(tables) + "\n" + MARKERS[1] + after, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
