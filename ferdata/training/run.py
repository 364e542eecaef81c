"""One training run, from a build to checkpoints and scores."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import torch

from ferdata.core.config import CONFIG_FILE, write_config
from ferdata.data import Build
from ferdata.data.framing import describe_framing
from ferdata.evaluation.figures import curves_figure, save_png
from ferdata.evaluation.report import EvaluationReport
from ferdata.evaluation.scoring import evaluate
from ferdata.models.weights import read_weights
from ferdata.recipes import recipe_names
from ferdata.runs.folder import RunFolder, default_folder
from ferdata.runs.options import TrainOptions
from ferdata.runs.record import FramingRecord, RunBuild, RunRecord, RunResults
from ferdata.training.checkpoints import KeepCheckpoints
from ferdata.training.components import (
    count_parameters,
    make_callbacks,
    make_data_module,
    make_task,
    require_rows,
)
from ferdata.training.epoch_log import EpochLog, best_epoch
from ferdata.training.report import RunReport
from ferdata.training.task import ExpressionTask
from ferdata.training.trainer import calm_lightning, is_first_process, make_trainer

logger = logging.getLogger(__name__)


def run_training(
    build: Path,
    out: Path | None = None,
    options: TrainOptions | None = None,
    *,
    resume: bool = False,
    quiet: bool = False,
) -> RunReport:
    """Train a model on the train split of a build, choose its best epoch on validation, test it.

    Args:
        build: Folder of a finished build.
        out: Folder of the run; default `runs/BUILD-MODEL`.
        options: What to train and how.
        resume: Continue the run in `out` after its last complete epoch, as if it had never
            stopped; if there is no run yet, start one. Options may be omitted; those that are set
            explicitly must be as they were.
        quiet: Show no progress and log no line per epoch.

    Raises:
        BuildError: The build can't be read, or lacks the rows that the run needs.
        OptionError: `out` holds a run and `resume` is not set, or that run has other options.
        UnknownNameError: There is no such model.
        ModelFileError: Pretrained weights can't be had, or a checkpoint is damaged.
        TrainingError: The loss is NaN or infinite.
        KeyboardInterrupt: The run was interrupted; its last complete epoch is kept.
    """
    started = time.perf_counter()
    options, data = options or TrainOptions(), Build.open(build)
    first = is_first_process()
    quiet = quiet or not first
    folder = RunFolder(out or default_folder(data.name, options.model))
    built = _describe_build(data)
    known = folder.read() if resume and folder.record_file.is_file() else None
    if known is not None:
        options = folder.resume(options, built)
    else:
        folder.start()
        if resume and first:
            logger.info("%s: no run to resume; starting a new one", folder.path)
    validate = require_rows(data, options)
    torch.manual_seed(options.seed)
    task = make_task(data, options)
    checkpoint = _checkpoint_to_resume(folder, data, quiet=quiet) if known is not None else None
    spec, results = task.classifier.spec, known.results if known is not None else None
    record = RunRecord(options=options, build=built, spec=spec, results=results)
    if not quiet:
        _announce(data, task, folder)
    if first:
        record.save(folder.path)
        _write_config(folder, options, data)
    log = EpochLog(folder, quiet=quiet)
    _fit(task, data, log, checkpoint=checkpoint, validate=validate, quiet=quiet)
    report = _report(folder, data, task, log)
    return _finish(report, record, folder, data, quiet=quiet, started=started) if first else report


def _write_config(folder: RunFolder, options: TrainOptions, build: Build) -> None:
    """Write the file of options that repeats the run."""
    values = {"build": str(build.root.absolute()), **options.model_dump(mode="json")}
    if options.recipe not in recipe_names():  # a file of the user's, whose options are all here
        del values["recipe"]
    title = f"Repeats this run: ferdata train --config {CONFIG_FILE} --out RUN"
    write_config(folder.path / CONFIG_FILE, values, title=title)


def _fit(
    task: ExpressionTask,
    build: Build,
    log: EpochLog,
    *,
    checkpoint: Path | None,
    validate: bool,
    quiet: bool,
) -> None:
    """Run the remaining epochs; if interrupted, log how to resume."""
    options, folder = task.options, log.folder
    callbacks = [*make_callbacks(options, quiet=quiet), log, KeepCheckpoints(folder, log)]
    try:
        with calm_lightning():
            trainer = make_trainer(options, folder, callbacks, validate=validate)
            module = make_data_module(build, task)
            trainer.fit(task, datamodule=module, ckpt_path=checkpoint, weights_only=True)
    except KeyboardInterrupt:
        logger.warning(
            "stopped after %d of %d epochs; resume with: ferdata train %s --out %s --resume",
            len(log.rows), options.epochs, build.root, folder.path,
        )  # fmt: skip
        raise


def _report(folder: RunFolder, build: Build, task: ExpressionTask, log: EpochLog) -> RunReport:
    """Collect the results of training; time and test scores come later."""
    options = task.options
    return RunReport(
        run=str(folder.path),
        build=build.name,
        model=options.model,
        recipe=options.recipe,
        parameters=count_parameters(task.classifier.model),
        epochs=len(log.rows),
        best_epoch=best_epoch(log.rows),
        select=options.select,
        history=log.rows,
        seconds=0,
        evaluation=None,
    )


def _finish(
    report: RunReport,
    record: RunRecord,
    folder: RunFolder,
    build: Build,
    *,
    quiet: bool,
    started: float,
) -> RunReport:
    """Draw the curves, evaluate on the test split, and record the results."""
    if not quiet and report.epochs < record.options.epochs:
        logger.info(
            "stopped early: no lower validation loss in %d epochs", record.options.early_stopping
        )
    curves = curves_figure(
        report.history, report.best_epoch, title=f"{report.model} on {report.build}"
    )
    save_png(curves, folder.path / "curves.png")
    evaluation = _test(folder, build, record.options, quiet=quiet)
    seconds = round(time.perf_counter() - started, 2)
    report = report.model_copy(update={"seconds": seconds, "evaluation": evaluation})
    results = RunResults(**report.model_dump(include=set(RunResults.model_fields)))
    record.model_copy(update={"results": results}).save(folder.path)
    return report


def _describe_build(build: Build) -> RunBuild:
    """Return what a run records of its build, for resuming and for preparing new images."""
    record = build.record
    return RunBuild(
        path=str(build.root),
        name=record.name,
        plan_sha256=record.plan_sha256,
        ferdata_version=record.ferdata_version,
        image=record.image,
        landmarks=record.landmarks,
        options=record.options,
        alignment=record.alignment,
        framing=FramingRecord(**describe_framing(build.root)),
    )


def _checkpoint_to_resume(folder: RunFolder, build: Build, *, quiet: bool) -> Path | None:
    """Return the last checkpoint, checked; None if the run stopped in its first epoch."""
    path = folder.checkpoint("last")
    if not path.exists():
        if not quiet:
            logger.info("%s: no epoch was complete; starting from the beginning", folder.path)
        return None
    spec, _ = read_weights(path)
    spec.require_labels(build.label_space, f"the build {build.root}")
    return path


def _announce(build: Build, task: ExpressionTask, folder: RunFolder) -> None:
    """Log what is trained, and known leaks of the build."""
    model = task.classifier.model
    logger.info(
        "training %s (%.2f M parameters) on %d images of %s, %d classes; run folder %s",
        task.options.model, count_parameters(model) / 1e6, build.split("train").rows, build.name,
        len(build.label_space), folder.path,
    )  # fmt: skip
    for leak in build.leaks:
        logger.warning("this build leaks: %s", leak)


def _test(
    folder: RunFolder, build: Build, options: TrainOptions, *, quiet: bool
) -> EvaluationReport | None:
    """Evaluate the selected checkpoint on the test split, if there is one."""
    if "test" not in build.splits or build.split("test").rows == 0:
        logger.info("%s has no test split; the run is not tested", build.root)
        return None
    return evaluate(folder.path, build.root, "test", device=options.device, quiet=quiet)
