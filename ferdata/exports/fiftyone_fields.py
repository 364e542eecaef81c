"""The fields of an exported FiftyOne dataset, as its `metadata.json` declares them."""

from __future__ import annotations

from typing import Any

FORMAT_VERSION = "1.0.0"
"""The version of FiftyOne that these documents are of; newer ones migrate them when they read."""

_FIELDS = "fiftyone.core.fields"
_LABELS = "fiftyone.core.labels"

Field = dict[str, Any]


def sample_fields() -> list[Field]:
    """Return the declarations of all fields of a sample."""
    return [
        _field("id", "ObjectIdField", stored="_id"),
        _field("filepath", "StringField"),
        _list("tags", "StringField"),
        _embedded("metadata", "fiftyone.core.metadata.ImageMetadata", _metadata()),
        _field("_media_type", "StringField"),
        _field("_rand", "FloatField"),
        _field("_dataset_id", "ObjectIdField"),
        _field("created_at", "DateTimeField", read_only=True),
        _field("last_modified_at", "DateTimeField", read_only=True),
        _embedded("ground_truth", f"{_LABELS}.Classification", _classification()),
        _embedded("landmarks", f"{_LABELS}.Keypoints", [_keypoints()]),
        _embedded("face", f"{_LABELS}.Detection", _detection()),
        _list("soft_label", "FloatField"),
        *(
            _field(name, "StringField")
            for name in ("sample_id", "dataset", "subject", "parent_id", "operations")
        ),
        _field("valence", "FloatField"),
        _field("arousal", "FloatField"),
    ]


def _metadata() -> list[Field]:
    numbers = ("width", "height", "num_channels")
    return [
        _field("size_bytes", "IntField"),
        _field("mime_type", "StringField"),
        *(_field(name, "IntField") for name in numbers),
    ]


def _label() -> list[Field]:
    """Return the fields that every label has."""
    return [
        _field("id", "ObjectIdField", stored="_id"),
        _list("tags", "StringField"),
        _field("label", "StringField"),
    ]


def _classification() -> list[Field]:
    return [*_label(), _field("confidence", "FloatField"), _field("logits", "VectorField")]


def _keypoints() -> Field:
    fields = [
        *_label(),
        _attributes(),
        _field("points", "KeypointsField"),
        _list("confidence", "FloatField"),
        _field("index", "IntField"),
    ]
    kind = f"{_LABELS}.Keypoint"
    return _list("keypoints", "EmbeddedDocumentField", kind=kind, fields=fields)


def _detection() -> list[Field]:
    return [
        *_label(),
        _attributes(),
        _list("bounding_box", "FloatField"),
        _field("mask", "ArrayField"),
        _field("mask_path", "StringField"),
        _field("confidence", "FloatField"),
        _field("index", "IntField"),
    ]


def _attributes() -> Field:
    item = f"{_FIELDS}.EmbeddedDocumentField"
    return _field("attributes", "DictField", item=item, kind=f"{_LABELS}.Attribute")


def _embedded(name: str, kind: str, fields: list[Field]) -> Field:
    return _field(name, "EmbeddedDocumentField", kind=kind, fields=fields)


def _list(name: str, item: str, **more: Any) -> Field:
    return _field(name, "ListField", item=f"{_FIELDS}.{item}", **more)


def _field(
    name: str,
    kind_of_field: str,
    *,
    item: str | None = None,
    kind: str | None = None,
    fields: list[Field] | None = None,
    stored: str | None = None,
    read_only: bool = False,
) -> Field:
    """Return the declaration of a field.

    Args:
        name: Its name.
        kind_of_field: Its class in `fiftyone.core.fields`.
        item: The class of its items.
        kind: The class of an embedded document.
        fields: The fields of an embedded document.
        stored: Its name in the database.
        read_only: Whether users may change it.
    """
    return {
        "name": name,
        "ftype": f"{_FIELDS}.{kind_of_field}",
        "embedded_doc_type": kind,
        "subfield": item,
        "fields": fields or [],
        "db_field": stored or name,
        "description": None,
        "info": None,
        "read_only": read_only,
    }
