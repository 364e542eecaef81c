"""Charts as places on an SVG, which the template `charts.html.j2` draws.

They are drawn by hand because no library makes what a page needs: Matplotlib's SVG has fixed
colors (no dark mode), text as outlines, no title and description, 30 kB each, and would have to be
installed for a build. Here a chart is 1–4 kB, its colors are the page's, its text keeps its size at
every width (places across are percentages), and a reader hears its title and description.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

BAR = 40
"""Pixels from one bar to the next, with the line of text above it."""

LEFT, RIGHT = 13.0, 98.0
"""Where a plot begins and ends, in percent of its width: left of it are the ticks' texts."""

TOP, BOTTOM = 10.0, 190.0
"""Where a plot begins and ends, in pixels."""


@dataclass(frozen=True)
class Segment:
    """A part of a bar: start and width in percent, and the number of its series."""

    start: float
    width: float
    series: int


@dataclass(frozen=True)
class Bar:
    """A bar with a text at its left and one at its right end."""

    label: str
    value: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars, one below the other.

    Attributes:
        title: What is shown.
        description: What is to be seen, for those who don't see it.
        series: Names of the parts of a bar.
        bars: The bars.
    """

    title: str
    description: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]

    @property
    def height(self) -> int:
        """Pixels."""
        return BAR * len(self.bars)

    @property
    def legend(self) -> tuple[tuple[int, str], ...]:
        """Number and name of the parts that are to be seen; none where a legend says nothing."""
        seen = sorted({part.series for bar in self.bars for part in bar.segments})
        return () if seen in ([], [0]) else tuple((k, self.series[k]) for k in seen)


@dataclass(frozen=True)
class Tick:
    """A tick: its place, in percent or pixels, and its text."""

    place: float
    text: str


@dataclass(frozen=True)
class Line:
    """A line through points: percent across, pixels down."""

    name: str
    series: int
    points: tuple[tuple[float, float], ...]

    @property
    def stretched(self) -> str:
        """The points of a polyline in a square of 100 that is stretched over the plot."""
        return " ".join(
            f"{_share(x, LEFT, RIGHT):.2f},{_share(y, TOP, BOTTOM):.2f}" for x, y in self.points
        )


@dataclass(frozen=True)
class LineChart:
    """Lines over an axis.

    Attributes:
        title: What is shown.
        description: What is to be seen, for those who don't see it.
        across: What the axis across is.
        lines: The lines.
        ticks: Ticks of the axis across, places in percent.
        levels: Ticks of the axis down, places in pixels.
        mark: A place across to mark, in percent; None for none.
    """

    title: str
    description: str
    across: str
    lines: tuple[Line, ...]
    ticks: tuple[Tick, ...]
    levels: tuple[Tick, ...]
    mark: float | None = None

    @property
    def legend(self) -> tuple[tuple[int, str], ...]:
        """Number and name of the lines; none where there is one, which the title names."""
        lines = self.lines if len(self.lines) > 1 else ()
        return tuple((line.series, line.name) for line in lines)


@dataclass(frozen=True)
class Column:
    """An upright bar: left end and width in percent, upper end in pixels."""

    left: float
    width: float
    top: float


@dataclass(frozen=True)
class ReliabilityChart:
    """Accuracy by confidence as upright bars, with the diagonal."""

    title: str
    description: str
    columns: tuple[Column, ...]
    dots: tuple[tuple[float, float], ...]
    ticks: tuple[Tick, ...]
    levels: tuple[Tick, ...]


@dataclass(frozen=True)
class Table:
    """A table behind a chart, or alone.

    Attributes:
        caption: What it lists.
        heads: Titles of the columns.
        rows: Cells as text; the first of each row is its head.
        words: Columns of words, which are aligned left, by position.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: frozenset[int] = field(default_factory=frozenset)


