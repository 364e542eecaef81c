"""Model files that others publish: where one is, where it comes from, whether it is the right one.

A file is looked for in the folder that the environment variable `FERDATA_MODEL_DIR` names, in the
user's cache, and in an installed distribution that carries it; then it is downloaded. It is never
used unless its sha256 is the known one: other weights give other landmarks.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from ferdata.core.errors import ModelFileError
from ferdata.core.files import sha256_file, write_atomically
from ferdata.core.folders import cache_folder

logger = logging.getLogger(__name__)

MODEL_DIR_VARIABLE = "FERDATA_MODEL_DIR"
"""Environment variable that names a folder with model files."""

_DOWNLOAD_TIMEOUT = 15.0  # seconds without an answer; without a network the error comes soon
_LONGEST_CAUSE = 120  # characters of an error that are shown


class FoundFile(NamedTuple):
    """A model file on this machine, checked.

    Attributes:
        path: Where it is.
        origin: What brought it: `FERDATA_MODEL_DIR`, `cache`, or a distribution and its version.
    """

    path: Path
    origin: str


@dataclass(frozen=True)
class ModelFile:
    """A model file, known by its hash.

    Attributes:
        name: File name.
        url: Where its publisher offers it.
        size: Bytes.
        sha256: Hash of its bytes, hexadecimal.
        distribution: Name of a Python distribution that carries it; only the file is read, its
            code is never imported.
        install: Command that installs that distribution.
    """

    name: str
    url: str
    size: int
    sha256: str
    distribution: str
    install: str

    @property
    def cached(self) -> Path:
        """Where a download is kept, whether or not it is there."""
        return cache_folder() / "models" / self.name

    def find(self) -> FoundFile | None:
        """Look for the file on this machine, and check it.

        Returns:
            The file, or None where no place has it.

        Raises:
            ModelFileError: `FERDATA_MODEL_DIR` or the cache has another file of that name.
        """
        folder = os.environ.get(MODEL_DIR_VARIABLE)
        if folder and (given := Path(folder) / self.name).is_file():
            self._check(given, f"Replace it by {self.url}, or unset {MODEL_DIR_VARIABLE}.")
            return FoundFile(given, MODEL_DIR_VARIABLE)
        if self.cached.is_file():
            self._check(self.cached, "Run `ferdata models fetch` to replace it.")
            return FoundFile(self.cached, "cache")
        return self._find_installed()

    def fetch(self, *, quiet: bool = False) -> Path:
        """Return the file, downloaded into the user's cache where no place has it.

        Args:
            quiet: Show no progress.

        Raises:
            ModelFileError: It can't be downloaded, what came has another hash, or the folder that
                `FERDATA_MODEL_DIR` names has another file of that name.
        """
        if self.cached.is_file() and self._difference(self.cached):
            with contextlib.suppress(OSError):
                self.cached.unlink()
        found = self.find()
        return found.path if found else self._download(quiet=quiet)

    def _find_installed(self) -> FoundFile | None:
        try:
            owner = metadata.distribution(self.distribution)
        except metadata.PackageNotFoundError:
            return None
        origin = f"{self.distribution} {owner.version}"
        for entry in owner.files or ():
            if entry.name != self.name:
                continue
            path: Any = entry.locate()  # a path, also one inside a zip file
            try:
                content = path.read_bytes()
            except (OSError, KeyError):  # listed and not there; KeyError: in a zip file
                continue
            if hashlib.sha256(content).hexdigest() != self.sha256:
                logger.warning("%s has another %s, which is not used", origin, self.name)
                continue
            if not isinstance(path, Path):
                with write_atomically(self.cached) as file:
                    file.write(content)
                path = self.cached
            return FoundFile(path, origin)
        return None

    def _check(self, path: Path, remedy: str) -> None:
        if found := self._difference(path):
            raise ModelFileError(
                f"{path} is not the expected model: expected {self.size:,} bytes with sha256 "
                f"{self.sha256}, found {found}. {remedy}"
            )

    def _difference(self, path: Path) -> str:
        """Return what a file has instead of this one's content, or an empty string."""
        try:
            found = "another size" if path.stat().st_size != self.size else sha256_file(path)
        except OSError as error:
            return f"that it can't be read ({error.strerror})"
        return "" if found == self.sha256 else found

    def _download(self, *, quiet: bool) -> Path:
        import pooch  # noqa: PLC0415 - only downloads need it

        pooch_logger = pooch.get_logger()
        level = pooch_logger.level
        pooch_logger.setLevel("WARNING")
        try:
            path = pooch.retrieve(
                self.url,
                known_hash=f"sha256:{self.sha256}",
                fname=self.name,
                path=self.cached.parent,
                downloader=pooch.HTTPDownloader(
                    progressbar=not quiet and sys.stderr.isatty(), timeout=_DOWNLOAD_TIMEOUT
                ),
            )
        except (OSError, ValueError) as error:  # requests raises OSErrors, a wrong hash ValueError
            raise ModelFileError(
                f"{self.name} is not on this machine and can't be downloaded from {self.url} "
                f"({_in_short(error)}). Run: {self.install}. Or put the file at {self.cached}, or "
                f"into a folder that {MODEL_DIR_VARIABLE} names; its sha256 is {self.sha256}."
            ) from error
        finally:
            pooch_logger.setLevel(level)
        return Path(path)


def _in_short(error: BaseException) -> str:
    """Return an error's first line, or its type if that is a page, as without a network."""
    line = str(error).strip().partition("\n")[0]
    return line if 0 < len(line) <= _LONGEST_CAUSE else type(error).__name__
