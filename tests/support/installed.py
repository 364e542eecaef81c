"""Environments that hold only what some requirements ask for, made of links to what is installed.

Installing takes a minute and the network; links take milliseconds, and the interpreter that runs on
them knows no other packages: neither by import nor by their metadata, and its children neither.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def requirements_of(*extras: str) -> list[Requirement]:
    """Return what ferdata itself requires with some extras, those of extras in extras too."""
    found: list[Requirement] = []
    waiting = [*PROJECT["dependencies"]]
    for extra in extras:
        waiting += PROJECT["optional-dependencies"][extra]
    for text in waiting:
        requirement = Requirement(text)
        if requirement.name == "ferdata":
            found += requirements_of(*sorted(requirement.extras))
        else:
            found.append(requirement)
    return found


def closure(requirements: Iterable[Requirement]) -> dict[str, Distribution]:
    """Return the installed distributions that requirements need, and what these need in turn."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        for extra in ("", *requirement.extras):
            if (requirement.name.lower(), extra) in seen:
                continue
            seen.add((requirement.name.lower(), extra))
            there = found[requirement.name.lower()] = distribution(requirement.name)
            needs = map(Requirement, there.requires or ())
            waiting += [
                each
                for each in needs
                if each.marker is None or each.marker.evaluate({"extra": extra})
            ]
    return found


def link_environment(folder: Path, distributions: Iterable[Distribution]) -> Path:
    """Fill a folder with links to distributions; put it on `PYTHONPATH`."""
    folder.mkdir()
    for each in distributions:
        for name in {file.parts[0] for file in each.files or () if file.parts[0] != ".."}:
            target, link = Path(str(each.locate_file(name))), folder / name
            if name != "__pycache__" and target.exists() and not link.exists():
                link.symlink_to(target, target_is_directory=target.is_dir())
    return folder


def run_in(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Python on the packages of a folder and on this checkout."""
    kept = ("HOME", "PATH", "TMPDIR", "FERDATA_CACHE_DIR", "FERDATA_MODEL_DIR")
    kept += ("SYSTEMROOT", "TEMP", "USERPROFILE")  # Windows starts no program without the first
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, (ROOT, folder)))
    return subprocess.run(
        [sys.executable, "-s", "-S", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder.parent,
        check=False,
        timeout=300,
    )