def bar_chart(
    title: str,
    description: str,
    series: Sequence[str],
    rows: Sequence[tuple[str, str, Sequence[float]]],
) -> BarChart:
    """Return bars of one scale.

    Args:
        title: What is shown.
        description: What is to be seen.
        series: Names of the parts of a bar.
        rows: Label, text and the parts of each bar.
    """
    longest = max((sum(parts) for _, _, parts in rows), default=0) or 1
    bars = []
    for label, value, parts in rows:
        start, segments = 0.0, []
        for number, part in enumerate(parts):
            width = 100 * part / longest
            if width > 0:
                segments.append(Segment(round(start, 3), round(width, 3), number))
            start += width
        bars.append(Bar(label, value, tuple(segments)))
    return BarChart(title, description, tuple(series), tuple(bars))


def line_chart(
    title: str,
    across: str,
    lines: Sequence[tuple[str, int, Sequence[tuple[float, float]]]],
    *,
    percent: bool = False,
    mark: float | None = None,
) -> LineChart:
    """Return lines of one scale.

    Args:
        title: What is shown.
        across: What the axis across is: whole numbers, such as epochs.
        lines: Name, number of the series, and points of each line, all finite.
        percent: Whether values are fractions to be shown in percent.
        mark: A value across to mark.
    """
    xs = [x for _, _, points in lines for x, _ in points]
    ys = [y for _, _, points in lines for _, y in points]
    low_x, high_x = min(xs), max(*xs, min(xs) + 1)
    levels = _levels(min(ys), max(ys))
    low, high = levels[0], levels[-1]

    def place(x: float) -> float:
        return LEFT + (RIGHT - LEFT) * (x - low_x) / (high_x - low_x)

    def level(y: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (y - low) / (high - low)

    drawn = tuple(
        Line(name, number, tuple((place(x), level(y)) for x, y in points))
        for name, number, points in lines
    )
    form = "{:.0%}" if percent else "{:.4g}"
    ends = [
        f"{name} from {form.format(points[0][1])} to {form.format(points[-1][1])}"
        for name, _, points in lines
    ]
    return LineChart(
        title,
        f"{title} over {across} {xs[0]:g} to {max(xs):g}: {'; '.join(ends)}.",
        across,
        drawn,
        tuple(Tick(place(x), f"{x:g}") for x in _whole_ticks(low_x, max(xs))),
        tuple(Tick(level(y), form.format(y)) for y in levels),
        None if mark is None else place(mark),
    )


def reliability_chart(
    title: str, description: str, bins: Sequence[tuple[float, float, float | None, float | None]]
) -> ReliabilityChart:
    """Return accuracy by confidence.

    Args:
        title: What is shown.
        description: What is to be seen.
        bins: Lower and upper end, mean confidence and accuracy of each bin; None without images.
    """

    def place(x: float) -> float:
        return LEFT + (RIGHT - LEFT) * x

    def level(y: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * y

    known = [(low, high, c, a) for low, high, c, a in bins if c is not None and a is not None]
    fifths = [k / 5 for k in range(6)]
    return ReliabilityChart(
        title,
        description,
        tuple(
            Column(place(low), (RIGHT - LEFT) * (high - low), level(accuracy))
            for low, high, _, accuracy in known
        ),
        tuple((place(confidence), level(accuracy)) for _, _, confidence, accuracy in known),
        tuple(Tick(place(x), f"{x:.0%}") for x in fifths),
        tuple(Tick(level(y), f"{y:.0%}") for y in fifths),
    )


def _levels(low: float, high: float) -> list[float]:
    """Return round numbers from below the lowest to above the highest value, some five."""
    spread = (high - low) or abs(high) or 1.0
    raw = spread / 4
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 10) for k in range(first, max(last, first + 1) + 1)]


def _whole_ticks(low: float, high: float) -> list[float]:
    """Return at most some eight whole numbers between two."""
    step = max(1, math.ceil((high - low) / 8))
    return [low + k * step for k in range(int((high - low) // step) + 1)]


def _share(value: float, low: float, high: float) -> float:
    return 100 * (value - low) / (high - low)
