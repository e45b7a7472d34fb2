"""The lm-eval model of a scored arm: answers from the store, and loads weights for the rest only.

Batches are planned from the full list of requests, whether or not they are answered already, so a
resumed run repeats the batches of an uninterrupted one. Every finished batch is durable before the next
one starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Protocol

from lm_eval.api.model import LM

from rapport_bench.arms.arm import Arm
from rapport_bench.arms.generation import Prompt, generate_batch
from rapport_bench.arms.likelihood import (
    Span,
    hidden_states_of,
    merge_prefixes,
    plan_batches,
    score_batch,
)
from rapport_bench.arms.sampling import noise_key
from rapport_bench.arms.store import Response, ResponseStore
from rapport_bench.common.identity import digest
from rapport_tasks.common.protocol import Generation
from rapport_tasks.dialogues.thoughts import prompted_block
from rapport_tasks.lm_tasks.tasks import TurnArguments, TurnRequest
from rapport_tasks.prompts.rendered import RenderedDialogue
from rapport_tasks.prompts.rendering import Renderer
from rapport_tasks.prompts.tokenisation import TurnTokens, tokenise

Activate = Callable[[], AbstractContextManager[Any]]
"""Loads what is not loaded yet and yields the model as this arm."""


class Progress(Protocol):
    """Told about finished work; see `rapport_bench.terminal.console`."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """`done` of `total` requests of kind `what` are answered."""


class GeneratedReply(str):
    """A reply that remembers whether the token limit ended it."""

    __slots__ = ("cut_off",)
    cut_off: bool

    def __new__(cls, text: str, cut_off: bool) -> GeneratedReply:
        """A string with one more attribute, so that stock lm-eval code takes it as it is."""
        reply = super().__new__(cls, text)
        reply.cut_off = cut_off
        return reply


Encode = Callable[[RenderedDialogue], list[TurnTokens]]
"""A rendered dialogue -> the tokens of its turns."""


def encoder_for(tokenizer: Any, context_length: int) -> Encode:
    """Rendered dialogues to tokens, each once; the same tokens for all arms of a base."""

    @lru_cache(maxsize=4096)
    def encode(dialogue: RenderedDialogue) -> list[TurnTokens]:
        (turns,) = tokenise(tokenizer, [dialogue], longest=context_length)
        return turns

    return encode


def response_key(arm_id: str, request: TurnRequest) -> str:
    """Hash of what answers and what is asked, without the task that asks it."""
    return digest([arm_id, list(request.args), request.seed, request.doc["id"], request.turn])


class ArmModel(LM):  # type: ignore[misc]
    """One arm as lm-eval sees it.

    Args:
        arm: Its identity.
        tokenizer: The base's tokenizer.
        render: The chat template that all arms of the base are asked with.
        encode: Rendered dialogues to tokens (`encoder_for`), shared by the arms of a base.
        context_length: Longest sequence the model takes; longer requests are answered `None`
            (unscored, ``overlong``), never cut.
        store: Where answers are looked up and kept.
        numerics: Under which answers are looked up, and computed.
        activate: Called once, and only if an answer is missing.
        batch_tokens: Padded tokens a batch, replies included.
        progress: Told before the first batch and after each.

    Attributes:
        reply_keys: Of the replies asked for last: (dialogue id, turn, seed, response key).
    """

    def __init__(
        self,
        arm: Arm,
        tokenizer: Any,
        *,
        render: Renderer,
        encode: Encode,
        context_length: int,
        store: ResponseStore,
        numerics: Mapping[str, Any],
        activate: Activate,
        batch_tokens: int,
        progress: Progress,
    ) -> None:
        super().__init__()
        self.arm = arm
        self.tokenizer = tokenizer
        self.encode = encode
        self.context_length = context_length
        self.store = store
        self.numerics = numerics
        self.reply_keys: list[tuple[str, int, int, str]] = []
        self._activate = activate
        self._batch_tokens = batch_tokens
        self._progress = progress
        self._render = render

    @property
    def tokenizer_name(self) -> str:
        """Part of lm-eval's cache keys, which this project never uses."""
        return self.arm.tokenizer_sha256 or ""

    @property
    def apply_chat_template(self) -> Renderer:
        """The template itself, by which the tasks remember what they have rendered."""
        return self._render

    def loglikelihood_rolling(self, requests: list[Any], disable_tqdm: bool = False) -> list[float]:
        """Not part of this benchmark: it would score template tokens."""
        raise NotImplementedError("rapport tasks score assistant turns, with loglikelihood")

    def keys(self, requests: Sequence[TurnRequest]) -> list[str]:
        """Keys of the requests that the model can take."""
        return [
            response_key(self.arm.arm_id, request) for request in requests if self.fits(request)
        ]

    def fits(self, request: TurnRequest) -> bool:
        """Whether a request, with the longest reply it allows, is within the context length."""
        turn, settings = self._turn(request), request.args.settings
        if settings is None:
            return turn.length <= self.context_length
        return turn.prompt_length + int(settings["max_gen_toks"]) <= self.context_length

    def _turn(self, request: TurnRequest) -> TurnTokens:
        asked: TurnArguments = request.args
        return self.encode(asked.prompts)[asked.place]

    def _span(self, request: TurnRequest) -> Span:
        turn = self._turn(request)
        return Span(turn.tokens(), max(turn.start, 1))

    def loglikelihood(
        self, requests: list[TurnRequest], disable_tqdm: bool = False
    ) -> list[tuple[float | None, bool, int]]:
        """(log-probability, is greedy, scored tokens) of each continuation."""
        distinct = self._distinct(requests)
        spans = [self._span(request) for request in distinct.values()]
        keys = list(distinct)
        found = self.store.get(self.numerics, keys)
        passes = merge_prefixes(spans)
        plan = plan_batches([len(row.tokens) for row in passes], self._batch_tokens)
        todo = [
            [passes[i] for i in batch]
            for batch in plan
            if any(keys[r] not in found for i in batch for r in passes[i].requests)
        ]
        if todo:
            self._progress("likelihoods", len(found), len(keys))
            with self._activate() as model:
                hidden_states = hidden_states_of(model)
                for batch in todo:
                    scored = score_batch(model, hidden_states, batch, spans)
                    self._keep(
                        found,
                        {
                            keys[r]: {"logprob": s.logprob, "greedy": s.greedy, "tokens": s.tokens}
                            for r, s in scored.items()
                        },
                    )
                    self._progress("likelihoods", len(found), len(keys))
        answers: list[tuple[float | None, bool, int]] = []
        for request in requests:
            response = self._found(found, request)
            if response is None:
                answers.append((None, False, 0))
            else:
                answers.append((response["logprob"], response["greedy"], response["tokens"]))
        return answers

    def generate_until(
        self, requests: list[TurnRequest], disable_tqdm: bool = False
    ) -> list[GeneratedReply | None]:
        """One reply a request; identical requests of several tasks are generated once."""
        distinct = self._distinct(requests)
        self.reply_keys = sorted((r.doc["id"], r.turn, r.seed, k) for k, r in distinct.items())
        found = self.store.get(self.numerics, distinct)
        generation, until = _settings(list(distinct.values()))
        order = sorted(
            (-self._turn(request).prompt_length, request.doc["id"], request.turn, key)
            for key, request in distinct.items()
        )
        lengths = [-item[0] + generation.max_new_tokens for item in order]
        todo = [
            [order[i][3] for i in batch]
            for batch in plan_batches(lengths, self._batch_tokens)
            if any(order[i][3] not in found for i in batch)
        ]
        if todo:
            self._progress("replies", len(found), len(distinct))
            stop_ids = self._stop_ids(until)
            with self._activate() as model:
                for batch in todo:
                    self._keep(found, self._generate(model, batch, distinct, generation, stop_ids))
                    self._progress("replies", len(found), len(distinct))
        answers: list[GeneratedReply | None] = []
        for request in requests:
            response = self._found(found, request)
            answers.append(
                None if response is None else GeneratedReply(response["text"], response["cut_off"])
            )
        return answers

    def _generate(
        self,
        model: Any,
        keys: Sequence[str],
        requests: Mapping[str, TurnRequest],
        generation: Generation,
        stop_ids: frozenset[int],
    ) -> dict[str, Response]:
        prompts = [
            Prompt(
                tokens=self._turn(request).prompt_tokens(),
                key=noise_key(request.seed, request.doc["id"], request.turn),
                until=self._until_text(request.args.settings["until"]),
            )
            for request in (requests[key] for key in keys)
        ]
        replies = generate_batch(model, self.tokenizer, prompts, generation, stop_ids)
        return {
            key: {
                # With the tag that the prompt ends with, a thought is known as one.
                "text": _opened(requests[key]) + reply.text,
                "tokens": reply.tokens,
                "cut_off": reply.cut_off,
            }
            for key, reply in zip(keys, replies, strict=True)
        }

    def _distinct(self, requests: Sequence[TurnRequest]) -> dict[str, TurnRequest]:
        """Requests by key, in a canonical order, without those that are too long."""
        fitting = filter(self.fits, requests)
        by_key = {response_key(self.arm.arm_id, request): request for request in fitting}
        return {key: by_key[key] for key in sorted(by_key)}

    def _found(self, found: Mapping[str, Response], request: TurnRequest) -> Response | None:
        if not self.fits(request):
            return None
        return found.get(response_key(self.arm.arm_id, request))

    def _keep(self, found: dict[str, Response], batch: dict[str, Response]) -> None:
        self.store.put(self.numerics, batch)
        found.update(batch)

    def _stop_ids(self, until: Sequence[str]) -> frozenset[int]:
        ids = {self.tokenizer.eos_token_id, *map(self._special_id, until)}
        return frozenset(ids - {None})

    def _until_text(self, until: Sequence[str]) -> tuple[str, ...]:
        """Stops that are plain text for this tokenizer and must be looked for in the reply."""
        return tuple(text for text in until if self._special_id(text) is None)

    def _special_id(self, text: str) -> int | None:
        """The special token that this text is, if it is one."""
        found: int | None = self.tokenizer.convert_tokens_to_ids(text)
        known = found in self.tokenizer.all_special_ids
        return found if known and self.tokenizer.convert_ids_to_tokens(found) == text else None


def _opened(request: TurnRequest) -> str:
    part = request.args.prompts.parts[request.args.place]
    block, is_open = prompted_block(part.lead + part.prompt)
    return block if is_open else ""


def _settings(requests: Sequence[TurnRequest]) -> tuple[Generation, list[str]]:
    """Read the protocol back from the requests; a run has one."""
    until = sorted({text for request in requests for text in request.args.settings["until"]})
    if not requests:
        return Generation(), until
    kwargs = requests[0].args.settings
    if not kwargs["do_sample"]:
        return Generation("greedy", max_new_tokens=kwargs["max_gen_toks"]), until
    generation = Generation(
        "coupled-top-p", kwargs["temperature"], kwargs["top_p"], kwargs["max_gen_toks"]
    )
    return generation, until
