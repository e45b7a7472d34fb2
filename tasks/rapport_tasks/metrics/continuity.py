"""Continuity: does a reply belong to this conversation rather than to any other?

For the reply at message t, with r from `rapport_tasks.metrics.relevance`::

    reply* = the reply without the character 4-grams it copies from the user's last turn
    c_t    = r(reply*, history before t) - mean of r(reply*, h) over 20 histories h of the pool

``continuity = sum of c_t / scored replies``; in (-1, 1), higher is better, and 0 is what a reply
gets that fits every conversation alike. The pool is frozen (`rapport_tasks.dialogues.pool`), so a value
depends on its own dialogue alone, and on nothing after message t.

Unscored, with a reason: a blank reply or one that no user message stands before (``empty``), a
reply under 4 characters (``too_short``), and one that copies (``copied``): half of it is one string
of the user's last turn, or under 4 characters are left of it.

``order`` asks the same of a dialogue's replies among each other: the share of the permutations of
its scored replies that fit the histories less well than the true order, ties half; in [0, 1],
chance .5. A history is read without the reply that is tried on it.

Similarity is blind to polarity: continuity says that a reply is about this, never that it is kind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import factorial
from operator import itemgetter
from typing import Any, Literal

import numpy as np

from rapport_tasks.common.record import Record
from rapport_tasks.dialogues.dialogue import Dialogue, Message
from rapport_tasks.dialogues.history import Prefix, Tally
from rapport_tasks.dialogues.pool import Pool
from rapport_tasks.dialogues.replies import copy_rate, remove_copied
from rapport_tasks.embedding.encoder import Encoder
from rapport_tasks.metrics.relevance import FittedRelevance, RelevanceScorer, recent

COPIED = 0.5
SHORTEST = 4
PERMUTATIONS = 24
TOGETHER = 1024
"""Pairs of reply and place that are fitted at once: all of a dialogue of up to 40 replies."""
TIE = 1e-5
"""Equal replies give equal sums up to rounding of 32-bit products, and must count as a tie."""

Item = tuple[int, Sequence[Message], str]
"""(message index, true history before it, reply)."""

Missing = Literal["copied", "too_short", "empty"]


@dataclass(frozen=True, slots=True)
class TurnContinuity:
    """Continuity of one reply.

    Attributes:
        turn: Message index of the reply.
        value: c_t in (-1, 1); `None` when unscored.
        copy_rate: Longest common substring of reply and the user's last turn / reply length.
        reason: Why it is unscored.
    """

    turn: int
    value: float | None
    copy_rate: float
    reason: Missing | None


@dataclass(frozen=True, slots=True)
class DialogueContinuity:
    """Continuity of one dialogue's replies, in the order they were given.

    Attributes:
        turns: One entry per item.
        order: In [0, 1]; `None` with fewer than two scored replies.
    """

    turns: tuple[TurnContinuity, ...]
    order: float | None


class ContrastiveContinuity:
    """Scores replies against their own history and the frozen pool.

    Args:
        encoder: Gives message vectors.
        pools: Language -> pool, as `rapport_tasks.dialogues.pool.load_pool`.
        relevance: r(reply, history); the fitted scorer on `encoder` by default.
    """

    def __init__(
        self,
        encoder: Encoder,
        pools: Callable[[str], Pool],
        relevance: RelevanceScorer | None = None,
    ) -> None:
        self._encoder = encoder
        self._pools = pools
        self._scorer = relevance
        self._prepared: dict[str, Any] = {}

    @property
    def identity(self) -> str:
        """Hash of encoder and relevance scorer; the pool has its own identity."""
        return self._relevance.identity

    @property
    def _relevance(self) -> RelevanceScorer:
        if self._scorer is None:
            self._scorer = FittedRelevance(self._encoder)
        return self._scorer

    def score(self, dialogue_id: str, items: Sequence[Item]) -> DialogueContinuity:
        """Score replies of one dialogue, its own or substituted ones.

        Args:
            dialogue_id: Decides, with the turn, which histories of the pool are compared.
            items: One per reply, in order; at most one per turn.
        """
        turns = []
        tally = Tally()
        scored: list[tuple[Item, str]] = []
        for turn, history, reply in items:
            user = last_user(history)
            rate = copy_rate(reply, user)
            stripped, reason = _scorable(reply, user, rate)
            value = None
            if reason is None:
                # One reply at a time: a value must not depend, even in its last bits, on the others.
                value = self._contrast(dialogue_id, turn, history, stripped, tally)
                scored.append(((turn, history, reply), stripped))
            turns.append(TurnContinuity(turn, value, rate, reason))
        order = self._order(dialogue_id, scored) if len(scored) > 1 else None
        return DialogueContinuity(tuple(turns), order)

    def _contrast(
        self, dialogue_id: str, turn: int, history: Sequence[Message], stripped: str, tally: Tally
    ) -> float:
        tally.read(history)
        spoken = tally.language
        pool = self._pools(spoken)
        if spoken not in self._prepared:
            self._prepared[spoken] = self._relevance.prepare(pool.histories)
        own = self._relevance.relevance(
            [stripped], self._relevance.prepare([history]), np.zeros((1, 1), dtype=np.int64)
        )
        chosen = pool.negatives(dialogue_id, turn, history, characters=tally.characters)
        rows = np.array([chosen])
        other = self._relevance.relevance([stripped], self._prepared[spoken], rows)
        return float(own[0, 0] - other.mean())

    def _order(self, dialogue_id: str, scored: Sequence[tuple[Item, str]]) -> float:
        count = len(scored)
        others = permutations_of(count, dialogue_id)
        pairs = sorted({(i, t) for p in (*others, range(count)) for t, i in enumerate(p)})
        if len(pairs) > TOGETHER:
            pairs.sort(key=itemgetter(1))  # histories of neighbouring places share their messages
        fit: dict[tuple[int, int], float] = {}
        for first in range(0, len(pairs), TOGETHER):
            some = pairs[first : first + TOGETHER]
            histories = []
            for i, t in some:
                (_, history, _), (_, _, reply) = scored[t][0], scored[i][0]
                histories.append(recent(history, without=Message("assistant", reply)))
            values = self._relevance.relevance(
                [scored[i][1] for i, _ in some],
                self._relevance.prepare(histories),
                np.arange(len(some))[:, None],
            )
            fit |= zip(some, values[:, 0].tolist(), strict=True)
        return order_share(fit, others)


def order_share(fit: Mapping[tuple[int, int], float], others: Sequence[Sequence[int]]) -> float:
    """Share of permutations that fit worse than the true order, ties half.

    Args:
        fit: (i, t) -> relevance of reply i at the place of reply t.
        others: Permutations; entry t of one is the reply that stands at place t.

    >>> order_share({(0, 0): 0.9, (0, 1): 0.1, (1, 0): 0.2, (1, 1): 0.8}, [(1, 0)])
    1.0
    >>> order_share({(0, 0): 0.5, (0, 1): 0.5, (1, 0): 0.5, (1, 1): 0.5}, [(1, 0)])
    0.5
    """
    true = sum(fit[i, i] for i in range(len(others[0])))
    worse = 0.0
    for permuted in others:
        total = sum(fit[i, t] for t, i in enumerate(permuted))
        worse += 0.5 if abs(total - true) < TIE else float(total < true)
    return worse / len(others)


def permutations_of(count: int, dialogue_id: str) -> list[tuple[int, ...]]:
    """The permutations tried on a dialogue: all if at most 24, else 24 chosen by its id.

    The true order is not among them.
    """
    identity = tuple(range(count))
    if factorial(count) <= PERMUTATIONS:
        return [p for p in permutations(identity) if p != identity]
    found: dict[tuple[int, ...], None] = {}
    attempt = 0
    while len(found) < PERMUTATIONS:
        key = f"{dialogue_id}\0{attempt}\0"
        hashes = [hashlib.sha256(f"{key}{i}".encode()).digest() for i in identity]
        permuted = tuple(sorted(identity, key=hashes.__getitem__))
        if permuted != identity:
            found[permuted] = None
        attempt += 1
    return list(found)


def continuity_record(
    dialogue: Dialogue,
    replies: Sequence[tuple[int, str | None]],
    scorer: ContrastiveContinuity,
) -> Record:
    """Sum up continuity and order of an arm's replies, given the true history.

    Args:
        dialogue: Gives id and histories.
        replies: (message index, reply) pairs, one a turn and seed, seeds in the same order at each
            turn; `None` for a missing reply.
        scorer: Scores the replies of each seed.

    Returns:
        A record with the columns ``continuity_sum``, ``continuity_n`` (scored replies),
        ``continuity_turns`` (all replies), ``copied``, ``order_sum`` and ``order_n`` (over seeds).
    """
    names = ("continuity_sum", "continuity_n", "continuity_turns", "copied")
    record = Record(dict.fromkeys((*names, "order_sum", "order_n"), 0.0))
    draws: dict[int, list[Item]] = {}
    seen: dict[int, int] = {}
    for turn, reply in replies:
        record.add("continuity_turns", 1)
        draw = seen[turn] = seen.get(turn, -1) + 1
        if reply is None:
            record.miss("continuity", turn, "overlong")
        else:
            draws.setdefault(draw, []).append((turn, Prefix(dialogue.messages, turn), reply))
    for items in draws.values():
        found = scorer.score(dialogue.id, items)
        for entry in found.turns:
            if entry.value is None:
                record.miss("continuity", entry.turn, entry.reason or "empty")
                record.add("copied", entry.reason == "copied")
            else:
                record.add("continuity_sum", entry.value)
                record.add("continuity_n", 1)
        if found.order is None:
            record.miss("order", None, "one_turn")
        else:
            record.add("order_sum", found.order)
            record.add("order_n", 1)
    return record


def last_user(history: Sequence[Message]) -> str:
    """The user's last turn, or an empty string."""
    return next((m.content for m in reversed(history) if m.role == "user"), "")


def _scorable(reply: str, user: str, rate: float) -> tuple[str, Missing | None]:
    """The reply without what it copies, and why it cannot be scored."""
    text = reply.strip()
    if not text or not user.strip():
        return "", "empty"
    if len(text) < SHORTEST:
        return "", "too_short"
    if rate >= COPIED:
        return "", "copied"
    stripped = remove_copied(text, user).strip()
    return (stripped, None) if len(stripped) >= SHORTEST else ("", "copied")
