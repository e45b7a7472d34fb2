"""Reference arms: lm-eval models without weights that show what a number is worth.

``gold`` answers with the data's own replies. The bots have no understanding: a metric on which one of
them beats gold says less than it seems to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lm_eval.api.model import LM

from rapport_tasks.dialogue import Dialogue
from rapport_tasks.errors import BadDialogue, BadInput
from rapport_tasks.lm_tasks import TurnRequest
from rapport_tasks.rendering import render_plain

ReplyRule = Callable[[Dialogue, int], str]
"""(dialogue, message index) -> reply."""

VERSION = "1.0"

_CANNED = (
    "听起来你最近真的很不容易。",
    "我能感受到你心里的难过，谢谢你愿意说出来。",
    "我理解你的感受，换作是谁都会觉得很累的。",
    "你的心情我明白，你已经很努力了。",
    "这些感受都是正常的，我会一直陪着你。",
    "难怪你会这么委屈，我很心疼你。",
    "谢谢你的信任，你并不孤单。",
    "我听到了你的痛苦，这不是你的错。",
)


def gold(dialogue: Dialogue, turn: int) -> str:
    """The data's own reply."""
    return dialogue.messages[turn].content


def parrot(dialogue: Dialogue, turn: int) -> str:
    """The user's last message, repeated."""
    return dialogue.last_user(turn)


def canned_empathy(dialogue: Dialogue, turn: int) -> str:
    """Two stock sentences of empathy, picked by a hash, that would suit anyone."""
    pick = hashlib.sha256(f"{dialogue.id}\x1f{turn}".encode()).digest()
    first = pick[0] % len(_CANNED)
    second = (first + 1 + pick[1] % (len(_CANNED) - 1)) % len(_CANNED)
    return _CANNED[first] + _CANNED[second]


BOTS: dict[str, ReplyRule] = {"parrot": parrot, "canned-empathy": canned_empathy}


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
        return [self._rule(Dialogue.from_json(r.doc), r.turn) for r in requests]

    def loglikelihood(self, requests: list[Any], disable_tqdm: bool = False) -> list[Any]:
        """Not available: unscored as ``no_likelihood``, so runs never ask for it."""
        raise NotImplementedError("this arm has no weights")

    def loglikelihood_rolling(self, requests: list[Any], disable_tqdm: bool = False) -> list[Any]:
        """Not available."""
        raise NotImplementedError("this arm has no weights")


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
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise BadInput(
            f"{path}: {error.strerror}", remedy="Name a JSONL file of replies."
        ) from None
    except UnicodeDecodeError:
        raise BadInput(f"{path}: not UTF-8", remedy="Convert the file to UTF-8.") from None
    replies: dict[tuple[str, int], str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            key = (str(record["id"]), record["turn"])
            content = record["content"]
            if not isinstance(content, str) or type(key[1]) is not int:
                raise TypeError("content or turn")
            content.encode()
        except (ValueError, KeyError, TypeError, RecursionError):
            raise BadDialogue(
                path, number, "line", "not a reply", 'Use {"id": str, "turn": int, "content": str}.'
            ) from None
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
