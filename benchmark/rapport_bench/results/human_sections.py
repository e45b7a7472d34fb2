"""What the file of a study of ratings holds, section by section; `human_result.schema.json` is made of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from rapport_bench.common.model import Count, FileModel, Id, Name, Sha256
from rapport_bench.common.rounding import number, p_value
from rapport_bench.results.sections import Kind, VolatileSection
from rapport_bench.statistics.figure import Figure
from rapport_bench.statistics.paired import Method

Code = Annotated[str, Field(pattern="^r[0-9]{2,4}$")]
Rounded = Annotated[
    float | None, BeforeValidator(lambda x: number(x) if isinstance(x, float) else x)
]
"""To six decimals, whoever makes it."""
Ends = tuple[Rounded, Rounded] | None
P = Annotated[
    float | None,
    Field(ge=0, le=1),
    BeforeValidator(lambda x: p_value(x) if isinstance(x, float) else x),
]
These = Literal["these raters, new dialogues"]
New = Literal["new raters and new dialogues"]
Flag = Literal["attention", "same value", "same row"]
Reason = Annotated[str | None, Field(max_length=120)]
"""Why a figure is null."""


class StudySection(FileModel):
    """Which study."""

    name: Name
    seed: int
    simulated: bool
    """Whether nobody gave these ratings; to be shown wherever they are."""
    key_sha256: Sha256


class SuiteSection(FileModel):
    """Of the arms' results."""

    name: Name
    suite_id: Sha256


class RatedArm(FileModel):
    """An arm whose replies are rated."""

    name: Name
    """As its result calls it."""
    kind: Kind
    result_id: Sha256
    """Of the result whose replies are shown."""
    arm_id: Sha256
    """What answered."""


class RatedScale(FileModel):
    """A scale; its lowest value is 1, higher is better."""

    name: Id
    points: int = Field(ge=2, le=9)
    """Its highest value."""


class DesignSection(FileModel):
    """What was asked for."""

    raters: Count
    items: Count
    per_item: Count
    """Raters of each item."""
    repeats: Count
    attention_checks: Count


class AttentionSection(FileModel):
    """Checks that openly say which value to give."""

    passed: Count
    answered: Count


class Rater(FileModel):
    """What came of one rater."""

    code: Code
    expected: Count
    """Ratings that the design asks for, second showings included, checks not."""
    given: Count
    """Of them, those that came."""
    attention: AttentionSection
    flags: tuple[Flag, ...]
    """They exclude nobody by themselves."""
    excluded: bool

    @property
    def counts(self) -> bool:
        """Whether figures rest on this rater, too."""
        return not self.excluded and self.given > 0


class ItemsSection(FileModel):
    """What was rated, columnar."""

    id: tuple[Id, ...]
    dialogue: tuple[Name, ...]
    turn: tuple[Count, ...]
    domain: tuple[Annotated[str | None, Field(max_length=60)], ...]


class RatingsSection(FileModel):
    """One entry a rating, columnar; the first four are places in the lists of that name."""

    rater: tuple[Count, ...]
    item: tuple[Count, ...]
    arm: tuple[Count, ...]
    scale: tuple[Count, ...]
    value: tuple[Annotated[int, Field(ge=1, le=9)], ...]
    again: tuple[bool, ...]
    """Whether it was given on the item's second showing."""


class Quantity(FileModel):
    """A figure as it is saved."""

    value: Rounded
    ci: Ends
    """95 %."""
    n: Count
    """What it rests on."""
    reason: Reason

    @classmethod
    def of(cls, figure: Figure) -> Quantity:
        """A figure, to be saved."""
        return cls(value=figure.value, ci=figure.ci, n=figure.clusters, reason=figure.reason)


