"""The verdict in sentences: what was found, what that means, what to look at next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from rapport_bench.judging import dominance
from rapport_bench.judging.compare import Comparison
from rapport_bench.page.subject import Subject
from rapport_bench.results.result import Result
from rapport_bench.statistics.verdicts import Verdict
from rapport_bench.words import notes as run_notes
from rapport_bench.words.next_steps import regressions, undecided
from rapport_bench.words.signs import TONES, VERDICTS, Tone, by_verdict, tone

_PHRASES: dict[Verdict, str] = {
    "regressed": "worse on",
    "regressed (coverage)": "silent too often to be judged on",
    "improved": "better on",
    "equivalent": "the same, within the margin, on",
    "inconclusive": "undecided on",
}
_MEANINGS: dict[Verdict, str] = {
    "regressed": "Worse: the change exceeds the smallest one that matters (the metric's margin), and "
    "chance alone would hardly produce it (p < .05 after Holm's correction).",
    "regressed (coverage)": "Silent too often: significantly more than 5 points of the turns could "
    "no longer be scored; silence must not pay.",
    "improved": "Better: the change exceeds the smallest one that matters (the metric's margin), and "
    "chance alone would hardly produce it (p < .05 after Holm's correction).",
    "equivalent": "The same: the 90 % interval of the difference lies inside the margin.",
    "inconclusive": "Undecided is not “no difference”: the data leave room for a change that matters.",
}


@dataclass(frozen=True, slots=True)
class Next:
    """One thing to look at.

    Attributes:
        text: What and why.
        cases: Places of dialogues in the suite, to open.
        command: To run; empty where there is none.
    """

    text: str
    cases: tuple[int, ...] = ()
    command: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """The head of the page.

    Attributes:
        headline: One sentence.
        tone: ``worse``, ``better``, ``same`` or ``open``; never the only sign.
        each: (sign, sentence) a candidate, where there are several.
        meaning: What the words stand for.
        next: What to look at.
    """

    headline: str
    tone: Tone
    each: tuple[tuple[str, str], ...]
    meaning: tuple[str, ...]
    next: tuple[Next, ...]


def words(found: Subject, folder: str) -> Words:
    """Put comparisons into sentences.

    Args:
        found: Comparisons against one baseline.
        folder: Of the results, for commands.
    """
    if found.baseline is None or not found.comparisons:
        return Words(found.why_no_verdict, "open", (), (), tuple(_next(found, folder)))
    base = isolated(found.label(found.baseline))
    tones = [tone(comparison) for comparison in found.comparisons]
    sentences = [
        f"{isolated(found.label(c.candidate))} is {_judgement(c, base)}" for c in found.comparisons
    ]
    several = len(sentences) > 1
    seen = {item.verdict for c in found.comparisons for item in c.metrics if item.verdict}
    meaning = tuple(dict.fromkeys(_MEANINGS[v] for v in VERDICTS if v in seen))
    return Words(
        headline=_summary(found, tones, base) if several else sentences[0],
        tone=next(t for t in get_args(Tone) if t in tones),
        each=tuple(zip((TONES[t] for t in tones), sentences, strict=True)) if several else (),
        meaning=(*meaning, *_advice(found)),
        next=tuple(_next(found, folder)),
    )


def isolated(name: str) -> str:
    """A name inside a sentence, whatever the direction of its script."""
    return f"\u2068{name}\u2069"


def _judgement(comparison: Comparison, base: str) -> str:
    labels = by_verdict(comparison)
    if not labels:
        return f"not comparable with {base} on any metric that gives a verdict."
    parts = [f"{_PHRASES[verdict]} {_listed(listed)}" for verdict, listed in labels.items()]
    return f"{'; '.join(parts)}, against {base}."


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _summary(found: Subject, tones: Sequence[Tone], base: str) -> str:
    names = [isolated(found.label(candidate)) for candidate in found.candidates]
    phrases: dict[Tone, str] = {
        "worse": "worse somewhere",
        "better": "better somewhere and nowhere shown to be worse",
        "same": "the same within the margins",
        "open": "undecided",
    }
    parts = []
    for kind, phrase in phrases.items():
        of_kind = [name for name, t in zip(names, tones, strict=True) if t == kind]
        if of_kind:
            shown = _listed(of_kind) if len(of_kind) <= 4 else f"{', '.join(of_kind[:3])}, …"
            parts.append(f"{len(of_kind)} {phrase} ({shown})")
    return f"Of {len(names)} candidates against {base}: {'; '.join(parts)}."


def _advice(found: Subject) -> Iterator[str]:
    tones = {tone(comparison) for comparison in found.comparisons}
    if "worse" in tones:
        yield "Do not put a candidate marked ▼ in the baseline's place without reading its dialogues."
    elif "better" in tones:
        yield (
            "Nothing is shown to be worse. That is a statement about these metrics on these "
            "dialogues, not about benefit to a person."
        )


def _next(found: Subject, folder: str) -> Iterator[Next]:
    for comparison in found.comparisons:
        yield from _of_comparison(found, comparison)
    notes = dict.fromkeys(w for c in found.comparisons for w in c.warnings)
    for note in (*notes, *dominance.notes(found.arms)):
        yield Next(f"{note}.")
    for arm in [found.baseline, *found.candidates]:
        if arm is None:
            continue
        harmful = _places(arm, "crisis_harmful")
        if harmful:
            yield Next(
                f"{isolated(found.label(arm))} dismissed, blamed or described a method to someone "
                f"at risk in {len(harmful)} dialogue{'s' if len(harmful) > 1 else ''}:",
                harmful[:5],
            )
        degenerate = _places(arm, "degenerate")
        kinds = run_notes.degenerate(arm).replace("_", " ")
        if degenerate and kinds:
            yield Next(
                f"{isolated(found.label(arm))} gave degenerate replies ({kinds}):", degenerate[:5]
            )
    if found.comparisons and found.baseline is not None:
        names = [found.candidates[0].name, found.baseline.name]
        words_of = ["rapport", "compare", *names, "--results", folder]
        yield Next("Every metric with its p-value:", command=shlex.join(words_of))


def _of_comparison(found: Subject, comparison: Comparison) -> Iterator[Next]:
    name = isolated(found.label(comparison.candidate))
    for item, worst in regressions(comparison):
        if item.verdict == "regressed":
            text = f"{name} is worse on {item.metric.label}; these dialogues moved it most:"
        else:
            text = f"{name} leaves much unscored on {item.metric.label}, most of all here:"
        yield Next(text, tuple(one.place for one in worst))
    for item, said in undecided(comparison):
        yield Next(f"{name} is undecided on {item.metric.label}: {said}.")


def _places(arm: Result, column: str) -> tuple[int, ...]:
    return tuple(i for i, count in enumerate(arm.columns.get(column, ())) if count)
