"""A study of constructed arms in a folder, with its results, as if sheets had been sent out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import made_results
from rapport_bench.human.sheets.study import (
    Attention,
    Key,
    KeyItem,
    Scale,
    Study,
    write_study,
)
from rapport_bench.results.human_sections import RatedArm
from rapport_bench.results.result import Result, save

SCALES = ("empathic_resonance", "conversational_coherence", "advice_appropriateness")
_LABELS = ("共情共鸣", "对话连贯", "建议恰当")


@dataclass(frozen=True)
class Made:
    """Where everything lies, and what it is."""

    folder: Path
    results: Path
    study: Study
    key: Key
    arms: list[Result]


def made_study(
    root: Path,
    *,
    arms: Sequence[str] = ("base", "new"),
    raters: int = 5,
    items: int = 40,
    per_item: int | None = None,
    repeats: int = 4,
    attention: int = 3,
    simulated: bool = False,
    scales: Sequence[str] = SCALES,
    seed: int = 0,
) -> Made:
    """Write a study's folder and the results of its arms below ``root``."""
    rng = np.random.default_rng(seed)
    saved = [
        save(made_results.result(name, made_results.columns(place, n=60)), root / "results")[0]
        for place, name in enumerate(arms)
    ]
    letters = [chr(ord("A") + place) for place in range(len(arms))]
    ids = [f"i{place:03d}" for place in range(items + repeats + attention)]
    names = ids[:items]
    rater_codes = [f"r{place + 1:02d}" for place in range(raters)]
    each = per_item or raters
    of_items = {
        name: KeyItem(
            dialogue=f"d{place}",
            turn=3,
            domain=None,
            letters={
                letter: saved[arm].result_id
                for letter, arm in zip(letters, rng.permutation(len(arms)), strict=True)
            },
        )
        for place, name in enumerate(names)
    }
    again = {ids[items + place]: names[place] for place in range(repeats)}
    checks = {
        ids[items + repeats + place]: Attention(letter="A", scale=scales[0], expected=1 + place % 5)
        for place in range(attention)
    }
    assignments = {}
    for at, rater in enumerate(rater_codes):
        own = [n for place, n in enumerate(names) if (at - place * each) % raters < each]
        own += [copy for copy, first in again.items() if first in own] + list(checks)
        assignments[rater] = tuple(own[place] for place in rng.permutation(len(own)))
    key = Key(
        schema_version="1.0",
        study="pilot",
        suite_id=saved[0].suite_id,
        arms=tuple(
            RatedArm(name=r.name, kind=r.kind, result_id=r.result_id, arm_id=r.arm.arm_id)
            for r in saved
        ),
        items=of_items,
        repeats=again,
        attention=checks,
    )
    anchors = {"1": {"en": "low", "zh": "低"}, "5": {"en": "high", "zh": "高"}}
    study = Study(
        schema_version="1.0",
        study="pilot",
        seed=seed,
        simulated=simulated,
        language=("zh", "en"),
        scales=tuple(
            Scale(
                name=name,
                points=5,
                label={"zh": label, "en": name.replace("_", " ")},
                definition={"en": "what"},
                anchors=anchors,
            )
            for name, label in zip(scales, _LABELS, strict=False)
        ),
        raters=tuple(rater_codes),
        per_item=each,
        items=tuple(names),
        letters=len(arms),
        assignments=assignments,
        orders={r: tuple("".join(letters) for _ in own) for r, own in assignments.items()},
        sheets={r: f"{place}" * 64 for place, r in enumerate(rater_codes)},
        key_sha256=key.sha256,
    )
    write_study(root / "study", study, key)
    return Made(root / "study", root / "results", study, key, saved)


def rows_of(
    made: Made, rater: str, *, value: Mapping[str, int] | int = 3
) -> list[dict[str, object]]:
    """What a rater's page exports who gives each arm the same value everywhere."""
    names = {arm.result_id: arm.name for arm in made.arms}
    rows: list[dict[str, object]] = []
    for shown in made.study.assignments[rater]:
        item = made.key.repeats.get(shown, shown)
        for letter in [chr(ord("A") + place) for place in range(made.study.letters)]:
            for scale in made.study.scales:
                if shown in made.key.attention:
                    given = made.key.attention[shown].expected
                elif isinstance(value, int):
                    given = value
                else:
                    given = value[names[made.key.items[item].letters[letter]]]
                rows.append({"item": shown, "letter": letter, "scale": scale.name, "value": given})
    return rows


def export(made: Made, rater: str, rows: Sequence[Mapping[str, object]], folder: Path) -> Path:
    """Write the file that a rater's page exports."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"ratings-{made.study.study}-{rater}.json"
    content = {
        "schema_version": "1.0",
        "study": made.study.study,
        "rater": rater,
        "sheet_sha256": made.study.sheets[rater],
        "ratings": [dict(row, seconds=4.2) for row in rows],
        "comments": 0,
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
