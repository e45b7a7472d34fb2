"""`rapport human sheet`: from saved results to a study's folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapport_bench.arms.text_sources import Sources
from rapport_bench.arms.texts import find_texts
from rapport_bench.common.escape import one_line
from rapport_bench.common.files import write_atomically
from rapport_bench.human.sheets import page, table
from rapport_bench.human.sheets.build import Built, Request, build
from rapport_bench.human.sheets.draw import Replies
from rapport_bench.human.sheets.sheet import naming
from rapport_bench.human.sheets.study import KEY_FILE, SHEETS, STUDY_FILE, write_study
from rapport_bench.results.human_sections import RatedArm
from rapport_bench.results.result import Result, find, require_comparable
from rapport_tasks.common.errors import BadInput

NOTICE_FILE = "NOTICE.md"
_MOST_ARMS = 10


@dataclass(frozen=True, slots=True)
class Made:
    """What lies in the folder now.

    Attributes:
        folder: The study's.
        built: Its content.
        warnings: What to know before the sheets are handed out.
    """

    folder: Path
    built: Built
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """For `--json`; names arms, so it is not for raters."""
        study, key = self.built.study, self.built.key
        return {
            "folder": str(self.folder),
            "study": study.study,
            "suite_id": key.suite_id,
            "arms": [{"name": arm.name, "result_id": arm.result_id} for arm in key.arms],
            "items": len(study.items),
            "raters": list(study.raters),
            "per_item": study.per_item,
            "repeats": {
                r: sum(i in key.repeats for i in study.assignments[r]) for r in study.raters
            },
            "attention": len(key.attention),
            "key_sha256": study.key_sha256,
            "sheets": {rater: [str(p) for p in self.paths(rater)] for rater in study.raters},
        }

    def summary(self) -> list[str]:
        """What was made, in a few lines."""
        study, key = self.built.study, self.built.key
        loads = sorted(len(names) for names in study.assignments.values())
        load = f"{loads[0]}" if loads[0] == loads[-1] else f"{loads[0]} to {loads[-1]}"
        repeats = max(self.to_json()["repeats"].values())
        return [
            f"{study.study}: {len(study.items)} items, {study.letters} replies each, "
            f"{len(study.raters)} raters, {study.per_item} an item",
            f"each rater sees {load} items, {repeats} of them twice, with {len(key.attention)} "
            "attention checks",
            f"for the raters: {self.folder / SHEETS} (.html, or .csv with {NOTICE_FILE})",
            f"for you alone:  {self.folder / KEY_FILE}, {self.folder / STUDY_FILE}",
        ]

    def paths(self, rater: str) -> list[Path]:
        """The files of one rater."""
        return [self.folder / SHEETS / f"{rater}.{kind}" for kind in ("html", "csv")]


def study_name(given: str | None, folder: str | Path) -> str:
    """The study's name: as given, or the folder's.

    Raises:
        BadInput: It is blank, too long, or would not look the same everywhere.
    """
    name = given if given is not None else Path(folder).resolve().name
    if not name.strip() or name != one_line(name).strip() or len(name) > 60:
        raise BadInput(
            f"--study {one_line(name)[:60]!r}: not a name of 1 to 60 characters on one line",
            remedy="Give a short name, such as pilot-2.",
        )
    return name


def make_sheets(
    references: Sequence[str], folder: str | Path, *, asked: Request, results: str, sources: Sources
) -> Made:
    """Draw, blind and write a study.

    Args:
        references: Arm names, starts of result ids, or files; at least two.
        folder: Where the study goes; must not hold one already.
        asked: What was asked for.
        results: Folder that arms are looked up in.
        sources: Where the replies are looked for.

    Raises:
        BadInput: Too few arms, two of one name, a study in the folder, replies that are gone.
        NotComparable: Results of different suites.
    """
    folder = Path(folder)
    if (folder / STUDY_FILE).exists() or (folder / KEY_FILE).exists():
        raise BadInput(
            f"{folder}: holds a study already; its ratings would lose their key",
            remedy="Choose another folder with -o, or move that study away.",
        )
    found = [find(reference, results) for reference in references]
    _check_arms(found)
    _check_name(asked.study, found)
    texts = find_texts(found, sources)
    if texts.missing:
        raise BadInput(
            "replies are missing:\n  " + "\n  ".join(map(one_line, texts.missing)),
            remedy="Run that, then this command again; --store names another response store.",
        )
    arms = {_identity(r): _first_seed(texts.texts[r.result_id]) for r in found}
    built = build(asked, found[0].suite_id, texts.dialogues, arms)
    named = naming(built.sheets, _telling_names(found))
    warnings = list(built.warnings)
    if named:
        warnings.append(
            f"{named} replies name an arm or its base model: read them before you hand the sheets out"
        )
    _write(folder, built)
    return Made(folder, built, tuple(warnings))


def _check_arms(found: Sequence[Result]) -> None:
    if len(found) < 2:
        raise BadInput(
            "one result: ratings of one arm have nothing to be compared with, and nothing to blind",
            remedy="Name the arms with --result X --result Y; gold or a bot will do.",
        )
    if len(found) > _MOST_ARMS:
        raise BadInput(
            f"{len(found)} results: nobody judges that many replies to one dialogue",
            remedy=f"Name {_MOST_ARMS} or fewer.",
        )
    for other in found[1:]:
        require_comparable(found[0], other)
    for doubled in _doubled([result.result_id[:8] for result in found]):
        raise BadInput(f"result {doubled} is named twice", remedy="Name each arm once.")
    for doubled in _doubled([result.name for result in found]):
        raise BadInput(
            f"two results are called {doubled!r}",
            remedy="Score one of them again under another name, like --adapter new=PATH.",
        )


def _doubled(values: Sequence[str]) -> list[str]:
    return sorted({value for value in values if values.count(value) > 1})


def _check_name(study: str, found: Sequence[Result]) -> None:
    """The study's name stands on every sheet."""
    for result in found:
        word = rf"(?<![^\W_]){re.escape(result.name)}(?![^\W_])"
        if re.search(word, study, re.IGNORECASE):
            raise BadInput(
                f"the study's name {study!r} stands on every sheet and names the arm {result.name!r}",
                remedy="Give another one with --study.",
            )


