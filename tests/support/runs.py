"""Small runs: quick options, what they leave, and runs without the training."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ferdata.core.labels import BASIC7
from ferdata.evaluation.predictions import Predictions
from ferdata.models import create_model
from ferdata.models.classifier import Classifier
from ferdata.models.spec import ModelSpec
from ferdata.runs.folder import RunFolder
from ferdata.runs.options import TrainOptions
from ferdata.runs.record import RunBuild, RunRecord
from ferdata.training.epoch_log import CLOCK
from ferdata.training.report import RunReport
from ferdata.training.task import ExpressionTask

SIZE = 48


def fast_options(**changes: Any) -> TrainOptions:
    """Return options of a run that takes a second, with changes."""
    fast = {"model": "test_resnet", "epochs": 2, "batch_size": 14, "device": "cpu"}
    return TrainOptions(**{**fast, **changes})


def history(report: RunReport) -> list[dict[str, float]]:
    """Return the rows of a run without the columns that differ between equal runs."""
    return [{k: v for k, v in row.items() if k not in CLOCK} for row in report.history]


def read_checkpoint(run: Path, which: str = "last") -> dict[str, Any]:
    """Read a checkpoint as it is in its file."""
    checkpoint: dict[str, Any] = torch.load(RunFolder(run).checkpoint(which), weights_only=True)
    return checkpoint


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read the rows of a CSV file by its header."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def copy_run(run: Path, to: Path, *, build: dict[str, Any] | None = None, **changes: Any) -> Path:
    """Copy a run's folder, with changes of its record and of the record's build; return it."""
    shutil.copytree(run, to)
    record = json.loads((to / "run.json").read_text())
    record["build"] |= build or {}
    (to / "run.json").write_text(json.dumps(record | changes))
    return to


def make_predictions(logits: Sequence[Sequence[float]], label: Sequence[int]) -> Predictions:
    """Make predictions for the classes a, b, c, … from logits (N, K) and true classes (N,)."""
    array = np.float32(logits)
    names = tuple("abcdefgh"[: array.shape[1]])
    return Predictions(names, np.arange(len(label)), np.asarray(label), array, {})


def make_spec(**changes: Any) -> ModelSpec:
    """Return the spec of a model for 32×32 images of the seven classes, with changes."""
    spec = {
        "model": "test_resnet", "label_space": BASIC7.name, "labels": BASIC7.names, "channels": 3,
        "input_size": (32, 32), "mean": (0.5,) * 3, "std": (0.2,) * 3,
    }  # fmt: skip
    return ModelSpec(**{**spec, **changes})


def run_build(
    size: int = SIZE,
    channels: int = 3,
    framings: Sequence[str] = ("photograph",),
    place: Any = None,
    **options: Any,
) -> RunBuild:
    """Return what a run records of a build of photographs."""
    return RunBuild(
        path="drawn",
        name="drawn",
        plan_sha256="a" * 64,
        image={"height": size, "width": size, "channels": channels, "encoding": "raw"},
        options={"size": size, **options},
        framing={"framings": framings, "five_points": place},
    )


def make_classifier(
    name: str = "test_resnet",
    *,
    size: int = SIZE,
    channels: int = 3,
    scheme: str | None = None,
    **options: Any,
) -> Classifier:
    """Make a model whose predictions differ between images, which an untrained one's hardly do."""
    torch.manual_seed(0)
    model = create_model(name, len(BASIC7), in_chans=channels, **options)
    spec = ModelSpec(
        model=name,
        model_options=options,
        label_space=BASIC7.name,
        labels=BASIC7.names,
        channels=channels,
        input_size=(size, size),
        mean=(0.4,) * channels,
        std=(0.25,) * channels,
        landmark_scheme=scheme,
    )
    classifier = Classifier(model, spec)
    _wake(classifier, size, channels)
    return classifier.eval()


def _wake(classifier: Classifier, size: int, channels: int) -> None:
    """Give statistics to batch norms, and spread the logits."""
    images = torch.randint(0, 256, (8, 8, 8, channels), dtype=torch.uint8)
    images = images.repeat_interleave(size // 8, 1).repeat_interleave(size // 8, 2)
    with torch.no_grad():
        classifier.train()
        for norm in classifier.modules():
            if isinstance(norm, nn.BatchNorm2d | nn.BatchNorm1d):
                norm.momentum = None  # the mean over all batches
        classifier(images)
        logits = classifier.eval()(images)
        factor = 1.0 / float(logits.std(dim=0).mean())
        last = [part for part in classifier.model.modules() if isinstance(part, nn.Linear)][-1]
        last.weight.mul_(factor)


def write_run(
    path: Path, classifier: Classifier | None = None, build: RunBuild | None = None
) -> Path:
    """Write a run's folder as `train` leaves it, without the training."""
    classifier = classifier or make_classifier()
    options = TrainOptions(model=classifier.spec.model, model_options=classifier.spec.model_options)
    task = ExpressionTask(classifier, options)
    checkpoint: dict[str, Any] = {"state_dict": task.state_dict()}
    task.on_save_checkpoint(checkpoint)
    folder = RunFolder(path)
    folder.checkpoints.mkdir(parents=True)
    torch.save(checkpoint, folder.checkpoint("best"))
    build = build or run_build(channels=classifier.spec.channels)
    RunRecord(options=options, build=build, spec=classifier.spec).save(path)
    return path
