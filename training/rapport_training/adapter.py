"""The adapter: LoRA matrices on a frozen base, and the folder they are saved in.

The folder holds exactly three files: ``adapter_model.safetensors``, ``adapter_config.json`` and
``training.json``. It appears in one move when all of them are complete; a training that was stopped
leaves nothing that could be taken for an adapter.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rapport_tasks.errors import BadInput, close_match
from rapport_training.base import LoadedBase
from rapport_training.recipe import Recipe


def add_adapter(recipe: Recipe, base: LoadedBase) -> Any:
    """Freeze the base and add LoRA matrices, the only parameters that may learn.

    Raises:
        BadInput: The base has no module of a name that the recipe lists.
    """
    import torch
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    model = base.model
    model.config.use_cache = False
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()} - {""}
    for name in recipe.lora.target_modules:
        if name not in names:
            raise BadInput(
                f"lora.target_modules: {recipe.base.name} has no module named {name!r}",
                remedy=close_match(name, names) + "Name linear layers of this architecture.",
            )
    if base.quantization != "none":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    elif torch.cuda.is_available():
        model = model.to("cuda")
    adapted = get_peft_model(
        model,
        LoraConfig(
            task_type="CAUSAL_LM",
            r=recipe.lora.r,
            lora_alpha=recipe.lora.alpha,
            lora_dropout=recipe.lora.dropout,
            target_modules=list(recipe.lora.target_modules),
        ),
    )
    check_only_lora(name for name, p in adapted.named_parameters() if p.requires_grad)
    return adapted


def check_only_lora(names: Iterable[str]) -> None:
    """Raise `RuntimeError` if a parameter that learns is none of the adapter's."""
    others = [name for name in names if ".lora_" not in name]
    if others:
        raise RuntimeError(f"parameters outside the adapter would be trained: {others[:3]}")


def refuse_taken(out: Path) -> None:
    """Make sure that a folder can be written without touching what somebody has there.

    Raises:
        BadInput: It is a file, or a folder that is not empty.
    """
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        raise BadInput(
            f"{out}: exists already and is never overwritten",
            remedy="Name a new folder, or remove this one.",
        )


def write_adapter(model: Any, record: dict[str, Any], out: Path) -> None:
    """Write all files beside `out`, the configuration last, then move them there at once.

    Args:
        model: What `add_adapter` returned, trained.
        record: The contents of ``training.json``.
        out: The folder to write.

    Raises:
        BadInput: The folder is taken or cannot be written.
    """
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    config = model.peft_config["default"].to_dict()
    config |= {"base_model_name_or_path": record["base"]["name"], "inference_mode": True}
    weights = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in get_peft_model_state_dict(model).items()
    }
    part: Path | None = None
    try:
        refuse_taken(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name[:40]}.unfinished-"))
        save_file(weights, part / "adapter_model.safetensors", metadata={"format": "pt"})
        _write_json(part / "training.json", record)
        _write_json(part / "adapter_config.json", config)
        _sync(part)
        part.replace(out)
    except BaseException as error:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)
        if isinstance(error, OSError):
            raise BadInput(
                f"{out}: {error.strerror}", remedy="Choose a folder that you can write to."
            ) from None
        raise


def _sync(folder: Path) -> None:
    """Flush every file to disk, with the permissions that new files usually have."""
    umask = os.umask(0)
    os.umask(umask)
    for file in folder.iterdir():
        with file.open("rb+") as stream:
            os.fsync(stream.fileno())
        file.chmod(0o666 & ~umask)
    folder.chmod(0o777 & ~umask)


def _write_json(path: Path, value: dict[str, Any]) -> None:
    text = json.dumps(
        value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False, default=_plain
    )
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """Sets in a fixed order: the configuration's hash is part of the adapter's identity."""
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
