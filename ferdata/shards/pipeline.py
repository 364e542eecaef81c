"""The whole build: from a dataset as its authors ship it to finished shards."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from ferdata.core.errors import BuildError, OptionError, TooManyRejectsError
from ferdata.core.extras import require_module
from ferdata.core.files import read_json, write_json
from ferdata.core.manifest import Manifest
from ferdata.core.options import flag
from ferdata.core.parallel import open_executor
from ferdata.core.rejects import Reject, save_rejects
from ferdata.core.version import __version__
from ferdata.curation.label_patches import apply_patch, load_patch
from ferdata.curation.split import resolve_rules
from ferdata.faces.align import transform_name
from ferdata.faces.detectors import CANNOT_RUN
from ferdata.faces.locate import locate_faces
from ferdata.faces.options import FaceOptions
from ferdata.faces.set_alignment import alignment_kind
from ferdata.formats.names import BUILD_FILE, LICENSES_ATTRIBUTE
from ferdata.ingesters import dataset_info, dataset_names
from ferdata.recipes import Recipe
from ferdata.shards.dataset_infos import info_of
from ferdata.shards.fallbacks import needs_detector, record_split_fallbacks, with_remedy
from ferdata.shards.finish import finish, without_failed
from ferdata.shards.options import BuildOptions, Execution
from ferdata.shards.paper_counts import recipe_record
from ferdata.shards.plan import Plan, make_plan
from ferdata.shards.plan_difference import plan_differences
from ferdata.shards.recipe_options import apply_recipe, scale_target
from ferdata.shards.record import BuildRecord, RecipeRecord
from ferdata.shards.runner import (
    finished_shards,
    lock,
    remove_old_build,
    remove_partial_files,
    run_shards,
)
from ferdata.shards.shard import ShardReport, ShardTask, warm_up
from ferdata.shards.sources import Data, Source, find_source
from ferdata.shards.split_order import split_and_augment

logger = logging.getLogger(__name__)

_COPY_OPTIONS = ("balance_to", "max_copies", "operations", "draws")
"""Options that have no effect without `augment`."""


@dataclass(frozen=True)
class BuildReport:
    """What a build did.

    Attributes:
        out: The build directory.
        record: The build's record.
        already_done: True if the directory already contained this build and nothing was rendered.
        recipe: The recipe as it was given, by name or path; None without one.
    """

    out: Path
    record: BuildRecord
    already_done: bool
    recipe: str | None = None


def build_shards(
    name: str,
    data: Data,
    out: Path,
    options: BuildOptions | None = None,
    execution: Execution | None = None,
) -> BuildReport:
    """Build a dataset or a mix into a directory, or resume an unfinished build there.

    Args:
        name: A dataset, for instance `"rafdb"`, a mix, for instance `"FER_CK+_KDEF"`, or the path
            of a YAML file with a mix.
        data: The folder that contains the dataset or datasets, or the folder of each by name.
        out: The build directory.
        options: The options that determine the bytes. With a recipe: those that differ from it.
        execution: How the build runs.

    Raises:
        FerdataError: The data, the options or the directory can't be used.
    """
    source, given, execution = (
        find_source(name),
        options or BuildOptions(),
        execution or Execution(),
    )
    resolved, recipe = resolve_options(source, given)
    job = _Job(source, data, out, resolved, execution, recipe, given)
    with lock(out), open_executor(execution.executor, execution.workers) as executor:
        for _ in range(execution.workers):
            executor.submit(warm_up)  # workers import modules while this process reads labels
        remove_partial_files(out)
        return job.run(executor)


def resolve_options(source: Source, given: BuildOptions) -> tuple[BuildOptions, Recipe | None]:
    """Fill in options that were not given from the recipe, then from the mix.

    Returns:
        The options, and the recipe if there is one.

    Raises:
        FerdataError: The recipe is unknown, invalid or for other data, or contradicts the options.
        MissingExtraError: The build augments, and albumentations is not installed.
    """
    options, recipe = apply_recipe(given, source.name)
    resolved = source.complete(options)
    if resolved.augment == "none":
        for name in _COPY_OPTIONS:
            if getattr(given, name) != BuildOptions.model_fields[name].default:
                raise OptionError(
                    f"{flag(name)} has no effect without augmentation; "
                    "add --augment balance, or leave it out"
                )
    else:
        require_module("albumentations", f"--augment {resolved.augment}")
    return resolved, recipe


def locate_faces_for_build(
    manifest: Manifest, options: BuildOptions, execution: Execution, executor: Executor
) -> Manifest:
    """Read every image of a build and find its face.

    Raises:
        DetectorUnavailableError: Alignment needs a detector, and one of its libraries is missing.
        ModelFileError: Alignment needs a detector, and its model file is missing.
    """
    wanted = FaceOptions(
        landmarks=options.landmarks,
        require_face=options.require_face,
        require_detector=needs_detector(manifest, options.align),
        blendshapes=options.blendshapes,
        perceptual_hash=True,
        keep_blank=options.blank == "keep",
    )
    try:
        return locate_faces(
            manifest,
            wanted,
            executor=executor,
            workers=execution.workers,
            quiet=execution.quiet,
        )
    except CANNOT_RUN as error:
        raise (with_remedy(error) if wanted.require_detector else error) from error


@dataclass(frozen=True)
class _Job:
    """One call of `build_shards`, with its steps as methods."""

    source: Source
    data: Data
    out: Path
    options: BuildOptions
    execution: Execution
    recipe: Recipe | None
    given: BuildOptions

    def run(self, executor: Executor) -> BuildReport:
        """Run all steps."""
        manifest = self.source.read(self.data, self.options)
        rules = resolve_rules(manifest, self.options.split)
        manifest = record_split_fallbacks(manifest, self.options.split, rules)
        patch = Path(self.options.labels or "").expanduser()
        updates = {"split": rules.text}
        if self.options.labels is not None:
            load_patch(patch)  # its errors come before any image is read
            updates["labels"] = patch.name  # what it says is in the rows
        options = self._scaled(manifest).model_copy(update=updates)
        job = replace(self, options=options)
        located = job.locate(manifest, executor)
        if self.options.labels is not None:
            located = apply_patch(located, patch)
        source, rows = split_and_augment(located, rules, options)
        planned, plan = make_plan(rows, options)
        return job.execute(source, planned, plan, executor)

    def _scaled(self, manifest: Manifest) -> BuildOptions:
        """Return the options, with a recipe's numbers of images scaled to a synthetic copy."""
        scale = manifest.provenance.get("ingest", {}).get("synthetic_scale", 1)
        if self.recipe is None or "balance_to" in self.given.model_fields_set:
            return self.options
        return scale_target(self.options, scale)

    def locate(self, manifest: Manifest, executor: Executor) -> Manifest:
        """Read every image and find its face; stop if too many are rejected."""
        total = len(manifest) + len(manifest.rejects)
        manifest = locate_faces_for_build(manifest, self.options, self.execution, executor)
        _require_few_rejects(manifest.rejects, total, self.out, self.options)
        return manifest

    def execute(
        self, source: Manifest, planned: Manifest, plan: Plan, executor: Executor
    ) -> BuildReport:
        """Write the files of a plan and its record."""
        out = self.out
        _require_same_plan(plan, out, overwrite=self.execution.overwrite)
        tasks = _tasks(planned, plan, out)
        finished = finished_shards(tasks)
        before = _existing_record(plan, out)
        if (
            before is not None
            and len(finished) == len(tasks)
            and _is_recorded(before, finished)
            and before.recipe == self._comparison(source, planned, plan, finished)
        ):
            return BuildReport(out, before, already_done=True, recipe=self.given.recipe)
        (out / BUILD_FILE).unlink(missing_ok=True)
        planned.save(out / "manifest.parquet", row_group_sizes=[s.rows for s in plan.shards])
        write_json(out / "plan.json", plan.to_json())
        reports = run_shards(
            tasks, finished, executor, workers=self.execution.workers, quiet=self.execution.quiet
        )
        rendering = [reject for report in reports for reject in report.rejects]
        _require_few_rejects(rendering, len(planned), out, plan.options)
        record = finish(self.source.name, source, planned, plan, out, reports, self.recipe)
        return BuildReport(out, record, already_done=False, recipe=self.given.recipe)

    def _comparison(
        self, source: Manifest, planned: Manifest, plan: Plan, finished: Mapping[int, ShardReport]
    ) -> RecipeRecord | None:
        """Return the record's part about the recipe, which the plan's hash does not cover."""
        if self.recipe is None:
            return None
        rows = without_failed(source, planned, plan.options, finished.values())
        return recipe_record(self.recipe, self.source.name, *rows, plan.options)


