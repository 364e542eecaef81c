"""`ferdata label-errors`: images whose labels are probably wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ferdata.cli.flags import Json, Quiet, flags_of, with_flags
from ferdata.cli.output import echo_json
from ferdata.core.options import flag
from ferdata.label_errors.options import LabelErrorOptions

if TYPE_CHECKING:
    from ferdata.label_errors.record import LabelErrors

_SHOWN = 10


@with_flags(flags_of(LabelErrorOptions))
def label_errors(
    given: dict[str, Any],
    build: Annotated[Path, typer.Argument(help="Folder of a build.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results. [default: BUILD/label-errors]")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find images whose labels are probably wrong; change nothing.

    A small classifier is trained in folds that keep subjects, sequences and duplicates together, so
    that each image is judged by a model that did not see it; confident learning (cleanlab) then
    selects labels. Written are the images, the most suspicious first, with contact sheets; how
    often each class is called another; and proposal.labels.json, which `ferdata build --labels`
    takes after you have looked at it. The test split is left alone unless --include-test.

    \b
    Examples:
      ferdata label-errors out/rafdb
      ferdata label-errors out/rafdb --predictions predictions.csv --out suspicious
    """
    from ferdata.api.labels import find_label_errors  # noqa: PLC0415 - keeps start-up light

    options = LabelErrorOptions.checked(given, spelled=flag)
    folder = out or build / "label-errors"
    found = find_label_errors(build, out=folder, quiet=quiet, **options.model_dump())
    if as_json:
        echo_json(found.model_dump(mode="json"))
    else:
        typer.echo("\n".join(_lines(found, folder)))


def _lines(found: LabelErrors, folder: Path) -> list[str]:
    from ferdata.core.tables import text_table  # noqa: PLC0415 - keeps start-up light

    rows = [
        [label, f"{images:,}", f"{issues:,}", f"{issues / images:.1%}", _confused(found, label)]
        for label, (images, issues) in found.by_class.items()
    ]
    worst = [
        f"  {each.sample_id}: {each.label} ({each.confidence:.1%}), "
        f"rather {each.suggested} ({each.probability:.1%})"
        for each in found.issues[:_SHOWN]
    ]
    return [
        f"{len(found.issues):,} of {found.images:,} labels in {', '.join(found.splits)} are "
        f"probably wrong ({found.predictions}, agrees with {found.accuracy:.1%} of labels)",
        "",
        text_table(["class", "images", "suspicious", "share", "most often called"], rows),
        *(["", "The most suspicious:", *worst] if worst else []),
        "",
        f"Tables, contact sheets and a proposed patch: {folder}",
        f"After looking at them: ferdata build … --labels {folder / 'proposal.labels.json'}",
    ]


def _confused(found: LabelErrors, label: str) -> str:
    """Return the class that a class is most often called instead, with its estimated share."""
    others = {given: share for given, share in found.noise[label].items() if given != label}
    given, share = max(others.items(), key=lambda item: item[1])
    return f"{given} {share:.1%}" if share else ""
