"""Arms that answer by a rule: the gold replies, bots, and files of imported replies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm_eval.api.model import LM

from rapport_bench.arms.arm import Arm, replies_arm, weightless_arm
from rapport_bench.arms.backend import ALL, Promise, Provenance
from rapport_bench.arms.bots import ReplyRule, bots, gold
from rapport_tasks.common.errors import BadDialogue, BadInput
from rapport_tasks.dialogues.dialogue import Dialogue, json_lines
from rapport_tasks.lm_tasks.tasks import TurnRequest
from rapport_tasks.prompts.rendering import render_plain


class ReplyModel(LM):  # type: ignore[misc]
    """An lm-eval model that answers by a rule. It gives no likelihoods.

    Args:
        rule: Dialogue and message index -> reply.
    """

    def __init__(self, rule: ReplyRule) -> None:
        super().__init__()
        self._rule = rule

    @property
    def tokenizer_name(self) -> str:
        """lm-eval asks for it with every template; there is none."""
        return ""

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """The plain template: a rule reads the dialogue, not the prompt."""
        return render_plain(chat_history, add_generation_prompt)

    def generate_until(self, requests: list[TurnRequest], disable_tqdm: bool = False) -> list[str]:
        """One reply a request."""
        read: dict[int, Dialogue] = {}  # one a doc, not one a request: requests share their doc
        for request in requests:
            if id(request.doc) not in read:
                read[id(request.doc)] = Dialogue.from_json(request.doc)
        return [self._rule(read[id(request.doc)], request.turn) for request in requests]

    def loglikelihood(self, requests: list[Any], disable_tqdm: bool = False) -> list[Any]:
        """Not available: unscored as ``no_likelihood``, so runs never ask for it."""
        raise NotImplementedError("this arm has no weights")

    def loglikelihood_rolling(self, requests: list[Any], disable_tqdm: bool = False) -> list[Any]:
        """Not available."""
        raise NotImplementedError("this arm has no weights")


@dataclass(frozen=True, slots=True)
class RuleBackend:
    """An arm that answers by a rule; see `rapport_bench.arms.backend.Backend`."""

    arm: Arm
    rule: ReplyRule
    promises: frozenset[Promise] = ALL
    likelihoods: bool = False

    def model(self, tasks: Sequence[Any]) -> ReplyModel:
        """Answers from the dialogue alone."""
        return ReplyModel(self.rule)

    def provenance(self) -> Provenance:
        """Nothing was computed."""
        return Provenance()


def reference_backends() -> Iterator[RuleBackend]:
    """The gold replies, and every bot."""
    yield RuleBackend(weightless_arm(gold.name, "gold", gold.version), gold)
    for made in bots().values():
        yield RuleBackend(weightless_arm(made.name, "bot", made.version), made)


def imported_backend(name: str | None, path: Path, dialogues: tuple[Dialogue, ...]) -> RuleBackend:
    """A file of replies, called by its name unless it is given another.

    Raises:
        BadInput: As `read_replies`.
    """
    rule, sha256 = read_replies(path, dialogues)
    return RuleBackend(replies_arm(name or path.stem, sha256), rule, frozenset({"reproducible"}))


def read_replies(path: Path, dialogues: tuple[Dialogue, ...]) -> tuple[ReplyRule, str]:
    """Read imported replies: ``{"id", "turn", "content"}`` a line, every assistant turn once.

    Returns:
        The rule that answers with them, and the file's SHA-256.

    Raises:
        BadDialogue: A line is not of that form, or gives a turn twice.
        BadInput: The file cannot be read, or turns are missing or unknown (counted).
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadInput(
            f"{path}: {error.strerror}", remedy="Name a JSONL file of replies."
        ) from None
    replies: dict[tuple[str, int], str] = {}
    for number, record in json_lines(raw, path):
        fields = record if isinstance(record, dict) else {}
        turn, content = fields.get("turn"), fields.get("content")
        if "id" not in fields or not isinstance(content, str) or type(turn) is not int:
            raise BadDialogue(
                path, number, "line", "not a reply", 'Use {"id": str, "turn": int, "content": str}.'
            )
        key = (str(fields["id"]), turn)
        if key in replies:
            raise BadDialogue(path, number, "turn", "given twice", "Give every turn once.")
        replies[key] = content
    wanted = {(d.id, turn) for d in dialogues for turn in d.assistant_turns()}
    missing, unknown = len(wanted - replies.keys()), len(replies.keys() - wanted)
    if missing or unknown:
        raise BadInput(
            f"{path}: {missing} assistant turns of the suite have no reply, "
            f"{unknown} replies belong to no assistant turn of it",
            remedy="Give every assistant turn exactly once; `turn` is the message's index.",
        )
    return lambda dialogue, turn: replies[dialogue.id, turn], hashlib.sha256(raw).hexdigest()
