"""The Croissant description of a build, `croissant.json`: its files with their hashes, its columns.

Croissant 1.1 (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html) is JSON-LD that
dataset search and loaders such as `mlcroissant` read. Record sets describe the Hugging Face
shards; those of other formats are listed as files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ferdata.core.schema import SPLITS
from ferdata.formats import statements
from ferdata.formats.card_content import CardContent, count, unique
from ferdata.formats.croissant_context import CONTEXT
from ferdata.formats.features import features
from ferdata.formats.registry import FORMATS
from ferdata.formats.responsible_ai import VOCABULARY, responsible_ai

SPECIFICATION = "http://mlcommons.org/croissant/1.1"

_MEDIA_TYPES = {
    ".parquet": "application/x-parquet",
    ".h5": "application/x-hdf5",
    ".json": "application/json",
    ".md": "text/markdown",
}
_DATA_TYPES = {"float32": "cr:Float32", "string": "sc:Text"}
_SHARDS = "huggingface-shards"  # the file set of all Parquet shards

Node = dict[str, Any]


@dataclass(frozen=True)
class DescribedFile:
    """One file of a build.

    Attributes:
        path: Its path inside the build, posix.
        sha256: Hash of its content.
        size: Its bytes.
    """

    path: str
    sha256: str
    size: int


def croissant(content: CardContent, files: Sequence[DescribedFile]) -> Node:
    """Return a build's description; equal content and files give equal values.

    There is no date in it, since a build has none; `version` ends with the hash of the plan.

    Args:
        content: The content of the build's card.
        files: The files to list.
    """
    shards = [file for file in files if file.path.startswith(FORMATS.get("hf").folder + "/")]
    distribution = [_file(file) for file in files]
    description = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [SPECIFICATION, VOCABULARY],
        "name": content.name,
        "description": _description(content),
        "version": f"1.0.0+{content.plan_sha256[:12]}",
        "license": unique(source.license for source in content.sources if not source.drawn),
        "citeAs": "\n\n".join(unique(source.citation for source in content.sources)),
        "keywords": [
            "facial expression recognition",
            *unique(source.name for source in content.sources),
            *(["synthetic"] if content.synthetic else []),
        ],
        "isBasedOn": [_source(content, position) for position in range(len(content.sources))],
        "distribution": [*distribution, _shard_set()] if shards else distribution,
        "recordSet": [*_enumerations(content), _images(content)] if shards else [],
        **responsible_ai(content),
    }
    return {name: value for name, value in description.items() if value not in ("", [])}


def listed_hashes(description: Any) -> dict[str, str]:
    """Return the hash of each file that a description lists, by path; empty if it is none."""
    nodes = description.get("distribution") if isinstance(description, Mapping) else None
    return {
        str(node.get("contentUrl")): str(node.get("sha256"))
        for node in (nodes if isinstance(nodes, list) else [])
        if isinstance(node, Mapping) and node.get("@type") == "cr:FileObject"
    }


def _description(content: CardContent) -> str:
    titles = " and ".join(unique(source.title for source in content.sources))
    copied = "a synthetic copy of " if content.synthetic else ""
    return (
        f"{statements.size(content)}, with {len(content.spec.label_space)} facial expressions, "
        f"built by ferdata {content.ferdata_version} from {copied}{titles}."
    )


def _source(content: CardContent, position: int) -> Node:
    source = content.sources[position]
    known = {"name": source.title, "url": source.homepage, "license": source.license}
    return {"@type": "sc:CreativeWork", **{name: value for name, value in known.items() if value}}


def _file(file: DescribedFile) -> Node:
    path = PurePosixPath(file.path)
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": path.name,
        "contentUrl": file.path,
        "contentSize": f"{file.size} B",
        "encodingFormat": _MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
        "sha256": file.sha256,
    }


def _shard_set() -> Node:
    shards = FORMATS.get("hf")
    return {
        "@type": "cr:FileSet",
        "@id": _SHARDS,
        "name": _SHARDS,
        "description": "All Hugging Face shards, in the folder of this file.",
        "encodingFormat": _MEDIA_TYPES[shards.suffix],
        "includes": f"{shards.folder}/*{shards.suffix}",
    }


def _enumerations(content: CardContent) -> list[Node]:
    """Return the record sets of the classes and of the splits."""
    classes = [
        {"classes/index": index, "classes/name": name}
        for index, name in enumerate(content.spec.label_space.names)
    ]
    splits = [{"splits/name": split} for split in SPLITS if count(content.counts, split)]
    return [
        {
            **_record_set("classes", "classes/index"),
            "dataType": "sc:Enumeration",
            "field": [
                _field("classes/index", "sc:Integer", "index of the class, as in `label`"),
                _field("classes/name", ["sc:Text", "sc:name"], "the facial expression"),
            ],
            "data": classes,
        },
        {
            **_record_set("splits", "splits/name"),
            "dataType": "cr:Split",
            "field": [_field("splits/name", "sc:Text", "name of the split")],
            "data": splits,
        },
    ]


def _images(content: CardContent) -> Node:
    """Return the record set of the images: a field for the split, and one for each column."""
    split = _field("images/split", "sc:Text", "the split, from the name of the shard")
    split["source"] = {
        "fileSet": {"@id": _SHARDS},
        "extract": {"fileProperty": "fullpath"},
        # `mlcroissant` applies it once more to its own result, which must match, too.
        "transform": {"regex": f"^(?:.*/)?({'|'.join(SPLITS)})(?:-[^/]*)?$"},
    }
    split["references"] = {"field": {"@id": "splits/name"}}
    columns = [_column(name, each) for name, each in features(content.spec).items()]
    return {**_record_set("images", "images/sample_id"), "field": [split, *columns]}


def _column(name: str, feature: Mapping[str, Any]) -> Node:
    """Return the field of a column of the shards."""
    kind, shape = feature, [str(length) for length in feature.get("shape", ())]
    if kind["_type"] == "List":
        shape, kind = [str(kind["length"])], kind["feature"]
    types = {"Image": "sc:ImageObject", "ClassLabel": "sc:Integer"}
    field = _field(f"images/{name}", types.get(kind["_type"]) or _DATA_TYPES[kind["dtype"]])
    field["source"] = {"fileSet": {"@id": _SHARDS}, "extract": {"column": name}}
    if kind["_type"] == "Image":
        field["source"]["transform"] = {"jsonPath": "bytes"}
    if kind["_type"] == "ClassLabel":
        field["references"] = {"field": {"@id": "classes/index"}}
    if shape:
        field |= {"isArray": True, "arrayShape": ",".join(shape)}
    return field


def _record_set(name: str, key: str) -> Node:
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "key": {"@id": key}}


def _field(path: str, data_type: str | list[str], description: str = "") -> Node:
    field = {
        "@type": "cr:Field",
        "@id": path,
        "name": path.rpartition("/")[2],
        "dataType": data_type,
    }
    return {**field, "description": description} if description else field
