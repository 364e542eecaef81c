"""Every exception that ferdata raises on purpose.

A message says what is wrong, where, and what to do about it. The command line prints it without a
traceback and exits with `exit_code`: 1 for a failed check or a stopped run (such as too many
rejects), 2 for wrong usage or wrong data.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ferdata.core.suggestions import closest


class FerdataError(Exception):
    """Base class of ferdata's errors.

    Attributes:
        exit_code: Exit status of a command that this error ends.
    """

    exit_code = 2


class OptionError(FerdataError):
    """An option has an invalid value, or two options contradict each other."""


class UnknownNameError(OptionError):
    """A name is unknown.

    Args:
        kind: What the name should be, for instance `"dataset"`.
        name: The name as given.
        known: All accepted names; of a long list the message shows only the closest.
    """

    LONGEST_LIST = 60

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        accepted = sorted(known)
        if len(accepted) > self.LONGEST_LIST:
            close = closest(name, accepted, most=6, cutoff=0.4)
            listed = f"{len(accepted)} names" + (f", such as {', '.join(close)}" if close else "")
        else:
            close = closest(name, accepted)
            listed = ", ".join(accepted)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        super().__init__(f"unknown {kind} {name!r}; expected one of {listed}.{hint}")


class PluginError(FerdataError):
    """A plugin of an installed package can't be used."""


class LayoutError(FerdataError):
    """A folder does not contain the dataset, or not in a known layout."""


class AnnotationError(FerdataError):
    """An annotation file of a dataset does not have the expected content.

    Args:
        where: The file, and the line if it has lines.
        what: What is wrong there, and what was expected.
    """

    def __init__(self, where: str | Path, what: str) -> None:
        super().__init__(f"{where}: {what}")


class ParseError(FerdataError):
    """Data are not of the kind that they should be; the caller says where they are from."""


class LabelError(FerdataError):
    """A label is not in the label space, or two label spaces are not compatible."""


class WrongLabelsError(LabelError):
    """Labels are believed to be wrong, so nothing is written."""

    exit_code = 1


class ManifestError(FerdataError):
    """A manifest violates its schema or a rule, or a recipe or mix is not valid."""


class ImageError(FerdataError):
    """One image can't be used.

    Stages that read images catch this error and reject the row.

    Attributes:
        reason: The reason, as stored in `rejects.parquet`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ModelFileError(FerdataError):
    """A model file is missing, can't be downloaded, or has a wrong hash."""


class DetectorUnavailableError(FerdataError):
    """The face detector can't run on this machine; the message says what to install."""


class MissingExtraError(FerdataError):
    """An optional part of ferdata is not installed.

    Args:
        what: What needs it, for instance `"training"`.
        extra: The extra that installs it, for instance `"train"`.
        cause: The import error.
    """

    def __init__(self, what: str, extra: str, cause: ImportError) -> None:
        super().__init__(
            f"{what} needs a package that is not installed ({cause}); "
            f"run: pip install 'ferdata[{extra}]'"
        )


class TrainingError(FerdataError):
    """A training run can't continue; its completed epochs are kept."""

    exit_code = 1


class WorkerError(FerdataError):
    """A worker process died."""

    exit_code = 1


class BuildError(FerdataError):
    """A build directory can't be created, resumed or read."""


class RunError(FerdataError):
    """The folder of a training run can't be created, resumed or read."""


class AuditError(FerdataError):
    """There is nothing to audit, or the record of an audit can't be read."""


class TermsError(FerdataError):
    """The terms of a dataset forbid what was asked for."""

    exit_code = 1


class LockedError(BuildError):
    """Another process is building into the same directory."""


class TooManyRejectsError(FerdataError):
    """More rows were rejected than `--max-reject-rate` allows, or all."""

    exit_code = 1
