"""What differs between two plans, part by part, for the error message that refuses to mix them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ferdata.core.options import RENAMED, flag

_MOST = 6  # differences that a message names


def plan_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Name the parts in which two plans differ, with both values.

    Args:
        before: The content of the existing `plan.json`.
        after: The content that the new one would have.

    Returns:
        Phrases such as `"--size: 112 there, 96 now"`, or
        `"operation gamma: my-package 1.1 there, my-package 1.2 now"`; what follows from another
        difference, such as shards of another size, is only named where nothing else differs.
    """
    found = [
        *_of_mapping("options", before, after, lambda name: flag(RENAMED.get(name) or name)),
        *_of_mapping("versions", before, after, str),
    ]
    if before.get("landmark_scheme") != after.get("landmark_scheme"):
        found.append(_both("landmarks", before.get("landmark_scheme"), after["landmark_scheme"]))
    if before.get("format") != after["format"]:
        found.append(_both("plan format", before.get("format"), after["format"]))
    if not found and before.get("manifest_digest") != after["manifest_digest"]:
        found.append("the data: other images, labels, landmarks or splits")
    hidden = len(found) - _MOST
    return found[:_MOST] + ([f"and {hidden} more"] if hidden > 0 else [])


def _of_mapping(part: str, before: Any, after: Any, spelled: Any) -> Iterator[str]:
    old, new = before.get(part) or {}, after[part]
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield _both(spelled(name), old.get(name), new.get(name))


def _both(name: str, before: Any, after: Any) -> str:
    return f"{name}: {_shown(before)} there, {_shown(after)} now"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"
