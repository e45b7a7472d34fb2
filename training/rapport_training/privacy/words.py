"""Words of a text, and what is known of them: places, parts of speech, characters of given names.

jieba's dictionary through its Rust port, without the hidden Markov model for unknown words: the
model makes names of ordinary words, while an unknown name falls apart into single characters, which
is what `privacy.names` looks for.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files

import rjieba

UNLIKELY = -3.0
"""Log-odds of a character that hardly ever stands in a given name."""


def segment(text: str) -> list[str]:
    """The words of a text; joined they are the text."""
    return list(_segmenter().cut(text, False))


@lru_cache(maxsize=65536)
def part_of_speech(word: str) -> str:
    """Part of speech as jieba tags it of one word, such as `n`, `v`, `nr` (person); empty for an unknown word."""
    tags = _segmenter().tag(word, False)
    return tags[0][1] if len(tags) == 1 and known(word) else ""


def known(word: str) -> bool:
    """Whether jieba's dictionary has this word."""
    return _segmenter().has_word(word)


@lru_cache(maxsize=65536)
def frequency(word: str) -> int:
    """How often jieba's dictionary counted this word; for others, how often its parts let expect."""
    return _segmenter().suggest_freq(word)


@cache
def places() -> dict[str, str]:
    """Names of places with their class: `division`, `county` or `foreign`; the last two need context."""
    return dict(line.split("\t") for line in _lines("places.txt"))


@cache
def given_scores() -> dict[str, float]:
    """For each character, ln P(character | given name) - ln P(character | ordinary text)."""
    return {line[0]: int(line[2:]) / 10 for line in _lines("given_names.txt")}


def given_score(characters: str) -> float:
    """Sum of the log-odds of these characters being a given name."""
    if characters in _popular():
        return 8.0
    scores = given_scores()
    return sum(scores.get(character, UNLIKELY) for character in characters)


def is_popular(given: str) -> bool:
    """Whether `given` is among the commonest given names."""
    return given in _popular()


def word_list(name: str, section: str) -> tuple[str, ...]:
    """The words of one section of a list in `data/`, in the order of the file.

    Such a file has sections `[name]` with words separated by blanks; `#` begins a comment.
    """
    words: list[str] = []
    inside = False
    for line in _lines(name):
        if line.startswith("["):
            inside = line == f"[{section}]"
        elif inside:
            words += line.partition("#")[0].split()
    if not words:
        raise LookupError(f"no section [{section}] in data/{name}")
    return tuple(words)


@cache
def _popular() -> frozenset[str]:
    return frozenset(word_list("name_words.txt", "popular_given"))


@cache
def _segmenter() -> rjieba.Jieba:
    segmenter = rjieba.Jieba()
    for word in word_list("name_words.txt", "no_person"):
        if not segmenter.has_word(word):
            segmenter.add_word(word, None, "x")
    for place in places():
        if len(place) > 2 or place.endswith("县"):
            segmenter.add_word(place, None, "ns")
    return segmenter


def _lines(name: str) -> list[str]:
    return (
        files("rapport_training.privacy")
        .joinpath("data", name)
        .read_text(encoding="utf-8")
        .splitlines()
    )
