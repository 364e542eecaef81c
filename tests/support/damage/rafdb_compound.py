"""Damages of the copy of RAF-DB's compound part."""

from __future__ import annotations

from support.damage.rafdb import official

DAMAGE = {"official": official("compound")}
