"""Correlation of metrics with ratings, against scipy and on constructed arms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

import made_results
from rapport_bench.human.analysis.metric_agreement import metric_agreement

N = 60
DIALOGUES = [f"d{place}" for place in range(N)]


def arms(count: int = 2):
    return [made_results.result(f"a{i}", made_results.columns(i)) for i in range(count)]


def advice_share(result) -> np.ndarray:
    advice, empathy = (np.array(result.columns[name]) for name in ("advice", "empathy"))
    with np.errstate(invalid="ignore"):
        return advice / (advice + empathy)


def by_name(found, metric: str):
    return next(row for row in found if row.metric == metric)


def test_correlations_are_scipys() -> None:
    results = arms()
    rng = np.random.default_rng(5)
    ratings = np.round(
        np.stack([2 - 3 * advice_share(r) + rng.normal(0, 0.4, N) for r in results]), 1
    )
    found = by_name(metric_agreement({"empathy": ratings}, results, DIALOGUES), "aer_share")
    shares = [advice_share(r) for r in results]
    within = np.mean([spearmanr(s, r).statistic for s, r in zip(shares, ratings, strict=True)])
    assert found.within.value == pytest.approx(within, abs=1e-6)
    gaps = np.round(shares[1] - shares[0], 9), np.round(ratings[1] - ratings[0], 9)
    assert found.between.value == pytest.approx(spearmanr(*gaps).statistic, abs=1e-6)
    assert found.within.ci[0] < found.within.value < found.within.ci[1] < 0
    assert found.arms.value is None
    assert found.arms.reason == "fewer than 3 arms"


def test_equal_differences_tie() -> None:
    """3 - 7/3 and 10/3 - 8/3 are one difference, in whatever way thirds are rounded."""
    thirds = np.array([7, 8, 9, 10, 11, 12] * 10) / 3
    ratings = np.stack([thirds, thirds + np.where(np.arange(N) % 2, 2, 1) / 3])
    results = arms()
    shares = [advice_share(r) for r in results]
    found = by_name(metric_agreement({"s": ratings}, results, DIALOGUES), "aer_share")
    gaps = np.round(shares[1] - shares[0], 9), np.arange(N) % 2
    assert found.between.value == pytest.approx(spearmanr(*gaps).statistic, abs=1e-6)


def test_undefined_dialogues_and_unrated_items_are_left_out() -> None:
    results = arms()
    for result in results:
        result.columns["advice"][:5] = [0.0] * 5
        result.columns["empathy"][:5] = [0.0] * 5
    ratings = np.random.default_rng(1).integers(1, 6, (2, N)).astype(float)
    ratings[:, -4:] = np.nan
    found = by_name(metric_agreement({"s": ratings}, results, DIALOGUES), "aer_share")
    kept = slice(5, N - 4)
    expected = np.mean(
        [spearmanr(advice_share(r)[kept], row[kept]).statistic for r, row in zip(results, ratings, strict=True)]
    )  # fmt: skip
    assert found.within.value == pytest.approx(expected, abs=1e-6)


def test_items_of_one_dialogue_are_averaged_and_order_changes_nothing() -> None:
    results = arms()
    ratings = np.random.default_rng(2).integers(1, 6, (2, N)).astype(float)
    once = by_name(metric_agreement({"s": ratings}, results, DIALOGUES), "aer_share")
    doubled = np.concatenate([ratings - 0.5, ratings + 0.5], axis=1)
    twice = by_name(metric_agreement({"s": doubled}, results, DIALOGUES * 2), "aer_share")
    assert twice == once
    back = metric_agreement({"s": ratings[:, ::-1]}, results, DIALOGUES[::-1])
    assert by_name(back, "aer_share") == once


def test_arms_correlate_over_their_means() -> None:
    results = [
        made_results.result(f"a{i}", made_results.columns(i, advice=0.2 + 0.15 * i))
        for i in range(4)
    ]
    ratings = np.repeat([[4.0], [3.5], [3.0], [2.0]], N, axis=1)
    ratings += np.random.default_rng(0).normal(0, 0.2, ratings.shape)
    found = by_name(metric_agreement({"s": ratings}, results, DIALOGUES), "aer_share")
    assert found.arms.value == pytest.approx(-1)
    assert found.arms.n == 4


def test_metrics_without_variation_are_not_listed() -> None:
    ratings = np.random.default_rng(0).integers(1, 6, (2, N)).astype(float)
    found = metric_agreement({"s": ratings}, arms(), DIALOGUES)
    assert "copied" not in {row.metric for row in found}
    few = metric_agreement({"s": ratings[:, :9]}, arms(), DIALOGUES[:9])
    assert few == []
