"""What tells advice from empathy, rightly or wrongly: classifiers, a plug-in, and the baselines."""

from __future__ import annotations

import importlib
import math
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rapport_bench.validity.agreement import auc
from rapport_tasks.acts.classifier import ACTS, ActClassifier
from rapport_tasks.common.errors import BadInput, close_match
from rapport_tasks.common.paths import file_sha256
from rapport_tasks.dialogues.sentences import distinct_sentences, language

Probabilities = Mapping[str, float]
ActScorer = Callable[[Sequence[str]], Sequence[Probabilities]]
"""Sentences -> for each, the probabilities of `ACTS`."""

LEXICON = {
    "zh": (
        "应该 必须 一定要 要 得 别 不要 可以 需要 建议 最好 试试 尝试 不妨 让我们".split(),
        "理解 感受 感觉到 听起来 看起来 难过 辛苦 不容易 难怪 委屈 心疼 支持 陪 正常 共情".split(),
    ),
    "en": (
        "should|must|need to|have to|try|recommend|suggest|could|don't|let's|advise".split("|"),
        "understand|feel|sounds|sorry|hard|tough|difficult|support|proud|normal|here for you".split(
            "|"
        ),
    ),
}
"""Words of advice and of empathy that a keyword counter would look for, as substrings."""


@dataclass(frozen=True, slots=True)
class ActArm:
    """What one scorer says of every text.

    Attributes:
        name: How it is shown.
        scores: Advice rather than empathy, one per text; any scale, only the order counts.
        predicted: The act of each text; `None` for a scorer without an opinion on that.
        found: Whether it finds advice or empathy in the text at all; `None` likewise.
    """

    name: str
    scores: list[float]
    predicted: list[str] | None = None
    found: list[bool] | None = None


def classifier_scorer(classifier: ActClassifier) -> ActScorer:
    """A classifier of `rapport_tasks` as a plain function."""

    def score(sentences: Sequence[str]) -> list[Probabilities]:
        return [{act: getattr(a, act) for act in ACTS} for a in classifier.classify(sentences)]

    return score


def scored_arm(name: str, scorer: ActScorer, texts: Sequence[str]) -> ActArm:
    """Score texts sentence by sentence.

    A text is split as a reply is for the Advice-to-Empathy Ratio, repetitions left out. Its score
    is the mean of ``advice / (advice + empathy)`` over its sentences, each weighing its evidence
    ``advice + empathy``: ``sum of advice / sum of (advice + empathy)``, .5 without any evidence.
    Its act is the one with the largest mean probability; of equal ones the first of `ACTS`.
    """
    split = [[sentence.text for sentence in distinct_sentences(text)] for text in texts]
    probabilities = iter(_checked(name, scorer, [s for sentences in split for s in sentences]))
    scores: list[float] = []
    predicted: list[str] = []
    found = []
    for sentences in split:
        rows = [next(probabilities) for _ in sentences]
        sums = {act: sum(row[act] for row in rows) for act in ACTS}
        evidence = sums["advice"] + sums["empathy"]
        scores.append(sums["advice"] / evidence if evidence > 0 else 0.5)
        predicted.append(max(ACTS, key=sums.__getitem__))
        likely = [max(ACTS, key=row.__getitem__) for row in rows]
        found.append("advice" in likely or "empathy" in likely)
    return ActArm(name, scores, predicted, found)


def lexicon_arm(texts: Sequence[str]) -> ActArm:
    """Keyword counting: ``(advice words + .5) / (advice words + empathy words + 1)``.

    A text that ends in a question mark is a question, otherwise the act with more words, or other.
    """
    scores, predicted, found = [], [], []
    for text in texts:
        advice, empathy = (
            sum(text.casefold().count(word) for word in words) for words in LEXICON[language(text)]
        )
        scores.append((advice + 0.5) / (advice + empathy + 1))
        act = "advice" if advice > empathy else "empathy" if empathy > advice else "other"
        predicted.append("question" if text.rstrip("”\"'）) ").endswith(("？", "?")) else act)
        found.append(advice + empathy > 0)
    return ActArm("lexicon", scores, predicted, found)


def length_arm(texts: Sequence[str], labels: Sequence[str]) -> ActArm:
    """The number of characters alone, in whichever direction serves it better on these data."""
    told = [i for i, label in enumerate(labels) if label in ("advice", "empathy")]
    scores = [float(len(text.strip())) for text in texts]
    statistic = auc([scores[i] for i in told], [labels[i] == "advice" for i in told])
    longer = statistic(np.ones(len(told)))
    if longer is not None and longer < 0.5:
        scores = [-score for score in scores]
    return ActArm("length", scores)


def chance_arm(labels: Sequence[str]) -> ActArm:
    """Always the commonest act, one score for all."""
    commonest = max(ACTS, key=Counter(labels).__getitem__)
    return ActArm("chance", [0.0] * len(labels), [commonest] * len(labels))


def load_scorer(name: str) -> ActScorer:
    """Import ``module:function``; modules of the working folder are found too.

    Raises:
        BadInput: There is no such module or function, or importing it fails.
    """
    module_name, separator, attribute = name.partition(":")
    if not (module_name and separator and attribute):
        raise BadInput(f"--acts {name}: not a function", remedy="Like --acts mymodule:classify")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # whatever the user's module raises
        raise BadInput(
            f"--acts {name}: module {module_name!r} cannot be imported ({_told(error)})",
            remedy="Run from the module's folder, or install it beside rapport-bench.",
        ) from error
    function = getattr(module, attribute, None)
    if not callable(function):
        raise BadInput(
            f"--acts {name}: no function {attribute!r} in {module_name}",
            remedy=close_match(attribute, dir(module))
            + "Name a function: list[str] -> list[dict].",
        )
    scorer: ActScorer = function
    return scorer


def module_sha256(name: str) -> str:
    """Hash of the file of an imported plug-in's module; empty if it has none."""
    file = getattr(sys.modules[name.partition(":")[0]], "__file__", None)
    return file_sha256(Path(file)) if file else ""


def _checked(name: str, scorer: ActScorer, sentences: list[str]) -> list[Probabilities]:
    """Call a scorer and see that its answer is one."""
    remedy = f"Return for each sentence a dict with the probabilities of {', '.join(ACTS)}."
    try:
        answer: Any = scorer(list(sentences))
    except Exception as error:  # whatever the user's function raises
        raise BadInput(f"scorer {name} failed: {_told(error)}", remedy=remedy) from error
    rows = list(answer) if isinstance(answer, Sequence) else None
    if rows is None or len(rows) != len(sentences):
        got = type(answer).__name__ if rows is None else f"{len(rows)} results"
        raise BadInput(f"scorer {name}: {got} for {len(sentences)} sentences", remedy=remedy)
    for place, row in enumerate(rows):
        if not isinstance(row, Mapping) or not all(act in row for act in ACTS):
            raise BadInput(f"scorer {name}: result {place} lacks an act", remedy=remedy)
        try:
            values = [float(row[act]) for act in ACTS]
        except (TypeError, ValueError):
            values = [math.nan]
        if not all(0 <= value <= 1 for value in values) or abs(sum(values) - 1) > 0.01:
            problem = f"scorer {name}: result {place} is no set of probabilities"
            raise BadInput(problem, remedy=remedy + " They sum to 1.")
    return rows


def _told(error: Exception) -> str:
    """Type and place of an error; its message might quote a text."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
