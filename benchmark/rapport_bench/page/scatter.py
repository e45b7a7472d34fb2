"""AER share against continuity: who speaks like the gold replies, and who follows the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rapport_bench.page.pictures import (
    BAND,
    BLUE,
    FAINT,
    GREEN,
    INK,
    MUTED,
    VERMILION,
    Names,
    Picture,
    drawing,
    finish,
    new_figure,
)
from rapport_bench.page.subject import Subject
from rapport_bench.results.columns import band_of
from rapport_bench.results.metrics import BY_NAME
from rapport_bench.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation


@dataclass(frozen=True, slots=True)
class _Point:
    name: str
    look: str
    x: float
    y: float
    x_ci: Sequence[float] | None
    y_ci: Sequence[float] | None


_LOOKS = {
    "baseline": (INK, "s", 7.0),
    "candidate": (BLUE, "o", 7.0),
    "gold": (GREEN, "*", 11.0),
    "bot": (VERMILION, "x", 6.0),
    "other": (MUTED, ".", 4.0),
}
_MEANINGS = {
    "baseline": "baseline",
    "candidate": "candidate",
    "gold": "gold replies",
    "bot": "bot: rules without understanding",
    "other": "other arms",
}


def scatter(found: Subject) -> Picture | None:
    """Every arm that has both metrics; `None` if there is none."""
    points = [point for arm in found.arms if (point := _point(found, arm))]
    if not points:
        return None
    names = Names()
    with drawing():
        figure, (axis,) = new_figure(4.2)
        bands = (band_of(arm.columns, BY_NAME["aer_share"]) for arm in found.arms)
        band = next(filter(None, bands), None)
        if band:
            axis.axvspan(max(band.low, 0.0), min(band.high, 1.0), color=BAND, linewidth=0)
        axis.grid(color=FAINT, linewidth=0.5)
        axis.set_axisbelow(True)
        for look, (colour, marker, size) in _LOOKS.items():
            those = [point for point in points if point.look == look]
            if not those:
                continue
            if look != "other":
                _bars(axis, those, colour)
            axis.plot(
                [point.x for point in those],
                [point.y for point in those],
                marker=marker,
                color=colour,
                markersize=size,
                markeredgewidth=1.6,
                linestyle="none",
                label=_MEANINGS[look],
            )
        axis.set_xlabel("AER share: advice / (advice + empathy)")
        axis.set_ylabel("continuity, higher is better →")
        axis.set_xlim(-0.04, 1.04)
        axis.margins(y=0.12)
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)
        _label(figure, axis, [point for point in points if point.look != "other"], names)
    said = ", ".join(f"{p.name} ({p.x:.2f}, {p.y:.2f})" for p in points if p.look != "other")
    shaded = f" The gold band runs from {max(band.low, 0):.2f} to {band.high:.2f}." if band else ""
    return Picture(
        "scatter",
        "Advice and empathy against continuity",
        f"Each arm at its AER share and its continuity: {said}.{shaded}",
        figure,
        names.key,
    )


def _point(found: Subject, arm: Result) -> _Point | None:
    x, y = (arm.metric(name) for name in ("aer_share", "continuity"))
    if x.value is None or y.value is None:
        return None
    look = arm.kind if arm.role.reference else "other"
    if found.baseline is not None and arm.result_id == found.baseline.result_id:
        look = "baseline"
    elif arm.result_id in {candidate.result_id for candidate in found.candidates}:
        look = "candidate"
    return _Point(found.label(arm), look, x.value, y.value, x.ci, y.ci)


def _bars(axis: Axes, points: Sequence[_Point], colour: str) -> None:
    for point in points:
        for ends, flat in ((point.x_ci, True), (point.y_ci, False)):
            if ends:
                x = list(ends) if flat else [point.x, point.x]
                y = [point.y, point.y] if flat else list(ends)
                axis.plot(x, y, color=colour, linewidth=1, alpha=0.55)


_PLACES: tuple[tuple[float, float, dict[str, Any]], ...] = tuple(
    (dx, dy, {"ha": ha, "va": va})
    for dx, dy, ha, va in (
        (6, 5, "left", "bottom"), (-6, 5, "right", "bottom"), (6, -5, "left", "top"),
        (-6, -5, "right", "top"), (0, 12, "center", "bottom"), (0, -12, "center", "top"),
        (6, 18, "left", "bottom"), (-6, 18, "right", "bottom"), (6, -18, "left", "top"),
        (-6, -18, "right", "top"), (0, 28, "center", "bottom"), (0, -28, "center", "top"),
    )
)  # fmt: skip


def _label(figure: Figure, axis: Axes, points: Sequence[_Point], names: Names) -> None:
    """Name the points where names overlap least, one after the other."""
    finish(figure)
    taken = [axis.transData.transform((p.x, p.y)) for p in points]
    inside = axis.bbox.padded(4)
    boxes: list[Any] = []

    def cost(text: Annotation) -> int:
        box = text.get_window_extent()
        overlaps = 4 * sum(box.overlaps(other) for other in boxes)
        hides = sum(box.contains(*place) for place in taken)
        corners = ((box.x0, box.y0), (box.x1, box.y1))
        return int(overlaps + hides + 8 * (not all(inside.contains(*at) for at in corners)))

    for point in points:
        tried = [
            axis.annotate(
                names(point.name),
                (point.x, point.y),
                xytext=(dx, dy),
                textcoords="offset points",
                fontsize=7.5,
                **where,
            )
            for dx, dy, where in _PLACES
        ]
        best = min(tried, key=cost)
        best.set_in_layout(False)
        boxes.append(best.get_window_extent())
        for text in tried:
            if text is not best:
                text.remove()
