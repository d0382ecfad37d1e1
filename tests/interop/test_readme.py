"""README.md and the tutorial: their commands run, what they print is printed, their numbers are those of the run."""

import re
import shutil
import subprocess
import sys

import polars as pl
import pytest
from conftest import TOP

README = (TOP / "README.md").read_text()
TUTORIAL = (TOP / "docs/start.md").read_text()
# An estimate of pairwise kernels at 281 epochs of 20 networks: minutes.
SLOW = "infoplane estimate kde"


def commands(page):
    """The commands of all shell blocks, without comments."""
    blocks = "\n".join(re.findall(r"```sh\n(.+?)```", page, re.DOTALL)).replace("\\\n", " ")
    lines = (re.sub(r"(^|\s+)#.*", "", line).strip() for line in blocks.splitlines())
    return [line.replace("cargo run --release --", "infoplane") for line in lines if line]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what a clone has, where the main job has run, and the lines that it printed."""
    folder = tmp_path_factory.mktemp("newcomer")
    for name in ("pipelines", "examples"):
        shutil.copytree(TOP / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def shell(folder, binary):
    """Runs a line of a shell script in the folder; `infoplane` is the binary and `python` this one."""
    functions = f'infoplane() {{ "{binary}" "$@"; }}; python() {{ "{sys.executable}" "$@"; }}; '

    def run(line):
        finished = subprocess.run(["bash", "-ec", functions + line], cwd=folder, capture_output=True, text=True)
        assert finished.returncode == 0, f"{line}: {finished.stdout}{finished.stderr}"
        return finished.stdout + finished.stderr

    return run


@pytest.fixture(scope="module")
def main_job(shell):
    """What the first command of README.md prints."""
    return shell(commands(README)[0])


def test_the_last_lines_of_the_main_job_are_those_of_the_readme(main_job):
    # A terminal breaks the first line.
    expected = " ".join(re.search(r"```text\n(.+?)```", README, re.DOTALL)[1].split())
    assert " ".join(main_job.split()).endswith(expected)


@pytest.mark.parametrize("page", [README, TUTORIAL], ids=["README", "tutorial"])
def test_the_numbers_of_the_claim_that_fails_are_those_of_the_run(main_job, folder, page):
    claims = pl.read_parquet(folder / "outputs/tishby/claims.parquet")
    failed = claims.filter(verdict="fails").row(0, named=True)
    mean, low, high = (round(failed[name]) for name in ("mean", "low", "high"))
    text = " ".join(page.split())
    assert f"{mean}" in text and re.search(rf"{low} to {high}", text), (mean, low, high)
    assert claims.filter(verdict="fails").height == 1
    if page is README:
        assert f"{claims.height} claims" in text


def test_the_verdicts_of_the_tutorial_are_those_of_the_run(main_job, folder):
    verdicts = pl.read_parquet(folder / "outputs/tishby/compression.parquet").filter(estimator="binning-n-edges-30")
    found = dict(verdicts.select("layer", "verdict").iter_rows())
    assert {layer for layer, verdict in found.items() if verdict == "compresses"} == {3, 4, 5, 6}
    assert {layer for layer, verdict in found.items() if verdict == "cannot tell (saturated)"} == {1, 2}


@pytest.mark.parametrize("line", [line for line in commands(README)[1:] if line != "cargo test"])
def test_the_commands_of_the_readme_run(main_job, shell, line):
    shell(line)


@pytest.mark.parametrize("line", [line for line in commands(TUTORIAL)[1:] if not line.startswith(SLOW)])
def test_the_commands_of_the_tutorial_run(main_job, shell, line):
    shell(line)


def test_the_lines_for_pytorch_record_a_network(folder, shell, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(TOP / "examples"))
    layers = {"conv1": torch.nn.Conv2d(1, 2, 3), "flat": torch.nn.Flatten(), "fc1": torch.nn.Linear(32, 4)}
    layers |= {"tanh": torch.nn.Tanh(), "fc2": torch.nn.Linear(4, 2)}
    given = dict(model=torch.nn.Sequential(), loader=range(3), train_one_epoch=lambda model, loader: None)
    for name, layer in layers.items():
        given["model"].add_module(name, layer)
    given |= dict(x=torch.randn(40, 1, 6, 6), y=torch.arange(40) % 2)
    exec(re.search(r"```python\n(.+?)```", README, re.DOTALL)[1], given)
    shell("infoplane inspect outputs/my-cnn --validate")


def test_the_readme_fits_on_a_few_screens_and_its_links_lead_somewhere():
    assert len(README.splitlines()) <= 150
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", README) + re.findall(r'(?:src|href)="([^"#]+)', README)
    missing = [link for link in links if "://" not in link and not (TOP / link).exists()]
    assert links and not missing, missing
