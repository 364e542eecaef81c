"""How fast the five models train, and how long they wait for data; on a CPU or a GPU.

Each model trains as its recipe says (input size, loss, optimizer, augmentation on the device) on
images of 100×100×3, two epochs: the first warms up, the second counts. `waiting` is the share of
the epoch's time in which the training loop stood still until a batch was there. At the end the
loader alone is timed over the same build, on the same machine.

    python tools/bench/training.py                         a_mobilenet, some minutes on two cores
    python tools/bench/training.py --models all --images 256
    python tools/bench/training.py --models all --images 15339 --device gpu --precision bf16-mixed

With --save the figures are written to tools/results, in a file named after the device. The exit
code is 1 where a model waits longer, or the loader is slower, than the limits say.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from loader import draw, write_build

from ferdata.data import Build, ShardLoader
from ferdata.recipes import load_recipe, recipe_names
from ferdata.runs.options import TrainOptions
from ferdata.training import run_training
from ferdata.training.recipe_options import recipe_options

MOST_WAITING = 0.03
LEAST_LOADED = 100_000.0  # images/s at 100×100
RESULTS = Path(__file__).parents[1] / "results"


def main() -> int:
    options = parse()
    logging.getLogger("ferdata").setLevel(logging.ERROR)  # the build is not that of the recipes
    with tempfile.TemporaryDirectory(prefix="ferdata-bench-") as folder:
        root = Path(folder)
        write_build(root / "build", *draw(options.images))
        figures = [measure(name, root, options) for name in options.models]
        loaded = loader_rate(root / "build")
    record = {
        "device": device_name(options.device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "images": options.images,
        "models": figures,
        "loader_images_per_second": round(loaded),
    }
    report(record)
    if options.save:
        RESULTS.mkdir(exist_ok=True)
        name = "".join(letter if letter.isalnum() else "-" for letter in str(record["device"]))
        path = RESULTS / f"training-{name.lower()}.json"
        path.write_text(json.dumps(record, indent=1) + "\n")
        print(f"written to {path}", file=sys.stderr)
    late = [each["model"] for each in figures if each["waiting"] > MOST_WAITING]
    slow = loaded < LEAST_LOADED
    for name in late:
        print(f"LIMIT MISSED: {name} waits more than {MOST_WAITING:.0%} of an epoch for data")
    if slow:
        print(f"LIMIT MISSED: the loader delivers fewer than {LEAST_LOADED:,.0f} images/s")
    return 1 if late or slow else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--models", nargs="+", default=["a_mobilenet"], help="recipes, or all")
    parser.add_argument("--images", type=int, default=512, help="train images")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--save", action="store_true", help="write the figures to tools/results")
    options = parser.parse_args()
    if options.models == ["all"]:
        options.models = list(recipe_names())
    return options


def measure(name: str, root: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Train one recipe's model for two epochs; return the figures of the second."""
    given = {
        "epochs": 2,
        "batch_size": options.batch_size,
        "device": options.device,
        "precision": options.precision,
        "select": "last",
        "early_stopping": 0,
        "subset": 1.0,
        "subset_epochs": 0,
    }
    print(f"training {load_recipe(name).title}", file=sys.stderr)
    wanted = recipe_options(name, Build.open(root / "build"), given)
    # Adam's steps are the same for any loss; noise can't be learned, so a low rate keeps it finite
    wanted = TrainOptions.checked(
        {**wanted.model_dump(exclude_unset=True), "lr": min(wanted.lr, 1e-4)}
    )
    report = run_training(root / "build", root / name, wanted, quiet=True)
    last = report.history[-1]
    return {
        "model": name,
        "parameters": report.parameters,
        "input_size": wanted.input_size,
        "batch_size": wanted.batch_size,
        "images_per_second": last["images_per_second"],
        "waiting": last["waiting"],
    }


def loader_rate(build: Path) -> float:
    """Return the images per second that the loader alone delivers, the best of five epochs."""
    loader = ShardLoader(build, "train", 64)
    repeats = max(1, 20_000 // len(loader.dataset))  # epochs of a small build are too short to time
    best = 0.0
    for _ in range(5):
        started = time.perf_counter()
        number = sum(len(batch["label"]) for _ in range(repeats) for batch in loader)
        best = max(best, number / (time.perf_counter() - started))
    return best


def device_name(device: str) -> str:
    if device == "gpu":
        return torch.cuda.get_device_name()
    return f"{platform.machine()} CPU, {os.cpu_count()} cores"


def report(record: dict[str, Any]) -> None:
    print(f"{record['device']}, torch {record['torch']}, {record['images']} images of 100×100×3")
    print(f"{'model':<16} {'input':>5} {'batch':>5} {'images/s':>9} {'waiting':>8}")
    for each in record["models"]:
        print(
            f"{each['model']:<16} {each['input_size'] or 100:>5} {each['batch_size']:>5} "
            f"{each['images_per_second']:>9,.1f} {each['waiting']:>8.2%}"
        )
    print(f"loader alone: {record['loader_images_per_second']:,} images/s")


if __name__ == "__main__":
    sys.exit(main())
