"""Drafting a declaration from what lies in a folder, with what can't be known marked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import yaml

from ferdata.core.errors import AnnotationError, ImageError
from ferdata.core.given_splits import split_of_word
from ferdata.core.images import read_image
from ferdata.core.labels import find_name
from ferdata.core.named_arrays import open_arrays
from ferdata.core.stored_images import ARRAY_SUFFIXES
from ferdata.ingesters.declared.declaration import Column
from ferdata.ingesters.declared.guess import guess_columns, is_expression, meaning
from ferdata.ingesters.declared.tables import TABLE_SUFFIXES, class_names, sample_rows
from ferdata.ingesters.fingerprints import owners
from ferdata.ingesters.info import shipped_file
from ferdata.ingesters.order_names import ORDER_NAMES
from ferdata.ingesters.tree import FileTree, file_name, file_stem, folder_name

_SAMPLED = 5  # images opened to tell crops from photographs
_SHOWN = 12  # label words in a description
_ARRAY = re.compile(r"(?P<split>.*?)_?(?P<kind>pixels?|images?|x|labels?|y)", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """Where a set seems to keep its images and labels.

    Attributes:
        source: The draft's `images` or `table`.
        places: What was recognized where, as sentences.
        words: Label words with their numbers of images.
        count: Images.
        named: Whether the file itself brings the names of its codes.
        check: What the user should check about the source.
    """

    source: dict[str, object]
    places: tuple[str, ...]
    words: Counter[str]
    count: int
    named: bool = False
    check: str = ""

    @property
    def unknown(self) -> list[str]:
        """The label words that name no expression, in order."""
        if self.named:
            return []
        return sorted((word for word in self.words if not is_expression(word)), key=_natural)


@dataclass(frozen=True)
class Draft:
    """A declaration to be checked by its user.

    Attributes:
        description: What the folder holds, as sentences.
        text: The YAML text, with comments on what could not be known.
        words: The label words that were met.
        unknown: Those of them that name no expression, and that the file itself does not name.
    """

    description: tuple[str, ...]
    text: str
    words: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def draft_declaration(root: Path) -> Draft | None:
    """Describe an unknown folder and draft its declaration; None if it holds nothing readable.

    Raises:
        LayoutError: The folder is missing, empty or can't be read.
    """
    tree = FileTree.scan(root)
    found = _in_tables(tree) or _in_arrays(tree) or _in_folders(tree)
    if found is None:
        return None
    words = sorted(found.words, key=_natural)
    listed = ", ".join(f"{word} ({found.words[word]:,})" for word in words[:_SHOWN])
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    description = (
        f"{found.count:,} labeled images; {len(tree.images()):,} image files",
        *found.places,
        f"labels: {listed}{more}",
        *(f"class counts as in {each}" for each in owners({"all": _by_label(found.words)})),
    )
    return Draft(description, _text(tree, found), tuple(words), tuple(found.unknown))


def _by_label(words: Counter[str]) -> dict[str, int]:
    """Return the images of each expression."""
    counts: dict[str, int] = {}
    for word, number in words.items():
        label = find_name(word) or word
        counts[label] = counts.get(label, 0) + number
    return counts


def _in_folders(tree: FileTree) -> Found | None:
    """Recognize splits and labels in the folders' and files' names."""
    images = tree.images()
    depths = Counter(path.count("/") for path in images)
    if not depths:
        return None
    depth = depths.most_common(1)[0][0]
    paths = [path.split("/") for path in images if path.count("/") == depth]
    parts, label_at, places, check = [], None, [], ""
    for level in range(depth):
        words = {path[level] for path in paths}
        what = meaning(words)
        if what.split and "{split}" not in parts:
            parts.append("{split}")
            places.append(f"split folders: {', '.join(sorted(words))}")
        elif (what.label or what.code) and label_at is None:
            parts.append("{label}")
            label_at = level
        elif len(words) == 1:
            parts.append(words.pop())
        else:
            parts.append("*")
            some = ", ".join(sorted(words)[:3])
            check = f"* stands for {some}, …; write {{subject}} there if they are persons"
    ending = Counter(Path(path[-1]).suffix.lower() for path in paths)
    last = f"*{next(iter(ending))}" if len(ending) == 1 else "*"
    if label_at is None and meaning(re.split(r"[_-]", path[-1])[0] for path in paths).label:
        separator = "_" if "_" in paths[0][-1] else "-"
        words_found = Counter(path[-1].partition(separator)[0] for path in paths)
        last = "{label}" + separator + last
    elif label_at is None and "*" in parts:  # class folders under other names
        label_at = len(parts) - 1 - parts[::-1].index("*")
        parts[label_at] = "{label}"
    elif label_at is None:
        return None
    if label_at is not None:
        words_found = Counter(path[label_at] for path in paths)
    pattern = "/".join([*parts, last])
    if other := len(images) - len(paths):
        places.append(f"{other:,} images lie at another depth and would be rejected as strays")
    return Found(
        {"images": pattern},
        (f"images: {pattern}", *places),
        words_found,
        len(paths),
        check=check if "*" in parts else "",
    )


def _in_tables(tree: FileTree) -> Found | None:
    """Recognize the columns of the largest group of tables that name images and labels."""
    images = set(tree.images())
    names = {file_name(path) for path in images}
    groups: dict[str, list[str]] = {}
    for path in tree.files:
        suffix = Path(path).suffix.lower()
        if suffix in TABLE_SUFFIXES and suffix not in ARRAY_SUFFIXES:
            groups.setdefault(_with_split(path), []).append(path)
    candidates = []
    for file, paths in groups.items():
        found = _in_table(tree, file if len(paths) > 1 else paths[0], paths, names)
        candidates += [found] if found else []
    best = max(candidates, key=lambda each: each.count, default=None)
    return best if best is not None and 2 * best.count >= len(images) else None


def _in_table(tree: FileTree, file: str, paths: list[str], names: set[str]) -> Found | None:
    """Recognize the columns of tables that have the same columns."""
    table: dict[str, Column] = {}
    words: Counter[str] = Counter()
    rows, named = 0, False
    for path in paths:
        try:
            sample = sample_rows(tree.root / path)
        except AnnotationError:
            return None
        cells = [[str(cell) for cell in row] for row in sample.rows]
        columns = guess_columns(
            sample.header, cells, lambda cell: file_name(cell.replace("\\", "/")) in names
        )
        if sample.image is not None:
            columns["image"] = sample.image
        if "label" not in columns or not {"path", "image"} & set(columns):
            return None
        if "image" in columns:
            columns.pop("path", None)
        table = table or columns
        label = columns["label"]
        position = sample.header.index(str(label)) if sample.header else int(label) - 1
        words.update(row[position].removesuffix(".0") for row in cells if position < len(row))
        rows += len(cells)
        named = named or bool(class_names(tree.root / path, label))
    source: dict[str, object] = {"file": file, **table}
    if "path" in table and (folder := _image_folder(tree, source, paths[0])):
        source["folder"] = folder
    places = [f"table: {file}"]
    places += [f"column {column}: {kind}" for kind, column in table.items()]
    return Found({"table": source}, tuple(places), words, rows, named)


def _image_folder(tree: FileTree, source: dict[str, object], table: str) -> str:
    """Return the folder that a table's paths are relative to; empty where none is needed."""
    sample = sample_rows(tree.root / table)
    column = source["path"]
    position = sample.header.index(str(column)) if sample.header else int(str(column)) - 1
    written = str(sample.rows[0][position]).replace("\\", "/").removeprefix("./")
    above = folder_name(table)
    files = set(tree.files)
    if written in files or (f"{above}/{written}" if above else written) in files:
        return ""
    return next(
        (path[: -len(written) - 1] for path in tree.files if path.endswith(f"/{written}")), ""
    )


