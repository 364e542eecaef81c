"""Tables as text and as Markdown."""

import pytest

from ferdata.core.tables import escape_markdown, markdown_table, text_table

ROWS = [["anger", "5", "0.5"], ["happiness", "1,200", "–"]]


def test_by_default_the_first_column_is_left_and_the_others_are_right():
    assert text_table(["class", "images", "F1"], ROWS).splitlines() == [
        "class      images   F1",
        "anger           5  0.5",
        "happiness   1,200    –",
    ]


def test_alignment_and_indent_can_be_chosen():
    lines = text_table(["class", "images", "note"], ROWS, align="lrl", indent=2).splitlines()
    assert lines == ["  class      images  note", "  anger           5  0.5",
                     "  happiness   1,200  –"]  # fmt: skip
    assert text_table(["a", "b"], [["1", ""]], align="l") == "a  b\n1"


def test_a_table_may_have_no_heads_or_no_rows():
    assert text_table([], [["ok", "torch"], ["missing", "timm"]], align="l").splitlines() == [
        "ok       torch",
        "missing  timm",
    ]
    assert text_table(["a", "b"], []) == "a  b"
    assert text_table([], []) == ""


@pytest.mark.parametrize("rows", [[["1"]], [["1", "2", "3"]]])
def test_rows_of_another_length_are_an_error(rows):
    with pytest.raises(ValueError, match="zip"):
        text_table(["a", "b"], rows)


def test_markdown_cells_are_escaped_unless_they_are_markdown():
    assert markdown_table(["a|b", "n"], [["*c*\n<d>", "1"]]) == (
        "| a\\|b | n |\n| --- | --- |\n| \\*c\\* &lt;d&gt; | 1 |"
    )
    assert markdown_table(["a"], [["**all**"]], escaped=True) == "| a |\n| --- |\n| **all** |"


def test_escaped_text_is_one_line_without_markup():
    assert escape_markdown("# a_b\n[c](d) & `e` ~f~ \\") == (
        r"\# a\_b \[c\](d) &amp; \`e\` \~f\~ \\"
    )
