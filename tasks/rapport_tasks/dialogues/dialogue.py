"""Dialogues: the one type all packages share, and how files of them are read.

A dialogue file is UTF-8 JSONL, one dialogue a line::

    {"id": "d-1", "messages": [{"role": "user", "content": "..."}, {"role": "assistant", ...}]}

Optional keys: ``domain`` or ``topic`` (str), ``crisis`` (bool), ``language`` (str). Others are ignored.

What happens to a dialogue that is not a plain alternation of user and assistant:

=============================  ====================================================================
no JSON, no id, a doubled id,  refused: the file is not what it says it is; the error names file,
wrong role, non-text content   line, field and remedy
no messages; no assistant      skipped with a count (`structure_problem`): nothing can be scored
turn after a user message
a blank message; two messages  skipped with a count: chat templates cannot render them, or render
of one role in a row; first    them differently
speaker is the assistant; a
system message that is not
the first message
one exchange                   scored; what needs two turns (order, shifts) is null for it
ends with the user             scored in part: the last message is never shown to a model
=============================  ====================================================================

`rapport score` measures transcripts as they are and skips nothing; a message it cannot measure is
listed there as unscored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

from rapport_tasks.common.errors import BadDialogue, BadInput, close_match, shown
from rapport_tasks.common.parsing import Malformed, parse_json
from rapport_tasks.dialogues.thoughts import without_thought

Role = Literal["system", "user", "assistant"]
ROLES: tuple[str, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a dialogue."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One conversation, the cluster of all statistics.

    Attributes:
        id: Unique within its file.
        messages: In order. May be empty in a file that is only measured, never in one that is run.
        domain: What it is about, for grouping; `None` when the file does not say.
        crisis: Whether the user is at risk. Crisis dialogues are left out of the
            Advice-to-Empathy Ratio: directing someone at risk to help is right.
    """

    id: str
    messages: tuple[Message, ...]
    domain: str | None = None
    crisis: bool = False

    def assistant_turns(self) -> list[int]:
        """Indices in `messages` of the turns that are scored."""
        return [i for i, message in enumerate(self.messages) if message.role == "assistant"]

    def last_user(self, turn: int) -> str:
        """The last user message before message `turn`, or an empty string."""
        said = (self.messages[i] for i in range(min(turn, len(self.messages)) - 1, -1, -1))
        return next((message.content for message in said if message.role == "user"), "")

    def to_json(self) -> dict[str, Any]:
        """The dialogue as one line of a dialogue file, and as an lm-eval doc."""
        return {
            "id": self.id,
            "domain": self.domain,
            "crisis": self.crisis,
            "messages": [{"role": m.role, "content": m.content} for m in self.messages],
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Dialogue:
        """Build from a record that is known to be valid, such as an lm-eval doc."""
        return cls(
            id=record["id"],
            messages=tuple(Message(m["role"], m["content"]) for m in record["messages"]),
            domain=_domain(record),
            crisis=bool(record.get("crisis", False)),
        )


def structure_problem(dialogue: Dialogue) -> str | None:
    """Say why a dialogue cannot be run or trained on, or `None` when it can.

    Returns:
        One of ``no_messages``, ``blank_message``, ``system_not_first``, ``starts_with_assistant``,
        ``roles_do_not_alternate``, ``no_assistant_turn``, or `None`.
    """
    if not dialogue.messages:
        return "no_messages"
    if any(not m.content.strip() for m in dialogue.messages):
        return "blank_message"
    turns = [m.role for m in dialogue.messages]
    if turns[0] == "system":
        turns = turns[1:]
    if "system" in turns:
        return "system_not_first"
    if turns and turns[0] == "assistant":
        return "starts_with_assistant"
    if any(a == b for a, b in pairwise(turns)):
        return "roles_do_not_alternate"
    if "assistant" not in turns:
        return "no_assistant_turn"
    return None


def select_runnable(dialogues: Sequence[Dialogue]) -> tuple[list[Dialogue], Counter[str]]:
    """Split off what `structure_problem` objects to, counted by reason.

    What replies hold of thoughts (`rapport_tasks.dialogues.thoughts`) is left out: it is no part of a reply.
    """
    skipped: Counter[str] = Counter()
    runnable = []
    for dialogue in map(_without_thoughts, dialogues):
        problem = structure_problem(dialogue)
        if problem is None:
            runnable.append(dialogue)
        else:
            skipped[problem] += 1
    return runnable, skipped


def _without_thoughts(dialogue: Dialogue) -> Dialogue:
    messages = tuple(
        Message(m.role, without_thought(m.content)[0]) if m.role == "assistant" else m
        for m in dialogue.messages
    )
    return dialogue if messages == dialogue.messages else replace(dialogue, messages=messages)


def read_dialogues(path: str | Path) -> list[Dialogue]:
    """Read and validate a dialogue file, in file order.

    Raises:
        BadInput: The file is missing, unreadable, not UTF-8 or holds no dialogue.
        BadDialogue: A line does not follow the format.
    """
    path = Path(path)
    seen: dict[str, int] = {}
    dialogues = []
    for line, record in read_json_lines(path):
        dialogue = parse_dialogue(record, path, line)
        if dialogue.id in seen:
            raise BadDialogue(
                path,
                line,
                "id",
                f"{shown(dialogue.id)} stands on line {seen[dialogue.id]} already",
                "Give every dialogue its own id: results are paired by it.",
            )
        seen[dialogue.id] = line
        dialogues.append(dialogue)
    if not dialogues:
        raise BadInput(f"{path}: no dialogue in this file", remedy="Put one JSON object a line.")
    return dialogues


def _domain(record: dict[str, Any]) -> Any:
    """What the dialogue is about; corpora call it ``domain`` or ``topic``."""
    return record.get("domain") or record.get("topic") or None


def read_json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Line numbers and values of a JSONL file; blank lines are passed over.

    Raises:
        BadInput: The file is missing, unreadable or not UTF-8.
        BadDialogue: A line is not JSON.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        nearby = [p.name for p in path.parent.glob("*.jsonl")] if path.parent.is_dir() else []
        raise BadInput(
            f"{path}: no such file",
            remedy=close_match(path.name, nearby) + "Name a JSONL file of dialogues.",
        ) from None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}", remedy="Name a readable JSONL file.") from None
    except ValueError:  # a name with NUL in it
        raise BadInput("not the name of a file", remedy="Name a readable JSONL file.") from None
    return json_lines(data, path)


