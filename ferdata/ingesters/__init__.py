"""Ingesters: each turns a folder, as a dataset's authors ship it, into a manifest."""

from __future__ import annotations

from ferdata.ingesters.catalog import all_ingesters, dataset_info, dataset_names, register
from ferdata.ingesters.contract import Choices, Ingester, Layout
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.stage import detect, examine, ingest
from ferdata.ingesters.tree import FileTree

__all__ = [
    "Choices",
    "DatasetInfo",
    "FileTree",
    "Ingester",
    "Layout",
    "Sample",
    "all_ingesters",
    "dataset_info",
    "dataset_names",
    "detect",
    "examine",
    "ingest",
    "register",
]
