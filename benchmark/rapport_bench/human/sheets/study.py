"""A study on disk: ``study.json``, which names no arm, and ``key.json``, which says who is who.

An *item* is a dialogue up to one assistant turn with the blinded replies of all arms under letters; a
letter is the same arm for all raters of the item, but another one from item to item. A *rating unit* is
(rater, item, letter, scale). Repeated items and attention checks have ids like any other item: only the
key tells them apart. ``study.json`` holds the key's hash, so that an edited or exchanged key is
recognised, and the hash of every rater's sheet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from rapport_bench.common import model as types
from rapport_bench.common.files import to_json, write_atomically
from rapport_bench.common.identity import digest
from rapport_bench.common.model import FileModel, Id, Name, Sha256
from rapport_bench.results.human_sections import RatedArm
from rapport_tasks.common.errors import BadInput

SCHEMA_VERSION: Literal["1.0"] = "1.0"
STUDY_FILE = "study.json"
KEY_FILE = "key.json"
SHEETS = "sheets"

Letter = Annotated[str, Field(pattern="^[A-Z]$")]
Text = Annotated[dict[str, Annotated[str, Field(min_length=1)]], Field(min_length=1)]
"""One text a language."""


def letter(place: int) -> str:
    """A, B, ..."""
    return chr(ord("A") + place)


class Scale(FileModel):
    """One anchored rating scale."""

    name: Id
    """As ratings and results call it, such as ``empathic_resonance``."""
    points: int = Field(ge=2, le=9)
    """Highest value; the lowest is 1."""
    label: Text
    """Its name for raters."""
    definition: Text
    """What is rated, and what is not."""
    anchors: dict[Annotated[str, Field(pattern="^[1-9]$")], Text] = Field(min_length=2)
    """Value (as text) -> what earns it."""


class Study(FileModel):
    """What may be known to everyone: the content of ``study.json``."""

    schema_version: Literal["1.0"]
    study: Name
    """Its name."""
    seed: int
    """Every draw was made from it."""
    simulated: bool
    """Whether its ratings are made by a program; shown wherever they are."""
    language: tuple[Literal["zh", "en"], ...] = Field(min_length=1)
    """Languages of the sheets."""
    scales: tuple[Scale, ...] = Field(min_length=1)
    """In the order shown."""
    raters: tuple[Id, ...] = Field(min_length=1)
    """Codes such as ``r01``; never names of people."""
    per_item: int = Field(ge=1)
    """How many raters judge each item."""
    items: tuple[Id, ...] = Field(min_length=1)
    """Ids of the items proper, without repeats and attention checks."""
    letters: int = Field(ge=2, le=26)
    """How many replies an item shows: one an arm."""
    assignments: dict[str, tuple[Id, ...]]
    """Rater -> ids in the order shown, with repeats and attention checks."""
    orders: dict[str, tuple[Annotated[str, Field(pattern="^[A-Z]{2,26}$")], ...]]
    """Rater -> for each assigned id the letters in the order shown, such as ``"BA"``."""
    sheets: dict[str, Sha256]
    """Rater -> SHA-256 of the sheet's content."""
    key_sha256: Sha256
    """`Key.sha256` of the key that belongs to it."""

    def scale(self, name: str) -> Scale:
        """The scale of that name; KeyError without one."""
        return {scale.name: scale for scale in self.scales}[name]

    @property
    def shown_letters(self) -> list[str]:
        """The letters of an item's replies."""
        return [letter(place) for place in range(self.letters)]


class KeyItem(FileModel):
    """Where an item comes from."""

    dialogue: str = Field(min_length=1, max_length=500)
    """Id of the dialogue in the suite."""
    turn: int = Field(ge=0)
    """Index of the assistant message that the replies stand for."""
    domain: str | None
    """Of the dialogue; `None` when the data do not say."""
    letters: dict[Letter, Sha256] = Field(min_length=2)
    """Letter -> result id of the arm."""


class Attention(FileModel):
    """A check that the rater reads: the reply itself says which value to give."""

    letter: Letter
    """The reply that says so."""
    scale: Id
    """The scale it names."""
    expected: int = Field(ge=1, le=9)
    """The value it asks for."""


class Key(FileModel):
    """What raters must not know: the content of ``key.json``."""

    schema_version: Literal["1.0"]
    study: Name
    """The study it belongs to."""
    suite_id: Sha256
    """Of the results compared."""
    arms: tuple[RatedArm, ...] = Field(min_length=2)
    """In the order given."""
    items: dict[Id, KeyItem] = Field(min_length=1)
    """Item id -> where it comes from."""
    repeats: dict[Id, Id]
    """Id of a repeated item -> id of the item it repeats, letters included."""
    attention: dict[Id, Attention]
    """Id of an attention check -> what to expect."""

    @property
    def sha256(self) -> str:
        """Hash of the canonical content."""
        return digest(self.to_json())


