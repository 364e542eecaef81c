"""The names of the orders of label codes; apart, so that the command line loads nothing else."""

from __future__ import annotations

from typing import Literal, get_args

CODES_CHOICE = "codes"
"""The choice, and option on the command line, that names an order."""

OrderName = Literal[
    "fer2013", "alphabetical", "alphabetical-8", "rafdb", "rafdb-0", "affectnet", "ferplus", "ck48"
]

ORDER_NAMES: tuple[str, ...] = get_args(OrderName)
"""The known orders: those of datasets, RAF-DB's less one (`rafdb-0`, as in several training
repositories), CK+'s in its array copies (`ck48`), and that of folders named anger, disgust, fear,
happiness, neutral, sadness, surprise, without or with contempt (`alphabetical`,
`alphabetical-8`)."""

OF_CODES = "label codes are read in the order"
"""What the record of a decision on codes begins with."""
