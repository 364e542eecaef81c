"""The Dockerfile and the conda recipe say what `pyproject.toml` says, and are well formed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from support.installed import PROJECT, ROOT

from ferdata.core.version import __version__
from ferdata.faces.detectors.mediapipe import NATIVE_LIBRARIES

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
RECIPE = yaml.safe_load((ROOT / "conda/recipe.yaml").read_text(encoding="utf-8"))
CONDA_NAMES = {"opencv-python-headless": "py-opencv", "torch": "pytorch"}
"""Packages that conda-forge calls otherwise."""


def as_conda(requirement: Requirement) -> tuple[str, str]:
    name = CONDA_NAMES.get(requirement.name, requirement.name).lower()
    return name, ",".join(sorted(str(requirement.specifier).split(",")))


def listed(part: str) -> dict[str, str]:
    pairs = (line.partition(" ") for line in RECIPE["requirements"][part])
    return {name: ",".join(sorted(bounds.split(","))) for name, _, bounds in pairs}


def test_the_conda_recipe_asks_for_what_the_core_asks_for() -> None:
    declared = dict(as_conda(Requirement(text)) for text in PROJECT["dependencies"])
    assert listed("run") == declared | {"python": PROJECT["requires-python"]}
    assert listed("host")["python"] == PROJECT["requires-python"]
    assert RECIPE["context"]["version"] == __version__
    assert RECIPE["about"]["license"] == PROJECT["license"]
    (script,) = RECIPE["build"]["python"]["entry_points"]
    assert script == f"ferdata = {PROJECT['scripts']['ferdata']}"


def test_the_conda_recipe_bounds_extras_as_they_are_declared() -> None:
    extras = PROJECT["optional-dependencies"]
    declared = dict(as_conda(Requirement(text)) for each in extras.values() for text in each)
    declared["pytorch"] = ">=2.4"  # `onnx` asks for a newer one
    bounds = listed("run_constraints")
    assert {name: declared[name] for name in bounds} == bounds


def test_the_image_has_the_libraries_and_a_user_of_its_own() -> None:
    packages = {"libEGL.so.1": "libegl1", "libGLESv2.so.2": "libgles2"}
    for library in NATIVE_LIBRARIES:
        assert packages[library] in DOCKERFILE
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1] not in ("root", "0")
    assert all("slim" in image for image in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    (extras,) = re.findall(r"^ARG EXTRAS=(\S+)", DOCKERFILE, re.MULTILINE)
    assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])
    copied = {name for line in re.findall(r"^COPY (?!--)(.+)", DOCKERFILE, re.MULTILINE)
              for name in line.split()[:-1]}  # fmt: skip
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
            if line.startswith("!")}  # fmt: skip
    assert copied == kept
    assert all((ROOT / name).exists() for name in kept)


def test_the_dockerfile_is_clean(tmp_path: Path) -> None:
    hadolint = shutil.which("hadolint") or shutil.which("hadolint", path=Path(_python()).parent)
    if hadolint is None:
        pytest.skip("no hadolint")
    judged = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, check=False)
    assert judged.returncode == 0, judged.stdout.decode()
    worse = tmp_path / "Dockerfile"
    worse.write_text(DOCKERFILE.replace("pip install --no-cache-dir uv==", "pip install uv #"))
    assert subprocess.run([hadolint, worse], capture_output=True, check=False).returncode == 1


@pytest.mark.slow
def test_the_image_is_built_and_runs() -> None:
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run([docker, "info"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no Docker daemon")
    build = [docker, "build", "--tag", "ferdata-test", "--build-arg", "EXTRAS=model", ROOT]
    subprocess.run(build, check=True, capture_output=True)
    run = [docker, "run", "--rm", "ferdata-test"]
    demo = [
        "build",
        "rafdb",
        "--demo",
        "--demo-scale",
        "0.003",
        "--augment",
        "balance",
        "--out",
        "o",
    ]
    subprocess.run([*run, *demo], check=True, capture_output=True)
    who = [docker, "run", "--rm", "--entrypoint", "id", "ferdata-test", "-u"]
    assert subprocess.run(who, check=True, capture_output=True).stdout.strip() == b"1000"


def _python() -> str:
    import sys

    return sys.executable
