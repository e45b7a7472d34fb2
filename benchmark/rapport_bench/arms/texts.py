"""What the arms of a result said: from the response store, the data, or files of imported replies.

Results hold no text. Gold replies and bots follow from the dialogues; a model's replies lie in the
response store, listed there under the arm, the suite and the numerics.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapport_bench.arms.arm import replies_arm, weightless_arm
from rapport_bench.arms.bots import ReplyRule, bots, gold
from rapport_bench.arms.store import ResponseStore, default_path, replies_fact
from rapport_bench.arms.text_sources import Sources
from rapport_bench.common.identity import digest
from rapport_bench.results.result import Result
from rapport_tasks.common.errors import BadInput
from rapport_tasks.dialogues.builtin import load_suite_dialogues
from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.dialogues.thoughts import without_thought

Texts = dict[tuple[str, int], list[str]]
"""(dialogue id, message index) -> replies, one a seed."""


@dataclass(frozen=True, slots=True)
class Found:
    """Text of the arms of one suite.

    Attributes:
        dialogues: Those that were scored, in suite order.
        texts: By result id; an arm without text is not in it.
        missing: One sentence an arm whose replies are gone, with what brings them back.
    """

    dialogues: tuple[Dialogue, ...]
    texts: dict[str, Texts]
    missing: tuple[str, ...]


def find_texts(arms: Sequence[Result], sources: Sources) -> Found:
    """The words of users and arms.

    Args:
        arms: Of one suite.
        sources: Where to look.

    Raises:
        BadInput: The data are not those of the suite, or the store is no store.
    """
    dialogues = _dialogues(arms[0], sources.data)
    imported = _imported(sources.replies, dialogues)
    path = Path(sources.store) if sources.store is not None else default_path()
    if sources.store is not None and not path.is_file():
        raise BadInput(f"{path}: no such file", remedy="Name a response store with --store.")
    texts: dict[str, Texts] = {}
    missing = []
    stored = {}
    models = [arm for arm in arms if arm.role.weights]
    if models and path.is_file():
        with ResponseStore(path) as store:
            stored = {arm.result_id: _stored(store, arm) for arm in models}
    for arm in arms:
        rule = _rule(arm, imported)
        found = stored.get(arm.result_id) or (_by_rule(rule, dialogues) if rule else {})
        if found:
            texts[arm.result_id] = found
        wanted = sum(len(dialogue.assistant_turns()) for dialogue in dialogues)
        if not found or (arm.result_id in stored and not _complete(found, arm, wanted)):
            missing.append(_way_back(arm, path, some=bool(found)))
    return Found(dialogues, texts, tuple(missing))


def _dialogues(arm: Result, data: str | None) -> tuple[Dialogue, ...]:
    suite, count = arm.suite, arm.suite.dialogues
    if data is None and suite.name != "rapport-zh":
        raise BadInput(
            f"suite {suite.name} was scored on dialogues of your own",
            remedy="Name their file with --data FILE.",
        )
    dialogues, _ = load_suite_dialogues(data)
    if digest([dialogue.to_json() for dialogue in dialogues[:count]]) != suite.data_sha256:
        raise BadInput(
            f"{data or 'the built-in dialogues'}: not the {count} dialogues that suite "
            f"{suite.name} was scored on (sha256 {suite.data_sha256[:12]})",
            remedy="Name the file as it was when the arms were scored, with --data FILE.",
        )
    return tuple(dialogues[:count])


def _imported(files: Sequence[str], dialogues: tuple[Dialogue, ...]) -> dict[str, ReplyRule]:
    if not files:
        return {}
    from rapport_bench.arms.replies import read_replies  # brings lm-eval

    rules = {}
    for file in files:
        rule, sha256 = read_replies(Path(file), dialogues)
        rules[replies_arm("", sha256).arm_id] = rule
    return rules


def _rule(arm: Result, imported: Mapping[str, ReplyRule]) -> ReplyRule | None:
    if arm.role.gold:
        return gold
    known: dict[str, ReplyRule] = {
        weightless_arm(bot.name, "bot", bot.version).arm_id: bot for bot in bots().values()
    }
    return (known | dict(imported)).get(arm.arm.arm_id)


def _by_rule(rule: ReplyRule, dialogues: Sequence[Dialogue]) -> Texts:
    return {
        (dialogue.id, turn): [without_thought(rule(dialogue, turn))[0]]
        for dialogue in dialogues
        for turn in dialogue.assistant_turns()
    }


def _stored(store: ResponseStore, arm: Result) -> Texts:
    numerics = arm.numerics
    listed = store.recall(replies_fact(arm.arm.arm_id, arm.suite_id, numerics)) or []
    responses = store.get(numerics or {}, [key for *_, key in listed])
    texts: Texts = {}
    for identity, turn, _, key in listed:
        if key in responses:
            reply, _ = without_thought(responses[key]["text"])
            texts.setdefault((identity, turn), []).append(reply)
    return texts


def _complete(found: Texts, arm: Result, wanted: int) -> bool:
    """Whether nothing is gone; what was too long for the model was never there."""
    seeds = len(arm.suite.protocol.generation.seeds)
    overlong = {
        (u.dialogue, u.turn)
        for u in arm.unscored
        if u.reason == "overlong" and u.metric != "nll_per_token"
    }
    return sum(map(len, found.values())) + len(overlong) * seeds >= wanted * seeds


def _way_back(arm: Result, store: Path, *, some: bool) -> str:
    what = "some replies are gone" if some else "its replies are gone"
    if arm.role.bot:
        return f"{arm.name}: a bot of another version of this program; score it again with --bots."
    if not arm.role.weights:
        return f"{arm.name}: its replies were imported: add --replies FILE, the same file as then."
    command = arm.volatile.command or (
        f"rapport run --base {shlex.quote(arm.arm.base.name)} ..."
        if arm.arm.base
        else "rapport run ..."
    )
    return (
        f"{arm.name}: {what} from the response store ({store}); the command that scored it brings "
        f"them back: {command}"
    )
