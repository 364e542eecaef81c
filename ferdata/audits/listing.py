"""The rules as a list: for the terminal, and for `docs/audit.md`."""

from __future__ import annotations

from textwrap import wrap

from ferdata.audits.registry import chosen_rules
from ferdata.audits.rule import Rule
from ferdata.core.tables import markdown_table

_WIDTH = 100


def rules_text() -> str:
    """Return the name, severity and purpose of every rule."""
    lines = []
    for each in chosen_rules():
        lines += wrap(
            each.finds,
            _WIDTH,
            initial_indent=f"{each.name:<24}{each.severity:<9}",
            subsequent_indent=" " * 33,
        )
    return "\n".join(lines)


def rules_markdown() -> str:
    """Return the table and the sections of rules in `docs/audit.md`."""
    rules = chosen_rules()
    heads = ("rule", "worst", "looks at", "finds")
    table = markdown_table(heads, [_cells(each) for each in rules], escaped=True)
    return table + "\n" + "".join(_section(each) for each in rules)


def _cells(each: Rule) -> tuple[str, ...]:
    needs = ", ".join(["columns", *(need.value for need in (*each.needs, *each.wants))])
    return f"[`{each.name}`](#{each.name})", each.severity, needs, each.finds


def _section(each: Rule) -> str:
    return f"\n### {each.name}\n\n{each.means}\n\n**What to do.** {each.remedy}\n"
