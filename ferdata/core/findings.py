"""Findings: what is unusual about an image that is kept.

A finding is a word of `FINDINGS` and a measure behind a colon, for instance `dark:21.4`. Findings
exclude nothing; they stand in the manifest's column `quality` and are counted in a build's summary,
record and card.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

FINDINGS = {
    "blank": "one gray level all over, kept by --blank keep; its mean",
    "partly-uniform": "a border of one color; its share of the image",
    "dark": "hardly any light; the mean gray level",
    "bright": "hardly any shade; the mean gray level",
    "blurred": "no fine detail; detail as a fraction of the contrast",
    "small": "smaller than the smallest images of the known datasets; the shorter side in pixels",
    "damaged": "the decoder complained and went on; its words",
    "decoder-warning": "the decoder remarked on something harmless; its words",
    "scans-missing": "a progressive JPEG without its last scans; the number of scans",
    "zero-tail": "the file ends in zeros, as after a copy that broke off; their share of the file",
    "turned": "Exif asks for a turn, and stored pixels are used; the orientation, 2 to 8",
    "transparent": "transparent parts were put on white; their share of the image",
    "deep": "8, 10 or 12 bits in 16, scaled by their range; the number of bits",
    "box-cut": "the dataset's box reaches out of the image; its share outside",
    "box-dropped": "the dataset's box is empty, not finite or outside of the image; why",
    "landmarks-dropped": "the dataset's landmarks can't be right and aren't used; why",
}
"""Every finding: what it means, and behind the semicolon what its measure is."""

_LONGEST = 100  # characters of a measure


def finding(name: str, measure: float | str) -> str:
    """Return the text of a finding.

    Args:
        name: A key of `FINDINGS`.
        measure: A number, rounded to three significant digits, or a few words.

    Raises:
        KeyError: There is no such finding.
    """
    if name not in FINDINGS:
        raise KeyError(name)
    text = measure if isinstance(measure, str) else f"{measure:.3g}"
    return f"{name}:{' '.join(text.split())[:_LONGEST]}"


def count_findings(rows: Iterable[Iterable[str] | None]) -> dict[str, int]:
    """Count rows by finding; a row counts once for each name, in the order of `FINDINGS`.

    Args:
        rows: The findings of each row, or None.
    """
    counts = Counter(
        name for found in rows if found for name in {text.partition(":")[0] for text in found}
    )
    return dict(in_order(counts))


def in_order(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return names and counts in the order of `FINDINGS`, unknown names behind them."""
    known = [name for name in FINDINGS if name in counts]
    return [(name, counts[name]) for name in [*known, *sorted(set(counts) - set(known))]]
