"""Fill in the sheets of a study by a program, with a planted difference. Nobody gave these ratings.

    python benchmark/simulations/rate_study.py study -o ratings --effect my-adapter=0.5

Writes the files that the rating page would export, one a rater, each marked as simulated; `rapport human
score` carries the mark into the result and prints it over every table. Attention checks are answered as
they ask, repeated items get a second answer of the same opinion. Ratings follow the generator of `rapport
human plan` with its default standard deviations, each scale by itself.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rapport_bench.common.files import to_json, write_atomically
from rapport_bench.human.analysis.generate import Design, Spread, opinions, rounded
from rapport_bench.human.sheets.study import Key, Study, read_key, read_study
from rapport_tasks.common.errors import BadInput, close_match

CENTRE = 3.2


def ratings_of(
    study: Study, key: Key, effects: Mapping[str, float], *, spread: Spread, seed: int
) -> dict[str, list[dict[str, object]]]:
    """Rater -> ratings as the page exports them.

    Args:
        study: Who rates what.
        key: Which letter is which arm.
        effects: Arm name -> points before rounding; 0 for the others.
        spread: Standard deviations.
        seed: Of every draw.

    Raises:
        BadInput: An effect of an arm that the study does not have.
    """
    names = [arm.name for arm in key.arms]
    for name in effects:
        if name not in names:
            raise BadInput(
                f"no arm {name!r} in the study",
                remedy=f"{close_match(name, names)}Arms are {', '.join(names)}.",
            )
    rng = np.random.default_rng(seed)
    values = {}
    for scale in study.scales:
        design = Design(len(study.raters), len(study.items), points=scale.points)
        of_arms = [effects.get(name, 0.0) for name in names]
        thought = opinions(design, spread, effects=of_arms, rng=rng)[0] + CENTRE
        for again in (False, True):
            noise = spread.residual * rng.standard_normal(thought.shape)
            values[scale.name, again] = rounded(thought + noise, design)
    place = {arm.result_id: at for at, arm in enumerate(key.arms)}
    found: dict[str, list[dict[str, object]]] = {}
    for at, rater in enumerate(study.raters):
        rows = found.setdefault(rater, [])
        for shown in study.assignments[rater]:
            item = key.repeats.get(shown, shown)
            letters = [chr(ord("A") + letter) for letter in range(study.letters)]
            for letter in letters:
                for scale in study.scales:
                    if shown in key.attention:
                        value = key.attention[shown].expected
                    else:
                        arm = place[key.items[item].letters[letter]]
                        of = values[scale.name, shown in key.repeats]
                        value = int(of[arm, study.items.index(item), at])
                    rows.append({"item": shown, "letter": letter, "scale": scale.name, "value": value, "seconds": None})  # fmt: skip
    return found


def write(study: Study, rows: Mapping[str, Sequence[dict[str, object]]], folder: Path) -> None:
    """Write ``ratings-<study>-<rater>.json``, each marked as simulated."""
    for rater, ratings in rows.items():
        content = {
            "schema_version": "1.0",
            "study": study.study,
            "rater": rater,
            "simulated": True,
            "sheet_sha256": study.sheets[rater],
            "ratings": list(ratings),
            "comments": 0,
        }
        write_atomically(folder / f"ratings-{study.study}-{rater}.json", to_json(content))


def main(arguments: Sequence[str] | None = None) -> None:
    """Rate a study."""
    parser = argparse.ArgumentParser(description="Ratings that nobody gave, for a study's sheets.")
    parser.add_argument("study", help="the study's folder")
    parser.add_argument("-o", "--out", required=True, help="folder for the rating files")
    parser.add_argument("--effect", action="append", default=[], metavar="ARM=POINTS")
    parser.add_argument(
        "--spread", default="{}", help='standard deviations, like {"rater_arm": 0.3}'
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    effects = {name: float(value) for name, value in (e.rsplit("=", 1) for e in options.effect)}
    study = read_study(options.study)
    rows = ratings_of(
        study,
        read_key(options.study, study),
        effects,
        spread=Spread(**json.loads(options.spread)),
        seed=options.seed,
    )
    write(study, rows, Path(options.out))
    print(f"{len(rows)} files of simulated ratings in {options.out}")


if __name__ == "__main__":
    main()
