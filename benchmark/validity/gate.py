"""How often does the gate err? Simulated pairs of arms, judged by the gate itself.

    python benchmark/validity/gate.py [--repeats N]

Three metrics of a policy (NLL per token, AER share to the gold band, continuity) with the default
margins. Baseline and candidate answer the same dialogues and differ by noise between dialogues; the
candidate's NLL is worse by 0, 1, 1.5 or 2 margins. The baseline's AER lies outside its band, where a
distance moves both ways. A fail at 0 margins is a false alarm: exit 1 if their rate is
significantly above 5 %. A pass at 1 margin or more is a regression let through.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
from scipy.stats import binomtest

from rapport_bench.judging.gate import run_gate
from rapport_bench.judging.gate_policy import Policy, Rule
from rapport_bench.results import columns as records
from rapport_bench.results.metrics import BY_NAME
from rapport_bench.results.result import Result, seal

DIALOGUES = (52, 208)
SHIFTS = (0.0, 1.0, 1.5, 2.0)
SENTENCES = 12
NOISE = 0.06
"""Standard deviation between dialogues of a difference in NLL per token, and in continuity."""

_SHA = "0" * 64


def policy() -> Policy:
    """The default margins, as a gate's policy."""
    names = ("nll_per_token", "aer_share", "continuity")
    metrics = [replace(BY_NAME[name], family="confirmatory") for name in names]
    return Policy(tuple(Rule(metric, margin=metric.margin) for metric in metrics))


def pair(n: int, shift: float, rng: np.random.Generator) -> tuple[Result, Result]:
    """A candidate and a baseline of n dialogues; NLL shifted by so many margins."""
    tokens = rng.integers(40, 160, n).astype(float)
    level = rng.normal(2.2, 0.3, n)
    gold = rng.binomial(SENTENCES, np.clip(rng.normal(0.4, 0.1, n), 0, 1))
    rates = np.clip(rng.normal(0.55, 0.1, n), 0, 1)
    sentences = rng.random((n, SENTENCES)) < rates[:, np.newaxis]
    made = []
    for name, margins in (("candidate", shift), ("baseline", 0.0)):
        # Replies of two arms share about half of their sentences' acts.
        redrawn = rng.random((n, SENTENCES)) < rates[:, np.newaxis]
        told = np.where(rng.random((n, SENTENCES)) < 0.5, redrawn, sentences).sum(axis=1)
        worse = margins * BY_NAME["nll_per_token"].margin
        columns = {
            "turns": np.ones(n),
            "likelihood_turns": np.ones(n),
            "tokens": tokens,
            "chars": tokens,
            "nll_sum": tokens * (level + worse + rng.normal(0, NOISE / np.sqrt(2), n)),
            "advice": told,
            "empathy": SENTENCES - told,
            "acted_replies": np.ones(n),
            "aer_replies": np.ones(n),
            "gold_advice": gold,
            "gold_empathy": SENTENCES - gold,
            "continuity_sum": 0.2 + rng.normal(0, NOISE / np.sqrt(2), n),
            "continuity_n": np.ones(n),
            "continuity_turns": np.ones(n),
        }
        made.append(_result(name, {k: [float(x) for x in v] for k, v in columns.items()}))
    return made[0], made[1]


def _result(name: str, columns: dict[str, list[float]]) -> Result:
    n = len(columns["turns"])
    generation = {"method": "greedy", "max_new_tokens": 1, "seeds": [0]}
    return seal(
        {
            "suite": {
                "name": "simulated",
                "version": "1.0.0",
                "suite_id": _SHA,
                "data_sha256": _SHA,
                "dialogues": n,
                "tasks": {},
                "protocol": {"history": "gold", "overlong": "skip", "generation": generation},
            },
            "arm": {
                "name": name,
                "kind": "model",
                "arm_id": _SHA,
                "base": None,
                "adapter": None,
                "tokenizer_sha256": _SHA,
                "chat_template_sha256": _SHA,
            },
            "numerics": None,
            "metrics": records.summarise(columns),
            "dialogues": {
                "id": [f"d{i}" for i in range(n)],
                "group": {"domain": [None] * n, "crisis": [False] * n},
                "columns": columns,
            },
            "unscored": [],
            "volatile": {},
        }
    )


def outcomes(n: int, shift: float, repeats: int) -> Counter[str]:
    """How often the gate said what."""
    rng = np.random.default_rng([n, round(10 * shift)])
    rules = policy()
    found: Counter[str] = Counter()
    for _ in range(repeats):
        candidate, baseline = pair(n, shift, rng)
        found[run_gate([candidate], baseline, rules).outcome] += 1
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=1000, metavar="N")
    repeats = parser.parse_args().repeats
    alarming = False
    print(f"{repeats} pairs each; rates in %")
    print(f"{'dialogues':>9} {'margins':>8} {'fail [95 %]':>18} {'pass':>6} {'inconclusive':>13}")
    for n in DIALOGUES:
        for shift in SHIFTS:
            found = outcomes(n, shift, repeats)
            test = binomtest(found["fail"], repeats, 0.05, alternative="greater")
            low, high = binomtest(found["fail"], repeats).proportion_ci()
            alarming |= shift == 0 and test.pvalue < 0.05
            share = {what: 100 * count / repeats for what, count in found.items()}
            fail = f"{share.get('fail', 0):.1f} [{100 * low:.1f}, {100 * high:.1f}]"
            print(
                f"{n:>9} {shift:>8} {fail:>18} {share.get('pass', 0):>6.1f} "
                f"{share.get('inconclusive', 0):>13.1f}",
                flush=True,
            )
    sys.exit(1 if alarming else 0)


if __name__ == "__main__":
    main()
