"""Topic shifts: does a message open a new topic, judged from what stands before it?

The scorer belongs to the TextTiling family, with sentence embeddings beside shared words: a message
is compared with windows of the messages before it, and with how closely those hung together; the
coherence model (`rapport_tasks.embedding.coherence`) says whether it can follow them, and where it lies among
all messages (`rapport_tasks.shifts.topic_directions`) whether one turns to something else there. In English
small talk the form of the last messages (`rapport_tasks.shifts.turn_form`) says more than coherence. Nothing
after the scored message is read, in calibration either: what follows a generated reply answers the
gold one.

``shift_rate = 10 x shifts / opportunities``, over assistant turns after the first message. More is
neither better nor worse: the target is the band of the gold replies. A parrot never shifts, and that
is no virtue.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Literal, Protocol

from rapport_tasks.common.record import Record
from rapport_tasks.dialogues.builtin import DATA
from rapport_tasks.dialogues.dialogue import Dialogue, Message, Role
from rapport_tasks.dialogues.pool import pool_identity
from rapport_tasks.dialogues.sentences import language
from rapport_tasks.embedding.coherence import (
    PARTS,
    CoherenceModel,
    ComparableCosines,
    identity_of,
    load_weights,
)
from rapport_tasks.embedding.encoder import EMBEDDED, Encoder, Vectors, shorten
from rapport_tasks.embedding.lexical import Lexicon, Terms, dot, pool_lexicon
from rapport_tasks.shifts.preceding import PrecedingVectors, PrecedingWords
from rapport_tasks.shifts.topic_directions import Aspects, Directions, aspects_of, lean
from rapport_tasks.shifts.turn_form import asks_something, form, form_features, is_small_talk
from rapport_tasks.specs.topic_shift import TASK

FEATURES = (
    *("last", "last_but_one", "window_2", "window_4", "window_8", "nearest_4", "nearest_8"),
    *("background", "cohesion"),
)
"""Computed twice, from embeddings and from shared words.