def json_lines(data: bytes, path: Path) -> Iterator[tuple[int, Any]]:
    """The same of a file's content; `path` is where it was read."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path}: not UTF-8 (byte {error.start})", remedy="Convert the file to UTF-8."
        ) from None
    # Not str.splitlines: it also breaks at U+2028 and U+0085, which may stand inside a JSON string.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, parse_json(line)
            except Malformed as error:
                remedy = error.remedy or "Put one complete JSON object on each line (JSONL)."
                problem = error.problem.replace("line 1, column", "column")
                raise BadDialogue(path, number, error.place or "line", problem, remedy) from None


def parse_dialogue(record: Any, path: Path, line: int) -> Dialogue:
    """One line of a dialogue file, checked.

    Raises:
        BadDialogue: It does not follow the format.
    """

    def fail(field: str, problem: str, remedy: str) -> BadDialogue:
        return BadDialogue(path, line, field, problem, remedy)

    def check_length(field: str, text: str, longest: int) -> None:
        if len(text) > longest:
            raise fail(field, f"{len(text)} characters", f"Use at most {longest}.")

    if not isinstance(record, dict):
        raise fail("line", f"a JSON {type(record).__name__}, not an object", "See the format.")
    identity = record.get("id")
    if isinstance(identity, int) and not isinstance(identity, bool):
        identity = str(identity)
    if not isinstance(identity, str) or not identity:
        raise fail("id", "missing or not a string", 'Add "id": a string unique within the file.')
    check_length("id", identity, 500)
    raw = record.get("messages")
    if not isinstance(raw, list):
        raise fail(
            "messages", "missing or not a list", 'Add "messages": [{"role": ..., "content": ...}].'
        )
    messages = []
    for index, item in enumerate(raw):
        role = item.get("role") if isinstance(item, dict) else None
        if role not in ROLES:
            raise fail(
                f"messages[{index}].role",
                f"{shown(role)} is no role" if isinstance(role, str) else "missing or not a string",
                close_match(str(role), ROLES) + f"Use one of {', '.join(ROLES)}.",
            )
        content = item.get("content")
        if not isinstance(content, str):
            raise fail(
                f"messages[{index}].content",
                f"{type(content).__name__}, not a string",
                "Give the message's text as a string.",
            )
        messages.append(Message(role, content))
    domain = _domain(record)
    if domain is not None:
        if not isinstance(domain, str):
            raise fail("domain", f"{type(domain).__name__}, not a string", "Give a string.")
        check_length("domain", domain, 100)
    crisis = record.get("crisis", False)
    if not isinstance(crisis, bool):
        raise fail("crisis", f"{type(crisis).__name__}, not a boolean", "Give true or false.")
    return Dialogue(identity, tuple(messages), domain, crisis)
