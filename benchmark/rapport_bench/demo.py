"""The whole loop on the embedded base: train, score, compare."""

from __future__ import annotations

import shutil
from pathlib import Path

from rapport_bench.console import RunReporter
from rapport_bench.run import Outcome, RunConfig, run


def run_demo(out: Path, reporter: RunReporter) -> Outcome:
    """Train an adapter on the built-in dialogues and score it beside its base, gold and bots.

    Args:
        out: Folder for the adapter, the results and the responses. An adapter that an earlier demo
            left there is trained anew.
        reporter: Shows progress.
    """
    from rapport_training import EMBEDDED_RECIPE
    from rapport_training.recipe import load_recipe
    from rapport_training.train import train

    adapter = out / "demo-adapter"
    if (adapter / "training.json").is_file():
        shutil.rmtree(adapter)
    recipe = load_recipe(EMBEDDED_RECIPE)
    train(recipe, adapter, on_progress=lambda at: reporter.step("training", at.step, at.steps))
    config = RunConfig(
        base="embedded",
        adapters=((None, str(adapter)),),
        bots=True,
        results=str(out / "results"),
        store=str(out / "responses.sqlite"),
    )
    return run(config, reporter)