class ArmOnScale(FileModel):
    """One arm on one scale."""

    arm: Count
    scale: Id
    ratings: Count
    items: Count
    """Dialogue contexts rated."""
    mean: Rounded
    """Over dialogues of the mean over raters."""
    sd: Rounded
    """Of single ratings."""
    sd_items: Rounded
    """Of the dialogues' means."""
    ci: Ends
    """95 %, for these raters and new dialogues."""
    ci_new_raters: Ends
    """95 %, for new raters and new dialogues."""


class DifferenceSection(FileModel):
    """Candidate minus baseline."""

    value: Rounded
    se: Rounded
    ci: Ends
    p: P
    p_adjusted: P
    """Holm over the scales."""
    minimum_detectable_effect: Rounded
    exactly_equal: bool
    reason: Reason


class ItemsDifference(DifferenceSection):
    """For these raters and new dialogues."""

    n: Count
    """Dialogues."""


class Variances(FileModel):
    """Of a difference, between dialogues, between raters, and the rest."""

    item: Rounded
    rater: Rounded
    residual: Rounded


class CrossedDifference(DifferenceSection):
    """For new raters and new dialogues."""

    raters: Count
    df: Rounded
    variances: Variances | None


class SignedRank(FileModel):
    """Wilcoxon's signed-rank test on item means."""

    p: P
    p_adjusted: P
    ranked: Count
    """Items with a difference."""
    zeros: Count
    """Items without one."""
    method: Method | None


class Comparison(FileModel):
    """Two arms on one scale."""

    candidate: Count
    baseline: Count
    scale: Id
    cells: Count
    """Ratings compared."""
    incomplete: Count
    """Ratings left out because the other arm's is missing."""
    items: ItemsDifference
    wilcoxon: SignedRank
    rank_biserial: Quantity
    crossed: CrossedDifference


class SavedSeverity(FileModel):
    """A rater against the others."""

    value: Rounded
    """Points above the raters' average on the same replies."""
    ratings: Count


class ScaleAgreement(FileModel):
    """How far raters agree on one scale."""

    alpha: Quantity
    """Krippendorff's, ordinal."""
    low: bool
    icc_single: Quantity
    icc_average: Quantity
    severity: dict[Code, SavedSeverity]


class SelfAgreement(FileModel):
    """How raters repeat themselves on items shown twice."""

    pairs: Count
    exact: Rounded
    within_one: Rounded
    kappa: Rounded


class ConsistencySection(FileModel):
    """Self-agreement of all raters and of each."""

    all: SelfAgreement
    raters: dict[Code, SelfAgreement]


class MetricOnScale(FileModel):
    """How a metric goes with ratings: Spearman correlations."""

    metric: Id
    scale: Id
    within: Quantity
    between: Quantity
    arms: Quantity


class Populations(FileModel):
    """Whom figures speak of."""

    items: These
    crossed: New


class Analysis(FileModel):
    """What follows from the ratings."""

    version: str = Field(pattern="^[0-9.]{1,10}$")
    """Changes when any figure may."""
    populations: Populations
    table: tuple[ArmOnScale, ...]
    comparisons: tuple[Comparison, ...]
    agreement: dict[Id, ScaleAgreement]
    consistency: ConsistencySection
    metrics: tuple[MetricOnScale, ...] | None
    """Null where the arms' results were not at hand."""


class HumanVolatile(VolatileSection):
    """When and how it was made; not part of the result's identity."""

    model_config = ConfigDict(extra="forbid")


class HumanContent(FileModel):
    """The outcome of a study of human ratings, without text and names of people."""

    schema_version: Literal["1.0"]
    status: Literal["complete"]
    result_id: Sha256
    """Hash of all but itself and ``volatile``."""
    study: StudySection
    suite: SuiteSection
    arms: tuple[RatedArm, ...] = Field(min_length=2)
    scales: tuple[RatedScale, ...] = Field(min_length=1)
    design: DesignSection
    raters: tuple[Rater, ...] = Field(min_length=1)
    items: ItemsSection
    ratings: RatingsSection
    analysis: Analysis
    volatile: HumanVolatile
