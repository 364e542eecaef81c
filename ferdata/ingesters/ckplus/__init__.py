"""CK+: readers of its layouts, and its synthetic copy."""
