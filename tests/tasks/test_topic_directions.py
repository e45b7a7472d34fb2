from __future__ import annotations

import numpy as np
import pytest

from rapport_tasks.shifts.topic_directions import ASPECTS, aspects_of, lean

MESSAGE, CLOSING, LAST = (
    np.array(vector, dtype=np.float32) for vector in ([0.6, 0.8], [0.0, 1.0], [0.8, -0.6])
)


def test_aspects_by_hand():
    found = aspects_of(MESSAGE, CLOSING, LAST)
    assert tuple(found) == ASPECTS == ("message", "closing", "last", "difference")
    assert found["message"].tolist() == MESSAGE.tolist()
    assert found["closing"].tolist() == CLOSING.tolist()
    assert found["last"].tolist() == LAST.tolist()
    assert found["difference"].tolist() == pytest.approx([0.2, 1.4])
    back = aspects_of(LAST, CLOSING, MESSAGE)["difference"]
    assert back.tolist() == found["difference"].tolist()


@pytest.mark.parametrize(
    ("directions", "logits"),
    [
        ({}, 0),
        ({"message": [1.0, 2.0]}, 2.2),
        ({"closing": [1.0, 2.0]}, 2.0),
        ({"last": [1.0, 2.0]}, -0.4),
        ({"difference": [1.0, 2.0]}, 3.0),
        ({"message": [1.0, 2.0], "last": [0.0, -1.0], "difference": [5.0, 0.0]}, 3.8),
    ],
)
def test_lean_by_hand(directions, logits):
    assert lean(directions, aspects_of(MESSAGE, CLOSING, LAST)) == pytest.approx(logits)
