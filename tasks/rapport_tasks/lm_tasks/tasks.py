"""The lm-eval tasks, made from their specifications: requests out, responses to the metrics.

One doc is one dialogue; each assistant turn (and seed) is one request, always given the *true* history.
``process_results`` returns, under every metric's name, the same dictionary of column sums, so that
lm-eval's own per-sample log holds sufficient statistics and no text of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import lm_eval.api.task
from lm_eval.api.instance import Instance
from lm_eval.api.task import Task
from lm_eval.config.task import TaskConfig
from lm_eval.filters import build_filter_ensemble

from rapport_tasks.common.protocol import TaskSettings
from rapport_tasks.common.record import ratio_of_sums
from rapport_tasks.dialogues.builtin import load_suite_dialogues
from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.dialogues.thoughts import prompted_block, spoken
from rapport_tasks.prompts.rendered import RenderedDialogue
from rapport_tasks.prompts.rendering import Renderer, cached_prompts, render_plain
from rapport_tasks.registry import task as registered
from rapport_tasks.registry import tasks
from rapport_tasks.specs import specification as spec


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

    TASK: spec.Task

    def __init__(self, config: dict[str, Any] | None = None) -> None:
        # Not super().__init__: it downloads, and passes the whole dictionary as the task's name.
        config = {key: value for key, value in (config or {}).items() if key != "class"}
        self.settings = TaskSettings.from_metadata(config.get("metadata"))
        self.OUTPUT_TYPE = "loglikelihood" if self.TASK.likelihoods else "generate_until"
        config["output_type"] = self.OUTPUT_TYPE
        if not self.TASK.likelihoods:
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

    def build_all_requests(self, **options: Any) -> None:
        """As lm-eval does; in a run without its bar, which knows of documents and not of arms."""
        bar = lm_eval.api.task.tqdm
        if self.settings.seed_requests:
            lm_eval.api.task.tqdm = lambda documents, **_: documents
        try:
            super().build_all_requests(**options)
        finally:
            lm_eval.api.task.tqdm = bar

    def construct_requests(self, doc: dict[str, Any], ctx: str, **kwargs: Any) -> list[Instance]:
        """One request a turn (and seed), in that order."""
        render: Renderer = kwargs.get("chat_template") or render_plain
        dialogue = Dialogue.from_json(doc)
        return self.requests(dialogue, doc, render, kwargs["metadata"])

    def requests(
        self, dialogue: Dialogue, doc: dict[str, Any], render: Renderer, metadata: Any
    ) -> list[Instance]:
        """A likelihood a turn, or a reply a turn and seed."""
        generation = self.settings.generation
        requests: list[Instance] = []
        prompts = cached_prompts(dialogue, render, self.settings.system)

        def ask(place: int, kwargs: dict[str, Any] | None, seed: int = 0) -> None:
            requests.append(
                TurnRequest(
                    request_type=self.OUTPUT_TYPE,
                    doc=doc,
                    arguments=TurnArguments(prompts, place, kwargs),
                    idx=len(requests),
                    metadata=metadata,
                    turn=prompts.parts[place].turn,
                    seed=seed,
                )
            )

        for place, part in enumerate(prompts.parts):
            if self.TASK.likelihoods:
                ask(place, None)
                continue
            block, is_open = prompted_block(part.lead + part.prompt)
            if is_open:
                self._opened[dialogue.id, part.turn] = block
            for seed in generation.seeds:
                kwargs = generation.lm_eval_kwargs(part.end_of_turn.strip() or "\n")
                if self.settings.seed_requests:
                    kwargs["seed"] = seed
                ask(place, kwargs, seed)
        return requests

    def process_results(self, doc: dict[str, Any], results: list[Any]) -> dict[str, Any]:
        """Column sums of one dialogue, under every metric's name."""
        dialogue = Dialogue.from_json(doc)
        answers = results if self.TASK.likelihoods else self.replies(dialogue, results)
        record = self.TASK.records(dialogue, answers, self.settings)
        value = {
            **record.columns,
            "unscored": [[u.metric, u.turn, u.reason] for u in record.unscored],
            "phrases": record.phrases,
        }
        return dict.fromkeys(self.sums(), value)

    def replies(self, dialogue: Dialogue, results: list[Any]) -> list[tuple[int, str | None]]:
        """Pair replies with the turns they answer, in the order of `requests`, without thoughts."""
        turns = [t for t in dialogue.assistant_turns() for _ in self.settings.generation.seeds]
        return [
            (turn, None if reply is None else spoken(reply, self._opened.get((dialogue.id, turn))))
            for turn, reply in zip(turns, results, strict=True)
        ]

    def sums(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """Metric name -> (columns above, columns below), without a scale: per turn, per character."""
        of_metrics = {
            metric.name: (metric.numerator, metric.denominator)
            for metric in self.TASK.metrics
            if metric.scale == 1 or metric.family == "confirmatory"
        }
        return of_metrics | dict(self.TASK.more or {})

    def aggregation(self) -> dict[str, Callable[[list[Any]], float | None]]:
        """Ratios of sums over dialogues."""
        return {
            name: partial(ratio_of_sums, numerator=above, denominator=below)
            for name, (above, below) in self.sums().items()
        }

    def higher_is_better(self) -> dict[str, bool]:
        """Direction of each metric. Those with a gold band have none; lm-eval needs one."""
        directions = {metric.name: metric.direction for metric in self.TASK.metrics}
        return {name: directions.get(name) == "higher" for name in self.sums()}


def task_class(task: spec.Task) -> type[DialogueTask]:
    """The lm-eval task of a specification."""
    return type(task.name, (DialogueTask,), {"TASK": task, "VERSION": task.version})


def __getattr__(name: str) -> type[DialogueTask]:
    """``!function rapport_tasks.lm_tasks.tasks.NAME``, for the YAML files of stock lm-eval."""
    if name not in tasks():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return task_class(tasks()[name])


def load_tasks(settings: TaskSettings, names: Sequence[str]) -> dict[str, DialogueTask]:
    """Tasks as a run uses them, by name, in the order given."""
    return {
        name: task_class(registered(name))({"task": name, "metadata": settings.to_metadata()})
        for name in names
    }
