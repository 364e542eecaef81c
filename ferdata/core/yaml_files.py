"""What is declared in YAML files: those that ship with the package by name, users' own by path."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from ferdata.core.errors import ManifestError, UnknownNameError
from ferdata.core.resources import manifests_folder

Model = TypeVar("Model", bound=BaseModel)

_SUFFIXES = (".yaml", ".yml")


def shipped_names(folder: str) -> tuple[str, ...]:
    """Return the names of what ships in a folder of `manifests`, sorted."""
    return tuple(sorted(path.stem for path in (manifests_folder() / folder).glob("*.yaml")))


def is_file_name(name: str) -> bool:
    """Say whether a name is the path of a YAML file."""
    return name.lower().endswith(_SUFFIXES)


def load_declared(kind: str, folder: str, name: str, model: type[Model]) -> Model:
    """Read a declaration and check it.

    Args:
        kind: What it is, for messages, for instance `"mix"`.
        folder: Folder of `manifests` where those of the package are.
        name: The name of one of them, or the path of a YAML file.
        model: Its schema.

    Raises:
        UnknownNameError: None of that name ships with the package.
        ManifestError: The file can't be read, or breaks the schema; says what is wrong with it.
    """
    if is_file_name(name):
        path = Path(name).expanduser()
    elif name in shipped_names(folder):
        path = manifests_folder() / folder / f"{name}.yaml"
    else:
        raise UnknownNameError(kind, name, shipped_names(folder))
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        return model.model_validate(_beside(values, path.parent))
    except OSError as error:
        raise ManifestError(f"{path}: can't be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: not a YAML file ({error})") from None
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['msg']}"
            for each in error.errors()[:3]
        )
        raise ManifestError(f"{path}: not a {kind}: {problems}") from None


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
