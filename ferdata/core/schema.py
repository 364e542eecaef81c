"""The declared columns of a manifest and of its rejects."""

from __future__ import annotations

import pyarrow as pa

from ferdata.core.labels import CANONICAL
from ferdata.core.split_rules import SPLITS

__all__ = ["ADDED_COLUMNS", "BLENDSHAPES", "REJECT_SCHEMA", "SCHEMA", "SCHEMA_VERSION", "SPLITS"]

SCHEMA_VERSION = "ferdata-manifest/3"

ADDED_COLUMNS = {"ferdata-manifest/2": ("face_finding", "outside_share", "quality")}
"""Older versions that are read, and the columns that each of them lacks."""

BLENDSHAPES = 52
"""Number of blendshape scores of a face: those of ARKit."""

_POINT = pa.list_(pa.float32(), 2)

SCHEMA = pa.schema(
    [
        # identity
        pa.field("sample_id", pa.string(), nullable=False),  # unique: "rafdb/train_00001"
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("layout", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),  # posix path relative to the data root
        pa.field("framing", pa.string(), nullable=False),  # "crop" or "photograph", as shipped
        # label
        pa.field("label", pa.string(), nullable=False),  # a name of the manifest's label space
        pa.field("label_native", pa.string()),  # the source's own code or word
        pa.field("label_confidence", pa.float32()),  # the source's own, 0 to 1
        pa.field("soft_label", pa.list_(pa.float32(), len(CANONICAL))),  # over CANONICAL
        pa.field("votes", pa.list_(pa.int16())),
        pa.field("valence", pa.float32()),
        pa.field("arousal", pa.float32()),
        pa.field("action_units", pa.list_(pa.string())),
        # grouping and attributes
        pa.field("subject", pa.string()),
        pa.field("sequence", pa.string()),
        pa.field("frame", pa.int32()),
        pa.field("session", pa.string()),
        pa.field("pose", pa.string()),
        pa.field("gender", pa.string()),
        pa.field("race", pa.string()),
        pa.field("age_group", pa.string()),
        # split
        pa.field("split_native", pa.string()),
        pa.field("official_split", pa.string()),
        pa.field("split", pa.string()),
        # face, in pixels of the source image
        pa.field("box", pa.list_(pa.float32(), 4)),  # x1, y1, x2, y2
        pa.field("five_points", pa.list_(pa.float32(), 10)),  # x, y of faces.schemes.FIVE
        pa.field("landmarks", pa.list_(_POINT)),  # (P, 2) of landmark_scheme
        pa.field("landmark_scheme", pa.string()),
        pa.field("landmark_source", pa.string()),  # "dataset", "none" or a detector's name
        pa.field("face_count", pa.int16()),  # faces that the detector found
        pa.field("face_rule", pa.string()),  # how the face was chosen among them
        pa.field("face_score", pa.float32()),
        pa.field("face_finding", pa.string()),  # why the points are not aligned by, else null
        pa.field("blendshapes", pa.list_(pa.float32(), BLENDSHAPES)),
        # content
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("channels", pa.int8()),
        pa.field("file_sha256", pa.string()),
        pa.field("pixel_sha256", pa.string()),
        pa.field("perceptual_hash", pa.string()),
        # the image as built: fraction of its pixels outside the source, before augmentation
        pa.field("outside_share", pa.float32()),
        pa.field("quality", pa.list_(pa.string())),  # findings, see core.findings; null: not read
        # augmentation: null for a source image
        pa.field("parent_id", pa.string()),
        pa.field("copy_index", pa.int32()),
        pa.field("operations", pa.string()),  # JSON list with every drawn value
    ]
)
"""The declared columns, in order. Unknown values are null."""

REJECT_SCHEMA = pa.schema(
    [
        pa.field("sample_id", pa.string()),
        pa.field("uri", pa.string()),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
"""Columns of `rejects.parquet`: one row for each rejected row."""
