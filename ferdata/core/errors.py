"""Every exception that ferdata raises on purpose.

A message says what is wrong, where, and what to do about it. The command line prints it without a
traceback and leaves with `exit_code`: 1 where the answer is no (a failed check, too many rejects),
2 where the call or the data it names is wrong.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class FerdataError(Exception):
    """Base of all errors that name a cause and a remedy.

    Attributes:
        exit_code: Exit status of the command line when this error ends a command.
    """

    exit_code = 2


class OptionError(FerdataError):
    """An option has a value that it can't have, or two options contradict each other."""


class UnknownNameError(OptionError):
    """A name is not one of those that are known.

    Args:
        kind: What the name should have been, for instance `"dataset"`.
        name: The name as given.
        known: All names that would have been accepted; of a long list only the closest are named.
    """

    LONGEST_LIST = 60

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        accepted = sorted(known)
        if len(accepted) > self.LONGEST_LIST:
            close = difflib.get_close_matches(name, accepted, n=6, cutoff=0.4)
            listed = f"{len(accepted)} names" + (f", such as {', '.join(close)}" if close else "")
        else:
            close = difflib.get_close_matches(name, accepted, n=1)
            listed = ", ".join(accepted)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        super().__init__(f"unknown {kind} {name!r}; expected one of {listed}.{hint}")


class PluginError(FerdataError):
    """An installed package brings something for ferdata that can't be used."""


class LayoutError(FerdataError):
    """A folder does not hold the dataset, or not in a layout that is known."""


class AnnotationError(FerdataError):
    """An annotation file of a dataset can't be read as its layout says.

    Args:
        where: File, and line where it has lines.
        what: What is wrong there and what would have been right.
    """

    def __init__(self, where: str | Path, what: str) -> None:
        super().__init__(f"{where}: {what}")


class LabelError(FerdataError):
    """A label is not in the label space, or two label spaces don't fit together."""


class CodeOrderError(LabelError):
    """Label codes would be read in an order that makes the labels wrong."""

    exit_code = 1


class ManifestError(FerdataError):
    """A manifest breaks its schema or one of its rules."""


class ImageError(FerdataError):
    """One image can't be used.

    Stages that read images turn this into a row of `rejects.parquet`; it ends nothing by itself.

    Attributes:
        reason: The reason as it is stored in `rejects.parquet`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ModelFileError(FerdataError):
    """A model file is missing, can't be downloaded, or is not the file it should be."""


class DetectorUnavailableError(FerdataError):
    """The face detector can't run on this machine; the message says what to install."""


class MissingExtraError(FerdataError):
    """An optional part of ferdata is not installed.

    Args:
        what: What needs it, for instance `"training"`.
        extra: The extra that brings it, for instance `"train"`.
        cause: The import error.
    """

    def __init__(self, what: str, extra: str, cause: ImportError) -> None:
        super().__init__(
            f"{what} needs a package that is not installed ({cause}); "
            f"run: pip install 'ferdata[{extra}]'"
        )


class TrainingError(FerdataError):
    """A training run can't go on; what it did so far is kept."""

    exit_code = 1


class WorkerError(FerdataError):
    """A worker process died."""

    exit_code = 1


class BuildError(FerdataError):
    """A build directory can't be made, continued or read."""


class RunError(FerdataError):
    """The folder of a training run can't be made, continued or read."""


class LockedError(BuildError):
    """Another process is building into the same directory."""


class TooManyRejectsError(FerdataError):
    """More rows were rejected than `--max-reject-rate` allows."""

    exit_code = 1
