"""How fast batches come: ferdata's loaders beside the ways that people use, in one run.

Shuffled batches of 64 over 15,339 images of 100×100×3 (RAF-DB's number and size) in four shards.
The pictures are random but smooth, as faces are, so that JPEG files have the size of RAF-DB's
(about 4 kB) and the readers of files are not slowed down by noise that no photograph has.

All readers deliver uint8 images and labels to the main process, and every one visits each image
once per round. Rounds are interleaved (one epoch of each reader, then the next round) and ratios
are taken within a round before their median, because other load on a machine comes and goes.

"gather from RAM" is `numpy.take(images, indices, axis=0)` from one array in memory, and the same
for the labels: the least that making a batch can cost. Like every reader here, it gives the
consumer images and labels as tensors of its own.

    python tools/bench/loader.py            all readers, about two minutes
    python tools/bench/loader.py --quick    fewer images and rounds; limits are shown, not enforced

The exit code is 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import numpy.typing as npt

BATCH = 64
SIDE = 100
CLASSES = 7
PLAN = "0" * 64
SPACE = {"name": "classes7", "names": [f"class{number}" for number in range(CLASSES)]}

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Epoch = Callable[[], Iterator[int]]


@dataclass
class Reader:
    """One way to read: gives the size of each batch of an epoch."""

    name: str
    epoch: Epoch
    slow: bool = False


@dataclass
class Limit:
    """A ratio between two readers that has to hold."""

    reader: str
    reference: str
    least: float


LIMITS = (
    Limit("ShardLoader", "gather from RAM", 0.90),
    Limit("ShardLoader", "ImageFolder, 2 workers", 40.0),
    Limit("DataLoader(ShardDataset)", "gather from RAM", 0.75),
)


def main() -> int:
    options = parse()
    with tempfile.TemporaryDirectory(prefix="ferdata-bench-", dir=options.directory) as folder:
        print(f"writing {options.images} images to {folder}", file=sys.stderr)
        images, labels = draw(options.images)
        root = Path(folder)
        write_build(root / "build", images, labels)
        write_files(root, images, labels)
        readers = [
            *fast_readers(root / "build", images, labels),
            *slow_readers(root, options.workers),
        ]
        rates = measure(readers, options.images, options.rounds, options.slow_rounds)
    report(readers, rates)
    return check(rates, enforce=not options.quick)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="2,000 images, 3 rounds")
    parser.add_argument("--images", type=int, default=15_339)
    parser.add_argument("--rounds", type=int, default=15, help="epochs of each fast reader")
    parser.add_argument("--slow-rounds", type=int, default=3, help="epochs of the other readers")
    parser.add_argument("--workers", type=int, default=2, help="of ImageFolder and datasets")
    parser.add_argument("--directory", type=Path, help="where the temporary folder goes")
    options = parser.parse_args()
    if options.quick:
        options.images, options.rounds, options.slow_rounds = 2_000, 3, 1
    return options


def draw(count: int) -> tuple[Images, Labels]:
    """Draw smooth color fields with a little noise."""
    generator = np.random.default_rng(0)
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    noise = generator.normal(0, 3, (64, SIDE, SIDE, 3)).astype(np.float32)
    for position, image in enumerate(images):
        field = generator.integers(30, 226, (8, 8, 3)).astype(np.float32)
        smooth = cv2.resize(field, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        image[...] = np.clip(smooth + noise[position % 64], 0, 255)
    return images, generator.integers(0, CLASSES, count, dtype=np.int64)


def write_build(root: Path, images: Images, labels: Labels) -> None:
    """Write a build of four raw shards, as far as its readers look."""
    shards = [f"hdf5/train-{number:05d}-of-00004.h5" for number in range(4)]
    (root / "hdf5").mkdir(parents=True)
    parts = np.array_split(np.arange(len(images)), 4)
    for shard, rows in zip(shards, parts, strict=True):
        with h5py.File(root / shard, "w", libver=("v110", "v114")) as file:
            file.create_dataset("image", data=images[rows])
            file.create_dataset("label", data=labels[rows])
            file.attrs.update(
                format="ferdata-h5/1",
                split="train",
                plan_sha256=PLAN,
                encoding="raw",
                label_space=json.dumps(SPACE),
            )
    counts = {name: int((labels == k).sum()) for k, name in enumerate(SPACE["names"])}
    facts = {
        "format": "ferdata-build/1",
        "name": "bench",
        "plan_sha256": PLAN,
        "label_space": SPACE,
        "image": {"height": SIDE, "width": SIDE, "channels": 3, "encoding": "raw"},
        "landmarks": {"scheme": None, "points": 0},
        "splits": {"train": {"rows": len(images), "shards": shards, "counts": counts}},
        "files": {s: {"rows": len(p)} for s, p in zip(shards, parts, strict=True)},
    }
    (root / "build.json").write_text(json.dumps(facts))


def write_files(root: Path, images: Images, labels: Labels) -> None:
    """Write the images as JPEG files in class folders, and as a Parquet file of the same bytes."""
    import datasets

    column: list[dict[str, Any]] = []
    for number in range(CLASSES):
        (root / "folder" / f"class{number}").mkdir(parents=True)
    for position, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
        column.append({"bytes": data.tobytes(), "path": None})
        (root / "folder" / f"class{label}" / f"{position:05d}.jpg").write_bytes(data.tobytes())
    print(
        f"mean JPEG: {statistics.mean(len(c['bytes']) for c in column):.0f} bytes", file=sys.stderr
    )
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=SPACE["names"])}
    )
    table = datasets.Dataset.from_dict({"image": column, "label": labels}, features=features)
    table.to_parquet(root / "images.parquet")


def fast_readers(build: Path, images: Images, labels: Labels) -> list[Reader]:
    """Return the readers of decoded pixels."""
    import torch.utils.data

    from ferdata.data import ShardDataset, ShardLoader

    generator = np.random.default_rng(1)
    loader = ShardLoader(build, "train", BATCH)
    dataset = ShardDataset(build, "train")
    through = torch.utils.data.DataLoader(dataset, batch_size=BATCH, shuffle=True)
    files = [
        h5py.File(path, "r", locking=False, rdcc_nbytes=0)
        for path in dataset.build.shard_paths("train")
    ]
    stored = [file["image"] for file in files]
    borders = np.cumsum([0, *(len(dataset) for dataset in stored)])
    reused = np.empty((BATCH, SIDE, SIDE, 3), np.uint8)

    def orders() -> Iterator[npt.NDArray[np.int64]]:
        order = generator.permutation(len(images))
        return (order[start : start + BATCH] for start in range(0, len(order), BATCH))

    def tensors(pixels: Images, rows: npt.NDArray[np.int64]) -> dict[str, torch.Tensor]:
        batch = {"image": pixels, "label": np.take(labels, rows)}
        return {field: torch.from_numpy(values) for field, values in batch.items()}

    def from_ram() -> Iterator[int]:
        for rows in orders():
            batch = tensors(np.take(images, rows, axis=0), rows)
            yield len(batch["image"])

    def from_ram_reused() -> Iterator[int]:
        for rows in orders():
            pixels = np.take(images, rows, axis=0, out=reused[: len(rows)], mode="clip")
            yield len(tensors(pixels, rows)["image"])

    def from_h5py() -> Iterator[int]:
        for rows in orders():
            pixels = np.empty((len(rows), SIDE, SIDE, 3), np.uint8)
            for place, row in enumerate(rows.tolist()):
                shard = int(borders.searchsorted(row, side="right")) - 1
                pixels[place] = stored[shard][row - borders[shard]]
            yield len(tensors(pixels, rows)["image"])

    return [
        Reader("gather from RAM", from_ram),
        Reader("  same, into one buffer", from_ram_reused),
        Reader("ShardLoader", lambda: (len(batch["image"]) for batch in loader)),
        Reader("DataLoader(ShardDataset)", lambda: (len(batch["image"]) for batch in through)),
        Reader("h5py per sample", from_h5py, slow=True),
    ]


def slow_readers(root: Path, workers: int) -> list[Reader]:
    """Return the readers of JPEG bytes, each in worker processes."""
    import datasets
    import torch.utils.data
    import torchvision

    datasets.disable_progress_bars()
    pixels = torchvision.transforms.PILToTensor()
    folder = torchvision.datasets.ImageFolder(str(root / "folder"), transform=pixels)
    table = datasets.load_dataset(
        "parquet", data_files=str(root / "images.parquet"), cache_dir=str(root / "cache")
    )["train"].with_format("torch")

    def loader(dataset: Any) -> Any:
        return torch.utils.data.DataLoader(
            dataset, batch_size=BATCH, shuffle=True, num_workers=workers
        )

    through_folder, through_table = loader(folder), loader(table)
    return [
        Reader(
            f"ImageFolder, {workers} workers",
            lambda: (len(images) for images, _ in through_folder),
            slow=True,
        ),
        Reader(
            f"Hugging Face datasets, {workers} workers",
            lambda: (len(batch["image"]) for batch in through_table),
            slow=True,
        ),
    ]


def measure(
    readers: list[Reader], images: int, rounds: int, slow_rounds: int
) -> dict[str, list[float]]:
    """Return images/s of each reader and round; the first round of the fast ones warms up."""
    rates: dict[str, list[float]] = {reader.name: [] for reader in readers}
    for number in range(-1, rounds):
        for reader in readers:
            if reader.slow and not 0 <= number < slow_rounds:
                continue
            begun = time.perf_counter()
            count = sum(reader.epoch())
            seconds = time.perf_counter() - begun
            if count != images:
                raise SystemExit(f"{reader.name}: {count} images in an epoch of {images}")
            if number >= 0:
                rates[reader.name].append(images / seconds)
    return rates


def ratio(rates: dict[str, list[float]], reader: str, reference: str) -> float:
    """Return the median over rounds of a reader's rate divided by another's in the same round."""
    pairs = zip(rates[reader], rates[reference], strict=False)
    return statistics.median(mine / other for mine, other in pairs)


def report(readers: list[Reader], rates: dict[str, list[float]]) -> None:
    folder = next(name for name in rates if name.startswith("ImageFolder"))
    print(f"{'images/s, batches of 64':34} {'median':>10} {'best':>10}  × RAM  × ImageFolder")
    for name in (reader.name for reader in readers):
        print(
            f"{name:34} {statistics.median(rates[name]):10,.0f} {max(rates[name]):10,.0f}"
            f"  {ratio(rates, name, 'gather from RAM'):5.2f}  {ratio(rates, name, folder):8.1f}"
        )


def check(rates: dict[str, list[float]], *, enforce: bool) -> int:
    missed = False
    for limit in LIMITS:
        if limit.reference not in rates:  # another number of workers was asked for
            continue
        found = ratio(rates, limit.reader, limit.reference)
        verdict = "PASS" if found >= limit.least else "FAIL"
        missed |= found < limit.least
        print(f"{verdict}  {limit.reader} ≥ {limit.least} × {limit.reference}: {found:.2f}")
    return 1 if missed and enforce else 0


if __name__ == "__main__":
    sys.exit(main())
