"""`rapport human export-preferences`: a study's ratings as pairs, with a card beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rapport_bench.common.escape import markdown_text
from rapport_bench.common.files import write_atomically
from rapport_bench.common.identity import canonical
from rapport_bench.human.ratings.collecting import Collected, collect
from rapport_bench.human.ratings.preferences import REASONS, Preferences, Rule, prefer
from rapport_bench.human.sheets.shown import shown_items
from rapport_bench.human.sheets.study import Key, Study
from rapport_tasks.common.errors import BadInput, close_match

WITH_TEXT = (
    "the file quotes dialogues and replies; it is readable by you alone (mode 0600): do not publish "
    "it or put it into a repository"
)
_WHY = {
    "same_text": "both replies are the same text",
    "too_few_raters": "too few raters judged both",
    "tied": "tied",
    "under_margin": "under the margin",
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        path: The pairs.
        card: What they are.
        preferences: The pairs and what was left out.
        rule: That made them.
        key: Of the study.
        simulated: Whether a program made the ratings.
        warnings: For people.
    """

    path: Path
    card: Path
    preferences: Preferences
    rule: Rule
    key: Key
    simulated: bool
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """For `--json`, without text."""
        return {
            "files": [str(self.path), str(self.card)],
            "pairs": len(self.preferences.pairs),
            "left_out": {reason: self.preferences.left_out[reason] for reason in REASONS},
            "chosen": {a.name: self.preferences.chosen[a.result_id] for a in self.key.arms},
            "rule": asdict(self.rule),
            "simulated": self.simulated,
        }


def export_preferences(
    folder: str | Path,
    ratings: Sequence[str | Path],
    out: str | Path,
    *,
    rule: Rule,
    allow_simulated: bool = False,
    keep_inattentive: bool = False,
) -> Exported:
    """Check the ratings, apply the rule, write the pairs and their card.

    Args:
        folder: Of the study, with its key and sheets.
        ratings: Files as raters sent them, or folders of them.
        out: Where the pairs go, as JSONL.
        rule: What makes a pair.
        allow_simulated: Export ratings made by a program too.
        keep_inattentive: Count raters who failed the attention checks too.

    Raises:
        BadInput: Doubtful ratings, simulated ones, a scale that the study does not have, no pair.
    """
    collected = collect(folder, ratings, keep_inattentive=keep_inattentive)
    study, key = collected.study, collected.key
    _check_rule(rule, study)
    if collected.simulated and not allow_simulated:
        raise BadInput(
            "these ratings were made by a program, not by people: a model tuned on them would learn "
            "what the program was told",
            remedy="Add --allow-simulated if that is what you want, to try the format for example.",
        )
    found = prefer(collected.counting, key, shown_items(folder, study), rule)
    if not found.pairs:
        reasons = ", ".join(f"{_WHY[r]} {found.left_out[r]}" for r in REASONS if found.left_out[r])
        raise BadInput(
            f"no pair is clear enough to export ({reasons})",
            remedy="Lower --margin or --min-raters, or collect more ratings.",
        )
    path, card = Path(out), Path(out).with_suffix(".card.md")
    lines = [canonical(pair) for pair in found.pairs]
    write_atomically(path, "\n".join(lines) + "\n", private=True)
    write_atomically(card, _card(path.name, found, rule, collected), private=True)
    warnings = (*collected.warnings, WITH_TEXT)
    return Exported(path, card, found, rule, key, collected.simulated, warnings)


def _check_rule(rule: Rule, study: Study) -> None:
    scales = ["mean", *(scale.name for scale in study.scales)]
    if rule.scale not in scales:
        raise BadInput(
            f"--scale {rule.scale}: not a scale of this study",
            remedy=close_match(rule.scale, scales) + f"Use {', '.join(scales)}.",
        )
    most = max(scale.points for scale in study.scales) - 1
    if not 0 <= rule.margin <= most:
        raise BadInput(
            f"--margin {rule.margin:g}: not from 0 to {most}",
            remedy="It is in points of the scale, like 1.0.",
        )
    if not 1 <= rule.min_raters <= len(study.raters):
        raise BadInput(
            f"--min-raters {rule.min_raters}: not from 1 to {len(study.raters)}",
            remedy="The study has that many raters.",
        )


def _card(file: str, found: Preferences, rule: Rule, collected: Collected) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    names = ", ".join(scale.name for scale in collected.study.scales)
    environment = Environment(  # Markdown, in which names are escaped one by one
        loader=PackageLoader(__package__),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = markdown_text
    return environment.get_template("card.md.j2").render(
        file=file,
        found=found,
        rule=rule,
        scored=f"the mean of {names}" if rule.scale == "mean" else rule.scale,
        study=collected.study,
        key=collected.key,
        simulated=collected.simulated,
        why=_WHY,
    )


def summary(exported: Exported) -> list[str]:
    """What was written, in a few lines."""
    found = exported.preferences
    left = ", ".join(f"{_WHY[r]} {found.left_out[r]}" for r in REASONS if found.left_out[r])
    chosen = ", ".join(f"{a.name} {found.chosen[a.result_id]}" for a in exported.key.arms)
    return [
        f"{len(found.pairs)} pairs → {exported.path} (rule: {exported.card})",
        f"chosen: {chosen}",
        *([f"left out: {left}"] if left else []),
        *(["SIMULATED: a program made these ratings"] if exported.simulated else []),
    ]
