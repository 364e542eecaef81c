"""Reading what is audited: a manifest, a build, a run, a known dataset, or anything with labels."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ferdata.audits.arrow_folders import is_arrow_folder, write_parquet
from ferdata.audits.findings import AuditedSet
from ferdata.audits.hub_columns import with_marked_copies
from ferdata.audits.published_names import official_splits
from ferdata.audits.runs import AuditedRun
from ferdata.audits.strays import with_strays
from ferdata.core.errors import (
    AuditError,
    FerdataError,
    LayoutError,
    ManifestError,
    OptionError,
)
from ferdata.core.manifest import Manifest, load_manifest
from ferdata.core.parsing import parse_yaml
from ferdata.core.yaml_files import is_file_name
from ferdata.data.build import Build
from ferdata.formats.names import BUILD_FILE
from ferdata.ingesters.contract import Ingester
from ferdata.ingesters.declared.declaration import parse_declaration
from ferdata.ingesters.declared.draft import draft_declaration
from ferdata.ingesters.declared.finding import find_ingester
from ferdata.ingesters.declared.reader import DeclaredIngester
from ferdata.ingesters.detection import detect
from ferdata.ingesters.order_names import ORDER_NAMES
from ferdata.ingesters.stage import ingest_with
from ferdata.runs.record import RunRecord

_HUB = "hf"
"""The Hugging Face folder of a build."""

_PROOF = 0.5
"""A dataset that is recognized with less confidence may as well be a set of one's own."""


@dataclass(frozen=True)
class Refusal:
    """Why a copy could not be read as the dataset that it seemed to be.

    Attributes:
        dataset: The dataset.
        text: The reader's error.
        open: Whether it only asks what can't be known, else it says what is wrong.
    """

    dataset: str
    text: str
    open: bool


@dataclass(frozen=True)
class Opened:
    """What was read.

    Attributes:
        about: What it is, without the counts of its rows.
        manifest: Its rows.
        root: The folder that uris are relative to; None where the images are not at hand.
        build: The build, if it is one.
        run: The run, if it is one.
        refusals: Why it could not be read as what it seemed to be.
    """

    about: AuditedSet
    manifest: Manifest
    root: Path | None = None
    build: Build | None = None
    run: AuditedRun | None = None
    refusals: tuple[Refusal, ...] = ()


@dataclass
class _Reading:
    """Notes that are taken while a folder is read."""

    notes: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


@contextmanager
def open_path(path: Path, *, name: str | None = None, data: Path | None = None) -> Iterator[Opened]:
    """Open what is to be audited.

    Args:
        path: A manifest, a build, a run, or a folder or table with images and labels.
        name: What it is: a dataset, or the YAML file of a declaration; None to find out.
        data: Folder of a manifest's images.

    Raises:
        LayoutError: Nothing there can be read as images with labels.
        FerdataError: It is damaged.
    """
    with ExitStack() as stack:
        yield _open(path, name, data, stack)


def _open(path: Path, name: str | None, data: Path | None, stack: ExitStack) -> Opened:
    if path.name in (RunRecord.file_name, BUILD_FILE):
        path = path.parent
    if not path.exists():
        raise LayoutError(
            f"{path}: no such file or folder; give a manifest, a build, a run, or a folder of "
            "images with labels"
        )
    if name is not None:
        return _with_reader(path, name)
    if path.is_file():
        return _open_file(path, data, stack)
    if (path / RunRecord.file_name).is_file():
        return _open_run(path)
    if (path / BUILD_FILE).is_file() or (path / "plan.json").is_file():
        return _open_build(path)
    return _open_folder(path, stack)


def _open_folder(path: Path, stack: ExitStack, *notes: str) -> Opened:
    """Open a folder that is neither a build nor a run."""
    if path.name == _HUB and (path.parent / BUILD_FILE).is_file():
        return _open_build(path.parent)
    reading = _Reading(list(notes))
    if is_arrow_folder(path):
        folder = write_parquet(path, stack)
        return _opened(_read_unknown(folder, reading), path, "huggingface", reading)
    found = _read_known(path, reading)
    if found is not None:
        return found
    manifest = _read_unknown(path, reading)
    if _is_hub_folder(path):
        return _opened(with_marked_copies(manifest, path), path, "huggingface", reading)
    return _opened(manifest, path, "set", reading)


def _open_file(path: Path, data: Path | None, stack: ExitStack) -> Opened:
    if path.suffix == ".parquet":
        try:
            manifest = load_manifest(path)
        except ManifestError as error:
            if "schema version None" not in str(error):
                raise
        else:
            return _manifest(path, manifest, data)
    if is_file_name(str(path)):
        raise OptionError(f"{path}: name the folder of the data, and --as {path} says what it is")
    return _open_folder(path.parent, stack, f"{path.name} was read with all of its folder")


def _manifest(path: Path, manifest: Manifest, data: Path | None) -> Opened:
    datasets = sorted(set(manifest.table.column("dataset").unique().to_pylist()))
    roots = {} if data is None else dict.fromkeys(datasets, data)
    if data is not None and len(datasets) > 1:
        roots = {name: data / name for name in datasets}
    about = AuditedSet(path=str(path), kind="manifest", name="+".join(datasets), rows=0)
    return Opened(about, replace(manifest, roots=roots), data)


