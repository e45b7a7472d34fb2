from __future__ import annotations

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from rapport_tasks.dialogues.builtin import EVALUATION_ZH
from rapport_tasks.dialogues.dialogue import Dialogue, Message, read_dialogues
from rapport_tasks.dialogues.pool import NEGATIVES, load_pool, make_pool, pool_identity
from rapport_tasks.embedding.coherence import load_weights
from rapport_tasks.embedding.encoder import load_encoder
from rapport_tasks.metrics import continuity as module
from rapport_tasks.metrics.continuity import (
    ContrastiveContinuity,
    continuity_record,
    order_share,
    permutations_of,
)
from rapport_tasks.metrics.relevance import FEATURES, FittedRelevance, summarise


def talk(*texts: str) -> tuple[Message, ...]:
    roles = ("user", "assistant")
    return tuple(Message(roles[i % 2], text) for i, text in enumerate(texts))


class Table:
    """r from a table of (reply, last message of the history); .1 where it has no entry."""

    identity = "table"

    def __init__(self, values: dict[tuple[str, str], float]) -> None:
        self.values = values

    def prepare(self, histories):
        return [history[-1].content for history in histories]

    def relevance(self, replies, prepared, rows):
        return np.array(
            [
                [self.values.get((reply, prepared[j]), 0.1) for j in row]
                for reply, row in zip(replies, rows, strict=True)
            ]
        )


POOL = make_pool([talk(f"别的事{n}", f"别的话{n}") for n in range(4)], "pool")


def scorer(values: dict[tuple[str, str], float]) -> ContrastiveContinuity:
    return ContrastiveContinuity(load_encoder(), lambda _: POOL, Table(values))


MESSAGES = talk("我和妈妈吵架了", "吵得很凶吧", "她说我不懂事", "这话让人难受")


def items(messages=MESSAGES):
    return [(t, messages[:t], messages[t].content) for t in range(1, len(messages), 2)]


def test_values_by_hand():
    """Four negatives: .1, .1, .1 and .3 -> mean .15."""
    found = scorer(
        {
            ("吵得很凶吧", "我和妈妈吵架了"): 0.9,
            ("吵得很凶吧", "别的事2"): 0.3,
            ("这话让人难受", "她说我不懂事"): 0.5,
        }
    ).score("d", items())
    assert [t.value for t in found.turns] == pytest.approx([0.9 - 0.15, 0.5 - 0.1])
    assert [t.turn for t in found.turns] == [1, 3]
    assert [t.reason for t in found.turns] == [None, None]
    # True order .9 + .5; swapped: both pairs have no entry, .1 + .1.
    assert found.order == 1.0


def test_order_by_hand():
    fit = {(i, t): 0.0 for i in range(3) for t in range(3)}
    fit |= {(0, 0): 0.5, (1, 1): 0.5, (2, 2): 0.5, (1, 0): 0.9, (0, 1): 0.6}
    # true 1.5; (1,0,2): .9 + .6 + .5 = 2.0 better; the other four at most .9.
    assert order_share(fit, permutations_of(3, "d")) == 4 / 5
    fit[0, 1] = 0.1  # now 1.5: a tie
    assert order_share(fit, permutations_of(3, "d")) == pytest.approx(4.5 / 5)


@pytest.mark.parametrize(("count", "expected"), [(2, 1), (3, 5), (4, 23), (5, 24), (23, 24)])
def test_permutations(count, expected):
    found = permutations_of(count, "d")
    assert len(set(found)) == expected
    assert tuple(range(count)) not in found
    assert all(sorted(p) == list(range(count)) for p in found)
    assert permutations_of(count, "d") == found
    if count >= 5:
        assert permutations_of(count, "e") != found


def test_equal_replies_have_no_order():
    same = talk(
        "我和妈妈吵架了", "我在听你说", "她说我不懂事", "我在听你说", "我很累", "我在听你说"
    )
    found = ContrastiveContinuity(load_encoder(), load_pool).score("d", items(same))
    assert found.order == 0.5


@pytest.mark.parametrize(
    ("user", "reply", "reason", "rate"),
    [
        ("我和妈妈吵架了", "", "empty", 0.0),
        ("我和妈妈吵架了", " \n", "empty", 0.0),
        ("  ", "你还好吗？", "empty", 0.0),
        ("我和妈妈吵架了", "嗯嗯。", "too_short", 0.0),
        ("我和妈妈吵架了", "我和妈妈吵架了", "copied", 1.0),
        ("我和妈妈吵架了", "你说我和妈妈吵架了", "copied", 7 / 9),
        # A third is one copied string, another third a second one; two characters are left.
        ("昨天妈妈骂我今天爸爸骂我", "昨天妈妈，今天爸爸。", "copied", 0.4),
        ("昨天妈妈骂我", "那一定让你很委屈", None, 0.0),
    ],
)
def test_what_is_unscored(user, reply, reason, rate):
    (turn,) = scorer({}).score("d", [(1, talk(user), reply)]).turns
    assert turn.reason == reason
    assert (turn.value is None) == (reason is not None)
    assert turn.copy_rate == pytest.approx(rate)


