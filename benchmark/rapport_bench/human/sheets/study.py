"""A study on disk: ``study.json``, which names no arm, and ``key.json``, which says who is who.

An *item* is a dialogue up to one assistant turn with the blinded replies of all arms under letters; a
letter is the same arm for all raters of the item, but another one from item to item. A *rating unit* is
(rater, item, letter, scale). Repeated items and attention checks have ids like any other item: only the
key tells them apart. ``study.json`` holds the key's hash, so that an edited or exchanged key is
recognised, and the hash of every rater's sheet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from rapport_bench.common.files import to_json, write_atomically
from rapport_bench.common.identity import digest
from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.parsing import read_json

SCHEMA_VERSION = "1.0"
STUDY_FILE = "study.json"
KEY_FILE = "key.json"
SHEETS = "sheets"

Language = Literal["zh", "en"]
Text = Mapping[str, str]
"""One text a language."""


@dataclass(frozen=True, slots=True)
class Scale:
    """One anchored rating scale.

    Attributes:
        name: As ratings and results call it, such as ``empathic_resonance``.
        points: Highest value; the lowest is 1.
        label: Its name for raters.
        definition: What is rated, and what is not.
        anchors: Value (as text) -> what earns it.
    """

    name: str
    points: int
    label: Text
    definition: Text
    anchors: Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class Study:
    """What may be known to everyone.

    Attributes:
        study: Its name.
        seed: Every draw was made from it.
        simulated: Whether its ratings are made by a program; shown wherever they are.
        language: Languages of the sheets.
        scales: In the order shown.
        raters: Codes such as ``r01``; never names of people.
        per_item: How many raters judge each item.
        items: Ids of the items proper, without repeats and attention checks.
        letters: How many replies an item shows: one an arm.
        assignments: Rater -> ids in the order shown, with repeats and attention checks.
        orders: Rater -> for each assigned id the letters in the order shown, such as ``"BA"``.
        sheets: Rater -> SHA-256 of the sheet's content.
        key_sha256: `Key.sha256` of the key that belongs to it.
    """

    study: str
    seed: int
    simulated: bool
    language: tuple[str, ...]
    scales: tuple[Scale, ...]
    raters: tuple[str, ...]
    per_item: int
    items: tuple[str, ...]
    letters: int
    assignments: Mapping[str, tuple[str, ...]]
    orders: Mapping[str, tuple[str, ...]]
    sheets: Mapping[str, str]
    key_sha256: str

    def scale(self, name: str) -> Scale:
        """The scale of that name; KeyError without one."""
        return {scale.name: scale for scale in self.scales}[name]

    def to_json(self) -> dict[str, Any]:
        """The content of ``study.json``."""
        return {"schema_version": SCHEMA_VERSION, **_plain(asdict(self))}


@dataclass(frozen=True, slots=True)
class KeyArm:
    """One arm behind the letters.

    Attributes:
        name: As its result calls it.
        kind: base, adapter, model, replies, bot or gold.
        result_id: Of the result whose replies were shown.
        arm_id: What answered.
    """

    name: str
    kind: str
    result_id: str
    arm_id: str


@dataclass(frozen=True, slots=True)
class KeyItem:
    """Where an item comes from.

    Attributes:
        dialogue: Id of the dialogue in the suite.
        turn: Index of the assistant message that the replies stand for.
        domain: Of the dialogue; `None` when the data do not say.
        letters: Letter -> result id of the arm.
    """

    dialogue: str
    turn: int
    domain: str | None
    letters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Attention:
    """A check that the rater reads: the reply itself says which value to give.

    Attributes:
        letter: The reply that says so.
        scale: The scale it names.
        expected: The value it asks for.
    """

    letter: str
    scale: str
    expected: int


@dataclass(frozen=True, slots=True)
class Key:
    """What raters must not know.

    Attributes:
        study: The study it belongs to.
        suite_id: Of the results compared.
        arms: In the order given.
        items: Item id -> where it comes from.
        repeats: Id of a repeated item -> id of the item it repeats, letters included.
        attention: Id of an attention check -> what to expect.
    """

    study: str
    suite_id: str
    arms: tuple[KeyArm, ...]
    items: Mapping[str, KeyItem]
    repeats: Mapping[str, str] = field(default_factory=dict)
    attention: Mapping[str, Attention] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Hash of the canonical content."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The content of ``key.json``."""
        return {"schema_version": SCHEMA_VERSION, **_plain(asdict(self))}


