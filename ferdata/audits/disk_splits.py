"""The split that a row is used in, as against the split that its authors gave it.

Whoever trains on a folder `train` trains on what lies there, whatever the files are called. So the
split of a build or a manifest counts first, then that of the folders, then that of the copy's lists
or columns, and last the authors'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.given_splits import split_of_word
from ferdata.core.schema import SPLITS

Codes = npt.NDArray[np.int64]

_MOST = 0.99  # of the rows that must lie in folders of splits


@dataclass(frozen=True)
class SplitColumns:
    """Splits as indices into `SPLITS`, −1 for none; each of shape (N,).

    Attributes:
        used: The split that counts.
        folders: The split that the folders say.
        official: The split that the authors gave.
    """

    used: Codes
    folders: Codes
    official: Codes


def split_columns(table: pa.Table) -> SplitColumns:
    """Read the splits of a manifest's rows."""
    assigned = _codes(table.column("split"), dict(zip(SPLITS, SPLITS, strict=True)).get)
    official = _codes(table.column("official_split"), dict(zip(SPLITS, SPLITS, strict=True)).get)
    folders = _codes(folder_column(table.column("uri")), _split_of_folder)
    native = _codes(table.column("split_native"), split_of_word)
    used = next((each for each in (assigned, folders, native) if _is_split(each)), official)
    if (assigned >= 0).any():
        used = assigned
    return SplitColumns(used, folders, official)


def folder_column(uris: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the folder of each uri; empty for files at the root and for rows of a file."""
    rows_of_files = pc.match_substring(uris, "#")
    folders = pc.replace_substring_regex(uris, pattern="/?[^/]*$", replacement="")
    return pc.if_else(rows_of_files, pa.scalar(""), folders)


def _is_split(codes: Codes) -> bool:
    """Say whether nearly all rows have a split, and there are several."""
    known = codes >= 0
    return bool(len(codes) and known.mean() >= _MOST and len(np.unique(codes[known])) > 1)


def _split_of_folder(folder: str) -> str | None:
    """Return the split that a folder's path names, the innermost word of several."""
    found = [split for part in folder.split("/") if (split := split_of_word(part))]
    return found[-1] if found else None


def _codes(column: pa.ChunkedArray, meaning: object) -> Codes:
    """Return the split that each value means, looked up once for each distinct value."""
    encoded = pc.dictionary_encode(column.combine_chunks())
    meant = [meaning(word) for word in encoded.dictionary.to_pylist()]  # type: ignore[operator]
    table = np.array([SPLITS.index(each) if each else -1 for each in meant] + [-1], np.int64)
    indices = pc.fill_null(encoded.indices, len(meant)).to_numpy()
    return np.asarray(table[indices])
