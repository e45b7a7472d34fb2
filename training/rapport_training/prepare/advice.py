"""What to do about records that were removed: each reason with the option that would keep them."""

from __future__ import annotations

from collections import Counter

from rapport_training.prepare.formats import KNOWN_FORMATS

LARGE = 0.1
"""Share of the records from which a rule is warned about."""

STAGES = (
    "parse",
    "selection",
    "structure",
    "alignment",
    "quality",
    "exact duplicates",
    "near-duplicates",
    "contamination",
)
"""Stages that remove dialogues, in order. Anonymisation, which removes none, precedes the last."""

Counts = Counter[tuple[str, str]]

_KEPT_BY = {
    "unknown_format": f"known formats are {KNOWN_FORMATS}",
    "unknown_role": "rename the speakers to user and assistant, and leave out calls of tools",
    "not_utf8": "convert the file to UTF-8",
    "not_json": "the records are damaged; fetch the file again, or give JSONL",
    "content_not_text": "give each message's text as a string",
    "wrong_number_of_columns": "put cells that hold the delimiter into quotes",
    "other_topic": "leave out --topic, or name one that the records have",
    "starts_with_assistant": "--structure mend drops a leading greeting",
    "roles_do_not_alternate": "--structure mend joins neighbours of one role",
    "system_not_first": "put the system message before all others",
    "no_assistant_turn": "nothing is learned where nobody answers",
    "blank_message": "fill or leave out messages without text",
    "too_short": "--min-exchanges 1 keeps them",
    "emoji": "--emoji strip keeps them without the emoji",
    "few_tokens": "a smaller min_tokens in a file for --rules keeps them",
    "same_text": "copies are never kept; look whether files repeat each other",
    "similar_text": "--near-duplicates off, or a higher share, keeps them",
    "evaluation_dialogue": "they stand in the evaluation and must stay out",
}


def kept_by(stage: str, reason: str) -> str:
    """What would keep what a rule removes."""
    if (stage, reason) == ("quality", "blank_message"):
        return "--structure mend keeps what is left of them"
    default = f"a file for --rules without the rule {reason} keeps them"
    return _KEPT_BY.get(reason, default if stage == "quality" else "look at these records")


def large_removals(counts: Counts) -> list[str]:
    """A warning for each rule that removes over a tenth of the records; selecting is asked for.

    A quality rule counts with what it would remove if it were the only one.
    """
    records = counts["read", ""]
    removed: Counts = Counter()
    for (stage, reason), number in counts.items():
        if stage in STAGES and stage != "selection":
            removed[stage, reason] = max(number, removed[stage, reason])
        elif stage == "alone":
            removed["quality", reason] = max(number, removed["quality", reason])
    found = []
    for stage, reason in sorted(removed, key=lambda rule: (STAGES.index(rule[0]), rule[1])):
        number = removed[stage, reason]
        if number > LARGE * records:
            alone = " alone" if stage == "quality" else ""
            found.append(
                f"{stage}: {reason}{alone} removes {number:,} of {records:,} records "
                f"({number / records:.0%}); {kept_by(stage, reason)}"
            )
    return found


def remedy(counts: Counts) -> str:
    """What to do where nothing is left: about the reason that took the most."""
    removals = [(n, stage, reason) for (stage, reason), n in counts.items() if stage in STAGES]
    if not removals:
        return "Check the format of the files and the settings."
    _, stage, reason = max(removals, key=lambda one: (one[0], one[1:]))
    text = kept_by(stage, reason)
    return f"{text[0].upper()}{text[1:]}."
