"""From a manifest to shards: the plan, rendering, running, finishing.

`build` runs the whole way from a raw dataset; `options.BuildOptions` are its options.
"""

from ferdata.build.options import BuildOptions, Execution
from ferdata.build.pipeline import BuildReport, build

__all__ = ["BuildOptions", "BuildReport", "Execution", "build"]
