"""`ferdata doctor`: check what a build or a training run depends on."""

from __future__ import annotations

import json
import platform
import shutil
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from ferdata.core.extras import EXTRAS, PURPOSES, missing_modules, opencv_versions

_PACKAGES = ("numpy", "pandas", "pyarrow", "scipy", "h5py")
_CV2_VERSION = "5.0.0.93"
"""The newest release of all of OpenCV's distributions; the same as in constraints.txt."""

_MIN_FREE_GB = 5


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        subject: What was checked.
        status: `ok`, `warning` or `problem`.
        detail: What was found, and what to do about it.
    """

    subject: str
    status: str
    detail: str


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check the installation: packages, OpenCV, face detectors, GPU and free disk space.

    Exits with 1 if there is a problem that would stop a build.

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
    """Check everything that a build or a training run depends on."""
    findings = [_python(), *(_package(name) for name in _PACKAGES), _opencv_versions(), _opencv()]
    return [*findings, *map(_extra, EXTRAS), *_detectors(), _gpu(), _disk()]


def _python() -> Finding:
    return Finding("python", "ok", f"{platform.python_version()} on {platform.platform()}")


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        return Finding(name, "problem", "not installed; pip install ferdata")


def _extra(name: str) -> Finding:
    """Say whether an extra is installed; that one is not is no problem, but a choice."""
    missing = missing_modules(name)
    if not missing:
        return Finding(f"extra {name}", "ok", ", ".join(map(_installed, EXTRAS[name])))
    some = f"lacks {', '.join(missing)}" if len(missing) < len(EXTRAS[name]) else "not installed"
    remedy = f"pip install 'ferdata[{name}]' {PURPOSES[name]}"
    return Finding(f"extra {name}", "warning", f"{some}; {remedy}")


def _installed(module: str) -> str:
    """Return a module's distribution with its version."""
    distribution = {"sklearn": "scikit-learn"}.get(module, module)
    try:
        return f"{distribution} {version(distribution)}"
    except PackageNotFoundError:  # installed by other means
        return f"{distribution} of unknown version"


def _opencv_versions() -> Finding:
    """Three distributions write the same `cv2` folder; the last one installed wins."""
    found = dict(opencv_versions())
    listed = ", ".join(f"{name} {number}" for name, number in found.items()) or "none"
    if len(set(found.values())) > 1:
        wanted = " ".join(f"{name}=={_CV2_VERSION}" for name in found)
        return Finding(
            "opencv distributions",
            "problem",
            f"versions differ: {listed}; they overwrite each other's files. "
            f"Run: pip install --force-reinstall --no-deps {wanted}",
        )
    return Finding("opencv distributions", "ok" if found else "problem", listed)


def _opencv() -> Finding:
    try:
        import cv2  # noqa: PLC0415 - a broken install must be a finding, not a crash
    except ImportError as error:
        remedy = " Run: apt install libgl1 libglib2.0-0" if "lib" in str(error) else ""
        return Finding("cv2", "problem", f"can't be imported: {error}.{remedy}")
    return Finding("cv2", "ok", f"{cv2.__version__} from {Path(cv2.__file__).parent}")


def _detectors() -> list[Finding]:
    """Check each face detector without downloading a file or loading anything heavy."""
    from ferdata.core.errors import FerdataError  # noqa: PLC0415 - keeps start-up light
    from ferdata.faces.detectors import DEFAULT_DETECTOR, DETECTORS  # noqa: PLC0415

    findings = []
    for name in DETECTORS:
        try:
            status, detail = "ok", _detector(name)
        except FerdataError as error:
            # Photographs are aligned with the default detector; without it their build stops.
            broken = name == DEFAULT_DETECTOR and not missing_modules("faces")
            status = "problem" if broken else "warning"
            detail = f"can't run: {error}"
        findings.append(Finding(f"detector {name}", status, detail))
    return findings


def _detector(name: str) -> str:
    """Return a detector's version and where its files are; raise if it can't run."""
    from ferdata.core.errors import ModelFileError  # noqa: PLC0415 - as above
    from ferdata.faces.detectors import DETECTORS  # noqa: PLC0415

    detector = DETECTORS.get(name)()
    detector.require_libraries()
    parts = [detector.version]
    for file in detector.files:
        found = file.find()
        if found is None:
            raise ModelFileError(
                f"{file.name} is missing. Run: {file.install}, or: ferdata models fetch"
            )
        parts.append(f"{found.path} (from {found.origin})")
    return ", ".join(parts)


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
