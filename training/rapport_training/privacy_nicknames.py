"""Names without a surname: 小明, 阿芳, 老王, and whatever stands after 我叫 or, if likely, after 同事."""

from __future__ import annotations

import re

from rapport_training.privacy_name_context import AFTER_NAME, Around, Name, right_of
from rapport_training.privacy_name_words import (
    BOUNDARY,
    FOREIGN_NAMES,
    HAN,
    NICK_STOP,
    NICK_WEAK,
    NO_GIVEN,
    NO_PERSON,
    RIGHT,
    SURNAMES_LIKELY,
    SURNAMES_SURE,
    THEORY,
    TRANSLITERATING,
    TWICE_STOP,
)
from rapport_training.privacy_words import given_score, part_of_speech


def find_nickname(
    text: str, words: list[str], index: int, start: int, around: Around
) -> Name | None:
    """小明, 老王, 阿芳."""
    word = words[index]
    if word[0] not in "小老阿" or len(word) > 2:
        return None
    if len(word) == 2:
        surface, end, after = word, start + 2, index + 1
    else:
        following = words[index + 1] if index + 1 < len(words) else ""
        if len(following) == 2 and following[1] in AFTER_NAME:
            return _nickname_cut(text, start, following[0], around)
        if len(following) != 1 or not HAN.fullmatch(following):
            return None
        surface, end, after = word + following, start + 2, index + 2
    if text.startswith("小红书", start) or text.startswith(("老张老", "小明显"), start):
        return None
    character = surface[1]
    surname = (
        character in SURNAMES_SURE or character in SURNAMES_LIKELY or character in "高何曾万程段常"
    )
    right = right_of(text, words, end, after)
    if surface in NICK_WEAK:
        firm = around.cue or around.role or (around.score > 0 and right > 0 and surname)
        vocative = start + 2 < len(text) and text[start + 2] in BOUNDARY
        if vocative and (not index or words[index - 1] in BOUNDARY):
            return Name(start, end, True)
        strong_side = after < len(words) and words[after] in {"说", "他", "她", "跟我", "告诉"}
        return Name(start, end, True) if firm or strong_side else None
    if surface in NICK_STOP and not (around.cue and right > 0):
        return None
    if character in NO_GIVEN:
        return None
    limit = 1.7 if word[0] == "小" else 1.0 if word[0] == "阿" else 99.0
    if surname or given_score(character) >= limit or around.cue or character in "胖黑":
        nearby = around.score + right
        if not surname and nearby <= 0:
            return None
        return Name(start, end, True)
    return None


def _nickname_cut(text: str, start: int, character: str, around: Around) -> Name | None:
    known = character in SURNAMES_SURE or character in SURNAMES_LIKELY or character == "何"
    surface = text[start : start + 2]
    named = known or (text[start] != "老" and given_score(character) > 1.9)
    if named and surface not in NICK_STOP and around.score >= 1:
        return Name(start, start + 2, True)
    return None


def find_called(text: str, words: list[str], index: int, start: int, around: Around) -> Name | None:
    """Whatever stands after 我叫, and a given name after 同事."""
    if not (around.cue or around.role):
        return None
    word = words[index]
    best = _called_end(text, words, index, start, around)
    if best is None or THEORY.match(text, best):
        return None
    surface = text[start:best]
    common = surface == word and part_of_speech(word) not in {"", "nr", "nrt", "nz"}
    return Name(start, best, surface[0] == surface[1] or not common)


def _called_end(text: str, words: list[str], index: int, start: int, around: Around) -> int | None:
    end, run = start, ""
    candidates: list[tuple[float, int]] = []
    strict = around.cue and _STRICT.search(text[:start]) is not None
    named = strict and _NAMED.search(text[:start]) is not None
    for offset, word in enumerate(words[index : index + 3]):
        whole = strict and not run and len(word) == 2 and part_of_speech(word)[:1] in _NAMING
        if not HAN.fullmatch(word) or (run and word in RIGHT):
            break
        if any(c in NO_GIVEN for c in word) and not whole:
            break
        run, end = run + word, end + len(word)
        alone = end == len(text) or text[end] in BOUNDARY
        if len(run) > 6 or (word in NO_PERSON and not (strict and alone)):
            break
        right = right_of(text, words, end, index + offset + 1)
        if named and alone and 1 < len(run) < 4:
            return end
        score = _called_score(run, around, right, strict and alone)
        if score is not None:
            candidates.append((score, end))
    return max(candidates)[1] if candidates else None


_NAMING = frozenset("ntsbagzi")
"""Parts of speech of words that may be somebody's name after 我叫: 向阳, 高兴, but not 过来."""

_NAMED = re.compile(r"(?:名字(?:就)?叫|名叫|名字是|姓名[：:])[“\"]?$")

_STRICT = re.compile(r"(?:(?:我|他|她|名字|名)(?:就)?叫|名字是|姓名[：:])[“\"]?$")


def _called_score(run: str, around: Around, right: float, strict: bool) -> float | None:
    """How good `run` is as the name after a cue; None if it is none."""
    if len(run) < 2:
        return None
    if run in FOREIGN_NAMES or (
        len(run) > 2
        and all(c in TRANSLITERATING for c in run)
        and (right or part_of_speech(run) in {"nr", "nrt"})
    ):
        return 10.0 + len(run)
    given, tag = given_score(run), part_of_speech(run)
    ordinary = bool(tag) and tag not in {"nr", "nrt", "nz", "nrfg"}
    if len(run) == 2 and run[0] == run[1] and run not in TWICE_STOP:
        pet = tag in {"", "nr", "nrt", "nrfg", "nz", "ns", "q"}
        likely = given > 1.5 or (pet and given > -6 and right >= 1.5)
        return given if likely or around.cue else None
    if len(run) > 3 or run in TWICE_STOP:
        return None
    if around.cue and right:
        limit = (
            (3.0 if tag[:1] == "v" else -1.0) if strict else 5.0 if tag[:1] in "vadrcpm" else 2.5
        )
        return given + 6 if given > (limit if ordinary else -1.0 if strict else 0.0) else None
    if around.role and len(run) == 2 and not ordinary and given > (5.0 if right else 7.5):
        return given
    return None
