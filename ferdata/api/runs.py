"""Training runs: made, opened, evaluated, used, compared."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ferdata.api.guesses import AnswersGuesses
from ferdata.api.listing import Listing
from ferdata.api.paths import PathLike, as_path
from ferdata.api.train_request import run_train
from ferdata.core import html
from ferdata.core.errors import OptionError
from ferdata.core.split_rules import SPLITS
from ferdata.data import build as opened
from ferdata.deployment.options import ExportOptions, PredictOptions
from ferdata.evaluation.options import ComparisonOptions, EvaluationOptions
from ferdata.runs.folder import RunFolder
from ferdata.runs.record import RunRecord

if TYPE_CHECKING:
    from ferdata.api.reports import ComparedRuns, Evaluation
    from ferdata.deployment.images import ImageInput
    from ferdata.deployment.results import ExportReport
    from ferdata.models.classifier import Classifier


class Run(AnswersGuesses, RunFolder):
    """A training run.

    Args:
        path: Its folder.

    Attributes:
        path: Its folder: checkpoints, metrics, evaluations.

    Raises:
        RunError: There is no run, or its `run.json` is damaged.
    """

    guesses: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("root", "dir", "folder", "out"), "run.path"),
        **dict.fromkeys(("accuracy", "acc"), "run.evaluate().accuracy"),
        **dict.fromkeys(("score", "test", "metrics", "scores"), 'run.evaluate(split="test")'),
        **dict.fromkeys(("model", "net", "module", "classifier"), "run.load_model()"),
        **dict.fromkeys(("options", "config", "hparams"), "run.record.options"),
        **dict.fromkeys(("classes", "labels", "class_names"), "run.record.spec.labels"),
        "results": "run.record.results",
        "build": "run.own_build()",
        **dict.fromkeys(("fit", "train"), "ferdata.train(build, out=run.path, resume=True)"),
    }

    def __init__(self, path: PathLike | RunFolder) -> None:
        super().__init__(path.path if isinstance(path, RunFolder) else as_path(path, "run"))
        self.record  # noqa: B018 - a folder that is not a run is refused now

    @classmethod
    def open(cls, path: PathLike | RunFolder) -> Self:
        """Open a run; one that is open already is returned as it is."""
        return path if isinstance(path, cls) else cls(path)

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
    ) -> Evaluation:
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

    def load_model(self, checkpoint: str | None = None) -> Classifier:
        """Load the trained model, a torch module in evaluation mode on the CPU.

        It takes images as the build stores them, uint8 of shape (B, H, W, C), and returns logits,
        float32 of shape (B, K).

        Args:
            checkpoint: `"best"` or `"last"`; default: the one that the run selected.

        Raises:
            OptionError: There is no such checkpoint.
            ModelFileError: Its file is missing or damaged.
            MissingExtraError: torch is not installed.
        """
        asked = EvaluationOptions.checked({"checkpoint": checkpoint})
        from ferdata.models.checkpoint import load_classifier  # noqa: PLC0415 - torch is heavy

        return load_classifier(self.model_file(asked.checkpoint or self.record.options.select))

    def export(
        self, to: str = "onnx", *, out: PathLike | None = None, **options: Any
    ) -> ExportReport:
        """Write the model for other programs; see `ferdata.export`."""
        from ferdata.deployment import export as write  # noqa: PLC0415 - keeps opening light

        checked = ExportOptions.checked({"to": to, **options}, kind="export option")
        return write(self.path, None if out is None else as_path(out, "out"), checked)

    def __repr__(self) -> str:
        record = self.record
        state = "not finished"
        if record.results is not None:
            number = record.results.epochs
            state = f"{number} epoch{'s' if number > 1 else ''}"
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
    build: PathLike | opened.Build | None = None,
    model: str | None = None,
    *,
    out: PathLike | None = None,
    config: PathLike | None = None,
    resume: bool = False,
    quiet: bool = False,
    **options: Any,
) -> Run:
    """Train a model on a build, choose its best epoch on validation, test it.

    Args:
        build: A build, open or by its directory; None for the one that `config` names.
        model: One of ferdata's models, such as `"a_mobilenet"`, or any of timm's.
        out: Folder of the run; default: `runs/BUILD-MODEL`.
        config: YAML file with options by name, such as the `config.yaml` of a run; those given here
            override it.
        resume: Continue the run in `out` after its last complete epoch, if there is one.
        quiet: Show no progress.
        **options: Options of `ferdata.runs.options.TrainOptions`, for instance `epochs=3`,
            `recipe="lmfer"`.

    Raises:
        FerdataError: A name or an option is wrong, the build lacks what the run needs, or `out`
            holds another run; the message says what to do.
        MissingExtraError: torch is not installed.
    """
    given = options if model is None else {"model": model, **options}
    report = run_train(build, given, out=out, config=config, resume=resume, quiet=quiet)
    return Run.open(report.run)


def evaluate(
    run: PathLike | RunFolder,
    build: PathLike | opened.Build | None = None,
    split: str = "test",
    *,
    checkpoint: str | None = None,
    device: str = "auto",
    quiet: bool = False,
) -> Evaluation:
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
    asked = EvaluationOptions.checked({"checkpoint": checkpoint, "device": device})
    if build in SPLITS and not Path(str(build)).exists():
        raise OptionError(f"{build} is a split, not a build; write split={build!r}")
    run = Run.open(run)
    data = run.own_build() if build is None else _open_build(build)
    data.split(split)
    from ferdata.api.reports import Evaluation  # noqa: PLC0415 - torch is heavy
    from ferdata.evaluation import evaluate as score  # noqa: PLC0415

    report = score(
        run.path, data.root, split, checkpoint=asked.checkpoint, device=asked.device, quiet=quiet
    )
    return Evaluation.model_construct(**dict(report))


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
    if isinstance(images, opened.Build):
        raise OptionError(f"{images.root} is a build; write ferdata.evaluate(run, build)")
    path = Run.open(run).path
    target = None if out is None else as_path(out, "out")
    found = list(classify(path, images, checked, out=target, quiet=quiet))
    rows = [
        (each.name, each.label or "", "" if each.probability is None else f"{each.probability:.1%}",
         each.problem or each.note)
        for each in found
    ]  # fmt: skip
    return Listing.of(found, ("image", "prediction", "probability", "note"), rows)


def compare(
    runs: PathLike | RunFolder | Iterable[PathLike | RunFolder],
    *,
    build: PathLike | opened.Build | None = None,
    split: str = "test",
    latency: bool = True,
    repeats: int = 20,
    device: str = "auto",
    quiet: bool = False,
) -> ComparedRuns:
    """Compare trained models: scores, size, arithmetic, speed, the papers' claims.

    Args:
        runs: One run or several, open or by their folders; unfinished ones are skipped and listed.
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
    asked = ComparisonOptions.checked({"repeats": repeats, "device": device})
    one = isinstance(runs, str | os.PathLike | RunFolder)
    given: Iterable[Any] = [runs] if one else runs  # type: ignore[assignment]  # as checked
    folders = [each.path if isinstance(each, RunFolder) else as_path(each, "run") for each in given]
    data = None if build is None else _open_build(build)
    from ferdata.api.reports import ComparedRuns  # noqa: PLC0415 - torch is heavy
    from ferdata.evaluation import compare as measure  # noqa: PLC0415

    found = measure(
        folders,
        None if data is None else data.root,
        split,
        latency=latency,
        repeats=asked.repeats,
        device=asked.device,
        quiet=quiet,
    )
    return ComparedRuns.model_construct(**dict(found))


def _open_build(build: PathLike | opened.Build) -> opened.Build:
    return opened.Build.open(build if isinstance(build, opened.Build) else as_path(build, "build"))
