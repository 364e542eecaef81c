"""FER+: reader of its layouts, its label rules, and its synthetic copy."""
