"""Which act a sentence performs: advice, empathy, a question, or something else.

A log-linear model: every rule that matches, and every run of the sentence's skeleton that was seen in
labelled sentences, adds its weights to the scores of the acts; the probabilities are the softmax of the
scores. The rules state grammar (who is the subject of 应该, is the verb an action or a feeling, whose
words are these), with hand-set weights that learning corrects; the skeleton is the sentence without
its content words. Neither knows topics, and each counts once a sentence, so that length itself says
little.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, Protocol, get_args

from rapport_tasks.acts import en as acts_en
from rapport_tasks.acts import en_rules as acts_en_rules
from rapport_tasks.acts import zh as acts_zh
from rapport_tasks.acts import zh_rules as acts_zh_rules
from rapport_tasks.acts import zh_words as acts_zh_words
from rapport_tasks.acts.learned import load_weights, weights_identity
from rapport_tasks.acts.skeleton import runs
from rapport_tasks.dialogues.sentences import language

Act = Literal["advice", "empathy", "question", "other"]
ACTS: Final[tuple[Act, ...]] = get_args(Act)
ATTRIBUTES: Final = (
    "tentative",
    "permission",
    "collaborative",
    "quoted",
    "prohibitive",
    "dismissive",
)

BIAS: Final[tuple[float, ...]] = (0.0, 0.2, -1.0, 1.0)
"""Scores of the acts, in the order of `ACTS`, before any evidence and before learning."""

_LONGEST = 600
"""Characters of a sentence that are read: half from its beginning, half from its end."""


@dataclass(frozen=True, slots=True)
class Acts:
    """What one sentence does.

    Attributes:
        advice: Probability of a directive or a suggestion. The four sum to 1.
        empathy: Probability of validation, reflection, restatement, reassurance or praise.
        question: Probability of an exploring question.
        other: Probability of anything else: information, greetings, own stories, dismissal.
        label: The most probable act.
        attributes: Those of `ATTRIBUTES` that hold.
    """

    advice: float
    empathy: float
    question: float
    other: float
    label: Act
    attributes: frozenset[str]


_NOTHING_SAID: Final = Acts(0.0, 0.0, 0.0, 1.0, "other", frozenset())


class ActClassifier(Protocol):
    """What the metrics ask of a classifier."""

    @property
    def version(self) -> str:
        """Changes whenever any sentence may get another result; part of the suite's identity."""

    def classify(self, sentences: Sequence[str]) -> list[Acts]:
        """The acts of each sentence, in order. Deterministic; no sentence depends on another."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One piece of evidence: what a pattern adds to the score of each act of `ACTS`."""

    name: str
    weights: tuple[float, ...]
    pattern: re.Pattern[str]
    attribute: str | None


class RuleActClassifier:
    """The default classifier: Chinese and English, told apart sentence by sentence.

    >>> acts = RuleActClassifier().classify(["你应该早点睡。", "你应该很难过吧。"])
    >>> [a.label for a in acts]
    ['advice', 'empathy']
    """

    @property
    def version(self) -> str:
        """The rules' version and a hash of what was learned."""
        return f"grammar-2.0+{weights_identity()}"

    def classify(self, sentences: Sequence[str]) -> list[Acts]:
        """The acts of each sentence, in order."""
        known: dict[str, Acts] = {}
        for sentence in sentences:
            if sentence not in known:
                known[sentence] = _classify(sentence)
        return [known[sentence] for sentence in sentences]


def matching_rules(sentence: str) -> list[str]:
    """The names of the rules that match a sentence: why it was classified as it was."""
    text, _, tongue = _prepare(sentence)
    return [rule.name for rule in matching(text, tongue)]


def prepared(sentence: str, tongue: str) -> str:
    """A sentence as patterns and skeleton see it."""
    prepare = acts_zh.prepare if tongue == "zh" else acts_en.prepare
    return prepare(_shorten(sentence))[0]


def matching(text: str, tongue: str) -> list[Rule]:
    """The rules that match a prepared sentence."""
    return [rule for rule in rules(tongue) if rule.pattern.search(text) is not None]


