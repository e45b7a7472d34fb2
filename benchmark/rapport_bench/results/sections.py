"""What a result file holds, section by section; `result.schema.json` is generated from these types.

Names of metrics and columns may be added within schema 1.x, and so may keys that can be absent.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from rapport_bench.common.model import Sha256
from rapport_bench.results.fields import (
    AS_WRITTEN,
    Certain,
    Count,
    Ends,
    Name,
    NotNegative,
    Number,
    OrAbsent,
    Positive,
    Section,
    Whole,
)
from rapport_tasks.common.protocol import Method
from rapport_tasks.common.record import Reason

Kind = Literal["base", "adapter", "model", "replies", "bot", "gold"]
"""What an arm is."""

_LARGEST = 1e12
"""Of a column's entries: larger ones would overflow, or divide by nothing, where they are compared."""


class TaskSection(Section):
    """A task as it was when it was run."""

    version: str
    """Changes when scores before and after are not comparable."""
    metric_sha256: Sha256
    """Of everything that its metrics depend on: versions, encoder, scorers, frozen pool."""


class GenerationSection(Section):
    """How replies were drawn."""

    method: Method
    top_p: OrAbsent[Number] = None
    """Share of the probability that is drawn from, 0 to 1; absent under greedy decoding."""
    temperature: OrAbsent[Number] = None
    """Above 0; absent under greedy decoding."""
    max_new_tokens: Positive
    """Tokens after which a reply is cut."""
    seeds: Annotated[list[Whole], Field(min_length=1)]
    """One reply a turn and seed."""


class ProtocolSection(Section):
    """How a model was asked."""

    history: Literal["gold"]
    """Whose replies stand before a turn."""
    overlong: Literal["skip"]
    """What happens to turns that are too long for a model."""
    system_sha256: OrAbsent[Sha256] = None
    """Of the system message, where there was one."""
    generation: GenerationSection


class SuiteSection(Section):
    """What was asked."""

    name: Name
    version: str
    suite_id: Sha256
    """Hash of the rest but name, version and which tasks were left out; equal where results compare."""
    data_sha256: Sha256
    dialogues: Positive
    """How many."""
    tasks: dict[str, TaskSection]
    """By name; those that were run."""
    protocol: ProtocolSection


class BaseSection(Section):
    """A base model."""

    name: Name
    """As it was given: a hub id, or a folder's name."""
    weights_sha256: Sha256
    quantization: Annotated[str, Field(max_length=60)]
    """``none``, or method and bits."""
    dtype: str


class ProofSection(Section):
    """That an adapter was applied, and taken off again."""

    max_logit_change: NotNegative
    """Largest change of a probe's logit against the base."""
    base_restored_exactly: Certain
    """Whether the base's logits were the same after the adapter as before, bit for bit."""
    own_base: OrAbsent[Certain] = None
    """Where the adapter changes the base, and therefore got one of its own."""


class AdapterSection(Section):
    """A LoRA adapter."""

    weights_sha256: Sha256
    config_sha256: Sha256
    """Of its configuration without what names the base."""
    rank: Whole
    proof: ProofSection


class ArmSection(Section):
    """What was scored."""

    name: Name
    kind: Kind
    arm_id: Sha256
    """Hash of what answers: weights, quantisation, tokenizer and template; a bot's name and version."""
    base: BaseSection | None
    """Null without a model."""
    adapter: AdapterSection | None
    tokenizer_sha256: Sha256 | None
    """Null without a model."""
    chat_template_sha256: Sha256 | None
    """Of a probe as rendered; null without a model."""
    prompts_sha256: OrAbsent[Sha256] = None
    """Of all that a model was asked; absent without one and in results of old."""


class SavedMetric(Section):
    """One metric over all dialogues."""

    value: Number | None
    """In the metric's units; null where it is undefined."""
    se: Number | None
    """Standard error, clustered by dialogue, in the metric's units."""
    ci: Ends | None
    """95 % interval."""
    n: Count
    """Turns, or what else the metric counts, that were scored."""
    clusters: Count
    """Dialogues that it rests on."""
    coverage: Annotated[float, Field(ge=0, le=1), AS_WRITTEN] | None
    """Share of what could be scored that was."""


UNDEFINED = SavedMetric(value=None, se=None, ci=None, n=0, clusters=0, coverage=None)
"""A metric that a result lacks."""


class GroupSection(Section):
    """What dialogues are divided by; one entry a dialogue."""

    domain: list[Annotated[str, Field(max_length=100)] | None]
    crisis: list[bool]
    """Whether someone is at risk in it."""


