from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "benchmark" / "validity" / "acts.py"


@pytest.fixture(scope="module")
def validity():
    spec = importlib.util.spec_from_file_location("validity_of_acts", SCRIPT)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    assert spec.loader is not None
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_auc_by_hand(validity) -> None:
    advice, empathy = np.array([0.9, 0.5]), np.array([0.5, 0.1, 0.7])
    everything = np.ones((2, 3), dtype=bool)
    # 0.9 beats three; 0.5 ties one, beats one, loses one
    assert validity.auc(advice, empathy, everything) == pytest.approx((3 + 1.5) / 6)
    matched = np.array([[False, False, False], [True, False, True]])
    assert validity.auc(advice, empathy, matched) == pytest.approx(0.25)
    assert validity.auc(advice, empathy, ~everything) is None


def test_a_text_is_scored_by_all_its_sentences(validity) -> None:
    def score(text: str) -> float:
        return validity.classifier_score(validity.Text("zh", text, "advice", "0"))

    advice, empathy = "我建议你早点睡。", "我理解你的委屈。"
    assert score(empathy) < 0.05 < score(empathy + advice) < 0.95 < score(advice)


def test_tables_of_the_held_out_sentences(validity, capsys) -> None:
    validity.DRAWS = 20
    validity.main([])
    printed = capsys.readouterr().out
    for language in ("Chinese", "English"):
        rows = printed.split(f"own held-out sentences, {language}: ")[1].splitlines()
        values = {row.split()[0]: float(row.split()[1]) for row in rows[2:5]}
        assert values["acts"] > 0.95
        assert values["acts"] > values["keywords"] + 0.2
        assert 0.35 < values["length"] < 0.65
    assert "marker    dismissive" in printed


def test_ambiguous_utterances_are_not_clear(validity, tmp_path: Path) -> None:
    rows = [
        {"id": "1", "utterance": "a", "label": "advice", "labels": ["advice", "empathy"]},
        {"id": "2", "utterance": "b", "label": "empathy", "ambiguous": True},
        {"id": "3", "utterance": "c", "label": "empathy", "labels": ["empathy"]},
    ]
    path = tmp_path / "utterances.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert len(validity.strategy_texts(path, "en")) == 3
    assert [t.cluster for t in validity.strategy_texts(path, "en", clear=True)] == ["3"]
