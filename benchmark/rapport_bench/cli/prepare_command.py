"""`rapport prepare`: options to settings, progress, and the summary at the end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from rapport_bench.terminal.console import output
from rapport_tasks.common.errors import BadInput
from rapport_tasks.dialogues.builtin import EVALUATION_ZH
from rapport_training.prepare import PrepareSettings, Resources, prepare
from rapport_training.prepare.quality import BUILTIN_RULES, load_rules


def prepare_settings(options: dict[str, Any]) -> PrepareSettings:
    """Turn the command line's options into settings."""
    near = options["near_duplicates"]
    try:
        threshold = None if near == "off" else float(near)
    except ValueError:
        raise BadInput(
            f"--near-duplicates {near}: not a number", remedy="Like 0.8, or off."
        ) from None
    return PrepareSettings(
        topics=options["topics"],
        percent=options["percent"],
        min_exchanges=options["min_exchanges"],
        punctuation=options["punctuation"],
        structure=options["structure"],
        rules=load_rules(Path(options["rules"]) if options["rules"] else BUILTIN_RULES),
        emoji=options["emoji"],
        near_duplicates=threshold,
        anonymise=options["anonymise"],
        evaluation=(EVALUATION_ZH, *map(Path, options["evaluation"])),
        validation=options["validation"],
        seed=options["seed"],
    )


def run_prepare(options: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """Prepare with a progress bar; returns the card."""
    workers = options["workers"] or os.cpu_count() or 1
    bar = _Bar(quiet=quiet)
    with bar.progress:
        return prepare(
            options["sources"],
            options["out"],
            prepare_settings(options),
            resources=Resources(workers, options["memory"] << 20),
            on_progress=bar.update,
        )


def show_card(card: dict[str, Any], out: str) -> None:
    """Say what came out, and what did not and why."""
    size, stdout = card["dialogues"], output()
    stdout.print(
        f"{card['records']:,} records → {size['total']:,} dialogues "
        f"({size['train']:,} training, {size['validation']:,} validation) in {out}",
        markup=False,
    )
    for row in card["stages"]:
        if row["removed"]:
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in row["removed"].items())
            stdout.print(f"  {row['stage']}: −{row['in'] - row['out']:,} ({reasons})", markup=False)
    alone = [row for row in card["rules"] if row["alone"]]
    if alone:
        each = ", ".join(f"{row['rule']} {row['alone']:,}" for row in alone)
        stdout.print(f"  each quality rule alone: {each}", markup=False)
    if card["changed"]:
        changed = ", ".join(f"{rule} {count:,}" for rule, count in card["changed"].items())
        stdout.print(f"  changed: {changed}", markup=False)
    placeholders = card["anonymised"]["placeholders"]
    if placeholders:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in placeholders.items())
        touched = card["anonymised"]["dialogues"]
        stdout.print(f"  placeholders in {touched:,} dialogues: {kinds}", markup=False)
    for place in card["unreadable"][:5]:
        stdout.print(f"  unreadable: {place}", markup=False)
    for row in card["unknown"]:
        keys = ", ".join(row["keys"])
        stdout.print(f"  no known format: {row['records']:,} with the keys {keys}", markup=False)
    for warning in card["warnings"]:
        stdout.print(f"Warning: {warning}", markup=False)
    stdout.print(f"Card: {Path(out) / 'card.md'}", markup=False)


class _Bar:
    """One bar at a time on standard error; silent when that is no terminal."""

    def __init__(self, *, quiet: bool) -> None:
        console = output(stderr=True)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
            transient=True,
        )
        self._task: TaskID | None = None
        self._what = ""

    def update(self, what: str, done: int, total: int) -> None:
        """Move the bar of what is counted, or begin it."""
        if what != self._what:
            self._what = what
            if self._task is not None:
                self.progress.remove_task(self._task)
            label = "reading" if what == "bytes" else "writing"
            self._task = self.progress.add_task(label, total=total, rate="")
        assert self._task is not None
        self.progress.update(self._task, completed=done)
        speed = self.progress.tasks[-1].speed if self.progress.tasks else None
        if speed:
            rate = f"{speed / 1e6:.1f} MB/s" if what == "bytes" else f"{speed:,.0f} dialogues/s"
            self.progress.update(self._task, rate=rate)
