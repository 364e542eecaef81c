"""The columns of a Hugging Face dataset, in both notations that `datasets` reads.

They are written here as plain values so that a worker process need not import `datasets`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ferdata.formats.content import ShardSpec
from ferdata.formats.names import STRING_COLUMNS


def features(spec: ShardSpec) -> dict[str, dict[str, Any]]:
    """Return the columns as `datasets.Features.to_dict` gives them.

    Args:
        spec: Any shard of the build; they all have the same columns.
    """
    number = {"dtype": "float32", "_type": "Value"}
    text = {"dtype": "string", "_type": "Value"}
    columns: dict[str, dict[str, Any]] = {
        "image": {"_type": "Image"},
        "label": {"names": list(spec.label_space.names), "_type": "ClassLabel"},
        **dict.fromkeys(STRING_COLUMNS, text),
        "landmarks": {"shape": (spec.points, 2), "dtype": "float32", "_type": "Array2D"},
        "box": _list_of(number, 4),
        "valence": number,
        "arousal": number,
        "soft_label": _list_of(number, len(spec.label_space)),
    }
    if not spec.points:
        del columns["landmarks"]
    return columns


def card_features(spec: ShardSpec) -> list[dict[str, Any]]:
    """Return the columns in the notation of dataset cards.

    Args:
        spec: Any shard of the build.
    """
    return [{"name": name, **_card_type(feature)} for name, feature in features(spec).items()]


def _list_of(item: dict[str, Any], length: int) -> dict[str, Any]:
    return {"feature": item, "length": length, "_type": "List"}


def _card_type(feature: Mapping[str, Any]) -> dict[str, Any]:
    kind = feature["_type"]
    if kind == "Image":
        return {"dtype": "image"}
    if kind == "ClassLabel":
        names = {str(index): name for index, name in enumerate(feature["names"])}
        return {"dtype": {"class_label": {"names": names}}}
    if kind == "Array2D":
        described = {"shape": list(feature["shape"]), "dtype": feature["dtype"]}
        return {"dtype": {"array2_d": described}}
    if kind == "List":
        inner = _card_type(feature["feature"])
        return {"list": inner.get("dtype", inner), "length": feature["length"]}
    return {"dtype": feature["dtype"]}
