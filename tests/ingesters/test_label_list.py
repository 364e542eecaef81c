from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferdata.core.errors import FerdataError
from ferdata.ingesters import FileTree, Layout, dataset_info
from ferdata.ingesters.label_list import read_label_list
from ferdata.ingesters.rafdb.names import image_key, image_source, text_list

LINE = st.one_of(
    st.builds(
        lambda number, code: f"train_{number:05d}.jpg {code}",
        st.integers(1, 30),
        st.integers(0, 9),
    ),
    st.text(st.characters(blacklist_characters="\n\r", blacklist_categories=["Cs"]), max_size=12),
)


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(LINE, min_size=1, max_size=40), newline=st.sampled_from(["\n", "\r\n"]))
def test_every_line_is_an_entry_or_a_reject(
    lines: list[str], newline: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.getbasetemp()
    (root / "any.txt").write_bytes((newline.join(lines) + newline).encode())
    layout = Layout.below(FileTree(root, ()), "", "rafdb", "official")
    try:
        found = read_label_list(layout, "any.txt", dataset_info("rafdb"), text_list(""))
    except FerdataError:
        return  # wrong as a whole, and said so
    numbers = [entry.line for entry in found.entries.values()]
    numbers += [int(reject.uri.partition("#")[2]) for reject in found.rejects]
    assert sorted(numbers) == list(range(1, len(lines) + 1))
    assert all(1 <= entry.code <= 7 for entry in found.entries.values())


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("train_00001.jpg", "train_00001"),
        ("test_001_aligned.jpg", "test_001"),
        ("Train_00001_ALIGNED.JPG", "train_00001"),
        ("train_00001_aligned_aug1.jpg", None),
        ("xtrain_00001.jpg", None),
        ("train_00001.txt", None),
        ("train_٠١.jpg", None),
    ],
)
def test_image_key(name: str, key: str | None) -> None:
    assert image_key(name) == key


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("Image/aligned/train_00001_aligned.jpg", "aligned"),
        ("Image/original/train_00001.jpg", "original"),
        ("Image/aligned/train_00001.jpg", "aligned"),
        ("train_00001.jpg", "original"),
    ],
)
def test_image_source(path: str, source: str) -> None:
    assert image_source(path) == source
