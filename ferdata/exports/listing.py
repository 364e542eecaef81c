"""The export formats as a table of the documentation."""

from __future__ import annotations

from ferdata.core.tables import markdown_table
from ferdata.exports.contract import COLUMNS
from ferdata.exports.registry import EXPORTS


def exports_markdown() -> str:
    """Return the formats of `docs/exports.md`: what each is, who opens it, what it holds."""
    rows = [
        [f"`{each.name}`", each.title, each.readers, _holds(each.holds)] for each in EXPORTS.all()
    ]
    table = markdown_table(["`--to`", "what is written", "opened by", "holds"], rows, escaped=True)
    examples = [
        f"### {each.name}\n\n```py\n{each.example.format(out='out/export', split='train')}\n```"
        for each in EXPORTS.all()
    ]
    return "\n\n".join([table, *examples]) + "\n"


def _holds(columns: tuple[str, ...]) -> str:
    missing = [name for name in COLUMNS if name not in columns]
    if not missing:
        return "everything"
    if len(missing) < len(columns):
        return f"everything but {', '.join(f'`{name}`' for name in missing)}"
    return ", ".join(f"`{name}`" for name in columns)
