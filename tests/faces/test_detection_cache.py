from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

from ferdata.faces.cache import DetectionCache, box_key
from ferdata.faces.detection import Detection


def detection(seed: int, *, blendshapes: bool = False) -> Detection:
    random = np.random.default_rng(seed)
    return Detection(
        landmarks=random.normal(50, 20, (478, 2)).astype(np.float32),
        face_count=2,
        rule="largest/border",
        score=float(np.float32(random.uniform())),
        blendshapes=random.uniform(size=52).astype(np.float32) if blendshapes else None,
    )


def same(a: Detection | None, b: Detection | None) -> bool:
    if a is None or b is None:
        return a is b
    blendshapes = (a.blendshapes is None and b.blendshapes is None) or np.array_equal(
        a.blendshapes, b.blendshapes
    )
    facts = (a.face_count, a.rule, a.score) == (b.face_count, b.rule, b.score)
    return facts and blendshapes and np.array_equal(a.landmarks, b.landmarks)


def test_what_is_put_is_got_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "cache.sqlite"
    stored = {
        ("a" * 64, ""): detection(1),
        ("a" * 64, "1,2,3,4"): detection(2, blendshapes=True),
        ("b" * 64, ""): None,
    }
    with DetectionCache(path, "v1", 478) as cache:
        cache.put(stored)
    with DetectionCache(path, "v1", 478) as cache:
        found = cache.get([*stored, ("c" * 64, ""), ("b" * 64, "1,2,3,4")])
    assert found.keys() == stored.keys()
    assert all(same(found[key], stored[key]) for key in stored)


def test_another_version_of_the_detector_knows_nothing(tmp_path: Path) -> None:
    with DetectionCache(tmp_path / "cache", "v1", 478) as cache:
        cache.put({("a", ""): None})
    with DetectionCache(tmp_path / "cache", "v2", 478) as cache:
        assert cache.get([("a", "")]) == {}


def test_more_keys_than_one_query_takes(tmp_path: Path) -> None:
    keys = [(f"{i:064x}", "") for i in range(1201)]
    with DetectionCache(tmp_path / "cache", "v", 478) as cache:
        cache.put(dict.fromkeys(keys))
        assert cache.get(keys) == dict.fromkeys(keys)


@pytest.mark.parametrize("kind", ["text", "cut off"])
def test_a_broken_file_is_moved_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    path = tmp_path / "cache.sqlite"
    if kind == "text":
        path.write_bytes(b"this is no database, and long enough to be looked at" * 50)
    else:
        with DetectionCache(path, "v", 478) as cache:
            cache.put({(f"{i}", ""): detection(i) for i in range(50)})
        path.write_bytes(path.read_bytes()[:8192])
    with caplog.at_level(logging.WARNING), DetectionCache(path, "v", 478) as cache:
        cache.get([(f"{i}", "") for i in range(50)])
        cache.put({("a", ""): None, ("b", ""): detection(0)})
        assert cache.get([("a", "")]) == {("a", ""): None}
    assert "moved to" in caplog.text
    assert len(list(tmp_path.glob("cache.sqlite.broken-*"))) == 1


def test_a_worker_leaves_a_broken_file_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"broken " * 1000)
    with caplog.at_level(logging.WARNING), DetectionCache(path, "v", 478, repair=False) as cache:
        assert cache.get([("a", "")]) == {}
    assert path.read_bytes() == b"broken " * 1000
    assert not caplog.records


def test_a_row_of_the_wrong_length_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    with DetectionCache(path, "v", 478) as cache:
        cache.put({("a", ""): detection(0), ("b", ""): detection(1)})
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE detection SET landmarks = x'00' WHERE pixel_sha256 = 'a'")
    connection.close()
    with DetectionCache(path, "v", 478) as cache:
        assert list(cache.get([("a", ""), ("b", "")])) == [("b", "")]


def test_a_folder_that_can_not_be_made_only_costs_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    with DetectionCache(tmp_path / "file" / "cache", "v", 478) as cache:
        cache.put({("a", ""): None})
        assert cache.get([("a", "")]) == {}
    assert caplog.text.count("not cached") == 1


def test_no_path_is_a_cache_that_holds_nothing() -> None:
    with DetectionCache(None, "v", 478) as cache:
        cache.put({("a", ""): None})
        assert cache.get([("a", "")]) == {}


def test_builds_at_the_same_time_share_it(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"

    def write(writer: int) -> None:
        with DetectionCache(path, "v", 478) as cache:
            for i in range(20):
                cache.put({(f"{writer}/{i}", ""): detection(i)})

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with DetectionCache(path, "v", 478) as cache:
        assert len(cache.get([(f"{w}/{i}", "") for w in range(4) for i in range(20)])) == 80


def test_box_keys() -> None:
    assert box_key(None) == ""
    assert box_key((1.0, 2.5, 3.0, 4.0)) == "1,2.5,3,4"
    # Boxes are float32 in the manifest: nine digits tell every two of them apart.
    a = np.float32(260.237671)
    b = np.nextafter(a, np.float32(1000))
    assert box_key([float(a)] * 4) != box_key([float(b)] * 4)
