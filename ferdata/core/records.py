"""Records: one JSON file that describes a build or a run, written and read by one class."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ferdata.core.errors import BuildError, FerdataError, OptionError, ParseError
from ferdata.core.files import read_json, write_json
from ferdata.core.parsing import parse_json


class RecordPart(BaseModel):
    """A part of a record: immutable, and strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


_Part = TypeVar("_Part", bound=RecordPart)


class Record(RecordPart):
    """The content of a JSON file with a versioned format.

    A subclass defines the file's name, its format, and the messages for a missing or unusable file.

    Attributes:
        format: Name and version of the format, for instance `ferdata-build/2`.
    """

    file_name: ClassVar[str]
    """Name of the file inside its folder."""

    current: ClassVar[str]
    """The format that this version writes."""

    error: ClassVar[type[FerdataError]]
    """The exception for a file that can't be used."""

    remedy: ClassVar[str]
    """What to do about a file that is damaged or of an incompatible version."""

    format: str

    @classmethod
    def missing(cls, folder: Path) -> str:
        """Return why there is no file, and what to do."""
        raise NotImplementedError

    @classmethod
    def upgraded(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Convert the values of an older format to the current one.

        Formats that can't be converted are returned unchanged, and then refused.
        """
        return values

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read the record of a folder.

        Raises:
            FerdataError: Of the class `error`: there is no file, it is damaged, or an incompatible
                version of ferdata wrote it.
        """
        path = folder / cls.file_name
        if not path.is_file():
            raise cls.error(cls.missing(folder))
        try:
            values = read_json(path)
        except BuildError as error:
            raise cls.error(f"{error}; {cls.remedy}") from None
        return cls.of(values, path)

    @classmethod
    def of(cls, values: Any, path: Path) -> Self:
        """Return the record with the content of a file.

        Args:
            values: The file's content.
            path: The file, for messages.

        Raises:
            FerdataError: As for `open`.
        """
        found = values.get("format") if isinstance(values, dict) else None
        if not isinstance(found, str):
            raise cls.error(f"{path}: not written by ferdata; {cls.remedy}")
        name, _, version = cls.current.partition("/")
        if found != cls.current:
            found_name, _, found_version = found.partition("/")
            if found_name == name and found_version.isdigit() and int(found_version) > int(version):
                raise cls.error(
                    f"{path}: format {found}, written by a newer ferdata; this one reads up to "
                    f"{cls.current}. Update: pip install -U ferdata"
                )
            values = cls.upgraded(values)
            if values.get("format") != cls.current:
                raise cls.error(
                    f"{path}: format {found}, but this ferdata reads {cls.current}; {cls.remedy}"
                )
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise cls.error(f"{path}: damaged ({_first_problem(error)}); {cls.remedy}") from error

    def as_read(self) -> Self:
        """Return the record as it is after writing and reading: names sorted in every mapping."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return type(self).model_validate_json(text)

    def save(self, folder: Path) -> None:
        """Write the record into a folder, atomically."""
        write_json(folder / self.file_name, self.model_dump(mode="json"))


def read_given(
    path: Path, content: type[_Part], *, kind: str, writer: str, option: str = ""
) -> _Part:
    """Read a JSON file that the user names, such as a split file.

    Args:
        path: The file.
        content: The class of its content.
        kind: What it has to be, for messages: `split file of ferdata`.
        writer: The command that writes one, for messages.
        option: The option that names it, for messages.

    Raises:
        OptionError: It can't be read, or is of another kind.
    """
    where = f"{option} {path}".lstrip()
    try:
        return content.model_validate(parse_json(path.read_bytes()))
    except OSError as error:
        raise OptionError(f"{where}: can't be read ({error.strerror})") from None
    except ParseError as error:
        raise OptionError(f"{where}: {error}") from None
    except ValidationError as error:
        raise OptionError(
            f"{where}: is no {kind} ({_first_problem(error)}); `{writer}` writes one"
        ) from None


def _first_problem(error: ValidationError) -> str:
    """Return where the first wrong value is, and what is wrong: `rows.0.name: Field required`."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
