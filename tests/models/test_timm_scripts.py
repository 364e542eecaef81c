"""timm's own train.py and validate.py, where `FERDATA_TIMM_SCRIPTS` names their folder.

They are in timm's repository only, not in what is on the package index.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ferdata.core.labels import BASIC7
from ferdata.synth import draw_face

SCRIPTS = Path(os.environ.get("FERDATA_TIMM_SCRIPTS") or "none")
MODEL = "fer_i_mobilenetv2"

pytestmark = pytest.mark.skipif(
    not (SCRIPTS / "validate.py").is_file(),
    reason="FERDATA_TIMM_SCRIPTS names no folder with timm's validate.py",
)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return class folders of two splits, and the same as Parquet for `datasets`."""
    import datasets

    root = tmp_path_factory.mktemp("images")
    for split in ("train", "validation"):
        rows: dict[str, list[object]] = {"image": [], "label": []}
        for number in range(14):
            label = BASIC7.names[number % 7]
            face = Image.fromarray(draw_face(label, np.random.default_rng(number), 48).pixels)
            (root / "folder" / split / label).mkdir(parents=True, exist_ok=True)
            face.save(root / "folder" / split / label / f"{number}.png")
            rows["image"].append(face)
            rows["label"].append(number % 7)
        kinds = {"image": datasets.Image(), "label": datasets.ClassLabel(names=list(BASIC7.names))}
        table = datasets.Dataset.from_dict(rows, features=datasets.Features(kinds))
        (root / "hf").mkdir(exist_ok=True)
        table.to_parquet(root / "hf" / f"{split}-00000-of-00001.parquet")
    return root


def run(script: str, *arguments: str, folder: Path) -> str:
    """Run a script with ferdata's models, and return what it prints."""
    command = [sys.executable, "-m", "ferdata.models", str(SCRIPTS / script), *arguments]
    common = ("--model", MODEL, "--device", "cpu", "-j", "0", "-b", "7", "--no-prefetcher")
    paths = os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [*command, *common], cwd=folder, env={**os.environ, "PYTHONPATH": paths},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "data", [("--data-dir", "folder"), ("--dataset", "hfds/hf")], ids=["folder", "hfds"]
)
def test_validate_scores_a_papers_model(images, data):
    import timm
    import torch

    import ferdata.models.timm_entries  # noqa: F401

    torch.save(timm.create_model(MODEL).state_dict(), images / "model.pth")
    output = run("validate.py", *data, "--checkpoint", "model.pth", folder=images)
    result = json.loads(output.partition("--result\n")[2])
    assert result["param_count"] == 3.55
    assert result["img_size"] == 48
    assert result["crop_pct"] == 1.0
    assert result["top1"] + result["top1_err"] == pytest.approx(100)


@pytest.mark.slow
@pytest.mark.skipif(not (SCRIPTS / "train.py").is_file(), reason="no train.py there")
@pytest.mark.parametrize(
    "data", [("--data-dir", "folder"), ("--dataset", "hfds/hf")], ids=["folder", "hfds"]
)
def test_train_writes_a_checkpoint_of_a_papers_model(images, tmp_path, data):
    import timm

    import ferdata.models.timm_entries  # noqa: F401

    options = ("--epochs", "1", "--warmup-epochs", "0", "--cooldown-epochs", "0", "--opt", "adamw",
               "--lr", "1e-3", "--layer-decay", "0.8", "--drop", "0.1", "--model-ema")  # fmt: skip
    output = ("--output", str(tmp_path), "--experiment", "mine")
    run("train.py", *data, *options, *output, folder=images)
    last = tmp_path / "mine" / "last.pth.tar"
    assert timm.create_model(MODEL, checkpoint_path=str(last)).num_classes == 7
    assert (tmp_path / "mine" / "summary.csv").is_file()
