"""The whole loop on the embedded base: prepare, train, score, compare."""

from __future__ import annotations

import shutil
from pathlib import Path

from rapport_bench.console import RunReporter
from rapport_bench.run import Outcome, RunConfig, run

DIALOGUES = 52
"""How many of the evaluation dialogues the demo scores: four of each domain."""


def run_demo(out: Path, reporter: RunReporter) -> Outcome:
    """Prepare the built-in dialogues, train an adapter on them, score it beside base, gold and bots.

    Args:
        out: Folder for the corpus, the adapter, the results and the responses. Corpus and adapter of
            an earlier demo are made anew.
        reporter: Shows progress.
    """
    from rapport_tasks.builtin import TRAINING_ZH
    from rapport_training import EMBEDDED_RECIPE
    from rapport_training.prepare import prepare
    from rapport_training.recipe import load_recipe
    from rapport_training.train import train

    corpus, adapter = out / "corpus", out / "demo-adapter"
    for made, mark in ((corpus, "card.json"), (adapter, "training.json")):
        if (made / mark).is_file():
            shutil.rmtree(made)
    prepare([TRAINING_ZH], corpus)
    train(
        load_recipe(EMBEDDED_RECIPE, {"data.corpus": str(corpus)}),
        adapter,
        on_progress=lambda at: reporter.step("training", at.step, at.steps),
    )
    config = RunConfig(
        base="embedded",
        adapters=((None, str(adapter)),),
        bots=True,
        limit=DIALOGUES,
        results=str(out / "results"),
        store=str(out / "responses.sqlite"),
    )
    return run(config, reporter)
