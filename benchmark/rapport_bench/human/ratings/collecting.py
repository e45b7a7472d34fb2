"""From rating files to the ratings of a study: checked, unblinded, with all that was noticed.

Whatever makes a rating doubtful stops the scoring, with file, place and remedy: an unknown item, a value
off the scale, two values for one reply. What is only missing is said, with what it does to the design.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rapport_bench.human.ratings.files import RatingFile
from rapport_bench.human.ratings.raters import (
    RaterReport,
    Unit,
    code_of,
    rater_report,
    said_of_raters,
    what_is_missing,
)
from rapport_bench.human.ratings.tables import Entry, Problem, as_scale, quoted
from rapport_bench.human.sheets.study import Key, Study
from rapport_bench.results.ratings import Ratings
from rapport_tasks.common.errors import BadInput, close_match

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Collected:
    """All ratings of a study.

    Attributes:
        ratings: Of all raters, inattentive ones too.
        raters: In the study's order.
        simulated: Whether the study or its files say that a program made them.
        warnings: For people.
    """

    ratings: Ratings
    raters: tuple[RaterReport, ...]
    simulated: bool
    warnings: tuple[str, ...]


def collect(study: Study, key: Key, files: Sequence[RatingFile]) -> Collected:
    """Check the ratings of some files against a study and unblind them.

    Raises:
        BadInput: With everything that is wrong, up to 20 lines of it.
    """
    problems = [problem for file in files for problem in file.problems]
    problems += [problem for file in files for problem in _of_file(file, study, files)]
    shown: dict[str, str] = {}
    for identity in (*key.items, *key.repeats, *key.attention):
        shown[identity.casefold()] = identity
    known: list[tuple[Unit, int | None, Entry]] = []
    for file in files:
        for entry in file.entries:
            found = _checked(entry, study, shown, problems)
            if found is not None:
                known.append((*found, entry))
    values, doubled = _one_value_each(known, problems)
    if problems:
        raise _error(problems)
    warnings = [note for file in files for note in file.notes]
    if doubled:
        warnings.append(
            f"{doubled} ratings came twice with the same value and count once "
            "(one file given twice, or saved twice?)"
        )
    reports = [rater_report(at, study, key, values) for at in range(len(study.raters))]
    blank: dict[Unit, Entry] = {unit: entry for unit, value, entry in known if value is None}
    warnings += what_is_missing(study, key, values, blank)
    warnings += said_of_raters(study, reports)
    simulated = study.simulated or any(file.simulated for file in files)
    return Collected(_unblinded(study, key, values), tuple(reports), simulated, tuple(warnings))


def _of_file(file: RatingFile, study: Study, files: Sequence[RatingFile]) -> Iterable[Problem]:
    for other in sorted(file.studies - {study.study}):
        yield Problem(
            file.name,
            f"ratings of study {other[:60]!r}, not of {study.study!r}",
            "Leave the file out, or name that study's folder.",
        )
    raters = {entry.rater for entry in file.entries}
    rater = next(iter(raters), "")
    if file.sheet_sha256 and len(raters) == 1 and rater in study.sheets:
        expected = study.sheets[rater]
        if file.sheet_sha256 != expected:
            yield Problem(
                file.name,
                f"filled in on another sheet than {rater}'s of this study "
                f"({file.sheet_sha256[:8]}, expected {expected[:8]}): its letters may mean other arms",
                "Name the folder whose sheets were sent.",
            )
    if file.simulated and not study.simulated and not all(other.simulated for other in files):
        yield Problem(
            file.name,
            "simulated ratings among ratings of people",
            "Leave the simulated files out.",
        )


def _checked(
    entry: Entry, study: Study, shown: Mapping[str, str], problems: list[Problem]
) -> tuple[Unit, int | None] | None:
    """The unit that an entry rates and its value (`None` for a blank), or a problem noted."""
    where = f"{entry.file}, {entry.where}"

    def wrong(what: str, remedy: str) -> None:
        problems.append(Problem(where, what, remedy))

    if not entry.rater:
        problems.append(
            Problem(
                entry.file,
                "does not say who rated",
                f"Name the file like ratings-{study.study}-{study.raters[0]}.csv, or add a column rater.",
            )
        )
        return None
    raters = {rater.casefold(): rater for rater in study.raters}
    rater = raters.get(entry.rater.casefold())
    if rater is None:
        near = close_match(entry.rater, study.raters)
        wrong(f"no rater {quoted(entry.rater)} in this study", f"{near}Use the code of the sheet.")
        return None
    item = shown.get(entry.item.casefold())
    if item is None:
        near = close_match(entry.item, shown.values())
        wrong(
            f"no item {quoted(entry.item)} in this study",
            f"{near}Correct the item, or delete the row if it is no rating.",
        )
        return None
    letters = [chr(ord("A") + place) for place in range(study.letters)]
    letter = entry.letter.upper()
    if letter not in letters:
        wrong(f"no reply {quoted(entry.letter)} of {item}", f"Replies are {', '.join(letters)}.")
        return None
    scale = as_scale(entry.scale, study)
    if scale is None:
        names = [scale.name for scale in study.scales]
        near = close_match(entry.scale, names)
        wrong(f"no scale {quoted(entry.scale)}", f"{near}Scales are {', '.join(names)}.")
        return None
    unit = (rater, item, letter, scale)
    if not entry.value:
        return unit, None
    points = study.scale(scale).points
    try:
        number = float(entry.value)
    except ValueError:
        number = np.nan
    if not number.is_integer() or not 1 <= number <= points:
        wrong(
            f"{quoted(entry.value)} for {item} {letter} {scale}",
            f"A value is a whole number from 1 to {points}; leave the cell blank if there is none.",
        )
        return None
    return unit, int(number)


def _one_value_each(
    known: Sequence[tuple[Unit, int | None, Entry]], problems: list[Problem]
) -> tuple[dict[Unit, int], int]:
    """One value a unit, and how many came twice alike; differing ones become problems."""
    first: dict[Unit, tuple[int, Entry]] = {}
    doubled = 0
    clashes: dict[tuple[str, str, str], list[tuple[Unit, int, Entry, int, Entry]]] = defaultdict(
        list
    )
    for unit, value, entry in known:
        if value is None:
            continue
        if unit not in first:
            first[unit] = (value, entry)
            continue
        before, source = first[unit]
        if before == value:
            doubled += 1
        else:
            clashes[unit[0], source.file, entry.file].append((unit, before, source, value, entry))
    for (rater, one, other), found in clashes.items():
        unit, before, source, value, entry = found[0]
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        what = (
            f"{rater} gives {' '.join(unit[1:])} {value} here and {before} in "
            f"{source.file if one != other else ''}{', ' if one != other else ''}{source.where}{more}"
        )
        remedy = "Keep one of them."
        if one != other:
            remedy = f"Are two raters called {rater}? Give each their own code, or keep one file."
        problems.append(Problem(f"{entry.file}, {entry.where}", what, remedy))
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
    columns = np.array(rows, dtype=np.int64).reshape(-1, 6).T
    return Ratings(
        tuple(code_of(place) for place in range(len(study.raters))),
        study.items,
        tuple(arms),
        tuple(scales),
        tuple(scale.points for scale in study.scales),
        columns[0],
        columns[1],
        columns[2],
        columns[3],
        columns[4],
        columns[5].astype(np.bool_),
    )
