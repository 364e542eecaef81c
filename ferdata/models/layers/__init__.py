"""Layers that timm lacks, one formula per file."""
