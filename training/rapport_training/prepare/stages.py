"""The stages that look at one dialogue at a time; they run in worker processes.

A batch of raw records comes in; out come the dialogues that pass as finished lines, what later stages
need to know of each (digest, signatures, lengths), and a count of every removal and its reason.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from rapport_tasks.dialogues.dialogue import Dialogue, Message, structure_problem
from rapport_training.prepare.alignment import align
from rapport_training.prepare.contamination import EvaluationIndex
from rapport_training.prepare.fingerprint import (
    BINS,
    GRAM,
    OPENING_BINS,
    OPENING_SHINGLE,
    SHINGLE,
    fold,
    gram_hashes,
    signatures,
)
from rapport_training.prepare.formats import Parsed, parse_record
from rapport_training.prepare.quality import QualityFilter
from rapport_training.prepare.records import Raw
from rapport_training.prepare.settings import PrepareSettings
from rapport_training.prepare.split import opening
from rapport_training.prepare.structure import answered, mend
from rapport_training.prepare.transcripts import Messages
from rapport_training.prepare.unknown import shown_keys
from rapport_training.prepare.values import Unreadable

ENTRY = np.dtype(
    [
        ("digest", "S16"),  # of the folded dialogue
        ("opening", "S16"),  # of the folded opening
        ("signature", "u2", BINS),
        ("opening_signature", "u2", OPENING_BINS),
        ("length", "u4"),  # of its line in bytes
        ("exchanges", "u4"),
        ("user_chars", "u4"),
        ("assistant_chars", "u4"),
        ("shingles", "u4"),
        ("contaminated", "?"),
    ]
)
"""What is kept of a dialogue beside its line and its topic."""

_SEPARATOR = "\x1f"
MOST_PLACES = 20
"""Records that could not be read whose place is told."""


class Batch(NamedTuple):
    """Records of one file.

    Attributes:
        source: The file's name.
        topic: The topic of records that name none.
        records: In file order.
    """

    source: str
    topic: str | None
    records: list[Raw]


@dataclass(slots=True)
class Found:
    """What is known of some records.

    Attributes:
        entries: Of each dialogue that stays.
        topics: Each one's topic.
        counts: (stage, reason) -> dialogues removed; ("changed", rule) -> dialogues changed;
            ("read", "") -> records, a question with several answers counted once for each;
            ("alone", rule) and ("only", rule) -> dialogues that a quality rule objects to, and
            that no other objects to.
        unreadable: ``file:number: reason`` of the first records that could not be read.
        unknown: Keys of records of no known format -> such records.
    """

    entries: NDArray[np.void] = field(default_factory=lambda: np.empty(0, ENTRY))
    topics: list[str | None] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    unknown: Counter[tuple[str, ...]] = field(default_factory=Counter)


@dataclass(slots=True)
class Processed(Found):
    """What came of a batch: one finished line a dialogue, beside what is known of it."""

    lines: list[bytes] = field(default_factory=list)


class _Removed(Exception):
    """A dialogue that does not stay; its arguments are stage and reason."""


class _Candidate(NamedTuple):
    source: str
    topic: str | None
    dialogue: Dialogue


class Stages:
    """Parse, selection, structure, alignment and quality, and the fingerprints of what is left."""

    def __init__(self, settings: PrepareSettings, evaluation: EvaluationIndex) -> None:
        self._settings = settings
        self._evaluation = evaluation
        self._quality = QualityFilter(settings.effective_rules())
        self._topics = frozenset(settings.topics)
        self._sampled = int(settings.percent / 100 * (1 << 64))
        self._salt = f"{settings.seed}:".encode()

    def __call__(self, batch: Batch) -> Processed:
        """Work on one batch."""
        out = Processed()
        kept = []
        for raw in batch.records:
            dialogues = self._read(raw, batch.source, out)
            out.counts["read", ""] += max(1, len(dialogues))
            for parsed in dialogues:
                topic = parsed.topic or batch.topic
                try:
                    dialogue = self._one(parsed.messages, topic, out.counts)
                except _Removed as removed:
                    out.counts[removed.args] += 1
                else:
                    kept.append(_Candidate(f"{batch.source}:{raw.number}", topic, dialogue))
        if kept:
            self._describe(kept, out)
        return out

    def _read(self, raw: Raw, source: str, out: Processed) -> list[Parsed]:
        try:
            if raw.problem is not None:
                raise Unreadable(raw.problem)
            if self._settings.percent < 100 and not self._is_sampled(raw.data):
                out.counts["selection", "not_sampled"] += 1
                return []
            return parse_record(raw.data)
        except Unreadable as unreadable:
            reason = str(unreadable)
            out.counts["parse", reason] += 1
            if unreadable.keys:
                out.unknown[shown_keys(unreadable.keys)] += 1
            if len(out.unreadable) < MOST_PLACES:
                out.unreadable.append(f"{source}:{raw.number}: {reason}")
            return []

    def _is_sampled(self, data: bytes) -> bool:
        digest = hashlib.sha256(self._salt + data.strip()).digest()
        return int.from_bytes(digest[:8]) < self._sampled

    def _one(self, said: Messages, topic: str | None, counts: Counter[tuple[str, str]]) -> Dialogue:
        settings = self._settings
        if self._topics and topic not in self._topics:
            raise _Removed("selection", "other_topic")
        messages = [Message(*message) for message in said]
        rules: list[str] = []
        if settings.structure == "mend":
            messages, rules = mend(messages)
        dialogue = Dialogue("", tuple(answered(messages)))
        if len(dialogue.messages) < len(messages):
            rules.append("unanswered_end")
        problem = structure_problem(dialogue)
        if problem == "no_messages" and said:
            problem = "no_assistant_turn"
        if problem is None and len(dialogue.assistant_turns()) < settings.min_exchanges:
            problem = "too_short"
        if problem is not None:
            raise _Removed("structure", problem)
        counts.update(("changed", rule) for rule in rules)
        return self._clean(dialogue, counts)

    def _clean(self, dialogue: Dialogue, counts: Counter[tuple[str, str]]) -> Dialogue:
        settings = self._settings
        texts = [message.content for message in dialogue.messages]
        aligned = align(texts, settings.punctuation)
        if aligned != texts:
            counts["changed", "aligned"] += 1
        if not all(aligned):
            raise _Removed("alignment", "blank_message")
        messages = _with_texts(dialogue.messages, aligned)
        stripped, rules = self._quality.strip(aligned)
        if rules:
            counts.update(("changed", rule) for rule in rules)
            messages = _with_texts(messages, align(stripped, settings.punctuation))
            if settings.structure == "mend":  # a message may have been nothing else
                messages = answered(mend([m for m in messages if m.content])[0])
        cleaned = Dialogue("", tuple(messages))
        if structure_problem(cleaned) is not None:
            raise _Removed("quality", "blank_message")
        if len(cleaned.assistant_turns()) < settings.min_exchanges:
            raise _Removed("quality", "too_short")
        user, assistant = (
            _SEPARATOR.join(m.content for m in messages if m.role == role)
            for role in ("user", "assistant")
        )
        problems = self._quality.problems(user, assistant)
        counts.update(("alone", rule) for rule in problems)
        if len(problems) == 1:
            counts["only", problems[0]] += 1
        if problems:
            raise _Removed("quality", problems[0])
        return cleaned

    def _describe(self, kept: list[_Candidate], out: Processed) -> None:
        spoken = [[m.content for m in one.dialogue.messages if m.role != "system"] for one in kept]
        codes, ends = fold(["".join(texts) for texts in spoken])
        shingles, counts = gram_hashes(codes, ends, SHINGLE)
        grams = gram_hashes(codes, ends, GRAM)
        first_codes, first_ends = fold([opening(texts) for texts in spoken])
        firsts = gram_hashes(first_codes, first_ends, OPENING_SHINGLE)
        entries = np.zeros(len(kept), ENTRY)
        entries["digest"] = _digests(codes, ends)
        entries["opening"] = _digests(first_codes, first_ends)
        entries["shingles"] = counts
        entries["signature"] = signatures(shingles, counts)
        entries["opening_signature"] = signatures(*firsts, OPENING_BINS)
        entries["contaminated"] = self._evaluation.contaminated(*grams)
        for entry, one in zip(entries, kept, strict=True):
            messages = one.dialogue.messages
            identity = bytes(entry["digest"]).ljust(16, b"\0")[:8].hex()
            line = orjson.dumps(
                {
                    "id": identity,
                    "topic": one.topic,
                    "source": one.source,
                    "messages": [{"role": m.role, "content": m.content} for m in messages],
                },
                option=orjson.OPT_APPEND_NEWLINE,
            )
            out.lines.append(line)
            out.topics.append(one.topic)
            entry["length"] = len(line)
            entry["exchanges"] = sum(m.role == "assistant" for m in messages)
            for role in ("user", "assistant"):
                entry[f"{role}_chars"] = sum(len(m.content) for m in messages if m.role == role)
        out.entries = entries


def _with_texts(messages: Sequence[Message], texts: Sequence[str]) -> list[Message]:
    return [Message(m.role, text) for m, text in zip(messages, texts, strict=True)]


def _digests(codes: Any, ends: NDArray[np.int64]) -> list[bytes]:
    starts = np.concatenate(([0], ends[:-1]))
    return [
        hashlib.sha256(codes[a:b].tobytes()).digest()[:16]
        for a, b in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
