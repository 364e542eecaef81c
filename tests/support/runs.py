"""Small runs, written as `train` leaves them, without the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from ferdata.core.labels import BASIC7
from ferdata.models import create_model
from ferdata.models.classifier import Classifier
from ferdata.models.spec import ModelSpec
from ferdata.runs.folder import RunFolder, RunRecord
from ferdata.runs.options import TrainOptions
from ferdata.training.task import ExpressionTask

SIZE = 48


def build_facts(size: int = SIZE, channels: int = 3, **options: Any) -> dict[str, Any]:
    """Return what `run.json` says of a build of photographs."""
    return {
        "name": "drawn",
        "plan_sha256": "a" * 64,
        "image": {"height": size, "width": size, "channels": channels, "encoding": "raw"},
        "options": {"align": "auto", "margin": 0.0, "size": size, **options},
        "framing": {"framings": ["photograph"], "five_points": None},
    }


def make_classifier(
    name: str = "test_resnet",
    *,
    size: int = SIZE,
    channels: int = 3,
    scheme: str | None = None,
    **options: Any,
) -> Classifier:
    """Make a model whose answers differ from image to image, as an untrained one's hardly do."""
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
    """Let batch norms see images, and bring the logits apart."""
    images = torch.randint(0, 256, (8, 8, 8, channels), dtype=torch.uint8)
    images = images.repeat_interleave(size // 8, 1).repeat_interleave(size // 8, 2)
    with torch.no_grad():
        classifier.train()
        for norm in classifier.modules():
            if isinstance(norm, nn.BatchNorm2d | nn.BatchNorm1d):
                norm.momentum = None  # the mean over all that is seen
        classifier(images)
        logits = classifier.eval()(images)
        factor = 1.0 / float(logits.std(dim=0).mean())
        last = [part for part in classifier.model.modules() if isinstance(part, nn.Linear)][-1]
        last.weight.mul_(factor)


def write_run(
    path: Path, classifier: Classifier | None = None, build: dict[str, Any] | None = None
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
    build = build or build_facts(channels=classifier.spec.channels)
    folder.write(RunRecord(options=options, build=build, spec=classifier.spec))
    return path
