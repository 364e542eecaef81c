"""What a report says about an audit."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePath

from ferdata.audits.findings import AuditedSet, AuditReport, Example
from ferdata.core.errors import BuildError, ImageError
from ferdata.core.images import read_image
from ferdata.data.build import Build
from ferdata.reports.options import ReportOptions
from ferdata.reports.stored import StoredImages
from ferdata.reports.thumbnails import thumbnail
from ferdata.reports.views import AuditView, FindingImages, Thumbnail

EXAMPLES = 4
"""Examples of one finding shown with images."""

MEMBERS = 4
"""Images of one example shown."""

_MOST_FOLDERS = 50  # in which an example's path is looked for


def describe_audit(
    audit: AuditReport, builds: Iterable[Build], options: ReportOptions
) -> AuditView:
    """Return what a report says about an audit.

    Args:
        audit: Its record.
        builds: Builds at hand, for images; what was audited is looked for as well.
        options: What is shown.
    """
    if not options.faces:
        return AuditView(audit=_without_names(audit))
    finder = _Finder(audit, list(builds))
    shown = (
        FindingImages(
            finding=k,
            examples=tuple(finder.images(each) for each in finding.examples[:EXAMPLES]),
        )
        for k, finding in enumerate(audit.findings)
    )
    return AuditView(audit=audit, images=tuple(each for each in shown if any(each.examples)))


def _without_names(audit: AuditReport) -> AuditReport:
    """Leave out paths, notes, and names of samples and files."""
    findings = tuple(each.model_copy(update={"examples": ()}) for each in audit.findings)
    against = None if audit.against is None else _without_path(audit.against)
    return audit.model_copy(
        update={"findings": findings, "audited": _without_path(audit.audited), "against": against}
    )


def _without_path(each: AuditedSet) -> AuditedSet:
    return each.model_copy(update={"path": PurePath(each.path).name, "notes": ()})


class _Finder:
    """Finds the images of an audit's examples: in folders by path, in builds by id."""

    def __init__(self, audit: AuditReport, builds: list[Build]) -> None:
        paths = [Path(each.path) for each in (audit.audited, audit.against) if each is not None]
        self.audited = [StoredImages(each) for each in _builds_at(paths)]
        self.others = [StoredImages(each) for each in builds]
        self.roots = [root for path in paths if path.is_dir() for root in folders_below(path)]

    def images(self, example: Example) -> tuple[Thumbnail, ...]:
        """Return the images of an example that can be found."""
        found = [self._image(example, k) for k in range(min(len(example.samples), MEMBERS))]
        return tuple(each for each in found if each is not None)

    def _image(self, example: Example, k: int) -> Thumbnail | None:
        sample = example.samples[k]
        return (
            _stored(self.audited, sample) or self._file(example, k) or _stored(self.others, sample)
        )

    def _file(self, example: Example, k: int) -> Thumbnail | None:
        """Return the image of a file."""
        label, split = "".join(example.labels[k : k + 1]), "".join(example.splits[k : k + 1])
        for root in self.roots if k < len(example.uris) else ():
            try:
                pixels = read_image(root, example.uris[k]).pixels
            except ImageError:  # of another root, or broken
                continue
            return thumbnail(pixels, sample=example.samples[k], label=label, split=split)
        return None


def _stored(builds: Iterable[StoredImages], sample: str) -> Thumbnail | None:
    """Return the image with an id from the first build that has it."""
    for images in builds:
        if not images.missing and sample in images.places:
            return images.find([sample])[sample].model_copy(update={"points": ""})
    return None


def folders_below(path: Path) -> list[Path]:
    """Return a folder and those one and two levels below, in which a dataset may have its root."""
    found, level = [path], [path]
    for _ in range(2):
        level = [Path(each) for folder in level for each in _folders_in(folder)][:_MOST_FOLDERS]
        found += level
    return found[:_MOST_FOLDERS]


def _folders_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(each.path for each in entries if each.is_dir())
    except OSError:  # closed to this user: no images from there
        return []


def _builds_at(paths: Iterable[Path]) -> list[Build]:
    found = []
    for path in paths:
        try:
            found.append(Build.open(path))
        except BuildError:  # something else was audited
            continue
    return found
