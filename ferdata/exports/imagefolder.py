"""Image folders: `SPLIT/CLASS/NAME.png`, a table for people, and one that `datasets` reads.

torchvision and timm take labels from the folders, in alphabetical order: `classes.txt` lists the
classes by the build's index instead. A class without images in a split has an empty folder there,
so that all splits number the classes alike. `SPLIT/metadata.parquet` has all that is known about
each image, where Hugging Face's `imagefolder` looks for it; `labels.csv` has it as text.
"""

from __future__ import annotations

from pathlib import Path

from ferdata.core.errors import BuildError
from ferdata.core.files import csv_rows
from ferdata.core.labels import LabelSpace
from ferdata.exports.contract import COLUMNS, ExportContent, ExportFormat
from ferdata.exports.images import table_header, table_row, write_image
from ferdata.exports.parquet import RowWriter

_COLUMNS = tuple(name for name in COLUMNS if name != "landmarks")


def write(folder: Path, content: ExportContent) -> None:
    """Write the images and the tables."""
    classes = content.label_space.names
    folders = _class_folders(content.label_space)
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in folders), encoding="utf-8")
    with csv_rows(folder / "labels.csv", table_header(classes, _COLUMNS)) as write_label:
        for split in content.splits:
            for name in folders:
                (folder / split / name).mkdir(parents=True)
            with RowWriter(folder / split / "metadata.parquet", content, "file_name") as metadata:
                for row in content.rows(split):
                    file = f"{folders[row.values['label']]}/{row.name}.png"
                    write_image(folder, f"{split}/{file}", row)
                    write_label(table_row(f"{split}/{file}", row, _COLUMNS, len(classes)))
                    metadata.write(file, row)


def _class_folders(space: LabelSpace) -> list[str]:
    """Return the folder of each class.

    Raises:
        BuildError: A class has a name that no folder can have.
    """
    for name in space.names:
        if name != name.strip(". ") or any(each in '\\/:*?"<>|' or ord(each) < 32 for each in name):
            raise BuildError(
                f"class {name!r}: no folder can have this name; export to csv or parquet instead"
            )
    if len({name.lower() for name in space.names}) < len(space.names):
        raise BuildError("two classes differ in case only; export to csv or parquet instead")
    return list(space.names)


IMAGE_FOLDER = ExportFormat(
    name="imagefolder",
    title="an image folder",
    write=write,
    readers="torchvision and timm ImageFolder, Hugging Face datasets",
    example="""\
from torchvision.datasets import ImageFolder

{split} = ImageFolder("{out}/{split}", allow_empty=True)""",
)
