"""Loading a causal language model: the files that were hashed, all of their tensors, nothing else.

transformers fills tensors that a checkpoint lacks with random numbers, applies an adapter that lies in the
model's folder, and takes other files than those one looks at. Here it sees a folder that holds the
configuration and the hashed files alone, and what it found missing, left over or of another shape is
asked for and refused.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.parsing import read_settings
from rapport_tasks.weights.hashes import tensor_shapes, weight_files

_REMEDY = "Use a causal language model with safetensors weights that transformers knows."


def load_config(folder: Path, *, name: str) -> Any:
    """A model's configuration, as transformers reads it; code of the model's own is never run.

    Raises:
        BadInput: transformers cannot read it, does not know the architecture, or would run code that
            comes with the model.
    """
    from transformers import AutoConfig

    raw = read_settings(folder / "config.json")
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        layers = config.get_text_config().num_hidden_layers
    except Exception as error:  # whatever a library raises on a file that it cannot use
        if isinstance(raw.get("auto_map"), dict):
            raise BadInput(
                f"{name}: its architecture ({raw.get('model_type')}) needs code that comes with the "
                "model, which is never run",
                remedy="Use a model whose architecture transformers knows.",
            ) from None
        raise BadInput(
            f"{folder / 'config.json'}: transformers cannot use it ({first_line(error)})",
            remedy=_REMEDY,
        ) from None
    if not isinstance(layers, int) or layers > len(tensor_shapes(folder)):
        raise BadInput(
            f"{folder / 'config.json'}: num_hidden_layers is {str(layers)[:20]}, which the "
            f"{len(tensor_shapes(folder))} tensors of its weights cannot be",
            remedy="Copy the configuration that belongs to these weights.",
        )
    return config


def empty_model(folder: Path, *, name: str) -> Any:
    """The model's modules without numbers, on torch's ``meta`` device: names and shapes.

    Raises:
        BadInput: It has no language-model head, or transformers cannot build it.
    """
    import torch
    from transformers import AutoModelForCausalLM

    config = load_config(folder, name=name)
    if type(config) not in AutoModelForCausalLM._model_mapping:
        raise BadInput(
            f"{name}: {config.model_type} has no language-model head that predicts the next token",
            remedy=_REMEDY,
        )
    try:
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
            model.tie_weights()
    except Exception as error:  # likewise
        raise BadInput(
            f"{folder / 'config.json'}: transformers cannot build this model ({first_line(error)})",
            remedy=_REMEDY,
        ) from None
    return model


def load_tokenizer(folder: Path, *, name: str, rows: int) -> Any:
    """A model's tokenizer; code of the model's own is never run.

    Args:
        folder: Where its files lie.
        name: What messages call the model.
        rows: Rows of the model's embedding.

    Raises:
        BadInput: There is none, it knows no tokens, or it has tokens that the embedding lacks.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        if not tokenizer.encode("你好 hello", add_special_tokens=False):
            raise ValueError("it knows no tokens")
        largest = max(tokenizer.get_vocab().values())
    except Exception as error:  # whatever a library raises on files that it cannot use
        raise BadInput(
            f"{name}: no usable tokenizer in {folder} ({first_line(error)})",
            remedy="Copy the tokenizer's files into the model's folder.",
        ) from None
    if largest >= rows:
        raise BadInput(
            f"{name}: its tokenizer has tokens up to number {largest}, its embedding only {rows} rows",
            remedy="Use the tokenizer that belongs to the model, or resize its embedding and save it.",
        )
    return tokenizer


def embedding_rows(model: Any) -> int:
    """How many tokens a model, perhaps without numbers, can read."""
    return int(model.get_input_embeddings().weight.shape[0])


