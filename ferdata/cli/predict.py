"""`ferdata predict`."""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferdata.cli.train import Device, Select
from ferdata.core.errors import MissingExtraError

if TYPE_CHECKING:
    from ferdata.deployment import Prediction

logger = logging.getLogger(__name__)


class Landmarks(StrEnum):
    """Whether faces are looked for."""

    AUTO = "auto"
    NONE = "none"


def predict(
    run: Annotated[Path, typer.Argument(help="Folder of a run that `ferdata train` made.")],
    images: Annotated[
        list[Path],
        typer.Argument(help="Pictures, or folders of pictures.", metavar="IMAGE|DIR"),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for annotated pictures and predictions.csv.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Classes to show for each picture.")] = 3,
    crops: Annotated[
        bool, typer.Option("--crops", help="The pictures are face crops; look for no face.")
    ] = False,
    landmarks: Annotated[
        Landmarks, typer.Option(help="none: run no detector, for --crops only.")
    ] = Landmarks.AUTO,
    checkpoint: Annotated[
        Select | None, typer.Option(help="Checkpoint to ask [default: as the run selected].")
    ] = None,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.AUTO,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on standard error.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answers as JSON.")] = False,
) -> None:
    """Say which expression faces in new pictures show.

    A picture is taken for a photograph: its face is found, and it is aligned as the run's
    build aligned its images. Of several faces the largest is answered. Pictures that are face crops
    already, such as those of FER2013, need --crops.

    Exits with 1 when any picture got no answer; the reason stands beside it.

    \b
    Examples:
      ferdata predict runs/rafdb-lmfer photo.jpg
      ferdata predict runs/rafdb-lmfer holiday/ --out answers --top 2
      ferdata predict runs/fer2013-ctan crops/ --crops --json
    """
    try:
        from ferdata import deployment  # noqa: PLC0415 - torch is heavy
    except ImportError as error:
        raise MissingExtraError("prediction", "train", error) from error
    answers = deployment.predict(
        run,
        images,
        out=out,
        top=top,
        crops=crops,
        landmarks=landmarks.value,
        checkpoint=checkpoint.value if checkpoint else None,
        device=device.value,
        quiet=quiet,
    )
    counts = Counter[str]()
    try:
        with closing(answers):
            for prediction in answers:
                if as_json:
                    _print(("," if counts else "[") + "\n" + json.dumps(prediction.model_dump()))
                else:
                    _print(_text(prediction, top))
                counts["answered" if prediction.problem is None else "without an answer"] += 1
    finally:
        if as_json and counts:
            _print("]")  # also when interrupted: what was answered can be read
    if not quiet:
        listed = ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))
        logger.info("%s%s", listed, f"; table and annotated pictures in {out}" if out else "")
    if counts["without an answer"]:
        raise typer.Exit(1)


def _print(line: str) -> None:
    """Print a line of results without tearing the progress bar."""
    from tqdm import tqdm  # noqa: PLC0415 - keeps start-up light

    with tqdm.external_write_mode(file=sys.stdout):
        typer.echo(line)


def _text(prediction: Prediction, top: int) -> str:
    """Tell one answer in a line."""
    image = _visible(prediction.image)
    if prediction.problem is not None:
        return f"{image}  no answer: {prediction.problem}"
    shares = [f"{name} {share:.1%}" for name, share in prediction.probabilities.items()][:top]
    count = prediction.faces or 0
    note = f"  ({count} faces; this is the largest)" if count > 1 else ""
    return f"{image}  {'  '.join(shares)}{note}"


def _visible(name: str) -> str:
    """Write what a terminal would obey, such as escape codes and line ends, as it is in Python."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in name
    )
