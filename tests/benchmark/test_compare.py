"""Paired comparison on constructed results: what must and what must not change it."""

from __future__ import annotations

import numpy as np
import pytest

from made_results import columns, result
from rapport_bench.judging.compare import compare
from rapport_bench.results import columns as records
from rapport_bench.results.metrics import CONFIRMATORY, METRICS
from rapport_bench.results.result import Result, seal
from rapport_tasks.common.errors import NotComparable


def verdicts(candidate: Result, baseline: Result) -> dict[str, str]:
    return {m.metric.name: m.verdict for m in compare(candidate, baseline).metrics if m.verdict}


def test_each_verdict_on_a_metric_where_it_belongs() -> None:
    base = result("base", columns(1))
    assert verdicts(result("worse", columns(2, nll=0.05)), base)["nll_per_token"] == "regressed"
    assert verdicts(result("better", columns(2, nll=-0.05)), base)["nll_per_token"] == "improved"
    assert verdicts(result("same", columns(2)), base)["nll_per_token"] == "equivalent"
    few = result("few", columns(1, 8)), result("few too", columns(2, 8, advice=0.34))
    assert verdicts(few[1], few[0])["aer_share"] == "inconclusive"


def test_more_advice_is_worse_only_outside_the_gold_band() -> None:
    inside, advising = result("inside", columns(1)), result("advising", columns(2, advice=0.7))
    assert verdicts(advising, inside)["aer_share"] == "regressed"
    assert verdicts(inside, advising)["aer_share"] == "improved"
    never = result("never", columns(3, advice=0.0))
    assert verdicts(never, inside)["aer_share"] == "regressed"  # lower is not better without end


def test_silence_does_not_pay() -> None:
    quiet, base = result("quiet", columns(2, covered=0.7)), result("base", columns(1))
    assert verdicts(quiet, base)["continuity"] == "regressed (coverage)"
    assert verdicts(result("a bit", columns(2, covered=0.98)), base)["continuity"] == "equivalent"


def test_an_arm_against_itself_is_exactly_equal() -> None:
    base = result("base", columns(1))
    comparison = compare(result("copy", columns(1)), base)
    assert {m.verdict for m in comparison.metrics if m.verdict} == {"equivalent"}
    for item in comparison.metrics:
        assert item.difference.exactly_equal
        assert item.difference.ci == (0, 0)


def test_order_of_dialogues_changes_no_linearised_figure() -> None:
    one, other = columns(1), columns(2, nll=0.05)
    shuffled = np.random.default_rng(0).permutation(60)
    straight = compare(result("c", other), result("b", one))
    turned = compare(
        result("c", {k: v[shuffled] for k, v in other.items()}),
        result("b", {k: v[shuffled] for k, v in one.items()}),
    )
    for item in straight.metrics:
        again = turned.by_name(item.metric.name)
        assert again.verdict == item.verdict
        if item.metric.direction != "band":
            assert again.difference.ci == pytest.approx(item.difference.ci)
            assert again.difference.p_value == pytest.approx(item.difference.p_value)


def test_counting_every_turn_twice_does_not_narrow_an_interval() -> None:
    one, other = columns(1), columns(2, nll=0.05)
    once = compare(result("c", other), result("b", one))
    twice = compare(
        result("c", {k: v * 2 for k, v in other.items()}),
        result("b", {k: v * 2 for k, v in one.items()}),
    )
    for item in once.metrics:
        ends = item.difference.ci
        assert twice.by_name(item.metric.name).difference.ci == pytest.approx(ends, abs=1e-9)


