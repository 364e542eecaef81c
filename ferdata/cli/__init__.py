"""The command line: one file per verb, each of which calls the function of the same name.

Results go to standard output, progress and messages to standard error. Exit codes: 0 success; 1 a
check failed or a run stopped; 2 wrong usage or data; 130 interrupted.
"""

from __future__ import annotations

import logging
import sys

from ferdata.core.errors import FerdataError

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        arguments: The arguments after `ferdata`; default: those of this process.
    """
    from ferdata.cli.app import app  # noqa: PLC0415 - after this module is importable

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("ferdata").setLevel(logging.INFO)
    logging.getLogger().setLevel(logging.WARNING)
    try:
        app(arguments, prog_name="ferdata")  # by which completion finds the program
    except FerdataError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(error.exit_code)
