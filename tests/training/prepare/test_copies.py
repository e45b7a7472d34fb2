from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_tasks.dialogues.dialogue import Dialogue, Message
from rapport_training.prepare.contamination import index_evaluation
from rapport_training.prepare.duplicates import (
    bands,
    exact_copies,
    linked_groups,
    near_copies,
)
from rapport_training.prepare.fingerprint import (
    BINS,
    GRAM,
    OPENING_BINS,
    OPENING_SHINGLE,
    SHINGLE,
    Signatures,
    fold,
    gram_hashes,
    signatures,
    similarity,
)
from rapport_training.prepare.split import choose_validation, opening


def letters(rng: np.random.Generator, size: int) -> str:
    return "".join(map(chr, rng.integers(0x4E00, 0x4E00 + 3000, size)))


def sign(texts: list[str]) -> Signatures:
    return signatures(*gram_hashes(*fold(texts), SHINGLE))


def test_folded_text_is_letters_and_digits_in_one_form() -> None:
    codes, ends = fold(["Ａb，１ 😀!", "", "𠀀々é"])
    assert "".join(map(chr, codes)) == "ab1𠀀々é"
    assert ends.tolist() == [3, 3, 6]


@given(
    st.lists(st.text(st.sampled_from("甲乙丙丁"), max_size=20), min_size=1, max_size=4),
    st.integers(1, 16),
)
def test_equal_grams_have_equal_hashes_and_others_do_not(texts: list[str], size: int) -> None:
    hashes, counts = gram_hashes(*fold(texts), size)
    grams = [text[i : i + size] for text in texts for i in range(len(text) - size + 1)]
    assert counts.sum() == len(grams) == len(hashes)
    assert len(set(hashes.tolist())) == len(set(grams))
    assert len(set(zip(grams, hashes.tolist(), strict=True))) == len(set(grams))


@pytest.mark.parametrize("size", [40, 300, 1500])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_signatures_estimate_similarity_without_bias(size: int, share: float) -> None:
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(60):
        shared = letters(rng, round(size * share))
        one, other = shared + letters(rng, size // 8), shared + letters(rng, size // 8)
        a, b = sign([one, other])
        errors.append((a == b).mean() - similarity(one, other))
    assert abs(np.mean(errors)) < 0.02
    assert np.std(errors) < (0.07 if size < BINS else 0.05)


def test_a_text_too_short_for_a_shingle_has_no_signature() -> None:
    assert not sign(["甲乙丙丁"]).any()
    assert similarity("甲乙丙丁", "甲乙丙丁") == 0


def test_the_first_of_equal_digests_stays() -> None:
    digests = np.array([b"b", b"a", b"b", b"c", b"a"], "S16")
    assert exact_copies(digests).tolist() == [False, False, True, False, True]


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9, 1.0])
def test_bands_find_pairs_at_the_threshold(threshold: float) -> None:
    count, rows = bands(threshold, BINS)
    assert count * rows <= BINS
    assert 1 - (1 - threshold**rows) ** count >= 0.98


def test_near_copies_are_those_that_exact_comparison_finds() -> None:
    rng = np.random.default_rng(1)
    texts = []
    for _ in range(20):
        original = letters(rng, 400)
        texts += [original, original[:-20] + letters(rng, 20), original[:200] + letters(rng, 200)]
    order = rng.permutation(len(texts))
    texts = [texts[i] for i in order]
    expected, kept = [], []
    for row, text in enumerate(texts):
        if any(similarity(texts[k], text) >= 0.8 for k in kept):
            expected.append(row)
        else:
            kept.append(row)
    found = near_copies(
        sign(texts),
        np.arange(len(texts)),
        0.8,
        exact=lambda a, b: similarity(texts[a], texts[b]),
    )
    assert found.tolist() == expected
    assert len(expected) == 20


