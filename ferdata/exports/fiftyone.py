"""FiftyOne: its FiftyOneDataset format, `metadata.json`, `samples.json` and `data/`.

Written without the library, which needs an OpenCV below 5 and a database. Splits are tags, the
class is a Classification, landmarks are Keypoints and the box is a Detection, both in fractions of
the image's sides. Ids come from the plan and the sample ids, so equal builds give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ferdata.core.files import write_atomically, write_json
from ferdata.exports.contract import (
    NUMBERS,
    TEXTS,
    ExportContent,
    ExportFormat,
    ExportRow,
    shortest,
)
from ferdata.exports.fiftyone_fields import FORMAT_VERSION, sample_fields

COPY_TAG = "augmented"
"""Tag of augmented copies."""

_COPIED = (*TEXTS, *NUMBERS, "soft_label")


def write(folder: Path, content: ExportContent) -> None:
    """Write the images, the samples and the dataset's document."""
    write_json(folder / "metadata.json", _dataset(content))
    with write_atomically(folder / "samples.json") as file:
        file.write(b'{"samples": [')
        start = b"\n"
        for split in content.splits:
            (folder / "data" / split).mkdir(parents=True)
            for row in content.rows(split):
                path = f"data/{split}/{row.name}.png"
                (folder / path).write_bytes(row.png)
                text = json.dumps(_sample(path, row, content), ensure_ascii=False)
                file.write(start + text.encode())
                start = b",\n"
        file.write(b"\n]}\n")


def _dataset(content: ExportContent) -> dict[str, Any]:
    """Return the dataset's document."""
    build = content.build
    return {
        "_id": _id(build.plan_sha256),
        "name": build.name,
        "slug": build.name.lower(),
        "version": FORMAT_VERSION,
        "media_type": "image",
        "sample_fields": sample_fields(),
        "default_classes": list(build.label_space.names),
        "info": {
            "plan_sha256": build.plan_sha256,
            "landmark_scheme": build.landmarks.scheme,
            "splits": list(content.splits),
        },
        "app_config": {"media_fields": ["filepath"], "grid_media_field": "filepath"},
        **{name: [] for name in ("tags", "frame_fields", "saved_views", "workspaces")},
        **{name: {} for name in _EMPTY_MAPPINGS},
    }


_EMPTY_MAPPINGS = (
    "classes",
    "mask_targets",
    "default_mask_targets",
    "skeletons",
    "group_media_types",
    "annotation_runs",
    "brain_methods",
    "evaluations",
    "runs",
)


def _sample(path: str, row: ExportRow, content: ExportContent) -> dict[str, Any]:
    """Return the document of one image."""
    values = row.values
    image, plan = content.build.image, content.build.plan_sha256
    unique = f"{plan}/{values['split']}/{row.row}"
    sample: dict[str, Any] = {
        "_id": _id(unique),
        "filepath": path,
        "tags": [values["split"], *([COPY_TAG] if values["parent_id"] else [])],
        "_media_type": "image",
        "_rand": int(_hash(unique)[:8], 16) / 2**32,
        "metadata": {
            "_cls": "ImageMetadata",
            "size_bytes": len(row.png),
            "mime_type": "image/png",
            "width": image.width,
            "height": image.height,
            "num_channels": image.channels,
        },
        "ground_truth": {
            "_id": _id(f"{unique}/label"),
            "_cls": "Classification",
            "tags": [],
            "label": values["label_name"],
        },
        "landmarks": _keypoints(row, content, unique),
        "face": _detection(row, content, unique),
        **row.as_json(_COPIED),
    }
    return sample


def _keypoints(row: ExportRow, content: ExportContent, unique: str) -> dict[str, Any] | None:
    landmarks = row.values["landmarks"]
    if landmarks is None:
        return None
    image = content.build.image
    points = (landmarks.astype(float) + 0.5) / (image.width, image.height)
    keypoint = {
        "_id": _id(f"{unique}/landmarks"),
        "_cls": "Keypoint",
        "attributes": {},
        "tags": [],
        "label": content.build.landmarks.scheme,
        "points": [[_number(x), _number(y)] for x, y in shortest(points)],
        "confidence": None,
    }
    return {"_cls": "Keypoints", "keypoints": [keypoint]}


def _detection(row: ExportRow, content: ExportContent, unique: str) -> dict[str, Any] | None:
    box = row.values["box"]
    if box is None:
        return None
    image = content.build.image
    x1, y1, x2, y2 = box.astype(float).tolist()
    places = [x1 + 0.5, y1 + 0.5, x2 - x1, y2 - y1]
    sides = [image.width, image.height] * 2
    return {
        "_id": _id(f"{unique}/box"),
        "_cls": "Detection",
        "attributes": {},
        "tags": [],
        "label": "face",
        "bounding_box": [place / side for place, side in zip(places, sides, strict=True)],
    }


def _number(value: float | None) -> Any:
    """Return a coordinate; FiftyOne has NaN where one point of many is unknown."""
    return {"$numberDouble": "NaN"} if value is None else value


def _id(unique: str) -> dict[str, str]:
    """Return a document's id: 24 hexadecimal digits."""
    return {"$oid": _hash(unique)[:24]}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


FIFTYONE = ExportFormat(
    name="fiftyone",
    title="a FiftyOne dataset",
    write=write,
    readers="FiftyOne, in an environment of its own",
    example="""\
import fiftyone as fo

dataset = fo.Dataset.from_dir("{out}", dataset_type=fo.types.FiftyOneDataset)
dataset.match_tags("{split}")""",
)
