"""FER2013: reader of its layouts, and its synthetic copy."""
