"""MediaPipe's Face Landmarker model file: where it is, where it comes from, whether it is the one.

The file is looked for in the folder that the environment variable `FERDATA_MODEL_DIR` names, then
in the user's cache, then downloaded. It is never used unless its sha256 is the known one: other
weights give other landmarks.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.errors import ModelFileError
from ferdata.core.files import sha256_file
from ferdata.core.folders import cache_folder

MODEL_DIR_VARIABLE = "FERDATA_MODEL_DIR"
"""Environment variable that names a folder with model files."""


@dataclass(frozen=True)
class ModelFile:
    """A model file that others publish.

    Attributes:
        name: File name.
        url: Where its publisher offers it.
        size: Bytes.
        sha256: Hash of its bytes, hexadecimal.
    """

    name: str
    url: str
    size: int
    sha256: str


FACE_LANDMARKER = ModelFile(
    name="face_landmarker.task",
    url=(
        "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/"
        "float16/1/face_landmarker.task"
    ),
    size=3_758_596,
    sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
)
"""Face Landmarker, float16, version 1: face detector, 478-point landmarks, blendshapes."""

_DOWNLOAD_TIMEOUT = 15.0  # seconds without an answer; a machine behind a wall should say so soon
_LONGEST_CAUSE = 120  # characters of an error that are shown


def model_path(model: ModelFile = FACE_LANDMARKER) -> Path:
    """Return where a download of the model is kept, whether or not it is there."""
    return cache_folder() / "models" / model.name


def find_model(model: ModelFile = FACE_LANDMARKER) -> Path | None:
    """Look for the model file on this machine, and check it.

    Returns:
        Its path, or None where it is in neither place.

    Raises:
        ModelFileError: A file of that name is there and is not the model.
    """
    for path in _places(model):
        if path.is_file():
            _check(path, model)
            return path
    return None


def fetch_model(model: ModelFile = FACE_LANDMARKER, *, quiet: bool = False) -> Path:
    """Return the model file, downloading it into the user's cache where it is not there yet.

    Args:
        model: The model.
        quiet: Show no progress.

    Raises:
        ModelFileError: It can't be downloaded, or what came is not the model, or the folder that
            `FERDATA_MODEL_DIR` names holds another file of that name.
    """
    folder = os.environ.get(MODEL_DIR_VARIABLE)
    if folder and (given := Path(folder) / model.name).is_file():
        _check(given, model)
        return given
    return _download(model, quiet=quiet)


def _places(model: ModelFile) -> list[Path]:
    folder = os.environ.get(MODEL_DIR_VARIABLE)
    return [*([Path(folder) / model.name] if folder else []), model_path(model)]


def _check(path: Path, model: ModelFile) -> None:
    try:
        found = "another size" if path.stat().st_size != model.size else sha256_file(path)
    except OSError as error:
        raise ModelFileError(f"{path}: can't be read: {error.strerror}") from error
    if found == model.sha256:
        return
    remedy = (
        "Run `ferdata models fetch` to replace it."
        if path == model_path(model)
        else f"Replace it by {model.url}, or unset {MODEL_DIR_VARIABLE}."
    )
    raise ModelFileError(
        f"{path} is not the model it should be: expected {model.size:,} bytes with sha256 "
        f"{model.sha256}, found {found}. {remedy}"
    )


def _download(model: ModelFile, *, quiet: bool) -> Path:
    import pooch  # noqa: PLC0415 - only downloads need it

    target = model_path(model)
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        path = pooch.retrieve(
            model.url,
            known_hash=f"sha256:{model.sha256}",
            fname=target.name,
            path=target.parent,
            downloader=pooch.HTTPDownloader(
                progressbar=not quiet and sys.stderr.isatty(), timeout=_DOWNLOAD_TIMEOUT
            ),
        )
    except (OSError, ValueError) as error:  # requests' errors are OSErrors; a wrong hash ValueError
        raise ModelFileError(
            f"{model.name} can't be downloaded from {model.url} ({_in_short(error)}). "
            f"Put the file at {target}, or into a folder that {MODEL_DIR_VARIABLE} names; its "
            f"sha256 is {model.sha256}."
        ) from error
    finally:
        logger.setLevel(level)
    return Path(path)


def _in_short(error: BaseException) -> str:
    """Return an error's first line, or its kind where that is a page, as without a network."""
    line = str(error).strip().partition("\n")[0]
    return line if 0 < len(line) <= _LONGEST_CAUSE else type(error).__name__
