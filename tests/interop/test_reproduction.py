"""docs/reproduction: claims.csv, the table of all claims and the pages of the papers agree with each other and with the pipelines."""

import re
import tomllib
from collections import Counter

import polars as pl
import pytest
from conftest import TOP

FOLDER = TOP / "docs/reproduction"
# Every value is compared as it is written.
CLAIMS = pl.read_csv(FOLDER / "claims.csv", infer_schema=False).fill_null("")
PAPERS = ["tishby.md", "saxe.md", "lorenzen.md", "goldfeld.md", "grabauskas.md"]
VERDICTS = ["holds", "fails", "undecided"]
# | figure | `pipeline` | hold | fail | undecided |
COUNTS = re.compile(r"^\| ([^|]+) \| `([\w-]+)` \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
# | [paper](page) | claims | hold | fail | undecided | …
SUMS = re.compile(r"^\| \[([^]]+)\]\(\w+\.md\) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|", re.MULTILINE)


def counts(claims):
    return [claims.filter(pl.col("verdict") == verdict).height for verdict in VERDICTS]


def claimed(pipeline):
    """The claims in a pipeline file: figure, claim and published value."""
    claims = tomllib.loads((TOP / "pipelines" / f"{pipeline}.toml").read_text())["expect"]
    return {(claim["figure"], claim["claim"], claim.get("paper", "")) for claim in claims}


def unescaped(cell):
    return re.sub(r"\\([\\|*_<\[])", r"\1", cell)


def page_rows():
    """The cells of the table of all claims."""
    lines = (FOLDER / "claims.md").read_text().splitlines()
    table = [line for line in lines if line.startswith("| ")]
    return [[unescaped(cell) for cell in re.split(r"(?<!\\)\|", line[1:-1])] for line in table[2:]]


def shown(row):
    """The cells that the page must have for a row of the CSV file."""
    experiment = f"`{row['pipeline']}`"
    if row["experiment"] != row["pipeline"]:
        experiment += f" `{row['experiment']}`"
    number = f"`{row['quantity']}` {row['measure']}"
    if row["estimate"]:
        number += f", `{row['estimate']}`"
    measured = "–"
    if row["measured"]:
        interval = f" [{row['low']}, {row['high']}]" if row["low"] else ""
        measured = f"{row['measured']}{interval}, {row['runs']} runs"
    place = [row[column] for column in ["paper", "figure", "claim", "layer"]]
    return [*place, row["verdict"], measured, row["condition"], row["published"], number, experiment, row["reason"]]


def test_the_page_has_every_row_of_the_csv_file():
    page = [[cell.strip() for cell in cells] for cells in page_rows()]
    assert page == [shown(row) for row in CLAIMS.iter_rows(named=True)]


def test_the_page_counts_its_verdicts():
    words = " ".join((FOLDER / "claims.md").read_text().split())
    holds, fails, undecided = counts(CLAIMS)
    assert f"{CLAIMS.height} rows, {holds} hold, {fails} fail, {undecided} are undecided" in words


def test_the_page_is_smaller_than_a_megabyte():
    assert (FOLDER / "claims.md").stat().st_size < 1_000_000


@pytest.mark.parametrize("pipeline", CLAIMS["pipeline"].unique(maintain_order=True))
def test_the_csv_file_has_the_claims_of_the_pipeline(pipeline):
    rows = CLAIMS.filter(pl.col("pipeline") == pipeline)
    assert set(rows.select("figure", "claim", "published").iter_rows()) == claimed(pipeline)


def judged(condition, low, high):
    """The verdict on an interval: inside the condition, outside, or neither."""
    numbers = [float(number) for number in re.findall(r"-?[\d.]+(?:e-?\d+)?", condition)]
    if condition.startswith("above"):
        holds, fails = low > numbers[0], high <= numbers[0]
    elif condition.startswith("below"):
        holds, fails = high < numbers[0], low >= numbers[0]
    else:
        near, within = numbers
        holds, fails = near - within <= low and high <= near + within, low > near + within or high < near - within
    return "holds" if holds else "fails" if fails else "undecided"


def test_verdicts_follow_from_intervals():
    rows = CLAIMS.filter(pl.col("low") != "", pl.col("reason") == "")
    expected = [judged(row["condition"], float(row["low"]), float(row["high"])) for row in rows.iter_rows(named=True)]
    assert rows["verdict"].to_list() == expected


def test_claims_without_an_interval_are_decided_by_six_runs_or_not_at_all():
    rows = CLAIMS.filter(pl.col("low") == "", pl.col("measured") != "")
    for row in rows.iter_rows(named=True):
        number = float(row["measured"])
        verdicts = {"undecided"} if int(row["runs"]) < 6 else {"undecided", judged(row["condition"], number, number)}
        assert row["verdict"] in verdicts, row


def test_an_undecided_claim_with_a_reason_is_not_judged_by_its_interval():
    assert set(CLAIMS.filter(pl.col("low") != "", pl.col("reason") != "")["verdict"]) == {"undecided"}


@pytest.mark.parametrize("page", PAPERS)
def test_pages_of_papers_count_verdicts_as_the_csv_file_does(page):
    table = COUNTS.findall((FOLDER / page).read_text())
    pipelines = {pipeline for _, pipeline, *_ in table}
    groups = CLAIMS.filter(pl.col("pipeline").is_in(pipelines)).group_by("figure", "pipeline")
    expected = {group: counts(claims) for group, claims in groups}
    assert {(figure, pipeline): list(map(int, numbers)) for figure, pipeline, *numbers in table} == expected


@pytest.mark.parametrize("page", [*PAPERS, "index.md"])
def test_numbers_on_pages_are_in_the_csv_file(page):
    """Comparisons with the authors' files come after the verdicts; their numbers are not in the CSV file."""
    verdicts = re.split(r"^## (?:Figures|Training)", (FOLDER / page).read_text(), flags=re.MULTILINE)[0]
    three_decimals = re.compile(r"(?<![\d.])\d+\.\d{3}(?!\d)")
    assert set(three_decimals.findall(verdicts)) <= set(three_decimals.findall((FOLDER / "claims.csv").read_text()))


def test_every_pipeline_is_counted_on_one_page():
    pages = Counter(
        pipeline
        for page in PAPERS
        for pipeline in {pipeline for _, pipeline, *_ in COUNTS.findall((FOLDER / page).read_text())}
    )
    assert pages == Counter(CLAIMS["pipeline"].unique())


def test_the_first_page_counts_verdicts_as_the_csv_file_does():
    text = (FOLDER / "index.md").read_text()
    words = " ".join(text.split())
    expected = {paper: [claims.height, *counts(claims)] for (paper,), claims in CLAIMS.group_by("paper")}
    assert {paper: list(map(int, numbers)) for paper, *numbers in SUMS.findall(text)} == expected
    holds, fails, undecided = counts(CLAIMS)
    assert f"Of {CLAIMS.height} claims, {holds} hold, {fails} fail and {undecided} are undecided" in words
    equal = CLAIMS.filter(pl.col("low") == "", pl.col("measured") != "", pl.col("verdict") == "undecided")
    assert f"{equal.height} of the undecided claims have this reason" in words
