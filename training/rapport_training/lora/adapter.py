"""The adapter: LoRA matrices on a frozen base, and the folder they are saved in.

The folder holds ``adapter_model.safetensors`` and ``adapter_config.json``, which are the adapter, and
``training.json``, ``training.jsonl``, ``curves.png`` and ``README.md``, which tell of it. It appears in
one move when all of them are complete; a training that was stopped leaves nothing that could be taken
for an adapter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rapport_tasks.common.errors import BadInput, close_match
from rapport_training.disk import new_folder, refuse_taken
from rapport_training.lora.base import LoadedBase
from rapport_training.lora.recipe import LoraSection, Recipe


def add_adapter(recipe: Recipe, base: LoadedBase) -> Any:
    """Freeze the base and add LoRA matrices, the only parameters that may learn.

    Nothing of the base is cast, not even under 4-bit quantisation: training computes what evaluation
    scores.

    Raises:
        BadInput: The base has no linear layer of a name that the recipe lists.
    """
    import torch

    model = base.model
    model.config.use_cache = False
    if base.works.base.quantization == "none" and torch.cuda.is_available():
        model = model.to("cuda")
    if recipe.train.gradient_checkpointing:
        # Renamed within transformers 5; the old name warns.
        old = "gradient_checkpointing_enable"
        getattr(model, "activation_checkpointing_enable", getattr(model, old))(
            {"use_reentrant": False}
        )
    adapted = adapt(model, recipe.lora, base_name=recipe.base.name)
    check_only_lora(name for name, p in adapted.named_parameters() if p.requires_grad)
    return adapted


def adapt(model: Any, lora: LoraSection, *, base_name: str) -> Any:
    """Wrap a model with new LoRA matrices in float32; everything else no longer learns.

    Raises:
        BadInput: The model has no linear layer of a listed name; the message names those it has.
    """
    from peft import LoraConfig, get_peft_model

    linear = _linear_layers(model)
    for name in lora.target_modules:
        if name not in linear:
            raise BadInput(
                f"lora.target_modules: {base_name} has no linear layer named {name!r}",
                remedy=close_match(name, linear) + f"It has {', '.join(sorted(linear))}.",
            )
    return get_peft_model(
        model,
        LoraConfig(
            task_type="CAUSAL_LM",
            r=lora.r,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=list(lora.target_modules),
            # GPT-2 keeps its weights the other way round.
            fan_in_fan_out=all(linear[name] == "Conv1D" for name in lora.target_modules),
        ),
    )


def _linear_layers(model: Any) -> dict[str, str]:
    """Last names of the layers that LoRA can sit on, with their types."""
    import torch

    return {
        name.rpartition(".")[2]: type(module).__name__
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) or type(module).__name__ == "Conv1D"
    }


def check_only_lora(names: Iterable[str]) -> None:
    """Raise `RuntimeError` if a parameter that learns is none of the adapter's."""
    others = [name for name in names if ".lora_" not in name]
    if others:
        raise RuntimeError(f"parameters outside the adapter would be trained: {others[:3]}")


def write_adapter(
    model: Any, record: dict[str, Any], history: Sequence[dict[str, Any]], out: Path
) -> None:
    """Write all files beside `out`, the configuration last, then move them there at once.

    Args:
        model: What `add_adapter` returned, trained.
        record: The contents of ``training.json``.
        history: The lines of ``training.jsonl``.
        out: The folder to write.

    Raises:
        BadInput: The folder is taken or cannot be written.
        Incomplete: The disk is full.
    """
    from safetensors.torch import save_file

    from rapport_training.lora.curves import draw_curves
    from rapport_training.lora.model_card import model_card
    from rapport_training.lora.progress import to_jsonl
    from rapport_training.lora.trainer import lora_weights

    config = model.peft_config["default"].to_dict()
    config |= {"base_model_name_or_path": record["base"]["name"], "inference_mode": True}
    refuse_taken(out)
    with new_folder(out, remedy_if_full="Free disk space and run the same command again.") as part:
        weights = lora_weights(model)
        save_file(weights, part / "adapter_model.safetensors", metadata={"format": "pt"})
        (part / "training.jsonl").write_text(to_jsonl(history), encoding="utf-8")
        (part / "README.md").write_text(model_card(record, out.name), encoding="utf-8")
        draw_curves(history, part / "curves.png")
        _write_json(part / "training.json", record)
        _write_json(part / "adapter_config.json", config)


def _write_json(path: Path, value: dict[str, Any]) -> None:
    text = json.dumps(
        value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False, default=_plain
    )
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """Sets in a fixed order: the configuration's hash is part of the adapter's identity."""
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
