"""The rating page as a file: it asks nobody for anything, and text never becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

from made_sheets import HOSTILE, sheet
from rapport_bench.human.sheets.page import render


class Tags(HTMLParser):
    """What a browser would find in the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.content: dict[str, list[str]] = {}
        self.inside: str | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag if tag in ("script", "style") else None
        if self.inside:
            self.content.setdefault(tag, []).append("")

    def handle_data(self, data):
        if self.inside:
            self.content[self.inside][-1] += data

    def handle_endtag(self, tag):
        self.inside = None


def test_text_of_others_adds_no_element_and_comes_back_as_it_was() -> None:
    plain, hostile = Tags(render(sheet(1))), Tags(render(sheet(1, *HOSTILE)))
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]
    data = json.loads(hostile.content["script"][0])
    assert [i["replies"][0]["content"] for i in data["items"]] == HOSTILE
    assert data == json.loads(json.dumps(sheet(1, *HOSTILE).to_json()))


def test_the_policy_allows_its_own_script_and_style_by_hash_and_nothing_else() -> None:
    page = Tags(render(sheet(1)))
    (policy,) = [a["content"] for _, a in page.tags if a.get("http-equiv")]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["form-action"] == rules["base-uri"] == "'none'"

    def hashed(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert rules["script-src"] == hashed(page.content["script"][-1])
    assert rules["style-src"] == hashed(page.content["style"][0])
    assert set(rules) == {"default-src", "script-src", "style-src", "base-uri", "form-action"}
    # No attribute fetches or runs anything.
    assert not [a for _, attrs in page.tags for a in attrs if a in ("src", "href", "style")]
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")]
    assert not re.search(r"https?://|fetch\(|XMLHttp|sendBeacon|innerHTML|eval\(", render(sheet(1)))


def test_the_page_is_the_same_for_the_same_sheet_and_tells_its_hash() -> None:
    assert render(sheet(2)) == render(sheet(2))
    assert sheet(2).sha256 in render(sheet(2))
    assert sheet(2).sha256 not in render(sheet(3))
