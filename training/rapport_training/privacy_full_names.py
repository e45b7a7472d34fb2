"""Surname and given name however the words are cut: 二舅何平, “，邵以宁”, scored with both sides."""

from __future__ import annotations

from functools import lru_cache

from rapport_training.privacy_name_context import TITLE, Name, surname_at
from rapport_training.privacy_name_words import (
    BOUNDARY,
    HAN,
    NO_GIVEN,
    NO_PERSON,
    PETS,
    PUBLIC_FIGURES,
    SHORT_TITLES,
)
from rapport_training.privacy_person_signs import KIN, PERSON_RIGHT, TOWARDS
from rapport_training.privacy_place_words import EMPLOYERS
from rapport_training.privacy_words import given_score, is_popular, part_of_speech, places

ALONE_THRESHOLD = 2.0
"""Score of surname and given name for a clause that holds nothing else."""

FULL_THRESHOLD = 2.0
"""Score of surname and given name, with what stands on both sides."""

_BRANDS = frozenset(EMPLOYERS)

EDGES = frozenset('，。！？：:“”"；… ')

_NO_GIVEN = NO_GIVEN - set("如以之为其于向从")

_NO_ALONE = frozenset(
    ("你", "他", "她", "我", "您", "谁", "人", "好", "大家", "天", "年", "上", "下", "点")
)


def find_alone(text: str, start: int, begins: dict[int, str]) -> list[Name]:
    """A clause that is nothing but surname and given name."""
    end = next(
        (stop for stop in range(start + 2, min(start + 5, len(text))) if text[stop] in EDGES),
        len(text),
    )
    if not 2 <= end - start <= 4 or not HAN.fullmatch(text, start, end):
        return []
    surface = text[start:end]
    length, weight = surname_at(text, start)
    word = begins.get(start, "")
    if not length or weight <= 0 or not 1 <= end - start - length <= 2 or word in NO_PERSON:
        return []
    if len(word) > length and part_of_speech(word) not in {"", "nr", "nrt"}:
        return []
    given = text[start + length : end]
    second = begins.get(start + length, "")
    known = part_of_speech(second) not in {"", "nr", "nrt", "nz"} and len(second) == 2
    if surface in PUBLIC_FIGURES or surface in places() or given in _NO_ALONE:
        return []
    if any(character in "的了是吗呢吧啊没不很都过么们就着也这那" for character in given):
        return []
    if known and given_score(given) < 5:
        return []
    score = weight + max(given_score(given), -2.0)
    return [Name(start, end, True)] if score >= ALONE_THRESHOLD - (weight > 2.5) * 1.5 else []


def find_full(text: str, start: int, begins: dict[int, str]) -> list[Name]:
    """Surname and given name however the words are cut, by what stands on both sides: 二舅何平."""
    length, weight = surname_at(text, start)
    word = begins[start]
    if len(word) > length + 2 or word in PETS or (word in NO_PERSON and len(word) > 2):
        return []
    if not _may_be_full(text[start : start + length + 2], length, weight):
        return []
    before = text[max(0, start - 4) : start]
    if len(word) > length and part_of_speech(word) not in {"", "nr", "nrt"} and len(word) != 2:
        return []
    if text[start + length : start + length + 1] in SHORT_TITLES or TITLE.match(
        text, start + length
    ):
        return []
    left = 3.0 if KIN.search(before) else 1.5 if TOWARDS.search(before) else 0.0
    if left < 3 and (word in NO_PERSON or (len(word) > length and _known(word))):
        return []
    if not left or (left < 3 and weight < 0 and len(word) > length):
        return []
    best: tuple[float, int] | None = None
    for end in (start + length + 1, start + length + 2):
        given, surface = text[start + length : end], text[start:end]
        if end > len(text) or any(c in _NO_GIVEN or c in BOUNDARY for c in given):
            break
        if surface in PUBLIC_FIGURES or surface in NO_PERSON or surface in places():
            continue
        if surface in _BRANDS or (weight < 0 and given_score(given) < 1 and given[0] != "小"):
            continue
        if (end != len(text) and end not in begins) or not HAN.fullmatch(given):
            continue
        score = weight + max(given_score(given), -1.5 * len(given)) + left + 1.0 * (len(given) == 2)
        score += 1.5 if PERSON_RIGHT.match(text, end) else -1.0
        score += 1.5 if len(given) == 2 and given[0] in "小晓" else 0.0
        score -= sum(_known(begins.get(place, "")) for place in range(start, end))
        if score >= FULL_THRESHOLD and (best is None or score > best[0]):
            best = score, end
    return [Name(start, best[1], True)] if best else []


@lru_cache(maxsize=65536)
def _may_be_full(surface: str, length: int, weight: float) -> bool:
    """Whether one of the names at the start of `surface` could reach the threshold at best."""
    given = surface[length:]
    if not given or given[0] in _NO_GIVEN or given[0] in BOUNDARY:
        return False
    scores = [given_score(given[:size]) + size - 1 for size in (1, 2)]
    return weight + max(*scores, -1.5) + 3.0 + 1.5 + 1.5 >= FULL_THRESHOLD


@lru_cache(maxsize=65536)
def _known(word: str) -> float:
    """How much an ordinary word speaks against the name that it would be part of."""
    if len(word) < 2 or is_popular(word):
        return 0.0
    return 0.0 if part_of_speech(word) in {"", "nr", "nrt", "nz", "nrfg"} else 2.5
