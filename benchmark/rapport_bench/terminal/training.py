"""What `rapport prepare` and `rapport train` print: a card, a training while it runs, what came of it."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from rapport_bench.terminal.console import RunReporter, output
from rapport_bench.words.formatting import number
from rapport_training import RECIPES
from rapport_training.lora.progress import Note
from rapport_training.lora.progress import Progress as Step
from rapport_training.lora.recipe import recipe_keys

_LINES = 20
"""Lines of progress in all where there is no terminal to draw a bar on."""


def show_card(card: dict[str, Any], out: str) -> None:
    """Say what came out, and what did not and why."""
    size, anonymised = card["dialogues"], card["anonymised"]
    lines = [
        f"{card['records']:,} records → {size['total']:,} dialogues "
        f"({size['train']:,} training, {size['validation']:,} validation) in {out}"
    ]
    lines += [
        f"  {row['stage']}: −{row['in'] - row['out']:,} ({_listed(row['removed'])})"
        for row in card["stages"]
        if row["removed"]
    ]
    if alone := {row["rule"]: row["alone"] for row in card["rules"] if row["alone"]}:
        lines.append(f"  each quality rule alone: {_listed(alone)}")
    if card["changed"]:
        lines.append(f"  changed: {_listed(card['changed'])}")
    if anonymised["placeholders"]:
        kinds = _listed(anonymised["placeholders"])
        lines.append(f"  placeholders in {anonymised['dialogues']:,} dialogues: {kinds}")
    lines += [f"  unreadable: {place}" for place in card["unreadable"][:5]]
    for row in card["unknown"]:
        keys = ", ".join(row["keys"])
        lines.append(f"  no known format: {row['records']:,} with the keys {keys}")
    lines += [f"Warning: {warning}" for warning in card["warnings"]]
    lines.append(f"Card: {Path(out) / 'card.md'}")
    output().print("\n".join(lines), markup=False)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{what} {count:,}" for what, count in counts.items())


def show_trained(data: dict[str, Any]) -> None:
    """Print the summary to standard output."""
    console = output()
    parameters, memory, validation = data["parameters"], data["memory"], data["validation"]
    share = parameters["trainable"] / parameters["total"]
    lines = [
        f"{parameters['trainable']:,} of {parameters['total']:,} parameters trained ({share:.2%})",
        f"{data['corpus']['dialogues']:,} dialogues, {data['steps']:,} steps, loss "
        f"{data['loss']['first']:.4f} → {data['loss']['last']:.4f}",
    ]
    if validation:
        before, after = (
            math.exp(min(700, validation[f"{arm}_nll_sum"] / validation["tokens"]))
            for arm in ("base", "adapter")
        )
        lines.append(f"validation perplexity {number(before)} → {number(after)}")
    lines += [
        f"peak memory {_gib(memory['peak_bytes'])}; full fine-tuning "
        f"{_gib(memory['full_fine_tuning_bytes'])} without activations",
        f"adapter: {data['out']}",
        f"Next: rapport run --base {data['base']} --adapter {data['out']}",
    ]
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def explain_recipes() -> str:
    """Every key of a recipe with its default and what its docstring says, and the shipped recipes."""
    lines, section = [], ""
    for table, name, field in recipe_keys():
        if table != section:
            section = table
            lines += ["", f"[{section}]"]
        default = "required" if field.is_required() else f"default {_toml(field.default)}"
        what = " ".join(inspect.cleandoc(field.description or "").split())
        lines += [f"{name}  ({default})", f"    {what}"]
    lines += ["", "Shipped recipes, which RECIPE may name:"]
    lines += [f"    {path.stem}" for path in sorted(RECIPES.glob("*.toml"))]
    return "\n".join(lines).lstrip()


class TrainReporter(RunReporter):
    """A bar on a terminal, a line now and then elsewhere, nothing if quiet. A context manager."""

    def __init__(self, *, quiet: bool, console: Console | None = None) -> None:
        super().__init__(quiet=quiet, console=console)
        self._quiet = quiet

    def step(self, at: Step) -> None:
        """Show a step."""
        figures = (
            f"loss {at.loss:.4f} · lr {at.learning_rate:.2e} · grad {number(at.grad_norm)} · "
            f"{number(at.tokens_per_second)} tok/s · {_gib(at.memory_bytes)} · "
            f"{_duration(at.seconds_left)} left"
        )
        self.progress("training", at.step, at.steps, rate=figures)
        now = at.step == at.steps or at.step % max(1, at.steps // _LINES) == 0
        if now and not self._quiet and not self._console.is_terminal:
            line = f"step {at.step}/{at.steps} · {figures}"
            self._console.print(line, markup=False, soft_wrap=True)

    def note(self, note: Note) -> None:
        """Print a sentence."""
        if not self._quiet:
            style = "yellow" if note.kind != "info" else "dim"
            lead = "" if note.kind == "info" else f"{note.kind}: "
            self._console.print(Text(lead, style=style) + Text(note.text), soft_wrap=True)


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.2f} GiB"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    if value is None:
        return "none"
    return f'"{value}"' if isinstance(value, str) else str(value)
