"""From a manifest to shards: the plan, rendering, running, finishing.

`build` runs the whole way from a raw dataset; `options.BuildOptions` are its options.
"""

from ferdata.build.build import BuildReport, build
from ferdata.build.options import BuildOptions, Execution

__all__ = ["BuildOptions", "BuildReport", "Execution", "build"]
