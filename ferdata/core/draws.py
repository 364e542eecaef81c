"""Seeded random draws that depend on a name, not on the order of calls.

Every draw is a pure function of the seed and of what it is for (a sample, a copy, a purpose). There
is no shared stream, so the order of rows, the number of workers and a restart in the middle can't
change a value.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np

_DOMAIN = "ferdata-draws/1"  # changing it changes the draws of every build


def generator(
    seed: int, sample_id: str, copy_index: int = 0, purpose: str = ""
) -> np.random.Generator:
    """Return the generator of one sample, one copy and one purpose.

    The generator is Philox4x64-10, counter-based (Salmon et al., "Parallel random numbers: as easy
    as 1, 2, 3", SC 2011), counter 0, under a 128-bit key: the first half of the sha256 of the
    arguments as JSON. Equal arguments give equal streams; others give independent ones.

    NumPy guarantees the stream of Philox, but may change how `Generator` turns it into normal or
    integer variates (NEP 19); therefore a plan's hash covers NumPy's version.

    Args:
        seed: The seed of the whole build.
        sample_id: The sample, or any other name that the draws are for.
        copy_index: The augmented copy; 0 for the original.
        purpose: Makes draws for different purposes independent, for instance `"operations"`.
    """
    key = int.from_bytes(_digest([seed, sample_id, copy_index, purpose])[:16], "little")
    return np.random.Generator(np.random.Philox(key=key))


def rank(seed: int, text: str) -> int:
    """Return a seeded sort key of a name; sorting by it shuffles names independent of their order.

    Args:
        seed: The seed of the whole build.
        text: The name, for instance a sample id. Prefix it with a purpose if the same names are
            shuffled more than once: `f"balance:{sample_id}"`.

    Returns:
        The first 63 bits of a sha256, uniform over 0 ≤ rank < 2^63; fits an int64.
    """
    return int.from_bytes(_digest([seed, text])[:8], "big") >> 1


def _digest(arguments: list[str | int]) -> bytes:
    """Hash a list of arguments; JSON delimits them unambiguously."""
    return hashlib.sha256(json.dumps([_DOMAIN, *arguments]).encode()).digest()
