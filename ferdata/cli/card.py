"""`ferdata card`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ferdata.cli.flags import Json
from ferdata.cli.output import echo_json


def card(
    source: Annotated[Path, typer.Argument(help="Folder of a build or of a training run.")],
    push: Annotated[
        str | None,
        typer.Option(
            help="Repository on the Hugging Face Hub to upload to, made as a private one.",
            metavar="USER/NAME",
        ),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Make a new repository public, with --push.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a card that was edited by hand.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the card of a build or of a training run; --push uploads it where terms allow.

    Of a build: a Hugging Face dataset card with a datasheet (hf/README.md), and croissant.json with
    the hash of every file and the columns. Of a run: a model card (README.md) with intended use,
    the digest of the split, scores by class and group, and caveats. What is not recorded is called
    not stated. Both are checked with huggingface_hub.

    --push uploads the Parquet shards of a build, or the model of a run. It refuses to pass on
    images whose terms forbid it or don't say; drawn faces may be passed on.

    \b
    Examples:
      ferdata card out/rafdb
      ferdata card runs/rafdb-lmfer
      ferdata card out/my-set --push me/my-set --public
    """
    from ferdata.api.cards import card as write_card  # noqa: PLC0415 - keeps start-up light

    report = write_card(source, push=push, public=public, overwrite=overwrite)
    if as_json:
        files = [str(file) for file in report.files]
        echo_json({"kind": report.kind, "files": files, "pushed": report.pushed})
        return
    for file in report.files:
        typer.echo(str(file))
    if report.pushed:
        typer.echo(report.pushed)
