"""Finding duplicates in as many pictures as FER2013 has, beside comparing each with each.

    python tools/bench/duplicates.py [--rows 35887] [--near 12] [--seed 0]

The pictures are 48×48 blurs around one common blur, as faces are around a mean face, with noise.
Five in a hundred are copies to the pixel of another, as in FER2013, and three in a hundred are
another saved as JPEG. Timed on one core: hashing all of them (sha256 of the pixels and perceptual
hash), and finding the pictures among the hashes. Every pair of hashes is compared, too, which has
to give the same answer and shows what the search saves.

Exit code 1 when hashing and finding take longer than the limit, or a near pair was missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.decoding import pixel_sha256
from ferdata.core.perceptual import BITS, NEAR_THRESHOLD, decode_hashes, distances, perceptual_hash

LIMIT = 30.0
SIDE = 48
BLOCK = 256

Pixels = npt.NDArray[np.uint8]


def draw_pictures(rows: int, seed: int) -> tuple[list[Pixels], int, int]:
    """Draw pictures; copies come last.

    Returns:
        The pictures, uint8 (48, 48, 3); how many are equal to another, and how many resaved.
    """
    draws = np.random.default_rng(seed)
    common = draws.normal(0, 40, (8, 8))
    equal, resaved = round(0.05 * rows), round(0.03 * rows)
    pictures: list[Pixels] = []
    for _ in range(rows - equal - resaved):
        coarse = (common + draws.normal(128, 40, (8, 8))).astype(np.float32)
        smooth = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        gray = (smooth + draws.normal(0, 6, (SIDE, SIDE))).clip(0, 255).astype(np.uint8)
        pictures.append(np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), np.uint8))
    twins = draws.choice(len(pictures), equal + resaved, replace=False)
    pictures += [pictures[twin].copy() for twin in twins[:equal]]
    pictures += [as_jpeg(pictures[twin], 90) for twin in twins[equal:]]
    return pictures, equal, resaved


def as_jpeg(pixels: Pixels, quality: int) -> Pixels:
    """Save a picture as JPEG and read it again."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def make_manifest(pixels: list[str], hashes: list[str]) -> Any:
    """Return a manifest with these hashes, one row each."""
    from ferdata.core.labels import BASIC7
    from ferdata.core.manifest import Manifest

    fixed = {"dataset": "bench", "layout": "none", "framing": "crop", "label": "neutral"}
    rows = (
        {**fixed, "sample_id": f"bench/{row}", "uri": f"{row}.png"}
        | {"pixel_sha256": pixel, "perceptual_hash": perceptual}
        for row, (pixel, perceptual) in enumerate(zip(pixels, hashes, strict=True))
    )
    return Manifest.from_rows(rows, BASIC7)


def compare_all(hashes: list[str], near: int) -> npt.NDArray[np.int64]:
    """Compare each hash with each, in blocks; return the near pairs, (M, 2)."""
    words = decode_hashes(hashes)
    found = [np.empty((0, 2), np.int64)]
    for start in range(0, len(words), BLOCK):
        bits = distances(words[start : start + BLOCK, None], words[None, start:])
        pairs = np.argwhere(bits <= near) + start
        found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    return np.concatenate(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=35_887)
    parser.add_argument("--near", type=int, default=NEAR_THRESHOLD)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    from ferdata.curation.clusters import find_clusters

    cv2.setNumThreads(1)
    pictures, equal, resaved = draw_pictures(arguments.rows, arguments.seed)
    start = time.perf_counter()
    pixels = [pixel_sha256(picture) for picture in pictures]
    exact = time.perf_counter() - start
    hashes = [perceptual_hash(picture) for picture in pictures]
    hashing = time.perf_counter() - start
    manifest = make_manifest(pixels, hashes)
    start = time.perf_counter()
    found = find_clusters(manifest, arguments.near)
    finding = time.perf_counter() - start
    start = time.perf_counter()
    pairs = compare_all(hashes, arguments.near)
    brute = time.perf_counter() - start
    missed = int((found.number[pairs[:, 0]] != found.number[pairs[:, 1]]).sum())
    total = hashing + finding
    sizes = np.bincount(found.number)
    print(
        f"{len(pictures):,} pictures of {SIDE} px: {equal:,} equal to another, {resaved:,} resaved"
    )
    print(f"  hash pixels          {exact:7.2f} s")
    print(f"  hash what they show  {hashing - exact:7.2f} s")
    print(f"  find pictures        {finding:7.2f} s   within {arguments.near} of {BITS} bits")
    verdict = "ok" if total <= LIMIT else "MISSED"
    print(f"  all of it            {total:7.2f} s   limit {LIMIT:.0f} s {verdict}")
    print(f"  compare each pair    {brute:7.2f} s   {brute / finding:.0f} times as long")
    print(f"found {int((sizes > 1).sum()):,} pictures with copies; {missed} near pairs missed")
    return int(total > LIMIT or missed > 0)


if __name__ == "__main__":
    sys.exit(main())
