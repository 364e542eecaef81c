"""All verbs of the command line; the module of a verb is imported when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from ferdata.core.errors import UnknownNameError
from ferdata.core.version import __version__

VERBS = {
    "build": "Build a dataset or a mix into HDF5 and Hugging Face shards.",
    "verify": "Check every file and every row of a build.",
    "audit": "Find what is wrong in anybody's data: leaks, copies, labels, counts, protocol.",
    "report": "Write an HTML page about builds, runs and audits.",
    "view": "Look at a build, a run or an audit in the browser, and mark wrong images.",
    "train": "Train a model on a build and test it.",
    "eval": "Evaluate a trained model on a split.",
    "compare": "Compare trained models: scores, size, speed, papers' claims.",
    "predict": "Classify facial expressions in new images.",
    "export": "Export a build for another library, or a trained model for other programs.",
    "card": "Write the card of a build or a trained model, and upload it where terms allow.",
    "recipes": "List the recipes of papers, or show one.",
    "datasets": "List the datasets and mixes, or show one dataset.",
    "detect": "Recognize the datasets in a folder.",
    "ingest": "Read a dataset's labels and annotations into a manifest.",
    "split": "Publish a split without its images, or compare one with a copy.",
    "labels": "Compare the labels of two copies, and write the differences as a patch.",
    "label-errors": "Find images whose labels are probably wrong.",
    "merge": "Merge the manifests of several datasets.",
    "demo": "Draw a synthetic copy of a dataset.",
    "models": "List or download the model files of face detectors.",
    "doctor": "Check the installation: packages, detectors, GPU, disk.",
}
"""Each verb with its line in the help; its function is in the module of the same name."""

_FUNCTIONS = {"eval": "evaluate", "label-errors": "label_errors"}


class Verbs(TyperGroup):
    """A group of commands that are imported one at a time."""

    _listing = False  # whether a shell asks for the names of the verbs, and for no verb itself

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the group's contract
        """Return the verbs, in the order in which they are listed."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the group's contract
        """Import a verb; None if there is no such verb."""
        if cmd_name not in VERBS:
            return None
        if self._listing:
            return TyperCommand(cmd_name, help=VERBS[cmd_name])
        from ferdata.cli.flags import SectionedCommand  # noqa: PLC0415 - loads pydantic

        module = import_module(f"ferdata.cli.{cmd_name.replace('-', '_')}")
        function = getattr(module, _FUNCTIONS.get(cmd_name, cmd_name))
        if isinstance(function, typer.Typer):
            return typer.main.get_command(function)
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(cmd_name, cls=SectionedCommand, context_settings=_CONTEXT)(function)
        return typer.main.get_command(alone)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the verb that the arguments begin with.

        Raises:
            UnknownNameError: There is no such verb.
        """
        known = not args or args[0] in VERBS or args[0].startswith("-")
        if not (known or ctx.resilient_parsing):
            raise UnknownNameError("command", args[0], VERBS)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Complete a verb without importing all of them."""
        self._listing = True
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self._listing = False

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - as above
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

app = typer.Typer(
    name="ferdata",
    cls=Verbs,
    help="Facial-expression datasets in, training-ready shards out.",
    epilog="Start with: ferdata build rafdb --demo --augment balance --out out/rafdb",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_CONTEXT,
)


@app.callback(invoke_without_command=True)
def ferdata(
    version: bool = typer.Option(False, "--version", "-V", help="Print the version and exit."),
) -> None:
    """Facial-expression datasets in, training-ready shards out."""
    if version:
        typer.echo(f"ferdata {__version__}")
        raise typer.Exit
