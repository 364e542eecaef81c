"""`ferdata predict`."""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ferdata.cli.flags import Json, Quiet, flags_of, with_flags
from ferdata.core.options import flag
from ferdata.deployment.options import PredictOptions

if TYPE_CHECKING:
    from ferdata.deployment import Prediction

logger = logging.getLogger(__name__)


@with_flags(flags_of(PredictOptions))
def predict(
    given: dict[str, Any],
    run: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    images: Annotated[
        list[Path],
        typer.Argument(help="Images, or folders of images.", metavar="IMAGE|DIR"),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for annotated images and predictions.csv.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Classify facial expressions in new images.

    Images are treated as photographs: the face is detected and aligned like the images of the
    run's build. If there are several faces, the largest is classified. Use --crops for images that
    are already face crops, such as those of FER2013.

    Exits with 1 if an image has no prediction; the reason is printed with it.

    \b
    Examples:
      ferdata predict runs/rafdb-lmfer photo.jpg
      ferdata predict runs/rafdb-lmfer holiday/ --out predictions --top 2
      ferdata predict runs/fer2013-ctan crops/ --crops --json
    """
    from ferdata.deployment import predict as predict_images  # noqa: PLC0415 - keeps start-up light

    options = PredictOptions.checked(given, spelled=flag)
    predictions = predict_images(run, images, options, out=out, quiet=quiet)
    counts = Counter[str]()
    try:
        with closing(predictions):
            for prediction in predictions:
                if as_json:
                    _print(("," if counts else "[") + "\n" + json.dumps(prediction.model_dump()))
                else:
                    _print(_text(prediction, options.top))
                counts["classified" if prediction.problem is None else "without a prediction"] += 1
    finally:
        if as_json and counts:
            _print("]")  # also when interrupted, so that the JSON is complete
    if not quiet:
        listed = ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))
        logger.info("%s%s", listed, f"; table and annotated images in {out}" if out else "")
    if counts["without a prediction"]:
        raise typer.Exit(1)


def _print(line: str) -> None:
    """Print a line of results without breaking the progress bar."""
    from tqdm import tqdm  # noqa: PLC0415 - keeps start-up light

    with tqdm.external_write_mode(file=sys.stdout):
        typer.echo(line)


def _text(prediction: Prediction, top: int) -> str:
    """Describe one prediction in a line."""
    name = _printable(prediction.name)
    if prediction.problem is not None:
        return f"{name}  no prediction: {prediction.problem}"
    ranked = [f"{label} {value:.1%}" for label, value in prediction.probabilities.items()][:top]
    note = f"  ({prediction.note})" if prediction.note else ""
    return f"{name}  {'  '.join(ranked)}{note}"


def _printable(name: str) -> str:
    """Escape control characters, such as terminal escape codes and line breaks."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in name
    )
