"""One reader for all tables that are text: csv, tsv, lists of words; whoever saved them last.

`open_table` finds the columns by name, whatever the encoding, the separator and the quotes, and
yields each line whole or with what is wrong about it. `sniff_table` shows the first lines of a
table that nothing is known of yet. What is no table of text is refused by the name of what it is.
"""

from __future__ import annotations

from ferdata.core.delimited.dialect import DELIMITERS, Dialect, fold_name, split_line, trimmed
from ferdata.core.delimited.encoding import TextFormat, other_kind, read_head, text_format
from ferdata.core.delimited.lines import TextLines, open_lines, read_lines, read_words
from ferdata.core.delimited.table import (
    BLANK,
    Line,
    Table,
    TableHead,
    open_table,
    open_table_at,
    sniff_table,
)
from ferdata.core.delimited.values import posix_path, real_number, whole_number

__all__ = [
    "BLANK",
    "DELIMITERS",
    "Dialect",
    "Line",
    "Table",
    "TableHead",
    "TextFormat",
    "TextLines",
    "fold_name",
    "open_lines",
    "open_table",
    "open_table_at",
    "other_kind",
    "posix_path",
    "read_head",
    "read_lines",
    "read_words",
    "real_number",
    "sniff_table",
    "split_line",
    "text_format",
    "trimmed",
    "whole_number",
]
