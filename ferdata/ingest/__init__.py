"""Ingest: one file per dataset turns a folder as its authors ship it into a manifest."""

from __future__ import annotations

from ferdata.ingest.base import Ingester, Layout, Sample, register
from ferdata.ingest.facts import DatasetFacts, facts, names
from ferdata.ingest.stage import Detection, detect, ingest

__all__ = [
    "DatasetFacts",
    "Detection",
    "Ingester",
    "Layout",
    "Sample",
    "detect",
    "facts",
    "ingest",
    "names",
    "register",
]
