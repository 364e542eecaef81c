"""From a manifest to shards: the plan, rendering, running, finishing, verifying.

Names are imported on first use: a worker process needs only the part that renders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from ferdata.shards.options import BuildOptions, Execution
    from ferdata.shards.pipeline import BuildReport, build_shards
    from ferdata.shards.record import BuildRecord

__all__ = ["BuildOptions", "BuildRecord", "BuildReport", "Execution", "build_shards"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("BuildOptions", "Execution"), "options"),
        **dict.fromkeys(("BuildReport", "build_shards"), "pipeline"),
        "BuildRecord": "record",
    },
)
