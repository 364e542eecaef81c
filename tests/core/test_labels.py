"""Labels travel by name; indices exist only inside a label space."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferdata.core.errors import LabelError, UnknownNameError
from ferdata.core.labels import (
    BASIC7,
    BASIC8,
    CANONICAL,
    LabelSpace,
    canonical_name,
)


@pytest.mark.parametrize(
    ("word", "name"),
    [("Happy", "happiness"), ("AFRAID", "fear"), ("surprise", "surprise"), (" normal ", "neutral")],
)
def test_aliases(word: str, name: str) -> None:
    assert canonical_name(word) == name


def test_unknown_word_lists_what_is_accepted() -> None:
    with pytest.raises(LabelError, match="anger, contempt, disgust"):
        canonical_name("excited")


@given(st.permutations(CANONICAL))
def test_encode_and_decode_are_inverse_in_any_order(names: list[str]) -> None:
    space = LabelSpace("any", tuple(names))
    assert space.decode(space.encode(CANONICAL)) == list(CANONICAL)


@given(st.permutations(CANONICAL), st.permutations(CANONICAL))
def test_remap_goes_by_name(left: list[str], right: list[str]) -> None:
    source, target = LabelSpace("a", tuple(left)), LabelSpace("b", tuple(right))
    table = target.remap_from(source)
    assert target.decode(table[source.encode(CANONICAL)]) == list(CANONICAL)


def test_remap_marks_what_the_target_lacks() -> None:
    table = BASIC7.remap_from(BASIC8)
    assert table[BASIC8.index("contempt")] == -1
    assert (table >= 0).sum() == 7


def test_unknown_label_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'sadness'"):
        BASIC7.encode(["sadnes"])


def test_index_outside_is_an_error() -> None:
    with pytest.raises(LabelError, match="0–6"):
        BASIC7.decode([7])


@pytest.mark.parametrize("names", [(), ("a", "a")])
def test_label_space_needs_distinct_names(names: tuple[str, ...]) -> None:
    with pytest.raises(LabelError):
        LabelSpace("bad", names)


def test_soft_labels_are_projected_and_normalized() -> None:
    soft = np.zeros((2, 8), np.float32)
    soft[0, [CANONICAL.index("fear"), CANONICAL.index("contempt")]] = [0.25, 0.75]
    soft[1, CANONICAL.index("contempt")] = 1
    projected = BASIC7.project(soft)
    assert projected[0, BASIC7.index("fear")] == 1
    assert projected[1].sum() == 0
