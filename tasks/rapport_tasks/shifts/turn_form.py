"""The form of a message: what it asks, refers to and how long it is, whatever it is about.

In small talk a topic rarely ends because nothing is similar any more. It ends with a question to the
other person after a question was answered, or with a statement about oneself, and goes on with words
that point back (it, they, that one). None of this is visible to embeddings. Closed word classes only,
in English: no word here belongs to a topic. Which of them the last sentence has ("what do you ...",
"do you have any ...", "how is the ...") says how freely it opens or follows up.

Where people write paragraphs the same forms mean something else: "How do you feel about it?" is the
helper's way of staying with a topic. Of form, the general model therefore reads only which messages ask.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapport_tasks.dialogues.sentences import split_sentences
from rapport_tasks.embedding.encoder import shorten

SMALL_TALK = 16.0
"""Messages of at most so many words on average are small talk."""

LONGEST = 15
"""Words above this count no further: length only tells an answer from a nod."""

_WORD = re.compile(r"[^\W\d_]+")
_POINTING = frozenset("it that they he she him her them this those there its his their one these".split())  # fmt: skip
_SELF = frozenset("i my me mine".split())
_YOU = frozenset("you your yours u".split())
FUNCTION_WORDS = tuple(
    (
        "a an the i you your me my it this that they them he she her we am is are was were be "
        "been do does did have has had can could would will should what where how who why "
        "when there here then now if because and but or so to of in on at with for from about "
        "up out any some all many much more lot no not yes too also just very really well oh "
        "hi hello"
    ).split()
)
"""Pronouns, auxiliaries, question words, prepositions, connectives, quantifiers and interjections
that 25 messages of TIAGE train or more have."""

_FUNCTION_WORDS = frozenset(FUNCTION_WORDS)
_NEGATED = re.compile(r"(?:(?<!ca)n|(?<=can))['’]t\b")
_SHORT = re.compile(r"['’](s|re|m|ve|ll|d)\b")
_LONG = {"s": "is", "re": "are", "m": "am", "ve": "have", "ll": "will", "d": "would"}
_ADDRESSED = re.compile(
    r"\b(?:do|are|have|did|can|would|were|will) (?:you|u)\b"
    r"|\bwhat (?:do|is|s|are|re) (?:you|your)\b"
    r"|\b(?:how|what|where|who|which) .*\byour?\b"
)
_RETURNED = re.compile(
    r"\b(?:what|how) about (?:you|yours|yourself)\b|\band (?:you|yours|yourself)\b"
    r"|^(?:(?:do|are|have|did|can) )?you$"
    r"|^(?:do|are|have|did|can) you (?:too|have one|have any|like (?:it|them|that))\b"
)


@dataclass(frozen=True, slots=True)
class Form:
    """What is read off one message; "closing" is its last sentence.

    Attributes:
        closing: The last sentence that has a word; the whole text if none has.
        asks: Whether the text ends with a question mark.
        asks_midway: Whether it has one, but does not end with one ("do you ski ? i love it .").
        asks_twice: Whether it has more than one.
        words: How many it has.
        closing_words: How many its last sentence has.
        sentences: How many have a word; at least 1.
        points, closing_points: Whether a word points back (it, they, that, one, ...).
        speaks_of_self, closing_self, opens_with_self: Whether I, my, me or mine occurs, anywhere,
            in the last sentence, as the first word.
        addresses: Whether the last sentence asks about "you" in the usual forms.
        asks_you: Whether the text asks and the last sentence has "you" or "your".
        returns: Whether the last sentence gives a question back ("and you?").
        function_words: Those of `FUNCTION_WORDS` that the last sentence has, contractions spelled
            out as in the calibration data.
    """

    closing: str
    asks: bool
    asks_midway: bool
    asks_twice: bool
    words: int
    closing_words: int
    sentences: int
    points: bool
    closing_points: bool
    speaks_of_self: bool
    closing_self: bool
    opens_with_self: bool
    addresses: bool
    asks_you: bool
    returns: bool
    function_words: frozenset[str]


@lru_cache(maxsize=65536)
def form(text: str) -> Form:
    """Read the form of a message.

    >>> found = form("That is cool. I have two cats. What do you do for a living?")
    >>> found.closing, found.asks, found.words, found.sentences, found.addresses, found.points
    ('What do you do for a living?', True, 14, 3, True, True)
    """
    text = shorten(text)
    spoken = [s.text for s in split_sentences(text) if _WORD.search(s.text)] or [text]
    words, closing = _words(text), _words(spoken[-1])
    joined = " ".join(closing)
    asks = asks_something(text)
    marks = text.count("?") + text.count("？")
    return Form(
        closing=spoken[-1],
        asks=asks,
        asks_midway=not asks and marks > 0,
        asks_twice=marks > 1,
        words=len(words),
        closing_words=len(closing),
        sentences=len(spoken),
        points=not _POINTING.isdisjoint(words),
        closing_points=not _POINTING.isdisjoint(closing),
        speaks_of_self=not _SELF.isdisjoint(words),
        closing_self=not _SELF.isdisjoint(closing),
        opens_with_self=bool(words) and words[0] in _SELF,
        addresses=bool(_ADDRESSED.search(joined)),
        asks_you=asks and not _YOU.isdisjoint(closing),
        returns=bool(_RETURNED.search(joined)),
        function_words=_FUNCTION_WORDS.intersection(_words(_spelled_out(spoken[-1]))),
    )


def asks_something(text: str) -> bool:
    """Whether a text ends with a question mark; quotes and brackets after it do not matter."""
    return text.rstrip("”\"'）) ").endswith(("？", "?"))


def form_features(texts: Sequence[str], i: int) -> dict[str, float]:
    """What the form of message i and of the two before it says about a new topic.

    Word counts enter as ln(1 + count), no more than `LONGEST` of them, the rest as 0 or 1; every
    name begins with ``form_``.
    """
    this, last = form(texts[i]), form(texts[i - 1])
    values = {
        "asks": this.asks,
        "asks_midway": this.asks_midway,
        "asks_midway_before": last.asks_midway,
        "asks_twice": this.asks_twice,
        "asked_before": i > 1 and form(texts[i - 2]).asks,
        "words": _grown(this.words),
        "words_before": _grown(last.words),
        "closing_words": _grown(this.closing_words),
        "several_sentences": this.sentences > 1,
        "several_sentences_before": last.sentences > 1,
        "points": this.points,
        "closing_points": this.closing_points,
        "speaks_of_self": this.speaks_of_self,
        "closing_self": this.closing_self,
        "opens_with_self": this.opens_with_self,
        "addresses": this.addresses,
        "asks_you": this.asks_you,
        "returns": this.returns,
        **{f"has_{word}": word in this.function_words for word in FUNCTION_WORDS},
    }
    return {f"form_{name}": float(value) for name, value in values.items()}


def is_small_talk(texts: Sequence[str]) -> bool:
    """Whether texts have at most `SMALL_TALK` words on average."""
    return sum(form(text).words for text in texts) <= SMALL_TALK * len(texts)


def _grown(count: int) -> float:
    return math.log1p(min(count, LONGEST))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _spelled_out(text: str) -> str:
    """Lower case without contractions; 's counts as "is", a genitive too."""
    text = _NEGATED.sub(" not", text.lower())
    return _SHORT.sub(lambda match: f" {_LONG[match.group(1)]}", text)
