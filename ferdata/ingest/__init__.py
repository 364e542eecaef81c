"""Ingest: one file per dataset turns a folder as its authors ship it into a manifest."""

from __future__ import annotations

from ferdata.ingest.base import Choices, Ingester, Layout, register
from ferdata.ingest.facts import DatasetFacts, facts, names
from ferdata.ingest.sample import Sample
from ferdata.ingest.stage import Detection, detect, examine, ingest

__all__ = [
    "Choices",
    "DatasetFacts",
    "Detection",
    "Ingester",
    "Layout",
    "Sample",
    "detect",
    "examine",
    "facts",
    "ingest",
    "names",
    "register",
]
