"""Where ratings by people enter the page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from rapport_bench.report.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page after the case studies.

    Attributes:
        anchor: Its id in the page, letters and hyphens.
        title: Its heading.
        body: Its content, escaped already: HTML that needs no script and no network.
    """

    anchor: str
    title: str
    body: Markup


def human_section(found: Outcome, folder: Path) -> Section | None:
    """Ratings of the suite's arms by people, ``v1/<suite>/human/<study>.json`` below `folder`.

    Nothing writes such files yet, so there is no section.
    """
    del found, folder
    return None
