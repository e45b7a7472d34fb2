"""Replies made readable: sentences with their acts, markers, and where a reply opens a new topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rapport_bench.arms.texts import Found
from rapport_bench.common.escape import xml_text
from rapport_bench.results.result import Result
from rapport_tasks.acts.classifier import ACTS
from rapport_tasks.acts.markers import MARKERS, find_markers
from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.dialogues.sentences import language, split_sentences
from rapport_tasks.metrics.scorers import act_classifier, boundary_scorer

READ = 3_000
"""Characters of a reply whose sentences are coloured; the rest of a longer one is plain text."""

PAGE_TEXT = 12_000_000
"""Characters of messages that a page holds; the longest are cut until all fit."""


@dataclass(frozen=True, slots=True)
class ArmText:
    """What is shown of one arm.

    Attributes:
        result: The arm.
        shifts: Whether boundaries are looked for; not where the suite used another scorer.
    """

    result: Result
    shifts: bool


def case_texts(
    arms: Sequence[ArmText], found: Found, progress: Callable[[int, int], None]
) -> list[dict[str, Any]]:
    """One entry a dialogue for the page's script.

    ``{"turns": [{"user": words, "arms": {arm's place: [words, ...]}}]}``; words are
    ``{"l": language, "s": sentences, "r": rest, "cut": characters left out, "b": opens a topic}``, a
    sentence ``[place in ACTS or -1, run, ...]``, a run a string, or ``[place in MARKERS, string]``.
    """
    limit = _limit(arms, found)
    cases = []
    for done, dialogue in enumerate(found.dialogues):
        progress(done, len(found.dialogues))
        turns = []
        boundaries = [_boundaries(arm, dialogue, done, found) for arm in arms]
        for turn in dialogue.assistant_turns():
            said = dialogue.last_user(turn)
            shown = {}
            for place, arm in enumerate(arms):
                replies = found.texts.get(arm.result.result_id, {}).get((dialogue.id, turn), [])
                shown[str(place)] = [
                    _reply(text, limit, opens=boundaries[place].get((turn, number), False))
                    for number, text in enumerate(replies)
                ]
            turns.append({"user": _words(said, limit), "arms": shown})
        cases.append({"turns": turns})
    progress(len(found.dialogues), len(found.dialogues))
    return cases


def _limit(arms: Sequence[ArmText], found: Found) -> int:
    """Longest message that the page holds whole, so that all together stay under `PAGE_TEXT`."""
    lengths = [
        len(text)
        for arm in arms
        for replies in found.texts.get(arm.result.result_id, {}).values()
        for text in replies
    ]
    lengths += [len(d.last_user(turn)) for d in found.dialogues for turn in d.assistant_turns()]
    left = PAGE_TEXT
    for place, length in enumerate(sorted(lengths)):
        share = left // (len(lengths) - place)
        if length > share:
            return max(share, READ)
        left -= length
    return PAGE_TEXT


def _boundaries(
    arm: ArmText, dialogue: Dialogue, place: int, found: Found
) -> dict[tuple[int, int], bool]:
    """(message index, number of the reply) -> it opens a new topic.

    The columns say how many do; the scorer is asked only where that leaves a choice.
    """
    columns, texts = arm.result.columns, found.texts.get(arm.result.result_id, {})
    shifts = columns.get("shifts", [0.0] * (place + 1))[place]
    if not arm.shifts or not shifts:
        return {}
    scorer = boundary_scorer()
    return {
        (turn, number): bool(scorer.score_reply(dialogue.messages[:turn], _plain(text)).boundary)
        for turn in dialogue.assistant_turns()
        for number, text in enumerate(texts.get((dialogue.id, turn), []))
    }


def _words(text: str, limit: int) -> dict[str, Any]:
    """A message whose sentences are not told apart, such as a user's."""
    head, rest = _plain(text[:READ]), _plain(text[READ:limit])
    words: dict[str, Any] = {"l": language(head), "s": [[-1, head]]}
    if rest:
        words["r"] = rest
    if len(text) > limit:
        words["cut"] = len(text) - limit
    return words


def _reply(text: str, limit: int, *, opens: bool) -> dict[str, Any]:
    reply = _words(text, limit) | {"s": _sentences(_plain(text[:READ]))}
    return reply | {"b": 1} if opens else reply


def _sentences(text: str) -> list[list[Any]]:
    """The text as sentences, with what stands between them; joined they are the text."""
    sentences = split_sentences(text)
    acts = act_classifier().classify([sentence.text for sentence in sentences])
    family: list[int | None] = [None] * len(text)
    for span in find_markers(text):
        family[span.start : span.end] = [MARKERS.index(span.family)] * (span.end - span.start)
    rows: list[list[Any]] = []
    end = 0
    for sentence, act in zip(sentences, acts, strict=True):
        if sentence.start > end:
            rows.append([-1, text[end : sentence.start]])
        rows.append([ACTS.index(act.label), *_runs(text, sentence.start, sentence.end, family)])
        end = sentence.end
    if end < len(text):
        rows.append([-1, text[end:]])
    return rows


def _runs(text: str, start: int, end: int, family: Sequence[int | None]) -> list[Any]:
    runs: list[Any] = []
    first = start
    for place in range(start + 1, end + 1):
        if place == end or family[place] != family[first]:
            piece = text[first:place]
            runs.append(piece if family[first] is None else [family[first], piece])
            first = place
    return runs


def _plain(text: str) -> str:
    """Text without what UTF-8 cannot hold; the script shows control characters as signs."""
    return xml_text(text)
