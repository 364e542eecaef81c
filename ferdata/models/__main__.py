"""Run a script with ferdata's models in timm: `python -m ferdata.models train.py DIR --model …`.

timm's own train.py and validate.py know only the models that are registered in their process.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path


def main() -> None:
    """Register the models, and run the script that the first argument names with the others."""
    if len(sys.argv) < 2 or not Path(sys.argv[1]).is_file():
        sys.exit("usage: python -m ferdata.models SCRIPT.py [ARGUMENTS]")
    import ferdata.models.timm_entries  # noqa: F401, PLC0415 - loads torch

    del sys.argv[0]
    sys.path.insert(0, str(Path(sys.argv[0]).parent))  # as Python does for a script
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