Cosine of the message with the last message, the one before, the mean of the last 2, 4 and 8; its
largest cosine with one of the last 4 and 8; its mean cosine with everything earlier; and the mean
cosine of neighbours among the last 5 messages, which says how close is close in this dialogue.
"""

TYPICAL_COHESION = {"embedding_": 0.3, "words_": 0.1}
"""What `cohesion` is taken to be before the second message, where nothing can be measured."""

GENERAL, SMALL_TALK = "general", "en_small_talk"
"""Names of models: the second is for English in short messages, the first for all else."""

CALIBRATION = DATA / "topic_shift.json"
"""Weights and thresholds, written by tasks/calibrate_shifts.py, which prints how they do."""


@dataclass(frozen=True, slots=True)
class BoundaryModel:
    """A logistic regression with a threshold.

    Attributes:
        weights: Feature name -> slope.
        intercept: Its constant.
        threshold: A score above it is a boundary. Chosen so that as many shifts are found in the
            calibration data as are labelled there.
        directions: Aspect of a message's vectors -> slopes by dimension; none for models that do
            not read them.
    """

    weights: Mapping[str, float]
    intercept: float
    threshold: float
    directions: Directions = field(default_factory=dict)

    def decide(self, features: Mapping[str, float], aspects: Aspects) -> Boundary:
        """Score and decision for one message."""
        total = self.intercept + sum(w * features[name] for name, w in self.weights.items())
        total += lean(self.directions, aspects)
        score = 1 / (1 + math.exp(-total))
        return Boundary(score, score > self.threshold)


@dataclass(frozen=True, slots=True)
class Boundary:
    """Whether a message opens a new topic.

    Attributes:
        score: In (0, 1), higher = more likely a new topic. `None` for a message that nothing stands
            before, and for a blank one.
        boundary: Whether the score exceeds the threshold of the dialogue's language.
    """

    score: float | None
    boundary: bool | None


UNSCORED = Boundary(None, None)


class BoundaryScorer(Protocol):
    """Decides message by message, from what stands before."""

    @property
    def identity(self) -> str:
        """Hash of everything the decisions depend on; part of `suite_id`."""
        ...

    def score_messages(self, messages: Sequence[Message]) -> list[Boundary]:
        """One boundary a message; the first has none."""
        ...

    def score_reply(self, history: Sequence[Message], reply: str) -> Boundary:
        """The boundary of an assistant reply to a history."""
        ...

    def score_each(
        self, messages: Sequence[Message], candidates: Sequence[tuple[int, Message]]
    ) -> list[Boundary]:
        """The boundary of each candidate in the place of a message; turns do not fall."""
        ...


@dataclass(frozen=True, slots=True)
class _Read:
    """A message with what is computed from it alone."""

    role: Role
    text: str
    vector: Vectors
    words: Terms


@dataclass(frozen=True, slots=True)
class _Before:
    """The messages before the one in question."""

    vectors: PrecedingVectors
    words: PrecedingWords
    texts: list[str] = field(default_factory=list)

    def add(self, message: _Read) -> None:
        self.vectors.add(message.vector)
        self.words.add(message.words)
        self.texts.append(message.text)


class WindowBoundaryScorer:
    """Windowed similarities, coherence and directions, weighed by a logistic regression.

    System messages and blank messages are unscored and are no context.

    Args:
        encoder: Gives message vectors.
        lexicon: Weighs shared words; that of the frozen pools by default.
        models: `GENERAL` -> model, and `SMALL_TALK`, if there, for English in short messages; the
            calibrated ones by default, those without coherence and directions for other encoders
            than the embedded one.
    """

    def __init__(
        self,
        encoder: Encoder,
        lexicon: Lexicon | None = None,
        models: Mapping[str, BoundaryModel] | None = None,
    ) -> None:
        self._encoder = encoder
        self._lexicon = lexicon
        self._models = models or load_models("full" if encoder.name == EMBEDDED else "plain")
        self._coherence: CoherenceModel | None = None
        if encoder.name == EMBEDDED:
            self._coherence = CoherenceModel(load_weights())
        self._comparable = ComparableCosines(encoder)

    @property
    def identity(self) -> str:
        """Hash of encoder, coherence model, weights, thresholds and the lexicon's pools."""
        models = {name: asdict(model) for name, model in self._models.items()}
        learned = identity_of(load_weights())
        parts = [TASK.version, self._encoder.identity, learned, pool_identity(), models]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def score_messages(self, messages: Sequence[Message]) -> list[Boundary]:
        """One boundary a message, in order; entry 0 is unscored."""
        return self.score_each(messages, list(enumerate(messages)))

    def score_reply(self, history: Sequence[Message], reply: str) -> Boundary:
        """The boundary of an assistant reply; unscored when blank or without a history."""
        return self.score_each(history, [(len(history), Message("assistant", reply))])[0]

    def score_each(
        self, messages: Sequence[Message], candidates: Sequence[tuple[int, Message]]
    ) -> list[Boundary]:
        """The boundary of each candidate, as if it stood in the place of message ``turn``.

        Args:
            messages: Of one dialogue.
            candidates: (turn, message) pairs; turns do not fall.
        """
        before, read, found = self._nothing(), 0, []
        for turn, message in candidates:
            for earlier in messages[read:turn]:
                if _speaks(earlier):
                    before.add(self._read(earlier))
            read = turn
            boundary = UNSCORED
            if _speaks(message) and before.texts:
                this = self._read(message)
                recent = [shorten(text) for text in [*before.texts[-7:], this.text]]
                features = self._features(before, this)
                boundary = self._model_for(recent).decide(features, self._aspects(before, this))
            found.append(boundary)
        return found

    def _model_for(self, recent: Sequence[str]) -> BoundaryModel:
        """By the language and the length of the last messages."""
        short = SMALL_TALK in self._models and is_small_talk(recent[-5:])
        return self._models[SMALL_TALK if short and language("".join(recent)) == "en" else GENERAL]

    def features(self, messages: Sequence[Message]) -> list[dict[str, float]]:
        """The features of every message after the first, each from those before it alone."""
        before, rows = self._nothing(), []
        for message in map(self._read, messages):
            if before.texts:
                rows.append(self._features(before, message))
            before.add(message)
        return rows

    def _nothing(self) -> _Before:
        return _Before(PrecedingVectors(self._comparable), PrecedingWords())

    def _read(self, message: Message) -> _Read:
        if self._lexicon is None:
            self._lexicon = pool_lexicon()
        vector = self._encoder.encode([message.content])[0]
        words = self._lexicon.vector(message.content)
        return _Read(message.role, message.content, vector, words)

    def _features(self, before: _Before, this: _Read) -> dict[str, float]:
        assert self._lexicon is not None
        texts = [*before.texts[-2:], this.text]
        row = {"asked": float(asks_something(texts[-2])), **form_features(texts, len(texts) - 1)}
        closing = self._lexicon.vector(form(this.text).closing)
        row["words_closing"] = dot(closing, before.words.items[-1])
        for prefix, found in (
            ("embedding_", before.vectors.similar(this.vector)),
            ("words_", before.words.similar(this.words)),
        ):
            cohesion = TYPICAL_COHESION[prefix] if found.cohesion is None else found.cohesion
            values = (
                found.last,
                found.last_but_one,
                *found.windows,
                found.nearest_4,
                found.nearest_8,
                found.background,
                cohesion,
            )
            row |= {prefix + name: v for name, v in zip(FEATURES, values, strict=True)}
        if self._coherence is not None:
            row |= _parts(self._coherence, before.vectors, this)
        return row

    def _aspects(self, before: _Before, this: _Read) -> Aspects:
        if not any(model.directions for model in self._models.values()):
            return {}
        closing = self._encoder.encode([form(this.text).closing])[0]
        return aspects_of(this.vector, closing, before.vectors.items[-1])

    def aspects(self, messages: Sequence[Message]) -> list[Aspects]:
        """What directions weigh, of every message after the first."""
        texts = [message.content for message in messages]
        vectors = self._encoder.encode(texts)
        closing = self._encoder.encode([form(text).closing for text in texts])
        return [aspects_of(vectors[i], closing[i], vectors[i - 1]) for i in range(1, len(texts))]


