"""Ingest: one file per dataset turns a folder as its authors ship it into a manifest."""

from __future__ import annotations

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
