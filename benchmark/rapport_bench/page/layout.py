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
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from rapport_bench.page.templating import environment

_IN_SCRIPT = {
    ord(character): f"\\u{ord(character):04x}"
    for character in "<>&\u2028\u2029\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
}
"""What must not stand as itself in JSON inside HTML: markup, line ends of old scripts, turning marks."""


def json_block(data: Any) -> Markup:
    r"""JSON that stays data inside a script element, whatever its strings hold.

    Example:
        >>> json_block({"a": "</script>"})
        Markup('{"a":"\\u003c/script\\u003e"}')
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(_IN_SCRIPT))


def render(template: str, **values: Any) -> str:
    """A template filled in, with the page's style and script."""
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
