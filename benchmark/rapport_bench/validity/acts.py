"""How well acts agree with labels.

==========================  =====================================================================
``auc``                     chance that a text labelled advice scores above one labelled empathy
``auc_length_matched``      the same among texts of like length (`agreement.length_strata`)
``accuracy``, ``macro_f1``  over the four acts, those that the data label
``coverage``                share of the texts labelled advice or empathy in which advice or
                            empathy is found at all
==========================  =====================================================================

All in [0, 1], higher is better. Intervals: cluster bootstrap, 2,000 draws. Baselines: keywords,
length alone, chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rapport_bench.statistics.resampling import DRAWS, SEED, Resampler, Sampled
from rapport_bench.validity.act_arms import (
    ActArm,
    chance_arm,
    classifier_scorer,
    length_arm,
    lexicon_arm,
    load_scorer,
    module_sha256,
    scored_arm,
)
from rapport_bench.validity.agreement import auc, length_strata, macro_f1
from rapport_bench.validity.figures import OURS, VERSION, Report, compared
from rapport_bench.validity.labelled import Utterance, read_utterances
from rapport_tasks.acts.classifier import ACTS
from rapport_tasks.common.paths import file_sha256
from rapport_tasks.metrics.scorers import act_classifier
from rapport_tasks.specs.aer import TASK

FIGURES = ("auc", "auc_length_matched", "accuracy", "macro_f1", "coverage")


def validate_acts(path: Path, *, plugin: str | None = None) -> Report:
    """Measure the act classifier, and a plugged-in one before it, on a file of utterances.

    Args:
        path: See `rapport_bench.validity.labelled`.
        plugin: ``module:function`` of another scorer; it is then what is validated.

    Raises:
        BadInput: File or plug-in cannot be used.
    """
    utterances, left_out = read_utterances(path)
    texts = [u.text for u in utterances]
    labels = [u.label for u in utterances]
    classifier = act_classifier()
    scorer = {"name": OURS, "acts": classifier.version, "rapport_aer": TASK.version}
    arms = [
        scored_arm(OURS, classifier_scorer(classifier), texts),
        lexicon_arm(texts),
        length_arm(texts, labels),
        chance_arm(labels),
    ]
    if plugin is not None:
        arms.insert(0, scored_arm(plugin, load_scorer(plugin), texts))
        scorer |= {"name": plugin, "module_sha256": module_sha256(plugin)}
    figures, differences = compared(measure(utterances, arms))
    counts = Counter(labels)
    return Report(
        what="acts",
        name=path.stem,
        data={
            "sha256": file_sha256(path),
            "used": len(utterances),
            "clusters": len({u.cluster for u in utterances}),
            "labels": {act: counts[act] for act in ACTS},
            "left_out": dict(sorted(left_out.items())),
        },
        scorer=scorer,
        settings={"validity": VERSION, "draws": DRAWS, "seed": SEED},
        arms=figures,
        differences=differences,
        details={
            "confusion": {a.name: confusion(labels, a.predicted) for a in arms if a.predicted}
        },
    )


def measure(
    utterances: Sequence[Utterance], arms: Sequence[ActArm]
) -> dict[str, dict[str, Sampled]]:
    """All figures of all arms, on the same resamples."""
    labels = [u.label for u in utterances]
    told = [i for i, label in enumerate(labels) if label in ("advice", "empathy")]
    advice = [labels[i] == "advice" for i in told]
    strata = length_strata([len(utterances[i].text.strip()) for i in told])
    everything = Resampler([u.cluster for u in utterances])
    two = Resampler([utterances[i].cluster for i in told])
    found: dict[str, dict[str, Sampled]] = {}
    for arm in arms:
        scores = [arm.scores[i] for i in told]
        row = {
            "auc": two.sample(auc(scores, advice)),
            "auc_length_matched": two.sample(auc(scores, advice, strata)),
        }
        if arm.predicted is not None:
            right = [a == b for a, b in zip(labels, arm.predicted, strict=True)]
            row["accuracy"] = everything.mean(right)
            row["macro_f1"] = everything.sample(macro_f1(labels, arm.predicted))
        if arm.found is not None:
            row["coverage"] = two.mean([arm.found[i] for i in told])
        found[arm.name] = row
    return found


def confusion(labels: Sequence[str], predicted: Sequence[str]) -> dict[str, dict[str, int]]:
    """Label -> predicted act -> how many."""
    counts = Counter(zip(labels, predicted, strict=True))
    return {label: {act: counts[label, act] for act in ACTS} for label in ACTS}
