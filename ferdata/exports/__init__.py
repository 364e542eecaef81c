"""Builds for other libraries: image folders, tables, WebDataset, LitData, FiftyOne.

    export_build("out/rafdb", "webdataset", "out/rafdb-wds")

Each format is one module that writes a folder from the rows of a build; `registry` lists them.
Names are loaded on first use: reading the options loads no heavy library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from ferdata.exports.exporting import export_build
    from ferdata.exports.options import BuildExportOptions
    from ferdata.exports.record import BuildExportReport, ExportRecord

__all__ = ["BuildExportOptions", "BuildExportReport", "ExportRecord", "export_build"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "BuildExportOptions": "options",
        "BuildExportReport": "record",
        "ExportRecord": "record",
        "export_build": "exporting",
    },
)
