"""The extras that the code knows are those of `pyproject.toml`; a missing one is one sentence."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support.installed import PROJECT, ROOT

from ferdata.core.errors import MissingExtraError
from ferdata.core.extras import (
    EXTRAS,
    OPENCV_DISTRIBUTIONS,
    PURPOSES,
    extra_of,
    missing_modules,
    opencv_version,
    require_module,
)

DECLARED = PROJECT["optional-dependencies"]


def names_of(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def test_the_code_knows_the_declared_extras() -> None:
    assert set(EXTRAS) == set(PURPOSES) == set(DECLARED) - {"dev"}
    everything = next(Requirement(text) for text in DECLARED["dev"] if "ferdata[" in text)
    covered = everything.extras | {"faces", "augment"}  # those two are in `model`
    assert covered == set(EXTRAS)


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_is_known_by_packages_that_it_declares(extra: str) -> None:
    homes = packages_distributions()
    for module in EXTRAS[extra]:
        names = set(map(canonicalize_name, homes[module]))
        assert names & names_of(DECLARED[extra]) or module == "distributed"  # dask[distributed]
        assert extra_of(f"{module}.part") == extra
    assert not missing_modules(extra)


def test_every_opencv_has_the_same_bounds() -> None:
    texts = [*PROJECT["dependencies"], *(text for each in DECLARED.values() for text in each)]
    found = {r.name: str(r.specifier) for r in map(Requirement, texts) if "opencv" in r.name}
    assert set(found) == set(OPENCV_DISTRIBUTIONS)
    assert len(set(found.values())) == 1
    core = names_of(PROJECT["dependencies"])
    assert core & set(OPENCV_DISTRIBUTIONS) == {OPENCV_DISTRIBUTIONS[0]}
    assert opencv_version().startswith("5.")


def test_a_missing_module_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    require_module("albumentations", "--augment balance")
    monkeypatch.setattr("ferdata.core.extras.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError) as caught:
        require_module("albumentations", "--augment balance")
    assert str(caught.value) == (
        "--augment balance needs a package that is not installed (No module named "
        "'albumentations'); run: pip install 'ferdata[augment]'"
    )


def test_what_is_installed_fits_together() -> None:
    command = [sys.executable, "-m", "pip", "check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert result.returncode == 0, result.stdout