def _identity(result: Result) -> RatedArm:
    return RatedArm(
        name=result.name,
        kind=result.arm.kind,
        result_id=result.result_id,
        arm_id=result.arm.arm_id,
    )


def _first_seed(texts: Mapping[tuple[str, int], Sequence[str]]) -> Replies:
    """One reply a turn: where several seeds were drawn, that of the first."""
    return {turn: replies[0] for turn, replies in texts.items()}


def _telling_names(found: Sequence[Result]) -> list[str]:
    """Words of four letters and more in the names of arms and their bases."""
    names = [result.name for result in found]
    names += [result.arm.base.name for result in found if result.arm.base]
    words = {word.lower() for name in names for word in re.findall(r"[^\W\d_]{4,}", name)}
    return sorted(words - {"base", "adapter", "model", "gold", "demo", "embedded"})


def _write(folder: Path, built: Built) -> None:
    """Write everything, or leave nothing of it."""
    made = [place for place in (folder / SHEETS, folder) if not place.exists()]
    files = [folder / KEY_FILE, folder / STUDY_FILE, folder / SHEETS / NOTICE_FILE]
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / SHEETS).mkdir(exist_ok=True, mode=0o700)
        # The sheets first: where study.json lies, everything lies.
        for sheet in built.sheets:
            for kind, content in (("html", page.render(sheet)), ("csv", table.to_csv(sheet))):
                files.append(folder / SHEETS / f"{sheet.rater}.{kind}")
                write_atomically(files[-1], content, private=True)
        notice = "\n".join(table.notice_lines(built.sheets[0])) + "\n"
        write_atomically(folder / SHEETS / NOTICE_FILE, notice, private=True)
        write_study(folder, built.study, built.key)
    except BaseException:
        with suppress(OSError):
            for file in files:
                file.unlink(missing_ok=True)
            for place in made:
                place.rmdir()
        raise
