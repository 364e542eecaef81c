"""ferdata in other libraries' code: the snippets that the tests run, as a table and as text."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ferdata_docs.writing import fence, table, write_page

FOLDER = Path(__file__).parents[3] / "tests" / "snippets"
TITLES = {
    "albumentations": "albumentations",
    "duckdb": "DuckDB",
    "hf_datasets": "Hugging Face datasets",
    "kornia": "kornia",
    "lightning": "Lightning",
    "onnxruntime": "ONNX Runtime",
    "pandas": "pandas",
    "polars": "Polars",
    "sklearn": "scikit-learn",
    "timm": "timm",
    "torch": "PyTorch",
    "torchvision": "torchvision",
    "transformers": "transformers",
}
"""The libraries by the name of their file of tests."""


@dataclass(frozen=True)
class Snippet:
    """What a user wants, and the code that does it."""

    wish: str
    code: str


def write_pages(folder: Path) -> None:
    """Write the page."""
    found = {title: list(_snippets(FOLDER / f"test_{name}.py")) for name, title in TITLES.items()}
    rows = [(title, each.wish) for title, snippets in found.items() for each in snippets]
    write_page(
        folder / "snippets.md",
        "# In your own code",
        f"{len(rows)} snippets that use ferdata from other libraries. Each is a test and runs as "
        "it stands here, in a folder with the builds `out/rafdb` and `out/jaffe`; an `assert` says "
        "what comes out.",
        table(("with", "you want to"), rows),
        *(part for title, snippets in found.items() for part in _section(title, snippets)),
    )


def _section(title: str, snippets: list[Snippet]) -> Iterator[str]:
    yield f"## {title}"
    for each in snippets:
        yield each.wish
        yield fence("py", each.code)


def _snippets(path: Path) -> Iterator[Snippet]:
    """Yield the tests of a file: the docstring is the wish, the rest the code."""
    text = path.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        if wish := ast.get_docstring(node):
            lines = text.splitlines()[node.body[1].lineno - 1 : node.end_lineno]
            yield Snippet(wish, textwrap.dedent("\n".join(lines)))
