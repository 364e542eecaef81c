"""A user's own list of operations, as in a YAML file.

    operations:
      - {op: rotation, degrees: [0, 20], probability: 1.0}
      - {op: vertical_flip}
      - {op: albumentations, transform: CLAHE, parameters: {clip_limit: [1, 4]}}

Each entry names an operation and what should differ from its defaults; ranges are `[low, high]`.
The operations are applied in the order of the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from ferdata.augmentation.operations import KINDS, Operation
from ferdata.core.errors import OptionError, UnknownNameError


def operations_from(
    entries: Sequence[Mapping[str, Any]] | Mapping[str, Any] | str | Path,
) -> tuple[Operation, ...]:
    """Read a list of operations.

    `operations_from([op.describe() for op in operations])` gives equal operations back.

    Args:
        entries: The list; a mapping that has it under `operations`; or the path of a YAML file with
            either.

    Raises:
        OptionError: The file can't be read, it holds no such list, or an entry is not right; the
            message says which.
        UnknownNameError: An entry has an operation, a field or a transform that is not known.
    """
    source = "operations"
    if isinstance(entries, str | Path):
        source = str(entries)
        entries = _read(Path(entries))
    if isinstance(entries, Mapping):
        if set(entries) != {"operations"}:
            got = ", ".join(map(str, entries)) or "nothing"
            raise OptionError(f"{source}: expected the list under 'operations' alone; found {got}")
        entries = entries["operations"]
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise OptionError(
            f"{source}: expected a list of operations, such as "
            f"[{{op: rotation, degrees: [0, 20]}}]; got {entries!r}"
        )
    return tuple(
        _operation(entry, f"{source}, entry {number}") for number, entry in enumerate(entries, 1)
    )


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: the list of operations can't be read: {error}") from error
    except yaml.YAMLError as error:
        raise OptionError(f"{path}: not YAML: {error}") from error


def _operation(entry: Any, where: str) -> Operation:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("op"), str):
        raise OptionError(
            f"{where}: expected a mapping with the operation under 'op'; got {entry!r}"
        )
    name = entry["op"]
    if name not in KINDS:
        raise UnknownNameError(f"operation in {where}:", name, KINDS)
    kind = KINDS[name]
    values = {field: value for field, value in entry.items() if field != "op"}
    known = [field.name for field in fields(kind)]
    for field in values:
        if field not in known:
            raise UnknownNameError(f"field of {name} in {where}:", str(field), known)
    ranges = {field: tuple(value) for field, value in values.items() if isinstance(value, list)}
    try:
        return kind(**values | ranges)
    except OptionError as error:
        error.args = (f"{where}: {error}",)  # keeps its class
        raise
