"""Ingest of the large sets beside its limits: FER2013's csv of 300 MB, AffectNet's 415,000 lines.

Run: python tools/bench/ingest.py [--rows 35887] [--lines 414798]
Each ingest runs in a process of its own, whose peak memory is printed with it. The csv is read a
second time row by row as a build does, to see what decoding costs.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

MIN_ROWS_PER_SECOND = 5_000
MAX_SECONDS, MAX_MEGABYTES = 20, 1_000
_USAGES = ("Training", "PublicTest", "PrivateTest")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=35_887)
    parser.add_argument("--lines", type=int, default=414_798)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure[0], Path(options.measure[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_fer2013(root / "fer2013", options.rows)
        size = (root / "fer2013/fer2013.csv").stat().st_size
        seconds, megabytes = run("fer2013", root / "fer2013")
        rate = options.rows / seconds
        print(
            f"fer2013: {options.rows:,} rows, {size / 1e6:,.0f} MB: {rate:,.0f} rows/s, "
            f"{rate / MIN_ROWS_PER_SECOND:.1f} × the limit; peak {megabytes:,.0f} MB"
        )
        decoded = read_rows(root / "fer2013", options.rows)
        print(f"fer2013: read_image of every row: {decoded:,.0f} rows/s in one process")
        write_affectnet(root / "affectnet", options.lines)
        seconds, megabytes = run("affectnet", root / "affectnet")
        print(
            f"affectnet: {options.lines:,} lines: {seconds:.1f} s, {seconds / MAX_SECONDS:.2f} of "
            f"the limit; peak {megabytes:,.0f} MB, {megabytes / MAX_MEGABYTES:.2f} of the limit"
        )


def run(name: str, root: Path) -> tuple[float, float]:
    """Ingest in a process of its own; return seconds and peak memory in MB."""
    command = [sys.executable, __file__, "--measure", name, str(root)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, megabytes = result.stdout.split()[-2:]
    return float(seconds), float(megabytes)


def measure(name: str, root: Path) -> None:
    from ferdata.ingesters import ingest

    start = time.perf_counter()
    manifest = ingest(name, root)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(len(manifest), seconds, peak)


def read_rows(root: Path, rows: int) -> float:
    from ferdata.core.images import read_image

    start = time.perf_counter()
    for row in range(rows):
        read_image(root, f"fer2013.csv#{row}")
    return rows / (time.perf_counter() - start)


def write_fer2013(root: Path, rows: int) -> None:
    """Write a csv of FER2013's shape; the pixels are noise."""
    root.mkdir(parents=True)
    generator = np.random.default_rng(0)
    with (root / "fer2013.csv").open("w") as file:
        file.write("emotion,pixels,Usage\n")
        for row in range(rows):
            pixels = " ".join(map(str, generator.integers(0, 256, 2304).tolist()))
            usage = _USAGES[(row >= rows * 0.8) + (row >= rows * 0.9)]
            file.write(f"{row % 7},{pixels},{usage}\n")


def write_affectnet(root: Path, lines: int) -> None:
    """Write a list of AffectNet's shape, and an empty file for each image."""
    from ferdata.ingesters.affectnet.full import COLUMNS

    generator = np.random.default_rng(0)
    lists, images = root / "Manually_Annotated_file_lists", root / "Manually_Annotated_Images"
    lists.mkdir(parents=True)
    for folder in range(1_000):
        (images / str(folder)).mkdir(parents=True)
    with (lists / "training.csv").open("w") as file:
        file.write(",".join(COLUMNS) + "\n")
        for line in range(lines):
            name = f"{line % 1000}/{line:056x}.jpg"
            points = ";".join(f"{value:.2f}" for value in generator.uniform(0, 500, 136).tolist())
            file.write(f"{name},10,12,300,310,{points},{line % 11},0.123,-0.5\n")
            (images / name).touch()


if __name__ == "__main__":
    main()
