"""The rules, one file a family; see `ferdata.audits.registry` for all of them by name."""
