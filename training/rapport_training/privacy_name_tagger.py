"""A fitted second opinion: is this span of two to four characters a person's name here?

Logistic regression over what the span is (surname, characters of given names, how jieba cuts and
tags it) and what stands on both sides. The weights are in `data/name_weights.txt`;
`training/fit_names.py` fits them to sentences in which persons were given random names, and to
marked development sentences, so no real talk is behind them.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import accumulate

from rapport_training.privacy_name_context import TITLE, Name, surname_at
from rapport_training.privacy_name_words import (
    BOUNDARY,
    HAN,
    NICK_STOP,
    NO_GIVEN,
    NO_PERSON,
    PUBLIC_FIGURES,
    SHORT_TITLES,
    SURNAMES_DOUBLE,
    SURNAMES_LIKELY,
    SURNAMES_RARE,
    SURNAMES_SURE,
    THEORY,
    TWICE_STOP,
)
from rapport_training.privacy_person_signs import KIN, PERSON_RIGHT, TOWARDS
from rapport_training.privacy_words import (
    given_score,
    is_popular,
    part_of_speech,
    places,
    word_list,
)

THRESHOLD = 0.5
"""Log-odds from which on a span is taken for a name."""

FLOOR = -9.0
"""What the span itself must reach, whatever stands around it."""

_SURNAME_FIRST = (
    SURNAMES_SURE
    | SURNAMES_LIKELY
    | SURNAMES_RARE
    | set("高何曾")
    | {s[0] for s in SURNAMES_DOUBLE}
)

_DOUBLE_FIRST = frozenset(surname[0] for surname in SURNAMES_DOUBLE)

_NEVER_FIRST = frozenset("rdpcumqy")
"""Parts of speech of words of two characters that no name begins with."""

_STOP = frozenset(word_list("name_words.txt", "tagged_stop"))

_GIVEN_TOO = frozenset("如以之为其于向从")
"""Function words that stand in given names as well: 如玉, 以宁."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Characters `start` to `end` that may be a name: the words `index` to `after` lie on them.

    `cut` is these words, with + if the last sticks out.
    """

    start: int
    end: int
    index: int
    after: int
    surface: str
    cut: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A text, its words, where each begins, and each character's probability in a person's name."""

    text: str
    words: list[str]
    starts: list[int]
    person: list[float]


def cut_up(text: str, words: list[str], person: list[float]) -> Cut:
    """The text with its words, their starts, and what the model says (`privacy_model.Reading`)."""
    return Cut(text, words, [0, *accumulate(map(len, words))], person)


def candidates(cut: Cut) -> Iterator[Candidate]:
    """The spans of a text that could be a name by their characters and words."""
    text, starts = cut.text, cut.starts
    for index, word in enumerate(cut.words):
        if len(word) > 2 or not _begins(word):
            continue
        start = starts[index]
        longest = 2 if word[0] not in _SURNAME_FIRST else 4 if word[0] in _DOUBLE_FIRST else 3
        for end in range(start + 2, min(start + longest, len(text)) + 1):
            surface = text[start:end]
            if not _shape(surface):
                continue
            if surface[0] == surface[1] and text[end : end + 1] == text[end + 1 : end + 2]:
                continue
            last = index
            while starts[last] < end:
                last += 1
            inside = cut.words[index:last]
            yield Candidate(
                start,
                end,
                index,
                last,
                surface,
                " ".join(inside if starts[last] == end else [*inside, "+"]),
            )


@lru_cache(maxsize=65536)
def _begins(word: str) -> bool:
    """Whether a name may begin with this word."""
    if not HAN.match(word) or word[0] in NO_GIVEN:
        return False
    surname = surname_at(word, 0)[0]
    if len(word) == 1:
        return bool(surname) or word in "小老阿大" or given_score(word) > -1.0
    if part_of_speech(word) in _UNKNOWN or is_popular(word):
        return True
    return bool(surname) and part_of_speech(word)[:1] not in _NEVER_FIRST


def left_of(cut: Cut, candidate: Candidate) -> tuple[str, str, str]:
    """Four characters, the word and the word before it that stand left of a candidate."""
    index, start = candidate.index, candidate.start
    word = cut.words[index - 1] if index else ""
    return cut.text[max(0, start - 4) : start], word, cut.words[index - 2] if index > 1 else ""


def right_of(cut: Cut, candidate: Candidate) -> tuple[str, str, bool]:
    """Four characters and the word right of a candidate, and whether a word begins there."""
    end, after = candidate.end, candidate.after
    aligned = cut.starts[after] == end
    word = cut.text[end : end + 1]
    if aligned:
        word = cut.words[after] if after < len(cut.words) else ""
    return cut.text[end : end + 4], word, aligned