def _in_arrays(tree: FileTree) -> Found | None:
    """Recognize arrays of images and labels by their names."""
    for path in tree.files:
        if Path(path).suffix.lower() not in ARRAY_SUFFIXES:
            continue
        try:
            with open_arrays(tree.root / path) as arrays:
                kinds: dict[str, dict[str, str]] = {}
                for name in arrays.shapes:
                    if match := _ARRAY.fullmatch(name):
                        kind = "label" if match["kind"][0].lower() in "ly" else "image"
                        kinds.setdefault(match["split"], {})[kind] = name
                pairs = {split: both for split, both in kinds.items() if len(both) == 2}
                if not pairs:
                    continue
                words = Counter(
                    str(word) for both in pairs.values() for word in arrays.read(both["label"]).flat
                )
        except AnnotationError:
            continue
        table = {"file": path} | {kind: _arrays_pattern(pairs, kind) for kind in ("image", "label")}
        places = (f"arrays of {path}: {', '.join(arrays.shapes)}",)
        return Found({"table": table}, places, words, sum(words.values()))
    return None


def _arrays_pattern(pairs: dict[str, dict[str, str]], kind: str) -> str:
    split, both = next(iter(pairs.items()))
    return both[kind].replace(split, "{split}", 1) if split_of_word(split) else both[kind]


