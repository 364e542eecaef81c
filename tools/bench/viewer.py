"""Measure the viewer on a build of 300,000 images, as a reader at the browser feels it.

The build is written by the project's own shard writer: 48×48 gray faces, `raw`, in shards of 50,000
rows. Every row has its own place on disk (some 700 MB), an id, a hash and five landmarks; only the
drawing is repeated, 140 faces over and over. The page is opened in a headless Chromium of 1280×900
pixels on the same machine. A time ends when every image in sight is decoded and two frames later,
so that it includes the server, the transfer, the script and the painting.

"first view" counts from the request for the page. "ready" is the time from the start of the command
until the page can be asked for: imports, manifest, nothing of the images.

    python tools/bench/viewer.py             300,000 rows, about two minutes
    python tools/bench/viewer.py --rows 2000 --rounds 1

The exit code is 1 where a limit is missed. Needs Chromium.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

ROOT = Path(__file__).parents[2]
SIDE = 48
SHARD = 50_000
SHARES = {"train": 8, "validation": 1, "test": 1}
FACES_PER_CLASS = 20
PLAN = "0" * 64
FIRST_VIEW = 2.0  # seconds
FILTER = 0.5

PAINTED = """
new Promise((done) => {
  const wait = () => {
    const grid = document.querySelector("#grid");
    const images = [...document.querySelectorAll("#grid img")];
    const whole = images.length && images.every((each) => each.complete && each.naturalWidth);
    if (grid?.getAttribute("aria-busy") === "false" && whole && %s) {
      requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
    } else requestAnimationFrame(wait);
  };
  wait();
})
"""

CHANGE = """
(() => {
  const { elements } = document.querySelector("#filters");
  for (const name of ["split", "label", "finding", "search"]) elements[name].value = "";
  elements.sort.value = "build";
  window.before = document.querySelector("#grid img");
  elements.%s.value = "%s";
  window.begun = performance.now();
  elements.split.dispatchEvent(new Event("input", { bubbles: true }));
})()
"""

DETAIL = """
(async () => {
  const begun = performance.now();
  document.querySelector(".cell").click();
  while (!document.querySelector("#neighbors img")) await new Promise(requestAnimationFrame);
  return performance.now() - begun;
})()
"""

FILTERS = {
    "filter by class": ("label", "fear"),
    "filter by split": ("split", "test"),
    "filter by finding": ("finding", "quality: dark"),
    "search by id": ("search", "_0123"),
    "sort by id": ("sort", "id"),
    "sort by class": ("sort", "class"),
    "all again": ("split", ""),
}
"""What is done to the page's form: a field and its value."""