def test_without_a_user_message_nothing_can_be_related():
    opening = (Message("system", "你是支持者"),)
    found = scorer({}).score("d", [(1, opening, "你好，今天想聊点什么？")])
    assert found.turns[0].reason == "empty"
    assert found.order is None
    assert scorer({}).score("d", []).turns == ()


def test_a_bot_that_parrots_is_unscored():
    users = [m.content for m in MESSAGES[::2]]
    parrot = [(1, MESSAGES[:1], users[0]), (3, MESSAGES[:3], users[1])]
    found = ContrastiveContinuity(load_encoder(), load_pool).score("d", parrot)
    assert [t.reason for t in found.turns] == ["copied", "copied"]
    assert found.order is None


def test_what_is_copied_earns_nothing():
    """The relevance scorer never sees the copied words."""
    seen = []

    class Spy(Table):
        def relevance(self, replies, prepared, rows):
            seen.extend(replies)
            return super().relevance(replies, prepared, rows)

    user = "我和妈妈吵架了"
    reply = "听到妈妈吵架这件事，我想先问问你现在怎么样"
    ContrastiveContinuity(load_encoder(), lambda _: POOL, Spy({})).score(
        "d", [(1, talk(user), reply)]
    )
    assert set(seen) == {"听到这件事，我想先问问你现在怎么样"}


def test_negatives_come_from_the_nearest_and_never_from_the_dialogue_itself():
    pool = load_pool("zh")
    history = pool.histories[10]
    chosen = pool.negatives("d", 1, history)
    assert len(chosen) == len(set(chosen)) == NEGATIVES
    assert chosen == pool.negatives("d", 1, history)
    assert chosen != pool.negatives("d", 3, history)
    assert all(pool.histories[i][0] != history[0] for i in chosen)
    length = sum(len(m.content) for m in history)
    distances = np.sort(np.abs(pool.lengths - length))
    assert max(abs(int(pool.lengths[i]) - length) for i in chosen) <= distances[70]
    assert len(pool_identity()) == 64
    assert load_pool("en").identity != pool.identity


def test_summary_of_a_history():
    similarity = np.array([9.0, 0.1, 0.6, 0.4, 0.3, 0.5])
    present = np.array([False, True, True, True, True, True])
    user = np.array([False, True, False, True, False, True])
    # user .1 .4 .5; replies .6 .3
    expected = [0.5, 0.4, 0.25, 0.1, 0.1, 0.6, 0.45, 0.3]
    assert summarise(similarity, present, user).tolist() == pytest.approx(expected)


REAL = talk(
    "我养了十四年的狗昨天走了，家里到处都是它的东西。",
    "十四年，它几乎陪你长大。碗和窝还放在原来的地方吗？",
    "都没动。我一进门还是会喊它的名字。",
    "喊出口的那一下，屋里没有动静，最难熬吧。",
    "同事说不就是一条狗，让我再养一只。",
    "对你来说它不是随便换一只就行的。听到这话你怎么回的？",
)


