"""One training run, from a build to checkpoints and scores."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel

from ferdata.data import Build, FerDataModule
from ferdata.errors import BuildError, OptionError
from ferdata.files import read_json
from ferdata.formats.names import BUILD_FILE
from ferdata.train.callbacks import EpochBar, EpochSeed, LossGuard
from ferdata.train.checkpoint import read_checkpoint
from ferdata.train.evaluate import EvaluationReport, evaluate
from ferdata.train.facts import describe
from ferdata.train.models import create_model
from ferdata.train.options import TrainOptions
from ferdata.train.record import EpochLog, KeepCheckpoints
from ferdata.train.run_folder import RunFolder, RunRecord, default_folder
from ferdata.train.task import ExpressionTask
from ferdata.train.trainer import calm_lightning, make_trainer

logger = logging.getLogger(__name__)


class RunReport(BaseModel):
    """What a run came to.

    Attributes:
        run: Folder of the run.
        build: Name of the build.
        model: Name of the model.
        parameters: Number of trainable parameters.
        epochs: Epochs trained in all.
        best_epoch: Best epoch on validation, counted from 1; None without validation.
        select: Checkpoint that was evaluated.
        history: One row per epoch, as in `metrics.csv`.
        seconds: Time of this call.
        evaluation: Scores on the test split; None where the build has none.
    """

    run: str
    build: str
    model: str
    parameters: int
    epochs: int
    best_epoch: int | None
    select: str
    history: list[dict[str, float]]
    seconds: float
    evaluation: EvaluationReport | None


def train(
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
        resume: Go on with the run in `out` from its last complete epoch, as if it had never
            stopped. Options may be left out; those set explicitly must be as they were.
        quiet: Show no progress and log no line per epoch.

    Raises:
        BuildError: The build can't be read, or lacks the rows that the run needs.
        OptionError: `out` holds a run already, or none to resume, or another one.
        UnknownNameError: There is no such model.
        ModelFileError: Pretrained weights can't be had, or a checkpoint is damaged.
        TrainingError: The loss is no number.
        KeyboardInterrupt: The run was interrupted; its last complete epoch is kept.
    """
    started = time.perf_counter()
    options, data = options or TrainOptions(), Build.open(build)
    folder = RunFolder(out or default_folder(data.name, options.model))
    if resume:
        options = folder.resume(options, _build_facts(data))
    else:
        folder.start()
    validate = _require_rows(data, options)
    torch.manual_seed(options.seed)
    task = _make_task(data, options)
    checkpoint = _checkpoint_to_resume(folder, data) if resume else None
    record = RunRecord(options=options, build=_build_facts(data), facts=task.facts)
    folder.write(record)
    log, keep = EpochLog(folder, quiet=quiet), KeepCheckpoints(folder)
    callbacks = [EpochSeed(options.seed), LossGuard(), EpochBar(quiet=quiet), log, keep]
    # without the last, smaller batch: batch normalisation can't work on a single image
    module = FerDataModule(data, options.batch_size, seed=options.seed, drop_last=True)
    if not quiet:
        _announce(data, task, folder)
    try:
        with calm_lightning():
            trainer = make_trainer(options, folder, callbacks, validate=validate)
            trainer.fit(task, datamodule=module, ckpt_path=checkpoint, weights_only=True)
    except KeyboardInterrupt:
        logger.warning(
            "stopped after %d of %d epochs; go on with: ferdata train %s --out %s --resume",
            len(log.rows), options.epochs, build, folder.path,
        )  # fmt: skip
        raise
    report = RunReport(
        run=str(folder.path),
        build=data.name,
        model=options.model,
        parameters=_parameters(task.model),
        epochs=len(log.rows),
        best_epoch=keep.best_epoch,
        select=options.select,
        history=log.rows,
        seconds=0,
        evaluation=_test(folder, data, options, quiet=quiet),
    )
    report = report.model_copy(update={"seconds": round(time.perf_counter() - started, 2)})
    folder.write(record.model_copy(update={"results": report.model_dump(mode="json")}))
    return report


def _build_facts(build: Build) -> dict[str, Any]:
    """Copy what a run must remember of its build, for resuming and for preparing new images."""
    recorded = read_json(build.root / BUILD_FILE)
    wanted = ("name", "plan_sha256", "seed", "image", "landmarks", "options", "ferdata_version")
    return {"path": str(build.root), **{key: recorded.get(key) for key in wanted}}


def _require_rows(build: Build, options: TrainOptions) -> bool:
    """Check that there is something to train on and to choose by; return whether to validate."""
    rows = {name: facts.rows for name, facts in build.splits.items()}
    if rows.get("train", 0) < options.batch_size:
        raise BuildError(
            f"{build.root}: the train split has {rows.get('train', 0)} images, fewer than one "
            f"batch of {options.batch_size}; give a smaller --batch-size, or build more."
        )
    if rows.get("validation", 0):
        return True
    if options.select == "last":
        return False
    raise BuildError(
        f"{build.root}: there is no validation split to choose the best epoch on, and the test "
        "split must not be used for that. Build with a validation split (ferdata build carves one "
        "out of train unless told otherwise), or take the last epoch: --select last."
    )


def _make_task(build: Build, options: TrainOptions) -> ExpressionTask:
    """Make the model for the build's classes and images, and its task."""
    image, space = build.image, build.label_space
    model = create_model(
        options.model, len(space), in_chans=image.channels, pretrained=options.pretrained
    )
    facts = describe(
        options.model, model, space,
        height=image.height, width=image.width, channels=image.channels,
    )  # fmt: skip
    return ExpressionTask(model, facts, options, _class_weights(build, options))


def _class_weights(build: Build, options: TrainOptions) -> list[float] | None:
    """Return w_c = N / n_c per class, or None; a class that train lacks is named."""
    facts, names = build.split("train"), build.label_space.names
    absent = [name for name in names if not facts.counts.get(name)]
    if absent:
        message = f"{build.root}: the train split has no image of {', '.join(absent)}"
        if options.class_weights != "none":
            raise OptionError(
                f"{message}; --class-weights has nothing to weigh there. Leave it out."
            )
        logger.warning("%s; the model can't learn what it never sees.", message)
    if options.class_weights == "none":
        return None
    return [facts.rows / facts.counts[name] for name in names]


def _checkpoint_to_resume(folder: RunFolder, build: Build) -> Path | None:
    """Return the last checkpoint, checked; None where the run stopped in its first epoch."""
    path = folder.checkpoint("last")
    if not path.exists():
        logger.info("%s: no epoch was complete; starting from the beginning", folder.path)
        return None
    facts, _ = read_checkpoint(path)
    facts.require_labels(build.label_space, f"the build {build.root}")
    return path


def _announce(build: Build, task: ExpressionTask, folder: RunFolder) -> None:
    """Say what begins."""
    facts = build.split("train")
    logger.info(
        "training %s (%.2f M parameters) on %d images of %s, %d classes; run folder %s",
        task.facts.model, _parameters(task.model) / 1e6, facts.rows, build.name,
        len(build.label_space), folder.path,
    )  # fmt: skip


def _parameters(model: torch.nn.Module) -> int:
    """Count trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _test(
    folder: RunFolder, build: Build, options: TrainOptions, *, quiet: bool
) -> EvaluationReport | None:
    """Evaluate the selected checkpoint on the test split, where there is one."""
    if "test" not in build.splits or build.split("test").rows == 0:
        logger.info("%s has no test split; nothing was tested", build.root)
        return None
    return evaluate(folder.path, build.root, "test", device=options.device, quiet=quiet)