def _open_run(path: Path) -> Opened:
    run = AuditedRun.open(path)
    if run.build is None:
        raise AuditError(
            f"{path}: its build {run.record.build.path} is gone or another one is there now; "
            "audit the data that it was trained on by themselves"
        )
    opened = _open_build(run.build.root)
    about = opened.about.model_copy(update={"path": str(path), "kind": "run"})
    return replace(opened, about=about, run=run)


def _open_build(path: Path) -> Opened:
    build = Build.open(path)
    manifest = load_manifest(build.root / "manifest.parquet")
    about = AuditedSet(path=str(path), kind="build", name=build.name, rows=0)
    return Opened(about, manifest, build=build)


def _with_reader(path: Path, name: str) -> Opened:
    reader = find_ingester(name)
    reading = _Reading()
    try:
        manifest = _ingest(reader, path)
    except FerdataError as error:
        manifest = _read_anyhow(path, reader, error, reading)
    return _opened(manifest, path, "dataset", reading)


def _read_known(path: Path, reading: _Reading) -> Opened | None:
    """Read a dataset that is recognized; None where none is, or none can be read."""
    found = [each for each in detect(path) if each.confidence >= _PROOF]
    if not found:
        return None
    best = found[0]
    others = sorted({each.dataset for each in found if each.root != best.root} - {best.dataset})
    if others:
        reading.notes.append(
            f"also found here: {', '.join(others)}; only {best.dataset} was audited"
        )
    reader = find_ingester(best.dataset)
    try:
        manifest = _ingest(reader, best.root)
    except FerdataError as error:
        manifest = _read_anyhow(best.root, reader, error, reading)
    return _opened(manifest, path, "dataset", reading)


def _read_anyhow(path: Path, reader: Ingester, error: FerdataError, reading: _Reading) -> Manifest:
    """Read a copy that its dataset's reader refuses: with other choices, else as a set of its own.

    Raises:
        FerdataError: The first error, where nothing helps.
    """
    reading.refusals.append(Refusal(reader.name, str(error), open=isinstance(error, OptionError)))
    for codes in ORDER_NAMES:
        try:
            manifest = _ingest(reader, path, codes=codes)
        except FerdataError:
            continue
        reading.notes.append(f"read with the codes in the order {codes}, to be judged")
        return manifest
    try:
        return _with_published_names(_read_unknown(path, reading), reader.name)
    except LayoutError:
        raise error from None


def _with_published_names(manifest: Manifest, dataset: str) -> Manifest:
    """Fill in the official splits that the names of a dataset's images tell."""
    splits = official_splits(manifest.table.column("uri"), dataset)
    return manifest.with_column("official_split", splits)


def _ingest(reader: Ingester, path: Path, **choices: str) -> Manifest:
    """Read a copy without its warnings, which the findings repeat."""
    logger = logging.getLogger("ferdata.ingesters")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        return ingest_with(reader, path, choices)
    finally:
        logger.setLevel(level)


def _read_unknown(path: Path, reading: _Reading) -> Manifest:
    """Read a folder by the declaration that `ferdata detect --write` drafts for it.

    Raises:
        LayoutError: There is nothing to declare.
        FerdataError: The draft does not fit.
    """
    draft = draft_declaration(path)
    if draft is None:
        raise LayoutError(
            f"{path}: no images with labels were recognized: no known dataset, no class folders, "
            "no table with images and labels. If it is a known dataset, name it: --as NAME; for a "
            "set of your own, write a declaration and give it: --as my.yaml"
        )
    values = parse_yaml(draft.text)
    if draft.unknown and "labels" not in values:
        values["labels"] = {word: _class_name(word) for word in draft.words}
        reading.notes.append(
            f"{len(draft.unknown)} labels name no expression and are classes by themselves: "
            f"{', '.join(draft.unknown[:8])}"
        )
    reading.notes.append("read as a set of your own: " + "; ".join(draft.description[1:]))
    return _ingest(DeclaredIngester(parse_declaration(values, str(path))), path)


def _class_name(word: str) -> str:
    return f"code {word}" if word.isdigit() else word


def _opened(manifest: Manifest, path: Path, kind: str, reading: _Reading | None = None) -> Opened:
    reading = reading or _Reading()
    manifest, strays = with_strays(manifest)
    if strays:
        reading.notes.append(
            f"{strays:,} images that are none of the set's are judged with the labels around them"
        )
    root = next(iter(manifest.roots.values()), path)
    said = manifest.provenance.get("ingest", {})
    about = AuditedSet.model_validate(
        {
            "path": str(path),
            "kind": kind if not _is_declared(manifest) or kind == "huggingface" else "set",
            "name": str(said.get("dataset", path.name)),
            "layout": str(said.get("layout", "")),
            "rows": 0,
            "notes": [*reading.notes, *said.get("decisions", ())],
        }
    )
    return Opened(about, manifest, root, refusals=tuple(reading.refusals))


def _is_declared(manifest: Manifest) -> bool:
    return "declaration" in manifest.provenance.get("ingest", {})


def _is_hub_folder(path: Path) -> bool:
    """Say whether a folder is one of Hugging Face's: Parquet files below `data`."""
    return any((path / "data").glob("*.parquet"))
