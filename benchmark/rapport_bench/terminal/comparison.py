"""One comparison for a person: the verdict in a sentence, a row a metric, what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rapport_bench.common.escape import one_line
from rapport_bench.judging.compare import Comparison, MetricComparison
from rapport_bench.terminal import console
from rapport_bench.terminal.arms import FAMILIES
from rapport_bench.terminal.layout import Column, folded, needed, table
from rapport_bench.words import formatting, next_steps
from rapport_bench.words.formatting import interval, number, p_value, shown_name, signed
from rapport_bench.words.signs import VERDICTS, Tone, by_verdict

_WORDS: dict[Tone, str] = {
    "worse": "worse on",
    "better": "better on",
    "same": "the same on",
    "open": "undecided on",
}
_LEGEND = (
    "difference = candidate − baseline, paired by dialogue; adjusted = Holm (verdicts) or "
    "Benjamini-Hochberg; detectable = smallest true difference found with power .8; margin = smallest "
    "change that matters"
)


def show(comparison: Comparison, folder: str, out: Console) -> None:
    """Print a comparison; `folder` is where its results lie."""
    out.print(verdict_lines(comparison))
    out.print(comparison_table(comparison, width=out.width))
    out.print(_LEGEND, style="dim", markup=False)
    for warning in comparison.warnings:
        out.print(f"note: {one_line(warning)}", style="yellow", markup=False)
    for line in next_steps.after_comparison(comparison, folder):
        out.print(line, markup=False)


def verdict_lines(comparison: Comparison) -> Text:
    """The comparison in a sentence, and a line a verdict."""
    labels = by_verdict(comparison)
    total = sum(map(len, labels.values()))
    tones = Counter(VERDICTS[item.verdict].tone for item in comparison.metrics if item.verdict)
    counts = [f"{words} {tones[tone]}" for tone, words in _WORDS.items() if tones[tone]]
    said = f"{', '.join(counts)} of {total} metrics" if total else "no metric can be compared"
    names = f"{shown_name(comparison.candidate)} against {shown_name(comparison.baseline)}"
    lines = [Text(f"{names}: {said}", style="bold")]
    for verdict, listed in labels.items():
        look = VERDICTS[verdict]
        lines.append(Text(f"  {look.sign} {verdict}: {', '.join(listed)}", style=look.style))
    return Text("\n").join(lines)


def comparison_table(comparison: Comparison, *, width: int) -> Table:
    """One row a metric: both values, difference with interval, p, what could have been found.

    The first layout that fits: a line a row; two lines a row; p, detectable difference and margin
    under the verdict; everything under one another.
    """
    items = sorted(comparison.metrics, key=lambda i: FAMILIES.index(i.metric.family))
    rows = [_figures(comparison, item) for item in items]
    first = Column(
        Text("metric"), tuple(Text(formatting.metric_label(item.metric)) for item in items)
    )
    ends = {i for i, (m, n) in enumerate(pairwise(items)) if m.metric.family != n.metric.family}
    arms = (comparison.baseline, comparison.candidate)
    names = [Text(folded(shown_name(arm))) for arm in arms]
    values = [
        Column(name, tuple(Text(row.values[i]) for row in rows)) for i, name in enumerate(names)
    ]
    lines = [*values, *_beside(rows, join=" ")]
    if needed(lines, first=first.natural) <= width:
        return table(first, lines, width=width, ends=ends)
    under = Column(Text("verdict"), tuple(row.under() for row in rows), right=False)
    for columns in (
        [*values, *_beside(rows, join="\n")],
        [*values, _difference(rows, "\n"), under],
    ):
        if needed(columns) <= width:
            return table(first, columns, width=width, ends=ends)
    head = Text(" → ".join(map(shown_name, arms)))
    stacked = Column(head, tuple(row.stacked() for row in rows), wraps=True, right=False)
    return table(first, [stacked], width=width, ends=ends)


def _beside(rows: Sequence[_Figures], *, join: str) -> list[Column]:
    def column(head: str, cells: Iterable[Text], *, right: bool = True) -> Column:
        return Column(Text(head), tuple(cells), right=right)

    return [
        _difference(rows, join),
        column("adjusted", (Text(row.p) for row in rows)),
        column("detectable", (Text(row.detectable) for row in rows)),
        column("margin", (Text(row.margin) for row in rows)),
        column("verdict", (row.verdict for row in rows), right=False),
    ]


def _difference(rows: Sequence[_Figures], join: str) -> Column:
    cells = tuple(Text(row.difference.replace("\n", join)) for row in rows)
    return Column(Text("difference\n[95 %]"), cells)


@dataclass(frozen=True, slots=True)
class _Figures:
    """One metric's row in words: baseline and candidate, difference, p, detectable, margin, verdict."""

    values: tuple[str, str]
    difference: str
    p: str = ""
    detectable: str = ""
    margin: str = ""
    verdict: Text = field(default_factory=Text)

    def under(self) -> Text:
        """Verdict, p, detectable difference and margin in one cell."""
        lines = [Text(line, style="dim") for line in self._limits() if line]
        return Text("\n").join([*([self.verdict] if self.verdict.plain else []), *lines])

    def stacked(self) -> Text:
        """Everything under one another."""
        values, difference = " → ".join(self.values), self.difference.replace("\n", " ")
        lines = [Text(line) for line in (values, difference)]
        lines += [self.verdict] if self.verdict.plain else []
        limits = ", ".join(filter(None, self._limits()))
        return Text("\n").join([*lines, *([Text(limits, style="dim")] if limits else [])])

    def _limits(self) -> list[str]:
        if not self.margin:
            return [self.p]
        return [self.p, f"detectable {self.detectable}", f"margin {self.margin}"]


def _figures(comparison: Comparison, item: MetricComparison) -> _Figures:
    name, difference = item.metric.name, item.difference
    before, after = (
        number(r.metrics[name].value) for r in (comparison.baseline, comparison.candidate)
    )
    values = (before, after)
    if difference is None:
        return _Figures(values, f"not compared:\n{item.note}")
    if item.metric.family == "marker" and item.ratio is not None:
        return _Figures(values, _ratio(item), p_value(item.p_adjusted))
    shown = formatting.difference(item.metric, difference, join="\n")
    if item.verdict == "regressed (coverage)" and item.coverage:
        shown += f"\ncoverage {signed(item.coverage.value)}"
    found = _Figures(values, shown, p_value(item.p_adjusted), number(difference.mde))
    if not item.verdict:
        return found
    margin, verdict = number(item.metric.margin), console.verdict_text(item.verdict)
    return replace(found, margin=margin, verdict=verdict)


def _ratio(item: MetricComparison) -> str:
    assert item.ratio is not None
    ratio = "–" if item.ratio.value is None else f"× {number(item.ratio.value)}"
    gee = item.ratio_gee.value if item.ratio_gee else None
    beside = f"\n(GEE × {number(gee)})" if gee is not None else ""
    return f"{ratio}\n{interval(item.ratio.ci)}{beside}"
