"""One row as an ingester yields it, and many of them as an Arrow table.

Rows become columns in batches, and coordinates never become Python objects: AffectNet has 415,000
rows of 68 points.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferdata.core.errors import ManifestError
from ferdata.core.face_geometry import clean_faces
from ferdata.core.schema import SCHEMA

_BATCH_ROWS = 8192


@dataclass(frozen=True, slots=True)
class Sample:
    """One image as its dataset describes it; the fields are columns of the manifest.

    Attributes:
        key: The sample's name inside the dataset, for instance `train_00001`.
        uri: Posix path relative to the layout's root; `fer2013.csv#17` for a row of a file, rows
            counted from 0 below the header.
        label: A name of the dataset's label space.
        label_native: The dataset's own code or word.
        label_confidence: How sure the dataset is of the label, 0 to 1.
        soft_label: Fractions over `CANONICAL`, eight numbers that sum to 1.
        votes: The annotators' votes, in the dataset's own order.
        valence: −1 to 1.
        arousal: −1 to 1.
        action_units: FACS units with intensity, `AU12:3`, or `AU12` if it is not given.
        official_split: The authors' split, `train`, `validation` or `test`.
        split_native: The copy's own word for it.
        subject: Identifier of the person in the image.
        sequence: The sequence that the image is a frame of, unique within the subject.
        frame: Number of the frame, as in its file name.
        session: The recording session of the subject.
        pose: Direction of the head, in the dataset's own words.
        gender: A word of the dataset's info, as are `race` and `age_group`.
        race: See `gender`.
        age_group: See `gender`.
        box: x1, y1, x2, y2 in pixels of this image.
        five_points: x, y of eye centers, nose tip and mouth corners, image-left first, as ten
            numbers in pixels of this image.
        landmarks: (x, y) of each point of `landmark_scheme`, in pixels of this image: an array
            (P, 2), or a sequence of pairs.
        landmark_scheme: Name of the scheme of `landmarks`.
        landmark_source: `dataset` if the dataset gives points in this image's pixels.
    """

    key: str
    uri: str
    label: str
    label_native: str
    label_confidence: float | None = None
    soft_label: Sequence[float] | None = None
    votes: Sequence[int] | None = None
    valence: float | None = None
    arousal: float | None = None
    action_units: Sequence[str] | None = None
    official_split: str | None = None
    split_native: str | None = None
    subject: str | None = None
    sequence: str | None = None
    frame: int | None = None
    session: str | None = None
    pose: str | None = None
    gender: str | None = None
    race: str | None = None
    age_group: str | None = None
    box: Sequence[float] | None = None
    five_points: Sequence[float] | None = None
    landmarks: npt.NDArray[np.float32] | Sequence[Sequence[float]] | None = None
    landmark_scheme: str | None = None
    landmark_source: str | None = None


_COLUMNS = tuple(each.name for each in fields(Sample) if each.name not in ("key", "landmarks"))


def samples_table(samples: Iterable[Sample], dataset: str, layout: str, framing: str) -> pa.Table:
    """Turn samples into a table of the manifest's schema, in constant extra memory.

    Args:
        samples: The rows, in order.
        dataset: Value of the column `dataset`, and prefix of every sample id.
        layout: Value of the column `layout`.
        framing: `crop` or `photograph`.

    Raises:
        ManifestError: A value does not have its column's type.
    """
    constants = {"dataset": dataset, "layout": layout, "framing": framing}
    batches = [_batch(chunk, dataset, constants) for chunk in _chunks(samples)]
    return pa.Table.from_batches(batches, schema=SCHEMA)


def _chunks(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    iterator = iter(samples)
    while chunk := list(islice(iterator, _BATCH_ROWS)):
        yield chunk


def _batch(samples: list[Sample], dataset: str, constants: dict[str, str]) -> pa.RecordBatch:
    columns: dict[str, Any] = {
        name: [getattr(sample, name) for sample in samples] for name in _COLUMNS
    }
    columns |= {name: [value] * len(samples) for name, value in constants.items()}
    columns["sample_id"] = [f"{dataset}/{sample.key}" for sample in samples]
    columns["landmarks"] = [sample.landmarks for sample in samples]
    clean_faces(columns)
    return pa.RecordBatch.from_arrays(
        [_array(columns.get(field.name), field, len(samples)) for field in SCHEMA], schema=SCHEMA
    )


def _array(values: list[Any] | None, field: pa.Field, rows: int) -> pa.Array:
    if values is None or all(value is None for value in values):
        return pa.nulls(rows, field.type)
    try:
        return _points(values, field) if field.name == "landmarks" else pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ManifestError(f"column {field.name!r}: a value does not fit ({error})") from error


def _points(values: list[Any], field: pa.Field) -> pa.Array:
    """Make an array of lists of pairs from numpy buffers."""
    arrays = [
        np.empty((0, 2), np.float32) if value is None else np.asarray(value, np.float32)
        for value in values
    ]
    lengths = np.fromiter(map(len, arrays), np.int64, len(arrays))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    flat = np.ascontiguousarray(np.concatenate(arrays))
    pairs = pa.FixedSizeListArray.from_arrays(pa.array(flat.reshape(-1)), 2)
    missing = pa.array([value is None for value in values])
    return pa.ListArray.from_arrays(pa.array(offsets), pairs, type=field.type, mask=missing)