def _with_split(path: str) -> str:
    """Return a path with `{split}` for the word of a split, `*` for the number of a shard.

    The word is in the file's name, as in `train-00000-of-00002.parquet`, or is its folder's.
    """
    words = re.split(r"([_.-])", file_stem(path))
    above, ending = folder_name(path), path[len(path) - len(Path(path).suffix) :]
    for place, word in enumerate(words):
        if split_of_word(word) is not None:
            rest = "".join(words[place + 1 :])
            end = rest[0] + "*" if re.fullmatch(r"[_.-]\d[\d.of_-]*", rest) else rest
            stem = "".join(words[:place]) + "{split}" + end
            return "/".join(filter(None, (above, stem + ending)))
    shards = re.sub(r"\d+(-of-\d+)?$", "*", file_stem(path)) + ending
    if split_of_word(file_name(above)) is not None:
        return "/".join(filter(None, (folder_name(above), "{split}", shards)))
    if re.search(r"-\d+-of-\d+$", file_stem(path)):
        return "/".join(filter(None, (above, shards)))
    return path


def _text(tree: FileTree, found: Found) -> str:
    """Return the draft's YAML, at most 25 lines."""
    name = re.sub(r"[^A-Za-z0-9_.+-]+", "-", tree.root.resolve().name).strip("-_.+") or "set"
    if shipped_file(name).is_file():
        name = f"my-{name}"
    return "\n".join(
        [
            "# Drafted by `ferdata detect`; check the lines marked CHECK.",
            f"name: {_scalar(name)}",
            "# title: …      # CHECK: what cards call it",
            "# license: …    # CHECK: the terms; cards say 'not stated'",
            "# citation: …   # CHECK: what to cite; cards say 'not stated'",
            *yaml.safe_dump(found.source, sort_keys=False, allow_unicode=True).splitlines(),
            *([f"# CHECK: {found.check}"] if found.check else []),
            *_labels(found),
            f"framing: {_framing(tree)}   # CHECK: crop if the images are face crops, else "
            "photograph",
            "",
        ]
    )


def _labels(found: Found) -> Iterator[str]:
    """Yield the lines about label words that name no expression."""
    if not (unknown := found.unknown):
        return
    yield f"# CHECK: {len(unknown)} label words name no expression; the build needs their classes."
    if all(word.isdigit() for word in unknown):
        yield f"# A known order ({', '.join(ORDER_NAMES)}), or each code:"
        yield f"# labels: {{{', '.join(f'{word}: …' for word in unknown)}}}"
    else:
        yield "# Name a class for each, or 'drop':"
        yield f"# labels: {{{', '.join(f'{_scalar(word)}: …' for word in unknown[:_SHOWN])}}}"


def _framing(tree: FileTree) -> str:
    """Guess from a few images: face crops are small and nearly square."""
    images = tree.images()
    sides = []
    for path in images[:: max(len(images) // _SAMPLED, 1)]:
        try:
            height, width = read_image(tree.root, path).pixels.shape[:2]
        except ImageError:
            continue
        sides.append((max(height, width), max(height, width) / min(height, width)))
    if sides and (median(s for s, _ in sides) > 512 or median(r for _, r in sides) > 1.25):
        return "photograph"
    return "crop"


def _scalar(text: str) -> str:
    return yaml.safe_dump(text, allow_unicode=True).splitlines()[0]


def _natural(word: str) -> tuple[int, str]:
    return (int(word), "") if word.isdigit() else (-1, word)