def main() -> int:
    options = parse()
    with tempfile.TemporaryDirectory(prefix="ferdata-bench-", dir=options.directory) as folder:
        root = Path(folder)
        print(f"writing {options.rows:,} rows to {folder}", file=sys.stderr)
        write_build(root / "build", options.rows)
        times = measure(root, options.rounds)
    print(f"{options.rows:,} rows, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    missed = False
    for name, limit in limits(times).items():
        median, worst = statistics.median(times[name]), max(times[name])
        verdict = (
            "" if limit is None else f"  limit {limit} s: {'ok' if median < limit else 'MISSED'}"
        )
        missed |= limit is not None and median >= limit
        print(f"{name:28} {median:6.3f} s  (worst {worst:.3f}){verdict}")
    return int(missed)


def limits(times: dict[str, list[float]]) -> dict[str, float | None]:
    """Return the limit of each measurement; None for those without one."""
    known = {"ready": None, "first view": FIRST_VIEW, "nearest neighbors, detail": None}
    return {name: known.get(name, FILTER) for name in times}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--directory", type=Path, help="where the temporary build goes")
    return parser.parse_args()


def write_build(out: Path, rows: int) -> None:
    """Write a build with three splits: 80, 10 and 10 percent of the rows."""
    from ferdata.core.labels import BASIC7
    from ferdata.core.manifest import Manifest
    from ferdata.core.schema import SCHEMA
    from ferdata.formats.dummies import dummy_spec
    from ferdata.formats.names import shard_name
    from ferdata.shards.dummies import dummy_record
    from ferdata.shards.record import FileRecord, SplitRecord

    faces, points = draw(BASIC7.names)
    splits, files = {}, {}
    tables: list[pa.Table] = []
    for split, share in SHARES.items():
        total = rows // 10 * share
        sizes = [min(SHARD, total - start) for start in range(0, total, SHARD)]
        names = [shard_name(split, k, len(sizes), ".h5") for k in range(len(sizes))]
        for k, (name, size) in enumerate(zip(names, sizes, strict=True)):
            spec = dummy_spec(
                rows=size, height=SIDE, width=SIDE, channels=1, split=split,
                attributes={"plan_sha256": PLAN},
            )  # fmt: skip
            batch = make_rows(split, k * SHARD, size, faces, points)
            write_shard(out / "hdf5" / name, spec, batch)
            files[f"hdf5/{name}"] = FileRecord(sha256="0" * 64, rows=size)
            tables.append(manifest_rows(split, batch, BASIC7.names, len(tables), SCHEMA))
        shards = tuple(f"hdf5/{name}" for name in names)
        splits[split] = SplitRecord(rows=total, shards=shards)
    Manifest(pa.concat_tables(tables), BASIC7).save(out / "manifest.parquet")
    dummy_record(spec, PLAN, splits, files=files).save(out)


def draw(labels: tuple[str, ...]) -> tuple[Any, Any]:
    """Draw some faces of each class: pixels (C, N, H, W, 1) and five points."""
    import cv2

    from ferdata.core.draws import generator
    from ferdata.synth import draw_face

    drawn = [
        [
            draw_face(label, generator(0, f"{label}/{k}", purpose="bench"), SIDE)
            for k in range(FACES_PER_CLASS)
        ]
        for label in labels
    ]
    gray = [
        [cv2.cvtColor(face.pixels, cv2.COLOR_RGB2GRAY)[..., None] for face in row] for row in drawn
    ]
    return np.array(gray), np.array([[15, 20], [33, 20], [24, 28], [17, 36], [31, 36]], np.float32)


def make_rows(split: str, first: int, size: int, faces: Any, points: Any) -> Any:
    """Return the rows of a shard."""
    from ferdata.formats.content import RowBatch

    numbers = np.arange(first, first + size)
    label = numbers % len(faces)
    empty = [""] * size
    return RowBatch(
        pixels=faces[label, numbers // len(faces) % FACES_PER_CLASS],
        label=label,
        soft_label=np.eye(len(faces), dtype=np.float32)[label],
        landmarks=np.broadcast_to(points, (size, 5, 2)),
        box=np.full((size, 4), np.nan, np.float32),
        valence=np.full(size, np.nan, np.float32),
        arousal=np.full(size, np.nan, np.float32),
        sample_id=[f"bench/{split}_{number:06d}" for number in numbers.tolist()],
        dataset=["bench"] * size,
        subject=empty,
        parent_id=empty,
        operations=empty,
    )


def write_shard(path: Path, spec: Any, batch: Any) -> None:
    """Write a shard with the project's own writer."""
    from ferdata.formats.dummies import cut
    from ferdata.formats.registry import FORMATS

    path.parent.mkdir(parents=True, exist_ok=True)
    with FORMATS.get("hdf5").writer(path, spec) as writer:
        for part in cut(batch, 10_000):
            writer.append(part)


def manifest_rows(split: str, batch: Any, labels: tuple[str, ...], seed: int, schema: Any) -> Any:
    """Return the manifest's rows of a shard; one in fifty is dark."""
    size = len(batch)
    noise = np.random.default_rng(seed).bytes(32 * size).hex()
    known = {
        "sample_id": list(batch.sample_id),
        "dataset": list(batch.dataset),
        "layout": ["drawn"] * size,
        "uri": [f"{name}.png" for name in batch.sample_id],
        "framing": ["crop"] * size,
        "label": [labels[k] for k in batch.label],
        "split": [split] * size,
        "pixel_sha256": [noise[64 * k : 64 * k + 64] for k in range(size)],
        "perceptual_hash": [noise[64 * k : 64 * k + 64] for k in range(size)],
        "quality": [["dark:21.4"] if k % 50 == 0 else [] for k in range(size)],
    }
    columns = [
        pa.array(known[each.name], each.type) if each.name in known else pa.nulls(size, each.type)
        for each in schema
    ]
    return pa.table(columns, schema=schema)


def measure(root: Path, rounds: int) -> dict[str, list[float]]:
    """Return seconds of each measurement, by round."""
    sys.path.insert(0, str(ROOT / "tests"))
    chromium: Any = import_module("support.chromium").Chromium
    times: dict[str, list[float]] = {}
    for number in range(rounds):
        begun = time.perf_counter()
        command = [sys.executable, "-m", "ferdata", "view", str(root / "build"), "--no-open"]
        with subprocess.Popen(
            [*command, "--out", str(root / "marks.json")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as server:
            address = (server.stdout.readline() if server.stdout else "").strip()
            times.setdefault("ready", []).append(time.perf_counter() - begun)
            try:
                with chromium(root / f"profile{number}") as browser:
                    browser.resize(1280)
                    watch(browser, address, times)
            finally:
                server.terminate()
    return times


def watch(browser: Any, address: str, times: dict[str, list[float]]) -> None:
    """Open the page and filter."""
    browser.call("Page.navigate", url=address)
    times.setdefault("first view", []).append(browser.evaluate(PAINTED % "true") / 1000)
    for name, (field, value) in FILTERS.items():
        browser.evaluate(CHANGE % (field, value))
        painted = browser.evaluate(PAINTED % "!window.before.isConnected")
        times.setdefault(name, []).append((painted - browser.evaluate("window.begun")) / 1000)
    times.setdefault("nearest neighbors, detail", []).append(browser.evaluate(DETAIL) / 1000)


if __name__ == "__main__":
    sys.exit(main())
