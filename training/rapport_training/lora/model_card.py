"""The model card, ``README.md``: metadata that the hub reads, and what a reader should know.

Everything in it comes from the training's record; nothing is quoted from the dialogues.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from rapport_training.cards import render_card


def model_card(record: dict[str, Any], name: str) -> str:
    """Write the card of an adapter.

    Args:
        record: The contents of ``training.json``.
        name: What the adapter is called: its folder.
    """
    validation = record["validation"]
    perplexities = {
        arm: math.exp(min(700, validation[f"{arm}_nll_sum"] / validation["tokens"]))
        for arm in ("base", "adapter")
        if validation
    }
    metadata = _metadata(record, name, perplexities.get("adapter")).to_yaml()
    values = {"metadata": metadata, "name": name, "gib": 1 << 30, "ppl": perplexities}
    return render_card(Path(__file__).with_name("model_card.md.jinja"), record | values)


def _metadata(record: dict[str, Any], name: str, perplexity: float | None) -> ModelCardData:
    corpus = record["corpus"]["name"]
    results = []
    if perplexity is not None:
        results.append(
            EvalResult(
                task_type="text-generation",
                dataset_type=corpus,
                dataset_name=f"{corpus}, validation",
                metric_type="perplexity",
                metric_name="perplexity of the gold replies",
                metric_value=round(perplexity, 4),
            )
        )
    data = ModelCardData(
        base_model=record["base"]["name"],
        library_name="peft",
        license=record["base"]["license"],
        datasets=[corpus],
        language=record["corpus"]["languages"],
        pipeline_tag="text-generation",
        tags=["lora", "rapport-bench", "empathy", "dialogue"],
        model_name=name,
        eval_results=results or None,
    )
    if not results:
        # `rapport run` measures; its figures belong here.
        data["model-index"] = [{"name": name, "results": []}]
    return data
