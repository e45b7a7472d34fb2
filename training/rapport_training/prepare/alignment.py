"""Syntax alignment: one way to write the same thing.

Always: letters and digits in full width become half-width, control and zero-width characters and
halves of surrogate pairs go, runs of blanks become one, blanks beside Chinese punctuation go, blank lines go, and punctuation
that is repeated for emphasis stands once (``！！！`` -> ``！``; ``。。。`` -> ``……``).

Punctuation itself is kept, unless `punctuation` is ``halfwidth``: then ``，。！？：；（）`` and their
kin become ASCII, as the study did. That changes the tokens of nearly every Chinese sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Punctuation = Literal["keep", "halfwidth"]

_BETWEEN = "\x1e"
_WIDE = {
    code: code - 0xFEE0
    for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1d\x1f\x7f-\x9f\u00ad\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u2064\ufeff\ud800-\udfff]"
)
_NEWLINES = re.compile("\r\n?|\u2028|\u2029|\x85")
_ODD_BLANK = re.compile("[\t\x0b\x0c\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_ODD = re.compile(
    "[\x00-\x09\x0b-\x1d\x1f\x7f-\xa0\xad\u1680\u2000-\u200c\u200e\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff\ud800-\udfff"
    "０-９Ａ-Ｚａ-ｚ]"
)
_BLANKS = re.compile("  +")
_AROUND_BREAK = re.compile(f" *([\n{_BETWEEN}])[ \n]*|[ \n]+({_BETWEEN})")
_BESIDE_PUNCTUATION = re.compile(
    " +(?=[，。！？：；、）】》」』”’…])|(?<=[，。！？：；、（【《「『“‘…]) +"
)
_DOTS = re.compile(r"。{3,}|．{3,}|…{3,}|・{3,}|(?<=[^\x00-\x7f])\.{3,}")
_REPEATED = re.compile(r"([！!？?。，,；;：:、~～])\1+")
_DASHES = re.compile("—{3,}")
_PAIRS = tuple(2 * mark for mark in "。．…・.！!？?，,；;：:、~～—")
_LONG_DOTS = re.compile(r"\.{4,}")

_HALFWIDTH = str.maketrans(
    {
        **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
        **dict(zip("。、【】《》〈〉「」『』“”‘’", '.,[]<><>""""""' + "''", strict=True)),
        "…": "...",
        "—": "-",
        "·": ".",
    }
)


def align(texts: Sequence[str], punctuation: Punctuation = "keep") -> list[str]:
    """Align the messages of a dialogue.

    Returns:
        As many texts; one of nothing but blanks or invisible characters comes back empty.
    """
    if any(_BETWEEN in text for text in texts):
        texts = [text.replace(_BETWEEN, "") for text in texts]
    # The whole dialogue at once: most need little, and then searching is all.
    text = _BETWEEN.join(texts)
    if _ODD.search(text):
        text = _NEWLINES.sub("\n", text)
        text = _INVISIBLE.sub("", text)
        text = text.translate(_WIDE)
        text = _ODD_BLANK.sub(" ", text)
    if " " in text or "\n" in text:
        text = _BLANKS.sub(" ", text)
        text = _AROUND_BREAK.sub(lambda found: found[1] or found[2], text)
        text = _BESIDE_PUNCTUATION.sub("", text)
    if any(pair in text for pair in _PAIRS):
        text = _DOTS.sub("……", text)
        text = _REPEATED.sub(r"\1", text)
        text = _LONG_DOTS.sub("...", text)
        text = _DASHES.sub("——", text)
    if punctuation == "halfwidth":
        text = text.translate(_HALFWIDTH)
    return [part.strip(" \n") for part in text.split(_BETWEEN)]
