"""No exception but ours reaches a user: damaged files over all layouts of all datasets.

300 accidents run with the other tests; FERDATA_FUZZ=2000 runs as many as it says. A case that fails
is named with its number and repeated by FERDATA_FUZZ_CASE=NUMBER.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.fuzz import mutate
from support.own_sets import SHAPES, own_images

from ferdata import ingesters
from ferdata.augmentation.operation_config import load_operations
from ferdata.core.config import read_config
from ferdata.core.errors import FerdataError
from ferdata.core.images import read_image
from ferdata.core.manifest import load_manifest, save_manifest
from ferdata.core.resources import manifests_folder
from ferdata.data.arrays import SplitArrays
from ferdata.ingesters.declared.declaration import load_declaration
from ferdata.ingesters.declared.draft import draft_declaration
from ferdata.ingesters.demo import write_demo
from ferdata.ingesters.info import load_info
from ferdata.ingesters.synthetic import writers
from ferdata.recipes.mix import load_mix
from ferdata.recipes.recipe import load_recipe
from ferdata.shards import BuildOptions, Execution, build_shards
from ferdata.shards.verify import verify

CASES = int(os.environ.get("FERDATA_FUZZ", "300"))
ONLY = os.environ.get("FERDATA_FUZZ_CASE")
SLOWEST = 30.0  # seconds of one case, on a busy machine
SCALE = 0.0005
IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".JPG")
OWN_FILES = (".csv", ".txt", ".tsv", ".json", ".jsonl", ".parquet", ".h5", ".npz")
OPTIONS = BuildOptions(landmarks="none", size=32, split="stratified:2:1:1", max_reject_rate=1.0)
QUIET = Execution(executor="serial", quiet=True)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Path, Path]]:
    """Return dataset, root and file of everything that is no image in any layout, and one zip."""
    out = tmp_path_factory.mktemp("fuzz")
    found = []
    for name, writer in writers().items():
        for layout in writer.layouts:
            root = out / f"{name}-{layout}"
            write_demo(name, root, layout=layout, scale=SCALE, quiet=True)
            files = sorted(path for path in root.rglob("*") if path.is_file())
            with zipfile.ZipFile(root / "more.zip", "w") as archive:
                archive.write(files[0], files[0].name)
            texts = [path for path in files if path.suffix not in IMAGES]
            found.append([(name, root, path) for path in (*texts, root / "more.zip")])
    return _evenly(found)


def _evenly(groups: list[list[tuple[str, Path, Path]]]) -> list[tuple[str, Path, Path]]:
    """Return files so that each layout and each ending in it has the same chance."""
    chosen = []
    for group in groups:
        endings: dict[str, list[tuple[str, Path, Path]]] = {}
        for each in group:
            endings.setdefault(each[2].name[-8:], []).append(each)
        for files in endings.values():
            chosen += [files[at % len(files)] for at in range(4)]
    return chosen


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a finished build of FER2013's csv, and its data."""
    out = tmp_path_factory.mktemp("built")
    data = write_demo("fer2013", out / "data", scale=SCALE, quiet=True).root
    build_shards("fer2013", data, out / "build", OPTIONS, QUIET)
    return out / "build", data


def cases(kind: int, share: float) -> list[int]:
    """Return the numbers of the cases of a kind of damaged file."""
    if ONLY is not None:
        return [int(ONLY)]
    return [10 * number + kind for number in range(max(int(CASES * share), 1))]


def failures(case: str, use: object, *arguments: object) -> list[str]:
    """Return what is wrong about a call: anything raised but a FerdataError, or too much time."""
    start = time.monotonic()
    try:
        use(*arguments)
    except FerdataError:
        pass
    except Exception as error:
        if ONLY:
            raise
        return [f"{case}: {type(error).__name__}: {error}"]
    return [f"{case}: too slow"] if time.monotonic() - start > SLOWEST else []


def look(root: Path) -> None:
    """Do what detect does, with a draft."""
    for each in ingesters.detect(root)[:1]:
        ingesters.examine(each)
    if draft := draft_declaration(root):
        draft.text.encode()


