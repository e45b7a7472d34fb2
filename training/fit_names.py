"""Fit the weights of `rapport_training.privacy.name_tagger`.

    python training/fit_names.py --talk smile.jsonl

Names are put where the project's own training dialogues speak of a person (他, 妈妈, 室友), and in the
place of the names of marked development sentences; some of the names are rare words. The unchanged
sentences and all other spans are counterexamples. The marked development sentences count more than
these. Real dialogues that `--talk` names are used in the same way. The published weights used
qiuhuachuan/smile (CC0; 8,000 dialogues, one a line as `rapport prepare` writes them), of which the
first 3,000 are left for measuring. Only weights come of it, and only of features that the project's
own sentences have: no word of the talk is kept.
Seeded; the same weights every time.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_training.privacy.marks import MarkedText, read_marked
from rapport_training.privacy.model import read
from rapport_training.privacy.name_candidates import candidates, cut_up, shape_of
from rapport_training.privacy.name_tagger import features
from rapport_training.privacy.name_words import (
    HAN,
    NO_GIVEN,
    SHORT_TITLES,
    SURNAMES_DOUBLE,
    SURNAMES_LIKELY,
    SURNAMES_RARE,
    SURNAMES_SURE,
    TITLE,
)
from rapport_training.privacy.names import find_by_rules
from rapport_training.privacy.words import (
    given_score,
    given_scores,
    known,
    part_of_speech,
    segment,
    word_list,
)

ROOT = Path(__file__).parents[1]
DIALOGUES = ROOT / "tasks" / "rapport_tasks" / "data" / "train_zh.jsonl"
MARKED = [
    ROOT / "tests" / "training" / f"privacy_dev{more}_zh.txt" for more in ("", "_more", "_names")
]
WEIGHTS = ROOT / "training" / "rapport_training" / "privacy" / "data" / "name_weights.txt"

COPIES = 10
"""How often each sentence that speaks of a person gets other names."""

DECOYS = 8
"""How often such a sentence gets ordinary words where a person stood, which are no names there."""

SPARED = 3_000
"""Dialogues of a file of talk that are left for measuring."""

EVERY = 2
"""Of the dialogues after these, each how many-th is read."""

CARRIERS = 6
"""How often a marked development sentence gets other names."""

DEV_WEIGHT = 8.0
"""What a marked development sentence counts, a made one counting 1."""
PENALTY = 1.0
"""Strength of the squared penalty on weights."""

_KIN = (
    "妈妈|爸爸|老公|老婆|丈夫|妻子|室友|舍友|同事|老师|女儿|儿子|男朋友|女朋友|男友|女友|前任|前男友|"
    "前女友|闺蜜|朋友|同学|同桌|弟弟|妹妹|哥哥|姐姐|领导|主管|组长|班主任|表姐|表哥|表妹|表弟|邻居|导师|孩子"
)
_PERSON = re.compile(
    rf"(?P<kin>(?:我|你)?(?:的)?(?:{_KIN}))(?!们|圈|家)|(?P<they>(?<!其)[他她])(?!们|人|妈|爸|俩)|(?P<we>[我你](?:妈|爸|哥|姐|弟|妹|姥姥|奶奶|爷爷|姑|姨|婆婆|外婆))(?!妈|爸|们|家)"
)


@dataclass(frozen=True, slots=True)
class Example:
    """One text, the spans of its names, what it counts, and whether it is real talk."""

    text: str
    names: tuple[tuple[int, int], ...]
    weight: float
    talk: bool = False


class Namer:
    """Random names of all shapes."""

    def __init__(self, rng: random.Random, ordinary: Iterable[str]) -> None:
        self._rng = rng
        scores = {c: s for c, s in given_scores().items() if s > -2.0 and c not in NO_GIVEN}
        self._characters = list(scores)
        self._chances = [2.718 ** (0.55 * s) for s in scores.values()]
        self._popular = word_list("name_words.txt", "popular_given")
        self._ordinary = sorted(
            word
            for word in set(ordinary)
            if len(word) == 2
            and part_of_speech(word)[:1] in "nazs"
            and given_score(word) > -2
            and not any(c in NO_GIVEN for c in word)
        )
        self._words = [
            word
            for first in given_scores()
            for second in given_scores()
            if known(word := first + second) and shape_of(word) in {"W", "V", "P", "TW"}
        ]
        self._word_chances = [2.718 ** (0.55 * given_score(word)) for word in self._words]
        self._nicknames = [
            word
            for second in given_scores()
            if given_score(second) > 0
            for first in "小老阿"
            if shape_of(word := first + second) == "NW"
        ]
        self._double = sorted(SURNAMES_DOUBLE)
        self._sure, self._likely = sorted(SURNAMES_SURE), sorted(SURNAMES_LIKELY)
        self._rare = sorted(SURNAMES_RARE)

    def character(self) -> str:
        """A character as given names have them, likelier ones more often."""
        return self._rng.choices(self._characters, self._chances)[0]

    def surname(self) -> str:
        """A surname; rare and double ones far more often than among people."""
        lists = (
            self._sure,
            self._likely,
            self._rare,
            self._double,
            list("王李张刘陈杨黄赵周吴徐孙马朱胡林郭何高罗"),
        )
        return self._rng.choice(self._rng.choices(lists, (25, 25, 15, 8, 27))[0])

    def given(self, ordinary: float) -> str:
        """A given name of two characters; the share `ordinary` are words, such as 安宁."""
        dice = self._rng.random()
        if dice < ordinary:
            return self._rng.choice(self._ordinary)
        if dice < 0.3:
            return self._rng.choice(self._popular)
        return self.character() + self.character()

    def name(self) -> str:
        """A full name, a given name, a word, a doubled character, a double surname or a nickname."""
        dice = self._rng.random()
        if dice < 0.42:
            return self.surname() + self.given(0.12)
        if dice < 0.62:
            return self.surname() + self.character()
        if dice < 0.78:
            return self.given(0.03)
        if dice < 0.82:
            return self._rng.choices(self._words, self._word_chances)[0]
        if dice < 0.89:
            return self.character() * 2
        if dice < 0.895:
            return self._rng.choice(self._double)
        if dice < 0.91:
            return self._rng.choice(self._nicknames)
        base = self.character() if self._rng.random() < 0.5 else self.surname()[0]
        return self._rng.choice("小小小阿阿老大") + base


def sentences(path: Path) -> list[str]:
    """The sentences of dialogues in which the rules find no name."""
    pieces = []
    for dialogue in read_dialogues(path):
        for message in dialogue.messages:
            found = re.findall(r"[^。！？\n]+[。！？]*", message.content)
            pieces += [p for p in found if len(p) > 3 and not _named_by_rules(p)]
    return pieces


def _named_by_rules(sentence: str) -> bool:
    words = segment(sentence)
    return bool(find_by_rules(sentence, words, read(sentence, words).person))


def with_names(sentence: str, namer: Namer, rng: random.Random, weight: float) -> Example | None:
    """The sentence with some of its persons named; None where it has none."""
    parts: list[str] = []
    spans: list[tuple[int, int]] = []
    done = length = 0
    for match in _PERSON.finditer(sentence):
        if spans and rng.random() < 0.6:
            continue
        keep = ""
        if (match["kin"] and rng.random() < 0.35) or (match["we"] and rng.random() < 0.15):
            keep = match.group()
        name = namer.name()
        before = sentence[done : match.start()] + keep
        length += len(before)
        if len(name) < 5:
            spans.append((length, length + len(name)))
        parts += [before, name]
        length += len(name)
        done = match.end()
    if not spans:
        return None
    return Example("".join([*parts, sentence[done:]]), tuple(spans), weight)


def marked_texts(paths: Sequence[Path], *, keep: int | None = None) -> list[MarkedText]:
    """Marked lines; `keep` 0 or 1 takes every second line only."""
    return [
        marked
        for path in paths
        for number, marked in enumerate(read_marked(path))
        if keep is None or number % 2 == keep
    ]


def as_marked(marked: MarkedText) -> Example:
    """The sentence with its own names."""
    names = tuple((s.start, s.end) for s in marked.spans if s.kind == "姓名")
    return Example(marked.text, names, DEV_WEIGHT)


def renamed(marked: MarkedText, namer: Namer) -> Example:
    """A marked sentence with other names in the place of those that are names without a title."""
    parts: list[str] = []
    spans: list[tuple[int, int]] = []
    done = length = 0
    for span in marked.spans:
        surface = marked.text[span.start : span.end]
        length += span.start - done
        parts.append(marked.text[done : span.start])
        done = span.end
        if span.kind == "姓名":
            plain = HAN.fullmatch(surface) and len(surface) < 4 and not TITLE.search(surface)
            if plain and surface[-1] not in SHORT_TITLES:
                surface = namer.name()
            spans.append((length, length + len(surface)))
        parts.append(surface)
        length += len(surface)
    return Example("".join([*parts, marked.text[done:]]), tuple(spans), 1.0)


def sample(paths: Sequence[Path]) -> list[str]:
    """The sentences of every `EVERY`th dialogue after the first `SPARED`."""
    pieces = []
    for path in paths:
        dialogues = list(read_dialogues(path))[SPARED:]
        for dialogue in dialogues[::EVERY]:
            for message in dialogue.messages:
                found = re.findall(r"[^。！？\n]+[。！？]*", message.content)
                pieces += [piece for piece in found if 3 < len(piece) < 120]
    return pieces


def synthetic(
    lines: Sequence[str], marked: Sequence[MarkedText], talk: Sequence[str], seed: int
) -> list[Example]:
    """The sentences as they are, with names, and with ordinary words where the names go; talk last."""
    rng = random.Random(seed)
    words = [word for line in lines for word in segment(line)]
    namer = Namer(rng, words)
    examples = [Example(line, (), 1.0) for line in lines]
    for _ in range(COPIES):
        named = [with_names(line, namer, rng, 1.0) for line in lines]
        examples += [example for example in named if example]
    # Words that people are named with are left out: in the place of a name they are one.
    plain = sorted(
        {
            word
            for word in words
            if len(word) == 2
            and part_of_speech(word)[:1] in "navz"
            and shape_of(word) not in {"W", "P"}
        }
    )
    for _ in range(DECOYS):
        examples += [
            Example(_PERSON.sub(lambda _: rng.choice(plain), line), (), 1.0)
            for line in lines
            if _PERSON.search(line)
        ]
    for _ in range(CARRIERS):
        examples += [renamed(one, namer) for one in marked if "姓名" in {s.kind for s in one.spans}]
    examples += map(as_marked, marked)
    examples += [Example(line, (), 1.0, talk=True) for line in talk]
    spoken = [with_names(line, namer, rng, 1.0) for line in talk]
    return [*examples, *(replace(example, talk=True) for example in spoken if example)]


def rows(examples: Sequence[Example]) -> tuple[list[list[str]], list[bool], list[float]]:
    """Features, answers and weights of all candidates; a negative seen again counts once."""
    seen: Counter[tuple[str, ...]] = Counter()
    xs, ys, ws = [], [], []
    for example in examples:
        words = segment(example.text)
        cut = cut_up(example.text, words, read(example.text, words).person)
        for candidate in candidates(cut):
            answer = (candidate.start, candidate.end) in example.names
            row = features(cut, candidate)
            key = tuple(row)
            if not answer and example.weight == 1.0:
                seen[key] += 1
                if seen[key] > 1:
                    continue
            xs.append(row)
            ys.append(answer)
            ws.append(example.weight)
    return xs, ys, ws


def fit(xs: list[list[str]], ys: list[bool], ws: list[float], penalty: float) -> dict[str, float]:
    """Weights of the features by penalised logistic regression."""
    counts = Counter(name for row in xs for name in row)
    names = sorted(name for name, count in counts.items() if count >= 3)
    index = {name: i for i, name in enumerate(names)}
    pairs = [(r, index[n]) for r, row in enumerate(xs) for n in row if n in index]
    at = np.array(pairs, dtype=np.int64)
    x = csr_array((np.ones(len(at)), (at[:, 0], at[:, 1])), shape=(len(xs), len(names)))
    sign = np.where(np.array(ys), 1.0, -1.0)
    weight = np.array(ws)
    xt = x.T.tocsr()

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (x @ w)
        value = float(weight @ np.logaddexp(0.0, -margin) + 0.5 * penalty * w @ w)
        pull = -sign * weight / (1.0 + np.exp(np.clip(margin, -30, 30)))
        return value, xt @ pull + penalty * w

    with threadpool_limits(1):  # sums of another number of threads are rounded otherwise
        solved = minimize(
            loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", options={"maxiter": 150}
        )
    return {name: float(w) for name, w in zip(names, solved.x, strict=True)}


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description="Fit the weights for names.")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument(
        "--half", type=int, choices=(0, 1), help="use this half of the marked lines only"
    )
    parser.add_argument(
        "--talk", type=Path, nargs="*", default=[], help="files of real dialogues to read as well"
    )
    options = parser.parse_args()
    marked = marked_texts(MARKED, keep=options.half)
    examples = synthetic(sentences(DIALOGUES), marked, sample(options.talk), 1)
    xs, ys, ws = rows(examples)
    own = {name for row in rows([e for e in examples if not e.talk])[0] for name in row}
    weights = fit([[n for n in row if n in own] for row in xs], ys, ws, PENALTY)
    print(len(examples), "texts", len(ys), "candidates", sum(ys), "names", len(weights), "features")
    kept = {n: w for n, w in weights.items() if abs(w) >= 0.05 and "\t" not in n and "\n" not in n}
    lines = [f"{name}\t{round(100 * w)}" for name, w in sorted(kept.items())]
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(len(kept), "kept", options.out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
