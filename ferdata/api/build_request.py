"""A call of `build`: put together from arguments, a file and defaults, checked, carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field

from ferdata.api.imports import resolved_import
from ferdata.api.paths import PathLike, as_folders, as_path
from ferdata.core.config import CONFIG_FILE, read_config, write_config
from ferdata.core.errors import OptionError
from ferdata.core.files import write_json
from ferdata.core.options import Options, unknown_name
from ferdata.formats.names import AUDIT_FILE, REPORT_FILE
from ferdata.shards.options import BuildOptions, Execution

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ferdata.shards.pipeline import BuildReport


def run_build(
    arguments: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    config: PathLike | None = None,
    spelled: Callable[[str], str] = str,
) -> BuildReport:
    """Carry out a call of `build`.

    Args:
        arguments: The arguments of `build` by name.
        options: Its options by name.
        config: A file with more of both.
        spelled: How an option is written where the call comes from, for messages.

    Raises:
        FerdataError: As for `build`.
    """
    with resolved_import(arguments, config) as resolved:
        return _run(BuildRequest.read(resolved, options, config, spelled))


def _run(request: BuildRequest) -> BuildReport:
    """Build what a request asks for, and write what stands beside a build."""
    from ferdata.shards.pipeline import build_shards, resolve_options  # noqa: PLC0415 - heavy
    from ferdata.shards.sources import find_source  # noqa: PLC0415

    source = find_source(request.name)
    resolve_options(source, request.options)  # what is wrong is said before faces are drawn
    data = request.data if request.data is not None else request.draw_demo(source.datasets)
    report = build_shards(request.name, data, request.out, request.options, request.execution)
    request.write_config(report)
    request.write_audit(report)
    request.write_report(report)
    return report


class Arguments(Options):
    """What `build` takes beside options: what to build, from what, and where to."""

    name: Any = None
    """A dataset, a mix, or the path of a mix's file."""

    out: Any = None
    """The build directory."""

    data: Any = None
    """Where the data are: a path, or a path by dataset."""

    import_from: Any = None
    """Or data in another library's format, `hf:PATH` or `fiftyone:PATH`, as `resolved_import` reads
    it."""

    demo: bool = False
    """Build from a synthetic copy instead."""

    demo_scale: float = Field(0.05, gt=0, le=1)
    """Size of the synthetic copy."""