def _classify(sentence: str) -> Acts:
    if not any(map(str.isalnum, sentence)):
        return _NOTHING_SAID
    text, attributes, tongue = _prepare(sentence)
    start, by_rule, by_run = _hundredths(tongue)
    evidence = [start]
    for rule in matching(text, tongue):
        evidence.append(by_rule[rule.name])
        if rule.attribute is not None:
            attributes.add(rule.attribute)
    evidence += [by_run[run] for run in runs(text, tongue) if run in by_run]
    # Whole numbers: their sum does not depend on the order, which a set has not.
    scores = [sum(column) / 100 for column in zip(*evidence, strict=True)]
    highest = max(scores)
    odds = [math.exp(score - highest) for score in scores]
    advice, empathy, question, other = (value / sum(odds) for value in odds)
    label = ACTS[scores.index(highest)]
    return Acts(advice, empathy, question, other, label, frozenset(attributes))


@cache
def _hundredths(
    tongue: str,
) -> tuple[tuple[int, ...], dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
    """In hundredths: the scores to start from, and the weights of rules and of skeleton runs."""
    learned = load_weights(tongue)

    def whole(*vectors: Sequence[float]) -> tuple[int, ...]:
        return tuple(round(100 * sum(column)) for column in zip(*vectors, strict=True))

    by_rule = {
        rule.name: whole(rule.weights, learned.rules.get(rule.name, (0.0,) * len(ACTS)))
        for rule in rules(tongue)
    }
    return whole(BIAS, learned.bias), by_rule, {r: whole(v) for r, v in learned.runs.items()}


def _prepare(sentence: str) -> tuple[str, set[str], str]:
    """A sentence as patterns see it, the attributes that this hides from them, and its language."""
    sentence = _shorten(sentence)
    tongue = language(sentence)
    text, hidden = (acts_zh if tongue == "zh" else acts_en).prepare(sentence)
    return text, hidden, tongue


def _shorten(sentence: str) -> str:
    if len(sentence) <= _LONGEST:
        return sentence
    return sentence[: _LONGEST // 2] + "，" + sentence[-_LONGEST // 2 :]


@cache
def words(tongue: str) -> dict[str, str]:
    """The entries that patterns of a language name in braces."""
    return read_table(acts_zh_words.WORDS if tongue == "zh" else acts_en_rules.WORDS)


@cache
def rules(tongue: str) -> tuple[Rule, ...]:
    """The compiled evidence of a language, ``zh`` or ``en``."""
    tables = acts_zh_rules if tongue == "zh" else acts_en_rules
    return read_rules(tables.ADVICE + tables.EMPATHY + tables.OTHER, words(tongue))


def read_table(table: str) -> dict[str, str]:
    """Read headed entries: a heading at the margin, its indented lines joined without their indentation."""
    entries: dict[str, str] = {}
    heading = ""
    for line in table.splitlines():
        if line and line[0] not in " #":
            heading = line.strip()
            entries[heading] = ""
        elif line.startswith(" "):
            entries[heading] += line[4:]
    return entries


_HEADING = re.compile(r"([a-z-]+)(?: \[([a-z]+)\])?:\s*(.*)")
_NAME = re.compile(r"\{([A-Z_]+)\}")


def expand(pattern: str, entries: Mapping[str, str]) -> str:
    """Replace each ``{NAME}`` by the entry of that name, and the names in it likewise."""
    return _NAME.sub(lambda match: expand(entries[match.group(1)], entries), pattern)


def read_rules(table: str, entries: Mapping[str, str]) -> tuple[Rule, ...]:
    """Compile rules of the form ``name [attribute]: act weight, act weight`` and a pattern."""
    compiled = []
    for heading, pattern in read_table(table).items():
        parsed = _HEADING.fullmatch(heading)
        if parsed is None:
            raise ValueError(f"not the heading of a rule: {heading!r}")
        name, attribute, evidence = parsed.groups()
        given = dict(part.split() for part in evidence.split(",") if part)
        weights = tuple(float(given.pop(act, 0)) for act in ACTS)
        if given or (attribute is not None and attribute not in ATTRIBUTES):
            raise ValueError(f"unknown act or attribute: {heading!r}")
        compiled.append(Rule(name, weights, re.compile(expand(pattern, entries)), attribute))
    return tuple(compiled)
