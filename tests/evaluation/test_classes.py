"""Classes of a model and a build, matched by name."""

import pytest

from ferdata.core.errors import LabelError
from ferdata.core.labels import BASIC7, BASIC8, LabelSpace
from ferdata.evaluation.classes import match_classes


def test_equal_names_in_another_order_are_the_same_classes():
    match = match_classes(BASIC7, LabelSpace("mine", BASIC7.names[::-1]), "here")
    assert match.same
    assert match.shared == list(BASIC7.names)
    assert match.description("test") == ""


def test_what_is_not_shared_is_described():
    match = match_classes(BASIC7, BASIC8, "here").model_copy(update={"excluded": {"contempt": 5}})
    assert not match.same
    words = match.description("test")
    assert "share 7 (anger," in words
    assert "5 of contempt (test images)" in words
    assert "of the shared classes only" in words
    back = match_classes(BASIC8, BASIC7, "here")
    assert back.only_model == ["contempt"]
    assert "has no contempt; predicting these classes is an error" in back.description("test")


@pytest.mark.parametrize("names", [("fearfully surprised", "sadly angry"), ("anger", "awe")])
def test_fewer_than_two_shared_classes_are_refused(names):
    with pytest.raises(LabelError, match=r"here has the label space 'other'.*at least 2"):
        match_classes(BASIC7, LabelSpace("other", names), "here")
