"""Augmentation: the operations of a copy, how they are drawn and rendered, and class balancing."""
