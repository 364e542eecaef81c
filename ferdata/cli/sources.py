"""What several verbs take alike: the folders of the data, and what to read of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ferdata.core.errors import OptionError

Data = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        help="The folder that holds the data; for several datasets one folder, or NAME=DIR each.",
        metavar="DIR|NAME=DIR",
    ),
]
Source = Annotated[
    str | None,
    typer.Option("--source", help="Image set where there are several: aligned, original, …"),
]
LabelRule = Annotated[
    str | None,
    typer.Option(
        help="FER+: majority, probability, crossentropy or multi_target.", show_default=False
    ),
]
EvalLabelRule = Annotated[
    str | None,
    typer.Option(help="FER+, validation and test: majority, or same.", show_default=False),
]
Frames = Annotated[
    str | None,
    typer.Option(help="CK+: last3, peak, last3+neutral, peak+neutral.", show_default=False),
]
Poses = Annotated[str | None, typer.Option(help="KDEF: straight, half, all.", show_default=False)]
Classes = Annotated[str | None, typer.Option(help="AffectNet: 8 or 7.", show_default=False)]
LabelSource = Annotated[
    str | None, typer.Option(help="AffectNet from Kaggle: csv or folder.", show_default=False)
]


def given_choices(**values: str | None) -> dict[str, str]:
    """Return those choices that were made on the command line."""
    return {choice: value for choice, value in values.items() if value is not None}


def parse_data(values: list[str], known: tuple[str, ...]) -> Path | Mapping[str, Path]:
    """Read `--data`: one folder, or a folder for each dataset.

    Args:
        values: What was given, at least one.
        known: Names of datasets; what stands before `=` is one of them, or the text is a path.

    Raises:
        OptionError: Folders with and without a name are mixed, or a name is given twice.
    """
    named: dict[str, Path] = {}
    plain: list[Path] = []
    for value in values:
        name, mark, folder = value.partition("=")
        if not mark or name not in known:
            plain.append(Path(value).expanduser())
        elif name in named:
            raise OptionError(f"--data {value}: {name} is given twice")
        else:
            named[name] = Path(folder).expanduser()
    if len(plain) > 1 or (plain and named):
        raise OptionError(
            f"--data {' '.join(values)}: give one folder that holds everything, or NAME=DIR for "
            f"each dataset (names: {', '.join(known)})"
        )
    return named or plain[0]
