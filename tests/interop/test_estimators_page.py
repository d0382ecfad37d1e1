"""The chapters on estimators, numbers and exact information: tables, commands and numbers are those of the program."""

import importlib.util
import re
import shlex

import polars as pl
import pytest
from conftest import TOP

SOURCES = "".join(path.read_text() for folder in ("src", "tests/it") for path in (TOP / folder).rglob("*.rs"))


def module(path):
    """A script of the repository, as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


page_tables = module(TOP / "scripts/page_tables.py")
PAGES = {str(path.relative_to(TOP / "docs")): path.read_text() for path in page_tables.PAGES}
# The sections of docs/developers/reference-values.md that have such values, by the name of the estimator or measure.
SECTIONS = re.split(r"^#+ (.+)$", (TOP / "docs/developers/reference-values.md").read_text(), flags=re.MULTILINE)
REFERENCE = {name: text for name, text in zip(SECTIONS[1::2], SECTIONS[2::2]) if re.search(r"\d\.\d{10}", text)}
# Numbers of ten decimals and more in the sources, rounded.
TESTED = {round(float(number), 10) for number in re.findall(r"\d+\.\d{9,}", SOURCES.replace("_", ""))}
# The pages whose commands need no other files than a program.
COMMANDS = PAGES | {name: (TOP / "docs" / name).read_text() for name in ("your-network.md", "your-data.md", "sweeps.md", "faq.md")}


@pytest.fixture(scope="module")
def infoplane(tmp_path_factory, in_folder):
    """The program in a folder with everything that the snippets of the pages read."""
    infoplane = in_folder(tmp_path_factory.mktemp("page"))
    (infoplane.folder / "pipelines").symlink_to(TOP / "pipelines")
    infoplane.ok("data make tishby")
    infoplane.ok("record pipelines/estimators.toml")
    infoplane.ok("estimate pipeline pipelines/estimators.toml")
    # What scripts/page_tables.py needs as well.
    more = [line.strip() for line in page_tables.__doc__.splitlines() if line.strip().startswith("infoplane ")]
    for line in more:
        if "run pipelines/estimators.toml" not in line:
            infoplane.ok(line.removeprefix("infoplane "))
    infoplane.ok("aggregate outputs/estimators")
    return infoplane


@pytest.mark.parametrize("name", PAGES)
def test_the_snippets_print_the_tables_of_the_page(infoplane, name, monkeypatch):
    monkeypatch.chdir(infoplane.folder)
    assert page_tables.renewed(PAGES[name]) == PAGES[name], "run scripts/page_tables.py"
    assert all(frame.height > 0 for frame in page_tables.printed(PAGES[name]))


def test_most_pages_have_a_table_that_a_snippet_prints():
    tables = {name: [table for _, table in page_tables.SNIPPET.findall(page) if table] for name, page in PAGES.items()}
    assert len([name for name in tables if tables[name]]) >= 10


def test_the_scales_disagree_as_the_page_states(infoplane):
    """docs/estimators/index.md, from step 91 to step 1246, for both runs."""
    rows = pl.read_parquet(infoplane.folder / "outputs/estimators/estimates/binning-n-edges-*/*.parquet", hive_partitioning=False)
    layer = rows.filter(variant="n_edges", correction="none", samples="all", pool="none", layer=5)
    rising = {}
    for run in ("r0000", "r0001"):
        by_scale = {step: dict(layer.filter(run=run, step=step).select("scale", "i_xt_bits").rows()) for step in (91, 1246)}
        rising[run] = {scale for scale in by_scale[91] if by_scale[1246][scale] > by_scale[91][scale]}
    assert rising == {"r0000": {3, 10}, "r0001": {10, 100, 256}}


def test_statements_that_a_table_alone_does_not_check(infoplane):
    rows = pl.read_parquet(infoplane.folder / "outputs/estimators/estimates/*/*.parquet", hive_partitioning=False)
    end = {(row["estimator"], row["run"]): row for row in rows.filter(layer=5, step=2100).to_dicts()}
    for run in ("r0000", "r0001"):
        # estimators/kde.md: the distance of the bounds.
        for variance in ("0.001", "0.01", "0.1"):
            upper, lower = (end[f"kde-{bound}-noise-variance-{variance}", run]["i_xt_bits"] for bound in ("upper", "lower"))
            assert 0.55 < upper - lower < 1.15
        # estimators/binning.md: shuffled labels with 256 edges.
        many = end["binning-n-edges-256", run]
        assert many["i_ty_null_bits_mean"] / many["i_ty_bits"] == pytest.approx(0.4, abs=0.05)
        # estimators/options.md: the label of the whole layer.
        whole = rows.filter(estimator="binning-n-edges-30", run=run, step=2100).sort("layer")["i_ty_bits"].to_list()
        assert whole[0] > whole[4] > 0.95
    # numbers/verdicts.md.
    verdicts = pl.read_parquet(infoplane.folder / "outputs/estimators/compression.parquet").filter(layer=5, pool="none", samples="all")
    withheld = verdicts.filter(pl.col("family").is_in(["binning", "kde"]))["verdict"].is_in(["undecided", "contradicted (checks)"])
    assert withheld.mean() > 0.5


def commands(page):
    """The commands of a page, without comments."""
    for block in re.findall(r"```sh\n(.+?)```", page, re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "infoplane":
                yield words[1:]


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_of_the_page_and_their_options_exist(infoplane, name):
    for words in commands(COMMANDS[name]):
        options = {word for word in words if word.startswith("--")}
        positional = [word for word in words if not word.startswith("-")]
        # The longest beginning that is a command; `help` refuses a word that is none.
        helps = [infoplane.run(f"help {' '.join(positional[:n])}") for n in (1, 2)]
        text = "".join(said for code, said in helps if code == 0)
        assert helps[0][0] == 0, words
        assert all(re.search(rf"{option}\b", text) for option in options), words


def test_commands_on_the_example_run(infoplane):
    """Estimates are only planned: the fixture makes those that the tables need."""
    lines = {tuple(words) for page in PAGES.values() for words in commands(page) if "outputs/estimators" in words}
    estimates = [words for words in lines if words[0] == "estimate"]
    assert len(estimates) >= 15
    for words in estimates:
        infoplane.ok(" ".join(word for word in words if word != "--dry-run") + " --dry-run")
    others = [words for words in lines if words[0] in ("check", "summary")]
    for words in others:
        code, said = infoplane.run(" ".join(words))
        assert code == ("--strict" in words), said


@pytest.mark.parametrize("name", REFERENCE)
def test_reference_values_are_those_of_the_tests(name):
    """Numbers of ten decimals and more come from other programs; tests in Rust compare with them."""
    values = re.findall(r"\d+\.\d{10,}", REFERENCE[name])
    assert values
    # The page may have fewer digits than the test.
    assert [value for value in values if round(float(value), 10) not in TESTED] == []


def test_pages_for_users_link_to_their_reference_values():
    pages = [path for chapter in ("estimators", "weights") for path in (TOP / "docs" / chapter).glob("*.md")]
    linked = {name for path in pages for name in re.findall(r"reference-values\.md#([\w-]+)", path.read_text())}
    assert set(REFERENCE) <= linked
