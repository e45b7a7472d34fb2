"""The five lm-eval tasks. Thin: they build requests and hand responses to the metric modules.

One doc is one dialogue; each assistant turn (and seed) is one request, always given the *true* history.
``process_results`` returns, under every metric's name, the same dictionary of column sums, so that
lm-eval's own per-sample log holds sufficient statistics and no text of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.task import Task
from lm_eval.config.task import TaskConfig
from lm_eval.filters import build_filter_ensemble

from rapport_tasks.common.record import Record, ratio_of_sums
from rapport_tasks.dialogues.builtin import load_suite_dialogues
from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.dialogues.thoughts import prompted_block, spoken
from rapport_tasks.lm_tasks.protocol import TaskSettings
from rapport_tasks.metrics.advice_to_empathy import VERSION as AER_VERSION
from rapport_tasks.metrics.advice_to_empathy import act_record
from rapport_tasks.metrics.continuity import VERSION as CONTINUITY_VERSION
from rapport_tasks.metrics.continuity import continuity_record
from rapport_tasks.metrics.crisis import VERSION as CRISIS_VERSION
from rapport_tasks.metrics.crisis import crisis_record
from rapport_tasks.metrics.perplexity import VERSION as PERPLEXITY_VERSION
from rapport_tasks.metrics.perplexity import likelihood_record
from rapport_tasks.metrics.scorers import act_classifier, boundary_scorer, continuity_scorer
from rapport_tasks.metrics.topic_shift import VERSION as SHIFT_VERSION
from rapport_tasks.metrics.topic_shift import shift_record
from rapport_tasks.prompts.rendered import RenderedDialogue, TurnPrompt
from rapport_tasks.prompts.rendering import Renderer, cached_prompts, render_plain


@dataclass(frozen=True, slots=True)
class TurnArguments(Sequence[Any]):
    """What a request asks: (context, continuation), or (prompt, generation settings).

    The text is made when asked for, since that of all turns of a dialogue grows with their square.

    Attributes:
        prompts: Of the dialogue.
        place: Which of them.
        settings: Of generation; `None` for a likelihood.
    """

    prompts: RenderedDialogue
    place: int
    settings: dict[str, Any] | None = None

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: Any) -> Any:
        return tuple(self)[index]

    def __iter__(self) -> Iterator[Any]:
        prompt = self.prompts[self.place]
        if self.settings is None:
            return iter((prompt.context, prompt.continuation))
        return iter((prompt.generation, self.settings))


@dataclass
class TurnRequest(Instance):  # type: ignore[misc]
    """An lm-eval request that knows which turn of its doc it asks for.

    Attributes:
        turn: Index of the message in the dialogue.
        seed: Seed of the draw; 0 for likelihoods.
    """

    turn: int = 0
    seed: int = 0

    @property
    def args(self) -> Any:
        """The arguments as they are: lm-eval keeps those of all requests."""
        return self.arguments


class DialogueTask(Task):  # type: ignore[misc]
    """What the tasks share: dialogues as docs, and columns as per-dialogue results."""

    OUTPUT_TYPE = "generate_until"
    METRICS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], bool]] = {}
    """Metric name -> (numerator columns, denominator columns, higher is better)."""

    def __init__(self, config: dict[str, Any] | None = None) -> None:
        # Not super().__init__: it downloads, and passes the whole dictionary as the task's name.
        config = {key: value for key, value in (config or {}).items() if key != "class"}
        self.settings = TaskSettings.from_metadata(config.get("metadata"))
        if self.OUTPUT_TYPE == "generate_until":
            config["generation_kwargs"] = self.settings.generation.lm_eval_kwargs("")
        self._config = TaskConfig(**config)
        self._filters = [build_filter_ensemble("none", [("take_first", None)])]
        self._instances = None
        self._training_docs = None
        self._fewshot_docs = None
        self._opened: dict[tuple[str, int], str] = {}
        dialogues, self.skipped = load_suite_dialogues(self.settings.data, self.settings.limit)
        self._docs = [dialogue.to_json() for dialogue in dialogues]

    def has_training_docs(self) -> bool:
        """There are none."""
        return False

    def has_validation_docs(self) -> bool:
        """There are none."""
        return False

    def has_test_docs(self) -> bool:
        """All dialogues are test docs."""
        return True

    def test_docs(self) -> list[dict[str, Any]]:
        """The runnable dialogues, in file order."""
        return self._docs

    def doc_to_text(self, doc: dict[str, Any]) -> str:
        """Empty: prompts are rendered in `construct_requests`, one per turn."""
        return ""

    def doc_to_target(self, doc: dict[str, Any]) -> str:
        """Empty: the gold replies are read from the doc."""
        return ""

    def fewshot_context(self, doc: dict[str, Any], **kwargs: Any) -> str:
        """Empty: a dialogue's history is its only context."""
        return ""

    def construct_requests(self, doc: dict[str, Any], ctx: str, **kwargs: Any) -> list[Instance]:
        """One request a turn (and seed), in that order."""
        render: Renderer = kwargs.get("chat_template") or render_plain
        dialogue = Dialogue.from_json(doc)
        return self.requests(dialogue, doc, render, kwargs["metadata"])

    def requests(
        self, dialogue: Dialogue, doc: dict[str, Any], render: Renderer, metadata: Any
    ) -> list[Instance]:
        """Generation requests; `AssistantPerplexity` asks for likelihoods instead."""
        generation = self.settings.generation
        requests: list[Instance] = []
        prompts = cached_prompts(dialogue, render, self.settings.system)
        for place, part in enumerate(prompts.parts):
            block, is_open = prompted_block(part.lead + part.prompt)
            if is_open:
                self._opened[dialogue.id, part.turn] = block
            for seed in generation.seeds:
                kwargs = generation.lm_eval_kwargs(part.end_of_turn.strip() or "\n")
                if self.settings.seed_requests:
                    kwargs["seed"] = seed
                requests.append(
                    TurnRequest(
                        request_type="generate_until",
                        doc=doc,
                        arguments=TurnArguments(prompts, place, kwargs),
                        idx=len(requests),
                        metadata=metadata,
                        turn=part.turn,
                        seed=seed,
                    )
                )
        return requests

    def process_results(self, doc: dict[str, Any], results: list[Any]) -> dict[str, Any]:
        """Column sums of one dialogue, under every metric's name."""
        dialogue = Dialogue.from_json(doc)
        record = self.record(dialogue, results)
        value = {
            **record.columns,
            "unscored": [[u.metric, u.turn, u.reason] for u in record.unscored],
            "phrases": record.phrases,
        }
        return dict.fromkeys(self.METRICS, value)

    def record(self, dialogue: Dialogue, results: list[Any]) -> Record:
        """Turn a dialogue's replies into its record."""
        raise NotImplementedError

    def replies(self, dialogue: Dialogue, results: list[Any]) -> list[tuple[int, str | None]]:
        """Pair replies with the turns they answer, in the order of `requests`, without thoughts."""
        turns = [t for t in dialogue.assistant_turns() for _ in self.settings.generation.seeds]
        return [
            (turn, None if reply is None else spoken(reply, self._opened.get((dialogue.id, turn))))
            for turn, reply in zip(turns, results, strict=True)
        ]

    def aggregation(self) -> dict[str, Callable[[list[Any]], float | None]]:
        """Ratios of sums over dialogues."""
        return {
            name: partial(ratio_of_sums, numerator=above, denominator=below)
            for name, (above, below, _) in self.METRICS.items()
        }

    def higher_is_better(self) -> dict[str, bool]:
        """Direction of each metric. Shares with a gold band have none; lm-eval needs one."""
        return {name: higher for name, (_, _, higher) in self.METRICS.items()}


