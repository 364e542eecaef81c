"""A training run: its options, its record, its folder."""
