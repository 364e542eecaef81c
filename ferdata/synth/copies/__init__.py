"""One file per dataset: its synthetic copy in each of its layouts."""
