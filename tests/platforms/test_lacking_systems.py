"""What systems lack or do otherwise: CPU affinity, fork hooks, signals, separators, long names."""

from __future__ import annotations

import importlib.util
import mmap
import multiprocessing
import os
import signal
import sys
import threading
from pathlib import Path, PureWindowsPath
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ferdata.cli import main
from ferdata.core import files, native_messages, parallel, pixel_rows
from ferdata.core.delimited.values import posix_path
from ferdata.shards.runner import lock
from ferdata.training import signals


class System(ModuleType):
    """The module `os` with some names changed or missing."""

    def __init__(self, *missing: str, **changed: Any) -> None:
        super().__init__("os")
        self._missing, self._changed = missing, changed

    def __getattr__(self, name: str) -> Any:
        if name in self._missing:
            raise AttributeError(name)
        return self._changed.get(name, None) or getattr(os, name)


def test_cores_are_counted_without_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "os", System("sched_getaffinity", cpu_count=lambda: 6))
    assert parallel.default_workers() == 6
    monkeypatch.setattr(parallel, "os", SimpleNamespace(cpu_count=lambda: None))
    assert parallel.default_workers() == 1


def test_processes_are_spawned_everywhere() -> None:
    with parallel.open_executor("processes", 2) as executor:
        start = executor._mp_context.get_start_method()
    assert start == "spawn"
    assert "spawn" in multiprocessing.get_all_start_methods()


def test_decoders_are_listened_to_without_fork_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    spec = importlib.util.spec_from_file_location("listening", native_messages.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    warning = b"libpng warning: iCCP: known incorrect sRGB profile\n"
    assert module.listen(os.write, 2, warning)[1] == [warning.decode().strip()]


def test_folders_are_not_synced_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> int:
        raise PermissionError(13, "Permission denied")  # what opening a folder does there

    monkeypatch.setattr(files, "os", System(name="nt", open=refuse))
    files.write_json(tmp_path / "record.json", {"a": 1})
    assert files.read_json(tmp_path / "record.json") == {"a": 1}


def test_rows_are_read_without_memory_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\n1,2\n")
    monkeypatch.delattr(mmap, "MADV_DONTNEED", raising=False)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        pixel_rows._forget(data)
        assert data[:3] == b"a,b"


def test_signals_are_left_alone_where_there_are_no_actions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(signals, "os", SimpleNamespace(name="nt"))
    with signals.keep_native_handlers():
        signal.signal(signal.SIGINT, before)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_build_directory_is_locked_within_and_between_threads(tmp_path: Path) -> None:
    """With the lock that filelock takes on this system, also the soft one of odd file systems."""
    refused: list[str] = []

    def build() -> None:
        try:
            with lock(tmp_path / "out"):
                refused.append("none")
        except Exception as error:  # noqa: BLE001 - whatever it is is compared below
            refused.append(type(error).__name__)

    with lock(tmp_path / "out"):
        other = threading.Thread(target=build)
        other.start()
        other.join()
    build()
    assert refused == ["LockedError", "none"]


@pytest.mark.parametrize(
    "written",
    [r"train\anger\1.png", "train/anger/1.png", r".\train\anger\1.png", "./train/anger/1.png"],
)
def test_paths_of_tables_are_stored_with_slashes(written: str) -> None:
    assert posix_path(written) == "train/anger/1.png"
    assert posix_path(str(PureWindowsPath("train", "anger", "1.png"))) == "train/anger/1.png"


@pytest.mark.skipif(sys.platform == "win32", reason="says so in other words")
@pytest.mark.parametrize(
    "words",
    [
        ["verify", "x" * 300],
        ["build", "rafdb", "--demo", "--out", "x" * 300],
        ["build", "rafdb", "--data", "x" * 300, "--out", "out"],
        ["detect", "x" * 300],
        ["audit", "x" * 300],
        ["train", "x" * 300],
        ["report", "x" * 300],
        ["demo", "rafdb", "--out", "x" * 300],
        ["datasets", "x" * 300],
        ["compare", "x" * 300],
        ["build", "--config", "x" * 300, "--out", "out"],
    ],
)
def test_a_long_name_is_one_sentence(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_:
        main(words)
    assert exit_.value.code == 2
    assert "Error: " in capsys.readouterr().err
