"""The JSON files of FiftyOne datasets as rows with plain columns.

`samples.json` of a FiftyOneDataset has `filepath`, `tags` and a document for each label;
`labels.json` of a FiftyOneImageClassificationDataset has a class for each name of an image in
`data/`, without its ending.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ferdata.core.given_splits import split_of_word
from ferdata.core.image_formats import is_image

_USUAL = "ground_truth"  # what FiftyOne calls the label of a sample by default
_CLASSIFICATION = "Classification"

Row = dict[str, Any]


def fiftyone_rows(values: Mapping[str, Any], folder: Path) -> list[Row] | None:
    """Return the rows of a FiftyOne file; None if it is none.

    Args:
        values: The content of the file.
        folder: The folder that it lies in.

    Returns:
        Rows with `filepath`, `label` and `split`, and the other fields that are text or numbers; a
        further label is `FIELD.label`.
    """
    samples, labels = values.get("samples"), values.get("labels")
    if isinstance(samples, list) and all(_is_sample(each) for each in samples):
        return _of_samples(samples)
    if isinstance(labels, Mapping) and "classes" in values:
        return _of_labels(labels, values["classes"], folder)
    return None


def _is_sample(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("filepath"), str)


def _of_samples(samples: list[Mapping[str, Any]]) -> list[Row]:
    first = _label_field(samples)
    rows = [_of_sample(each, first) for each in samples]
    columns = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in columns} for row in rows]


def _label_field(samples: list[Mapping[str, Any]]) -> str:
    """Return the field with the label: the usual one, else the first classification."""
    fields = dict.fromkeys(
        name for each in samples for name, value in each.items() if _is_classification(value)
    )
    return _USUAL if _USUAL in fields else next(iter(fields), "")


def _of_sample(sample: Mapping[str, Any], label_field: str) -> Row:
    tags = sample.get("tags") or []
    split = next((tag for tag in tags if split_of_word(str(tag)) is not None), None)
    row: Row = {"filepath": sample["filepath"], "split": split}
    for name, value in sample.items():
        if _is_classification(value):
            row["label" if name == label_field else f"{name}.label"] = value.get("label")
        elif isinstance(value, str | int | float) and not name.startswith("_"):
            row.setdefault(name, value)
    return row


def _is_classification(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("_cls") == _CLASSIFICATION


def _of_labels(labels: Mapping[str, Any], classes: Any, folder: Path) -> list[Row]:
    data = folder / "data"
    paths = (path.relative_to(folder).as_posix() for path in sorted(data.rglob("*")))
    file_of = {
        path.removeprefix("data/").rpartition(".")[0]: path for path in paths if is_image(path)
    }
    return [
        {"filepath": file_of.get(name, f"data/{name}"), "label": _class_of(value, classes)}
        for name, value in sorted(labels.items())
    ]


def _class_of(value: Any, classes: Any) -> Any:
    """Return the class of an image, which may be an index, or a mapping with more about it."""
    found = value.get("label") if isinstance(value, Mapping) else value
    if isinstance(found, int) and isinstance(classes, list) and 0 <= found < len(classes):
        return classes[found]
    return found
