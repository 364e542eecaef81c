"""A build from data in another library's format."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ferdata.api.paths import PathLike
from ferdata.core.config import read_config, write_config
from ferdata.core.errors import LabelError, OptionError


@contextmanager
def resolved_import(
    arguments: Mapping[str, Any], config: PathLike | None = None
) -> Iterator[dict[str, Any]]:
    """Replace data in another library's format by a declaration, in a temporary file.

    The file is removed at the end; the build keeps a copy.

    Args:
        arguments: The arguments of `build` by name.
        config: A file with more of them.

    Yields:
        The arguments, with `name` and `data` instead of `import_from`.

    Raises:
        FerdataError: There is no such folder, it holds nothing that can be built, or data were
            given besides.
        LabelError: Its labels name no expression; the message says how to name their classes.
    """
    given = dict(arguments)
    source = given.pop("import_from", None)
    if source is None and config is not None and given.get("data") is None:
        written = read_config(config)
        if (source := written.get("import_from")) is not None:
            given["name"] = given.get("name") or written.get("name")
    if source is None:
        yield given
        return
    if given.get("data") is not None or given.get("demo"):
        raise OptionError("--from names the data; leave out --data and --demo")
    from ferdata.ingesters.declared.imports import (  # noqa: PLC0415 - loads OpenCV
        how_to_name_labels,
        read_import,
    )

    found = read_import(source, given.get("name"))
    values = found.declaration.model_dump(mode="json", exclude_unset=True)
    with tempfile.TemporaryDirectory(prefix="ferdata-import-") as home:
        file = Path(home) / "declaration.yaml"
        write_config(file, values, title=source)
        try:
            yield given | {"name": str(file), "data": found.root}
        except LabelError as error:
            raise LabelError(f"{error} {how_to_name_labels(found.root)}") from error
