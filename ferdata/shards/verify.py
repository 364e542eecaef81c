"""`verify`: do the files match their recorded hashes, and the rows the manifest?

Hashes detect files that changed after the build; rows detect a build that went wrong. All
differences are collected, so that one run reports everything. A file whose hash differs is not
opened, since parsing damaged files is unreliable.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow.compute as pc
from tqdm import tqdm

from ferdata.core.errors import BuildError, ManifestError
from ferdata.core.files import read_json
from ferdata.core.manifest import Manifest
from ferdata.core.progress import progress_bar
from ferdata.core.rejects import load_rejects
from ferdata.core.schema import ADDED_COLUMNS, SCHEMA_VERSION, SPLITS
from ferdata.formats.content import ShardIdentity
from ferdata.formats.contract import ShardFormat
from ferdata.formats.names import BUILD_FILE, CROISSANT_FILE, SIDECAR_SUFFIX, STRING_COLUMNS
from ferdata.formats.registry import FORMATS
from ferdata.shards.croissant_file import croissant_differences
from ferdata.shards.record import BuildRecord
from ferdata.shards.verify_report import Finding, FindingKind, VerifyReport
from ferdata.shards.verify_rules import Rules

_CHUNK_BYTES = 1 << 20


def verify(build: Path, *, quiet: bool = False) -> VerifyReport:
    """Check every file of a build against its recorded hash and every row against the manifest.

    Args:
        build: The build directory.
        quiet: Show no progress.

    Raises:
        BuildError: The folder is not a finished build of a known format.
    """
    path = build / BUILD_FILE
    if not path.is_file():
        raise BuildError(BuildRecord.missing(build))
    try:
        values = read_json(path)
    except BuildError as error:
        return _unreadable(build, str(error))
    if isinstance(values, dict) and values.get("format") == BuildRecord.current:
        try:
            record = BuildRecord.of(values, path)
        except BuildError as error:
            return _unreadable(build, str(error))
    else:
        record = BuildRecord.of(values, path)
    return _Verifier(build, record).run(quiet=quiet)


def _unreadable(build: Path, what: str) -> VerifyReport:
    finding = Finding(FindingKind.UNREADABLE, BUILD_FILE, what)
    return VerifyReport(build, "", 0, 0, 0, (finding,), ())


@dataclass
class _Verifier:
    """One verification under way."""

    build: Path
    record: BuildRecord
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    damaged: set[str] = field(default_factory=set)
    hashed_bytes: int = 0

    def run(self, *, quiet: bool) -> VerifyReport:
        """Run all checks."""
        names = self._safe_names()
        self._check_files(names, quiet=quiet)
        self._check_unexpected()
        self._check_croissant()
        manifest = self._load_manifest()
        if manifest is not None:
            failed = self._failed_rows()
            rules = self._check_rules(manifest, failed)
            self._check_plan(manifest, failed)
            self._check_counts(manifest)
            for shard_format in FORMATS.all():
                self._check_rows(rules, shard_format, self._shards(shard_format, names))
        return VerifyReport(
            build=self.build,
            plan_sha256=self.record.plan_sha256,
            files=len(names),
            rows=0 if manifest is None else len(manifest),
            bytes=self.hashed_bytes,
            findings=tuple(self.findings),
            notes=tuple(self.notes),
        )

    def _add(self, kind: FindingKind, file: str, what: str) -> None:
        self.findings.append(Finding(kind, file, what))

    # -- files ---------------------------------------------------------------------------------

    def _safe_names(self) -> list[str]:
        """Return the recorded files that lie inside the build directory; report the others."""
        names = []
        for name in sorted(self.record.files):
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or "\\" in name:
                self._add(FindingKind.RECORD, BUILD_FILE, f"lists {name!r}, outside the build")
            else:
                names.append(name)
        return names

    def _check_files(self, names: Sequence[str], *, quiet: bool) -> None:
        sizes = [(self.build / n).stat().st_size for n in names if (self.build / n).is_file()]
        with progress_bar("verifying", sum(sizes), unit="byte", quiet=quiet) as bar:
            bar.unit, bar.unit_scale = "B", True
            for name in names:
                self._check_content(name, bar)

    def _check_content(self, name: str, bar: tqdm[Any]) -> None:
        path = self.build / name
        if not path.is_file():
            self.damaged.add(name)
            self._add(FindingKind.MISSING, name, "the file is missing")
            return
        try:
            found = self._hash(path, bar)
        except OSError as error:
            self.damaged.add(name)
            self._add(FindingKind.UNREADABLE, name, f"can't be read: {error.strerror}")
            return
        expected = self.record.files[name].sha256
        if found != expected:
            self.damaged.add(name)
            what = (
                f"sha256 is {found[:12]}…, recorded {expected[:12]}…; {path.stat().st_size} bytes"
            )
            self._add(FindingKind.CONTENT, name, what)

    def _hash(self, path: Path, bar: tqdm[Any]) -> str:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                bar.update(len(chunk))
                self.hashed_bytes += len(chunk)
        return digest.hexdigest()

    def _check_unexpected(self) -> None:
        for shard_format in FORMATS.all():
            for path in sorted((self.build / shard_format.folder).glob(f"*{shard_format.suffix}")):
                name = path.relative_to(self.build).as_posix()
                if name not in self.record.files:
                    self._add(FindingKind.UNEXPECTED, name, "build.json does not list this shard")

    def _check_croissant(self) -> None:
        """Check what `croissant.json` lists; builds of earlier versions have none."""
        if CROISSANT_FILE in self.record.files and CROISSANT_FILE not in self.damaged:
            for what in croissant_differences(self.build, self.record.files):
                self._add(FindingKind.RECORD, CROISSANT_FILE, what)

    # -- the manifest --------------------------------------------------------------------------

    def _load_manifest(self) -> Manifest | None:
        name = "manifest.parquet"
        if name not in self.record.files:
            self._add(FindingKind.RECORD, BUILD_FILE, f"does not list {name}")
        if not (self.build / name).is_file():
            if name not in self.damaged:
                self._add(FindingKind.MISSING, name, "the file is missing")
            return None
        try:
            return Manifest.load(self.build / name)
        except (ManifestError, ValueError, KeyError) as error:
            self._add(FindingKind.UNREADABLE, name, str(error))
            return None

    def _check_rules(self, manifest: Manifest, failed: Collection[str]) -> Rules:
        record = self.record
        rules = Rules(manifest, record.options, record.leaks, failed, record.alignment)
        self.findings += rules.findings()
        self.notes += rules.notes()
        return rules

    def _check_plan(self, manifest: Manifest, failed: Collection[str]) -> None:
        try:
            plan = read_json(self.build / "plan.json")
        except BuildError as error:
            if "plan.json" not in self.damaged:
                self._add(FindingKind.UNREADABLE, "plan.json", str(error))
            return
        if not isinstance(plan, Mapping) or plan.get("sha256") != self.record.plan_sha256:
            self._add(FindingKind.RECORD, "plan.json", "not the plan whose hash is in build.json")
            return
        # Rows that could not be rendered are in the plan, but not in the stored manifest.
        digest = plan.get("manifest_digest")
        known = (manifest.digest(version) for version in (SCHEMA_VERSION, *ADDED_COLUMNS))
        if not failed and digest is not None and digest not in known:
            what = "its content differs from the digest in plan.json"
            self._add(FindingKind.RECORD, "manifest.parquet", what)

    def _failed_rows(self) -> set[str]:
        """Check the list of rejects; return the rows that could not be rendered."""
        name = "rejects.parquet"
        try:
            rejects = load_rejects(self.build / name)
        except ManifestError as error:
            if name not in self.damaged:
                self._add(FindingKind.UNREADABLE, name, str(error))
            return set()
        if len(rejects) != self.record.rejects.total:
            what = f"{len(rejects)} rejects, build.json says {self.record.rejects.total}"
            self._add(FindingKind.RECORD, name, what)
        return {reject.sample_id for reject in rejects if reject.stage == "build"}

    def _check_counts(self, manifest: Manifest) -> None:
        counts = manifest.counts()
        for split in SPLITS:
            recorded = self.record.splits.get(split)
            found = {name: n for name, n in counts[split].items() if n}
            expected = {} if recorded is None else {k: n for k, n in recorded.counts.items() if n}
            if found != expected:
                what = f"{split} has {_listed(found)}; build.json says {_listed(expected)}"
                self._add(FindingKind.RECORD, "manifest.parquet", what)
            if recorded is None:
                continue
            if recorded.rows != sum(expected.values()):
                what = (
                    f"{split}: {recorded.rows} rows, but its counts sum to {sum(expected.values())}"
                )
                self._add(FindingKind.RECORD, BUILD_FILE, what)
            for name in set(recorded.shards) - set(self.record.files):
                what = f"lists the shard {name} without its hash"
                self._add(FindingKind.RECORD, BUILD_FILE, what)

    # -- rows ----------------------------------------------------------------------------------

    def _shards(self, shard_format: ShardFormat, names: Sequence[str]) -> list[str]:
        """Return the format's shards in the order of the manifest's rows: by split, then number."""
        prefix = f"{shard_format.folder}/"
        shards = [n for n in names if n.startswith(prefix) and n.endswith(shard_format.suffix)]
        return sorted(shards, key=lambda name: (_split_position(name), name))

    def _check_rows(self, rules: Rules, shard_format: ShardFormat, shards: Sequence[str]) -> None:
        manifest, start = rules.manifest, 0
        for name in shards:
            rows = self.record.files[name].rows or 0
            part = replace(manifest, table=manifest.table.slice(start, rows))
            start += rows
            self._check_sidecar(name, part)
            if name in self.damaged:
                continue
            try:
                identity = shard_format.read_identity(self.build / name)
            except BuildError as error:
                self._add(FindingKind.UNREADABLE, name, str(error))
                continue
            self._check_identity(name, identity, part, copies_allowed=rules.copies_in_any_split)
        if shards and start != len(manifest):
            what = f"{start} rows in all shards, {len(manifest)} in the manifest"
            self._add(FindingKind.ROWS, f"{shard_format.folder}/", what)

    def _check_sidecar(self, name: str, part: Manifest) -> None:
        sidecar = name + SIDECAR_SUFFIX
        try:
            found = read_json(self.build / sidecar)
        except BuildError as error:
            missing = not (self.build / sidecar).exists()
            kind = FindingKind.MISSING if missing else FindingKind.UNREADABLE
            self._add(kind, sidecar, "the file is missing" if missing else str(error))
            return
        recorded = self.record.files[name]
        counts = Counter(part.column("label"))
        expected = {
            "file": PurePosixPath(name).name,
            "rows": recorded.rows,
            "sha256": recorded.sha256,
            "plan_sha256": self.record.plan_sha256,
            "counts": {label: counts[label] for label in part.label_space.names},
        }
        for key, value in expected.items():
            if not isinstance(found, Mapping) or found.get(key) != value:
                self._add(FindingKind.RECORD, sidecar, f"{key!r} differs from the build's record")

    def _check_identity(
        self, name: str, identity: ShardIdentity, part: Manifest, *, copies_allowed: bool
    ) -> None:
        if identity.plan_sha256 != self.record.plan_sha256:
            self._add(FindingKind.RECORD, name, "rendered from another plan than build.json names")
        copies = any(identity.columns["parent_id"]) and not copies_allowed
        if identity.split != "train" and copies:
            self._add(FindingKind.RULE, name, f"contains augmented copies in {identity.split}")
        if identity.rows != len(part):
            what = f"{identity.rows} rows; the manifest has {len(part)}"
            self._add(FindingKind.ROWS, name, what)
            return
        splits = {"split": [identity.split] * identity.rows}
        for column in ("label", *STRING_COLUMNS, "split"):
            found = (splits | dict(identity.columns))[column]
            expected = pc.fill_null(part.table.column(column), "").to_pylist()
            self._compare(name, column, found, expected, identity.columns["sample_id"])

    def _compare(
        self,
        name: str,
        column: str,
        found: Sequence[str],
        expected: Sequence[str],
        ids: Sequence[str],
    ) -> None:
        wrong = [
            row for row, pair in enumerate(zip(found, expected, strict=True)) if len({*pair}) > 1
        ]
        if wrong:
            first = wrong[0]
            what = (
                f"{column} differs from the manifest in {len(wrong)} of {len(found)} rows; "
                f"first row {first} ({ids[first]}): {found[first]!r}, manifest {expected[first]!r}"
            )
            self._add(FindingKind.ROWS, name, what)


def _split_position(name: str) -> int:
    split = PurePosixPath(name).name.split("-")[0]
    return SPLITS.index(split) if split in SPLITS else len(SPLITS)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items()) or "no rows"
