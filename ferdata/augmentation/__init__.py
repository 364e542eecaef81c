"""Augmentation: what is drawn for a copy, how it is rendered, and which classes get copies."""
