"""Output that several commands have in common."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import typer
from pydantic import BaseModel


def echo_json(value: Any) -> None:
    """Print a record or plain values as indented JSON."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    escape = not (sys.stdout.encoding or "").lower().startswith("utf")
    typer.echo(json.dumps(value, indent=1, ensure_ascii=escape))


def quieten(*, quiet: bool) -> None:
    """Log only warnings if `quiet`."""
    if quiet:
        logging.getLogger("ferdata").setLevel(logging.WARNING)
