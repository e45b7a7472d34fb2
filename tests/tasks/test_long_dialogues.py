"""Long dialogues: the same figures as for short ones, at a cost that grows linearly with messages."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_tasks.dialogues.dialogue import Dialogue, Message
from rapport_tasks.dialogues.history import Prefix, Tally
from rapport_tasks.dialogues.pool import load_pool
from rapport_tasks.dialogues.sentences import language
from rapport_tasks.embedding import lexical
from rapport_tasks.embedding.coherence import ComparableCosines, context_aspects
from rapport_tasks.metrics.continuity import ContrastiveContinuity
from rapport_tasks.metrics.relevance import LONGEST, recent
from rapport_tasks.metrics.topic_shift import WindowBoundaryScorer, shift_record
from rapport_tasks.shifts import preceding


class Hashed:
    """An encoder without meaning."""

    name = identity = "hashed"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        found = np.zeros((len(texts), 16), dtype=np.float32)
        for row, text in enumerate(texts):
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
            vector = np.random.default_rng(seed).normal(size=16)
            found[row] = vector / np.linalg.norm(vector)
        return found


class Counted(Sequence[Message]):
    """Messages that count how often one is looked at."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = messages
        self.looks = 0

    def __len__(self) -> int:
        return len(self._messages)

    def __getitem__(self, place: int) -> Message:
        self.looks += 1
        return self._messages[place]


def talk(count: int) -> tuple[Message, ...]:
    roles = ("user", "assistant")
    return tuple(
        Message(roles[i % 2], f"第{i}句话，昨天的事情{i % 7}和猫{i % 5}还在想。")
        for i in range(count)
    )


MESSAGES = st.lists(
    st.builds(
        Message,
        st.sampled_from(["user", "assistant", "system"]),
        st.text(alphabet="ab é好吗。 ", max_size=6),
    ),
    max_size=45,
)


@given(MESSAGES, st.lists(st.integers(0, 45), max_size=5))
def test_a_tally_that_goes_on_is_that_of_the_whole(messages, ends) -> None:
    tally = Tally()
    for end in ends:  # not only growing
        history = Prefix(messages, min(end, len(messages)))
        tally.read(history)
        assert tally.characters == sum(len(m.content) for m in history)
        assert tally.language == language("".join(m.content for m in history if m.role == "user"))


@given(MESSAGES, st.integers(0, 44))
def test_what_is_read_of_a_history_is_its_first_and_its_last_messages(messages, place) -> None:
    without = messages[place % len(messages)] if messages else None
    for left_out in (None, without):
        spoken = [m for m in messages if m.role != "system" and m != left_out]
        if len(spoken) > LONGEST:
            spoken = [spoken[0], *spoken[1 - LONGEST :]]
        assert recent(Prefix(messages, len(messages)), without=left_out) == spoken


def test_the_aspects_of_a_growing_history_are_those_of_the_whole() -> None:
    vectors = Hashed().encode([m.content for m in talk(60)])
    before = preceding.PrecedingVectors(ComparableCosines(Hashed()))
    for end, vector in enumerate(vectors, start=1):
        before.add(vector)
        assert np.array_equal(before.context_aspects(), context_aspects(vectors[:end]))


def test_beyond_the_exact_messages_features_differ_in_rounding_alone(monkeypatch) -> None:
    scorer = WindowBoundaryScorer(Hashed())
    exact = scorer.features(talk(60))
    monkeypatch.setattr(preceding, "EXACT", 5)
    for one, other in zip(exact, scorer.features(talk(60)), strict=True):
        assert one == pytest.approx(other, abs=1e-6)
    assert any(a != b for a, b in zip(exact, scorer.features(talk(60)), strict=True))


def grows(costs: Sequence[int]) -> list[float]:
    return [after / before for before, after in pairwise(costs)]


def test_topic_shift_looks_at_a_bounded_number_of_messages_for_each(monkeypatch) -> None:
    monkeypatch.setattr(preceding, "EXACT", 20)
    calls = []
    monkeypatch.setattr(preceding, "dot", lambda a, b: calls.append(1) or lexical.dot(a, b))
    scorer, costs = WindowBoundaryScorer(Hashed()), []
    for count in (200, 400, 800):
        dialogue = Dialogue("d", talk(count))
        replies = [(turn, "你说的猫还在吗？") for turn in dialogue.assistant_turns()]
        calls.clear()
        shift_record(dialogue, replies, scorer)
        costs.append(len(calls))
    assert max(grows(costs)) < 2.5


def test_continuity_looks_at_a_bounded_number_of_messages_for_each() -> None:
    scorer, costs = ContrastiveContinuity(Hashed(), load_pool), []
    for count in (100, 200, 400):
        messages = Counted(talk(count))
        items = [(t, Prefix(messages, t), f"{t}：嗯，你愿意多说说吗") for t in range(1, count, 2)]
        assert len(scorer.score("d", items).turns) == count // 2
        costs.append(messages.looks)
    assert max(grows(costs)) < 2.5


def test_the_order_of_many_replies_is_tried_in_blocks_of_bounded_size(monkeypatch) -> None:
    from rapport_tasks.metrics import continuity

    scorer = ContrastiveContinuity(Hashed(), load_pool)
    messages = talk(60)
    items = [(t, Prefix(messages, t), messages[t].content) for t in range(1, 60, 2)]
    whole = scorer.score("d", items)
    prepared = []
    prepare = scorer._relevance.prepare
    monkeypatch.setattr(continuity, "TOGETHER", 50)
    monkeypatch.setattr(
        scorer._relevance, "prepare", lambda h: prepared.append(len(h)) or prepare(h)
    )
    assert scorer.score("d", items) == whole
    assert max(prepared) == 50
