"""YAML files validated against strict models: shipped ones by name, users' own by path."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from ferdata.core.errors import ManifestError, ParseError, UnknownNameError
from ferdata.core.parsing import parse_yaml
from ferdata.core.resources import manifests_folder

Model = TypeVar("Model", bound=BaseModel)

RENAMED_KEYS = {
    "centre_loss": "center_loss",
    "centre_rate": "center_rate",
    "lacking": "missing_classes",
    "licence": "license",
    "notes": "caveats",
    "sound": "leak_free",
}
"""Former names of keys, with the current name; used only where the model has the current name."""

_SUFFIXES = (".yaml", ".yml")
_MOST_PROBLEMS = 3


def shipped_names(folder: str) -> tuple[str, ...]:
    """Return the names of the shipped files in a folder of `manifests`, sorted."""
    return tuple(sorted(path.stem for path in (manifests_folder() / folder).glob("*.yaml")))


def is_file_name(name: str) -> bool:
    """Return whether a name is the path of a YAML file."""
    return name.lower().endswith(_SUFFIXES)


def load_named(kind: str, folder: str, name: str, model: type[Model]) -> Model:
    """Read a YAML file that ships with ferdata, or a user's own.

    Args:
        kind: What it describes, for messages, for instance `"mix"`.
        folder: The folder of `manifests` with the shipped files.
        name: The name of a shipped file, or the path of a YAML file.
        model: Its schema.

    Raises:
        UnknownNameError: No file of that name ships with ferdata.
        ManifestError: See `read_model`.
    """
    if is_file_name(name):
        path = Path(name).expanduser()
    elif name in shipped_names(folder):
        path = manifests_folder() / folder / f"{name}.yaml"
    else:
        raise UnknownNameError(kind, name, shipped_names(folder))
    return read_model(path, kind, model)


def read_model(path: Path, kind: str, model: type[Model]) -> Model:
    """Read a YAML file and validate it against its schema.

    Args:
        path: The file.
        kind: What it describes, for messages.
        model: Its schema.

    Raises:
        ManifestError: The file can't be read or does not match the schema; the message names each
            wrong key, and suggests the right name of a renamed or misspelled one.
    """
    return check_model(_resolve_operations(read_values(path), path.parent), path, kind, model)


def check_model(values: Any, where: str | Path, kind: str, model: type[Model]) -> Model:
    """Validate plain values against a schema; the arguments are those of `read_model`.

    Raises:
        ManifestError: See `read_model`.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(describe_problems(error, model)[:_MOST_PROBLEMS])
        raise ManifestError(f"{where}: not a {kind}: {problems}") from None


def read_values(path: Path) -> Any:
    """Read a YAML file as plain values.

    Raises:
        ManifestError: The file can't be read or is not YAML.
    """
    try:
        return parse_yaml(path.read_bytes())
    except OSError as error:
        raise ManifestError(f"{path}: can't be read ({error.strerror})") from None
    except ParseError as error:
        raise ManifestError(f"{path}: not a YAML file: {error.__cause__}") from None


def describe_problems(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Describe why values don't match a model: unknown keys first, with suggestions.

    Args:
        error: The error that the model raised.
        model: The model.
    """
    unknown, others, renamed = [], [], set()
    for each in error.errors():
        place = each["loc"]
        if each["type"] == "extra_forbidden":
            key = str(place[-1])
            renamed.add((*place[:-1], RENAMED_KEYS.get(key)))
            known = [name for part in _models_at(model, place[:-1]) for name in part.model_fields]
            unknown.append((place[:-1], describe_unknown_key(key, known)))
        else:
            others.append((place, each["msg"].removeprefix("Value error, ")))
    problems = [*unknown, *(each for each in others if each[0] not in renamed)]
    return [f"{'.'.join(map(str, place)) or 'the file'}: {what}" for place, what in problems]


def describe_unknown_key(key: str, known: Iterable[str]) -> str:
    """Return the message for an unknown key: its current name, the closest key, or all keys."""
    known = sorted(set(known))
    if RENAMED_KEYS.get(key) in known:
        return f"the key {key!r} is now called {RENAMED_KEYS[key]!r}"
    if close := difflib.get_close_matches(key, known, n=1):
        return f"unknown key {key!r}. Did you mean {close[0]!r}?"
    return f"unknown key {key!r}; expected one of {', '.join(known)}"


def _models_at(model: type[BaseModel], place: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """Return the possible models at a place in a model's values; several for a union."""
    here = [model]
    for step in place:  # the index or key of an element is not a field: keep the model
        fields = [each.model_fields[step] for each in here if step in each.model_fields]
        here = [part for field in fields for part in _models_in(field.annotation)] or here
    return here


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in an annotation such as `dict[str, Part]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _resolve_operations(values: Any, folder: Path) -> Any:
    """Return a file's values, with the paths of operation files relative to its folder.

    The name of a list of operations that ships with ferdata stays as it is.
    """
    if not isinstance(values, dict):
        return values
    return {
        key: str(folder / value)
        if key == "operations" and isinstance(value, str) and value not in shipped_names(key)
        else _resolve_operations(value, folder)
        for key, value in values.items()
    }