def shift_record(
    dialogue: Dialogue, replies: Sequence[tuple[int, str | None]], scorer: BoundaryScorer
) -> Record:
    """Count the topics that an arm's replies open, given the true history.

    Args:
        dialogue: Gives histories and gold replies.
        replies: (message index, reply) pairs, one a turn and seed; `None` for a missing reply.
        scorer: Message and history -> boundary.

    Returns:
        A record with the columns ``shifts``, ``shift_opportunities`` (scored replies),
        ``shift_turns`` (all replies), ``gold_shifts`` and ``gold_shift_opportunities``.
    """
    names = ("shifts", "shift_opportunities", "shift_turns", "gold_shifts")
    record = Record(dict.fromkeys((*names, "gold_shift_opportunities"), 0.0))
    gold = scorer.score_messages(dialogue.messages)
    for turn in dialogue.assistant_turns():
        if gold[turn].boundary is not None:
            record.add("gold_shift_opportunities", 1)
            record.add("gold_shifts", bool(gold[turn].boundary))
    # In one pass, whatever the number of turns: replies are in the order of their turns.
    candidates = [
        (turn, Message("assistant", reply)) for turn, reply in replies if reply is not None
    ]
    boundaries = iter(scorer.score_each(dialogue.messages, candidates))
    for turn, reply in replies:
        record.add("shift_turns", 1)
        if reply is None:
            record.miss("shift_rate", turn, "overlong")
            continue
        found = next(boundaries)
        if found.boundary is None:
            record.miss("shift_rate", turn, "empty" if not reply.strip() else "one_turn")
            continue
        record.add("shift_opportunities", 1)
        record.add("shifts", found.boundary)
    return record


@lru_cache(maxsize=2)
def load_models(kind: Literal["full", "plain"]) -> dict[str, BoundaryModel]:
    """The calibrated models by name, with or without coherence and directions."""
    stored = json.loads(CALIBRATION.read_text(encoding="utf-8"))[kind]
    return {language: BoundaryModel(**values) for language, values in stored.items()}


def _parts(model: CoherenceModel, before: PrecedingVectors, this: _Read) -> dict[str, float]:
    """How well the message follows the others; its place in the dialogue is no topic."""
    aspects, length = before.context_aspects()[None], len(before.items)
    context = model.project(aspects, [length], [this.role])[0]
    values = context[:-1] @ model.messages(this.vector[None])[0]
    return {f"coherence_{name}": float(v) for name, v in zip(PARTS[:-1], values, strict=True)}


def _speaks(message: Message) -> bool:
    return message.role != "system" and bool(message.content.strip())
