"""Datasets by name: which there are, and what is known about each; reads YAML files only."""

from __future__ import annotations

from ferdata.core.registry import Registry
from ferdata.core.resources import manifests_folder
from ferdata.core.yaml_files import shipped_names
from ferdata.ingesters.info import DECLARATIONS, DatasetInfo, load_info, shipped_file


def declared_names() -> tuple[str, ...]:
    """Return the names of the sets that ship as ready declarations, sorted."""
    plugins = _plugins()
    return tuple(name for name in shipped_names(DECLARATIONS) if name not in plugins)


def dataset_names() -> tuple[str, ...]:
    """Return the names of all datasets, sorted."""
    return tuple(sorted({*_shipped_names(), *_plugins().names()}))


def dataset_info(name: str) -> DatasetInfo:
    """Return the license, codes, counts and layouts of a dataset.

    Args:
        name: The name of a dataset or of a ready declaration, for instance `"rafdb"`.

    Raises:
        UnknownNameError: There is no such dataset.
        ManifestError: Its YAML file is broken.
        PluginError: It comes from a plugin that can't be used.
    """
    if name in _shipped_names() and name not in _plugins():
        return load_info(shipped_file(name), name)
    if name in declared_names():
        from ferdata.ingesters.declared.ready import (  # noqa: PLC0415 - others need it not
            ready_declaration,
        )

        return ready_declaration(name).info
    from ferdata.ingesters.catalog import ingester  # noqa: PLC0415 - imports all ingesters

    return ingester(name).info


def _shipped_names() -> tuple[str, ...]:
    return tuple(path.stem for path in (manifests_folder() / "datasets").glob("*.yaml"))


def _plugins() -> Registry[object]:
    """Return the datasets of plugins and of the running program; none of them is imported."""
    return Registry("dataset", {})
