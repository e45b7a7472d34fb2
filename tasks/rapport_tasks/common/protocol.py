"""How replies are drawn, and how a run tells the lm-eval tasks which data and protocol to use."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rapport_tasks.common.errors import BadInput, close_match

Method = Literal["coupled-top-p", "greedy"]


@dataclass(frozen=True, slots=True)
class Generation:
    """Generation settings of the suite; every one is explicit, none is read from a model's files.

    Attributes:
        method: ``coupled-top-p`` draws with shared noise (see `rapport_bench.arms.sampling`);
            ``greedy`` takes the most probable token.
        temperature: Divides the log-probabilities before the nucleus is cut; above 0.
        top_p: Mass of the nucleus, in (0, 1].
        max_new_tokens: Limit of a reply's length, end of turn included.
        seeds: One reply is drawn per turn and seed. Ignored by ``greedy``, which has one.
    """

    method: Method = "coupled-top-p"
    temperature: float = 1.0
    top_p: float = 0.92
    max_new_tokens: int = 128
    seeds: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if self.method not in ("coupled-top-p", "greedy"):
            raise BadInput(
                f"generation method {self.method!r} is unknown",
                remedy=close_match(self.method, ("coupled-top-p", "greedy"))
                + "Use coupled-top-p or greedy.",
            )
        if not 0 < self.top_p <= 1 or not self.temperature > 0 or self.max_new_tokens < 1:
            raise BadInput(
                "generation settings out of range",
                remedy="Use 0 < top_p <= 1, temperature > 0 and max_new_tokens >= 1.",
            )
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise BadInput("seeds must be distinct, and at least one", remedy="For example 0,1,2.")
        if self.method == "greedy" and len(self.seeds) > 1:
            raise BadInput(
                "greedy decoding gives the same reply for every seed",
                remedy="Use one seed, or --method coupled-top-p.",
            )

    def lm_eval_kwargs(self, until: str) -> dict[str, Any]:
        """The settings as lm-eval's ``generation_kwargs``, without a seed."""
        kwargs: dict[str, Any] = {"until": [until] if until else [], "do_sample": False}
        if self.method == "coupled-top-p":
            # top_k 0 switches off the 50 that transformers would otherwise apply.
            kwargs |= {"do_sample": True, "temperature": self.temperature}
            kwargs |= {"top_p": self.top_p, "top_k": 0}
        return kwargs | {"max_gen_toks": self.max_new_tokens}

    def to_json(self) -> dict[str, Any]:
        """As the result file and the suite's identity hold it."""
        settings = asdict(self) | {"seeds": list(self.seeds)}
        if self.method == "greedy":
            settings = {key: settings[key] for key in ("method", "max_new_tokens", "seeds")}
        return settings


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """What a run sets for all tasks, passed through lm-eval's task metadata.

    Under stock lm-eval the defaults hold, or what ``--metadata '{"rapport": {...}}'`` gives, with
    the fields of this class as keys.

    Attributes:
        data: A dialogue file, or `None` for the built-in dialogues.
        limit: Only the first so many runnable dialogues.
        encoder: Sentence encoder by name or path, or ``embedded``.
        generation: How replies are drawn.
        system: A system message for every dialogue, instead of its own; empty for none, `None` to leave
            them as they are.
        seed_requests: Whether requests carry their seed. Off under stock lm-eval, whose models do
            not know the argument.
    """

    data: str | None = None
    limit: int | None = None
    encoder: str = "embedded"
    generation: Generation = Generation()
    system: str | None = None
    seed_requests: bool = False

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any] | None) -> TaskSettings:
        """Read the ``rapport`` entry of a task's metadata."""
        given = (metadata or {}).get("rapport") or {}
        if isinstance(given, str):
            given = json.loads(given)
        generation = dict(given.get("generation", {}))
        for keys, of, where in ((given, cls, ""), (generation, Generation, " in generation")):
            known = [field.name for field in dataclasses.fields(of)]
            for key in keys:
                if key not in known:
                    raise BadInput(
                        f"task metadata: unknown key {key!r}{where}",
                        remedy=close_match(key, known) + f"Use {', '.join(known)}.",
                    )
        if "seeds" in generation:
            generation["seeds"] = tuple(generation["seeds"])
        return cls(**{**given, "generation": Generation(**generation)})

    def to_metadata(self) -> dict[str, Any]:
        """The inverse of `from_metadata`."""
        return {"rapport": asdict(self)}
