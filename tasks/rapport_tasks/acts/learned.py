"""What was learned about acts: corrections of the rules' hand-set weights, and weights of skeleton runs.

``data/acts.tsv`` holds them as text, one line a weight vector in the order of `acts.ACTS`; it is
written by ``tasks/fit_acts.py``. What is not listed weighs nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

Vector = tuple[float, ...]
"""One weight for each of `acts.ACTS`."""

WEIGHTS: Final = Path(__file__).parents[1] / "data" / "acts.tsv"
_HEADER: Final = "language\tkind\tname\tadvice\tempathy\tquestion\tother"
_NOTHING: Final[Vector] = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Weights:
    """Learned weights of one language, each a vector over the acts.

    Attributes:
        bias: Added to every sentence.
        rules: By the rule's name: what is added to its hand-set weights.
        runs: By the run of the skeleton, as `acts_skeleton.runs` names it.
    """

    bias: Vector
    rules: dict[str, Vector]
    runs: dict[str, Vector]


@cache
def load_weights(tongue: str) -> Weights:
    """The weights of a language, ``zh`` or ``en``."""
    tables: dict[str, dict[str, Vector]] = {"bias": {}, "rule": {}, "run": {}}
    for line in WEIGHTS.read_text(encoding="utf-8").splitlines()[1:]:
        spoken, kind, name, *values = line.split("\t")
        if spoken == tongue:
            tables[kind][name] = tuple(map(float, values))
    return Weights(tables["bias"].get("", _NOTHING), tables["rule"], tables["run"])


@cache
def weights_identity() -> str:
    """A short hash of the learned weights."""
    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()[:12]


def write_weights(weights: Iterable[tuple[str, Weights]], path: Path = WEIGHTS) -> None:
    """Write the weights of each language, in hundredths, sorted; those that vanish are left out."""
    lines = [_HEADER]
    for tongue, learned in weights:
        tables = {"bias": {"": learned.bias}, "rule": learned.rules, "run": learned.runs}
        for kind, table in tables.items():
            for name, vector in sorted(table.items()):
                rounded = [round(value, 2) + 0.0 for value in vector]
                if any(rounded):
                    lines.append("\t".join([tongue, kind, name, *(f"{v:g}" for v in rounded)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
