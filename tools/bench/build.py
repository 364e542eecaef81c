"""Build throughput beside two bare loops over the same images.

    python tools/bench/build.py [--images 15339] [--detect-images 3000] [--rounds 3] [--workers 2]

Bare loops over the same images: `detector only` decodes each image and makes the MediaPipe calls
that a build makes of it (478 points, then the face score), nothing else; `landmarker only` leaves
the score out. `decode + warp + write only` is what a notebook does without ferdata: cv2.imread,
cv2.warpAffine and one row of an HDF5 array.

Beside them the whole build, from the raw tree (RAF-DB's Kaggle layout, images and labels only) to
finished, hashed and synced shards: with an empty detection cache, and without detection. All start
their own processes, the same number on both sides, and that start is part of the time. Rounds are
interleaved, since machines are noisy; the median of the ratios within a round counts.

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
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIMITS = {"with detection": 0.85, "without detection": 0.60}
SIZE = 112


def bare_landmarker(paths: list[str]) -> None:
    """Decode and find landmarks, nothing else."""
    detect(paths, score=False)


def bare_detector(paths: list[str]) -> None:
    """Decode, find landmarks and the face score, nothing else."""
    detect(paths, score=True)


def detect(paths: list[str], *, score: bool) -> None:
    """Run MediaPipe's own classes over images."""
    import cv2
    from mediapipe import Image, ImageFormat
    from mediapipe.tasks.python import vision
    from mediapipe.tasks.python.core.base_options import BaseOptions

    from ferdata.faces.detectors.mediapipe import FACE_LANDMARKER

    cv2.setNumThreads(1)
    model = FACE_LANDMARKER.fetch(quiet=True)
    mesh = vision.FaceLandmarkerOptions(BaseOptions(model_asset_path=str(model)))
    with zipfile.ZipFile(model) as bundle:
        weights = bundle.read("face_detector.tflite")
    face = vision.FaceDetectorOptions(BaseOptions(model_asset_buffer=weights))
    with (
        vision.FaceLandmarker.create_from_options(mesh) as landmarker,
        vision.FaceDetector.create_from_options(face) as detector,
    ):
        for path in paths:
            pixels = cv2.imread(path, cv2.IMREAD_COLOR_RGB)
            image = Image(image_format=ImageFormat.SRGB, data=pixels)
            landmarker.detect(image)
            if score:
                detector.detect(image)


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


def whole_build(data: Path, landmarks: str, workers: int) -> None:
    """Build from the raw tree to finished shards, with an empty cache."""
    from ferdata.shards import BuildOptions, Execution, build_shards

    with tempfile.TemporaryDirectory() as folder:
        os.environ["FERDATA_CACHE_DIR"] = str(Path(folder) / "cache")
        # Several shards per worker, as large sets have.
        options = BuildOptions(
            landmarks=landmarks, size=SIZE, formats=("hdf5",), shard_bytes=32_000_000
        )
        build_shards(
            "rafdb", data, Path(folder) / "out", options, Execution(workers=workers, quiet=True)
        )


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


def compare(
    name: str, images: int, rounds: int, build: Callable[[], None], **bare: Callable[[], None]
) -> bool:
    """Time a build beside bare loops; the first loop is the one that the limit is about."""
    runs = {**bare, "build": build}
    times = [{key: seconds(run) for key, run in runs.items()} for _ in range(rounds)]
    print(f"{name}: {images:,} images, {rounds} rounds")
    rates = {key: images / statistics.median(each[key] for each in times) for key in runs}
    ratios = {key: statistics.median(t[key] / t["build"] for t in times) for key in bare}
    for key, ratio in ratios.items():
        label = key.replace("_", " ")
        print(f"  {label:<28} {rates[key]:8,.0f} images/s   build/bare {ratio:.2f}")
    first = next(iter(ratios.values()))
    verdict = f"limit {LIMITS[name]:.2f} {'ok' if first >= LIMITS[name] else 'MISSED'}"
    print(f"  {'whole build':<28} {rates['build']:8,.0f} images/s   {verdict}")
    return first >= LIMITS[name]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=15339)
    parser.add_argument("--detect-images", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    from ferdata.faces.detectors.mediapipe import FACE_LANDMARKER
    from ferdata.ingesters.demo import write_demo

    FACE_LANDMARKER.fetch()
    workers = arguments.workers
    with tempfile.TemporaryDirectory() as folder:

        def copy(images: int) -> tuple[Path, list[list[str]]]:
            root = Path(folder) / str(images)
            write_demo("rafdb", root, layout="kaggle", scale=images / 15339, workers=workers)
            paths = sorted(str(path) for path in root.rglob("*.jpg"))
            return root, [paths[index::workers] for index in range(workers)]

        data, shares = copy(arguments.images)
        tasks = [(share, f"{folder}/{index}.h5") for index, share in enumerate(shares)]
        good = compare(
            "without detection",
            sum(map(len, shares)),
            arguments.rounds,
            lambda: whole_build(data, "none", workers),
            decode_warp_write_only=lambda: in_processes(bare_render, tasks),
        )
        few, few_shares = copy(arguments.detect_images)
        good &= compare(
            "with detection",
            sum(map(len, few_shares)),
            arguments.rounds,
            lambda: whole_build(few, "mediapipe", workers),
            detector_only=lambda: in_processes(bare_detector, few_shares),
            landmarker_only=lambda: in_processes(bare_landmarker, few_shares),
        )
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
