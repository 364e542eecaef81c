"""All verbs of the command line."""

from __future__ import annotations

import typer

from ferdata import __version__
from ferdata.cli.build import build
from ferdata.cli.compare import compare
from ferdata.cli.datasets import datasets
from ferdata.cli.demo import demo
from ferdata.cli.detect import detect
from ferdata.cli.doctor import doctor
from ferdata.cli.eval import evaluate
from ferdata.cli.export import export
from ferdata.cli.ingest import ingest
from ferdata.cli.merge import merge
from ferdata.cli.models import models
from ferdata.cli.predict import predict
from ferdata.cli.recipes import recipes
from ferdata.cli.train import train
from ferdata.cli.verify import verify

app = typer.Typer(
    name="ferdata",
    help="Facial-expression datasets in, training-ready shards out.",
    epilog="Start with: ferdata build rafdb --demo --augment balance --out out/rafdb",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def ferdata(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Facial-expression datasets in, training-ready shards out."""
    if version:
        typer.echo(f"ferdata {__version__}")
        raise typer.Exit


app.command()(build)
app.command()(verify)
app.command()(train)
app.command("eval")(evaluate)
app.command()(compare)
app.command()(predict)
app.command()(export)
app.command()(recipes)
app.command()(datasets)
app.command()(detect)
app.command()(ingest)
app.command()(merge)
app.command()(demo)
app.add_typer(models, name="models")
app.command()(doctor)
