"""Sums of negative log-likelihood, and the figures made of them."""

import math

import pytest

from rapport_tasks.common.record import REASONS, Record, Unscored, ratio_of_sums
from rapport_tasks.dialogues.dialogue import Dialogue, Message
from rapport_tasks.metrics.perplexity import likelihood_record
from rapport_tasks.specs.perplexity import TASK

TALK = Dialogue(
    "a",
    (
        Message("user", "我很累"),
        Message("assistant", "辛苦了"),  # 3 characters
        Message("user", "嗯"),
        Message("assistant", "抱抱你 🙂"),  # 5 code points
        Message("user", "好"),
        Message("assistant", "晚安"),  # 2
    ),
)


def columns(nll: float, tokens: int, chars: int, scored: int) -> dict[str, float]:
    return {
        "nll_sum": nll, "tokens": tokens, "chars": chars, "likelihood_turns": scored, "turns": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("responses", "expected", "unscored"),
    [
        ([(-6.0, False, 4), (-2.5, True, 5), (-1.5, False, 3)], columns(10.0, 12, 10, 3), []),
        (  # the model's context ends before turn 3: nothing of it enters any sum
            [(-6.0, False, 4), (None, False, 0), (None, False, 0)],
            columns(6.0, 4, 3, 1),
            [(3, "overlong"), (5, "overlong")],
        ),
        (  # stock lm-eval: characters, but no tokens
            [(-6.0, False), (-2.5, True), (None, False)],
            columns(8.5, 0, 8, 2),
            [(1, "no_token_counts"), (3, "no_token_counts"), (5, "overlong")],
        ),
    ],
    ids=["all", "overlong", "stock"],
)
def test_sums_of_a_dialogue(responses, expected, unscored):
    record = likelihood_record(TALK, responses)
    assert record.columns == expected
    assert record.unscored == [Unscored("nll_per_token", turn, reason) for turn, reason in unscored]
    assert {reason for _, reason in unscored} <= set(REASONS)


def test_every_turn_needs_its_response():
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        likelihood_record(TALK, [(-6.0, False, 4)])


@pytest.mark.parametrize(
    ("nll", "expected"), [(math.log(50), 50.0), (0.0, 1.0), (699.0, math.exp(699)), (1e6, None)]
)
def test_perplexity_is_the_exponential_of_nats_a_token(nll, expected):
    [derived] = TASK.metrics[0].derived
    assert derived.name == "perplexity"
    assert derived.of_value(nll) == (expected if expected is None else pytest.approx(expected))
    assert derived.slope(1.0) == pytest.approx(math.e)  # the standard error goes with the curve


def test_a_corpus_figure_is_a_ratio_of_sums_not_a_mean_of_ratios():
    items = [{"a": 1.0, "b": 1.0, "c": 0.0}, {"a": 1.0, "b": 9.0, "c": 2.0}]
    assert ratio_of_sums(items, ("a",), ("b",)) == pytest.approx(0.2)
    assert ratio_of_sums(items, ("a",), ("b", "c"), scale=100) == pytest.approx(200 / 12)
    assert ratio_of_sums(items[:1], ("a",), ("c",)) is None
    assert ratio_of_sums([], ("a",), ("b",)) is None


def test_records_share_no_state():
    one, other = Record(), Record()
    one.add("x", 2)
    one.add("x", 0.5)
    one.miss("m", None, "empty")
    assert one.columns == {"x": 2.5}
    assert (other.columns, other.unscored, other.phrases) == ({}, [], [])