def load_causal_lm(
    folder: Path, *, name: str, dtype: str, nf4: bool = False, double: bool = True, device: str = ""
) -> Any:
    """Load a model whole, in evaluation mode.

    Args:
        folder: Where its files lie.
        name: What messages call it.
        dtype: A torch dtype's name.
        nf4: Whether its weights are quantised to 4 bits while they are loaded.
        double: Whether the constants of that are quantised too.
        device: Where a quantised model goes; others are on the CPU and may be moved.

    Raises:
        BadInput: It cannot be loaded, lacks tensors, has some that its architecture does not take, or
            weights that are no numbers.
    """
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    empty_model(folder, name=name)
    arguments: dict[str, Any] = {"device_map": {"": device}} if device else {}
    if nf4:
        arguments["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=double,
            bnb_4bit_compute_dtype=getattr(torch, dtype),
        )
    with _only_hashed_files(folder) as view:
        try:
            model, info = AutoModelForCausalLM.from_pretrained(
                view,
                dtype=getattr(torch, dtype),
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
                **arguments,
            )
        except Exception as error:
            text = first_line(error).replace(str(view), str(folder))
            raise BadInput(
                f"{name}: cannot be loaded ({text})",
                remedy="`rapport doctor` shows what this machine can run.",
            ) from None
    _refuse_incomplete(name, info)
    _refuse_no_numbers(name, model)
    return model.eval()


def _refuse_incomplete(name: str, info: dict[str, Any]) -> None:
    """What transformers filled with random numbers, or left out, makes another model of it."""
    missing = info["missing_keys"]
    heads = [key for key in missing if "head" in key.split(".")[0] or key.startswith("cls.")]
    lacks = "no language-model head" if len(heads) == len(missing) else "tensors are missing"
    differs = {key[0] if isinstance(key, tuple) else key for key in info["mismatched_keys"]}
    problems = {
        f"{lacks}, which transformers would fill at random": missing,
        "tensors of another shape": differs,
        "tensors that have no place in its architecture": info["unexpected_keys"],
    }
    found = [f"{what}: {some(keys)}" for what, keys in problems.items() if keys]
    if found:
        raise BadInput(
            f"{name}: {'; '.join(found)}",
            remedy="Save the whole causal language model again with save_pretrained, configuration and all.",
        )


def _refuse_no_numbers(name: str, model: Any) -> None:
    import torch

    def finite(tensor: Any) -> bool:
        # torch knows no isfinite of numbers of eight bits.
        return bool(torch.isfinite(tensor.float() if tensor.element_size() == 1 else tensor).all())

    tensors = [*model.named_parameters(), *model.named_buffers()]
    bad = [key for key, t in tensors if t.is_floating_point() and not finite(t)]
    if bad:
        raise BadInput(
            f"{name}: weights that are no finite numbers in {some(bad)}",
            remedy="The file is damaged or its training diverged: take another checkpoint, or "
            "another dtype if this one is float16.",
        )


@contextmanager
def _only_hashed_files(folder: Path) -> Iterator[Path]:
    """A folder for transformers to read: links to what `weight_files` names, and the configuration."""
    config = read_settings(folder / "config.json")
    for key in ("transformers_weights", "auto_map"):
        config.pop(key, None)
    with tempfile.TemporaryDirectory(prefix="rapport-model-") as made:
        view = Path(made)
        (view / "config.json").write_text(json.dumps(config), encoding="utf-8")
        files = weight_files(folder)
        names = [f"model-{i}.safetensors" for i in range(len(files))]
        if len(files) == 1:
            names = ["model.safetensors"]
        else:
            places = {t: n for n, f in zip(names, files, strict=True) for t in tensor_shapes(f)}
            index = json.dumps({"metadata": {}, "weight_map": places})
            (view / "model.safetensors.index.json").write_text(index, encoding="utf-8")
        for link, file in zip(names, files, strict=True):
            (view / link).symlink_to(file.resolve())
        yield view


def some(names: Collection[str]) -> str:
    """The first three names, and how many more there are."""
    shown = ", ".join(sorted(names)[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def first_line(error: BaseException) -> str:
    """What a library's error says, in one line of bounded length."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
