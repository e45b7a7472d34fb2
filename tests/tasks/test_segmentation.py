from __future__ import annotations

import pytest

from rapport_tasks.shifts.segmentation import (
    average,
    baselines,
    pk,
    window_diff,
    window_f1,
    window_size,
)


def labels(text: str) -> list[bool]:
    return [ch == "1" for ch in text]


@pytest.mark.parametrize(
    ("text", "k"),
    [
        ("00001000", 2),  # 2 segments of 4: half is 2
        ("000000000000", 6),  # one segment of 12
        ("0000000010000000", 4),  # 2 segments of 8
        ("0101010101", 2),  # never under 2
        ("10001000", 2),  # the first message is no boundary
        ("0000000000", 5),
    ],
)
def test_window_size(text, k):
    assert window_size(labels(text)) == k


def test_values_by_hand():
    """k = 2; windows (i, i + 2] for i = 0..5; the boundary at 4 lies in those of i = 2 and 3."""
    reference = labels("00001000")
    assert pk(reference, labels("00000000")) == pytest.approx(2 / 6)
    # Predicted at 5: windows of i = 3 and 4. Wrong: i = 2 and i = 4.
    assert pk(reference, labels("00000100")) == pytest.approx(2 / 6)
    assert window_diff(reference, labels("00000100")) == pytest.approx(2 / 6)
    # At 4 and 5: i = 3 holds both (Pk does not see it), i = 4 one too many.
    assert pk(reference, labels("00001100")) == pytest.approx(1 / 6)
    assert window_diff(reference, labels("00001100")) == pytest.approx(2 / 6)


@pytest.mark.parametrize("measure", [pk, window_diff])
def test_a_perfect_split_is_zero_and_the_first_label_is_ignored(measure):
    reference = labels("0001000100")
    assert measure(reference, reference) == 0
    assert measure(reference, labels("1001000100")) == 0
    assert measure(labels("1001000100"), reference) == 0


@pytest.mark.parametrize("measure", [pk, window_diff])
def test_too_short_is_undefined(measure):
    assert measure(labels("01"), labels("01")) is None
    assert measure([], []) is None


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="3 reference labels against 2"):
        pk(labels("000"), labels("00"))


@pytest.mark.parametrize(
    ("reference", "predicted", "value"),
    [
        ("0010001", "0100000", 2 / 3),
        ("0010001", "0010001", 1.0),
        ("0001000", "0000010", 0.0),  # two away
        ("0001000", "0010100", 2 / 3),  # one boundary is found once
        ("0101000", "0010000", 2 / 3),
        ("0000000", "0010000", 0.0),
        ("0000000", "1000000", None),
    ],
)
def test_window_f1(reference, predicted, value):
    found = window_f1(labels(reference), labels(predicted))
    assert found == (None if value is None else pytest.approx(value))


def test_averages_skip_what_is_undefined():
    references = [labels("00001000"), labels("01"), labels("00001000")]
    predictions = [labels("00000000"), labels("00"), labels("00001000")]
    assert average(pk, references, predictions) == pytest.approx(1 / 6)
    assert average(pk, [], []) is None


def test_baselines_keep_the_rate():
    references = [labels("0000100001"), labels("0000000000")] * 50  # 2 of 18 opportunities
    none, even, random = baselines(references)
    assert not any(map(any, none.predictions))
    assert even.predictions[0] == labels("0000000001")
    rate = sum(map(sum, random.predictions)) / 900
    assert rate == pytest.approx(2 / 18, abs=0.04)
    assert not any(p[0] for p in random.predictions)
    assert baselines(references)[2].predictions == random.predictions
    assert baselines([])[1].predictions == []