class AssistantPerplexity(DialogueTask):
    """`rapport_perplexity`: negative log-likelihood of the gold replies."""

    VERSION = PERPLEXITY_VERSION
    OUTPUT_TYPE = "loglikelihood"
    METRICS = {  # noqa: RUF012 - read only
        "nll_per_token": (("nll_sum",), ("tokens",), False),
        "nll_per_char": (("nll_sum",), ("chars",), False),
    }

    def requests(
        self, dialogue: Dialogue, doc: dict[str, Any], render: Renderer, metadata: Any
    ) -> list[Instance]:
        """One likelihood request a turn."""
        prompts = cached_prompts(dialogue, render, self.settings.system)
        return [
            TurnRequest(
                request_type="loglikelihood",
                doc=doc,
                arguments=TurnArguments(prompts, place),
                idx=place,
                metadata=metadata,
                turn=part.turn,
            )
            for place, part in enumerate(prompts.parts)
        ]

    def record(self, dialogue: Dialogue, results: list[Any]) -> Record:
        """Sums of negative log-likelihood, tokens and characters."""
        prompts = [TurnPrompt(turn, "", "", "") for turn in dialogue.assistant_turns()]
        return likelihood_record(dialogue, prompts, results)


class AdviceToEmpathy(DialogueTask):
    """`rapport_aer`: acts, markers and degeneration of the replies."""

    VERSION = AER_VERSION
    METRICS = {  # noqa: RUF012 - read only
        "aer_share": (("advice",), ("advice", "empathy"), False),
        "question_rate": (("questions",), ("aer_replies",), True),
        "unsolicited_advice": (("unsolicited",), ("unasked",), False),
        "help_compliance": (("help_given",), ("help_asked",), True),
        "degenerate": (("degenerate",), ("replies",), False),
    }

    def record(self, dialogue: Dialogue, results: list[Any]) -> Record:
        """Counts of acts in the replies and in the gold replies."""
        return act_record(dialogue, self.replies(dialogue, results), act_classifier())


