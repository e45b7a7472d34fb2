"""The benchmark's own dialogues, and where a suite's dialogues come from."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from pathlib import Path

from rapport_tasks.common.errors import BadInput
from rapport_tasks.dialogues.dialogue import Dialogue, read_dialogues, select_runnable

DATA = Path(str(files("rapport_tasks"))) / "data"
EVALUATION_ZH = DATA / "eval_zh.jsonl"
TRAINING_ZH = DATA / "train_zh.jsonl"
TRAINING_EN = DATA / "train_en.jsonl"


def load_suite_dialogues(
    data: str | Path | None = None, limit: int | None = None
) -> tuple[list[Dialogue], Counter[str]]:
    """Read the dialogues that a suite scores.

    Args:
        data: A dialogue file; `None` for the built-in evaluation dialogues.
        limit: Keep only the first so many runnable dialogues.

    Returns:
        The runnable dialogues in file order, and how many were skipped for which reason.

    Raises:
        BadInput: No dialogue can be run, or `limit` exceeds their number.
    """
    path = Path(data) if data is not None else EVALUATION_ZH
    dialogues, skipped = select_runnable(read_dialogues(path))
    if not dialogues:
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(skipped.items()))
        raise BadInput(
            f"{path}: none of its dialogues can be scored ({reasons})",
            remedy="A dialogue needs alternating user and assistant messages with text.",
        )
    if limit is not None and not 1 <= limit <= len(dialogues):
        raise BadInput(
            f"--limit {limit}: {path} has {len(dialogues)} dialogues that can be scored",
            remedy=f"Use a limit from 1 to {len(dialogues)}, or leave it out.",
        )
    return dialogues[:limit], skipped
