"""A report as one HTML file: no network, readable without script, nothing executed from the data.

Jinja2 escapes all text; the page's policy (Content-Security-Policy) allows its own script by its
hash, images in data URIs, and no request at all.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from ferdata.core.parsing import parse_json
from ferdata.reports import build_figures, run_figures
from ferdata.reports.charts import Table
from ferdata.reports.views import Report

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_IN_SCRIPT = {each: f"\\u{ord(each):04x}" for each in "&<>\u2028\u2029"}
"""What JSON must not contain inside a script element (HTML Standard, section 4.12.1.3)."""


def page(report: Report) -> str:
    """Return a report as HTML; equal reports give equal text."""
    script = _template("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    shown: list[Table] = []  # in the order of the page; its JSON block comes last
    template = _environment().get_template("page.html.j2")
    return template.render(
        report=report,
        shown=shown,
        style=_template("report.css"),
        script=script,
        script_hash=f"sha256-{digest}",
        data_block=data_block,
        build_figures=build_figures,
        run_figures=run_figures,
    )


def data_block(report: Report, tables: Iterable[Table] = ()) -> str:
    """Return the numbers of a page as JSON that can stand inside a script element.

    Args:
        report: What is shown.
        tables: The tables as they are shown, sums and shares included.
    """
    values = parse_json(report.model_dump_json())  # NaN and infinity become null
    values["tables"] = [
        {"caption": each.caption, "heads": list(each.heads), "rows": [list(r) for r in each.rows]}
        for each in tables
    ]
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escaped in _IN_SCRIPT.items():
        text = text.replace(character, escaped)
    return text


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - start-up

    environment = Environment(
        loader=PackageLoader("ferdata.reports"),
        extensions=["jinja2.ext.do"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["percent"] = lambda value, digits=1: f"{value:.{digits}%}"
    environment.filters["measure"] = lambda value: f"{value:.4g}"
    environment.filters["counted"] = lambda n, noun: f"{n:,} {noun}{'s' * (n != 1)}"
    environment.filters["prose"] = _prose
    environment.filters["place"] = lambda value: f"{value:.2f}".rstrip("0").rstrip(".")
    return environment


def _prose(text: str) -> Markup:
    """Return text as HTML in which what stands between backticks is code."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - start-up

    parts = [escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:  # a backtick without its other one
        return escape(text)
    code = [
        Markup("<code>{}</code>").format(part) if k % 2 else part for k, part in enumerate(parts)
    ]
    return Markup("").join(code)


def _template(name: str) -> str:
    return files("ferdata.reports").joinpath("templates", name).read_text(encoding="utf-8")
