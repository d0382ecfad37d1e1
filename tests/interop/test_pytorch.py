"""examples/record_pytorch.py and docs/your-network.md: infoplane reads what they record. Skipped without PyTorch."""

import re
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import TOP

torch = pytest.importorskip("torch")
sys.path.insert(0, str(TOP / "examples"))
from record_pytorch import Recorder  # noqa: E402

N_SAMPLES, N_RUNS = 60, 2


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.relu1 = torch.nn.Conv2d(1, 3, 3), torch.nn.ReLU(inplace=True)
        self.norm, self.dropout, self.fc = torch.nn.BatchNorm1d(48), torch.nn.Dropout(0.5), torch.nn.Linear(48, 2)

    def forward(self, x):
        return self.fc(self.dropout(self.norm(self.relu1(self.conv1(x)).flatten(1))))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Two untrained networks, recorded in batches of 25, and their data."""
    experiment = tmp_path_factory.mktemp("pytorch") / "e"
    torch.manual_seed(3)
    x, y = torch.randn(N_SAMPLES, 1, 6, 6), torch.arange(N_SAMPLES) % 2
    models = [Net() for _ in range(N_RUNS)]
    for run, model in enumerate(models):
        model.norm.eval()
        mean = {"relu1": ("mean over positions", lambda t: t.mean((2, 3)))}
        names = ["conv1", "relu1", "fc"]
        recorder = Recorder(experiment / "recording", run, model, names, x, y, y > 0, mean, batch=25)
        for step in range(2):
            recorder.snapshot(epoch=step, step=step)
        recorder.close()
        # Every module is in its own mode again, and nothing is recorded any more.
        assert model.training and model.dropout.training and not model.norm.training
        assert not any(module._forward_hooks for module in model.modules())
    return experiment, models, x


def test_infoplane_takes_it(recorded, in_folder):
    infoplane = in_folder(recorded[0].parent)
    for line in ("inspect e --validate", "estimate binning e", "check e", "aggregate e", "summary e"):
        infoplane.ok(line)


@torch.no_grad()
def test_it_is_what_the_model_computes(recorded):
    experiment, models, x = recorded
    for run, model in enumerate(models):
        model.eval()
        conv = model.conv1(x)
        positive = conv.clamp(min=0)
        expected = {
            1: ("conv1", "Conv2d", "3x4x4", "none", conv.flatten(1)),
            2: ("relu1", "ReLU", "3x4x4", "mean over positions", positive.mean((2, 3))),
            3: ("fc", "Linear", "2", "none", model.fc(model.norm(positive.flatten(1)))),
        }
        for layer, (name, kind, shape, reduction, t) in expected.items():
            path = experiment / f"recording/activations/layer={layer}/run=r{run:04}/part-00000.parquet"
            footer = {key.decode(): value.decode() for key, value in pq.read_schema(path).metadata.items()}
            said = [footer[f"infoplane.layer_{key}"] for key in ("name", "kind", "shape", "reduction")]
            assert said == [name, kind, shape, reduction]
            file = pq.ParquetFile(path)
            assert file.num_row_groups == 2
            # Batches of other sizes may be added up in another order.
            np.testing.assert_allclose(np.stack(file.read_row_group(1)["t"].to_numpy()), t.numpy(), atol=1e-5)


def test_the_script_of_the_page_makes_a_recording_that_can_be_analysed(tmp_path, in_folder, monkeypatch):
    page = (TOP / "docs/your-network.md").read_text()
    script = re.search(r"```python\n(.+?)```", page, re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    exec(script, {"__name__": "script"})
    infoplane = in_folder(tmp_path)
    infoplane.ok("inspect outputs/my-cnn --validate")
    said = infoplane.ok("analyse outputs/my-cnn")
    assert all(name in said for name in ("conv1", "relu1", "fc1", "fc2"))
