"""The part of `verify` about rules: nothing leaks, but what the build declares, to the image."""

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
        leaks: The leaks as recorded, in words.
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
        """The leak that the build declares, as its rows and options give it; empty if none."""
        return self._counted() if self._declares() else {}

    @property
    def apart(self) -> bool:
        """Whether augmented copies may be in every split, as the build was asked and declares."""
        return bool(self.leak.get("augmented_before_split"))

    def findings(self) -> Iterator[Finding]:
        """Yield what breaks a rule, and what is declared otherwise than it is."""
        yield from self._declaration()
        yield from self._rows()

    def notes(self) -> Iterator[str]:
        """Yield what is allowed and still worth knowing."""
        for text in leak_texts({"leak": self.leak}):
            yield f"this build leaks, as it says itself: {text}"
        if self._pictures and self._keeps_duplicates():
            yield f"{_listed(self._pictures)}; the build was told to keep duplicates"
        yield from fallback_notes(self.manifest, self.alignment)

    # -- what is declared ----------------------------------------------------------------------

    def _declares(self) -> bool:
        return isinstance(self.manifest.provenance.get("leak"), Mapping)

    def _counted(self) -> Mapping[str, Any]:
        """Count what leaks; empty where the options hold no rules to go by."""
        try:
            rules = parse_rules(self.options.split)
            counted = declare_leak(
                self.manifest, rules, augmented_before_split=self.options.augments_first
            )
        except FerdataError:
            return {}
        found: Mapping[str, Any] = counted.provenance["leak"]
        return found

    def _declaration(self) -> Iterator[Finding]:
        """Hold both records' declarations against the rows."""
        provenance = self.manifest.provenance
        asked = self.options.augments_first or self.options.allow_group_leak
        if asked and not self._declares():
            what = "declares no leak, although the build was asked for one"
            yield Finding(FindingKind.RECORD, _MANIFEST, what)
        elif self._declares() and provenance["leak"] != self.leak:
            what = "the leak that it declares is not the one that its rows and options give"
            yield Finding(FindingKind.RECORD, _MANIFEST, what)
        said = leak_texts({**provenance, "leak": self.leak})
        if list(self.leaks) != said:
            listed = "; ".join(said) or "none"
            what = f"its list of leaks is not what {_MANIFEST} gives: {listed}"
            yield Finding(FindingKind.RECORD, BUILD_FILE, what)

    # -- what holds of the rows ----------------------------------------------------------------

    def _rows(self) -> Iterator[Finding]:
        manifest = self.manifest
        try:
            # Copies outside train are declared; all other rules hold as ever.
            alone = [None] * len(manifest)
            (manifest.with_column("parent_id", alone) if self.apart else manifest).validate()
            check_parents(manifest, copies_moved=self.apart, rejected=self.failed)
        except ManifestError as error:
            yield _broken(str(error))
        if missing := manifest.table.column("split").null_count:
            yield _broken(f"{missing} rows have no split")
        declared = manifest.with_provenance("leak", self.leak)
        if people := subjects_in_several_splits(declared):
            dataset, subject = people[0]
            yield _broken(f"{len(people)} people are in two splits, {subject} of {dataset} first")
        if self._pictures and not self._keeps_duplicates():
            yield _broken(_listed(self._pictures))

    def _keeps_duplicates(self) -> bool:
        return self.options.duplicates == "keep"

    @cached_property
    def _pictures(self) -> list[str]:
        """Return the pictures in two splits, where no augmentation before the split is declared."""
        return [] if self.apart else images_in_several_splits(self.manifest)


def _listed(pictures: Sequence[str]) -> str:
    return f"{len(pictures)} pictures are in two splits, {pictures[0]} first"


def _broken(what: str) -> Finding:
    return Finding(FindingKind.RULE, _MANIFEST, what)
