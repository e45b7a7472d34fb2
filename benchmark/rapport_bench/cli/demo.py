"""The whole loop on the embedded base: prepare, train, score, compare, report."""

from __future__ import annotations

import shutil
from pathlib import Path

from rapport_bench.running.config import RunConfig
from rapport_bench.running.outcome import Run
from rapport_bench.running.run import run
from rapport_bench.terminal.console import RunReporter

STORE = "responses.sqlite"
DIALOGUES = 52
"""How many of the evaluation dialogues the demo scores: four of each domain."""


def run_demo(out: Path, reporter: RunReporter) -> tuple[Run, Path]:
    """Prepare the built-in dialogues, train an adapter on them, score it beside base, gold and bots.

    The report quotes dialogues and replies: the built-in ones are fiction.

    Args:
        out: Folder for the corpus, the adapter, the results and the responses. Corpus and adapter of
            an earlier demo are made anew.
        reporter: Shows progress.

    Returns:
        The outcome and the report's page.
    """
    from rapport_bench.arms.text_sources import Sources
    from rapport_bench.page.make import Request, make_report

    adapter = out / "demo-adapter"
    train_embedded(prepare_builtin(out / "corpus"), adapter, reporter)
    config = RunConfig(
        base="embedded",
        adapters=((None, str(adapter)),),
        bots=True,
        limit=DIALOGUES,
        results=str(out / "results"),
        store=str(out / STORE),
    )
    outcome = run(config, reporter)
    page = out / "report.html"
    make_report(
        Request(
            config.results,
            str(page),
            suite=outcome.suite.suite_id,
            with_text=True,
            sources=Sources(store=config.store),
            adapters=(str(adapter),),
        )
    )
    return outcome, page


def prepare_builtin(corpus: Path) -> Path:
    """Make a corpus folder of the built-in training dialogues, anew."""
    from rapport_tasks.dialogues.builtin import TRAINING_ZH
    from rapport_training.prepare import prepare

    if (corpus / "card.json").is_file():
        shutil.rmtree(corpus)
    prepare([TRAINING_ZH], corpus)
    return corpus


def train_embedded(corpus: Path, adapter: Path, reporter: RunReporter) -> None:
    """Train an adapter on a corpus by the embedded recipe, anew."""
    from rapport_training import EMBEDDED_RECIPE
    from rapport_training.lora.recipe import load_recipe
    from rapport_training.lora.train import train

    if (adapter / "training.json").is_file():
        shutil.rmtree(adapter)
    train(
        load_recipe(EMBEDDED_RECIPE, {"data.corpus": str(corpus)}),
        adapter,
        on_progress=lambda at: reporter.progress("training", at.step, at.steps),
    )
