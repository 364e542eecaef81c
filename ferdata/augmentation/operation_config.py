"""Operations as users configure them: a list in YAML or Python.

    operations:
      - {op: rotation, degrees: [0, 20], probability: 1.0}
      - {op: vertical_flip}
      - {op: albumentations, transform: CLAHE, parameters: {clip_limit: [1, 4]}}

Each entry names an operation and the options that differ from its defaults; ranges are
`[low, high]`. Operations are applied in the order of the list. Lists that ship with ferdata have a
name: that of their file in `manifests/operations`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ferdata.augmentation.operations import KINDS, Operation
from ferdata.core.errors import OptionError, ParseError, PluginError, UnknownNameError
from ferdata.core.parsing import parse_yaml
from ferdata.core.resources import manifests_folder
from ferdata.core.yaml_files import is_file_name, shipped_names

DEFAULT_LIST = "default"
"""The list that copies are made with where none is asked for."""

_FOLDER = "operations"


def load_operations(
    entries: Sequence[Mapping[str, Any]] | Mapping[str, Any] | str | Path,
) -> tuple[Operation, ...]:
    """Make operations of a list of entries.

    `load_operations([op.describe() for op in operations])` returns equal operations.

    Args:
        entries: The list; a mapping with the list under `operations`; the path of a YAML file with
            either; or the name of a list that ships with ferdata, see `list_names`.

    Raises:
        OptionError: The file can't be read or has no such list, or an entry is not valid; the
            message says which.
        UnknownNameError: No list has that name, or an entry names an unknown operation, option or
            transform.
        PluginError: An installed package registers something else as this operation.
    """
    source = "operations"
    if isinstance(entries, str | Path):
        source = str(entries)
        entries = _read(_find(entries))
    if isinstance(entries, Mapping):
        if set(entries) != {"operations"}:
            got = ", ".join(map(str, entries)) or "nothing"
            raise OptionError(f"{source}: expected only a list under 'operations'; got {got}")
        entries = entries["operations"]
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise OptionError(
            f"{source}: expected a list of operations, such as "
            f"[{{op: rotation, degrees: [0, 20]}}]; got {entries!r}"
        )
    return tuple(
        _operation(entry, f"{source}, entry {number}") for number, entry in enumerate(entries, 1)
    )


def list_names() -> tuple[str, ...]:
    """Return the names of the lists that ship with ferdata, sorted."""
    return shipped_names(_FOLDER)


def _find(name: str | Path) -> Path:
    """Return the file of a list that is given by its name or by its path."""
    if isinstance(name, Path):
        return name
    if name in list_names():
        return manifests_folder() / _FOLDER / f"{name}.yaml"
    if is_file_name(name) or Path(name).exists():
        return Path(name)
    raise UnknownNameError("list of operations", name, list_names())


def _read(path: Path) -> Any:
    try:
        return parse_yaml(path.read_bytes())
    except OSError as error:
        raise OptionError(f"{path}: can't read the list of operations: {error}") from error
    except ParseError as error:
        raise OptionError(f"{path}: not valid YAML: {error.__cause__}") from error


def _operation(entry: Any, where: str) -> Operation:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("op"), str):
        raise OptionError(
            f"{where}: expected a mapping with the name of an operation under 'op'; got {entry!r}"
        )
    options = {name: value for name, value in entry.items() if name != "op"}
    ranges = {name: tuple(value) for name, value in options.items() if isinstance(value, list)}
    try:
        kind = _kind(entry["op"])
        known = [field.name for field in fields(kind)]
        for name in options:
            if name not in known:
                raise UnknownNameError(f"option of {kind.name}", str(name), known)
        return kind(**options | ranges)
    except OptionError as error:
        error.args = (f"{where}: {error}",)  # keeps its class
        raise


def _kind(name: str) -> type[Operation]:
    kind = KINDS.get(name)
    if not (isinstance(kind, type) and issubclass(kind, Operation) and kind.name == name):
        raise PluginError(
            f"operation {name!r}: {kind!r} is registered for it, but is not a subclass of "
            "ferdata.augmentation.operations.Operation with this name"
        )
    return kind
