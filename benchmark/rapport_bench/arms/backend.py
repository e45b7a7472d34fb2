"""What answers for an arm, whatever it is: a model in this process, a rule, a file, a server.

A run asks every arm in the same way and knows nothing else of it. Another kind of backend is a class
with these members, and a line in `rapport_bench.running.backends` that makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from rapport_bench.arms.arm import Arm

Promise = Literal["reproducible", "coupled"]
"""``reproducible``: asked again, it answers the same. ``coupled``: its replies are drawn with the noise that
the arms of a run share, so that two arms differ as little as their distributions do."""

ALL: frozenset[Promise] = frozenset(get_args(Promise))


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a result says of how its answers came about.

    Attributes:
        numerics: Under which they were computed; `None` without a model here.
        proof: That the adapter was applied; `None` without one.
        prompts_sha256: Hash of what was asked; `None` where nothing was rendered.
    """

    numerics: dict[str, Any] | None = None
    proof: dict[str, Any] | None = None
    prompts_sha256: str | None = None


class Backend(Protocol):
    """What answers for one arm."""

    @property
    def arm(self) -> Arm:
        """Its identity: a hash of all that could change an answer."""
        ...

    @property
    def likelihoods(self) -> bool:
        """Whether it says how probable the gold replies are; tasks that ask are left out otherwise."""
        ...

    @property
    def promises(self) -> frozenset[Promise]:
        """What of a run's guarantees holds for it; the run says what does not."""
        ...

    def model(self, tasks: Sequence[Any]) -> Any:
        """The lm-eval model that answers the requests of some lm-eval tasks.

        Its ``generate_until`` and, with `likelihoods`, ``loglikelihood`` are given
        `rapport_tasks.lm_tasks.tasks.TurnRequest`s; `None` instead of an answer says that the request
        is too long.

        Raises:
            RapportError: It cannot answer here, with what to do.
        """
        ...

    def provenance(self) -> Provenance:
        """How the answers came about; asked once they are all there."""
        ...
