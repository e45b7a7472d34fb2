"""Static pictures: one drawing for the page's two themes, and for PNG and SVG files.

Drawn in a light palette that colour-blind readers can tell apart (Okabe and Ito); in the page every
colour becomes a CSS variable. Text stays text, and names that the picture's font cannot show become
numbers, which the page explains. Same figures, same bytes: no dates, ids from a fixed salt.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapport_bench.common.files import write_atomically
from rapport_bench.page.subject import short_name
from rapport_tasks.common.errors import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, FAINT, BAND, PAPER = "#1d1d22", "#5c5f6a", "#c9ccd4", "#e9dfc3", "#fefefe"
BLUE, VERMILION, GREEN = "#00639c", "#c25000", "#00795a"
_VARIABLES = {
    INK: "ink", MUTED: "muted", FAINT: "line", BAND: "band", PAPER: "paper", BLUE: "c1",
    VERMILION: "c2", GREEN: "c3",
}  # fmt: skip
WIDTH = 4.4
"""Inches. Small, so that letters stay readable where a phone shrinks the picture."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure with what the page says about it.

    Attributes:
        name: Of its files, and of its ids in the page.
        title: What it shows, in a few words.
        description: For those who do not see it: what it shows in a sentence or two.
        figure: What was drawn.
        key: (number, name) of arms that are numbers in the picture.
    """

    name: str
    title: str
    description: str
    figure: Figure
    key: tuple[tuple[str, str], ...] = ()


class Names:
    """Arms' names as the picture's font can show them; the others become numbers."""

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """The name, or ``#1``, ``#2`` ... in the order of first use."""
        shown = short_name(name)
        if all(_drawable(character) for character in shown):
            return shown if len(shown) <= 24 else shown[:23] + "…"
        return self._numbers.setdefault(shown, f"#{len(self._numbers) + 1}")

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """(number, name) of those that became numbers."""
        return tuple((number, name) for name, number in self._numbers.items())


@contextmanager
def drawing() -> Iterator[None]:
    """The settings under which pictures are drawn and saved, whatever the user's matplotlibrc."""
    import matplotlib

    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "rapport",
        "text.parse_math": False,  # names may hold dollars
        "font.family": ["DejaVu Sans"],
        "font.size": 9.0,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 9.5,
        "axes.titleweight": "bold",
        "text.color": INK,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "figure.facecolor": PAPER,
        "axes.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "legend.frameon": False,
        "axes.unicode_minus": True,
    }
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        yield


def new_figure(*heights: float) -> tuple[Figure, list[Axes]]:
    """A figure of the page's width with panels of these heights, in inches, one under the other."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)
    return figure, [panel for (panel,) in panels]


def rows(axis: Axes, labels: Sequence[str], *, above: float, below: float) -> None:
    """Make a panel of rows from the top down, with vertical lines only.

    Args:
        axis: The panel.
        labels: Of the rows, which lie at 0, 1, ...
        above: Room above the first row.
        below: Room below the last.
    """
    axis.set_ylim(len(labels) - 1 + below, -above)
    axis.set_yticks(range(len(labels)), labels)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x", color=FAINT, linewidth=0.5)
    axis.set_axisbelow(True)


def head(axis: Axes, text: str) -> None:
    """A panel's title from the picture's left edge on, however wide the names beside the panel are."""
    axis.set_title(" ")  # keeps the room
    title = axis.annotate(
        text,
        (0.012, 1.0),
        xycoords=("figure fraction", "axes fraction"),
        xytext=(0, 6),
        textcoords="offset points",
        fontsize=9.5,
        fontweight="bold",
    )
    title.set_in_layout(False)


def finish(figure: Figure) -> Figure:
    """Settle the layout once: drawn again, it would move by parts of a point."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


def inline_svg(picture: Picture) -> str:
    """The picture for the page: colours as CSS variables, ids of its own, no prologue.

    The page puts title and description beside it; to assistive technology the drawing is one image.
    """
    text = _svg(picture)
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<style[^>]*>.*?</style>", "", text, flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    prefix = f"{picture.name}-"
    text = re.sub(r'\bid="', f'id="{prefix}', text)
    text = re.sub(r"url\(#", f"url(#{prefix}", text)
    text = text.replace('xlink:href="#', f'href="#{prefix}')
    text = text.replace("'DejaVu Sans'", "inherit").replace("DejaVu Sans", "sans-serif")
    head = (
        f'<svg class="plot" role="img" aria-labelledby="{prefix}title" aria-describedby="{prefix}text" '
        f'viewBox="{_attribute(text, "viewBox")}">'
    )
    return head + text[text.index(">") + 1 :].strip()


def save(picture: Picture, folder: Path) -> list[Path]:
    """Write the picture as PNG and as SVG, in the light palette.

    Raises:
        BadInput: The folder cannot be written to.
    """
    paths = [folder / f"{picture.name}.svg", folder / f"{picture.name}.png"]
    write_atomically(paths[0], _svg(picture))
    try:
        with drawing():
            picture.figure.savefig(paths[1], dpi=200, metadata={"Software": None})
    except OSError as error:
        raise BadInput(
            f"{paths[1]}: {error.strerror}", remedy="Choose a folder that you can write to."
        ) from None
    return paths


def _svg(picture: Picture) -> str:
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with drawing():
        picture.figure.savefig(file, format="svg", metadata=nothing)
    return file.getvalue()


def _attribute(svg: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', svg)
    return found.group(1) if found else ""


@cache
def _drawable(character: str) -> bool:
    from matplotlib.font_manager import findfont, get_font

    return bool(get_font(findfont("DejaVu Sans")).get_char_index(ord(character)))