_ColumnName = Annotated[str, Field(pattern="^[a-z_]{1,60}$")]
_COUNTS, _SUMS = (
    TypeAdapter(
        dict[_ColumnName, list[Annotated[float, Field(ge=least, le=_LARGEST)]]],
        config=ConfigDict(strict=True, regex_engine="python-re"),
    )
    for least in (0, -_LARGEST)
)


def _columns(value: Any) -> dict[str, list[float]]:
    """The columns as they stand: hundreds of thousands of numbers are not walked one by one."""
    if not isinstance(value, dict):
        _COUNTS.validate_python(value)
    for name, column in value.items():
        sums = isinstance(name, str) and re.search("_sum$", name)
        kind, least = (_SUMS, -_LARGEST) if sums else (_COUNTS, 0)
        plain = isinstance(column, list) and {*map(type, column)} <= {int, float}
        within = plain and (not column or least <= min(column) <= max(column) <= _LARGEST)
        # What is wrong, and where, is said by the slower way.
        kind.validate_python({name: [] if within else column})
    columns: dict[str, list[float]] = value
    return columns


def _bounded(least: float) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "number", "minimum": least, "maximum": _LARGEST}}


Columns = Annotated[
    dict[str, list[float]],
    PlainValidator(_columns),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z_]{1,60}$"},
            "patternProperties": {"_sum$": _bounded(-_LARGEST)},
            "additionalProperties": _bounded(0),
        }
    ),
]


def once(names: list[str]) -> list[str]:
    """The names, where none stands twice."""
    if len(set(names)) < len(names):
        raise PydanticCustomError("twice", "an entry stands there twice")
    return names


class DialoguesSection(Section):
    """Sufficient statistics, columnar, one entry a dialogue in suite order; no text."""

    id: Annotated[
        list[Name],
        Field(min_length=1, json_schema_extra={"uniqueItems": True}),
        AfterValidator(once),
    ]
    group: GroupSection
    columns: Columns
    """Sums and counts over turns and seeds; sums (``…_sum``) may be below 0, counts may not."""


class UnscoredSection(Section):
    """A turn, or a dialogue, that a metric could not be computed of."""

    dialogue: Name
    turn: Whole | None
    """Index of the message; null where it is of the whole dialogue."""
    metric: Annotated[str, Field(pattern="^[a-z_]{1,60}$")]
    reason: Reason


class GitSection(Section):
    """The checkout that the program ran from."""

    commit: OrAbsent[Annotated[str, Field(max_length=64)]] = None
    dirty: OrAbsent[bool] = None
    """Whether the packages had changes that were not committed."""


class VolatileSection(Section):
    """When and how a result was made; no part of its identity."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[str, Field(max_length=200)] | Number | bool | None]

    created: OrAbsent[Annotated[str, Field(max_length=40)]] = None
    """UTC, ISO 8601."""
    seconds: OrAbsent[Annotated[float, Field(ge=0, le=1e9), AS_WRITTEN]] = None
    """That the run took."""
    rapport: OrAbsent[Annotated[str, Field(max_length=60)]] = None
    """Version of this program."""
    git: GitSection | None = None
    command: OrAbsent[Annotated[str, Field(max_length=10_000)]] = None


class Content(Section):
    """What one arm did on one suite."""

    schema_version: Literal["1.0"]
    status: Literal["complete"]
    result_id: Sha256
    """Hash of all but itself and ``volatile``."""
    suite: SuiteSection
    arm: ArmSection
    numerics: dict[str, Annotated[str, Field(max_length=120)] | Whole] | None
    """Device, arithmetic and versions that the answers were computed under; null without a model."""
    metrics: dict[Annotated[str, Field(pattern="^[a-z0-9_]{1,60}$")], SavedMetric]
    """By name; they follow from the columns."""
    dialogues: DialoguesSection
    unscored: list[UnscoredSection]
    volatile: VolatileSection

    @model_validator(mode="after")
    def _of_one_length(self) -> Content:
        dialogues, group = self.dialogues, self.dialogues.group
        lengths = {self.suite.dialogues, *map(len, dialogues.columns.values())}
        lengths |= {len(dialogues.id), len(group.domain), len(group.crisis)}
        if len(lengths) > 1:
            said = f"columns of lengths {sorted(lengths)}"
            raise PydanticCustomError("lengths", "{said}", {"said": said})
        return self
