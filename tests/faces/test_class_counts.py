from __future__ import annotations

from ferdata.faces.class_counts import count_by_class, share_changes


def test_classes_are_counted_in_their_order() -> None:
    counts = count_by_class(["fear", "anger"], ["anger", "anger", "fear"], [True, False, True])
    assert list(counts.items()) == [
        ("fear", {"found": 1, "missing": 0}),
        ("anger", {"found": 1, "missing": 1}),
    ]


def test_shares_that_change_by_more_than_a_tenth_are_named() -> None:
    def counts(fear: tuple[int, int], anger: tuple[int, int]) -> dict[str, dict[str, int]]:
        pairs = {"fear": fear, "anger": anger}
        return {name: {"found": f, "missing": m} for name, (f, m) in pairs.items()}

    assert share_changes(counts((80, 20), (890, 10))) == ["fear 10.0% → 8.2%"]
    assert share_changes(counts((95, 5), (880, 20))) == []
    assert share_changes(counts((50, 50), (450, 450))) == []  # lost alike
    assert share_changes(counts((100, 0), (900, 0))) == []
    assert share_changes(counts((0, 100), (0, 900))) == []
    assert share_changes({}) == []
