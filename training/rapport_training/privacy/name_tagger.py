"""A fitted second opinion: is this span of two to four characters a person's name here?

Logistic regression over what the span is (surname, characters of given names, how jieba cuts and
tags it) and what stands on both sides. The weights are in `data/name_weights.txt`;
`training/fit_names.py` fits them to sentences in which persons were given random names, real talk
among them, and to marked development sentences.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from importlib.resources import files

from rapport_training.privacy.name_candidates import (
    GIVEN_TOO,
    WORD_SHAPES,
    Candidate,
    Cut,
    candidates,
    cut_up,
    left_of,
    right_of,
    shape_of,
)
from rapport_training.privacy.name_words import (
    BOUNDARY,
    KIN,
    PERSON_RIGHT,
    TITLE,
    TOWARDS,
    Name,
    surname_at,
)
from rapport_training.privacy.words import (
    frequency,
    given_score,
    is_popular,
    part_of_speech,
    places,
)

THRESHOLD = -0.5
"""Log-odds from which on a span is taken for a name: one that stays harms more than a masked word."""


def surface_features(surface: str) -> list[str]:
    """What the characters of a span say."""
    shape = shape_of(surface)
    length, weight = surname_at(surface, 0)
    if shape[0] in WORD_SHAPES | {"T", "G", "N"}:
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
    if shape[0] in WORD_SHAPES:
        features.append(f"rare=W{frequency(surface).bit_length()}")
    if is_popular(given):
        features.append("popular")
    if surface in places():
        features.append("place=" + shape[0])
    features.append("last=" + surface[-1])
    if any(c in GIVEN_TOO for c in given):
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
    return features


def _tag(word: str) -> str:
    if not word or word[0] in BOUNDARY:
        return "B"
    return part_of_speech(word) or "-"


def side_features(
    shape: str, left: tuple[str, str, str], right: tuple[str, str, bool]
) -> list[str]:
    """Both sides in one word."""
    before, word, _ = left
    side = "K" if KIN.search(before) else "B" if _tag(word) == "B" else _tag(word)[:1]
    return [f"sides={shape[0]}{side}{_tag(right[1])[:1]}"]


def model_features(shape: str, most: int, least: int, before: int, after: int) -> list[str]:
    """What the model says of a span and of its neighbours, in steps."""
    return [
        f"most={most}",
        f"least={least}",
        f"model={shape[0]}{most},{least}",
        f"edge={before > 2:d}{after > 2:d}",
        f"edges={least > 2:d}{before},{after}",
    ]


_Group = tuple[Callable[..., list[str]], tuple[object, ...]]


def _groups(cut: Cut, candidate: Candidate) -> Iterator[_Group]:
    """The kinds of features with what they are read from; the span itself first."""
    shape = shape_of(candidate.surface)
    yield surface_features, (candidate.surface,)
    yield cut_features, (shape, candidate.cut)
    left, right = left_of(cut, candidate), right_of(cut, candidate)
    yield left_features, left
    yield right_features, right
    yield side_features, (shape, left, right)
    start, end = candidate.start, candidate.end
    inside = cut.person[start:end]
    before = cut.person[start - 1] if start else 0.0
    after = cut.person[end] if end < len(cut.person) else 0.0
    steps = map(_step, (max(inside), min(inside), before, after))
    yield model_features, (shape, *steps)


def features(cut: Cut, candidate: Candidate) -> list[str]:
    """All features of a candidate."""
    return [name for of, given in _groups(cut, candidate) for name in of(*given)]


def _step(share: float) -> int:
    return -9 if share < 0 else bisect(_STEPS, share) - 3


_STEPS = (0.01, 0.03, 0.08, 0.2, 0.4, 0.6, 0.8, 0.93, 0.98)
"""Probabilities that part the steps."""


def _doubt(shape: str, share: float) -> float:
    """How much more the rest must say where the model says little; `share` is its likeliest character.

    The sentences that the weights are fitted to hold more names than talk does, and far more names
    that are words.
    """
    if shape == "N" and share < 0:
        return 3.0
    doubt = 1.2 if 0 <= share < 0.08 else 0.5 if share < 0.2 else -1.0
    return doubt + 1.0 if shape in WORD_SHAPES else doubt


def find_tagged(text: str, words: list[str], person: list[float]) -> list[Name]:
    """Names by the fitted weights, the surest first where they overlap."""
    cut = cut_up(text, words, person)
    scored = []
    for candidate in candidates(cut):
        score = sum(_weight(of, given) for of, given in _groups(cut, candidate))
        doubt = _doubt(shape_of(candidate.surface)[0], max(person[candidate.start : candidate.end]))
        if score > THRESHOLD + doubt:
            scored.append((-score, candidate.start, candidate.end))
    names: list[Name] = []
    for _, start, end in sorted(scored):
        if all(end <= name.start or start >= name.end for name in names):
            names.append(Name(start, end, end - start > 2))
    return names


@lru_cache(maxsize=262144)
def _weight(of: Callable[..., list[str]], given: tuple[object, ...]) -> float:
    return sum(_weights().get(name, 0.0) for name in of(*given))


@cache
def _weights() -> dict[str, float]:
    path = files("rapport_training.privacy").joinpath("data", "name_weights.txt")
    pairs = (line.rsplit("\t", 1) for line in path.read_text(encoding="utf-8").split("\n") if line)
    return {name: float(weight) / 100 for name, weight in pairs}
