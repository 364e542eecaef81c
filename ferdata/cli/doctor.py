"""`ferdata doctor`: what this machine has, and what would stop a build."""

from __future__ import annotations

import json
import platform
import shutil
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

_PACKAGES = (
    "numpy",
    "pandas",
    "pyarrow",
    "h5py",
    "albumentations",
    "mediapipe",
    "datasets",
    "torch",
    "torchvision",
    "timm",
    "lightning",
    "torchmetrics",
)
_CV2_PACKAGES = ("opencv-python", "opencv-contrib-python", "opencv-python-headless")
_MIN_FREE_GB = 5


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        subject: What was looked at.
        status: `ok`, `warning` or `problem`.
        detail: What was found, and what to do about it.
    """

    subject: str
    status: str
    detail: str


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Report versions, OpenCV's origin, the landmark model, the GPU and free disk.

    Exits with 1 when something would stop a build.

    \b
    Examples:
      ferdata doctor
      ferdata doctor --json
    """
    findings = examine()
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            typer.echo(f"{finding.status:<8} {finding.subject:<22} {finding.detail}")
    if any(finding.status == "problem" for finding in findings):
        raise typer.Exit(1)


def examine() -> list[Finding]:
    """Look at everything that a build or a training run depends on."""
    findings = [_python(), *(_package(name) for name in _PACKAGES), _opencv_versions(), _opencv()]
    return [*findings, _native_libraries(), _landmark_model(), _gpu(), _disk()]


def _python() -> Finding:
    return Finding("python", "ok", f"{platform.python_version()} on {platform.platform()}")


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        extra = name in {"torch", "torchvision", "timm", "lightning", "torchmetrics"}
        remedy = "pip install 'ferdata[train]' to train" if extra else "pip install ferdata"
        return Finding(name, "warning" if extra else "problem", f"not installed; {remedy}")


def _opencv_versions() -> Finding:
    """Three distributions ship the same `cv2` folder; the last one installed wins."""
    found = {}
    for name in _CV2_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    listed = ", ".join(f"{name} {number}" for name, number in found.items()) or "none"
    if len(set(found.values())) > 1:
        wanted = max(found.values(), key=lambda number: [int(part) for part in number.split(".")])
        remedy = " ".join(f"{name}=={wanted}" for name in found)
        return Finding(
            "opencv distributions",
            "problem",
            f"versions differ: {listed}; they overwrite each other's files. "
            f"Run: pip install --force-reinstall --no-deps {remedy}",
        )
    return Finding("opencv distributions", "ok" if found else "problem", listed)


def _opencv() -> Finding:
    try:
        import cv2  # noqa: PLC0415 - a broken install must be a finding, not a crash
    except ImportError as error:
        remedy = " Run: apt install libgl1 libglib2.0-0" if "lib" in str(error) else ""
        return Finding("cv2", "problem", f"can't be imported: {error}.{remedy}")
    return Finding("cv2", "ok", f"{cv2.__version__} from {Path(cv2.__file__).parent}")


def _native_libraries() -> Finding:
    """MediaPipe's library is linked against EGL and GLES, which slim images lack."""
    from ferdata.faces.detectors.mediapipe import INSTALL_HINT, missing_libraries  # noqa: PLC0415 - as below

    if missing := missing_libraries():
        detail = f"{', '.join(missing)} missing: no face detection; run: {INSTALL_HINT}"
        return Finding("EGL and GLES", "warning", detail)
    return Finding("EGL and GLES", "ok", "found, or not needed on this system")


def _landmark_model() -> Finding:
    from ferdata.core.errors import ModelFileError  # noqa: PLC0415 - keeps start-up light
    from ferdata.faces.detectors.model_file import find_model  # noqa: PLC0415

    try:
        path = find_model()
    except ModelFileError as error:
        return Finding("landmark model", "problem", str(error))
    if path is None:
        return Finding("landmark model", "warning", "not here yet; run: ferdata models fetch")
    return Finding("landmark model", "ok", str(path))


def _gpu() -> Finding:
    try:
        import torch  # noqa: PLC0415 - an optional extra
    except ImportError:
        return Finding("GPU", "warning", "unknown: torch is not installed")
    if torch.cuda.is_available():
        return Finding("GPU", "ok", torch.cuda.get_device_name(0))
    if torch.backends.mps.is_available():
        return Finding("GPU", "ok", "Apple MPS")
    return Finding("GPU", "ok", "none; training runs on the CPU")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    status = "ok" if free >= _MIN_FREE_GB else "warning"
    return Finding("free disk", status, f"{free:.0f} GB in {Path.cwd()}")
