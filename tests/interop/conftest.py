"""Runs the program in temporary folders, as a user would: INFOPLANE=path/to/infoplane pytest tests/interop"""

import os
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


def pipeline(runs, epochs, record):
    """A small network on Tishby's task, whose `epochs` are recorded as `record` says; the tests add estimates and claims."""
    return f"""seed = 5
runs = {runs}
[data]
name = "tishby"
train_fraction = 0.85
[network]
hidden = [6, 3]
activation = "tanh"
[training]
optimiser = "adam"
learning_rate = 4e-3
batch = 512
epochs = {epochs}
[record]
epochs = {record}
"""


class Infoplane:
    """The binary, called in one folder."""

    def __init__(self, path, folder):
        self.path, self.folder = path, folder

    def run(self, line):
        """Runs the command `line` and returns its exit code with what it said."""
        command = [str(self.path), *line.split()]
        finished = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert "panicked" not in finished.stderr, finished.stderr
        return finished.returncode, finished.stdout + finished.stderr

    def ok(self, line):
        """Runs what must succeed."""
        code, said = self.run(line)
        assert code == 0, f"{line}: {said}"
        return said


@pytest.fixture(scope="session")
def binary():
    target = Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target"))
    named = os.environ.get("INFOPLANE")
    built = [target / profile / "infoplane" for profile in ("release", "debug")]
    paths = [Path(named)] if named else built
    found = [path for path in paths if path.is_file()]
    assert found, f"no infoplane at {', '.join(map(str, paths))}; build it, or set INFOPLANE"
    return found[0].resolve()


@pytest.fixture(scope="session")
def in_folder(binary):
    """The binary, to be called in a folder."""
    return lambda folder: Infoplane(binary, folder)
