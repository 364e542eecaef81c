"""Building a plan's shards: skip finished ones, quarantine damaged ones, build the rest."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ferdata.core.errors import BuildError, LockedError
from ferdata.core.files import TEMPORARY_SUFFIX, read_json, sha256_file
from ferdata.core.parallel import run_in_order
from ferdata.core.progress import progress_bar
from ferdata.core.rejects import Reject
from ferdata.formats.names import AUDIT_FILE, BUILD_FILE, CROISSANT_FILE, REPORT_FILE, sidecar
from ferdata.formats.registry import FORMATS
from ferdata.shards.shard import ShardReport, ShardTask, build_shard

logger = logging.getLogger(__name__)

QUARANTINE = "quarantine"
"""Folder of a build directory for files whose hash differs from that in their sidecar."""


@contextmanager
def lock(out: Path) -> Iterator[None]:
    """Lock a directory against other builds; the lock ends with the process, even after kill -9.

    Raises:
        LockedError: Another build is running in it.
        BuildError: The directory can't be created.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with FileLock(out / ".lock", timeout=0):
            yield
    except Timeout:
        raise LockedError(
            f"{out}: another ferdata build is running here; wait for it or use another --out."
        ) from None
    except OSError as error:
        raise BuildError(f"{out}: can't be a build directory: {error.strerror or error}") from error


def finished_shards(tasks: list[ShardTask]) -> dict[int, ShardReport]:
    """Return the reports of the shards that exist already, by their position in the plan."""
    return {task.index: report for task in tasks if (report := _finished_shard(task))}


def run_shards(
    tasks: list[ShardTask],
    finished: Mapping[int, ShardReport],
    executor: Executor,
    *,
    workers: int,
    quiet: bool = False,
) -> list[ShardReport]:
    """Build all shards that are not finished.

    Args:
        tasks: One task per shard, in the plan's order.
        finished: What `finished_shards` returned.
        executor: Any object with the interface of `concurrent.futures.Executor`.
        workers: Number of processes of the executor.
        quiet: Show no progress.

    Returns:
        The report of every shard, in the plan's order.
    """
    reports = dict(finished)
    missing = [task for task in tasks if task.index not in reports]
    if missing:
        _require_disk_space(missing)
        if reports:
            logger.info("resuming: %d of %d shards are finished", len(reports), len(tasks))
    with progress_bar("rendering", sum(task.shard.rows for task in missing), quiet=quiet) as bar:
        for task, report in zip(
            missing, run_in_order(executor, build_shard, missing, ahead=2 * workers), strict=True
        ):
            bar.update(task.shard.rows)
            reports[task.index] = report
    return [reports[task.index] for task in tasks]


def _finished_shard(task: ShardTask) -> ShardReport | None:
    """Return the report of a finished shard, read from its sidecars; None if it must be built.

    A file whose hash differs from that in its sidecar, or whose sidecar is damaged, is moved to the
    quarantine folder, never used and never deleted.
    """
    records, rejects = {}, list[Reject]()
    for path in task.files.values():
        if not sidecar(path).exists() or not path.exists():
            return None
        try:
            record = read_json(sidecar(path))
            plan, sha256, _ = record["plan_sha256"], record["sha256"], record["rows"]
            rejects = [Reject(**reject) for reject in record["rejects"]]
        except (BuildError, KeyError, TypeError):
            plan, sha256 = task.attributes["plan_sha256"], "none, its sidecar is damaged"
        if plan != task.attributes["plan_sha256"]:
            return None
        if sha256_file(path) != sha256:
            _quarantine(path, task.out)
            return None
        records[path.relative_to(task.out).as_posix()] = record
    first = next(iter(records.values()))
    return ShardReport(task.shard.name, first["rows"], records, tuple(rejects))


def remove_partial_files(out: Path) -> None:
    """Remove incomplete files that a killed build left."""
    for form in FORMATS.all():
        for path in (out / form.folder).glob(f"*{TEMPORARY_SUFFIX}"):
            path.unlink()


def remove_old_build(out: Path) -> None:
    """Remove the files of a build with other options; other files stay.

    Raises:
        BuildError: One can't be removed; Windows keeps files that a program reads.
    """
    try:
        _remove(out)
    except OSError as error:
        raise BuildError(
            f"{error.filename}: can't be removed ({error.strerror}); close what has it open, or "
            "use another --out"
        ) from error


def _remove(out: Path) -> None:
    (out / BUILD_FILE).unlink(missing_ok=True)
    written = ("plan.json", "manifest.parquet", "rejects.parquet", CROISSANT_FILE, AUDIT_FILE)
    for name in (*written, REPORT_FILE):
        (out / name).unlink(missing_ok=True)
    for form in FORMATS.all():
        for name in form.companions:
            (out / name).unlink(missing_ok=True)
        for path in (out / form.folder).glob(f"*{form.suffix}*"):
            path.unlink()


def _quarantine(path: Path, out: Path) -> None:
    target = out / QUARANTINE / path.name
    target.parent.mkdir(exist_ok=True)
    path.replace(target)
    sidecar(path).replace(sidecar(target))
    logger.warning("%s differs from its recorded hash; moved to %s, built again", path, target)


def _require_disk_space(tasks: Sequence[ShardTask]) -> None:
    """Stop before rendering if the disk is too small; the size of raw images is known."""
    first = tasks[0]
    raw = sum(FORMATS.get(name).stores_raw for name in {*first.options.formats})
    if first.options.encoding != "raw" or not raw:
        return
    needed = raw * sum(task.shard.rows * task.options.image_bytes for task in tasks)
    free = shutil.disk_usage(first.out).free
    if needed > free:
        raise BuildError(
            f"{first.out}: the shards need at least {needed / 1e6:,.0f} MB, but only "
            f"{free / 1e6:,.0f} MB are free; free up space, or use another --out or "
            "--encoding jpeg."
        )
