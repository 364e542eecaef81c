"""The rules that `verify` checks: nothing leaks except exactly what the build declares."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ferdata.core.errors import FerdataError, ManifestError
from ferdata.core.manifest import Manifest
from ferdata.core.split_rules import parse_rules
from ferdata.curation.leakage import (
    check_parents,
    declare_leak,
    images_in_several_splits,
    leak_texts,
    subjects_in_several_splits,
)
from ferdata.faces.set_alignment import SetAlignment
from ferdata.formats.names import BUILD_FILE
from ferdata.shards.fallbacks import fallback_notes
from ferdata.shards.options import BuildOptions
from ferdata.shards.verify_report import Finding, FindingKind

_MANIFEST = "manifest.parquet"


@dataclass(frozen=True)
class Rules:
    """The rules of one build.

    Attributes:
        manifest: The rows as stored.
        options: The options as recorded.
        leaks: Descriptions of the leaks, as recorded.
        failed: Sample ids of the rows that could not be rendered.
        alignment: How images are aligned, as recorded.
    """

    manifest: Manifest
    options: BuildOptions
    leaks: Sequence[str]
    failed: Collection[str]
    alignment: SetAlignment

    @cached_property
    def leak(self) -> Mapping[str, Any]:
        """The declared leak, computed again from rows and options; empty if none is declared."""
        return self._computed_leak() if self._declares_leak() else {}

    @property
    def copies_in_any_split(self) -> bool:
        """Whether augmented copies may be outside train, as the build was asked to and declares."""
        return bool(self.leak.get("augmented_before_split"))

    def findings(self) -> Iterator[Finding]:
        """Yield each broken rule, and each difference between declared and actual leaks."""
        yield from self._check_declaration()
        yield from self._check_rows()

    def notes(self) -> Iterator[str]:
        """Yield caveats that are no error: declared leaks, kept duplicates, fallbacks."""
        for text in leak_texts({"leak": self.leak}):
            yield f"this build leaks, as declared: {text}"
        if self._shared_images and self._keeps_duplicates():
            yield f"{_listed(self._shared_images)}, as --duplicates keep allows"
        yield from fallback_notes(self.manifest, self.alignment)

    # -- the declared leak ---------------------------------------------------------------------

    def _declares_leak(self) -> bool:
        return isinstance(self.manifest.provenance.get("leak"), Mapping)

    def _computed_leak(self) -> Mapping[str, Any]:
        """Count what leaks; empty if the recorded split rules can't be used."""
        try:
            rules = parse_rules(self.options.split)
            declared = declare_leak(
                self.manifest, rules, augmented_before_split=self.options.augments_first
            )
        except FerdataError:
            return {}
        leak: Mapping[str, Any] = declared.provenance["leak"]
        return leak

    def _check_declaration(self) -> Iterator[Finding]:
        """Compare the leaks in manifest and record with those of the rows."""
        provenance = self.manifest.provenance
        asked = self.options.augments_first or self.options.allow_group_leak
        if asked and not self._declares_leak():
            what = "declares no leak, although the build was asked for one"
            yield Finding(FindingKind.RECORD, _MANIFEST, what)
        elif self._declares_leak() and provenance["leak"] != self.leak:
            what = "the leak that it declares differs from that of its rows and options"
            yield Finding(FindingKind.RECORD, _MANIFEST, what)
        expected = leak_texts({**provenance, "leak": self.leak})
        if list(self.leaks) != expected:
            listed = "; ".join(expected) or "none"
            what = f"its list of leaks differs from that of {_MANIFEST}: {listed}"
            yield Finding(FindingKind.RECORD, BUILD_FILE, what)

    # -- the rows ------------------------------------------------------------------------------

    def _check_rows(self) -> Iterator[Finding]:
        manifest, moved = self.manifest, self.copies_in_any_split
        try:
            # Copies outside train are declared; all other rules still apply.
            no_parents = [None] * len(manifest)
            (manifest.with_column("parent_id", no_parents) if moved else manifest).validate()
            check_parents(manifest, copies_moved=moved, rejected=self.failed)
        except ManifestError as error:
            yield _broken(str(error))
        if missing := manifest.table.column("split").null_count:
            yield _broken(f"{missing} rows have no split")
        declared = manifest.with_provenance("leak", self.leak)
        if subjects := subjects_in_several_splits(declared):
            dataset, subject = subjects[0]
            yield _broken(
                f"{len(subjects)} subjects are in more than one split, for instance {subject} of "
                f"{dataset}"
            )
        if self._shared_images and not self._keeps_duplicates():
            yield _broken(_listed(self._shared_images))

    def _keeps_duplicates(self) -> bool:
        return self.options.duplicates == "keep"

    @cached_property
    def _shared_images(self) -> list[str]:
        """Pixel hashes in several splits; empty if augmentation before the split is declared."""
        return [] if self.copies_in_any_split else images_in_several_splits(self.manifest)


def _listed(hashes: Sequence[str]) -> str:
    return f"{len(hashes)} images are in more than one split, for instance {hashes[0][:12]}…"


def _broken(what: str) -> Finding:
    return Finding(FindingKind.RULE, _MANIFEST, what)
