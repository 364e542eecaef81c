"""The export formats by name.

To add one, write a module like `imagefolder` that ends with an `ExportFormat`, and list it here; a
package of its own lists it as the entry point `export.NAME` instead (see `ferdata.core.registry`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferdata.core.errors import UnknownNameError
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
)


def all_exports() -> list[ExportFormat]:
    """Import and return all formats, sorted by name."""
    return [EXPORTS.get(name) for name in EXPORTS]


def require_export(name: str) -> None:
    """Check that a format exists, without importing it.

    Raises:
        UnknownNameError: It does not; the message lists those that do.
    """
    if name not in EXPORTS:
        raise UnknownNameError("export format", name, EXPORTS)
