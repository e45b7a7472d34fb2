"""Arms that were scored before: their result, instead of the work."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rapport_bench.arms.arm import Arm
from rapport_bench.results.result import Result, load, slug
from rapport_bench.running.suite import Suite
from rapport_tasks.common.errors import RapportError

_COLUMN = {
    "rapport_perplexity": "nll_sum",
    "rapport_aer": "advice",
    "rapport_continuity": "continuity_n",
    "rapport_topic_shift": "shifts",
    "rapport_crisis": "crisis_replies",
}
"""A column that a result has if and only if the task was run."""


def saved_result(arm: Arm, suite: Suite, tasks: Sequence[str], folder: str | Path) -> Result | None:
    """The result of the same arm on the same suite with all of `tasks`, if there is one.

    The same arm has the same weights, tokenizer, template and name; the same suite the same data,
    protocol and metric versions. Numerics may be those of another machine: the result names them.
    Files that cannot be read are passed over.
    """
    needed = {_COLUMN[t] for t in tasks if arm.tokenizer_sha256 or t != "rapport_perplexity"}
    pattern = f"v1/{slug(suite.name)}/*/{slug(arm.name)}@*.json"
    for path in sorted(Path(folder).glob(pattern)):
        with suppress(RapportError):
            found = load(path)
            same = (found.suite_id, found.name, found.kind, found.arm.arm_id)
            wanted = (suite.suite_id, arm.name, arm.kind, arm.arm_id)
            if same == wanted and needed <= found.columns.keys():
                return found
    return None
