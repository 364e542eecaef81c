"""Progress bars on standard error, shown only in a terminal."""

from __future__ import annotations

import sys

from tqdm import tqdm


def progress_bar(description: str, total: int, *, unit: str = "image", quiet: bool = False) -> tqdm:  # type: ignore[type-arg]
    """Open a bar that shows rate and time left; call `.update(n)`, use it as a context manager.

    Args:
        description: What is being done, for instance `"finding faces"`.
        total: Number of units of the whole work.
        unit: What is counted.
        quiet: Show nothing; the same if standard error is not a terminal.
    """
    return tqdm(
        total=total,
        desc=description,
        unit=f" {unit}s",
        disable=quiet or not sys.stderr.isatty(),
        dynamic_ncols=True,
        file=sys.stderr,
    )
