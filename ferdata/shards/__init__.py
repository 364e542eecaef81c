"""From a manifest to shards: the plan, rendering, running, finishing, verifying.

`build` runs the whole way from a raw dataset; `BuildOptions` are its options. Names are imported
when they are first used: a worker process needs only the part that renders.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ferdata.shards.options import BuildOptions, Execution
    from ferdata.shards.pipeline import BuildReport, build

__all__ = ["BuildOptions", "BuildReport", "Execution", "build"]

_MODULES = {
    "BuildOptions": "options",
    "BuildReport": "pipeline",
    "Execution": "options",
    "build": "pipeline",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
