"""What a search for label errors found."""

from __future__ import annotations

from typing import Literal

from ferdata.core.records import RecordPart


class LabelIssue(RecordPart):
    """An image whose label is probably wrong.

    Attributes:
        sample_id: The image.
        split: Its split.
        label: Its label.
        suggested: The most probable class.
        confidence: Probability of its own label, from a model that did not see it.
        probability: Probability of the suggested class.
    """

    sample_id: str
    split: str
    label: str
    suggested: str
    confidence: float
    probability: float


class LabelErrors(RecordPart):
    """What a search found; `label_errors.json`.

    Attributes:
        format: Name and version of the format.
        build: The build.
        split_digest: The name of its split.
        images: Images that were examined.
        splits: Their splits.
        issues: Labels that are probably wrong, the most suspicious first.
        by_class: Examined images and issues of each class.
        accuracy: Fraction of images whose most probable class is their label.
        noise: For each true class, the estimated share of images that carry each label.
        predictions: What the probabilities came from.
    """

    format: Literal["ferdata-label-errors/1"] = "ferdata-label-errors/1"
    build: str
    split_digest: str
    images: int
    splits: tuple[str, ...]
    issues: tuple[LabelIssue, ...]
    by_class: dict[str, tuple[int, int]]
    accuracy: float
    noise: dict[str, dict[str, float]]
    predictions: str
