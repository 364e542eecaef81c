"""Ready declarations: sets that ship with ferdata as a YAML file and need no reader of their own.

They are `manifests/declarations/NAME.yaml`, with sources in comments.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ferdata.core.yaml_files import is_file_name, load_named
from ferdata.ingesters.catalog import ingester
from ferdata.ingesters.contract import Ingester, Layout
from ferdata.ingesters.declared.declaration import Declaration, load_declaration
from ferdata.ingesters.declared.reader import DeclaredIngester
from ferdata.ingesters.lookup import DECLARATIONS, declared_names
from ferdata.ingesters.tree import FileTree


@cache
def ready_declaration(name: str) -> Declaration:
    """Return a declaration that ships with ferdata.

    Raises:
        UnknownNameError: There is no such declaration.
    """
    return load_named("declared set", DECLARATIONS, name, Declaration)


def find_declaration(name: str) -> Declaration | None:
    """Return the declaration of a set, by the name of a ready one or a file's; else None.

    Raises:
        ManifestError: The file can't be read or is no valid declaration.
    """
    if is_file_name(name):
        return load_declaration(Path(name).expanduser())
    return ready_declaration(name) if name in declared_names() else None


def find_ingester(name: str) -> Ingester:
    """Return the ingester of a dataset, or of a declared set.

    Args:
        name: The name of a dataset or of a ready declaration, or the path of a declaration.

    Raises:
        UnknownNameError: There is no such dataset.
        ManifestError: The file can't be read or is no valid declaration.
        PluginError: The dataset comes from a plugin that can't be used.
    """
    declaration = find_declaration(name)
    return ingester(name) if declaration is None else DeclaredIngester(declaration)


def recognize(tree: FileTree) -> list[Layout]:
    """Return the ready sets whose files a tree holds, by the proof that each declares."""
    sets = [DeclaredIngester(ready_declaration(name)) for name in declared_names()]
    return [layout for each in sets for layout in each.recognize(tree)]
