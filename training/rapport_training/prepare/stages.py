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
class Processed:
    """What came of a batch.

    Attributes:
        source: Its file's name.
        lines: One finished line a dialogue.
        entries: What is known of each.
        topics: Each one's topic.
        counts: (stage, reason) -> dialogues removed; ("changed", rule) -> dialogues changed;
            ("read", "") -> records, a question with several answers counted once for each;
            ("alone", rule) and ("only", rule) -> dialogues that a quality rule objects to, and
            that no other objects to.
        places: (record number, reason) of the first few records that could not be read.
        unknown: Keys of records of no known format -> such records.
    """

    source: str
    lines: list[bytes] = field(default_factory=list)
    entries: NDArray[np.void] = field(default_factory=lambda: np.empty(0, ENTRY))
    topics: list[str | None] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    places: list[tuple[int, str]] = field(default_factory=list)
    unknown: Counter[tuple[str, ...]] = field(default_factory=Counter)


class _Candidate(NamedTuple):
    number: int
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
        out = Processed(batch.source)
        kept = []
        for raw in batch.records:
            dialogues = self._read(raw, out)
            out.counts["read", ""] += max(1, len(dialogues))
            for parsed in dialogues:
                dialogue = self._one(parsed, batch.topic, out)
                if dialogue is not None:
                    kept.append(_Candidate(raw.number, parsed.topic or batch.topic, dialogue))
        if kept:
            self._describe(kept, out)
        return out

    def _read(self, raw: Raw, out: Processed) -> list[Parsed]:
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
            if len(out.places) < 20:
                out.places.append((raw.number, reason))
            return []

    def _one(self, parsed: Parsed, default_topic: str | None, out: Processed) -> Dialogue | None:
        settings = self._settings
        if self._topics and (parsed.topic or default_topic) not in self._topics:
            out.counts["selection", "other_topic"] += 1
            return None
        messages = [Message(*message) for message in parsed.messages]
        rules: list[str] = []
        if settings.structure == "mend":
            messages, rules = mend(messages)
        dialogue = Dialogue("", tuple(answered(messages)))
        if len(dialogue.messages) < len(messages):
            rules.append("unanswered_end")
        problem = structure_problem(dialogue)
        if problem == "no_messages" and parsed.messages:
            problem = "no_assistant_turn"
        if problem is None and len(dialogue.assistant_turns()) < settings.min_exchanges:
            problem = "too_short"
        if problem is not None:
            out.counts["structure", problem] += 1
            return None
        for rule in rules:
            out.counts["changed", rule] += 1
        return self._clean(dialogue, out)

    def _is_sampled(self, data: bytes) -> bool:
        digest = hashlib.sha256(self._salt + data.strip()).digest()
        return int.from_bytes(digest[:8]) < self._sampled

    def _clean(self, dialogue: Dialogue, out: Processed) -> Dialogue | None:
        settings = self._settings
        texts = [message.content for message in dialogue.messages]
        aligned = align(texts, settings.punctuation)
        if aligned != texts:
            out.counts["changed", "aligned"] += 1
        if not all(aligned):
            out.counts["alignment", "blank_message"] += 1
            return None
        messages = _with_texts(dialogue.messages, aligned)
        stripped, rules = self._quality.strip(aligned)
        if rules:
            for rule in rules:
                out.counts["changed", rule] += 1
            messages = _with_texts(messages, align(stripped, settings.punctuation))
            if settings.structure == "mend":  # a message may have been nothing else
                messages = answered(mend([m for m in messages if m.content])[0])
            if structure_problem(Dialogue("", tuple(messages))) is not None:
                out.counts["quality", "blank_message"] += 1
                return None
            if sum(m.role == "assistant" for m in messages) < settings.min_exchanges:
                out.counts["quality", "too_short"] += 1
                return None
        user, assistant = (
            _SEPARATOR.join(m.content for m in messages if m.role == role)
            for role in ("user", "assistant")
        )
        problems = self._quality.problems(user, assistant)
        for rule in problems:
            out.counts["alone", rule] += 1
        if problems:
            out.counts["quality", problems[0]] += 1
            if len(problems) == 1:
                out.counts["only", problems[0]] += 1
            return None
        return Dialogue("", tuple(messages))

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
                    "source": f"{out.source}:{one.number}",
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