@dataclass(frozen=True)
class BuildRequest:
    """A call of `build`, checked.

    Attributes:
        name: What to build.
        out: The build directory.
        data: Where the data are; None for a synthetic copy.
        demo_scale: Size of the synthetic copy.
        options: What decides the bytes.
        execution: What decides only how the build runs.
    """

    name: str
    out: Path
    data: Path | dict[str, Path] | None
    demo_scale: float
    options: BuildOptions
    execution: Execution

    @classmethod
    def read(
        cls,
        arguments: Mapping[str, Any],
        options: Mapping[str, Any],
        config: PathLike | None,
        spelled: Callable[[str], str],
    ) -> Self:
        """Put a call together: what was given, over the file, over the defaults."""
        written = read_config(config) if config is not None else {}
        given = {k: each for k, each in arguments.items() if each is not None and each is not False}
        if "data" in given or "demo" in given:  # either takes the place of the other in the file
            written = {k: each for k, each in written.items() if k not in ("data", "demo")}
        fields = Arguments.model_fields
        merged = {name: each for name, each in written.items() if name in fields} | given
        asked = Arguments.checked(merged, kind="build argument", spelled=spelled)
        file = {name: each for name, each in written.items() if name not in fields}
        choices = _choices(file) | _choices(options)
        own, execution = _sort({**file, **options, "choices": choices})
        _require_sources(asked)
        return cls(
            name=str(asked.name),
            out=as_path(asked.out, "out"),
            data=None if asked.data is None else as_folders(asked.data),
            demo_scale=asked.demo_scale,
            options=BuildOptions.checked(own, kind="build option", spelled=spelled),
            execution=Execution.checked(execution, kind="build option", spelled=spelled),
        )

    def draw_demo(self, datasets: tuple[str, ...]) -> dict[str, Path]:
        """Draw a synthetic copy of each dataset and return its folder.

        Raises:
            OptionError: No copy can be drawn of one of them.
        """
        from ferdata.ingesters.demo import write_demo  # noqa: PLC0415 - only the demo draws
        from ferdata.ingesters.lookup import dataset_names, declared_names  # noqa: PLC0415 - YAML

        is_declared = self._is_declaration
        own = sorted(set(datasets).difference(dataset_names(), declared_names()))
        if own and not is_declared:
            raise OptionError(
                f"--demo: {', '.join(own)} is a set of one's own that a mix declares: no synthetic "
                "copy can be drawn; give --data DIR"
            )
        home = self.out / "demo"
        return {
            name: write_demo(
                self.name if is_declared else name,
                home / name if len(datasets) > 1 else home,
                scale=self.demo_scale,
                workers=self.execution.workers,
                quiet=self.execution.quiet,
            ).root
            for name in datasets
        }

    @property
    def _is_declaration(self) -> bool:
        """Whether the name is the path of a declaration."""
        from ferdata.core.yaml_files import is_file_name  # noqa: PLC0415 - keeps start-up light
        from ferdata.ingesters.declared.declaration import is_declaration  # noqa: PLC0415

        return is_file_name(self.name) and is_declaration(Path(self.name).expanduser())

    def write_config(self, report: BuildReport) -> None:
        """Write the file that repeats the build beside its record."""
        values: dict[str, Any] = {"name": self.name}
        if self.data is None:
            values |= {"demo": True, "demo_scale": self.demo_scale}
        values |= report.record.options.model_dump(mode="json")
        values |= self._copied_files(report.out)
        title = f"ferdata build --config {CONFIG_FILE} --out DIR" + (
            "" if self.data is None else " --data DIR"
        )
        write_config(report.out / CONFIG_FILE, values, title=f"Repeats this build: {title}")

    def write_audit(self, report: BuildReport) -> None:
        """Judge the build by the rules that open no image, unless that was done already."""
        from ferdata.audits.audit import audit_build  # noqa: PLC0415 - keeps start-up light

        file = report.out / AUDIT_FILE
        if not (report.already_done and file.is_file()):
            write_json(file, audit_build(report.out).model_dump(mode="json"))

    def write_report(self, report: BuildReport) -> None:
        """Write the page that shows the build, unless it is there already."""
        there = report.already_done and (report.out / REPORT_FILE).is_file()
        if self.execution.report and not there:
            from ferdata.reports.write import write_build_report  # noqa: PLC0415 - loads Jinja

            write_build_report(report.out)

    def _copied_files(self, out: Path) -> dict[str, str]:
        """Copy the user's files that declare data and recipe; return the options that name them."""
        from ferdata.core.yaml_files import is_file_name  # noqa: PLC0415 - keeps start-up light
        from ferdata.ingesters.declared.declaration import load_declaration  # noqa: PLC0415
        from ferdata.recipes import load_recipe  # noqa: PLC0415
        from ferdata.recipes.mix import load_mix  # noqa: PLC0415

        given: list[tuple[str, str, BaseModel]] = []
        if self._is_declaration:
            given.append(("name", "declaration", load_declaration(Path(self.name).expanduser())))
        elif is_file_name(self.name):
            given.append(("name", "mix", load_mix(self.name)))
        if self.options.recipe and is_file_name(self.options.recipe):
            given.append(("recipe", "recipe", load_recipe(self.options.recipe)))
        for _, kind, content in given:
            values = content.model_dump(mode="json", exclude_unset=True)
            write_config(out / f"{kind}.yaml", values, title=f"The {kind} of this build.")
        return {option: f"{kind}.yaml" for option, kind, _ in given}


def _require_sources(asked: Arguments) -> None:
    """Check that it is said what to build, from what, and where to.

    Raises:
        OptionError: It is not, or both real and synthetic data are asked for.
    """
    if not asked.name:
        raise OptionError("name the dataset or mix to build; `ferdata datasets` lists them")
    if not isinstance(asked.name, str | Path):
        raise OptionError(
            f"name: expected one dataset or mix as text, got {type(asked.name).__name__}. Several "
            "datasets are built together as a mix"
        )
    if not asked.out:
        raise OptionError("--out is missing: the folder to build into")
    if asked.demo == (asked.data is not None):
        raise OptionError(
            "give either --data DIR, the folder that holds the data, or --demo to build from "
            f"a synthetic copy. `ferdata datasets {asked.name}` tells how to get the data"
        )


def _choices(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the choices of datasets among options.

    Raises:
        OptionError: They are no mapping.
    """
    choices = values.get("choices") or {}
    if not isinstance(choices, Mapping):
        raise OptionError(f"choices {choices!r}: expected a mapping, such as {{'poses': 'half'}}")
    return dict(choices)


def _sort(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell build options and choices of datasets, which are one of them, from execution options.

    Raises:
        OptionError: A name is none of these.
    """
    own = {name: each for name, each in values.items() if name in BuildOptions.model_fields}
    execution = {name: each for name, each in values.items() if name in Execution.model_fields}
    choices = _choices(values)
    others = {name: each for name, each in values.items() if name not in own | execution}
    if others:
        offered = _offered_choices()
        known = [*Arguments.model_fields, *BuildOptions.model_fields, *Execution.model_fields]
        for name in others:
            if name not in offered:
                raise OptionError(
                    unknown_name("build option", name, dict.fromkeys([*known, *offered]))
                )
        choices |= others
    own.pop("choices", None)
    return own | ({"choices": choices} if choices else {}), execution


def _offered_choices() -> list[str]:
    """Return the choices that any dataset offers."""
    from ferdata.ingesters.lookup import dataset_info, dataset_names  # noqa: PLC0415 - reads YAML

    return sorted({each for name in dataset_names() for each in dataset_info(name).choices})
