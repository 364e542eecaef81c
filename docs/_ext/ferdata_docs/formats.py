"""Parts of the page on file formats: what a small build holds, and the fields of records."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import h5py
import pyarrow.parquet as pq
from pydantic import BaseModel

import ferdata
from ferdata.audits.findings import AuditReport
from ferdata.curation.label_patches import LabelPatch
from ferdata.curation.split_files.published import PublishedSplit
from ferdata.formats.names import SIDECAR_SUFFIX
from ferdata.runs.record import RunRecord
from ferdata.shards.record import BuildRecord
from ferdata_docs.writing import code, fence, plain, table, write_page

RECORDS: dict[str, type[BaseModel]] = {
    "build": BuildRecord,
    "run": RunRecord,
    "split": PublishedSplit,
    "labels": LabelPatch,
    "audit": AuditReport,
}


def write_pages(folder: Path) -> None:
    """Write parts that `reference/formats.md` includes."""
    parts = folder / "parts"
    for name, record in RECORDS.items():
        write_page(parts / f"{name}-record.md", *_record(record))
    with tempfile.TemporaryDirectory() as place:
        build = Path(place) / "rafdb"
        ferdata.build(
            "rafdb", out=build, demo=True, demo_scale=0.002, source="original", landmarks="dataset",
            augment="balance", size=64, quiet=True, report=False,
        )  # fmt: skip
        shard = next((build / "hdf5").glob("train*.h5"))
        write_page(parts / "hdf5.md", *_hdf5(shard))
        write_page(parts / "sidecar.md", _json(shard.with_name(shard.name + SIDECAR_SUFFIX)))
        write_page(parts / "parquet.md", _parquet(next((build / "hf/data").glob("train*"))))
        write_page(parts / "plan.md", _json(build / "plan.json"))


def _hdf5(path: Path) -> Iterator[str]:
    with h5py.File(path) as file:
        rows = [
            [code(name), code(_kind(each.dtype)), f"({', '.join(map(str, each.shape))})",
             f"{each.id.get_offset() or ''}"]
            for name, each in file.items()
        ]  # fmt: skip
        attributes = [[code(name), code(_short(str(text)))] for name, text in file.attrs.items()]
    yield table(["array", "type", "shape", "offset in this file"], rows, "lllr")
    yield "Attributes of the root:"
    yield table(["attribute", "value"], attributes)


def _kind(dtype: Any) -> str:
    return "UTF-8 string" if h5py.check_string_dtype(dtype) else str(dtype)


def _parquet(path: Path) -> str:
    schema = pq.read_schema(path).remove_metadata()
    return table(["column", "type"], [[code(each.name), code(each.type)] for each in schema])


def _json(path: Path) -> str:
    """Return a JSON file with long texts and lists shortened."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return fence("json", json.dumps(_shortened(content), indent=2, ensure_ascii=False))


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shortened(each) for name, each in value.items()}
    if isinstance(value, list) and len(value) > 2:
        return [*map(_shortened, value[:2]), f"… {len(value) - 2} more"]
    if isinstance(value, list):
        return [_shortened(each) for each in value]
    return _short(value) if isinstance(value, str) else value


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:24]}…"


def _record(model: type[BaseModel]) -> Iterator[str]:
    """Yield a table of a record's fields, and of the records inside it."""
    seen: list[type[BaseModel]] = [model]
    for each in seen:
        rows = []
        for name, field in each.model_fields.items():
            inner = list(_models(field.annotation))
            seen += [part for part in inner if part not in seen and not _is_options(part)]
            rows.append([code(name), _type(field.annotation), _meaning(each, name, field)])
        title = plain((each.__doc__ or "").split("\n\n")[0].strip().rstrip("."))
        yield f"**{each.__name__}**: {title}."
        yield table(["field", "type", ""], rows)


def _meaning(model: type[BaseModel], name: str, field: Any) -> str:
    if field.description:
        return plain(field.description)
    lines = iter((model.__doc__ or "").splitlines())
    for line in lines:
        if line.strip().startswith(f"{name}:"):
            found = [line.partition(":")[2].strip()]
            depth = len(line) - len(line.lstrip())
            for more in lines:
                if not more.strip() or len(more) - len(more.lstrip()) <= depth:
                    break
                found.append(more.strip())
            return plain(" ".join(found))
    return ""


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _models(each)


def _is_options(model: type[BaseModel]) -> bool:
    return model.__name__.endswith("Options")  # they have pages of their own


def _type(annotation: Any) -> str:
    inner = [each.__name__ for each in _models(annotation)]
    return code(inner[0]) if inner and not get_args(annotation) else code(_words(annotation))


def _words(annotation: Any) -> str:
    text = (
        str(annotation)
        if get_args(annotation)
        else getattr(annotation, "__name__", str(annotation))
    )
    for each in _models(annotation):
        text = text.replace(f"{each.__module__}.{each.__qualname__}", each.__name__)
    return text.replace("typing.", "")
