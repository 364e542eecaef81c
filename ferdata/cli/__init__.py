"""The command line: one file per verb, each of which calls the function of the same name.

Results go to standard output, progress and messages to standard error. Exit codes: 0 success; 1 a
check failed or a run stopped; 2 wrong usage or data; 130 interrupted.
"""

from __future__ import annotations

import errno
import io
import logging
import sys

from ferdata.core.errors import FerdataError

__all__ = ["main"]

_LONG_NAME = (errno.ENAMETOOLONG, 206)  # of Windows: ERROR_FILENAME_EXCED_RANGE


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        arguments: The arguments after `ferdata`; default: those of this process.
    """
    from ferdata.cli.app import app  # noqa: PLC0415 - after this module is importable

    _print_on_any_console()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("ferdata").setLevel(logging.INFO)
    logging.getLogger().setLevel(logging.WARNING)
    try:
        app(arguments, prog_name="ferdata")  # by which completion finds the program
    except FerdataError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        if not {error.errno, getattr(error, "winerror", None)} & set(_LONG_NAME):
            raise
        name = str(error.filename)
        sys.stderr.write(
            f"OSError: {name[:60]}…: the name is too long ({len(name.encode())} bytes); most "
            "systems allow 255 bytes for a file or folder. Choose a shorter one.\n"
        )
        sys.exit(2)


def _print_on_any_console() -> None:
    """Print letters that the console's encoding lacks, such as cp1252's λ, as escapes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