def read(name: str, root: Path, out: Path) -> None:
    """Do what ingest does, and read some of the images that are rows of a file."""
    manifest = ingesters.ingest(name, root)
    save_manifest(manifest, out / "manifest.parquet")
    for uri in manifest.column("uri")[:3]:
        if "#" in uri:
            read_image(next(iter(manifest.roots.values())), uri)


def read_build(build: Path) -> None:
    """Do what verify and training do with a build."""
    verify(build, quiet=True)
    arrays = SplitArrays(build, "train")
    arrays.gather(range(len(arrays)), ("image", "label", "sample_id"))


@pytest.fixture
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
def test_damaged_datasets(copies: list[tuple[str, Path, Path]], tmp_path: Path) -> None:
    found = []
    for number in cases(0, 0.6):
        draws = np.random.default_rng(number)
        name, root, path = copies[int(draws.integers(0, len(copies)))]
        whole = path.read_bytes()
        data, what = mutate(whole, draws)
        path.write_bytes(data)
        case = f"case {number}: {path.relative_to(root.parent)}: {what}"
        try:
            if number % 20 == 0:
                found += failures(f"{case}, detect", look, root)
            found += failures(case, read, name, root, tmp_path)
            if number % 200 == 0:
                out = tmp_path / f"build{number}"
                found += failures(f"{case}, built", build_shards, name, root, out, OPTIONS, QUIET)
        finally:
            path.write_bytes(whole)
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
def test_damaged_sets_of_ones_own(tmp_path: Path) -> None:
    images = own_images()
    for name, shape in SHAPES.items():
        shape.write(tmp_path / name, images)
        (tmp_path / f"{name}.yaml").write_text(shape.declaration("mine"))
    found = []
    for number in cases(3, 0.15):
        draws = np.random.default_rng(number)
        name = str(draws.choice(list(SHAPES)))
        files = sorted(each for each in (tmp_path / name).rglob("*") if each.suffix in OWN_FILES)
        path = ([*files, tmp_path / f"{name}.yaml"])[int(draws.integers(0, len(files) + 1))]
        whole = path.read_bytes()
        damaged, what = mutate(whole, draws)
        path.write_bytes(damaged)
        case = f"case {number}: {path.relative_to(tmp_path)}: {what}"
        found += failures(f"{case}, detect", look, tmp_path / name)
        found += failures(case, read, str(tmp_path / f"{name}.yaml"), tmp_path / name, tmp_path)
        path.write_bytes(whole)
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
def test_damaged_builds(build: tuple[Path, Path], tmp_path: Path) -> None:
    finished, data = build
    files = sorted(path.relative_to(finished) for path in finished.rglob("*") if path.is_file())
    found = []
    for number in cases(1, 0.15):
        draws = np.random.default_rng(number)
        out = tmp_path / "build"
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(finished, out)
        path = out / files[int(draws.integers(0, len(files)))]
        damaged, what = mutate(path.read_bytes(), draws)
        path.write_bytes(damaged)
        case = f"case {number}: {path.relative_to(out)}: {what}"
        found += failures(case, read_build, out)
        found += failures(f"{case}, loaded", load_manifest, out / "manifest.parquet")
        if number % 30 == 1:
            found += failures(f"{case}, built", build_shards, "fer2013", data, out, OPTIONS, QUIET)
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
def test_damaged_yaml(tmp_path: Path) -> None:
    shipped = sorted(manifests_folder().rglob("*.yaml"))
    readers = {
        "datasets": load_info,
        "declarations": load_declaration,
        "mixes": load_mix,
        "operations": load_operations,
        "recipes": load_recipe,
    }
    found = []
    for number in cases(2, 0.1):
        draws = np.random.default_rng(number)
        source = shipped[int(draws.integers(0, len(shipped)))]
        path = tmp_path / source.name
        damaged, what = mutate(source.read_bytes(), draws)
        path.write_bytes(damaged)
        case = f"case {number}: {source.parent.name}/{source.name}: {what}"
        read = readers[source.parent.name]
        place = path if read is load_declaration else str(path)
        arguments = (path, path.stem) if read is load_info else (place,)
        found += failures(case, read, *arguments)
        found += failures(f"{case}, as config", read_config, path)
    assert not found, "\n".join(found)