def test_the_fitted_scorer_prefers_what_belongs():
    measure = ContrastiveContinuity(load_encoder(), load_pool)
    real = measure.score("dog", items(REAL))
    stock = ["我理解你的感受，这不容易。", "你并不孤单，我会陪着你。", "你已经很努力了，抱抱你。"]
    canned = measure.score("dog", [(t, h, stock[t // 2]) for t, h, _ in items(REAL)])
    assert all(-1 < t.value < 1 for t in real.turns)
    assert np.mean([t.value for t in real.turns]) > np.mean([t.value for t in canned.turns]) + 0.1
    assert real.order >= 0.8


def test_nothing_after_a_message_changes_its_value():
    measure = ContrastiveContinuity(load_encoder(), load_pool)
    whole = measure.score("dog", items(REAL)).turns
    alone = [measure.score("dog", [item]).turns[0] for item in items(REAL)]
    assert tuple(alone) == whole
    changed = (*REAL[:4], *talk("今天股市怎么样？", "大盘涨了两个点。"))
    assert measure.score("dog", items(changed)).turns[:2] == whole[:2]


def test_values_do_not_depend_on_other_dialogues():
    fresh = ContrastiveContinuity(load_encoder(), load_pool)
    used = ContrastiveContinuity(load_encoder(), load_pool)
    used.score("other", items(MESSAGES))
    assert used.score("dog", items(REAL)) == fresh.score("dog", items(REAL))
    assert fresh.score("cat", items(REAL)) != fresh.score("dog", items(REAL))  # other negatives


def test_values_do_not_depend_on_the_number_of_threads():
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            measure = ContrastiveContinuity(load_encoder(), load_pool)
            found.append(
                [
                    measure.score(dialogue.id, items(dialogue.messages))
                    for dialogue in read_dialogues(EVALUATION_ZH)[:12]
                ]
            )
    assert found[0] == found[1]


def test_english_uses_the_english_pool():
    asked = []

    def pools(language: str):
        asked.append(language)
        return load_pool(language)

    english = talk("My dog died last week.", "Fourteen years is a long walk together.")
    (turn,) = ContrastiveContinuity(load_encoder(), pools).score("d", items(english)).turns
    assert set(asked) == {"en"}
    assert turn.value is not None


def test_a_megabyte_is_scored_in_time():
    started = time.perf_counter()
    found = ContrastiveContinuity(load_encoder(), load_pool).score(
        "d", [(1, REAL[:1], "它的碗还在，" + "嗯，我在听。" * 170_000)]
    )
    assert found.turns[0].value is not None
    assert time.perf_counter() - started < 20


def test_another_encoder_makes_do_without_the_coherence_model():
    class Letters:
        name = identity = "letters"

        def encode(self, texts):
            rows = [[1.0 + t.count("狗"), 1.0 + t.count("我"), 1.0 + len(t) % 7] for t in texts]
            raw = np.array(rows, dtype=np.float32)
            return raw / np.linalg.norm(raw, axis=1, keepdims=True)

    relevance = FittedRelevance(Letters())
    prepared = relevance.prepare([REAL[:1], REAL[:3]])
    rows = np.array([[0, 1]])
    assert relevance.features(["狗的碗还在吗"], prepared, rows).shape == (1, 2, 16)
    values = relevance.relevance(["狗的碗还在吗"], prepared, rows)
    assert ((values > 0) & (values < 1)).all()
    embedded = FittedRelevance(load_encoder())
    full = embedded.features(["狗的碗还在吗"], embedded.prepare([REAL[:1]]), np.array([[0]]))
    assert full.shape == (1, 1, len(FEATURES))
    assert embedded.identity != relevance.identity


def test_how_the_users_last_turn_follows_is_read_from_what_stands_before_it():
    relevance, encoder = FittedRelevance(load_encoder()), load_encoder()
    elsewhere = (*talk("下个月的房租又涨了。", "涨了多少，还付得起吗？"), REAL[2])
    prepared = relevance.prepare([REAL[:1], REAL[:3], REAL[:4], elsewhere])
    assert not prepared.turns[0].any()  # nothing stands before a first message
    weights, (first, second, user) = load_weights(), encoder.encode([m.content for m in REAL[:3]])
    message = weights["message"].astype(np.float32) @ user
    context = weights["context"].astype(np.float32)
    aspects = (second, first, first, first)  # last, before it, mean of all but the last, first
    by_hand = [float(context[k] @ aspects[k] @ message) for k in range(4)]
    assert prepared.turns[1] == pytest.approx(by_hand, rel=1e-3)
    assert np.array_equal(prepared.turns[2], prepared.turns[1])  # a reply after it is not read
    assert prepared.turns[3].sum() < prepared.turns[1].sum()
    features = relevance.features(["一句话", "另一句话"], prepared, np.array([[1], [1]]))
    names = [FEATURES.index(f"turn_{name}") for name in ("last", "before_last", "earlier", "first")]
    assert np.array_equal(features[0, 0, names], features[1, 0, names])


def test_a_long_history_keeps_its_first_message():
    relevance = FittedRelevance(load_encoder())
    long = talk(*(f"第{n}句话说的是事情{n}" for n in range(40)))
    prepared = relevance.prepare([long[:39]])
    # 16 places: message 0, then messages 24 to 38
    assert prepared.user[0].tolist() == [True] + [True, False] * 7 + [True]
    last = load_encoder().encode([long[0].content, long[24].content, long[38].content])
    assert np.array_equal(prepared.vectors[prepared.index[0][[0, 1, -1]]], last)


def test_record():
    dialogue = Dialogue("d", MESSAGES)
    measure = scorer({("吵得很凶吧", "我和妈妈吵架了"): 0.9, ("这话让人难受", "她说我不懂事"): 0.5})
    replies = [
        (1, "吵得很凶吧"), (1, "我和妈妈吵架了"),
        (3, "这话让人难受"), (3, None),
    ]  # fmt: skip
    record = continuity_record(dialogue, replies, measure)
    assert record.columns == pytest.approx(
        {
            "continuity_sum": 0.8 + 0.4,
            "continuity_n": 2,
            "continuity_turns": 4,
            "copied": 1,
            "order_sum": 1.0,
            "order_n": 1,
        }
    )
    reasons = [(u.metric, u.turn, u.reason) for u in record.unscored]
    assert sorted(reasons, key=str) == [
        ("continuity", 1, "copied"),
        ("continuity", 3, "overlong"),
        ("order", None, "one_turn"),
    ]


def test_similarity_is_blind_to_polarity():
    """Why continuity never stands in for empathy."""
    good, bad = load_encoder().encode(["今天过得很好", "今天过得很糟"])
    assert good @ bad > 0.7
    assert "blind to polarity" in module.__doc__
