"""Every option with its type, default and bounds, from the typed options."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from ferdata.audits.options import AuditOptions
from ferdata.core.options import Options, flag
from ferdata.deployment import options as deployment
from ferdata.label_errors import options as label_errors
from ferdata.reports.options import ReportOptions
from ferdata.runs.options import TrainOptions
from ferdata.shards.options import BuildOptions, Execution
from ferdata_docs.writing import fence, table, toctree, write_page


def _models(module: Any) -> list[type[Options]]:
    """Return the options models that a module defines, in order."""
    return [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, Options)
        and each.__module__ == module.__name__
    ]


PAGES: dict[str, tuple[str, str, list[type[Options]]]] = {
    "build": ("Build options", "build", [BuildOptions, Execution]),
    "train": ("Training options", "train", [TrainOptions]),
    "audit": ("Audit options", "audit", [AuditOptions]),
    "predict-export": ("Prediction and export options", "", _models(deployment)),
    "label-errors": (
        "Options of the search for label errors",
        "label-errors",
        _models(label_errors),
    ),
    "report": ("Report options", "report", [ReportOptions]),
}
"""Title, command and models of each page."""


def write_pages(folder: Path) -> None:
    """Write `options/index.md` and a page per group of options."""
    rows = [
        [f"[{title}]({name}.md)", f"{sum(len(each.model_fields) for each in models)}"]
        for name, (title, _, models) in PAGES.items()
    ]
    write_page(
        folder / "options" / "index.md",
        "# Options",
        "Each option is declared once, and is the same on the command line (`--input-size 64`), in "
        "YAML files (`input_size: 64`) and in Python (`input_size=64`). On the command line of "
        "`ferdata train`, `--set NAME=VALUE` sets any of them.",
        table(["", "options"], rows, "lr"),
        toctree(PAGES),
    )
    for name, (title, command, models) in PAGES.items():
        parts = [part for model in models for part in _model(model, command)]
        write_page(folder / "options" / f"{name}.md", f"# {title}", *parts)


def _model(model: type[Options], command: str) -> Iterator[str]:
    yield f"## {model.__name__}"
    yield fence(f"{{py:currentmodule}} {model.__module__}", "")
    yield fence(f"{{py:class}} {model.__name__}", (model.__doc__ or "").split("\n\n")[0].strip())
    section = ""
    for name, field in model.model_fields.items():
        if model.sections.get(name, section) != section:
            section = model.sections[name]
            yield f"### {section}"
        yield _field(model, name, field, command)


def _field(model: type[Options], name: str, field: FieldInfo, command: str) -> str:
    text = re.sub(r"\s*\[default: [^\]]*\]", "", " ".join((field.description or "").split()))
    facts = [each for each in (_words(field), _bounds(field)) if each]
    if shown := re.search(r"\[default: ([^\]]*)\]", " ".join((field.description or "").split())):
        facts.append(f"default: {shown[1]}")
    if command and name not in model.without_flag and _has_flag(command, name):
        facts.append(f"{{option}}`{flag(name)} <ferdata {command} {flag(name)}>`")
    about = f":type: {_type(field.annotation)}\n:value: {_default(field)}\n\n{text}"
    if facts:
        about += "\n\n" + " · ".join(facts)
    return fence(f"{{py:attribute}} {model.__name__}.{name}", about)


def _has_flag(command: str, name: str) -> bool:
    from ferdata_docs.commands import commands  # noqa: PLC0415 - imports every verb

    return any(flag(name) in each.opts for each in commands()[command].params)


def _type(annotation: Any) -> str:
    """Return a type in a reader's words: `int | None`, `str`, `list of mappings`."""
    kinds = get_args(annotation) if _is_union(annotation) else (annotation,)
    return " | ".join(dict.fromkeys(map(_kind, kinds)))


def _kind(kind: Any) -> str:
    origin = get_origin(kind)
    if kind is type(None):
        return "None"
    if origin is Literal:
        return "str"
    if origin in (tuple, list):
        return f"list[{_kind(get_args(kind)[0])}]"
    if origin is dict:
        return f"dict[{', '.join(_kind(each) for each in get_args(kind))}]"
    if hasattr(kind, "__metadata__"):
        return _kind(get_args(kind)[0])
    return str(getattr(kind, "__name__", kind))


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _words(field: FieldInfo) -> str:
    """Return the accepted words of an option that has some."""
    kinds = get_args(field.annotation) if _is_union(field.annotation) else (field.annotation,)
    words = [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]
    return "one of " + ", ".join(f"`{word}`" for word in words) if words else ""


def _bounds(field: FieldInfo) -> str:
    signs = {Ge: ("ge", "≥"), Gt: ("gt", ">"), Le: ("le", "≤"), Lt: ("lt", "<")}
    found = [
        f"{sign} {_number(getattr(each, name))}"
        for each in field.metadata
        for kind, (name, sign) in signs.items()
        if isinstance(each, kind)
    ]
    return " and ".join(found)


def _number(value: float) -> str:
    powers = {2**63: "2⁶³", 2**32: "2³²"}
    return powers.get(int(value), f"{value:g}")


def _default(field: FieldInfo) -> str:
    return "required" if field.is_required() else repr(field.get_default(call_default_factory=True))
