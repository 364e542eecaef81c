"""The viewer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ferdata.api.paths import PathLike, as_path
from ferdata.core.extras import EXTRAS, require_module
from ferdata.data.build import Build
from ferdata.runs.folder import RunFolder
from ferdata.viewer.options import MARKS_FILE, ViewOptions


def view(
    path: PathLike | Build | RunFolder,
    *,
    out: PathLike | None = None,
    announce: Callable[[str], object] = print,
    spelled: Callable[[str], str] = str,
    **options: Any,
) -> None:
    """Look at a build, a run or an audit in the browser, and mark wrong images; until Ctrl-C.

    Args:
        path: A build or a run, open or by its folder, or the `audit.json` of an audit.
        out: The label patch that marks are saved to; default: `marks.json` in the working
            directory. One that is there is continued.
        announce: Is called with the page's address when it can be opened.
        spelled: How an option is written in messages.
        **options: Options of `ferdata.viewer.options.ViewOptions`, for instance `open=False`.

    Raises:
        MissingExtraError: The server is not installed.
        FerdataError: There is nothing to look at, `out` is no label patch, or the port is taken.
    """
    checked = ViewOptions.checked(options, kind="view option", spelled=spelled)
    folder = _folder(path)
    for module in EXTRAS["view"]:
        require_module(module, "the viewer")
    from ferdata.viewer.serve import serve  # noqa: PLC0415 - loads cv2 and the server

    serve(folder, Path(MARKS_FILE) if out is None else as_path(out, "out"), checked, announce)


def _folder(path: Any) -> Path:
    if isinstance(path, Build):
        return path.root
    return path.path if isinstance(path, RunFolder) else as_path(path, "path")
