"""Fixtures for all tests: caches of their own, the landmark model, a synthetic RAF-DB."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.chromium import Chromium, find_chromium
from support.collection import COLLECTED


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note which files there are tests of, before some are left out."""
    config.stash[COLLECTED] = {item.path.relative_to(config.rootpath).as_posix() for item in items}


@pytest.fixture(autouse=True)
def own_caches(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's caches out of the tests, and the tests out of the user's caches."""
    cache = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("FERDATA_CACHE_DIR", str(cache / "ferdata"))
    monkeypatch.setenv("HF_HOME", str(cache / "huggingface"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(autouse=True)
def own_log_level() -> Iterator[None]:
    """Undo what `--quiet` does to the logger of this process, also in fixtures of a module."""
    logging.getLogger("ferdata").setLevel(logging.NOTSET)
    yield
    logging.getLogger("ferdata").setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Let torch compute on one thread: for tiny models threads cost more than they bring."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def landmark_model() -> Path:
    """Return the landmark model's file; skip where there is none, unless one is required."""
    from ferdata.faces.detectors.mediapipe import FACE_LANDMARKER

    found = FACE_LANDMARKER.find()
    if found is None:
        reason = f"no {FACE_LANDMARKER.name}: {FACE_LANDMARKER.install}"
        if os.environ.get("FERDATA_REQUIRE_MODEL"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found.path


@pytest.fixture(scope="session")
def detectable(landmark_model: Path) -> Path:
    """Return the model where detection can run; skip where a native library is missing."""
    from ferdata.core.errors import DetectorUnavailableError
    from ferdata.faces.detectors.mediapipe import MediaPipeDetector

    try:
        MediaPipeDetector().require_libraries()
    except DetectorUnavailableError as error:
        pytest.skip(str(error))
    return landmark_model


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Yield a browser; skip where there is none, unless one is required."""
    if find_chromium() is None:
        reason = "no Chromium: apt-get install chromium"
        if os.environ.get("FERDATA_REQUIRE_CHROMIUM"):
            pytest.fail(reason)
        pytest.skip(reason)
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture(scope="session")
def demo_rafdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small synthetic RAF-DB in its official layout; never write into it."""
    from ferdata.ingesters.demo import write_demo

    return write_demo("rafdb", tmp_path_factory.mktemp("demo") / "rafdb", scale=0.012).root


@pytest.fixture(scope="session")
def plugin_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the example package of plugins installed into it."""
    from support.plugins import install_example

    target = tmp_path_factory.mktemp("site")
    install_example(target, tmp_path_factory.mktemp("package") / "source")
    return target


@pytest.fixture
def make_build(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a small build below the test's folder."""
    from support.builds import write_build

    def make(name: str = "build", **options) -> Path:
        return write_build(tmp_path / name, **options)

    return make
