"""The export formats by name.

To add one, write a module like `imagefolder` that ends with an `ExportFormat`, and list it here; a
package of its own lists it as the entry point `export.NAME` instead (see `ferdata.core.registry`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferdata.core.registry import Registry

if TYPE_CHECKING:
    from ferdata.exports.contract import ExportFormat

EXPORTS: Registry[ExportFormat] = Registry(
    "export",
    {
        "csv": "ferdata.exports.csv_table:CSV",
        "fiftyone": "ferdata.exports.fiftyone:FIFTYONE",
        "imagefolder": "ferdata.exports.imagefolder:IMAGE_FOLDER",
        "litdata": "ferdata.exports.litdata:LITDATA",
        "parquet": "ferdata.exports.parquet:PARQUET",
        "webdataset": "ferdata.exports.webdataset:WEBDATASET",
    },
    label="export format",
)
