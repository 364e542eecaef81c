"""`--data`: one folder, or a folder for each dataset."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from ferdata.core.errors import OptionError

Data = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        help="Folder of the data; for several datasets, one folder or NAME=DIR for each.",
        metavar="DIR|NAME=DIR",
        show_default=False,
    ),
]

_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")


def parse_data(values: list[str] | None) -> Path | dict[str, Path] | None:
    """Parse `--data`: one folder, or a folder for each dataset.

    Args:
        values: The values; what comes before `=` is a dataset's name, or else part of a path. A set
            of one's own has any name, but what exists is a path.

    Raises:
        OptionError: Folders with and without a name are mixed, or a name is given twice.
    """
    if not values:
        return None
    from ferdata.ingesters.lookup import (  # noqa: PLC0415 - keeps start-up light
        dataset_names,
        declared_names,
    )

    known = (*dataset_names(), *declared_names())
    named: dict[str, Path] = {}
    plain: list[Path] = []
    for value in values:
        name, mark, folder = value.partition("=")
        is_name = name in known or _is_other_name(name, value, folder)
        if not mark or not is_name:
            plain.append(Path(value).expanduser())
        elif name in named:
            raise OptionError(f"--data {value}: {name} is given twice")
        else:
            named[name] = Path(folder).expanduser()
    if len(plain) > 1 or (plain and named):
        raise OptionError(
            f"--data {' '.join(values)}: pass one folder that contains everything, or NAME=DIR for "
            f"each dataset (names: {', '.join(known)})"
        )
    return named or plain[0]


def _is_other_name(name: str, value: str, folder: str) -> bool:
    """Say whether a value is NAME=DIR with a name that no known dataset has."""
    if not _NAME.fullmatch(name) or Path(value).expanduser().exists():
        return False
    return bool(folder) and Path(folder).expanduser().is_dir()
