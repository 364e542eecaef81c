"""Damages of the copy of RAF-DB's compound part."""

from __future__ import annotations

from damage_rafdb import official

DAMAGE = {"official": official("compound")}
