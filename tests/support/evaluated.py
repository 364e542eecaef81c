"""A finished and evaluated run, written without torch."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from ferdata.data.build import Build
from ferdata.evaluation.calibration import calibrate
from ferdata.evaluation.classes import match_classes
from ferdata.evaluation.groups import Grouping, GroupScore
from ferdata.evaluation.metrics import score
from ferdata.evaluation.report import EvaluationReport
from ferdata.models.spec import ModelSpec
from ferdata.runs.options import TrainOptions
from ferdata.runs.record import RunBuild, RunRecord, RunResults

PROBABILITIES = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
"""Of the three images of the test split, of classes 0, 1 and 2: the second is wrong."""


def write_evaluated_run(path: Path, build_folder: Path) -> Path:
    """Write a run on a build of three classes with three test images."""
    build = Build.open(build_folder)
    space, image = build.label_space, build.record.image
    spec = ModelSpec(
        model="test_resnet", label_space=space.name, labels=space.names, channels=3,
        input_size=(32, 32), mean=(0.5,) * 3, std=(0.2,) * 3,
    )  # fmt: skip
    trained = RunBuild(
        path=str(build_folder), name=build.name, plan_sha256=build.plan_sha256, image=image
    )
    history = (
        {"epoch": 1.0, "train_loss": 1.9, "validation_loss": 1.5, "validation_accuracy": 0.25},
        {"epoch": 2.0, "train_loss": 0.9, "validation_loss": 1.25, "validation_accuracy": 0.75},
    )
    results = RunResults(
        parameters=123456, epochs=2, best_epoch=2, select="best", history=history, seconds=12.5
    )
    path.mkdir()
    RunRecord(
        options=TrainOptions(model="test_resnet"), build=trained, spec=spec, results=results
    ).save(path)
    _write_evaluation(path, build, spec)
    return path


def _write_evaluation(run: Path, build: Build, spec: ModelSpec) -> None:
    folder, names = run / "evaluation" / "x-test-best", spec.labels
    folder.mkdir(parents=True)
    group = GroupScore(
        name=names[0], n=3, accuracy=2 / 3, accuracy_low=0.2, accuracy_high=0.9, macro_f1=0.5
    )
    group_of = {"split": "test", "known": 3, "unknown": 0, "mean_accuracy": 2 / 3}
    report = EvaluationReport(
        run=str(run), checkpoint="best", checkpoint_sha256="c" * 64, model=spec.model,
        build=build.name, plan_sha256=build.plan_sha256, split="test", label_space=spec.label_space,
        classes=match_classes(spec.space(), build.label_space, "here"), leaks=list(build.leaks),
        scores=score([[1, 0, 0], [1, 0, 0], [0, 0, 1]], names),
        calibration=calibrate(np.log(PROBABILITIES), np.arange(3)),
        groups=[
            Grouping(by=by, lowest=names[0], groups=[group], **group_of)
            for by in ("gender", "subject")
        ],
        folder=str(folder),
    )  # fmt: skip
    (folder / "report.json").write_text(report.model_dump_json())
    with (folder / "predictions.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sample_id", "label", "predicted", *names])
        for k, row in enumerate(PROBABILITIES):
            predicted = names[int(row.argmax())]
            writer.writerow([f"spots/test_{k}", names[k], predicted, *row.tolist()])
