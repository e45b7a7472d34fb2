"""The page itself: everything above put into one file that needs no network.

Templates escape whatever they are given. The script is the only one that the page may run, by the
hash in its Content-Security-Policy; it reads the case studies from a block of JSON and writes text,
never HTML.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from rapport_bench.common.escape import one_line
from rapport_bench.page.cases import Cases
from rapport_bench.page.human import Section
from rapport_bench.page.pictures import Picture, inline_svg
from rapport_bench.page.provenance import provenance
from rapport_bench.page.subject import Subject
from rapport_bench.page.templating import environment
from rapport_bench.page.training import Training
from rapport_bench.page.wording import Words
from rapport_bench.results.metrics import BESIDE_BOTS
from rapport_bench.words.board import board_table
from rapport_bench.words.signs import TONES

_IN_SCRIPT = {
    ord(character): f"\\u{ord(character):04x}"
    for character in "<>&\u2028\u2029\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
}
"""What must not stand as itself in JSON inside HTML: markup, line ends of old scripts, turning marks."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the page is made of.

    Attributes:
        subject: Arms and comparisons.
        words: The verdict.
        pictures: In order.
        trainings: Of the adapters that were named.
        cases: Case studies.
        human: Ratings by people, if there are any.
        problems: Files that were left out.
        command: That makes this page again.
    """

    subject: Subject
    words: Words
    pictures: tuple[Picture, ...]
    trainings: tuple[Training, ...]
    cases: Cases
    human: Section | None
    problems: tuple[str, ...]
    command: str


def report_page(parts: Parts) -> str:
    """The whole report as HTML."""
    found = parts.subject
    return _render(
        "report.html.j2",
        title=f"{one_line(found.board.suite.name)}: rapport report",
        found=found,
        words=parts.words,
        signs=TONES,
        pictures=[(picture, Markup(inline_svg(picture))) for picture in parts.pictures],
        trainings=[
            (training, Markup(inline_svg(training.picture)) if training.picture else None)
            for training in parts.trainings
        ],
        table=board_table(found.board, found.labels, beside=BESIDE_BOTS),
        cases=parts.cases,
        data=json_block(parts.cases.data),
        human=parts.human,
        problems=[one_line(problem) for problem in parts.problems],
        source=provenance(found),
        command=parts.command,
    )


def json_block(data: Any) -> Markup:
    r"""JSON that stays data inside a script element, whatever its strings hold.

    Example:
        >>> json_block({"a": "</script>"})
        Markup('{"a":"\\u003c/script\\u003e"}')
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(_IN_SCRIPT))


def _render(template: str, **values: Any) -> str:
    folder = files("rapport_bench.page") / "templates"
    style, script = (
        (folder / name).read_text(encoding="utf-8") for name in ("page.css", "page.js")
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = environment().get_template(template)
    return text.render(
        style=Markup(style),
        script=Markup(script),
        script_hash=f"sha256-{digest}",
        version=importlib.metadata.version("rapport-bench"),
        **values,
    )
