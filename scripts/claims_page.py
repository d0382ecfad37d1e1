"""Writes the page with the table of all claims from the CSV file.

Usage: python scripts/claims_page.py     (reads docs/reproduction/claims.csv, writes docs/reproduction/claims.md)
"""

import csv
from collections import Counter
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "docs/reproduction"
VERDICTS = ["holds", "fails", "undecided"]
COLUMNS = ["paper", "figure", "claim", "layer", "verdict", "measured", "condition", "published", "number", "experiment", "reason"]
TEXT = """# All claims

<!-- Written by scripts/claims_page.py from claims.csv. -->

Every claim, with what the papers published, what was measured, and the verdict: {n} rows, {holds} hold, {fails} fail, {undecided}
are undecided. [The page on the reproduction](index.md#how-a-claim-is-judged) explains the verdicts.
[claims.csv](claims.csv) is the same table with one value per column. With scripts enabled, the table can be filtered,
and a click on a column's name sorts it.

- **measured**: mean over the runs, 95 % interval of the mean, number of runs. There is no interval if all runs give exactly
  the same number.
- **condition**: the range in which the claim requires the number to be.
- **published**: the value in the paper, in the authors' files, or in an independent run of the published code ("re-run").
- **number**: the quantity, how one number is taken from its curve over the training, and the estimate.
- **experiment**: the pipeline, then the experiment of the sweep if the pipeline is a sweep.
- **reason**: why the interval alone does not decide the claim; empty if it does.

"""
SCRIPT = '\n<script src="claims.js"></script>\n'


def escaped(text: str) -> str:
    """Text without a meaning in Markdown."""
    for sign in "\\|*_<[":
        text = text.replace(sign, f"\\{sign}")
    return text


def measured(row: dict[str, str]) -> str:
    runs = f"{row['runs']} runs"
    match row["measured"], row["low"]:
        case "", _:
            return "–"
        case number, "":
            return f"{number}, {runs}"
        case number, low:
            return f"{number} [{low}, {row['high']}], {runs}"


def cells(row: dict[str, str]) -> list[str]:
    """A row of the page; names are code, other cells are text."""
    is_sweep = row["experiment"] != row["pipeline"]
    experiment = f"`{row['pipeline']}`" + (f" `{row['experiment']}`" if is_sweep else "")
    number = f"`{row['quantity']}` {escaped(row['measure'])}" + (f", `{row['estimate']}`" if row["estimate"] else "")
    texts = {**row, "measured": measured(row)}
    codes = {"experiment": experiment, "number": number}
    return [codes.get(column) or escaped(texts[column]) for column in COLUMNS]


def main() -> None:
    with open(FOLDER / "claims.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    counts = Counter(row["verdict"] for row in rows)
    lines = [COLUMNS, ["---"] * len(COLUMNS), *map(cells, rows)]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    text = TEXT.format(n=len(rows), **{verdict: counts[verdict] for verdict in VERDICTS})
    (FOLDER / "claims.md").write_text(text + table + SCRIPT)


main()
