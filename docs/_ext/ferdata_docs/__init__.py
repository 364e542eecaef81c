"""Pages that are made of the program's own data, so that nothing in them drifts.

| module | pages |
|---|---|
| `commands` | the command line, from the verbs of `ferdata.cli` |
| `options` | every option, from the typed options |
| `datasets` | a page per dataset, from `manifests/datasets`, with drawn samples |
| `papers` | a page per paper, from `manifests/recipes` |
| `operations` | the gallery of operations, with pictures |
| `formats` | tables of the file formats, from the schemas and a small build |
| `messages` | the FAQ, from commands that fail |
| `snippets` | ferdata in other libraries' code, from `tests/snippets` |
"""

from __future__ import annotations

import logging
import socket
from importlib import import_module
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

MAKERS = (
    "commands",
    "options",
    "datasets",
    "papers",
    "operations",
    "formats",
    "messages",
    "snippets",
)


def make_pages(folder: Path) -> None:
    """Write all generated pages into a folder."""
    logging.getLogger("ferdata").setLevel(logging.ERROR)
    for maker in MAKERS:
        import_module(f"{__name__}.{maker}").write_pages(folder)


def setup(app: Any) -> dict[str, Any]:
    """Make the pages before Sphinx looks for sources."""
    app.connect("config-inited", lambda app, _: make_pages(Path(app.srcdir) / "generated"))
    app.connect("builder-inited", _spare_links_offline)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _spare_links_offline(app: Any) -> None:
    """Let `linkcheck` check nothing where no name can be resolved, instead of failing all links."""
    if app.builder.name != "linkcheck":
        return
    try:
        socket.getaddrinfo("doi.org", 443)
    except OSError:
        app.config.linkcheck_ignore = [r"https?://.*"]
        logger.warning("no network: external links are not checked")