def write_study(folder: str | Path, study: Study, key: Key) -> None:
    """Write both files, readable by their owner alone.

    Raises:
        BadInput: The folder cannot be written to.
        ValueError: The two do not fit: a fault of this program.
    """
    problem = _study_problem(study) or _key_problem(study, key)
    if problem:
        raise ValueError(f"a study that contradicts itself: {problem}")
    # The key first: a study without its key is worthless, a key without its study harmless.
    write_atomically(Path(folder) / KEY_FILE, to_json(key.to_json()), private=True)
    write_atomically(Path(folder) / STUDY_FILE, to_json(study.to_json()), private=True)


def read_study(folder: str | Path) -> Study:
    """Read and check ``study.json``.

    Raises:
        BadInput: Missing, not JSON, of another type, of a newer version, contradicting itself.
    """
    path = Path(folder) / STUDY_FILE
    study = _read(path, Study, "a study")
    problem = _study_problem(study)
    if problem:
        raise BadInput(f"{path}: {problem}", remedy="Restore the file, or make the sheets again.")
    return study


def read_key(folder: str | Path, study: Study | None = None) -> Key:
    """Read ``key.json`` and check that it belongs to the study beside it.

    Args:
        folder: The study's folder.
        study: What `read_study` found there, if it was read already.

    Raises:
        BadInput: As for `read_study`; and for a key that was edited or belongs to another study.
    """
    study = study or read_study(folder)
    path = Path(folder) / KEY_FILE
    key = _read(path, Key, "the key of a study")
    if key.study != study.study:
        raise BadInput(
            f"{path}: the key of study {key.study!r}, but {STUDY_FILE} is of {study.study!r}",
            remedy="Put the key back that was written with these sheets.",
        )
    if key.sha256 != study.key_sha256:
        raise BadInput(
            f"{path}: not the key of this study (its hash is {key.sha256[:8]}, "
            f"{STUDY_FILE} expects {study.key_sha256[:8]}): edited or exchanged",
            remedy="Put the key back that was written with these sheets.",
        )
    problem = _key_problem(study, key)
    if problem:
        raise BadInput(f"{path}: {problem}", remedy="Make the sheets again.")
    return key


def _study_problem(study: Study) -> str | None:
    """What contradicts itself in ``study.json``, or `None`."""
    for name in ("raters", "items", "language"):
        if len(set(getattr(study, name))) != len(getattr(study, name)):
            return f"{name} holds one entry twice"
    letters = set(study.shown_letters)
    for name in ("assignments", "orders", "sheets"):
        if set(getattr(study, name)) != set(study.raters):
            return f"{name} does not list exactly the raters"
    for rater in study.raters:
        assigned, orders = study.assignments[rater], study.orders[rater]
        if len(set(assigned)) != len(assigned):
            return f"{rater} is assigned one item twice under one id"
        if len(orders) != len(assigned) or any(
            set(order) != letters or len(order) != study.letters for order in orders
        ):
            return f"the orders of {rater} do not fit the assignment"
    for item in study.items:
        raters = sum(item in study.assignments[rater] for rater in study.raters)
        if raters != study.per_item:
            return f"item {item} has {raters} raters, not {study.per_item}"
    return None


def _key_problem(study: Study, key: Key) -> str | None:
    """Where key and study contradict each other, or `None`."""
    if set(key.items) != set(study.items):
        return f"its items are not those of {STUDY_FILE}"
    arms = {arm.result_id for arm in key.arms}
    if len(arms) != len(key.arms) or len(key.arms) != study.letters:
        return f"{len(arms)} arms for {study.letters} letters"
    for name, item in key.items.items():
        if set(item.letters.values()) != arms or len(item.letters) != study.letters:
            return f"the letters of item {name} are not the arms"
    letters = {letter for item in key.items.values() for letter in item.letters}
    known = {*key.items, *key.repeats, *key.attention}
    if len(known) != len(key.items) + len(key.repeats) + len(key.attention):
        return "one id has two meanings"
    if not set(key.repeats.values()) <= set(key.items):
        return "a repeated item is no item"
    for name, check in key.attention.items():
        scale = next((s for s in study.scales if s.name == check.scale), None)
        if scale is None or not 1 <= check.expected <= scale.points or check.letter not in letters:
            return f"the attention check {name} asks for what no scale has"
    for rater in study.raters:
        unknown = set(study.assignments[rater]) - known
        if unknown:
            return f"{rater} is assigned {sorted(unknown)[0]}, which the key does not know"
    return None


_File = TypeVar("_File", Study, Key)


def _read(path: Path, model: type[_File], what: str) -> _File:
    return types.read_file(
        model,
        path,
        version=SCHEMA_VERSION,
        what=what,
        remedy="Restore the file from a copy.",
        unreadable="Name the folder that `rapport human sheet` wrote.",
    )[0]
