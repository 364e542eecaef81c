"""Sound splits: duplicates found, groups kept together, no picture in two splits."""
