"""Fixtures of the face tests: drawn faces on disk, their manifest, a cache of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from ferdata.core.labels import CANONICAL, LabelSpace
from ferdata.core.manifest import Manifest
from ferdata.synth import DrawnFace, draw_face

FACES = 12
SPACE = LabelSpace("canonical8", CANONICAL)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_caches: None) -> Path:
    folder = tmp_path / "own cache"
    monkeypatch.setenv("FERDATA_CACHE_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def drawn() -> list[DrawnFace]:
    return [
        draw_face(CANONICAL[i % len(CANONICAL)], np.random.default_rng(i), 100)
        for i in range(FACES)
    ]


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory, drawn: list[DrawnFace]) -> Path:
    """Write the drawn faces as PNG, `0.png` and on, and `blank.png`; never write into it."""
    root = tmp_path_factory.mktemp("pictures")
    for index, face in enumerate(drawn):
        cv2.imwrite(str(root / f"{index}.png"), face.pixels[:, :, ::-1])
    cv2.imwrite(
        str(root / "blank.png"),
        np.random.default_rng(0).integers(60, 120, (60, 80, 3)).astype(np.uint8),
    )
    return root


@pytest.fixture(scope="session")
def astronaut() -> npt.NDArray[np.uint8]:
    """Return the one real face of the tests, a public-domain photograph, 220×260 pixels."""
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:260, 120:340])


@pytest.fixture(scope="session")
def rows_of(pictures: Path) -> Callable[..., Manifest]:
    """Return a function that makes a manifest of pictures, each with further columns."""

    def make(uris: list[str], columns: Mapping[str, Mapping[str, Any]] | None = None) -> Manifest:
        rows = [
            {
                "sample_id": f"drawn/{Path(uri).stem}-{position}",
                "dataset": "drawn",
                "layout": "flat",
                "uri": uri,
                "framing": "crop",
                "label": CANONICAL[position % len(CANONICAL)],
                **(columns or {}).get(uri, {}),
            }
            for position, uri in enumerate(uris)
        ]
        return Manifest.from_rows(rows, SPACE, roots={"drawn": pictures})

    return make
