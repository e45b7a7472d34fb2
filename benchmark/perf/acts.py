"""Sentences a second that the act classifier reads on one core.

python benchmark/perf/acts.py --repeats 3
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from rapport_tasks.acts.classifier import RuleActClassifier
from rapport_tasks.dialogues.builtin import EVALUATION_ZH, TRAINING_EN, TRAINING_ZH
from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_tasks.dialogues.sentences import distinct_sentences

_GENERATED = [f"你第{n}次说到这里，听起来很累，也许可以先歇一会儿。" for n in range(5000)]


def built_in_sentences() -> list[str]:
    """Distinct sentences of the built-in dialogues, or generated ones where there are none."""
    texts = [
        message.content
        for path in (EVALUATION_ZH, TRAINING_ZH, TRAINING_EN)
        if path.exists()
        for dialogue in read_dialogues(path)
        for message in dialogue.messages
    ]
    found = {sentence.text for text in texts for sentence in distinct_sentences(text)}
    return sorted(found) or _GENERATED


def sentences_per_second(sentences: Sequence[str], repeats: int) -> float:
    """The fastest of several runs, in processor time."""
    classifier = RuleActClassifier()
    classifier.classify(["你好", "hello"])  # compiles the rules
    times = []
    for _ in range(repeats):
        start = time.process_time()
        classifier.classify(sentences)
        times.append(time.process_time() - start)
    return len(sentences) / min(times)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time the act classifier.")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    sentences = built_in_sentences()
    characters = sum(map(len, sentences)) / len(sentences)
    speed = sentences_per_second(sentences, options.repeats)
    print(f"{len(sentences)} sentences of {characters:.1f} characters: {speed:.0f} sentences/s")


if __name__ == "__main__":
    main()