@lru_cache(maxsize=65536)
def _shape(surface: str) -> str:
    """The shape of a name: `F` and the lengths of its parts, `T`wice, `N`ickname, `G`iven; or nothing."""
    if not HAN.fullmatch(surface) or surface in NO_PERSON or surface in PUBLIC_FIGURES:
        return ""
    if surface[0] in "高初大" and surface[1] in "一二三四":
        return ""
    if any(c in NO_GIVEN and c not in _GIVEN_TOO for c in surface) or surface[-1] in "时":
        return ""
    if surface in _STOP:
        return ""
    length, weight = surname_at(surface, 0)
    given = surface[length:]
    if surface[-1] in SHORT_TITLES or TITLE.search(given):
        return ""
    if len(surface) == 2 and surface[0] == surface[1]:
        pet = surface not in TWICE_STOP and part_of_speech(surface)[:1] not in _NEVER_TWICE
        return "T" if pet and given_score(surface[0]) > 0 else ""
    if len(surface) == 2 and surface[0] in "小老阿大":
        called = surface[0] not in "大老" or surname_at(surface, 1)[1] > 2
        called = called and part_of_speech(surface) in _UNKNOWN
        return "N" + surface[0] if called and surface not in NICK_STOP else ""
    word = part_of_speech(given) if len(given) == 2 and not is_popular(given) else ""
    if (weight <= 0 or surface[0] in _ALSO_WORDS) and word not in _UNKNOWN:
        return "" if length else _given_shape(surface)
    if length and 1 <= len(given) <= 2 and given_score(given) > -3.5 * len(given):
        return f"F{length}{len(given)}"
    return "" if length else _given_shape(surface)


def _given_shape(surface: str) -> str:
    ordinary = part_of_speech(surface) not in _UNKNOWN and not is_popular(surface)
    return "G" if len(surface) == 2 and given_score(surface) > -1 and not ordinary else ""


_UNKNOWN = frozenset(("", "nr", "nrt", "nrfg"))
"""Parts of speech that do not speak against a name."""


_NEVER_TWICE = frozenset("vdozai")
"""Parts of speech of doubled words that are hardly ever pet names: 滔滔, 呜呜, 甜甜."""

_ALSO_WORDS = frozenset("于白查先水大小老")
"""Surnames that stand before a whole word as words: 倾向于内心, 白花钱."""


def surface_features(surface: str) -> list[str]:
    """What the characters of a span say."""
    shape = _shape(surface)
    length, weight = surname_at(surface, 0)
    if shape[0] in "TGN":
        length = 1 if shape[0] == "N" else 0
    given = surface[length:]
    score = given_score(given)
    step = max(-6, min(8, round(score)))
    tag = part_of_speech(surface) or "-"
    given_tag = (part_of_speech(given) or "-") if len(given) == 2 else "1"
    features = [
        "shape=" + shape,
        f"given={shape}{step}",
        f"tag={shape}{tag}",
        f"given_tag={shape[0]}{given_tag}",
    ]
    if shape[0] == "F":
        features += [f"surname={shape}{weight}", f"both={weight}{step // 2}", "first=" + surface[0]]
    if shape[0] == "N":
        features.append(f"nick={surname_at(surface, 1)[1]}")
    if is_popular(given):
        features.append("popular")
    if surface in places():
        features.append("place=" + shape[0])
    features.append("last=" + surface[-1])
    if any(c in _GIVEN_TOO for c in given):
        features.append("function" + shape[0])
    return features


def cut_features(shape: str, cut: str) -> list[str]:
    """How the words of a text lie on a span; `cut` is those words, with + if the last sticks out."""
    parts = cut.split(" ")
    lengths = "".join("+" if part == "+" else str(len(part)) for part in parts)
    tags = [part_of_speech(part) or "-" for part in parts if len(part) > 1]
    ones = [part_of_speech(part) or "-" for part in parts[1:] if len(part) == 1 and part != "+"]
    return [
        f"cut={shape}{lengths}",
        *(f"word={shape[0]}{tag}{lengths}" for tag in tags),
        *(f"single={tag}" for tag in ones),
    ]


def left_features(before: str, word: str, further: str) -> list[str]:
    """What stands left of a span."""
    tag = _tag(word)
    features = ["l=" + word, "lt=" + tag, f"ltt={_tag(further)} {tag}", "l2=" + before[-2:]]
    if tag == "B":
        features.append("bl=" + further)
    else:
        features.append(f"ll={further} {word}")
    if KIN.search(before):
        features.append("kin")
    if TOWARDS.search(before):
        features.append("towards")
    return features


