"""Audits: rules that find what is wrong in anybody's data, and their findings as records."""
