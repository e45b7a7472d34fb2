"""The rating page: one HTML file that works offline and asks nobody for anything.

Its policy forbids every request, and of scripts and styles allows the page's own alone, by hash. Dialogue
text reaches the page as JSON and the document as text, never as markup.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from rapport_bench.human.sheets.sheet import Sheet
from rapport_bench.human.sheets.wording import NOTICE, PAGE, ROLES
from rapport_bench.results.result import slug

if TYPE_CHECKING:
    from jinja2 import Template


def render(sheet: Sheet) -> str:
    """The page of one rater."""
    style, script = _source("rating.css"), _source("rating.js")
    return _template().render(
        sheet=sheet.to_json(),
        page=PAGE,
        wording={
            "page": PAGE,
            "notice": NOTICE,
            "roles": ROLES,
            "sha256": sheet.sha256,
            "slug": slug(sheet.study),
        },
        style=_trusted(style),
        script=_trusted(script),
        style_hash=_policy_hash(style),
        script_hash=_policy_hash(script),
    )


def _policy_hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def _source(name: str) -> str:
    return (files("rapport_bench.human.sheets") / "templates" / name).read_text(encoding="utf-8")


def _trusted(source: str) -> str:
    from markupsafe import Markup

    return Markup(source)


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment

    environment = Environment(autoescape=True, keep_trailing_newline=True)
    return environment.from_string(_source("rating.html"))
