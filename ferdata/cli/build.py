"""`ferdata build`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ferdata.cli.choices import choice_flags
from ferdata.cli.completion import complete_listed
from ferdata.cli.data import Data, parse_data
from ferdata.cli.flags import Config, Json, flags_of, with_flags
from ferdata.cli.output import echo_json, quieten
from ferdata.core.options import flag
from ferdata.shards.options import BuildOptions, Execution

Name = Annotated[
    str | None,
    typer.Argument(
        help="A dataset, a mix, or the YAML file of a mix or of a set of your own.",
        autocompletion=complete_listed("ferdata.cli.completion:buildable_names"),
    ),
]


@with_flags(choice_flags(), flags_of(BuildOptions), flags_of(Execution))
def build(
    given: dict[str, Any],
    name: Name = None,
    out: Annotated[Path | None, typer.Option(help="The build directory.")] = None,
    data: Data = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Build from a synthetic copy, drawn into OUT/demo.")
    ] = False,
    demo_scale: Annotated[
        float | None, typer.Option(help="Size of the copy; 1: the real dataset's [default: 0.05].")
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Build a dataset or a mix: landmarks, splits, balanced classes, HDF5 and Hugging Face shards.

    To resume after an interruption, run the same command again. The result depends on the data,
    the options and the seed, never on the number of workers.

    \b
    Examples:
      ferdata build rafdb --demo --augment balance --out out/rafdb
      ferdata build my.yaml --data ~/data/my-faces --augment balance --out out/my
      ferdata build rafdb --data ~/data/RAF-DB --source original --size 224 --out out/rafdb224
      ferdata build ckplus --data ~/data/CK+ --frames last3 --split subject-kfold:10:1 --out out/ck1
      ferdata build rafdb --data ~/data/RAF-DB --recipe lmfer --leak-free --out out/lmfer
      ferdata build --config out/rafdb/config.yaml --size 64 --out out/rafdb64
      ferdata build FER_CK+_KDEF --demo --augment balance --out out/mix
      ferdata build FER_CK+_KDEF --data fer2013=~/data/fer2013 --data ckplus=~/data/CK+ \\
          --data kdef=~/data/KDEF_and_AKDEF --augment balance --out out/mix
    """
    from ferdata.api.build_request import run_build  # noqa: PLC0415 - keeps start-up light
    from ferdata.core.parallel import default_workers  # noqa: PLC0415
    from ferdata.shards.summary import summary  # noqa: PLC0415

    quieten(quiet=given.get("quiet", False))
    given.setdefault("workers", default_workers())
    arguments = {
        "name": name,
        "out": out,
        "data": parse_data(data),
        "demo": demo,
        "demo_scale": demo_scale,
    }
    try:
        report = run_build(arguments, given, config=config, spelled=flag)
    except KeyboardInterrupt:
        typer.echo("interrupted; run the same command again to resume", err=True)
        raise
    if as_json:
        echo_json(report.record)
    elif not given.get("quiet"):
        told = summary(
            report.record, report.out, already_done=report.already_done, recipe=report.recipe
        )
        typer.echo(told if report.already_done else f"{told}\n\n{_audited(report.out)}")


def _audited(out: Path) -> str:
    """Return what the audit of a build found: the errors in words, the rest in numbers."""
    from ferdata.audits.findings import AuditReport  # noqa: PLC0415 - keeps start-up light

    found = AuditReport.open(out)
    wrong = [each for each in found.findings if each.severity == "error"]
    errors = [f"error {each.rule}: {each.title}" for each in wrong]
    counts = ", ".join(f"{count} {name}s" for name, count in found.counts.items())
    more = f"`ferdata audit {out}` shows them and opens the images"
    return "\n".join([*errors, f"Audit of labels and splits: {counts}; {more}"])