def _require_few_rejects(
    rejects: Sequence[Reject], total: int, out: Path, options: BuildOptions
) -> None:
    """Stop a build with too many rejects, after writing them to a file.

    Rows that a dataset's own rules exclude, such as AffectNet's images without a face, don't count.
    """
    expected = _expected_kinds(rejects)
    lost = [reject for reject in rejects if _kind(reject) not in expected]
    total -= len(rejects) - len(lost)
    if not total or len(lost) / total <= options.max_reject_rate:
        return
    # A finished build in this folder keeps its own list, whose hash is in its record.
    finished = (out / BUILD_FILE).exists()
    path = out / ("rejects-stopped.parquet" if finished else "rejects.parquet")
    save_rejects(rejects, path)
    reasons = Counter(reject.reason for reject in lost).most_common(3)
    listed = "; ".join(f"{count} × {reason}" for reason, count in reasons)
    raise TooManyRejectsError(
        f"{len(lost)} of {total} rows were rejected ({len(lost) / total:.1%}; "
        f"--max-reject-rate is {options.max_reject_rate:.1%}). Most frequent: {listed}. "
        f"All are listed in {path}; fix the data or raise --max-reject-rate."
    )


def _kind(reject: Reject) -> tuple[str, str, str]:
    """Return stage, dataset and kind of reason of a reject."""
    return reject.stage, reject.sample_id.partition("/")[0], reject.reason.partition(":")[0]


