"""From rating files to the ratings of a study: checked, unblinded, with all that was noticed.

Whatever makes a rating doubtful stops the scoring, with file, place and remedy: an unknown item, a value
off the scale, two values for one reply. What is only missing is said, with what it does to the design.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rapport_bench.human.ratings.files import listed, read_ratings
from rapport_bench.human.ratings.raters import (
    Unit,
    code_of,
    rater_report,
    said_of_raters,
    what_is_missing,
)
from rapport_bench.human.ratings.tables import Entry, Problem, RatingFile, quoted
from rapport_bench.human.sheets.study import Key, Study, read_key, read_study
from rapport_bench.results.human_sections import Rater
from rapport_bench.results.ratings import Ratings
from rapport_tasks.common.errors import BadInput, close_match

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Collected:
    """All ratings of a study.

    Attributes:
        study: Whose they are.
        key: Which letter is which arm.
        ratings: Of all raters, excluded ones too.
        raters: In the study's order.
        simulated: Whether the study or its files say that a program made them.
        warnings: For people.
    """

    study: Study
    key: Key
    ratings: Ratings
    raters: tuple[Rater, ...]
    simulated: bool
    warnings: tuple[str, ...]

    @property
    def counting(self) -> Ratings:
        """The ratings of those who are not excluded."""
        return self.ratings.without([rater.code for rater in self.raters if rater.excluded])


def collect(
    folder: str | Path, paths: Sequence[str | Path], *, keep_inattentive: bool = False
) -> Collected:
    """Check the ratings of some files against a study and unblind them.

    Args:
        folder: Of the study, with its key.
        paths: Files as raters sent them, or folders of them.
        keep_inattentive: Count raters who failed the attention checks too.

    Raises:
        BadInput: With everything that is wrong, up to 20 lines of it.
    """
    study = read_study(folder)
    key = read_key(folder, study)
    files = [read_ratings(path, study) for path in listed(paths)]
    problems = [problem for file in files for problem in file.problems]
    problems += [problem for file in files for problem in _of_file(file, study, files)]
    shown = dict.fromkeys((*key.items, *key.repeats, *key.attention))
    known: list[tuple[Unit, int | None, Entry]] = []
    for file in files:
        for entry in file.entries:
            found = _checked(entry, study, shown, problems)
            if found is not None:
                known.append((*found, entry))
    values, doubled = _one_value_each(known, problems)
    if problems:
        raise _error(problems)
    warnings = []
    if doubled:
        warnings.append(
            f"{doubled} ratings came twice with the same value and count once "
            "(one file given twice, or saved twice?)"
        )
    raters = [
        rater_report(at, study, key, values, keep_inattentive=keep_inattentive)
        for at in range(len(study.raters))
    ]
    blank: dict[Unit, Entry] = {unit: entry for unit, value, entry in known if value is None}
    warnings += what_is_missing(study, key, values, blank)
    warnings += said_of_raters(study, raters)
    return Collected(
        study=study,
        key=key,
        ratings=_unblinded(study, key, values),
        raters=tuple(raters),
        simulated=study.simulated or any(file.simulated for file in files),
        warnings=tuple(warnings),
    )


def _of_file(file: RatingFile, study: Study, files: Sequence[RatingFile]) -> Iterable[Problem]:
    for other in sorted(file.studies - {study.study}):
        yield Problem(
            file.name,
            f"ratings of study {other[:60]!r}, not of {study.study!r}",
            "Leave the file out, or name that study's folder.",
        )
    for rater in sorted({entry.rater for entry in file.entries} & set(study.sheets)):
        expected = study.sheets[rater]
        if file.sheet_sha256 not in (None, expected):
            yield Problem(
                file.name,
                f"filled in on another sheet than {rater}'s of this study "
                f"({str(file.sheet_sha256)[:8]}, expected {expected[:8]}): its letters may mean other arms",
                "Name the folder whose sheets were sent.",
            )
    if file.simulated and not study.simulated and not all(other.simulated for other in files):
        yield Problem(
            file.name,
            "simulated ratings among ratings of people",
            "Leave the simulated files out.",
        )


def _checked(
    entry: Entry, study: Study, shown: Collection[str], problems: list[Problem]
) -> tuple[Unit, int | None] | None:
    """The unit that an entry rates and its value (`None` for a blank), or a problem noted."""
    where = f"{entry.file}, {entry.where}"
    scales = [scale.name for scale in study.scales]
    for what, known in (
        ("rater", study.raters),
        ("item", shown),
        ("letter", study.shown_letters),
        ("scale", scales),
    ):
        given = getattr(entry, what)
        if given not in known:
            near = close_match(given, known)
            names = f"{what.capitalize()}s are {', '.join(known)}." if known is not shown else ""
            remedy = near + (names or "Correct it, or delete the row if it is no rating.")
            problems.append(Problem(where, f"no {what} {quoted(given)} in this study", remedy))
            return None
    unit = (entry.rater, entry.item, entry.letter, entry.scale)
    if not entry.value:
        return unit, None
    points = study.scale(entry.scale).points
    try:
        number = float(entry.value)
    except ValueError:
        number = np.nan
    if not number.is_integer() or not 1 <= number <= points:
        remedy = (
            f"A value is a whole number from 1 to {points}; leave the cell blank if there is none."
        )
        said = f"{quoted(entry.value)} for {' '.join(unit[1:])}"
        problems.append(Problem(where, said, remedy))
        return None
    return unit, int(number)


def _one_value_each(
    known: Sequence[tuple[Unit, int | None, Entry]], problems: list[Problem]
) -> tuple[dict[Unit, int], int]:
    """One value a unit, and how many came twice alike; differing ones become problems."""
    first: dict[Unit, tuple[int, Entry]] = {}
    doubled = 0
    clashes: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for unit, value, entry in known:
        if value is None:
            continue
        before, source = first.setdefault(unit, (value, entry))
        if source is entry:
            continue
        if before == value:
            doubled += 1
            continue
        there = source.where if source.file == entry.file else f"{source.file}, {source.where}"
        clashes[unit[0], source.file, entry.file].append(
            f"{entry.where}: {unit[0]} gives {' '.join(unit[1:])} {value} here and {before} in {there}"
        )
    for (rater, one, other), said in clashes.items():
        more = f" and {len(said) - 1} more" if len(said) > 1 else ""
        remedy = "Keep one of them."
        if one != other:
            remedy = f"Are two raters called {rater}? Give each their own code, or keep one file."
        where, what = said[0].split(": ", 1)
        problems.append(Problem(f"{other}, {where}", what + more, remedy))
    return {unit: value for unit, (value, _) in first.items()}, doubled


def _error(problems: Sequence[Problem]) -> BadInput:
    lines = list(dict.fromkeys(map(str, problems)))
    more = len(lines) - _SHOWN
    text = "\n  ".join(lines[:_SHOWN]) + (f"\n  and {more} more" if more > 0 else "")
    count = f"{len(lines)} problem{'' if len(lines) == 1 else 's'}"
    return BadInput(
        f"the ratings cannot be scored: {count}\n  {text}",
        remedy="Nothing was written. Correct the files and run the same command again.",
    )


def _unblinded(study: Study, key: Key, values: Mapping[Unit, int]) -> Ratings:
    arms = [arm.result_id for arm in key.arms]
    scales = [scale.name for scale in study.scales]
    items = {item: place for place, item in enumerate(study.items)}
    raters = {rater: place for place, rater in enumerate(study.raters)}
    rows = []
    for (rater, shown, letter, scale), value in sorted(values.items()):
        if shown in key.attention:
            continue
        again = shown in key.repeats
        item = key.repeats.get(shown, shown)
        arm = arms.index(key.items[item].letters[letter])
        rows.append((raters[rater], items[item], arm, scales.index(scale), value, again))
    return Ratings(
        tuple(code_of(place) for place in range(len(study.raters))),
        study.items,
        tuple(arms),
        tuple(scales),
        tuple(scale.points for scale in study.scales),
        *np.array(rows, dtype=np.int64).reshape(-1, 6).T,
    )
