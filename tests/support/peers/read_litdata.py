"""Reads a split of an exported LitData folder in LitData's own environment into an npz file."""

import sys

import numpy as np
from litdata import StreamingDataset


def main(folder: str, target: str) -> None:
    rows = list(StreamingDataset(folder))
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    np.savez(target, **columns)


if __name__ == "__main__":  # LitData starts processes
    main(*sys.argv[1:])
