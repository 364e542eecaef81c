"""Which packages of plugins a build uses, and in which versions; a part of its plan."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.compute as pc

from ferdata.core.manifest import Manifest
from ferdata.core.registry import provider
from ferdata.faces.options import detector_name
from ferdata.shards.options import BuildOptions


def plugin_versions(manifest: Manifest, options: BuildOptions) -> dict[str, str]:
    """Return the package and version of each plugin that decides what a build holds.

    Args:
        manifest: The build's rows, with the provenance of their stages.
        options: The build's options.

    Returns:
        For instance `{"operation gamma": "my-package 1.2"}`; empty where all is ferdata's own, and
        where a plugin is installed but not used.
    """
    packages = ((kind, name, provider(kind, name)) for kind, name in _used(manifest, options))
    return {f"{kind} {name}": package for kind, name, package in packages if package}


def _used(manifest: Manifest, options: BuildOptions) -> Iterator[tuple[str, str]]:
    """Yield kind and name of all that a plugin could have brought."""
    for dataset in pc.unique(manifest.table.column("dataset")).to_pylist():
        yield "dataset", dataset
    for rule in _label_rules(manifest):
        yield "label_rule", rule
    if manifest.provenance.get("faces", {}).get("detector"):
        yield "detector", detector_name(options.landmarks)
    if options.augment != "none":
        for operation in options.operations or ():
            yield "operation", operation["op"]
    for name in options.formats:
        yield "format", name


def _label_rules(manifest: Manifest) -> Iterator[str]:
    """Yield the label rules that the datasets were read with; those of a mix stand in its merge."""
    sources = manifest.provenance.get("merge", {}).get("sources", {})
    for provenance in (manifest.provenance, *sources.values()):
        choices = provenance.get("ingest", {}).get("choices", {})
        if rule := choices.get("label_rule"):
            yield rule
