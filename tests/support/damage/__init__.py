"""Damage done to synthetic copies: one file per dataset, found by its name."""
