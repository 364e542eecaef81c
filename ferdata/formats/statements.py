"""Sentences about a build, as plain text: what its datasheet and its Croissant file both say.

Each function says what the build recorded, and returns nothing where nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping

from ferdata.core.findings import FINDINGS, in_order
from ferdata.core.schema import SPLITS
from ferdata.formats.card_content import CardContent, count

_WORDS = {
    "age_group": "age group",
    "soft_label": "soft labels",
    "action_units": "action units",
}


def size(content: CardContent) -> str:
    """Say how many images there are."""
    total = sum(count(content.counts, split) for split in content.counts)
    made = copies(content)
    return f"{total:,} images" + (
        f": {total - made:,} source images and {made:,} augmented copies of them" if made else ""
    )


def copies(content: CardContent) -> int:
    """Return the number of augmented copies."""
    stored = sum(count(content.counts, split) for split in content.counts)
    return stored - sum(count(content.counts_before, split) for split in content.counts_before)


def collection(content: CardContent) -> list[str]:
    """Say how each source came about, as far as its description tells."""
    drawn = "drawn by ferdata in the layout of this dataset; no image of it is included"
    return [
        f"{source.title}: {drawn if source.drawn else source.description.rstrip('.')}"
        for source in content.sources
        if source.drawn or source.description
    ]


def annotation(content: CardContent) -> list[str]:
    """Say what is annotated."""
    space = content.spec.label_space
    found = [f"one of {len(space)} classes for each image: {', '.join(space.names)}"]
    return found + [f"{word(name)}: {n:,} images" for name, n in content.known.annotated.items()]


def landmarks(content: CardContent) -> list[str]:
    """Say where the landmarks come from."""
    words = {"none": "no landmarks", "dataset": "landmarks of the dataset"}
    return [
        f"{words.get(source, f'landmarks by {source}')}: {n:,} images"
        for source, n in sorted(content.landmarks.items())
    ]


def preprocessing(content: CardContent) -> list[str]:
    """Say what was done to the images before augmentation."""
    spec = content.spec
    kind = "gray" if spec.channels == 1 else "RGB"
    return [
        f"images of {spec.width}×{spec.height} pixels, {kind}",
        content.alignment,
        *rejected(content),
    ]


def rejected(content: CardContent) -> list[str]:
    """Say which rows were rejected and why."""
    return [
        f"rejected, {stage}: {reason} ({n:,})"
        for stage, reasons in content.rejects.items()
        for reason, n in sorted(reasons.items())
    ]


def missing(content: CardContent) -> list[str]:
    """Say what is missing from some of the images."""
    found = rejected(content)
    if without := content.landmarks.get("none", 0):
        found.append(f"images without landmarks ({without:,})")
    return found


def manipulation(content: CardContent) -> str:
    """Say how images were augmented."""
    if not content.augmentation:
        return "no augmentation"
    operations = "; ".join(f"{name}: {text}" for name, text in content.operations)
    return f"{content.augmentation.rstrip('.')}" + (f" ({operations})" if operations else "")


def limitations(content: CardContent) -> list[str]:
    """Say what restricts the use of results: leaks, notes, caveats of the sources."""
    return [
        *([f"this build leaks: {content.leaks}"] if content.leaks else []),
        *content.notes,
        *(f"{s.name}: {caveat.rstrip('.')}" for s in content.sources for caveat in s.caveats),
    ]


def balance(content: CardContent) -> list[str]:
    """Say how unequal classes and groups of people are among the source images."""
    found = []
    for split in SPLITS:
        total = count(content.counts_before, split)
        if not total:
            continue
        names = content.spec.label_space.names
        by_class = {name: count(content.counts_before, split, name) for name in names}
        most, least = max(names, key=by_class.__getitem__), min(names, key=by_class.__getitem__)
        found.append(
            f"source images of {split}: {total:,}, of them {by_class[most]:,} {most} (most) and "
            f"{by_class[least]:,} {least} (fewest)"
        )
    return found + people(content)


def people(content: CardContent) -> list[str]:
    """Say which attributes of persons are known, and how many images have each value."""
    found = [
        f"{word(name)} ({_listed(values)})" for name, values in content.known.attributes.items()
    ]
    if content.known.subjects:
        found.append(f"different persons, by identifier: {content.known.subjects:,}")
    return found


def sensitive(content: CardContent) -> list[str]:
    """Say what the images tell about persons."""
    if content.synthetic:
        return ["the faces are drawn and show no real person; attributes of them are made up"]
    known = [word(name) for name in content.known.attributes]
    found = ["photographs of faces, by which persons can be recognized"]
    if known:
        found.append(f"annotated attributes of the persons: {', '.join(known)}")
    if content.known.subjects:
        found.append("an identifier of the person")
    return found


def noise(content: CardContent) -> list[str]:
    """Say what is unusual about the images."""
    return [
        f"{FINDINGS.get(name, name).partition(';')[0]}: {n:,} source images"
        for name, n in in_order(content.findings)
    ]


def terms(content: CardContent) -> list[str]:
    """Say what the terms of each source are; those of real images don't speak of drawn ones."""
    return [
        f"{s.title}: {s.license.rstrip('.')}. {s.usage.rstrip('.')}".rstrip(". ")
        for s in content.sources
        if not s.drawn
    ]


def word(name: str) -> str:
    """Return the words of a column of the manifest."""
    return _WORDS.get(name, name)


def _listed(values: Mapping[str, int]) -> str:
    return ", ".join(f"{value}: {n:,}" for value, n in values.items())
