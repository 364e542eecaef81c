"""YAML files checked against strict models: shipped ones by name, users' own by path."""

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
    "licence": "license",
    "notes": "caveats",
    "sound": "leak_free",
}
"""Keys of earlier versions and what they are called now, where the model has the new name."""

_SUFFIXES = (".yaml", ".yml")
_MOST_PROBLEMS = 3


def shipped_names(folder: str) -> tuple[str, ...]:
    """Return the names of what ships in a folder of `manifests`, sorted."""
    return tuple(sorted(path.stem for path in (manifests_folder() / folder).glob("*.yaml")))


def is_file_name(name: str) -> bool:
    """Say whether a name is the path of a YAML file."""
    return name.lower().endswith(_SUFFIXES)


def load_declared(kind: str, folder: str, name: str, model: type[Model]) -> Model:
    """Read a YAML file that ships with ferdata, or a user's own.

    Args:
        kind: What it holds, for messages, for instance `"mix"`.
        folder: The folder of `manifests` with those that ship.
        name: The name of one of them, or the path of a YAML file.
        model: Its schema.

    Raises:
        UnknownNameError: None of that name ships with ferdata.
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
    """Read a YAML file and check it against its schema.

    Args:
        path: The file.
        kind: What it holds, for messages.
        model: Its schema.

    Raises:
        ManifestError: The file can't be read or does not fit the schema; the message names each
            wrong key, and what a renamed or misspelled one should be.
    """
    try:
        values = parse_yaml(path.read_bytes())
        return model.model_validate(_beside(values, path.parent))
    except OSError as error:
        raise ManifestError(f"{path}: can't be read ({error.strerror})") from None
    except ParseError as error:
        raise ManifestError(f"{path}: not a YAML file: {error.__cause__}") from None
    except ValidationError as error:
        problems = "; ".join(describe_problems(error, model)[:_MOST_PROBLEMS])
        raise ManifestError(f"{path}: not a {kind}: {problems}") from None


def describe_problems(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Say what does not fit a model: unknown keys first, each with the key that was meant.

    Args:
        error: What the model raised.
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
            others.append((place, each["msg"]))
    problems = [*unknown, *(each for each in others if each[0] not in renamed)]
    return [f"{'.'.join(map(str, place)) or 'the file'}: {said}" for place, said in problems]


def describe_unknown_key(key: str, known: Iterable[str]) -> str:
    """Say that a key is unknown, and what it is called now, may be meant to be, or could be."""
    known = sorted(set(known))
    if RENAMED_KEYS.get(key) in known:
        return f"the key {key!r} is called {RENAMED_KEYS[key]!r} now"
    if close := difflib.get_close_matches(key, known, n=1):
        return f"unknown key {key!r}. Did you mean {close[0]!r}?"
    return f"unknown key {key!r}; expected one of {', '.join(known)}"


def _models_at(model: type[BaseModel], place: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """Return the models that a place in a model's values may have; several for a union."""
    here = [model]
    for step in place:  # the index or key of an element is no field: it stays with its model
        fields = [each.model_fields[step] for each in here if step in each.model_fields]
        here = [part for field in fields for part in _models_in(field.annotation)] or here
    return here


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in an annotation such as `dict[str, Part]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _beside(values: Any, folder: Path) -> Any:
    """Return a file's values, in which the path of a list of operations starts at its folder."""
    if not isinstance(values, dict):
        return values
    return {
        key: str(folder / value)
        if key == "operations" and isinstance(value, str)
        else _beside(value, folder)
        for key, value in values.items()
    }
