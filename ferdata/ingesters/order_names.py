"""The names of the orders of label codes; apart, so that the command line loads nothing else."""

CODES_CHOICE = "codes"
"""The choice, and option on the command line, that names an order."""

ORDER_NAMES = ("fer2013", "alphabetical", "rafdb", "rafdb-0", "affectnet", "ck48")
"""The orders, see `ferdata.ingesters.code_orders`."""
