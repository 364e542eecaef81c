"""Which models timm has, told without importing it, which would load torch."""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ferdata.core.errors import UnknownNameError
from ferdata.models.registry import MODELS

_DECLARED = re.compile(r"^@register_model\s+def (\w+)\(", re.MULTILINE)
_DEPRECATED = re.compile(
    r"^register_model_deprecations\(__name__, \{(.*?)\}\)", re.MULTILINE | re.DOTALL
)
_OLD_NAME = re.compile(r"['\"](\w+)['\"]\s*:")


def require_model(name: str) -> None:
    """Check that there is a model of a name, as far as that can be told without torch.

    Raises:
        UnknownNameError: There is no such model; the message lists the closest names.
    """
    architecture = name.partition(".")[0]  # without the weights' tag
    if {name, architecture.removeprefix("fer_")} & set(MODELS) or "timm" in sys.modules:
        return  # what a program adds to timm after importing it, `create_model` knows
    declared, old = timm_names()
    if declared and architecture not in declared | old:
        raise UnknownNameError("model", name, {*MODELS, *declared})


@cache
def timm_names() -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of timm's models, and names of earlier versions that it still takes.

    They are read in the code of timm; there are none where it is not installed.
    """
    found = find_spec("timm")
    if found is None or not found.submodule_search_locations:
        return frozenset(), frozenset()
    files = sorted((Path(found.submodule_search_locations[0]) / "models").glob("*.py"))
    code = "\n".join(file.read_text(encoding="utf-8") for file in files)
    old = (name for block in _DEPRECATED.findall(code) for name in _OLD_NAME.findall(block))
    return frozenset(_DECLARED.findall(code)), frozenset(old)
