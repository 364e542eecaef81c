"""From a folder as its authors ship it to a manifest: one package per dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from ferdata.ingesters.contract import Choices, Ingester, Layout, register
    from ferdata.ingesters.info import DatasetInfo, dataset_info, dataset_names
    from ferdata.ingesters.sample import Sample
    from ferdata.ingesters.stage import Detection, detect, examine, ingest

__all__ = [
    "Choices",
    "DatasetInfo",
    "Detection",
    "Ingester",
    "Layout",
    "Sample",
    "dataset_info",
    "dataset_names",
    "detect",
    "examine",
    "ingest",
    "register",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("Choices", "Ingester", "Layout", "register"), "contract"),
        **dict.fromkeys(("DatasetInfo", "dataset_info", "dataset_names"), "info"),
        **dict.fromkeys(("Detection", "detect", "examine", "ingest"), "stage"),
        "Sample": "sample",
    },
)