def test_families_are_corrected_apart() -> None:
    comparison = compare(result("c", columns(2, nll=0.003)), result("b", columns(1)))
    confirmatory = [m for m in comparison.metrics if m.metric.family == "confirmatory"]
    assert {m.metric.name for m in confirmatory} <= set(CONFIRMATORY)
    nll = comparison.by_name("nll_per_token")
    tests = sum(m.difference.p_value is not None for m in confirmatory)
    assert nll.p_adjusted == pytest.approx(min(1, nll.difference.p_value * tests))
    assert comparison.by_name("bits_per_char").verdict is None
    markers = [m for m in comparison.metrics if m.metric.family == "marker"]
    assert len(markers) == 2
    for item in markers:
        assert item.ratio.value is not None
        assert item.ratio_gee.value == pytest.approx(item.ratio.value, rel=0.15)


def test_tokens_of_two_tokenizers_are_not_compared() -> None:
    other = result("other", columns(2), tokenizer="1" * 64)
    comparison = compare(other, result("base", columns(1)))
    assert comparison.by_name("nll_per_token").difference is None
    assert comparison.by_name("nll_per_token").verdict is None
    assert comparison.by_name("bits_per_char").difference.value is not None
    row = comparison.to_dict()["metrics"]["nll_per_token"]
    assert (row["difference"], row["note"]) == (None, "different_tokenizer")


def asked(name: str, seed: int, prompts: str) -> Result:
    made = result(name, columns(seed)).to_json()
    return seal(made | {"arm": made["arm"] | {"prompts_sha256": prompts * 64}})


def test_figures_per_token_of_other_prompts_are_not_compared_and_the_rest_is_warned_about() -> None:
    comparison = compare(asked("c", 2, "1"), asked("b", 1, "2"))
    item = comparison.by_name("nll_per_token")
    assert (item.difference, item.verdict, item.note) == (None, None, "different_prompts")
    assert comparison.by_name("bits_per_char").difference.value is not None
    assert [w for w in comparison.warnings if "asked in other words" in w]
    assert "other words" not in "".join(compare(asked("c", 2, "1"), asked("b", 1, "1")).warnings)


def test_another_suite_is_refused() -> None:
    with pytest.raises(NotComparable):
        compare(result("c", columns(1), suite="1" * 64), result("b", columns(1)))


def test_summary_derives_everything_from_the_same_sums() -> None:
    made = columns(1)
    metrics = records.summarise({k: list(map(float, v)) for k, v in made.items()})
    nll = made["nll_sum"].sum() / made["tokens"].sum()
    assert metrics["nll_per_token"]["value"] == pytest.approx(nll)
    assert metrics["perplexity"]["value"] == pytest.approx(np.exp(nll))
    bits = made["nll_sum"].sum() / made["chars"].sum() / np.log(2)
    assert metrics["bits_per_char"]["value"] == pytest.approx(bits)
    advice, empathy = made["advice"].sum(), made["empathy"].sum()
    assert metrics["aer_share"]["value"] == pytest.approx(advice / (advice + empathy))
    assert metrics["aer_ratio"]["value"] == pytest.approx((advice + 0.5) / (empathy + 0.5))
    assert metrics["aer_share"]["n"] == made["acted_replies"].sum()
    assert "shift_rate" not in metrics  # no columns, no figure


def test_undefined_figures_are_null_not_zero() -> None:
    empty = {k: np.zeros(5) for k in columns(1, 5)} | {"turns": np.ones(5)}
    metrics = records.summarise({k: list(map(float, v)) for k, v in empty.items()})
    assert metrics["nll_per_token"]["value"] is None
    assert metrics["nll_per_token"]["coverage"] == 0
    assert metrics["aer_share"]["coverage"] is None


def test_every_metric_has_distinct_names_and_confirmatory_ones_have_margins() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        if metric.family == "confirmatory":
            assert metric.margin > 0
            assert metric.direction != "none"
            assert (metric.gold is not None) == (metric.direction == "band")


def test_a_metric_with_a_band_is_not_compared_without_the_gold_replies() -> None:
    made = {name: v for name, v in columns(1).items() if not name.startswith("gold_")}
    found = compare(result("new", made), result("base", made)).by_name("aer_share")
    assert found is not None
    assert (found.difference, found.verdict) == (None, None)
    assert found.note == "no gold replies in base"