def right_features(after: str, word: str, aligned: bool) -> list[str]:
    """What stands right of a span."""
    features = ["r=" + word, f"rt={_tag(word)}{aligned:d}", "r1=" + after[:1], "r2=" + after[:2]]
    if PERSON_RIGHT.match(after):
        features.append("right")
    if TITLE.match(after):
        features.append("title")
    if THEORY.match(after):
        features.append("theory")
    return features


def _tag(word: str) -> str:
    if not word or word[0] in BOUNDARY:
        return "B"
    return part_of_speech(word) or "-"


@lru_cache(maxsize=65536)
def sides(left: tuple[str, str, str], right: tuple[str, str, bool]) -> str:
    """Both sides in one word."""
    before, word, _ = left
    side = "K" if KIN.search(before) else "B" if _tag(word) == "B" else _tag(word)[:1]
    return f"{side}{_tag(right[1])[:1]}"


def features(cut: Cut, candidate: Candidate) -> list[str]:
    """All features of a candidate."""
    shape = _shape(candidate.surface)
    left, right = left_of(cut, candidate), right_of(cut, candidate)
    return [
        *surface_features(candidate.surface),
        *cut_features(shape, candidate.cut),
        *left_features(*left),
        *right_features(*right),
        f"sides={shape[0]}{sides(left, right)}",
        *model_features(shape, *model_says(cut, candidate)),
    ]


def model_says(cut: Cut, candidate: Candidate) -> tuple[int, int, int, int]:
    """What the model says, in steps: of the likeliest and the unlikeliest character and both neighbours."""
    start, end = candidate.start, candidate.end
    inside = cut.person[start:end]
    before = cut.person[start - 1] if start else 0.0
    after = cut.person[end] if end < len(cut.person) else 0.0
    return _step(max(inside)), _step(min(inside)), _step(before), _step(after)


def _doubt(shape: str, share: float) -> float:
    """How much more the rest must say where the model says little; `share` is its likeliest character.

    The sentences that the weights are fitted to hold more names than talk does.
    """
    if share < 0:
        return 3.0 if shape == "N" else 0.5
    return 1.2 if share < 0.08 else 0.5 if share < 0.2 else -1.0


def _step(share: float) -> int:
    if share < 0:
        return -9
    return bisect(_STEPS, share) - 3


_STEPS = (0.01, 0.03, 0.08, 0.2, 0.4, 0.6, 0.8, 0.93, 0.98)
"""Probabilities that part the steps."""


@lru_cache(maxsize=65536)
def model_features(shape: str, most: int, least: int, before: int, after: int) -> tuple[str, ...]:
    """What the model says of a candidate."""
    return (
        f"most={most}",
        f"least={least}",
        f"model={shape[0]}{most},{least}",
        f"edge={before > 2:d}{after > 2:d}",
        f"edges={least > 2:d}{before},{after}",
    )


def find_tagged(text: str, words: list[str], person: list[float]) -> list[Name]:
    """Names by the fitted weights, the surest first where they overlap."""
    cut = cut_up(text, words, person)
    scored = []
    for candidate in candidates(cut):
        score = _inside(candidate.surface, candidate.cut)
        if score < FLOOR:
            continue
        left, right = left_of(cut, candidate), right_of(cut, candidate)
        score += _left(*left) + _right(*right)
        shape = _shape(candidate.surface)[0]
        score += _weights().get(f"sides={shape}{sides(left, right)}", 0.0)
        score += _sum(model_features(shape, *model_says(cut, candidate)))
        if score > THRESHOLD + _doubt(shape, max(person[candidate.start : candidate.end])):
            scored.append((-score, candidate.start, candidate.end))
    names: list[Name] = []
    for _, start, end in sorted(scored):
        if all(end <= name.start or start >= name.end for name in names):
            names.append(Name(start, end, end - start > 2))
    return names


@lru_cache(maxsize=65536)
def _inside(surface: str, cut: str) -> float:
    return _sum([*surface_features(surface), *cut_features(_shape(surface), cut)])


@lru_cache(maxsize=65536)
def _left(before: str, word: str, further: str) -> float:
    return _sum(left_features(before, word, further))


@lru_cache(maxsize=65536)
def _right(after: str, word: str, aligned: bool) -> float:
    return _sum(right_features(after, word, aligned))


def _sum(names: Iterable[str]) -> float:
    weights = _weights()
    return sum(weights.get(name, 0.0) for name in names)


@cache
def _weights() -> dict[str, float]:
    path = files("rapport_training").joinpath("data", "name_weights.txt")
    pairs = (line.rsplit("\t", 1) for line in path.read_text(encoding="utf-8").split("\n") if line)
    return {name: float(weight) / 100 for name, weight in pairs}
