"""What a report says about an audit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

from ferdata.core.errors import BuildError, ImageError
from ferdata.core.images import read_image
from ferdata.data.build import Build
from ferdata.reports.audit_file import AuditedSet, AuditReport, Example
from ferdata.reports.options import ReportOptions
from ferdata.reports.stored import StoredImages
from ferdata.reports.thumbnails import thumbnail
from ferdata.reports.views import AuditView, FindingImages, Thumbnail

EXAMPLES = 4
"""Examples of one finding shown with images."""

MEMBERS = 4
"""Images of one example shown."""


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
    """Leave out paths, and names of samples and files."""
    findings = tuple(each.model_copy(update={"examples": ()}) for each in audit.findings)
    against = None if audit.against is None else _without_path(audit.against)
    return audit.model_copy(
        update={"findings": findings, "audited": _without_path(audit.audited), "against": against}
    )


def _without_path(each: AuditedSet) -> AuditedSet:
    return each.model_copy(update={"path": PurePath(each.path).name})


class _Finder:
    """Finds the images of an audit's examples: in builds by id, in a folder by path."""

    def __init__(self, audit: AuditReport, builds: list[Build]) -> None:
        paths = [Path(each.path) for each in (audit.audited, audit.against) if each is not None]
        self.stored = [StoredImages(each) for each in [*builds, *_builds_at(paths)]]
        self.roots = [each for each in paths if each.is_dir()]

    def images(self, example: Example) -> tuple[Thumbnail, ...]:
        """Return the images of an example; none unless there are at least as many as its parts."""
        found = [self._image(example, k) for k in range(min(len(example.samples), MEMBERS))]
        return tuple(each for each in found if each is not None)

    def _image(self, example: Example, k: int) -> Thumbnail | None:
        sample = example.samples[k]
        for images in self.stored:
            if not images.missing and sample in images.places:
                return images.find([sample])[sample].model_copy(update={"points": ""})
        for root in self.roots:
            try:
                pixels = read_image(root, example.uris[k]).pixels
            except (ImageError, IndexError):
                continue
            label, split = "".join(example.labels[k : k + 1]), "".join(example.splits[k : k + 1])
            return thumbnail(pixels, sample=sample, label=label, split=split)
        return None


def _builds_at(paths: Iterable[Path]) -> list[Build]:
    found = []
    for path in paths:
        try:
            found.append(Build.open(path))
        except BuildError:  # something else was audited
            continue
    return found
