"""A build from data in another library's format."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ferdata.core.config import write_config
from ferdata.core.errors import OptionError


def resolve_import(arguments: Mapping[str, Any], stack: ExitStack) -> dict[str, Any]:
    """Replace data in another library's format by a declaration, in a temporary file.

    Args:
        arguments: The arguments of `build` by name.
        stack: Removes the file when it is closed; the build keeps a copy.

    Raises:
        FerdataError: There is no such folder, it holds nothing that can be built, or data were
            given besides.
    """
    given = dict(arguments)
    source = given.pop("import_from", None)
    if source is None:
        return given
    if given.get("data") is not None or given.get("demo"):
        raise OptionError("--from names the data; leave out --data and --demo")
    from ferdata.ingesters.declared.imports import read_import  # noqa: PLC0415 - loads OpenCV

    found = read_import(source, given.get("name"))
    home = stack.enter_context(tempfile.TemporaryDirectory(prefix="ferdata-import-"))
    file = Path(home) / "declaration.yaml"
    write_config(file, found.declaration.model_dump(mode="json", exclude_unset=True), title=source)
    return given | {"name": str(file), "data": found.root}
