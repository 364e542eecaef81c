"""Build throughput beside two bare loops over the same images.

    python tools/bench/build.py [--images 3000] [--rounds 3] [--workers 2]

Bare loops: `detector only` decodes each image and runs MediaPipe's landmarker on it, nothing else;
`decode + warp + write only` is what a notebook does without ferdata: cv2.imread, cv2.warpAffine and
one row of an HDF5 array. Beside them the whole build from the raw tree to finished, hashed shards:
with an empty detection cache, and without detection. All start their own processes, the same number
on both sides, and that start is part of the time. Rounds are interleaved, since machines are noisy;
the median of the ratios within a round counts.

Exit code 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

LIMITS = {"with detection": 0.85, "without detection": 0.60}
SIZE = 112


def bare_detector(paths: list[str]) -> None:
    """Decode and detect, nothing else."""
    import cv2
    from mediapipe import Image, ImageFormat
    from mediapipe.tasks.python.core.base_options import BaseOptions
    from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions

    from ferdata.faces.model import find_model

    cv2.setNumThreads(1)
    base = BaseOptions(model_asset_path=str(find_model()))
    with FaceLandmarker.create_from_options(FaceLandmarkerOptions(base_options=base)) as detector:
        for path in paths:
            pixels = cv2.imread(path, cv2.IMREAD_COLOR_RGB)
            detector.detect(Image(image_format=ImageFormat.SRGB, data=pixels))


def bare_render(task: tuple[list[str], str]) -> None:
    """Decode, warp and write, nothing else."""
    import cv2
    import h5py
    import numpy as np

    paths, out = task
    cv2.setNumThreads(1)
    with h5py.File(out, "w") as file:
        images = file.create_dataset("image", (len(paths), SIZE, SIZE, 3), np.uint8)
        for row, path in enumerate(paths):
            pixels = np.asarray(cv2.imread(path))
            scale = SIZE / pixels.shape[0]
            shift = (scale - 1) / 2
            matrix = np.array([[scale, 0, shift], [0, scale, shift]])
            images[row] = cv2.warpAffine(
                pixels, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE
            )


def whole_build(data: Path, landmarks: Literal["mediapipe", "none"], workers: int) -> None:
    """Build from the raw tree to finished shards, with an empty cache."""
    from ferdata.build import BuildOptions, Execution, build

    with tempfile.TemporaryDirectory() as folder:
        os.environ["FERDATA_CACHE_DIR"] = str(Path(folder) / "cache")
        # One shard per worker and split, as large sets have many.
        options = BuildOptions(
            landmarks=landmarks, size=SIZE, formats=("hdf5",), shard_bytes=8_000_000
        )
        build("rafdb", data, Path(folder) / "out", options, Execution(workers=workers, quiet=True))


def seconds(function: Callable[[], None]) -> float:
    """Time one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def in_processes(function: Callable[..., None], tasks: list[Any]) -> None:
    """Run one task per spawned process and wait for all."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(len(tasks)) as pool:
        pool.map(function, tasks, chunksize=1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    from ferdata.faces.model import fetch_model, find_model
    from ferdata.synth import write_demo

    if find_model() is None:
        fetch_model(quiet=False)
    with tempfile.TemporaryDirectory() as folder:
        scale = arguments.images / 15339
        data = write_demo("rafdb", Path(folder) / "rafdb", scale=scale, workers=2).root
        paths = sorted(str(path) for path in data.rglob("*_aligned.jpg"))
        shares = [paths[index :: arguments.workers] for index in range(arguments.workers)]
        outs = [str(Path(folder) / f"{index}.h5") for index in range(arguments.workers)]
        pairs: dict[str, tuple[str, Callable[[], None], Callable[[], None]]] = {
            "with detection": (
                "detector only",
                lambda: in_processes(bare_detector, list(shares)),
                lambda: whole_build(data, "mediapipe", arguments.workers),
            ),
            "without detection": (
                "decode + warp + write only",
                lambda: in_processes(bare_render, list(zip(shares, outs, strict=True))),
                lambda: whole_build(data, "none", arguments.workers),
            ),
        }
        failed = False
        print(f"{len(paths)} images, {arguments.workers} processes, {arguments.rounds} rounds")
        for name, (bare_name, bare, build) in pairs.items():
            times = [(seconds(bare), seconds(build)) for _ in range(arguments.rounds)]
            ratio = statistics.median(bare_time / build_time for bare_time, build_time in times)
            bare_rate, build_rate = (
                len(paths) / statistics.median(t) for t in zip(*times, strict=True)
            )
            failed |= ratio < LIMITS[name]
            print(f"  {bare_name:<28} {bare_rate:8,.0f} images/s")
            print(
                f"  build {name:<22} {build_rate:8,.0f} images/s   ratio {ratio:.2f} "
                f"(limit {LIMITS[name]:.2f}) {'ok' if ratio >= LIMITS[name] else 'MISSED'}"
            )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
