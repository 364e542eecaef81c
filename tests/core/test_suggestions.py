"""What a wrong name was meant to be."""

import pytest

from ferdata.core.suggestions import closest

KNOWN = ("train", "validation", "test", "rafdb", "ckplus", "ferplus", "resnet50", "tresnet_m")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("RAF-DB", "rafdb"),
        ("raf db", "rafdb"),
        ("CK+", "ckplus"),
        ("FER+", "ferplus"),
        ("val", "validation"),
        ("trian", "train"),
        ("resnet", "resnet50"),
        (3, None),
        ("", None),
        ("affectnet8", None),
    ],
)
def test_the_closest_name_is_found(name: str, meant: str | None) -> None:
    assert closest(name, KNOWN) == ([] if meant is None else [meant])