def write_study(folder: str | Path, study: Study, key: Key) -> None:
    """Write both files, readable by their owner alone.

    Raises:
        BadInput: The folder cannot be written to.
        ValueError: The two do not fit: a fault of this program.
    """
    for what, data in ((STUDY_FILE, study.to_json()), (KEY_FILE, key.to_json())):
        problem = _schema_problem(what, data)
        if problem:
            raise ValueError(f"{what} against its own schema: {problem}")
    problem = _study_problem(study) or _key_problem(study, key)
    if problem:
        raise ValueError(f"a study that contradicts itself: {problem}")
    # The key first: a study without its key is worthless, a key without its study harmless.
    write_atomically(Path(folder) / KEY_FILE, to_json(key.to_json()), private=True)
    write_atomically(Path(folder) / STUDY_FILE, to_json(study.to_json()), private=True)


def read_study(folder: str | Path) -> Study:
    """Read and check ``study.json``.

    Raises:
        BadInput: Missing, not JSON, against the schema, of a newer version, contradicting itself.
    """
    path = Path(folder) / STUDY_FILE
    data = _read(path)
    study = Study(
        **_without_version(data)
        | {
            "scales": tuple(Scale(**scale) for scale in data["scales"]),
            "assignments": {r: tuple(ids) for r, ids in data["assignments"].items()},
            "orders": {r: tuple(orders) for r, orders in data["orders"].items()},
            **{name: tuple(data[name]) for name in ("language", "raters", "items")},
        }
    )
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
    data = _read(path)
    key = Key(
        study=data["study"],
        suite_id=data["suite_id"],
        arms=tuple(KeyArm(**arm) for arm in data["arms"]),
        items={name: KeyItem(**item) for name, item in data["items"].items()},
        repeats=data["repeats"],
        attention={name: Attention(**check) for name, check in data["attention"].items()},
    )
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
    letters = {chr(ord("A") + i) for i in range(study.letters)}
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


def _read(path: Path) -> dict[str, Any]:
    unreadable = "Name the folder that `rapport human sheet` wrote."
    data = read_json(path, remedy="Restore the file from a copy.", unreadable=unreadable)
    version = data.get("schema_version") if isinstance(data, dict) else None
    if isinstance(version, str) and version != SCHEMA_VERSION:
        raise BadInput(
            f"{path}: schema version {version[:20]!r}, this program reads {SCHEMA_VERSION}",
            remedy="Use the version of rapport-bench that wrote it.",
        )
    problem = _schema_problem(path.name, data)
    if problem:
        raise BadInput(f"{path}: {problem}", remedy="Restore the file from a copy.")
    return dict(data)


@lru_cache(maxsize=2)
def _validator(name: str) -> Any:
    import jsonschema

    schema = files("rapport_bench.human.sheets") / f"{Path(name).stem}.schema.json"
    return jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))


def _schema_problem(name: str, data: Any) -> str | None:
    error = next(iter(_validator(name).iter_errors(data)), None)
    if error is None:
        return None
    where = "/".join(str(part) for part in error.absolute_path) or "top level"
    return f"{where}: {error.message[:200]}"


def _without_version(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "schema_version"}


def _plain(value: Any) -> Any:
    """Tuples as lists, as JSON reads them back."""
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(entry) for entry in value]
    return value
