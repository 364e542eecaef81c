"""Builds for other libraries: image folders, tables, WebDataset, LitData, FiftyOne.

    export_build("out/rafdb", "webdataset", "out/rafdb-wds")

Each format is one module that writes a folder from the rows of a build; `registry` lists them.
Importing this package loads no heavy library.
"""

from ferdata.exports.exporting import export_build
from ferdata.exports.options import BuildExportOptions
from ferdata.exports.record import BuildExportReport, ExportRecord

__all__ = ["BuildExportOptions", "BuildExportReport", "ExportRecord", "export_build"]
