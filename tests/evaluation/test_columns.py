"""Numbers are declared once and shown everywhere."""

from typing import Annotated

from pydantic import BaseModel

from ferdata.evaluation.columns import (
    Column,
    cells,
    columns,
    csv_cells,
    csv_heads,
    heads,
    sentence,
)
from ferdata.evaluation.metrics import Scores, score
from ferdata.evaluation.report_text import score_table


class Numbers(BaseModel):
    name: str
    rate: Annotated[float | None, Column("rate", ".1%", interval=".0%")]
    rate_low: float | None = None
    rate_high: float | None = None
    size: Annotated[int, Column("size (k)", ",.1f", scale=1e-3, csv="bytes")]


FULL = Numbers(name="a", rate=0.5, rate_low=0.25, rate_high=0.75, size=2_500_000)
EMPTY = Numbers(name="b", rate=None, size=0)


def test_a_column_has_its_title_format_scale_and_interval():
    assert list(columns(Numbers)) == ["rate", "size"]
    assert heads(Numbers) == ["rate", "95 % interval", "size (k)"]
    assert cells(FULL) == ["50.0%", "25%–75%", "2,500.0"]
    assert cells(EMPTY) == ["–", "", "0.0"]


def test_a_sentence_has_titles_and_intervals():
    assert sentence(FULL) == "rate 50.0% (95 % interval 25%–75%), size (k) 2,500.0"
    assert sentence(EMPTY, ["rate"]) == "rate –"


def test_csv_has_names_of_fields_and_six_digits():
    assert csv_heads(Numbers) == ["rate", "rate_low", "rate_high", "bytes"]
    assert csv_cells(FULL) == ["0.500000", "0.250000", "0.750000", "2500000"]
    assert csv_cells(EMPTY) == ["", "", "", "0"]


def test_a_declared_metric_is_shown():
    class More(Scores):
        kappa: Annotated[float, Column("Cohen's kappa")]

    text = score_table(More(**dict(score([[2, 1], [0, 3]], "ab")), kappa=0.625), "test")
    assert "test accuracy 83.33% (95 % interval 43.6%–97.0%), " in text
    assert ", Cohen's kappa 0.625, n=6;" in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "test split images precision recall 95 % interval F1"
    assert lines[1] == "a 3 1.000 0.667 0.208–0.939 0.800"
    assert lines[3] == "macro mean 6 0.875 0.833 0.829"
