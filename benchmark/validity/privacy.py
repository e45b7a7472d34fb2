"""How well does anonymisation find what was marked, and what does it find in ordinary talk?

    python benchmark/validity/privacy.py [FILE...] [--errors] [--dialogues FILE...]

on files of marked sentences (`rapport_training.privacy.marks`); without files on the two beside this
script, which nothing was fitted to: no test reads them. For each kind: recall and precision with Wilson's 95 % intervals, once counting any
overlap with the right kind, once exact ends; "masked" is recall whatever kind was found. `--errors`
shows the sentences that went wrong. `--dialogues` counts what is found in dialogue files, where
identifiers are rare and so most of it is an upper bound of false alarms, and how fast; no text is shown.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from statsmodels.stats.proportion import proportion_confint

from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_training.privacy.anonymisation import KINDS, Span, find_identifiers
from rapport_training.privacy.marks import MarkedText, read_marked, tally

MARKED = Path(__file__).parent


def share(part: int, whole: int) -> str:
    """A proportion with its Wilson 95 % interval, or a dash for nothing out of nothing."""
    if not whole:
        return f"{'-':^22s}"
    low, high = proportion_confint(part, whole, alpha=0.05, method="wilson")
    return f"{part / whole:6.3f} [{low:5.3f}, {high:5.3f}]"


def report(path: Path, *, errors: bool) -> None:
    """Print the table of one marked file."""
    texts = read_marked(path)
    found = [find_identifiers([text.text])[0] for text in texts]
    counts = tally(zip([text.spans for text in texts], found, strict=True))
    print(f"\n{path.name}: {len(texts)} texts, {counts.clean} of them without identifiers")
    print(f"  kept as they are: {share(counts.clean_kept, counts.clean)}")
    print(
        "  marked found false  recall                 precision              masked"
        "                 exact recall           exact precision"
    )
    for kind in (*KINDS, "all"):
        marked, hits, masked, exact, total, right, right_exact, false = (
            counter.total() if kind == "all" else counter[kind]
            for counter in (
                counts.marked,
                counts.overlapping,
                counts.masked,
                counts.exact,
                counts.found,
                counts.right,
                counts.right_exact,
                counts.false,
            )
        )
        columns = (
            share(hits, marked),
            share(right, total),
            share(masked, marked),
            share(exact, marked),
            share(right_exact, total),
        )
        print(f"  {marked:6d} {total:5d} {false:5d} {' '.join(columns)}  {kind}")
    if errors:
        for text, spans in zip(texts, found, strict=True):
            if wrong := difference(text, spans):
                print(f"  {wrong}\n      {text.text}")


def difference(text: MarkedText, found: Sequence[Span]) -> str:
    """What was marked and not found, and the other way round, in words."""
    missed = [span for span in text.spans if span not in found]
    extra = [span for span in found if span not in text.spans]
    return " ".join(
        f"{sign}{span.kind}:{text.text[span.start : span.end]}"
        for sign, spans in (("-", missed), ("+", extra))
        for span in spans
    )


def report_dialogues(path: Path) -> None:
    """Print how much is found in a dialogue file, by kind, and how fast."""
    dialogues = [[m.content for m in d.messages] for d in read_dialogues(path)]
    find_identifiers(["你好"])
    started = time.process_time()
    kinds, touched = Counter[str](), 0
    for texts in dialogues:
        found = [span.kind for spans in find_identifiers(texts) for span in spans]
        kinds.update(found)
        touched += bool(found)
    seconds = time.process_time() - started
    characters = sum(len(text) for texts in dialogues for text in texts)
    print(
        f"\n{path.name}: {len(dialogues)} dialogues, {characters} characters, "
        f"{len(dialogues) / seconds:.0f} dialogues and {characters / seconds:.0f} characters a CPU second"
    )
    print(f"  dialogues with something found: {share(touched, len(dialogues))}")
    print("  " + ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description="Validity of anonymisation.")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--errors", action="store_true", help="show the sentences that went wrong")
    parser.add_argument("--dialogues", nargs="+", type=Path, default=[])
    options = parser.parse_args()
    given = options.files or ([] if options.dialogues else sorted(MARKED.glob("privacy_*_zh.txt")))
    for path in given:
        report(path, errors=options.errors)
    for path in options.dialogues:
        report_dialogues(path)


if __name__ == "__main__":
    main()
