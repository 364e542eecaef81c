"""Building one shard: a pure function of a small description."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ferdata.core.errors import BuildError, ImageError
from ferdata.core.files import finish_atomically, sha256_file, write_json
from ferdata.core.labels import LabelSpace
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import Reject
from ferdata.faces.schemes import scheme
from ferdata.faces.set_alignment import SetAlignment
from ferdata.formats.content import RowBatch, ShardSpec
from ferdata.formats.contract import ShardFormat, ShardWriter
from ferdata.formats.names import sidecar
from ferdata.formats.registry import FORMATS
from ferdata.shards.options import BuildOptions
from ferdata.shards.plan import ShardPlan
from ferdata.shards.render import Rendered, render
from ferdata.shards.rows import ShardRows, read_rows

_BATCH_ROWS = 256  # 9.6 MB at 112×112: large enough that HDF5 calls cost nothing


@dataclass(frozen=True)
class ShardTask:
    """Everything that a worker needs to build one shard; small and picklable.

    Attributes:
        out: The build directory.
        index: Position of the shard in the plan, and its row group in `manifest.parquet`.
        shard: The shard's part of the plan.
        options: The options that determine the bytes.
        alignment: How images are brought to the output.
        landmark_scheme: The scheme of the shard's landmarks.
        roots: The folder of each dataset.
        attributes: Root attributes of the files, `plan_sha256` among them.
    """

    out: Path
    index: int
    shard: ShardPlan
    options: BuildOptions
    alignment: SetAlignment
    landmark_scheme: str
    roots: Mapping[str, Path]
    attributes: Mapping[str, str]

    @property
    def files(self) -> dict[str, Path]:
        """Paths of the shard's files by format."""
        return {
            name: FORMATS.get(name).file(self.out, self.shard.name)
            for name in FORMATS
            if name in self.options.formats
        }


@dataclass(frozen=True)
class ShardReport:
    """What a finished shard contains.

    Attributes:
        name: The shard's name.
        rows: Number of stored rows.
        files: Sidecar content of each file, by path relative to the build directory.
        rejects: Rows of the plan that could not be rendered.
    """

    name: str
    rows: int
    files: dict[str, dict[str, Any]]
    rejects: tuple[Reject, ...] = field(default=())


class _RowsFailed(Exception):  # noqa: N818 - control flow inside this module, never seen outside
    def __init__(self, rejects: list[Reject]) -> None:
        super().__init__(len(rejects))
        self.rejects = rejects


def shard_spec(task: ShardTask, rows: int, label_space: LabelSpace) -> ShardSpec:
    """Return the shape of a shard's files."""
    return ShardSpec(
        rows=rows,
        height=task.options.size,
        width=task.options.size,
        channels=task.options.channels,
        encoding=task.options.encoding,
        label_space=label_space,
        landmark_scheme=task.landmark_scheme,
        points=scheme(task.landmark_scheme).size,
        split=task.shard.split,
        attributes=dict(task.attributes),
    )


def warm_up() -> None:
    """Do nothing; calling it in a worker imports this module there."""


def build_shard(task: ShardTask) -> ShardReport:
    """Render a shard's rows and write its files.

    A row whose image can no longer be read is dropped and reported, and the shard is written again
    without it.

    Raises:
        BuildError: A file can't be written, or no row of the shard can be rendered.
    """
    planned = Manifest.load(task.out / "manifest.parquet", roots=task.roots, row_group=task.index)
    rejects: list[Reject] = []
    while True:
        rows = read_rows(_without(planned, rejects), task.landmark_scheme)
        if not len(rows):
            raise BuildError(f"{task.shard.name}: none of its rows can be rendered: {rejects[0]}")
        try:
            _write_files(task, rows)
        except _RowsFailed as failed:
            rejects += failed.rejects
        else:
            return _write_sidecars(task, rows, tuple(rejects))


def _without(manifest: Manifest, rejects: list[Reject]) -> Manifest:
    gone = {reject.sample_id for reject in rejects}
    ids = manifest.column("sample_id")
    return manifest.take([index for index, name in enumerate(ids) if name not in gone])


def _write_files(task: ShardTask, rows: ShardRows) -> None:
    spec = shard_spec(task, len(rows), rows.manifest.label_space)
    with ExitStack() as stack:
        writers = [
            stack.enter_context(_open_file(FORMATS.get(name), path, spec))
            for name, path in task.files.items()
        ]
        for batch in _batches(task, rows):
            for writer in writers:
                writer.append(batch)


@contextmanager
def _open_file(form: ShardFormat, path: Path, spec: ShardSpec) -> Iterator[ShardWriter]:
    """Open a shard file for writing; it gets its final name once it is complete and checked."""
    with finish_atomically(path) as partial_path:
        with form.writer(partial_path, spec) as writer:
            yield writer
        form.check(partial_path, spec)


def _batches(task: ShardTask, rows: ShardRows) -> Iterator[RowBatch]:
    """Render the rows in batches; raise at the end if rows failed, so that all are reported."""
    failed: list[Reject] = []
    for start in range(0, len(rows), _BATCH_ROWS):
        rendered: list[Rendered] = []
        for index in range(start, min(start + _BATCH_ROWS, len(rows))):
            try:
                rendered.append(
                    render(rows, index, task.landmark_scheme, task.options, task.alignment)
                )
            except ImageError as error:
                text = rows.text
                failed.append(
                    Reject(text["sample_id"][index], text["uri"][index], "build", error.reason)
                )
        if not failed:
            yield _batch(rows, slice(start, start + len(rendered)), rendered)
    if failed:
        raise _RowsFailed(failed)


def _batch(rows: ShardRows, part: slice, rendered: list[Rendered]) -> RowBatch:
    text = {name: values[part] for name, values in rows.text.items()}
    return RowBatch(
        pixels=np.stack([one.pixels for one in rendered]),
        label=rows.label[part],
        soft_label=rows.soft_label[part],
        landmarks=np.stack([one.landmarks for one in rendered]),
        box=np.stack([one.box for one in rendered]),
        valence=rows.valence[part],
        arousal=rows.arousal[part],
        sample_id=text["sample_id"],
        dataset=text["dataset"],
        subject=text["subject"],
        parent_id=text["parent_id"],
        operations=text["operations"],
    )


def _write_sidecars(task: ShardTask, rows: ShardRows, rejects: tuple[Reject, ...]) -> ShardReport:
    """Record the finished files; a shard is finished when all its sidecars exist."""
    counts = Counter(rows.text["label"])
    files = {}
    for path in task.files.values():
        record = {
            "file": path.name,
            "rows": len(rows),
            "sha256": sha256_file(path),
            "plan_sha256": task.attributes["plan_sha256"],
            "split": task.shard.split,
            "first_row": task.shard.first_row,
            "counts": {name: counts[name] for name in rows.manifest.label_space.names},
            "rejects": [vars(reject) for reject in rejects],
        }
        write_json(sidecar(path), record)
        files[path.relative_to(task.out).as_posix()] = record
    return ShardReport(task.shard.name, len(rows), files, rejects)
