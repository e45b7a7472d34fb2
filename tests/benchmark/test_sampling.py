"""Coupled draws: noise that depends on its key alone, and the right marginal distribution."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, kstest

from rapport_bench.arms.sampling import draw_top_p, gumbel_noise, noise_key


def keys_of(count: int, seed: int = 0) -> list[int]:
    return [noise_key(seed, f"d-{n}", 1) for n in range(count)]


def noise(keys: list[int], steps: list[int], tokens: list[list[int]]) -> np.ndarray:
    return gumbel_noise(
        np.array(keys, dtype=np.uint64), np.array(steps, dtype=np.uint64), np.array(tokens)
    )


def draw(logits: torch.Tensor, keys: list[int], **settings: float) -> np.ndarray:
    """One draw a key from one distribution, at varying steps."""
    steps = [n % 7 for n in range(len(keys))]
    rows = logits.expand(len(keys), -1)
    settings = {"temperature": 1.0, "top_p": 0.92} | settings
    return draw_top_p(rows, keys, steps, **settings)


def truncated_softmax(logits: torch.Tensor, temperature: float, top_p: float) -> np.ndarray:
    """The distribution that draws should have, worked out apart from the sampler."""
    scores = logits.double().numpy() / temperature
    probability = np.exp(scores - scores.max())
    probability /= probability.sum()
    order = np.argsort(-probability, kind="stable")
    size = int(np.searchsorted(np.cumsum(probability[order]), top_p)) + 1
    kept = np.zeros_like(probability)
    kept[order[:size]] = probability[order[:size]]
    return kept / kept.sum()


# --- the noise ---------------------------------------------------------------------------------


def test_noise_depends_on_its_own_key_step_and_token_alone():
    keys, steps = [noise_key(0, "a", 1), noise_key(0, "a", 3), noise_key(1, "a", 1)], [0, 5, 0]
    together = noise(keys, steps, [[0, 7, 151_000]] * 3)
    for row in (2, 0, 1):  # another order, other neighbours, other candidates
        for column, token in enumerate((0, 7, 151_000)):
            assert noise([keys[row]], [steps[row]], [[9, token]])[0, 1] == together[row, column]


def test_any_change_of_key_step_or_token_changes_the_noise():
    asked = [
        (seed, dialogue, turn, step, token)
        for seed in (0, 1) for dialogue in ("a", "b") for turn in (1, 11)
        for step in (0, 1) for token in (0, 1)
    ]  # fmt: skip
    values = {
        noise([noise_key(seed, dialogue, turn)], [step], [[token]])[0, 0]
        for seed, dialogue, turn, step, token in asked
    }
    assert len(values) == len(asked)
    # Joined with a separator: no two replies share a key because their digits run together.
    assert noise_key(1, "1", 1) != noise_key(11, "", 1) != noise_key(1, "11", 1)


def test_noise_is_the_same_on_every_machine():
    """Pinned: stored replies and results of other machines were drawn with these values."""
    assert noise_key(0, "d-1", 3) == 6145566745108080252
    assert noise_key(7, "咨询", 1) == 1405778366239186367
    drawn = noise([0, 2**64 - 1], [0, 4], [[0, 1], [2, 3]]).ravel().tolist()
    # Worked out with Python integers: splitmix64(splitmix64(key ^ splitmix64(step)) ^ splitmix64(token))
    assert drawn == pytest.approx(
        [0.8641271107640522, 2.4804403233732355, 0.5032335656321971, -0.5586897121112637]
    )


def test_noise_is_gumbel_distributed_and_uncorrelated():
    values = noise(keys_of(200), [0] * 200, [list(range(200))] * 200)
    assert np.isfinite(values).all()
    assert kstest(values.ravel(), "gumbel_r").pvalue > 0.01
    steps = noise(keys_of(20_000), [1] * 20_000, [[5, 6]] * 20_000)
    assert abs(np.corrcoef(steps.T)[0, 1]) < 0.02


# --- the draws ---------------------------------------------------------------------------------

GENERATOR = torch.Generator().manual_seed(0)
PEAKED = 2 * torch.randn(40, generator=GENERATOR)
WIDE = 0.5 * torch.randn(560, generator=GENERATOR)
LONG_TAIL = torch.cat([torch.linspace(3, 0, 20), torch.full((520,), -6.0)])


@pytest.mark.parametrize(
    ("logits", "temperature", "top_p", "nucleus"),
    [
        (PEAKED, 1.0, 0.92, range(10, 20)),
        (PEAKED, 0.5, 0.9, range(2, 5)),
        (PEAKED, 2.0, 1.0, [40]),
        (torch.zeros(32), 1.0, 1.0, [32]),
        (LONG_TAIL, 1.0, 0.9, range(10, 20)),
        (WIDE, 1.0, 0.995, range(513, 560)),  # beyond the 512 that are sorted at first
    ],
    ids=["peaked", "cold", "hot", "flat", "long-tail", "wide"],
)
def test_draws_follow_the_truncated_softmax(logits, temperature, top_p, nucleus):
    draws = 20_000
    expected = truncated_softmax(logits, temperature, top_p)
    inside = expected > 0
    assert inside.sum() in nucleus
    found = draw(logits, keys_of(draws), temperature=temperature, top_p=top_p)
    counts = np.bincount(found, minlength=len(logits))
    assert counts[~inside].sum() == 0  # nothing outside the nucleus, ever
    assert (expected[inside] * draws).min() >= 5  # what the test's approximation asks for
    assert chisquare(counts[inside], expected[inside] * draws).pvalue > 0.01


def test_a_tiny_nucleus_is_the_most_probable_token():
    assert set(draw(PEAKED, keys_of(100), top_p=1e-6)) == {int(PEAKED.argmax())}


@pytest.mark.parametrize("vocabulary", [40, 700])
def test_a_draw_does_not_depend_on_its_batch(vocabulary):
    logits = torch.randn(50, vocabulary, generator=torch.Generator().manual_seed(3))
    keys, steps = keys_of(50), list(range(50))

    def some(rows: list[int], top_p: float) -> list[int]:
        return draw_top_p(
            logits[rows], [keys[r] for r in rows], [steps[r] for r in rows],
            temperature=0.9, top_p=top_p,
        ).tolist()  # fmt: skip

    # The last row is so flat that it drags its batch into the full sort.
    logits[49] = 0
    for top_p in (0.5, 0.92, 1.0):
        together = some(list(range(50)), top_p)
        assert together[::-1] == some(list(range(49, -1, -1)), top_p)
        assert together[:49] == [some([row], top_p)[0] for row in range(49)]


def test_half_precision_logits_are_drawn_in_full_precision():
    logits = torch.randn(200, 100, generator=torch.Generator().manual_seed(4)).bfloat16()
    settings = {"temperature": 0.7, "top_p": 0.9}
    keys, steps = keys_of(200), [0] * 200
    assert (
        draw_top_p(logits, keys, steps, **settings)
        == draw_top_p(logits.float(), keys, steps, **settings)
    ).all()


# --- the coupling ------------------------------------------------------------------------------


def test_equal_distributions_draw_equal_tokens():
    shifted = PEAKED + 3.0  # the same distribution by other logits
    keys = keys_of(2000)
    assert (draw(PEAKED, keys) == draw(shifted, keys)).all()
    assert (draw(PEAKED, keys) != draw(PEAKED, keys_of(2000, seed=1))).any()


@pytest.mark.parametrize("change", [0.05, 0.5])
def test_close_distributions_agree_far_more_often_than_independent_draws(change):
    noisy = PEAKED + change * torch.randn(40, generator=torch.Generator().manual_seed(9))
    keys = keys_of(4000)
    agreement = (draw(PEAKED, keys) == draw(noisy, keys)).mean()
    p, q = (truncated_softmax(logits, 1.0, 0.92) for logits in (PEAKED, noisy))
    independent, best = float(p @ q), float(np.minimum(p, q).sum())  # best: total variation
    assert agreement > independent + 0.7 * (best - independent)
    assert agreement <= best + 0.03
