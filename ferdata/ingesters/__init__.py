"""Ingesters: each turns a folder, as a dataset's authors ship it, into a manifest.

A dataset costs four files, all found by their place: its info in `manifests/datasets/NAME.yaml`,
its readers in `NAME/ingester.py` and its synthetic copy in `NAME/synthetic.py` of this package, and
in `tests/support/damage/NAME.py` how a copy can be damaged, for the tests that every dataset must
pass. An installed package adds a dataset with an entry point, see `ferdata.core.registry`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from ferdata.ingesters.catalog import all_ingesters, register
    from ferdata.ingesters.contract import Choices, Ingester, Layout
    from ferdata.ingesters.detection import detect
    from ferdata.ingesters.evidence import Evidence, Sign
    from ferdata.ingesters.info import DatasetInfo
    from ferdata.ingesters.lookup import dataset_info, dataset_names, declared_names
    from ferdata.ingesters.sample import Sample
    from ferdata.ingesters.stage import examine, ingest
    from ferdata.ingesters.tree import FileTree

__all__ = [
    "Choices",
    "DatasetInfo",
    "Evidence",
    "FileTree",
    "Ingester",
    "Layout",
    "Sample",
    "Sign",
    "all_ingesters",
    "dataset_info",
    "dataset_names",
    "declared_names",
    "detect",
    "examine",
    "ingest",
    "register",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("all_ingesters", "register"), "catalog"),
        **dict.fromkeys(("dataset_info", "dataset_names", "declared_names"), "lookup"),
        **dict.fromkeys(("Choices", "Ingester", "Layout"), "contract"),
        **dict.fromkeys(("Evidence", "Sign"), "evidence"),
        **dict.fromkeys(("examine", "ingest"), "stage"),
        "detect": "detection",
        "DatasetInfo": "info",
        "Sample": "sample",
        "FileTree": "tree",
    },
)
