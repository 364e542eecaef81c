"""Layers that timm lacks, one formula a file."""
