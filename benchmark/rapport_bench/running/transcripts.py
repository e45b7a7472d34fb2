"""Model-free measurement of transcripts: one dialogue in, per-turn acts, continuity and shifts out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rapport_bench.common.shown import Shown, ends
from rapport_bench.statistics import estimates as stats
from rapport_tasks.acts.classifier import ActClassifier
from rapport_tasks.acts.markers import count_markers
from rapport_tasks.common.record import Reason
from rapport_tasks.dialogues.dialogue import Dialogue, Message
from rapport_tasks.dialogues.history import Prefix
from rapport_tasks.dialogues.sentences import split_sentences
from rapport_tasks.dialogues.thoughts import blanked
from rapport_tasks.metrics.continuity import ContrastiveContinuity
from rapport_tasks.metrics.scorers import act_classifier, boundary_scorer, continuity_scorer
from rapport_tasks.metrics.topic_shift import BoundaryScorer


@dataclass(frozen=True, repr=False)
class Transcripts(Shown):
    """Measured transcripts.

    Attributes:
        dialogues: One dictionary a dialogue, as `rapport score` writes them.
    """

    dialogues: tuple[dict[str, Any], ...]

    def title(self) -> str:
        """How much was measured."""
        replies = sum(t["role"] == "assistant" for m in self.dialogues for t in m["turns"])
        return f"{len(self.dialogues)} dialogues, {replies} replies"

    def to_rows(self) -> list[dict[str, Any]]:
        """One row a metric, with a 95 % interval clustered by dialogue."""
        return [
            {"metric": name, "value": figure["value"]} | ends(figure["ci"])
            for name, figure in self.to_dict()["metrics"].items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Corpus figures, as ``rapport score --json`` prints them."""
        return summarise(self.dialogues)


def transcript_scorer(
    encoder: str = "embedded", *, with_text: bool = False
) -> Callable[[Dialogue], dict[str, Any]]:
    """Load the scorers once; the returned function measures one dialogue.

    Args:
        encoder: Sentence encoder by name or path.
        with_text: Whether sentences carry their text. Output without it can be shared.
    """
    acts, continuity = act_classifier(), continuity_scorer(encoder)
    shifts = boundary_scorer(encoder)
    return lambda dialogue: _measure(dialogue, acts, continuity, shifts, with_text)


def _without_thoughts(dialogue: Dialogue) -> Dialogue:
    """Blanks instead of what the assistant thought: offsets stay those of the transcript."""
    messages = tuple(
        replace(m, content=blanked(m.content)) if m.role == "assistant" else m
        for m in dialogue.messages
    )
    return replace(dialogue, messages=messages)


def _measure(
    dialogue: Dialogue,
    classifier: ActClassifier,
    continuity: ContrastiveContinuity,
    shifts: BoundaryScorer,
    with_text: bool,
) -> dict[str, Any]:
    unscored: list[dict[str, Any]] = []

    def miss(turn: int | None, metric: str, reason: Reason) -> None:
        unscored.append({"turn": turn, "metric": metric, "reason": reason})

    dialogue = _without_thoughts(dialogue)
    messages = [m for m in dialogue.messages if m.role != "system"]
    indices = [i for i, m in enumerate(dialogue.messages) if m.role != "system"]
    boundaries = shifts.score_messages(messages)
    relevance = continuity.score(
        dialogue.id,
        [
            (i, Prefix(dialogue.messages, i), dialogue.messages[i].content)
            for i in dialogue.assistant_turns()
        ],
    )
    by_turn = {turn.turn: turn for turn in relevance.turns}
    turns = []
    advice = empathy = shift_count = opportunities = 0
    continuities = []
    for place, (index, message) in enumerate(zip(indices, messages, strict=True)):
        boundary = boundaries[place]
        turn: dict[str, Any] = {"index": index, "role": message.role}
        turn["shift"] = {"score": boundary.score, "boundary": boundary.boundary}
        if boundary.score is None:
            miss(index, "shift", "empty" if place else "one_turn")
        if message.role == "assistant":
            turn |= _acts(message, classifier, with_text)
            advice += turn["advice"]
            empathy += turn["empathy"]
            found = by_turn[index]
            turn |= {"continuity": found.value, "copy_rate": found.copy_rate}
            if found.value is None:
                miss(index, "continuity", found.reason or "empty")
            else:
                continuities.append(found.value)
            if boundary.boundary is not None:
                opportunities += 1
                shift_count += boundary.boundary
        turns.append(turn)
    if dialogue.crisis:
        miss(None, "aer_share", "crisis")
    elif not advice + empathy:
        miss(None, "aer_share", "no_acts")
    scorable = not dialogue.crisis and advice + empathy > 0
    return {
        "id": dialogue.id,
        "turns": turns,
        "totals": {
            "aer_share": advice / (advice + empathy) if scorable else None,
            "aer_ratio": (advice + 0.5) / (empathy + 0.5) if scorable else None,
            "continuity": sum(continuities) / len(continuities) if continuities else None,
            "topic_shifts": shift_count if opportunities else None,
            "shift_opportunities": opportunities,
        },
        "unscored": unscored,
    }


def _acts(message: Message, classifier: ActClassifier, with_text: bool) -> dict[str, Any]:
    sentences = split_sentences(message.content)
    acts = classifier.classify([sentence.text for sentence in sentences])
    rows = []
    counted: set[tuple[str, str]] = set()
    for sentence, act in zip(sentences, acts, strict=True):
        row = {
            "start": sentence.start,
            "end": sentence.end,
            "advice": act.advice,
            "empathy": act.empathy,
            "question": act.question,
            "other": act.other,
            "label": act.label,
        }
        rows.append(row | {"text": sentence.text} if with_text else row)
        counted.add((sentence.text, act.label))  # an identical sentence counts once in a reply
    return {
        "sentences": rows,
        "advice": sum(label == "advice" for _, label in counted),
        "empathy": sum(label == "empathy" for _, label in counted),
        "markers": count_markers(message.content),
    }


def summarise(measured: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Corpus figures of measured transcripts: ratios of sums with intervals clustered by dialogue."""
    replies = [[t for t in m["turns"] if t["role"] == "assistant"] for m in measured]
    aer = [
        (sum(t["advice"] for t in turns), sum(t["empathy"] for t in turns))
        for m, turns in zip(measured, replies, strict=True)
        if m["totals"]["aer_share"] is not None
    ]
    continuity = [[t["continuity"] for t in r if t["continuity"] is not None] for r in replies]
    totals = [m["totals"] for m in measured]
    shifts = [(t["topic_shifts"] or 0, t["shift_opportunities"]) for t in totals]
    estimates = {
        "aer_share": stats.share([a for a, _ in aer], [a + e for a, e in aer]),
        "continuity": stats.ratio_of_sums(
            [sum(c) for c in continuity], [len(c) for c in continuity]
        ),
        "shifts_per_turn": stats.ratio_of_sums([s for s, _ in shifts], [n for _, n in shifts]),
    }
    missing = Counter(f"{u['metric']} {u['reason']}" for m in measured for u in m["unscored"])
    return {
        "dialogues": len(measured),
        "assistant_turns": sum(map(len, replies)),
        "metrics": {
            name: {"value": e.value, "ci": e.ci, "clusters": e.clusters}
            for name, e in estimates.items()
        },
        "unscored": dict(sorted(missing.items())),
    }
