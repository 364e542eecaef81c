"""Opening the images of what is audited, as far as the rules need them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pyarrow.compute as pc

from ferdata.audits.altered_pairs import find_pairs, pairs_by_hash
from ferdata.audits.image_pass import measure_images
from ferdata.audits.images import build_places, file_places
from ferdata.audits.options import AuditOptions
from ferdata.audits.reading import Opened
from ferdata.audits.rule import Need, Rule
from ferdata.audits.subject import AuditSubject
from ferdata.audits.turned_over import find_upside_down
from ferdata.core.errors import AuditError
from ferdata.core.manifest import Manifest
from ferdata.core.parallel import default_workers, open_executor
from ferdata.faces.locate import locate_faces
from ferdata.faces.options import FaceOptions

_NOT_AT_HAND = (
    "the images are not at hand (--data DIR names their folder): copies are compared by the hashes "
    "in the manifest, if it has some"
)

_WORTH = 500  # images to detect in from which starting another process pays


@dataclass(frozen=True)
class Looker:
    """Opens images.

    Attributes:
        options: What may be looked at.
        rules: The rules that look.
        workers: Number of processes; None for one per core where that pays.
        quiet: Show no progress.
    """

    options: AuditOptions
    rules: tuple[Rule, ...]
    workers: int | None
    quiet: bool

    def look(self, opened: Opened) -> AuditSubject:
        """Return the subject of an audit: its images are read, measured, searched for faces."""
        manifest, notes = opened.manifest, list(opened.about.notes)
        images = self.options.images and any(each.opens_images for each in self.rules)
        at_hand = opened.build is not None or bool(manifest.roots)
        if images and not at_hand:
            notes.append(_NOT_AT_HAND)
        located = images and bool(manifest.roots)
        if located:
            manifest = self._locate(manifest)
            _require_images(manifest, opened)
        subject = AuditSubject(
            about=opened.about.model_copy(
                update={"notes": tuple(notes), "rejects": len(manifest.rejects)}
            ),
            manifest=manifest,
            root=opened.root,
            options=self.options,
            build=opened.build,
            run=opened.run,
            faces_known=_has_faces(manifest) and not (located and not self.options.faces),
            refusals=opened.refusals,
        )
        if not images or not at_hand:
            return subject
        build = opened.build
        places = file_places(manifest) if build is None else build_places(build, manifest)
        if places is None:
            return subject
        subject = replace(subject, places=places)
        if self._wants(Need.IMAGES):
            measures = measure_images(places, workers=self.workers, quiet=self.quiet)
            subject = replace(subject, measures=measures)
        if located and self._wants(Need.FACES) and subject.faces_known:
            return replace(subject, upside_down=find_upside_down(manifest, quiet=self.quiet))
        return subject

    def compare(self, subject: AuditSubject) -> AuditSubject:
        """Search for copies among all images of a subject, once it is complete."""
        if not self._wants(Need.COPIES):
            return subject
        if subject.places is None:
            return replace(subject, copies=pairs_by_hash(subject.table))
        found = find_pairs(subject.table, subject.places, workers=self.workers, quiet=self.quiet)
        return replace(subject, copies=found)

    def _wants(self, need: Need) -> bool:
        return any(need in (*each.needs, *each.wants) for each in self.rules)

    def _locate(self, manifest: Manifest) -> Manifest:
        """Read every image, and look for its face where a rule is about faces."""
        detect = self.options.faces and self._wants(Need.FACES)
        options = FaceOptions("auto" if detect else "dataset", keep_blank=True)
        workers = self.workers or max(1, min(default_workers(), len(manifest) // _WORTH))
        with _calm("ferdata.faces"), open_executor("processes", workers) as executor:
            return locate_faces(
                manifest, options, executor=executor, workers=workers, quiet=self.quiet
            )


def _require_images(manifest: Manifest, opened: Opened) -> None:
    """Check that some image could be read.

    Raises:
        AuditError: None could.
    """
    if len(manifest) or not len(opened.manifest):
        return
    reasons = Counter(each.reason for each in manifest.rejects).most_common(3)
    listed = "; ".join(f"{count:,} × {reason}" for reason, count in reasons)
    raise AuditError(f"{opened.about.path}: no image can be read: {listed}")


def _has_faces(manifest: Manifest) -> bool:
    """Say whether faces were looked for, or points given, by whoever made the manifest."""
    source = manifest.table.column("landmark_source")
    given = pc.any(pc.fill_null(pc.not_equal(source, "none"), False)).as_py()
    number = manifest.table.column("face_count")
    return bool(given) or number.null_count < len(number)


@contextmanager
def _calm(name: str) -> Iterator[None]:
    """Log errors only: what else is noticed, the findings say."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