def test_a_corpus_from_one_template_is_not_quadratic() -> None:
    rng = np.random.default_rng(2)
    trunk = letters(rng, 300)
    texts = [trunk + letters(rng, 90) for _ in range(200)]  # .63 alike: none is a copy
    compared = 0

    def exact(a: int, b: int) -> float:
        nonlocal compared
        compared += 1
        return similarity(texts[a], texts[b])

    assert not len(near_copies(sign(texts), np.arange(200), 0.8, exact=exact))
    assert compared <= 3 * 200


def evaluation(text: str) -> Dialogue:
    return Dialogue("e", (Message("user", text[:40]), Message("assistant", text[40:])))


def test_contamination_needs_three_tenths_of_the_grams_in_one_dialogue() -> None:
    rng = np.random.default_rng(3)
    first, second = letters(rng, 200), letters(rng, 200)
    index = index_evaluation([evaluation(first), evaluation(second)])
    # 100 characters hold 88 grams; 26.4 of them are three tenths.
    texts = [
        first[50:89] + letters(rng, 61),  # 27 grams of one
        first[50:88] + letters(rng, 62),  # 26 of one
        first[50:85] + second[50:85] + letters(rng, 30),  # 23 + 23 of two
        "，".join(first[:30]) + "！",  # nothing but a copy, with noise between
        letters(rng, 100),
        first[:12],  # no gram at all
    ]
    grams = gram_hashes(*fold(texts), GRAM)
    assert index.contaminated(*grams).tolist() == [True, False, False, True, False, False]
    nobody = index_evaluation([])
    assert not nobody.contaminated(*grams).any()


def split_of(texts: list[str], share: float, seed: int = 0) -> np.ndarray:
    table = signatures(*gram_hashes(*fold(texts), OPENING_SHINGLE), OPENING_BINS)
    return choose_validation(table, np.array([t.encode()[:15] for t in texts], "S16"), share, seed)


def test_openings_that_are_alike_stay_together() -> None:
    rng = np.random.default_rng(4)
    texts = []
    for _ in range(100):
        start = letters(rng, 30)
        texts += [start, start, start[:28] + letters(rng, 2)]
    sides = split_of(texts, 0.1)
    assert sides.sum() == 30
    assert (sides.reshape(100, 3).sum(axis=1) % 3 == 0).all()
    assert (split_of(texts, 0.1) == sides).all()
    assert (split_of(texts, 0.1, seed=1) != sides).any()


def test_the_split_of_a_dialogue_does_not_hang_on_its_neighbours() -> None:
    rng = np.random.default_rng(5)
    texts = [letters(rng, 30) for _ in range(400)]
    whole = split_of(texts, 0.1)
    order = rng.permutation(400)
    assert (split_of([texts[i] for i in order], 0.1) == whole[order]).all()


def test_small_and_uniform_corpora_are_split_as_far_as_they_can_be() -> None:
    rng = np.random.default_rng(6)
    one = letters(rng, 30)
    assert split_of([one], 0.5).sum() == 0
    assert split_of([one] * 20, 0.1).sum() == 0
    assert split_of([one] * 20 + [letters(rng, 30)] * 5, 0.1).tolist() == [False] * 20 + [True] * 5
    assert split_of([letters(rng, 30) for _ in range(3)], 0.05).sum() == 1
    assert split_of([letters(rng, 30) for _ in range(3)], 0).sum() == 0


def test_openings_reach_past_a_greeting() -> None:
    assert opening(["你好", "你好呀", "我睡不着" * 6, "多久了"]) == "你好你好呀" + "我睡不着" * 6


def test_groups_link_through_a_chain() -> None:
    rng = np.random.default_rng(7)
    a = letters(rng, 60)
    b = a[:50] + letters(rng, 10)
    texts = [a, b, letters(rng, 60)]
    table = signatures(*gram_hashes(*fold(texts), OPENING_SHINGLE), OPENING_BINS)
    groups = linked_groups(table, np.array([b"a", b"b", b"c"], "S16"), 0.6)
    assert groups[0] == groups[1] != groups[2]
