"""The components of a run, made from a build and options: task, data module, callbacks."""

from __future__ import annotations

import logging

from lightning.pytorch.callbacks import Callback
from torch import nn

from ferdata.core.errors import BuildError, OptionError
from ferdata.core.labels import class_weights
from ferdata.data import Build, FerDataModule
from ferdata.data.arrays import SplitArrays
from ferdata.models.classifier import Classifier
from ferdata.models.create import create_model
from ferdata.models.inputs.augment import DeviceAugment
from ferdata.runs.options import TrainOptions
from ferdata.training.averaging import WeightEma
from ferdata.training.callbacks import EpochBar, EpochSeed, LossGuard, StaysStopped
from ferdata.training.model_spec import make_spec, model_options
from ferdata.training.task import ExpressionTask

logger = logging.getLogger(__name__)


def require_rows(build: Build, options: TrainOptions) -> bool:
    """Check that a build has the splits that a run needs; return whether to validate.

    Raises:
        BuildError: Train is smaller than one batch on each device, or there is no validation split
            to choose the best epoch on.
        OptionError: Early stopping is set and there is no validation split.
    """
    rows = {name: spec.rows for name, spec in build.splits.items()}
    images = rows.get("train", 0)
    if options.subset_epochs:
        images = round(images * options.subset)
    if images < options.batch_size * options.devices * options.nodes:
        part = " in the subset of the first epochs" if options.subset_epochs else ""
        raise BuildError(
            f"{build.root}: the train split has {images} images{part}, fewer than one batch of "
            f"{options.batch_size} on each device; give a smaller --batch-size or a larger build."
        )
    if rows.get("validation", 0):
        return True
    if options.early_stopping:
        raise OptionError(
            f"{build.root}: there is no validation split for early stopping; "
            "turn it off (--early-stopping 0), or build with a validation split."
        )
    if options.select == "last":
        return False
    raise BuildError(
        f"{build.root}: there is no validation split to choose the best epoch on, and the test "
        "split must not be used for that. Build with a validation split (the default of ferdata "
        "build), or use the last epoch: --select last."
    )


def make_task(build: Build, options: TrainOptions) -> ExpressionTask:
    """Make the model for the build's classes and images, and its task.

    Raises:
        OptionError: Options contradict each other or don't fit the build.
        BuildError: The model takes landmarks, and the build's train split has none.
        UnknownNameError: There is no such model.
        ModelFileError: Pretrained weights can't be had.
    """
    image, space = build.image, build.label_space
    model = create_model(
        options.model,
        len(space),
        in_chans=image.channels,
        pretrained=options.pretrained,
        **model_options(options),
    )
    spec = make_spec(model, options, space, image.shape, build.landmarks.scheme)
    if getattr(model, "takes_prior", False):
        _require_landmarks(build)
    augment = DeviceAugment(options.augment, spec.landmark_scheme) if options.augment else None
    classifier = Classifier(model, spec, augment)
    return ExpressionTask(classifier, options, _class_weights(build, options))


def make_data_module(build: Build, task: ExpressionTask) -> FerDataModule:
    """Make the loaders of a task."""
    options = task.options
    return FerDataModule(
        build,
        options.batch_size,
        seed=options.seed,
        fields=task.fields,
        eval_batch_size=max(64, options.batch_size),  # scores do not depend on it
        drop_last=True,  # batch normalization can't work on a single image
        subset=options.subset,
        subset_epochs=options.subset_epochs,
    )


def make_callbacks(options: TrainOptions, *, quiet: bool) -> list[Callback]:
    """Make the callbacks of a run, except those that write files."""
    callbacks = [EpochSeed(options.seed), LossGuard(), EpochBar(quiet=quiet)]
    if options.ema_decay:
        callbacks.append(WeightEma(options.ema_decay))
    if options.early_stopping:
        callbacks.append(
            StaysStopped("validation_loss", patience=options.early_stopping, check_finite=False)
        )
    return callbacks


def count_parameters(model: nn.Module) -> int:
    """Count trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _class_weights(build: Build, options: TrainOptions) -> list[float] | None:
    """Return w_c = N / n_c per class, or None for equal weights."""
    counts, names = build.split("train").counts, build.label_space.names
    absent = [name for name in names if not counts.get(name)]
    if absent:
        message = f"{build.root}: the train split has no image of {', '.join(absent)}"
        if options.class_weights != "none":
            raise OptionError(f"{message}, so its class weight is undefined: --class-weights none.")
        logger.warning("%s; the model can't learn to predict it.", message)
    if options.class_weights == "none":
        return None
    weights: list[float] = class_weights([counts[name] for name in names]).tolist()
    return weights


def _require_landmarks(build: Build) -> None:
    """Check that some train images have landmarks."""
    if build.landmarks.scheme is not None and build.landmarks.points:
        known = SplitArrays(build, "train").known_landmarks()
        if known.any():
            if not known.all():
                logger.info(
                    "%d of %d train images have no landmarks; their prior is empty",
                    len(known) - int(known.sum()), len(known),
                )  # fmt: skip
            return
    raise BuildError(
        f"{build.root}: the model takes landmarks as a prior (landmark_prior) and no train image "
        "has any; build with --landmarks auto, or turn the prior off."
    )
