"""A metric that scores the same replies differently is another metric and needs another version.

If a test here fails, a score has moved: bump the module's VERSION, say so in the changelog ("scores
before and after are not comparable"), and put the printed digest beside the new version.
"""

from __future__ import annotations

import hashlib
import json

import pytest

from rapport_tasks import specs
from rapport_tasks.common.record import Record
from rapport_tasks.dialogues.builtin import load_suite_dialogues
from rapport_tasks.metrics import advice_to_empathy, continuity, crisis, topic_shift
from rapport_tasks.metrics.scorers import act_classifier, boundary_scorer, continuity_scorer

ACTS = {"2.0": "0c43e4ed823384fb"}
CONTINUITY = {"1.1": (19.4637, 10.4362)}  # sums of continuity and of order
SHIFTS = {"1.4": "b8373eae5f2565df"}

CRISIS = {"1.0": "dc7373a53cf615d2"}


def digest(records: list[Record]) -> str:
    """Of counts; their values are whole numbers."""
    columns = [{k: int(v) for k, v in sorted(r.columns.items())} for r in records]
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()[:16]


@pytest.fixture(scope="module")
def gold():
    dialogues, _ = load_suite_dialogues(limit=12)
    return [(d, [(t, d.messages[t].content) for t in d.assistant_turns()]) for d in dialogues]


def test_acts_of_the_gold_replies(gold) -> None:
    found = digest([advice_to_empathy.act_record(d, r, act_classifier()) for d, r in gold])
    assert found == ACTS[specs.aer.TASK.version]


def test_continuity_of_the_gold_replies(gold) -> None:
    scorer = continuity_scorer()
    records = [continuity.continuity_record(d, r, scorer) for d, r in gold]
    found = [sum(r.columns[name] for r in records) for name in ("continuity_sum", "order_sum")]
    # Not to the last bit: an embedding may differ there between processors.
    assert found == pytest.approx(CONTINUITY[specs.continuity.TASK.version], abs=2e-3)


def test_shifts_of_the_gold_replies(gold) -> None:
    scorer = boundary_scorer()
    found = digest([topic_shift.shift_record(d, r, scorer) for d, r in gold])
    assert found == SHIFTS[specs.topic_shift.TASK.version]


def test_crisis_columns_of_the_gold_replies() -> None:
    found = digest(
        [
            crisis.crisis_record(d, [(t, d.messages[t].content) for t in d.assistant_turns()])
            for d in load_suite_dialogues()[0]
        ]
    )
    assert found == CRISIS[specs.crisis.TASK.version]
