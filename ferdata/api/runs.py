"""Training runs: made, opened, evaluated, used, compared."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ferdata.api.listing import Listing
from ferdata.api.paths import PathLike, as_path
from ferdata.core import html
from ferdata.core.config import read_config
from ferdata.data import build as opened
from ferdata.deployment.options import ExportOptions, PredictOptions
from ferdata.runs.folder import RunFolder, default_folder
from ferdata.runs.options import TrainOptions
from ferdata.runs.record import RunRecord

if TYPE_CHECKING:
    from ferdata.deployment.images import ImageInput
    from ferdata.deployment.results import ExportReport
    from ferdata.evaluation.comparison import Comparison
    from ferdata.evaluation.report import EvaluationReport
    from ferdata.training.report import RunReport


class Run(RunFolder):
    """A training run.

    Attributes:
        path: Its folder: checkpoints, metrics, evaluations.
    """

    @classmethod
    def open(cls, path: PathLike | RunFolder) -> Run:
        """Open a run.

        Args:
            path: Its folder; an open run is returned as it is.

        Raises:
            RunError: There is no run, or its `run.json` is damaged.
        """
        if isinstance(path, Run):
            return path
        run = cls(path.path if isinstance(path, RunFolder) else as_path(path, "run"))
        run.record  # noqa: B018 - a folder that is not a run is refused now
        return run

    @cached_property
    def record(self) -> RunRecord:
        """Options, build, model and results of the run."""
        return self.read()

    @property
    def history(self) -> tuple[Mapping[str, float], ...]:
        """One row of metrics per epoch; empty until the run is finished."""
        return self.record.results.history if self.record.results else ()

    def evaluate(
        self, build: PathLike | opened.Build | None = None, split: str = "test", **options: Any
    ) -> EvaluationReport:
        """Score the model on a split; see `ferdata.evaluate`."""
        return evaluate(self, build, split, **options)

    def predict(
        self,
        images: ImageInput | Iterable[ImageInput],
        *,
        out: PathLike | None = None,
        **options: Any,
    ) -> Listing:
        """Classify the expression of faces in new images; see `ferdata.predict`."""
        return predict(self, images, out=out, **options)

    def export(
        self, to: str = "onnx", *, out: PathLike | None = None, **options: Any
    ) -> ExportReport:
        """Write the model as a file that runs without ferdata; see `ferdata.export`."""
        return export(self, to, out=out, **options)

    def __repr__(self) -> str:
        record = self.record
        state = "not finished" if record.results is None else f"{record.results.epochs} epochs"
        return (
            f"Run({record.options.model!r} on {record.build.name!r}, {state}, {str(self.path)!r})"
        )

    def _repr_html_(self) -> str:
        record, results = self.record, self.record.results
        properties: dict[str, object] = {
            "folder": self.path,
            "model": record.options.model,
            "build": f"{record.build.name}, {record.build.path}",
            "recipe": record.options.recipe or "none",
        }
        if results is None:
            return html.definitions(properties | {"state": "not finished"})
        properties |= {
            "epochs": results.epochs,
            "best epoch on validation": results.best_epoch,
            "parameters": f"{results.parameters:,}",
        }
        curves = self.path / "curves.png"
        image = ""
        if curves.is_file():
            data = base64.b64encode(curves.read_bytes()).decode()
            image = f"<img alt='curves of {escape(record.options.model)}' width='640' "
            image += f"src='data:image/png;base64,{data}'>"
        return html.definitions(properties) + image


def train(
    build: PathLike | opened.Build,
    *,
    out: PathLike | None = None,
    config: PathLike | None = None,
    resume: bool = False,
    quiet: bool = False,
    **options: Any,
) -> Run:
    """Train a model on a build, choose its best epoch on validation, test it.

    Args:
        build: A build, open or by its directory.
        out: Folder of the run; default: `runs/BUILD-MODEL`.
        config: YAML file with options by name; those given here override it.
        resume: Continue the run in `out` after its last complete epoch, if there is one.
        quiet: Show no progress.
        **options: Options of `ferdata.runs.options.TrainOptions`, for instance
            `model="a_mobilenet"`, `epochs=3`, `recipe="lmfer"`.

    Raises:
        FerdataError: A name or an option is wrong, the build lacks what the run needs, or `out`
            holds another run; the message says what to do.
        MissingExtraError: torch is not installed.
    """
    report = run_train(build, options, out=out, config=config, resume=resume, quiet=quiet)
    return Run.open(report.run)


def run_train(
    build: PathLike | opened.Build,
    options: Mapping[str, Any],
    *,
    out: PathLike | None = None,
    config: PathLike | None = None,
    resume: bool = False,
    quiet: bool = False,
    spelled: Callable[[str], str] = str,
) -> RunReport:
    """Carry out a call of `train` and return its report.

    Args:
        build: As for `train`, like all but the last.
        options: Training options by name.
        out: The run's folder.
        config: A file with more options.
        resume: Whether to continue.
        quiet: Show no progress.
        spelled: How an option is written where the call comes from, for messages.

    Raises:
        FerdataError: As for `train`.
    """
    from ferdata.training.recipe_options import run_options  # noqa: PLC0415 - keeps opening light

    given = {**(read_config(config) if config is not None else {}), **options}
    TrainOptions.checked(given, kind="training option", spelled=spelled)
    data = opened.Build.open(build if isinstance(build, opened.Build) else as_path(build, "build"))
    recipe, folder = given.pop("recipe", None), None if out is None else as_path(out, "out")
    resolved = run_options(given, data, recipe=recipe, out=folder, resume=resume)
    folder = folder or default_folder(data.name, resolved.model)
    if not resume:
        RunFolder(folder).start()  # said before torch is loaded
    from ferdata.training import run_training  # noqa: PLC0415 - torch is heavy

    return run_training(data.root, folder, resolved, resume=resume, quiet=quiet)


def evaluate(
    run: PathLike | RunFolder,
    build: PathLike | opened.Build | None = None,
    split: str = "test",
    *,
    checkpoint: str | None = None,
    device: str = "auto",
    quiet: bool = False,
) -> EvaluationReport:
    """Score a trained model on a split: accuracy, per-class table, calibration, groups.

    Classes are matched by name: on a build with other classes, those it shares with the model are
    scored.

    Args:
        run: A run, open or by its folder.
        build: A build, open or by its directory; None: the build that the run was trained on.
        split: `"train"`, `"validation"` or `"test"`.
        checkpoint: `"best"` or `"last"`; default: the one that the run selected.
        device: `"auto"`, `"cpu"` or `"gpu"`.
        quiet: Show no progress.

    Returns:
        The report, for instance `report.accuracy`; it is also written into the run's folder.

    Raises:
        FerdataError: Run and build don't fit together, or one can't be read.
        MissingExtraError: torch is not installed.
    """
    opened_run = Run.open(run)
    target = opened_run.record.build.path if build is None else build
    data = opened.Build.open(
        target if isinstance(target, opened.Build) else as_path(target, "build")
    )
    from ferdata.evaluation import evaluate as score  # noqa: PLC0415 - torch is heavy

    return score(
        opened_run.path, data.root, split, checkpoint=checkpoint, device=device, quiet=quiet
    )


def predict(
    run: PathLike | RunFolder,
    images: ImageInput | Iterable[ImageInput],
    *,
    out: PathLike | None = None,
    quiet: bool = True,
    **options: Any,
) -> Listing:
    """Classify the expression of faces in new images.

    An image is taken for a photograph: its face is detected and aligned as the run's build aligned
    its images. If several faces are found, the largest is classified.

    Args:
        run: A run, open or by its folder.
        images: One image or several: files and folders, arrays (uint8 RGB, shape (H, W, 3), or
            gray, shape (H, W)), or PIL images.
        out: Folder for annotated images and `predictions.csv`.
        quiet: Show no progress.
        **options: Options of `ferdata.deployment.PredictOptions`, for instance `crops=True` for
            images that are face crops.

    Returns:
        A `Prediction` for each image; `ferdata.deployment.predict` yields them one by one.

    Raises:
        FerdataError: The run, an image or an option is wrong.
        MissingExtraError: torch is not installed.
    """
    from ferdata.deployment import predict as classify  # noqa: PLC0415 - keeps opening light

    checked = PredictOptions.checked(options, kind="prediction option")
    path = Run.open(run).path
    target = None if out is None else as_path(out, "out")
    found = list(classify(path, images, checked, out=target, quiet=quiet))
    rows = [
        (each.name, each.label or "", "" if each.probability is None else f"{each.probability:.1%}",
         each.problem or each.note)
        for each in found
    ]  # fmt: skip
    return Listing.of(found, ("image", "prediction", "probability", "note"), rows)


def export(
    run: PathLike | RunFolder, to: str = "onnx", *, out: PathLike | None = None, **options: Any
) -> ExportReport:
    """Write a run's model as one file that runs without ferdata and without torch.

    Args:
        run: A run, open or by its folder.
        to: Format of the file.
        out: The file; default: inside the run's folder.
        **options: Options of `ferdata.deployment.ExportOptions`.

    Raises:
        FerdataError: The run or an option is wrong, or the file's outputs differ from torch's.
        MissingExtraError: The extra `onnx` is not installed.
    """
    from ferdata.deployment import export as write  # noqa: PLC0415 - keeps opening light

    checked = ExportOptions.checked({"to": to, **options}, kind="export option")
    file: Path | None = None if out is None else as_path(out, "out")
    return write(Run.open(run).path, file, checked)


def compare(
    runs: Iterable[PathLike | RunFolder],
    *,
    build: PathLike | opened.Build | None = None,
    split: str = "test",
    latency: bool = True,
    repeats: int = 20,
    device: str = "auto",
    quiet: bool = False,
) -> Comparison:
    """Compare trained models: scores, size, arithmetic, speed, the papers' claims.

    Args:
        runs: Runs, open or by their folders; unfinished ones are skipped and listed.
        build: The build to score all of them on; None: each on the build it was trained on.
        split: Name of the split.
        latency: Measure speed, too.
        repeats: Forward passes to time for each batch size.
        device: `"auto"`, `"cpu"` or `"gpu"`.
        quiet: Show no progress.

    Raises:
        FerdataError: No run can be compared, or the build can't be read.
        MissingExtraError: torch is not installed.
    """
    folders = [each.path if isinstance(each, RunFolder) else as_path(each, "run") for each in runs]
    root = build.root if isinstance(build, opened.Build) else build
    from ferdata.evaluation import compare as measure  # noqa: PLC0415 - torch is heavy

    return measure(
        folders,
        None if root is None else as_path(root, "build"),
        split,
        latency=latency,
        repeats=repeats,
        device=device,
        quiet=quiet,
    )
