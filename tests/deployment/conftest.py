"""Fixtures of the export and prediction tests: drawn photographs, runs, a build of photographs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support.runs import write_run

from ferdata.models.classifier import Classifier
from ferdata.synth import SCENE, draw_face


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write drawn photographs of different sizes; never write into the folder.

    `a.png`, `sub/b.jpg`: one face each. `two.png`: a large and a small one. `noise.png`: none.
    `broken.jpg`: no image.
    """
    root = tmp_path_factory.mktemp("photographs")
    (root / "sub").mkdir()
    large = draw_face("happiness", np.random.default_rng(3), (320, 280), framing=SCENE).pixels
    small = draw_face("surprise", np.random.default_rng(4), (200, 280), framing=SCENE).pixels
    cv2.imwrite(str(root / "a.png"), large[..., ::-1])
    cv2.imwrite(str(root / "sub" / "b.jpg"), small[..., ::-1])
    cv2.imwrite(str(root / "two.png"), np.hstack([large, small])[..., ::-1])
    noise = np.random.default_rng(0).integers(60, 120, (90, 120, 3))
    cv2.imwrite(str(root / "noise.png"), noise.astype(np.uint8))
    (root / "broken.jpg").write_bytes(b"\xff\xd8 not an image")
    return root


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of a small timm model on photographs; never write into it."""
    return write_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a run below the test's folder."""

    def make(classifier: Classifier | None = None, build: dict[str, Any] | None = None) -> Path:
        return write_run(tmp_path / "run", classifier, build)

    return make
