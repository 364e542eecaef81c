"""The info of a build's datasets, those of one's own included."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ferdata.core.manifest import Manifest
from ferdata.ingesters import DatasetInfo, dataset_info
from ferdata.ingesters.declared.declaration import parse_declaration


def info_of(manifest: Manifest, dataset: str) -> DatasetInfo:
    """Return the info of a manifest's dataset; a declared one is in the manifest's record.

    Raises:
        UnknownNameError: The dataset is neither known nor declared.
    """
    return recorded_info(manifest.provenance, dataset)


def recorded_info(provenance: Mapping[str, Any], dataset: str) -> DatasetInfo:
    """Return the same from the provenance of a manifest, which is also in a build's record."""
    declared = dict(_declarations(provenance))
    if dataset in declared:
        return parse_declaration(declared[dataset], f"declaration of {dataset}").info
    return dataset_info(dataset)


def declaration_versions(manifest: Manifest) -> dict[str, str]:
    """Return a hash of each declaration: license and title are part of the files of a build."""
    return {
        f"declaration {name}": hashlib.sha256(json.dumps(values, sort_keys=True).encode())
        .hexdigest()[:16]
        for name, values in _declarations(manifest.provenance)
    }  # fmt: skip


def _declarations(recorded: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the name and content of each declaration; those of a mix stand in its merge."""
    sources = recorded.get("merge", {}).get("sources", {})
    for provenance in (recorded, *sources.values()):
        if values := provenance.get("ingest", {}).get("declaration"):
            yield values["name"], values
