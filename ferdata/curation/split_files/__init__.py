"""Splits from files: published without an image, as tables, as lists or as index arrays."""
