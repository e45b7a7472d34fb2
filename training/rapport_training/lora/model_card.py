"""The model card, ``README.md``: metadata that the hub reads, and what a reader should know.

Everything in it comes from the training's record; nothing is quoted from the dialogues.
"""

from __future__ import annotations

import math
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

_GIB = 1 << 30


def model_card(record: dict[str, Any], name: str) -> str:
    """Write the card of an adapter.

    Args:
        record: The contents of ``training.json``.
        name: What the adapter is called: its folder.
    """
    return f"---\n{_metadata(record, name).to_yaml()}\n---\n\n{_text(record, name)}"


def _metadata(record: dict[str, Any], name: str) -> ModelCardData:
    corpus, validation = record["corpus"]["name"], record["validation"]
    results = []
    if validation:
        perplexity = _perplexity(validation, "adapter_nll_sum")
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


def _text(record: dict[str, Any], name: str) -> str:
    recipe, corpus, memory = record["recipe"], record["corpus"], record["memory"]
    parameters, lora, how = record["parameters"], recipe["lora"], recipe["train"]
    share = parameters["trainable"] / parameters["total"]
    base = record["base"]["name"]
    lines = [
        f"# {name}",
        "",
        f"A LoRA adapter on {base}, trained by rapport-bench. It measures style and coherence, not "
        "therapeutic outcome: it is no clinical device and must not be left alone with a person at "
        "risk.",
        "",
        f"**Trainable parameters: {parameters['trainable']:,} of {parameters['total']:,} "
        f"({share:.2%})**, rank {lora['r']}, alpha {lora['alpha']:g}, dropout {lora['dropout']:g}, "
        f"on {', '.join(lora['target_modules'])}.",
        "",
        "| | |",
        "|---|---|",
        f"| corpus | {corpus['name']}: {corpus['dialogues']:,} dialogues, {corpus['tokens']:,} "
        f"tokens, {corpus['labelled_tokens']:,} with loss; {corpus['overlong']:,} left out as longer "
        f"than {recipe['data']['max_length']:,} tokens |",
        f"| loss on | {recipe['data']['loss_on']} |",
        f"| base weights | sha256 {record['base']['weights_sha256'][:16]}, "
        f"{record['effective']['quantization']} quantisation, {record['effective']['dtype']} |",
        f"| tokenizer | the base's; chat template: {record['tokenizer']['template']} |",
        f"| optimizer | {record['effective']['optimizer']}, learning rate {how['learning_rate']:g}, "
        f"{how['lr_schedule']} after {how['warmup_ratio']:.0%} warm-up, {how['batch_size']} rows x "
        f"{how['gradient_accumulation']} a step, {record['steps']:,} steps, seed {record['seed']} |",
        f"| loss | {record['loss']['first']:.4f} in the first tenth of the steps, "
        f"{record['loss']['last']:.4f} in the last (nats per labelled token) |",
        *_validation_rows(record["validation"]),
        f"| time | {record['training_seconds']:,.0f} s on {record['effective']['device']}, "
        f"{record['effective']['processes']} process(es) |",
        "",
        "![losses and gradient norm](curves.png)",
        "",
        "## Memory",
        "",
        f"Peak, measured: {memory['peak_bytes'] / _GIB:.2f} GiB ({memory['peak_is']}). Full "
        f"fine-tuning, computed: {memory['full_fine_tuning_bytes'] / _GIB:.2f} GiB "
        f"({memory['full_fine_tuning_is']}: weight, gradient and two moments of AdamW in float32).",
        "",
        *_listed("Not as the recipe asks", record["effective"]["fallbacks"]),
        *_listed("Warnings during training", record["warnings"]),
        "## Use",
        "",
        "```python",
        "from peft import PeftModel",
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        "",
        f'base = AutoModelForCausalLM.from_pretrained("{base}")',
        f'model = PeftModel.from_pretrained(base, "{name}")',
        f'tokenizer = AutoTokenizer.from_pretrained("{base}")',
        "```",
        "",
        f"`rapport run --base {base} --adapter {name}` scores it against its base. "
        "`training.json` holds the whole recipe, hashes and versions; `training.jsonl` every step.",
    ]
    return "\n".join(lines) + "\n"


def _validation_rows(validation: dict[str, Any] | None) -> list[str]:
    if not validation:
        return ["| validation | none |"]
    base, adapter = (_perplexity(validation, f"{arm}_nll_sum") for arm in ("base", "adapter"))
    return [
        f"| validation | {validation['dialogues']:,} dialogues; perplexity of the gold replies "
        f"{base:.4g} with the base, {adapter:.4g} with the adapter |"
    ]


def _perplexity(validation: dict[str, Any], key: str) -> float:
    return math.exp(min(700, validation[key] / validation["tokens"]))


def _listed(title: str, items: list[str]) -> list[str]:
    return [f"## {title}", "", *(f"- {item}" for item in items), ""] if items else []
