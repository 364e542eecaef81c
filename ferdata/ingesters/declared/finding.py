"""Finding a set by name: a dataset with a reader of its own, a ready declaration, or a file."""

from __future__ import annotations

from pathlib import Path

from ferdata.core.yaml_files import is_file_name
from ferdata.ingesters.catalog import ingester
from ferdata.ingesters.contract import Ingester, Layout
from ferdata.ingesters.declared.declaration import Declaration, load_declaration
from ferdata.ingesters.declared.reader import DeclaredIngester
from ferdata.ingesters.declared.ready import ready_declaration
from ferdata.ingesters.lookup import declared_names
from ferdata.ingesters.tree import FileTree


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
