"""The folder of a run as a user gives it, checked before torch is loaded."""

from __future__ import annotations

from pathlib import Path

from ferdata.core.errors import OptionError


def run_path(run: str | Path) -> Path:
    """Return the folder of a training run.

    Raises:
        OptionError: There is no run.
    """
    path = Path(run).expanduser()
    if not (path / "run.json").is_file():
        raise OptionError(
            f"{path} holds no training run (no run.json); "
            "give the folder that `ferdata train` printed as its run."
        )
    return path
