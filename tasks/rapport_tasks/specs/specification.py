"""The specification of a task: its version, its metrics, and what turns replies into columns.

Everything that is run, saved, compared, printed or documented about a task follows from its `Task`. The
built-in ones lie beside this module; another package adds its own by an entry point of the group
``rapport_bench.tasks``, whose value is the `Task`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any, Literal, get_args

from rapport_tasks.common.protocol import TaskSettings
from rapport_tasks.common.record import Record
from rapport_tasks.dialogues.dialogue import Dialogue

Direction = Literal["lower", "higher", "band", "none"]
Family = Literal["confirmatory", "companion", "marker"]
Group = Literal[
    "likelihood", "acts", "continuity", "shifts", "replies", "crisis", "others", "markers"
]
GROUPS: tuple[Group, ...] = get_args(Group)
"""Metrics are listed in this order, and within a group as their tasks list them."""

RESERVED = "rapport_"
"""What names of built-in tasks begin with; identities of suites are made of these tasks alone."""

Recorder = Callable[[Dialogue, Sequence[Any], TaskSettings], Record]
"""(dialogue, its answers, settings) -> column sums.

An answer is (message index, reply), the reply `None` where it could not be asked for; or, for likelihoods,
(log-probability, is greedy, scored tokens), in the order of the assistant turns.
"""


@dataclass(frozen=True, slots=True)
class Derived:
    """A figure that follows from a metric, saved and shown beside it, never tested.

    Attributes:
        name: As in result files.
        label: As in tables.
        direction: Which way is better.
        of_value: The metric's value -> this one, rising, so that the interval's ends go with it; `None`
            where it is undefined.
        slope: The derivative of `of_value`, which gives the standard error.
        of_sums: The metric's sums (one for each column above, each below) -> this value; no interval.
    """

    name: str
    label: str
    direction: Direction = "none"
    of_value: Callable[[float], float | None] | None = None
    slope: Callable[[float], float] | None = None
    of_sums: Callable[[Mapping[str, float]], float] | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """A ratio of sums over dialogues.

    Attributes:
        name: As in result files.
        label: As in tables.
        numerator: Columns added up above ...
        denominator: ... and below.
        count: Column of scored turns (n).
        scorable: Column of turns that could have been scored; coverage is count / scorable.
        unit: Of the value, for documentation.
        scale: Factor on the ratio (per 100 characters, per 10 opportunities).
        share: Whether it lies in [0, 1] by construction, which picks the interval's method.
        direction: Which way is better; ``band`` is nearness to the gold replies' rate.
        margin: Smallest change that matters, in the metric's units.
        family: ``confirmatory`` metrics get verdicts and the Holm correction, the others
            Benjamini-Hochberg.
        group: Where it is listed.
        gold: Columns of the gold replies that define the band, as (numerator, denominator).
        floor: Smallest half-width of the band.
        same_tokenizer: Compared only between arms with one tokenizer and template.
        against_bots: Whether a bot that does as well as people would need it, too: shown for bots beside
            the confirmatory metrics.
        by_dialogue: Whether the report shows it dialogue by dialogue; confirmatory ones always are.
        only_if_any: Whether a table of arms leaves it out where it is 0 for all.
        derived: Figures that follow from it.
    """

    name: str
    label: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    count: str
    scorable: str
    unit: str = ""
    scale: float = 1.0
    share: bool = False
    direction: Direction = "none"
    margin: float = 0.0
    family: Family = "companion"
    group: Group = "others"
    gold: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    floor: float = 0.0
    same_tokenizer: bool = False
    against_bots: bool = False
    by_dialogue: bool = False
    only_if_any: bool = False
    derived: tuple[Derived, ...] = ()

    def __post_init__(self) -> None:
        problem = None
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", self.name):
            problem = "a name is up to 64 of a-z, 0-9 and _"
        elif not self.numerator or not self.denominator:
            problem = "it needs columns above and below"
        elif (self.direction == "band") != (self.gold is not None):
            problem = "a band needs the gold replies' columns, and nothing else does"
        elif not (math.isfinite(self.scale) and self.scale > 0):
            problem = "its scale must be above 0"
        if problem:
            raise ValueError(f"metric {self.name!r}: {problem}")

    def columns(self) -> set[str]:
        """All that a record must hold for it."""
        gold = self.gold or ((), ())
        return {*self.numerator, *self.denominator, self.count, self.scorable, *gold[0], *gold[1]}


@dataclass(frozen=True, slots=True)
class Task:
    """One lm-eval task: what it asks for, how answers become columns, and which metrics follow.

    Attributes:
        name: Of the task. Names that begin with ``rapport_`` are this project's.
        version: Changes whenever the same replies may get another figure.
        summary: What it measures, in a few words.
        metrics: What is saved of it, in the order of tables.
        record: A `Recorder`, or ``module:name`` of one, imported when it is first needed.
        identity: What else its figures depend on (weights, word lists): a function of the settings, or
            ``module:name`` of one; `None` if nothing else.
        across: Told all records of an arm before they are saved, for what only the arm as a whole
            shows, as a function or ``module:name``.
        likelihoods: Whether it asks for likelihoods of the gold replies instead of replies.
        more: Figures that stock lm-eval prints and results do not hold: name -> (numerator, denominator).
    """

    name: str
    version: str
    summary: str
    metrics: tuple[Metric, ...]
    record: Recorder | str
    identity: Callable[[TaskSettings], Any] | str | None = None
    across: Callable[[Mapping[str, Record]], None] | str | None = None
    likelihoods: bool = False
    more: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", self.name):
            raise ValueError(f"task {self.name!r}: a name is up to 64 of a-z, 0-9 and _")
        if not self.metrics:
            raise ValueError(f"task {self.name!r}: it has no metric")
        for metric in self.metrics:  # a gate's policy may give one a margin of 0
            if metric.family == "confirmatory" and not (
                metric.margin > 0 and metric.direction != "none"
            ):
                problem = "a confirmatory metric needs a direction and a margin above 0"
                raise ValueError(f"metric {metric.name!r}: {problem}")

    @property
    def built_in(self) -> bool:
        """Whether it is this project's, and part of every suite's identity."""
        return self.name.startswith(RESERVED)

    def records(self, dialogue: Dialogue, answers: Sequence[Any], settings: TaskSettings) -> Record:
        """Column sums of one dialogue; every column that a metric names is there, if only as 0."""
        record: Record = _found(self.record)(dialogue, answers, settings)
        return record

    def identified(self, settings: TaskSettings) -> Any:
        """What else its figures depend on, as JSON can hold it."""
        return None if self.identity is None else _found(self.identity)(settings)

    def see(self, records: Mapping[str, Record]) -> None:
        """Look at all records of an arm, by dialogue id; they may be changed in place."""
        if self.across is not None:
            _found(self.across)(records)


def _found(function: Any) -> Any:
    return resolve_name(function) if isinstance(function, str) else function
