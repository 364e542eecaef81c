"""`predict`: the expressions that a trained model sees in new images."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ferdata.core.errors import MissingExtraError
from ferdata.deployment.options import PredictOptions
from ferdata.deployment.results import Prediction
from ferdata.runs.folder import RunFolder

if TYPE_CHECKING:
    from ferdata.deployment.images import ImageInput


def predict(
    run: str | Path,
    images: ImageInput | Iterable[ImageInput],
    options: PredictOptions | None = None,
    *,
    out: str | Path | None = None,
    quiet: bool = False,
) -> Generator[Prediction, None, None]:
    """Classify the expression of faces in new images with a run's model.

    An image is taken for a photograph, unless `options.crops` says otherwise: its face is detected
    and aligned as the run's build aligned its images, see `ferdata.deployment.preparation`. If
    several faces are found, the largest is classified. An image that can't be read or shows no face
    gives a `Prediction` with a `problem`.

    Paths are checked at once; the model is loaded and images are classified as the result is
    iterated, so that memory does not grow with their number. Close the generator if you don't
    exhaust it.

    Args:
        run: Folder of a run that `train` wrote.
        images: One image or several: files and folders (`str` or `Path`, `~` is expanded), arrays
            (uint8 RGB, shape (H, W, 3), or gray, shape (H, W)), and PIL images.
        options: See `PredictOptions`.
        out: Folder for annotated images and `predictions.csv`; None for neither.
        quiet: Show no progress.

    Raises:
        OptionError: There is no such run or image, or the options contradict each other.
        ModelFileError: The checkpoint is missing or damaged, its outputs are NaN or infinite, or
            the landmark model is not available.
        DetectorUnavailableError: The face detector is needed and can't run.
        BuildError: `out` can't be written.
        MissingExtraError: torch is not installed.
    """
    from ferdata.deployment.images import collect_images  # noqa: PLC0415 - loads OpenCV

    folder = RunFolder(Path(run).expanduser())
    record = folder.read()
    target = None if out is None else Path(out).expanduser()
    given = collect_images(images, skip=target)
    try:
        from ferdata.deployment.predictor import classify_images  # noqa: PLC0415 - torch is heavy
    except ImportError as error:
        raise MissingExtraError("prediction", "train", error) from error
    return classify_images(folder, record, given, options or PredictOptions(), target, quiet=quiet)
