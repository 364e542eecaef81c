"""Audits of anybody's data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ferdata.api.paths import PathLike, as_path
from ferdata.audits.options import AuditOptions

if TYPE_CHECKING:
    from ferdata.audits.findings import AuditReport


def audit(
    path: PathLike,
    against: PathLike | None = None,
    *,
    name: str | None = None,
    data: PathLike | None = None,
    out: PathLike | None = None,
    workers: int | None = None,
    quiet: bool = False,
    spelled: Callable[[str], str] = str,
    **options: Any,
) -> AuditReport:
    """Find what is wrong in a set: leaks, copies, labels, counts, faces, protocol.

    Args:
        path: A manifest, a build, a run, or a folder or table of images with labels.
        against: The test set, if `path` is only what is trained on.
        name: What `path` is: a dataset, or the YAML file of a set of one's own; None to find out.
        data: Folder of a manifest's images.
        out: Where to write the report: a `.json` file, or a folder for `audit.json`.
        workers: Number of processes; default: one per core where that pays.
        quiet: Show no progress.
        spelled: How an option is written in messages.
        **options: Options of `ferdata.audits.options.AuditOptions`, for instance
            `rules=["leak-copy"]` or `images=False`.

    Returns:
        The report; `report.findings` has the worst first.

    Raises:
        FerdataError: Nothing can be read, or an option is wrong.
    """
    checked = AuditOptions.checked(options, kind="audit option", spelled=spelled)
    from ferdata.audits.audit import AuditSource, run_audit  # noqa: PLC0415 - loads cv2
    from ferdata.core.files import write_json  # noqa: PLC0415

    source = AuditSource(
        as_path(path, "path"), name, None if data is None else as_path(data, "data")
    )
    other = None if against is None else as_path(against, "against")
    report = run_audit(source, other, checked, workers=workers, quiet=quiet)
    if out is not None:
        file = as_path(out, "out")
        file = file if file.suffix == ".json" else file / report.file_name
        write_json(file, report.model_dump(mode="json"))
    return report
