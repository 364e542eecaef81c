"""Curation: duplicates, groups, leak-free splits, and merging datasets."""