def _expected_kinds(rejects: Sequence[Reject]) -> set[tuple[str, str, str]]:
    """Return the kinds of reject that a rule of the dataset or of the mix causes."""
    known = set(dataset_names())
    return {
        (stage, dataset, kind)
        for stage, dataset, kind in set(map(_kind, rejects))
        if stage == "curate"
        or (dataset in known and kind in dataset_info(dataset).expected_rejects)
    }


def _require_same_plan(plan: Plan, out: Path, *, overwrite: bool) -> None:
    """Refuse a directory with another plan, or remove the other build if `overwrite`."""
    if not (out / "plan.json").exists():
        return
    there, new = read_json(out / "plan.json"), plan.to_json()
    if isinstance(there, dict) and there.get("sha256") == plan.sha256:
        return
    if not overwrite:
        differences = plan_differences(there, new) if isinstance(there, dict) else []
        raise BuildError(
            f"{out} contains another build: "
            f"{'; '.join(differences) or 'its plan.json is damaged'}. "
            "Use another --out, or --overwrite to replace it."
        )
    remove_old_build(out)


def _existing_record(plan: Plan, out: Path) -> BuildRecord | None:
    """Return the record if a build of the same plan is already finished."""
    if not (out / BUILD_FILE).exists():
        return None
    try:
        record = BuildRecord.open(out)
    except BuildError as error:
        logger.warning("%s", error)
        return None
    return record if record.plan_sha256 == plan.sha256 else None


def _is_recorded(record: BuildRecord, finished: Mapping[int, ShardReport]) -> bool:
    """Return whether every shard has the hash that `build.json` records."""
    return all(
        name in record.files and record.files[name].sha256 == file["sha256"]
        for report in finished.values()
        for name, file in report.files.items()
    )


def _tasks(planned: Manifest, plan: Plan, out: Path) -> list[ShardTask]:
    licenses = {dataset: info_of(planned, dataset).license for dataset in sorted(planned.roots)}
    attributes = {
        "plan_sha256": plan.sha256,
        "template": json.dumps(_transforms(plan.options.align), sort_keys=True),
        "alignment": json.dumps(plan.alignment.model_dump(mode="json"), sort_keys=True),
        "ferdata_version": __version__,
        LICENSES_ATTRIBUTE: json.dumps(licenses, sort_keys=True),
        "versions": json.dumps(plan.versions, sort_keys=True),
    }
    return [
        ShardTask(
            out=out,
            index=index,
            shard=shard,
            options=plan.options,
            alignment=plan.alignment,
            landmark_scheme=plan.landmark_scheme,
            roots=planned.roots,
            attributes=attributes,
        )
        for index, shard in enumerate(plan.shards)
    ]


def _transforms(align: str) -> dict[str, str]:
    """Return the name and version of the transform of each framing."""
    return {
        framing: transform_name(alignment_kind(align, framing))
        for framing in ("crop", "photograph")
    }
