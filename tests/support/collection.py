"""Which files this run of pytest took tests from."""

from __future__ import annotations

import pytest

COLLECTED = pytest.StashKey[set[str]]()
"""Paths relative to the root, in the stash of the run's config."""