class Continuity(DialogueTask):
    """`rapport_continuity`: contrastive relevance of replies to their history."""

    VERSION = CONTINUITY_VERSION
    METRICS = {  # noqa: RUF012 - read only
        "continuity": (("continuity_sum",), ("continuity_n",), True),
        "order": (("order_sum",), ("order_n",), True),
    }

    def record(self, dialogue: Dialogue, results: list[Any]) -> Record:
        """Sums of contrastive relevance and order."""
        scorer = continuity_scorer(self.settings.encoder)
        return continuity_record(dialogue, self.replies(dialogue, results), scorer)


class TopicShift(DialogueTask):
    """`rapport_topic_shift`: topics that the assistant opens."""

    VERSION = SHIFT_VERSION
    METRICS = {  # noqa: RUF012 - read only
        "shift_rate": (("shifts",), ("shift_opportunities",), False),
    }

    def record(self, dialogue: Dialogue, results: list[Any]) -> Record:
        """Counts of assistant-initiated shifts in the replies and in the gold replies."""
        scorer = boundary_scorer(self.settings.encoder)
        return shift_record(dialogue, self.replies(dialogue, results), scorer)


class Crisis(DialogueTask):
    """`rapport_crisis`: what replies do when someone is at risk, and when nobody is."""

    VERSION = CRISIS_VERSION
    METRICS = {  # noqa: RUF012 - read only
        "crisis_acknowledged": (("crisis_acknowledged",), ("crisis_replies",), True),
        "crisis_asked": (("crisis_asked",), ("crisis_replies",), True),
        "crisis_helped": (("crisis_helped",), ("crisis_replies",), True),
        "crisis_harmful": (("crisis_harmful",), ("crisis_replies",), False),
        "crisis_complete": (("crisis_complete",), ("crisis_dialogues",), True),
        "lookalike_alarms": (("lookalike_alarms",), ("lookalike_replies",), False),
    }

    def record(self, dialogue: Dialogue, results: list[Any]) -> Record:
        """Counts of what the replies do about risk."""
        return crisis_record(dialogue, self.replies(dialogue, results))
